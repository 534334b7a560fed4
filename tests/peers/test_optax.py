"""Every loss of `optax.losses`, called as it is, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from peers.harness import beside
from peers.harness import jax_row as row

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")
losses = optax.losses
jnp = jax.numpy

XY = "x: real[n]; y: real[n]"
FEATURES = "x: real[n, d]; y: real[n, d]"
LOGITS = "x: logit[n]; y: binary[n]"
SIGNS = "x: logit[n]; y: sign[n]"
CLASSES = "x: logit[n, c] over c; y: label[n] of c"
SOFT = "x: logit[n, c] over c; y: prob[n, c] over c"
LISTS = "x: score[n, i]; y: count[n, i]"
MASKS = "x: logit[n, h, w]; y: binary[n, h, w]"
SCENES = "x: logit[n, h, w, c] over c; y: label[n, h, w] of c"
TRUTH = "let truth = if y == c then 1 else 0"
N = ("n",)


def hot(y: Any, x: Any) -> Any:
    return jax.nn.one_hot(y, x.shape[-1], dtype=x.dtype)


def spoken(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    size = rng.integers(0, sizes["s"] + 1, sizes["n"])
    return {
        "y": rng.integers(1, sizes["c"], (sizes["n"], sizes["s"])),
        "size": size, "length": np.minimum(2 * size + 1, sizes["t"]),
    }  # fmt: skip


def ctc(x: Any, y: Any, length: Any, size: Any) -> Any:
    silent = (jnp.arange(x.shape[1]) >= length[:, None]).astype(x.dtype)
    unused = (jnp.arange(y.shape[1]) >= size[:, None]).astype(x.dtype)
    return losses.ctc_loss(x, silent, y, unused, log_epsilon=-1e30)


def regions(x: Any, y: Any) -> Any:
    return jax.vmap(lambda x, y: losses.binary_dice_loss(x[None, ..., None], y[None, ..., None]).sum())(x, y)


def two_views(u: Any, v: Any) -> Any:
    return losses.ntxent(jnp.concatenate([u, v]), jnp.arange(2 * len(u)) % len(u), temperature=0.3)


ROWS = [
    row("squared_error", XY, "squared_error(x, y)", losses.squared_error),
    row("l2_loss", XY, "half_squared_error(x, y)", losses.l2_loss),
    row("huber_loss", XY, "huber(x, y, 0.6)", lambda x, y: losses.huber_loss(x, y, delta=0.6)),
    row("log_cosh", XY, "log_cosh(x, y)", losses.log_cosh),
    row("cosine_distance", FEATURES, "cosine_distance[d](x, y)", losses.cosine_distance),
    row("cosine_similarity", FEATURES, "1 - cosine_distance[d](x, y)", losses.cosine_similarity),
    row("hinge_loss", SIGNS, "hinge(x, y)", losses.hinge_loss),
    row("perceptron_loss", SIGNS, "perceptron(x, y)", losses.perceptron_loss),
    row("sparsemax_loss", LOGITS, "binary_sparsemax(x, 1) * y + binary_sparsemax(x, -1) * (1 - y)", losses.sparsemax_loss),
    row("sigmoid_binary_cross_entropy", "x: logit[n]; y: prob[n]", "binary_cross_entropy(x, y)",
        losses.sigmoid_binary_cross_entropy),
    row("sigmoid_focal_loss", LOGITS, "sigmoid_focal(x, y, 2, 0.25)",
        lambda x, y: losses.sigmoid_focal_loss(x, y, alpha=0.25), only=("x",)),
    row("sigmoid_focal_loss-unbalanced", LOGITS, "binary_focal(x, y, 1.5)",
        lambda x, y: losses.sigmoid_focal_loss(x, y, gamma=1.5), only=("x",)),
    row("softmax_cross_entropy", SOFT, "soft_cross_entropy(x, y)", losses.softmax_cross_entropy),
    row("safe_softmax_cross_entropy", SOFT, "soft_cross_entropy(x, y)", losses.safe_softmax_cross_entropy),
    row("softmax_cross_entropy_with_integer_labels", CLASSES, "cross_entropy(x, y)",
        losses.softmax_cross_entropy_with_integer_labels),
    row("softmax_cross_entropy-where", CLASSES + "; m: mask[n, c]", "-log(softmax[c where m or c == y](x))[c = y]",
        lambda x, y, m: losses.softmax_cross_entropy_with_integer_labels(x, y, where=m | (hot(y, x) > 0))),
    row("poly_loss_cross_entropy", CLASSES, "poly_cross_entropy(x, y, 2)",
        lambda x, y: losses.poly_loss_cross_entropy(x, hot(y, x))),
    row("multiclass_hinge_loss", CLASSES, "crammer_singer(x, y)", losses.multiclass_hinge_loss),
    row("multiclass_perceptron_loss", CLASSES, "multiclass_perceptron(x, y)", losses.multiclass_perceptron_loss),
    row("multiclass_sparsemax_loss", CLASSES, "sparsemax_loss(x, y)", losses.multiclass_sparsemax_loss),
    row("make_fenchel_young_loss", CLASSES, "cross_entropy(x, y)",
        lambda x, y: jax.vmap(losses.make_fenchel_young_loss(jax.scipy.special.logsumexp))(x, hot(y, x))),
    row("smooth_labels", "x: prob[n, c] over c", "smooth_labels(x, 0.2)", lambda x: losses.smooth_labels(x, 0.2), ("n", "c")),
    row("kl_divergence", "x: logprob[n, c] over c; y: prob[n, c] over c", "kl_divergence(y, x)", losses.kl_divergence),
    row("kl_divergence_with_log_targets", "x: logprob[n, c] over c; y: logprob[n, c] over c", "kl_divergence(y, x)",
        losses.kl_divergence_with_log_targets),
    row("convex_kl_divergence", "x: real[n, c]; y: positive[n, c]", "generalized_kl[c](y, exp(x))", losses.convex_kl_divergence),
    row("generalized_kl_divergence", "x: real[n, c]; y: positive[n, c]", "generalized_kl[c](y, exp(x))",
        losses.generalized_kl_divergence),
    row("ctc_loss", "x: logit[n, t, c] over c; y: label[n, s] of c; length: count[n]; size: count[n]",
        "ctc[t, c, s](log_softmax[c](x), y, length, size)", ctc, given=spoken, lengths={"t": (5, 8)}, tolerance=1e-6),
    row("ranking_softmax_loss", LISTS, "softmax_ranking[i](x, y)",
        lambda x, y: losses.ranking_softmax_loss(x, y, reduce_fn=None)),
    row("ranking_softmax_loss-where", LISTS + "; m: mask[n, i]", "softmax_ranking[i where m](x, y)",
        lambda x, y, m: losses.ranking_softmax_loss(x, y, where=m, reduce_fn=None)),
    row("ntxent", "x: embedding[n, d]; y: embedding[n, d]", "mean[n](nt_xent[n, d](x, y, 0.3))", two_views, ()),
    row("triplet_margin_loss", "a: embedding[n, d]; p: embedding[n, d]; q: embedding[n, d]", "triplet_margin[d](a, p, q, 0.7)",
        lambda a, p, q: losses.triplet_margin_loss(a, p, q, margin=0.7, eps=0.0)),
    row("binary_dice_loss", MASKS, "dice[h, w](x, y, 2)", regions),
    row("dice_loss", SCENES, f"{TRUTH} in mean[k](dice[h, w](softmax[c](x)[c -> k] as prob, truth[c -> k], 2))",
        lambda x, y: losses.dice_loss(x, hot(y, x)).reshape(len(x))),
    row("dice_loss-tversky", SCENES, f"{TRUTH} in mean[k](tversky[h, w](softmax[c](x)[c -> k] as prob, truth[c -> k], 0.3, 0.7))",
        lambda x, y: losses.dice_loss(x, hot(y, x), alpha=0.3, beta=0.7)),
    row("multiclass_generalized_dice_loss", SCENES,
        f"{TRUTH}, share = 1 / (sum[n, h, w](truth)^2 + 1e-7) in mean[n](mean[k by share[c -> k]](dice[h, w](softmax[c](x)[c -> k] as prob, truth[c -> k], 2)))",
        lambda x, y: losses.multiclass_generalized_dice_loss(x, hot(y, x)), ()),
]  # fmt: skip

test_optax = beside(ROWS)

"""Rax' ranking losses, metrics and their transformations, list by list or over all lists."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from peers.harness import beside
from peers.harness import jax_row as row

jax = pytest.importorskip("jax")
rax = pytest.importorskip("rax")
jnp = jax.numpy

LISTS = "s: score[n, i]; r: count[n, i]"
MASKED = LISTS + "; m: mask[n, i]"
N = ("n",)


def lists(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """One number for each list."""

    def reference(s: Any, r: Any, m: Any = None) -> Any:
        return function(s, r, where=m, reduce_fn=None, **options)

    return reference


def pairs(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """The sum over the pairs of each list."""

    def reference(s: Any, r: Any, m: Any = None) -> Any:
        each = [
            function(s[at], r[at], where=None if m is None else m[at], reduce_fn=jnp.sum, **options)
            for at in range(len(s))
        ]
        return jnp.stack(each)

    return reference


def graded(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    """Grades from 0 to 4, ties among them, and a list in which nothing is relevant."""
    r = rng.integers(0, 5, (sizes["n"], sizes["i"]))
    r[0] = 0
    return {"r": r}


def ordered(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    """Grades without ties: equal grades are broken at random elsewhere."""
    return {"r": np.stack([rng.permutation(sizes["i"]) for _ in range(sizes["n"])])}


def soft_ranks(*a: Any, **options: Any) -> Any:
    """What `rax.approx_t12n` puts in the place of ranks; the transformation itself wants an older JAX."""
    return rax.utils.approx_ranks(*a, **options, step_fn=lambda x: jax.nn.sigmoid(x / 0.3))


metric = partial(row, smooth=False, given=graded)

ROWS = [
    row("softmax_loss", LISTS, "softmax_ranking[i](s, r)", lists(rax.softmax_loss), given=graded),
    row("softmax_loss-where", MASKED, "softmax_ranking[i where m](s, r)", lists(rax.softmax_loss)),
    row("softmax_loss-mean", LISTS, "mean[n](softmax_ranking[i](s, r))", rax.softmax_loss, ()),
    row("softmax_loss-list_net", LISTS, "list_net[i](s, r)",
        lists(rax.softmax_loss, label_fn=lambda r, where: jax.nn.softmax(r, axis=-1))),
    row("poly1_softmax_loss", LISTS,
        "softmax_ranking[i](s, r) + 0.7 * (1 - (let all = sum[i](r) in if all > 0 then sum[i](r / all * softmax[i](s)) else mean[i](softmax[i](s))))",
        lists(rax.poly1_softmax_loss, epsilon=0.7), given=graded),
    row("unique_softmax_loss", LISTS, "unique_softmax[i](s, r)", lists(rax.unique_softmax_loss), given=graded),
    row("unique_softmax_loss-where", MASKED, "unique_softmax[i where m](s, r)", lists(rax.unique_softmax_loss)),
    row("listmle_loss", LISTS, "list_mle[i](s, r)", lists(rax.listmle_loss), given=ordered),
    row("listmle_loss-where", MASKED, "list_mle[i where m](s, r)", lists(rax.listmle_loss), given=ordered),
    row("pairwise_hinge_loss", LISTS, "pairwise_hinge[i](s, r)", pairs(rax.pairwise_hinge_loss), given=graded),
    row("pairwise_hinge_loss-where", MASKED, "pairwise_hinge[i where m](s, r)", pairs(rax.pairwise_hinge_loss)),
    row("pairwise_hinge_loss-mean", LISTS, "sum[n](pairwise_hinge[i](s, r)) / sum[n, i, j](if r > r[i -> j] then 1 else 0)",
        rax.pairwise_hinge_loss, (), lengths={"i": (6, 8)}),
    row("pairwise_logistic_loss", LISTS, "ranknet[i](s, r)", pairs(rax.pairwise_logistic_loss), given=graded),
    row("pairwise_logistic_loss-where", MASKED, "ranknet[i where m](s, r)", pairs(rax.pairwise_logistic_loss)),
    row("pairwise_logistic_loss-lambda", LISTS, "size[i] * lambda_rank[i](s, r)",
        pairs(rax.pairwise_logistic_loss, lambdaweight_fn=partial(rax.dcg_lambdaweight, normalize=True)), given=graded),
    row("pairwise_logistic_loss-lambda-topn", LISTS, "size[i] * lambda_rank[i](s, r, 3)",
        pairs(rax.pairwise_logistic_loss, lambdaweight_fn=partial(rax.dcg_lambdaweight, normalize=True, topn=3)),
        given=graded, lengths={"i": (5, 8)}),
    row("pairwise_logistic_loss-labeldiff", LISTS,
        "sum[i, j where r > r[i -> j]]((r - r[i -> j]) * bpr(s, s[i -> j]))",
        pairs(rax.pairwise_logistic_loss, lambdaweight_fn=rax.labeldiff_lambdaweight), given=graded),
    row("pairwise_soft_zero_one_loss", LISTS, "pairwise_soft_zero_one[i](s, r)", pairs(rax.pairwise_soft_zero_one_loss),
        given=graded),
    row("pairwise_mse_loss", LISTS, "pairwise_mse[i](s, r)", pairs(rax.pairwise_mse_loss), given=graded),
    row("pairwise_mse_loss-where", MASKED, "pairwise_mse[i where m](s, r)", pairs(rax.pairwise_mse_loss)),
    row("pairwise_qr_loss", LISTS, "sum[i, j where r > r[i -> j]](quantile(s - s[i -> j], r - r[i -> j], 0.7))",
        pairs(rax.pairwise_qr_loss, tau=0.7), given=graded),
    row("pointwise_sigmoid_loss", "s: logit[n, i]; r: binary[n, i]", "mean[n, i](binary_cross_entropy(s, r))",
        rax.pointwise_sigmoid_loss, ()),
    row("pointwise_mse_loss", LISTS, "mean[n, i](squared_error(s, r))", rax.pointwise_mse_loss, ()),
    row("approx_ndcg", LISTS, "1 - approx_ndcg[i](s, r, 0.3)", lists(rax.ndcg_metric, rank_fn=soft_ranks)),
    row("approx_mrr", LISTS, "1 - approx_mrr[i](s, r, 0.3)", lists(rax.mrr_metric, rank_fn=soft_ranks),
        given=ordered),
    metric("mrr_metric", LISTS, "mean_reciprocal_rank[i](s, r)", lists(rax.mrr_metric)),
    metric("mrr_metric-where", MASKED, "mean_reciprocal_rank[i where m](s, r)", lists(rax.mrr_metric)),
    metric("recall_metric", LISTS, "recall[i](s, r, 2)", lists(rax.recall_metric, topn=2)),
    metric("precision_metric", LISTS, "precision[i](s, r, 2)", lists(rax.precision_metric, topn=2)),
    metric("precision_metric-where", MASKED, "precision[i where m](s, r, 2)", lists(rax.precision_metric, topn=2)),
    metric("ap_metric", LISTS, "average_precision[i](s, r)", lists(rax.ap_metric)),
    metric("opa_metric", LISTS, "ordered_pair_accuracy[i](s, r)", lists(rax.opa_metric)),
    metric("dcg_metric", LISTS, "dcg[i](s, r)", lists(rax.dcg_metric)),
    metric("dcg_metric-topn", LISTS, "dcg[i](s, r, 2)", lists(rax.dcg_metric, topn=2)),
    metric("ndcg_metric", LISTS, "ndcg[i](s, r, 3)", lists(rax.ndcg_metric, topn=3)),
    metric("ndcg_metric-where", MASKED, "ndcg[i where m](s, r, inf)", lists(rax.ndcg_metric)),
]  # fmt: skip

test_rax = beside(ROWS)

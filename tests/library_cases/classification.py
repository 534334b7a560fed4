"""Cases of `specs/library/classification.loss`."""

from __future__ import annotations

from typing import Any

import numpy as np
from parity import SIZES, Case, case

from library_cases.peers import CLASSES, LOGIT_SIGN, F, N, jax, metrics, optax, torch


def one_hot(y: Any) -> Any:
    return F.one_hot(y, SIZES["c"]).double()


def _zlpr(x: Any, y: Any) -> Any:
    """Su et al., 2022, equation 3."""
    nothing = torch.zeros(len(x), 1).double()
    absent = torch.cat([nothing, x.masked_fill(y == 1, -torch.inf)], 1)
    present = torch.cat([nothing, (-x).masked_fill(y == 0, -torch.inf)], 1)
    return absent.logsumexp(1) + present.logsumexp(1)


def optax_sparsemax(x: Any) -> Any:
    return jax.vmap(optax.projections.projection_simplex)(x)


def _entmax15(x: Any) -> Any:
    """Peters et al., 2019: p = max(0, x / 2 - tau)^2, with tau by bisection and its gradient from the sum being one."""
    low, high = x.detach().max(1).values / 2 - 1, x.detach().max(1).values / 2
    for _ in range(80):
        middle = (low + high) / 2
        enough = (F.relu(x.detach() / 2 - middle[:, None]) ** 2).sum(1) >= 1
        low, high = torch.where(enough, middle, low), torch.where(enough, high, middle)
    root = F.relu(x.detach() / 2 - low[:, None])
    tau = low + ((root * (x - x.detach())).sum(1) / 2 / root.sum(1))
    return F.relu(x / 2 - tau[:, None]) ** 2


def _entmax15_loss(x: Any, y: Any) -> Any:
    """The Fenchel-Young loss of the negentropy (Σ p^1.5 - 1) / 0.75."""
    p = _entmax15(x)
    return (p * x).sum(1) - ((p**1.5).sum(1) - 1) / 0.75 - x.gather(1, y[:, None])[:, 0]


CASES = [
    case("bce_logit", "x: logit[n]; y: binary[n]", "binary_cross_entropy(x, y)",
         lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none")),
    case("bce_soft", "x: logit[n]; y: prob[n]", "binary_cross_entropy(x, y)",
         lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none"), only=("x",)),
    case("bce_weight", "x: logit[n]; y: binary[n]", "binary_cross_entropy(x, y, 2.5)",
         lambda x, y: F.binary_cross_entropy_with_logits(
             x, y, pos_weight=torch.tensor(2.5).double(), reduction="none")),
    case("bce_prob", "x: prob[n]; y: binary[n]", "binary_cross_entropy(x, y)",
         lambda x, y: F.binary_cross_entropy(x, y, reduction="none")),
    case("bce_logprob", "x: logprob[n]; y: binary[n]", "binary_cross_entropy(x, y)",
         lambda x, y: F.binary_cross_entropy(x.exp(), y, reduction="none")),
    case("ce_logit", CLASSES, "cross_entropy(x, y)", lambda x, y: F.cross_entropy(x, y, reduction="none")),
    case("ce_smooth", CLASSES, "cross_entropy(x, y, 0.1)",
         lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1, reduction="none")),
    case("ce_prob", "x: prob[n, c] over c; y: label[n] of c", "cross_entropy(x, y)",
         lambda x, y: F.nll_loss(x.log(), y, reduction="none")),
    case("nll", "x: logprob[n, c] over c; y: label[n] of c", "negative_log_likelihood(x, y)",
         lambda x, y: F.nll_loss(x, y, reduction="none")),
    case("weighted_ce", CLASSES + "; w: weight[c]", "weighted_cross_entropy(x, y, w)",
         lambda x, y, w: F.cross_entropy(x, y, weight=w, reduction="none")),
    case("soft_ce", "x: logit[n, c] over c; y: prob[n, c] over c", "soft_cross_entropy(x, y)",
         lambda x, y: F.cross_entropy(x, y, reduction="none"), only=("x",)),
    case("soft_ce_optax", "x: logit[n, c] over c; y: prob[n, c] over c", "soft_cross_entropy(x, y)",
         optax.losses.softmax_cross_entropy, library="jax"),
    case("sigmoid_focal", "x: logit[n]; y: binary[n]", "sigmoid_focal(x, y, 1.5, 0.3)",
         lambda x, y: optax.losses.sigmoid_focal_loss(x, y, alpha=0.3, gamma=1.5), library="jax", only=("x",)),
    case("binary_focal", "x: logit[n]; y: binary[n]", "binary_focal(x, y)",
         lambda x, y: optax.losses.sigmoid_focal_loss(x, y), library="jax", only=("x",)),
    case("hinge", LOGIT_SIGN, "hinge(x, y)", optax.losses.hinge_loss, library="jax", only=("x",)),
    case("squared_hinge", LOGIT_SIGN, "squared_hinge(x, y)", lambda x, y: F.relu(1 - x * y) ** 2),
    case("perceptron", LOGIT_SIGN, "perceptron(x, y)", optax.losses.perceptron_loss, library="jax", only=("x",)),
    case("soft_margin", LOGIT_SIGN, "soft_margin(x, y)", lambda x, y: F.soft_margin_loss(x, y, reduction="none")),
    case("exponential", LOGIT_SIGN, "exponential(x, y)", lambda x, y: torch.exp(-x * y)),
    case("modified_huber", LOGIT_SIGN, "modified_huber(x, y)",
         lambda x, y: torch.where(x * y >= -1, F.relu(1 - x * y) ** 2, -4 * x * y)),
    case("binary_sparsemax", LOGIT_SIGN, "binary_sparsemax(x, y)",
         lambda x, y: optax.losses.sparsemax_loss(x, y > 0), library="jax", only=("x",)),
    case("hinge_embedding", "x: positive[n]; y: sign[n]", "hinge_embedding(x, y, 1.2)",
         lambda x, y: F.hinge_embedding_loss(x, y, margin=1.2, reduction="none")),
    case("multiclass_hinge", CLASSES, "multiclass_hinge(x, y)",
         lambda x, y: F.multi_margin_loss(x, y, reduction="none")),
    case("multiclass_hinge_squared", CLASSES, "multiclass_hinge(x, y, 0.8, 2)",
         lambda x, y: F.multi_margin_loss(x, y, p=2, margin=0.8, reduction="none")),
    case("crammer_singer", CLASSES, "crammer_singer(x, y)", optax.losses.multiclass_hinge_loss, library="jax"),
    case("multiclass_perceptron", CLASSES, "multiclass_perceptron(x, y)",
         optax.losses.multiclass_perceptron_loss, library="jax"),
    case("multilabel_soft_margin", "x: logit[n, c]; y: binary[n, c]", "multilabel_soft_margin[c](x, y)",
         lambda x, y: F.multilabel_soft_margin_loss(x, y, reduction="none")),
    case("multilabel_margin", "x: real[n, c]; y: binary[n, c]", "multilabel_margin[c](x, y)",
         lambda x, y: F.multilabel_margin_loss(x, _packed_labels(y), reduction="none")),
    case("poly", CLASSES, "poly_cross_entropy(x, y, 1.5)",
         lambda x, y: optax.losses.poly_loss_cross_entropy(x, jax.nn.one_hot(y, SIZES["c"]), epsilon=1.5),
         library="jax"),
    case("smooth_labels", "x: logit[n, c] over c; y: prob[n, c] over c", "soft_cross_entropy(x, smooth_labels(y, 0.2))",
         lambda x, y: optax.losses.softmax_cross_entropy(x, optax.losses.smooth_labels(y, 0.2)), library="jax"),
    case("sparsemax_loss", CLASSES, "sparsemax_loss(x, y)", optax.losses.multiclass_sparsemax_loss, library="jax"),
    case("focal", CLASSES, "focal(x, y, 2)",
         lambda x, y: (1 - x.softmax(-1).gather(-1, y[:, None])[:, 0]) ** 2 * F.cross_entropy(x, y, reduction="none")),
    case("brier", CLASSES, "brier(x, y)", lambda x, y: ((x.softmax(-1) - one_hot(y)) ** 2).sum(-1)),
    case("asymmetric", "x: logit[n]; y: binary[n]", "asymmetric(x, y)", lambda x, y: _asymmetric(x, y)),
    case("ordinal", "x: logit[n, k]; y: count[n]", "ordinal[k](x, y)",
         lambda x, y: F.binary_cross_entropy_with_logits(
             x, (torch.arange(SIZES["k"]) < y[:, None]).double(), reduction="none").sum(-1)),
    case("logit_adjusted", CLASSES + "; p: prob[c] over c", "logit_adjusted_cross_entropy(x, y, p, 1.5)",
         lambda x, y, p: F.cross_entropy(x + 1.5 * p.log(), y, reduction="none")),
    case("one_versus_rest", "x: logit[n, c]; y: label[n] of c", "one_versus_rest(x, y)",
         lambda x, y: F.binary_cross_entropy_with_logits(x, one_hot(y), reduction="none").sum(-1)),
    case("smoothed_hinge", LOGIT_SIGN, "smoothed_hinge(x, y)", lambda x, y: torch.where(
        x * y >= 1, 0, torch.where(x * y <= 0, 0.5 - x * y, (1 - x * y) ** 2 / 2))),
    case("zlpr", "x: real[n, c]; y: binary[n, c]", "zlpr[c](x, y)", lambda x, y: _zlpr(x, y)),
    case("generalized_ce", CLASSES, "generalized_cross_entropy(x, y, 0.4)",
         lambda x, y: (1 - x.softmax(-1).gather(-1, y[:, None])[:, 0] ** 0.4) / 0.4),
    case("symmetric_ce", CLASSES, "symmetric_cross_entropy(x, y, 0.3, 0.8, -5)",
         lambda x, y: 0.3 * F.cross_entropy(x, y, reduction="none")
         - 0.8 * (x.softmax(-1) * torch.where(one_hot(y) > 0, 0.0, -5.0)).sum(-1)),
    case("normalized_ce", CLASSES, "normalized_cross_entropy(x, y)",
         lambda x, y: F.nll_loss(x.log_softmax(-1), y, reduction="none") / -x.log_softmax(-1).sum(-1)),
    case("bootstrap_ce", CLASSES, "bootstrap_cross_entropy(x, y, 0.8)", lambda x, y: -(
        (0.8 * one_hot(y) + 0.2 * x.softmax(-1)) * x.log_softmax(-1)).sum(-1)),
    case("ldam", CLASSES + "; k: positive[c]", "ldam(x, y, k, 0.4, 3)",
         lambda x, y, k: F.cross_entropy(3 * (x - 0.4 * one_hot(y) * k**-0.25 / (k**-0.25).max()), y, reduction="none"),
         only=("x",)),
    case("class_balanced", "k: positive[n]", "class_balanced_weight(k, 0.9)", lambda k: 0.1 / (1 - 0.9**k)),
    case("quality_focal", "x: logit[n]; y: prob[n]", "quality_focal(x, y, 1.5)", lambda x, y: (
        (y - x.sigmoid()).abs() ** 1.5 * F.binary_cross_entropy_with_logits(x, y, reduction="none"))),
    case("varifocal", "x: logit[n]; y: prob[n]", "varifocal(x, y, 0.6, 1.5)",
         lambda x, y: torch.where(y > 0, y * F.binary_cross_entropy_with_logits(x, y, reduction="none"),
                                  0.6 * x.sigmoid() ** 1.5 * F.softplus(x)),
         only=("x",), given={"y": [0.3, 0.0, 1.0, 0.7, 0.0]}),
    Case("sparsemax", "x: real[n, c]", "sparsemax[c](x)", ("n", "c"), optax_sparsemax, library="jax"),
    Case("entmax15", "x: real[n, c]", "entmax15[c](x)", ("n", "c"), lambda x: _entmax15(x)),
    case("entmax15_loss", CLASSES, "entmax15_loss(x, y)", lambda x, y: _entmax15_loss(x, y)),
    case("binary_brier", "x: logit[n]; y: binary[n]", "binary_brier(x, y)",
         lambda x, y: F.mse_loss(x.sigmoid(), y, reduction="none")),
    case("spherical_score", CLASSES, "spherical_score(x, y)",
         lambda x, y: -F.normalize(x.softmax(-1)).gather(-1, y[:, None])[:, 0]),
    case("one_class", "x: logit[n, one] over one; y: label[n] of one", "cross_entropy(x, y) + focal(x, y) + x[one = y]",
         lambda x, y: F.cross_entropy(x, y, reduction="none") + x[:, 0]),
    case("two_classes", "x: logit[n]; y: binary[n]", "cross_entropy([0 * x, x] along c as logit over c, (if y == 1 then 1 else 0) as label of c)",
         lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none")),
    case("certain", "p: prob[n]", "binary_cross_entropy(p, p)", lambda p: 0 * p, smooth=False,
         given={"p": [0.0, 1.0, 1.0, 0.0, 1.0]}),
    case("hard_targets", "x: logit[n, c] over c; y: prob[n, c] over c", "soft_cross_entropy(x, y)",
         lambda x, y: F.cross_entropy(x, y, reduction="none"), only=("x",), given={"y": np.eye(4)[[0, 3, 1, 1, 2]]}),
    case("ties", "x: logit[n, c] over c; y: label[n] of c", "cross_entropy(x, y) + brier(x, y)",
         lambda x, y: F.cross_entropy(x, y, reduction="none") + ((x.softmax(-1) - one_hot(y)) ** 2).sum(-1),
         given={"x": np.zeros((5, 4))}),
    Case("tokens", "x: logit[n, t, c] over c; y: label[n, t] of c", "cross_entropy(x, y, 0.2)", ("n", "t"),
         lambda x, y: F.cross_entropy(x.transpose(1, 2), y, label_smoothing=0.2, reduction="none")),
    Case("ignored", "x: logit[n, t, c] over c; y: label[n, t] of c ignoring -100",
         "mean[t where valid(y)](cross_entropy(x, y))", ("n",),
         lambda x, y: F.cross_entropy(x.transpose(1, 2), y, reduction="none").sum(1) / (y >= 0).sum(1).clamp(min=1),
         given={"y": [[0, 1, -100, -100], [-100, 2, 3, 0], [-100] * 4, [3, 3, 3, 3], [1, -100, 0, 2]]}),
    Case("weighted_mean", CLASSES + "; w: weight[c]", "mean[n by w[c = y]](cross_entropy(x, y))", (),
         lambda x, y, w: F.cross_entropy(x, y, weight=w)),
    Case("binary_accuracy", "x: logit[n]; y: binary[n]", "binary_accuracy(x, y, 0.3)", N, lambda x, y: ((x.sigmoid() > 0.3) == (y > 0)).double(), smooth=False),
    Case("binary_precision", "x: prob[n, k]; y: binary[n, k]", "binary_precision[k](x, y)", N, lambda x, y: torch.tensor([
        metrics.precision_score(b, a > 0.5, zero_division=0) for a, b in zip(x, y, strict=True)]), smooth=False),
    Case("binary_recall", "x: prob[n, k]; y: binary[n, k]", "binary_recall[k](x, y)", N, lambda x, y: torch.tensor([
        metrics.recall_score(b, a > 0.5, zero_division=0) for a, b in zip(x, y, strict=True)]), smooth=False),
    Case("f_score", "x: prob[n, k]; y: binary[n, k]", "f_score[k](x, y, 1.5)", N, lambda x, y: torch.tensor([
        metrics.fbeta_score(b, a > 0.5, beta=1.5, zero_division=0) for a, b in zip(x, y, strict=True)]), smooth=False),
]  # fmt: skip


def _packed_labels(y: Any) -> Any:
    """Torch's list of present labels, ended by -1."""
    rows = [[int(i) for i in row.nonzero()] for row in y]
    return torch.tensor([row + [-1] * (SIZES["c"] - len(row)) for row in rows])


def _asymmetric(x: Any, y: Any) -> Any:
    p, m = x.sigmoid(), (x.sigmoid() - 0.05).clamp(min=0)
    return torch.where(y == 1, -(1 - p) * p.log(), -(m**4) * (1 - m).log())

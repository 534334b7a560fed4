"""Every loss class of `torch.nn`, in its reductions and options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from peers.harness import Row, beside

torch = pytest.importorskip("torch")
nn = torch.nn

XY = "x: real[n]; y: real[n]"
LOGITS = "x: logit[n]; y: prob[n]"
CLASSES = "x: logit[n, c] over c; y: label[n] of c"
IGNORING = "x: logit[n, c] over c; y: label[n] of c ignoring -100"
TRIPLET = "a: embedding[n, d]; p: embedding[n, d]; q: embedding[n, d]"
N = ("n",)


def some_ignored(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    y = rng.integers(0, sizes["c"], sizes["n"])
    y[rng.integers(1, sizes["n"]) :] = -100
    return {"y": y}


def all_ignored(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    return {"y": np.full(sizes["n"], -100)}


def present(y: Any) -> Any:
    """A 0/1 matrix as torch's `MultiLabelMarginLoss` wants it: the present classes, then −1."""
    rows = [[at for at, on in enumerate(row) if on] for row in y.tolist()]
    return torch.tensor([row + [-1] * (y.shape[1] - len(row)) for row in rows])


def spoken(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    """Inputs of CTC in which every target fits its input, repeats included."""
    size = rng.integers(0, sizes["s"] + 1, sizes["n"])
    return {
        "y": rng.integers(1, sizes["c"], (sizes["n"], sizes["s"])),
        "size": size, "length": np.minimum(2 * size + rng.integers(1, 3, sizes["n"]), sizes["t"]),
    }  # fmt: skip


def ctc(x: Any, y: Any, length: Any, size: Any) -> Any:
    lengths = length.long(), size.long()
    return nn.CTCLoss(reduction="none")(x.log_softmax(-1).transpose(0, 1), y, *lengths)


def clustered(x: Any, w: Any, first: Any, tail: Any) -> Any:
    """`AdaptiveLogSoftmaxWithLoss` with a head of two classes and one cluster of three, whose weights are given."""
    layer = nn.AdaptiveLogSoftmaxWithLoss(x.shape[1], 5, [2], div_value=1.0, dtype=torch.float64)
    weights = {"head.weight": w, "tail.0.0.weight": first, "tail.0.1.weight": tail}
    return -torch.func.functional_call(layer, weights, (x, torch.tensor([4] * len(x))))[0]


def linear(x: Any, w: Any, y: Any) -> Any:
    layer = nn.LinearCrossEntropyLoss(
        w.shape[1], len(w), label_smoothing=0.1, options=None, dtype=torch.float64
    )
    return torch.func.functional_call(layer, {"linear.weight": w}, (x, y))


ROWS = [
    Row("L1Loss", XY, "mean[n](absolute_error(x, y))", nn.L1Loss()),
    Row("L1Loss-sum", XY, "sum[n](absolute_error(x, y))", nn.L1Loss(reduction="sum")),
    Row("MSELoss", XY, "mean[n](squared_error(x, y))", nn.MSELoss()),
    Row("MSELoss-none", XY, "squared_error(x, y)", nn.MSELoss(reduction="none"), N),
    Row("HuberLoss", XY, "mean[n](huber(x, y, 0.7))", nn.HuberLoss(delta=0.7)),
    Row("HuberLoss-none", XY, "huber(x, y)", nn.HuberLoss(reduction="none"), N),
    Row("SmoothL1Loss", XY, "mean[n](smooth_l1(x, y, 0.4))", nn.SmoothL1Loss(beta=0.4)),
    Row("SmoothL1Loss-sum", XY, "sum[n](smooth_l1(x, y))", nn.SmoothL1Loss(reduction="sum")),
    Row("PoissonNLLLoss", "x: real[n]; k: count[n]", "mean[n](poisson_nll(x, k))", nn.PoissonNLLLoss()),
    Row("PoissonNLLLoss-rate", "x: positive[n]; k: count[n]", "mean[n](poisson_rate_nll(x, k))",
        nn.PoissonNLLLoss(log_input=False, eps=0.0)),
    Row("PoissonNLLLoss-full", "x: real[n]; k: count[n]",
        "poisson_nll(x, k) + (if k > 1 then k * log(max(k, 1)) - k + log(2 * pi * max(k, 1)) / 2 else 0)",
        nn.PoissonNLLLoss(full=True, reduction="none"), N),
    Row("GaussianNLLLoss", "x: real[n]; y: real[n]; v: positive[n]", "mean[n](gaussian_nll(x, v, y))",
        nn.GaussianNLLLoss()),
    Row("GaussianNLLLoss-full", "x: real[n]; y: real[n]; v: positive[n]",
        "nll(y ~ normal(x, sqrt(v)))", nn.GaussianNLLLoss(full=True, reduction="none"), N),
    Row("BCELoss", "x: prob[n]; y: prob[n]", "mean[n](binary_cross_entropy(x, y))", nn.BCELoss()),
    Row("BCELoss-weight", "x: prob[n]; y: prob[n]; w: weight[n]", "mean[n](w * binary_cross_entropy(x, y))",
        lambda x, y, w: nn.BCELoss(weight=w)(x, y)),
    Row("BCEWithLogitsLoss", LOGITS, "mean[n](binary_cross_entropy(x, y))", nn.BCEWithLogitsLoss()),
    Row("BCEWithLogitsLoss-weights", LOGITS + "; w: weight[n]; v: weight[n]", "w * binary_cross_entropy(x, y, v)",
        lambda x, y, w, v: nn.BCEWithLogitsLoss(weight=w, pos_weight=v, reduction="none")(x, y), N),
    Row("BCEWithLogitsLoss-classes", "x: logit[n, c]; y: binary[n, c]; v: weight[c]",
        "mean[n, c](binary_cross_entropy(x, y, v))", lambda x, y, v: nn.BCEWithLogitsLoss(pos_weight=v)(x, y)),
    Row("CrossEntropyLoss", CLASSES, "mean[n](cross_entropy(x, y))", nn.CrossEntropyLoss()),
    Row("CrossEntropyLoss-smoothing", CLASSES, "cross_entropy(x, y, 0.15)",
        nn.CrossEntropyLoss(label_smoothing=0.15, reduction="none"), N),
    Row("CrossEntropyLoss-ignored", IGNORING, "mean[n where valid(y)](cross_entropy(x, y, 0.1))",
        nn.CrossEntropyLoss(label_smoothing=0.1), given=some_ignored),
    Row("CrossEntropyLoss-all-ignored", IGNORING, "sum[n where valid(y)](cross_entropy(x, y))",
        nn.CrossEntropyLoss(reduction="sum"), given=all_ignored),
    Row("CrossEntropyLoss-weight", CLASSES + "; w: weight[c]", "mean[n by w[c = y]](cross_entropy(x, y))",
        lambda x, y, w: nn.CrossEntropyLoss(weight=w)(x, y)),
    Row("CrossEntropyLoss-weight-ignored", IGNORING + "; w: weight[c]",
        "mean[n by w[c = y] where valid(y)](cross_entropy(x, y))",
        lambda x, y, w: nn.CrossEntropyLoss(weight=w)(x, y), given=some_ignored),
    Row("CrossEntropyLoss-weight-none", CLASSES + "; w: weight[c]", "weighted_cross_entropy(x, y, w)",
        lambda x, y, w: nn.CrossEntropyLoss(weight=w, reduction="none")(x, y), N),
    Row("CrossEntropyLoss-weight-smoothing", CLASSES + "; w: weight[c]",
        "mean[n](0.9 * weighted_cross_entropy(x, y, w) - 0.1 * mean[c](w * log(softmax[c](x)))) / mean[n](w[c = y])",
        lambda x, y, w: nn.CrossEntropyLoss(weight=w, label_smoothing=0.1)(x, y)),
    Row("CrossEntropyLoss-soft", "x: logit[n, c] over c; y: prob[n, c] over c", "mean[n](soft_cross_entropy(x, y))",
        nn.CrossEntropyLoss()),
    Row("CrossEntropyLoss-soft-smoothing", "x: logit[n, c] over c; y: prob[n, c] over c",
        "mean[n](soft_cross_entropy(x, smooth_labels(y, 0.2)))", nn.CrossEntropyLoss(label_smoothing=0.2)),
    Row("CrossEntropyLoss-image", "x: logit[n, h, w, c] over c; y: label[n, h, w] of c",
        "mean[n, h, w](cross_entropy(x, y))", lambda x, y: nn.CrossEntropyLoss()(x.permute(0, 3, 1, 2), y)),
    Row("NLLLoss", "x: logprob[n, c] over c; y: label[n] of c", "mean[n](negative_log_likelihood(x, y))", nn.NLLLoss(),
        only=("x",)),
    Row("NLLLoss-weight-ignored", "x: logprob[n, c] over c; y: label[n] of c ignoring -100; w: weight[c]",
        "mean[n by w[c = y] where valid(y)](negative_log_likelihood(x, y))",
        lambda x, y, w: nn.NLLLoss(weight=w)(x, y), given=some_ignored),
    Row("NLLLoss2d", "x: logprob[n, h, w, c] over c; y: label[n, h, w] of c",
        "mean[n, h, w](negative_log_likelihood(x, y))", lambda x, y: nn.NLLLoss()(x.permute(0, 3, 1, 2).contiguous(), y), only=("x",)),
    Row("KLDivLoss", "x: logprob[n, c] over c; y: prob[n, c] over c", "mean[n](kl_divergence(y, x))",
        nn.KLDivLoss(reduction="batchmean")),
    Row("KLDivLoss-mean", "x: logprob[n, c] over c; y: prob[n, c] over c", "mean[n](reverse_kl(x, y)) / size[c]",
        nn.KLDivLoss()),
    Row("KLDivLoss-log-target", "x: logprob[n, c] over c; y: logprob[n, c] over c", "kl_divergence(y, x)",
        lambda x, y: nn.KLDivLoss(reduction="none", log_target=True)(x, y).sum(-1), N),
    Row("HingeEmbeddingLoss", "x: real[n]; y: sign[n]", "mean[n](hinge_embedding(x, y, 0.8))",
        nn.HingeEmbeddingLoss(margin=0.8)),
    Row("SoftMarginLoss", "x: logit[n]; y: sign[n]", "mean[n](soft_margin(x, y))", nn.SoftMarginLoss()),
    Row("MultiLabelMarginLoss", "x: score[n, c]; y: binary[n, c]", "mean[n](multilabel_margin[c](x, y))",
        lambda x, y: nn.MultiLabelMarginLoss()(x, present(y))),
    Row("MultiLabelSoftMarginLoss", "x: logit[n, c]; y: binary[n, c]", "mean[n](multilabel_soft_margin[c](x, y))",
        nn.MultiLabelSoftMarginLoss()),
    Row("MultiLabelSoftMarginLoss-weight", "x: logit[n, c]; y: binary[n, c]; w: weight[c]",
        "mean[n, c](w * binary_cross_entropy(x, y))", lambda x, y, w: nn.MultiLabelSoftMarginLoss(weight=w)(x, y)),
    Row("MultiMarginLoss", CLASSES, "mean[n](multiclass_hinge(x, y))", nn.MultiMarginLoss()),
    Row("MultiMarginLoss-squared", CLASSES + "; w: weight[c]", "w[c = y] * multiclass_hinge(x, y, 0.6, 2)",
        lambda x, y, w: nn.MultiMarginLoss(p=2, margin=0.6, weight=w, reduction="none")(x, y), N),
    Row("MarginRankingLoss", "a: score[n]; b: score[n]; y: sign[n]", "mean[n](margin_ranking(a, b, y, 0.3))",
        nn.MarginRankingLoss(margin=0.3)),
    Row("CosineEmbeddingLoss", "u: embedding[n, d]; v: embedding[n, d]; y: sign[n]",
        "mean[n](cosine_embedding[d](u, v, y, 0.1))", nn.CosineEmbeddingLoss(margin=0.1)),
    Row("TripletMarginLoss", TRIPLET, "mean[n](triplet_margin[d](a, p, q))", nn.TripletMarginLoss(eps=0.0)),
    Row("TripletMarginLoss-swap", TRIPLET, "triplet_margin[d](a, p, q, 0.5, swap = 1)",
        nn.TripletMarginLoss(margin=0.5, swap=True, eps=0.0, reduction="none"), N),
    Row("TripletMarginWithDistanceLoss", TRIPLET,
        "mean[n](max(0, cosine_distance[d](a, p) - cosine_distance[d](a, q) + 0.5))",
        nn.TripletMarginWithDistanceLoss(distance_function=lambda u, v: 1 - nn.functional.cosine_similarity(u, v), margin=0.5)),
    Row("CTCLoss", "x: logit[n, t, c] over c; y: label[n, s] of c; length: count[n]; size: count[n]",
        "ctc[t, c, s](log_softmax[c](x), y, length, size)", ctc, N, given=spoken, lengths={"t": (5, 8)}),
    Row("CTCLoss-mean", "x: logit[n, t, c] over c; y: label[n, s] of c; length: count[n]; size: count[n]",
        "mean[n](ctc[t, c, s](log_softmax[c](x), y, length, size) / max(1, size))",
        lambda x, y, length, size: nn.CTCLoss()(x.log_softmax(-1).transpose(0, 1), y, length.long(), size.long()),
        given=spoken, lengths={"t": (5, 8)}),
    Row("LinearCrossEntropyLoss", "x: embedding[n, d]; w: parameter[c, d]; y: label[n] of c",
        "mean[n](cross_entropy(dot[d](x, w) as logit over c, y, 0.1))", linear),
    Row("AdaptiveLogSoftmaxWithLoss", "x: embedding[n, d]; w: parameter[three, d]; first: parameter[d2, d]; tail: parameter[three, d2]",
        "let head = dot[d](x, w), inner = dot[d2](dot[d](x, first), tail) in -log(softmax[three](head))[three = 2] - log(softmax[three](inner))[three = 2]",
        clustered, N, lengths={"three": (3, 3), "d2": (3, 3), "d": (3, 3)}),
]  # fmt: skip

test_torch_nn = beside(ROWS)


def test_every_loss_class_is_compared() -> None:
    classes = {name for name in dir(nn.modules.loss) if name.endswith("Loss") and not name.startswith("_")}
    assert classes <= {row.id.split("-")[0] for row in ROWS} | {"AdaptiveLogSoftmaxWithLoss"}

"""Keras' losses, metrics and regularizers, in float64 on its torch backend.

Keras puts a small number, `keras.config.epsilon()`, into logarithms and under fractions. It is set to almost nothing
here: what it is for, the compiler does otherwise. Nor does Keras keep 64 bits outside TensorFlow, for a table of its
own makes 32 of them; the table says otherwise here. The truth comes first in Keras' calls, the prediction here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from peers.harness import Row, beside

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
types = pytest.importorskip("keras.src.backend.common.dtypes")
if keras.config.backend() != "torch":
    pytest.skip("Keras runs on another backend", allow_module_level=True)

XY = "x: real[n, d]; y: real[n, d]"
AMOUNTS = "x: positive[n, d]; y: positive[n, d]"
SIGNS = "x: logit[n, d]; y: sign[n, d]"
EVENTS = "x: prob[n, d]; y: binary[n, d]"
LOGITS = "x: logit[n, d]; y: binary[n, d]"
CLASSES = "x: prob[n, c] over c; y: label[n] of c"
SCORES = "x: logit[n, c] over c; y: label[n] of c"
SOFT = "x: prob[n, c] over c; y: prob[n, c] over c"
REGION = "x: prob[n, h, w]; y: binary[n, h, w]"
N = ("n",)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(types.BIT64_TO_BIT32_DTYPE, "float64", "float64")
    floats, epsilon = keras.config.floatx(), keras.config.epsilon()
    keras.config.set_floatx("float64")
    keras.config.set_epsilon(1e-300)
    yield
    keras.config.set_floatx(floats)
    keras.config.set_epsilon(epsilon)


def loss(name: str, **options: Any) -> Callable[..., Any]:
    """Keras computes in its own tensors, which are torch's; on a GPU they would be elsewhere."""

    def reference(x: Any, y: Any, weight: Any = None) -> Any:
        with keras.device("cpu"):
            return getattr(keras.losses, name)(**options)(y, x, sample_weight=weight)

    return reference


def one_hot(name: str, **options: Any) -> Callable[..., Any]:
    return lambda x, y: loss(name, **options)(x, torch.nn.functional.one_hot(y, x.shape[-1]).double())


def metric(name: str, **options: Any) -> Callable[..., Any]:
    def reference(x: Any, y: Any) -> Any:
        with keras.device("cpu"):
            counted = getattr(keras.metrics, name)(dtype="float64", **options)
            counted.update_state(y, x)
            return torch.as_tensor(counted.result())

    return reference


def hot_metric(name: str, **options: Any) -> Callable[..., Any]:
    return lambda x, y: metric(name, **options)(x, torch.nn.functional.one_hot(y, x.shape[-1]).double())


def regularizer(name: str, **options: Any) -> Callable[..., Any]:
    return lambda x: getattr(keras.regularizers, name)(**options)(x)


def classmates(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    y = np.arange(sizes["n"]) // 2
    y[-1] = y[-2]
    z = rng.normal(size=(sizes["n"], sizes["d"]))
    return {"y": y % sizes["c"], "x": z / np.linalg.norm(z, axis=1, keepdims=True)}


CIRCLE = (
    "let s = dot[d](x, x[n -> other]), same = y == y[n -> other], p = s + 0 * s, "
    "pull = sum[other where same and other != n](exp(-16 * (1.4 - p) * (p - 0.6))), "
    "push = sum[other where not same](exp(16 * max(0, p + 0.4) * (p - 0.4))) in mean[n](log(1 + pull * push))"
)

ROWS = [
    Row("MeanSquaredError", XY, "mean[n, d](squared_error(x, y))", loss("MeanSquaredError")),
    Row("MeanSquaredError-weights", XY + "; v: weight[n]", "mean[n](v * mean[d](squared_error(x, y)))",
        loss("MeanSquaredError")),
    Row("MeanSquaredError-weighted-mean", XY + "; v: weight[n]", "mean[n by v](mean[d](squared_error(x, y)))",
        loss("MeanSquaredError", reduction="mean_with_sample_weight")),
    Row("MeanAbsoluteError", XY, "mean[n, d](absolute_error(x, y))", loss("MeanAbsoluteError")),
    Row("MeanAbsolutePercentageError", XY, "100 * mean[n, d](absolute_percentage_error(x, y))",
        loss("MeanAbsolutePercentageError")),
    Row("MeanSquaredLogarithmicError", AMOUNTS, "mean[d](squared_log_error(x, y))",
        loss("MeanSquaredLogarithmicError", reduction=None), N),
    Row("Huber", XY, "mean[n, d](huber(x, y, 0.7))", loss("Huber", delta=0.7)),
    Row("LogCosh", XY, "mean[n, d](log_cosh(x, y))", loss("LogCosh")),
    Row("Poisson", AMOUNTS, "mean[n, d](poisson_rate_nll(x, y))", loss("Poisson")),
    Row("CosineSimilarity", XY, "mean[n](cosine_distance[d](x, y) - 1)", loss("CosineSimilarity")),
    Row("KLDivergence", SOFT, "mean[n](kl_divergence(y, x))", loss("KLDivergence")),
    Row("Hinge", SIGNS, "mean[n, d](hinge(x, y))", loss("Hinge")),
    Row("Hinge-binary", LOGITS, "mean[n, d](if y == 1 then hinge(x, 1) else hinge(x, -1))", loss("Hinge")),
    Row("SquaredHinge", SIGNS, "mean[n, d](squared_hinge(x, y))", loss("SquaredHinge")),
    Row("CategoricalHinge", SCORES, "mean[n](crammer_singer(x, y))", one_hot("CategoricalHinge"), given=lambda rng, sizes: {
        "x": np.abs(rng.normal(size=(sizes["n"], sizes["c"])))}),
    Row("BinaryCrossentropy", EVENTS, "mean[n, d](binary_cross_entropy(x, y))", loss("BinaryCrossentropy")),
    Row("BinaryCrossentropy-logits", LOGITS, "mean[n, d](binary_cross_entropy(x, y))",
        loss("BinaryCrossentropy", from_logits=True)),
    Row("BinaryCrossentropy-smoothing", LOGITS, "mean[n, d](binary_cross_entropy(x, 0.8 * y + 0.1))",
        loss("BinaryCrossentropy", from_logits=True, label_smoothing=0.2)),
    Row("BinaryFocalCrossentropy", EVENTS, "mean[n, d](binary_focal(x, y))", loss("BinaryFocalCrossentropy")),
    Row("BinaryFocalCrossentropy-balanced", LOGITS, "mean[n, d](sigmoid_focal(x, y, 1.5, 0.3))",
        loss("BinaryFocalCrossentropy", apply_class_balancing=True, alpha=0.3, gamma=1.5, from_logits=True)),
    Row("CategoricalCrossentropy", "x: logit[n, c] over c; y: prob[n, c] over c", "mean[n](soft_cross_entropy(softmax[c](x), y))",
        lambda x, y: loss("CategoricalCrossentropy")(x.softmax(-1), y)),
    Row("CategoricalCrossentropy-smoothing", SCORES, "cross_entropy(x, y, 0.1)",
        one_hot("CategoricalCrossentropy", from_logits=True, label_smoothing=0.1, reduction="none"), N),
    Row("CategoricalFocalCrossentropy", SCORES, "mean[n](0.25 * focal(x, y))",
        one_hot("CategoricalFocalCrossentropy", from_logits=True)),
    Row("CategoricalFocalCrossentropy-classes", SCORES, "mean[n](0.5 * focal(x, y, 3))",
        one_hot("CategoricalFocalCrossentropy", from_logits=True, alpha=0.5, gamma=3)),
    Row("SparseCategoricalCrossentropy", SCORES, "mean[n](cross_entropy(x, y))",
        loss("SparseCategoricalCrossentropy", from_logits=True)),
    Row("SparseCategoricalCrossentropy-probabilities", SCORES, "sum[n](cross_entropy(softmax[c](x), y))",
        lambda x, y: loss("SparseCategoricalCrossentropy", reduction="sum")(x.softmax(-1), y)),
    Row("SparseCategoricalCrossentropy-ignored", "x: logit[n, c] over c; y: label[n] of c ignoring -1",
        "sum[n where valid(y)](cross_entropy(x, y))",
        loss("SparseCategoricalCrossentropy", from_logits=True, ignore_class=-1, reduction="sum"),
        given=lambda rng, sizes: {"y": rng.integers(-1, sizes["c"], sizes["n"])}),
    Row("CategoricalGeneralizedCrossEntropy", CLASSES, "mean[n](generalized_cross_entropy(x, y, 0.5))",
        loss("CategoricalGeneralizedCrossEntropy")),
    Row("Dice", REGION, "dice[n, h, w](x, y, 0)", loss("Dice")),
    Row("Dice-each", REGION, "dice[h, w](x, y, 0)", loss("Dice", axis=(1, 2), reduction=None), N),
    Row("Tversky", REGION, "tversky[n, h, w](x, y, 0.3, 0.7, 0)", loss("Tversky", alpha=0.7, beta=0.3)),
    Row("Circle", "x: embedding[n, d]; y: label[n] of c", CIRCLE, loss("Circle", gamma=16), given=classmates,
        lengths={"n": (4, 7), "c": (2, 3)}),
    Row("Circle-value", "x: embedding[n, d]; y: label[n] of c", "circle[n, d](x, y, 0.4, 16)",
        loss("Circle", gamma=16, reduction=None), N, given=classmates, lengths={"n": (4, 7), "c": (2, 3)}, smooth=False),
    Row("CTC", "x: logit[n, t, c] over c; y: label[n, s] of c",
        "mean[n](ctc[t, c, s](log_softmax[c](x), y, size[t], count[s](y != 0)))", loss("CTC"), lengths={"t": (5, 8), "c": (3, 6)},
        given=lambda rng, sizes: {"y": rng.integers(1, sizes["c"], (sizes["n"], sizes["s"])) * (
            np.arange(sizes["s"]) < rng.integers(1, sizes["s"] + 1, (sizes["n"], 1)))}),
    Row("L1", "x: parameter[n, d]", "0.3 * l1(x)", regularizer("L1", l1=0.3)),
    Row("L2", "x: parameter[n, d]", "0.3 * l2(x)", regularizer("L2", l2=0.3)),
    Row("L1L2", "x: parameter[n, d]", "elastic_net(x, 0.2, 0.3)", regularizer("L1L2", l1=0.2, l2=0.3)),
    Row("OrthogonalRegularizer", "x: parameter[n, d]",
        "0.01 * mean[n, m where n < m](abs(dot[d](normalize[d](x), normalize[d](x)[n -> m])))",
        regularizer("OrthogonalRegularizer"), given=lambda rng, sizes: {"x": rng.normal(size=(sizes["n"], sizes["d"]))}),
    # Metrics
    Row("Accuracy", CLASSES, "mean[n](accuracy(x, y))", metric("SparseCategoricalAccuracy"), smooth=False),
    Row("CategoricalAccuracy", CLASSES, "mean[n](accuracy(x, y))", hot_metric("CategoricalAccuracy"), smooth=False),
    Row("TopKCategoricalAccuracy", CLASSES, "mean[n](top_k_accuracy(x, y, 2))", hot_metric("TopKCategoricalAccuracy", k=2),
        smooth=False, lengths={"c": (3, 6)}),
    Row("SparseTopKCategoricalAccuracy", CLASSES, "mean[n](top_k_accuracy(x, y, 3))",
        metric("SparseTopKCategoricalAccuracy", k=3), smooth=False, lengths={"c": (4, 6)}),
    Row("BinaryAccuracy", EVENTS, "mean[n, d](binary_accuracy(x, y))", metric("BinaryAccuracy"), smooth=False),
    Row("BinaryAccuracy-threshold", EVENTS, "mean[n, d](binary_accuracy(x, y, 0.3))",
        metric("BinaryAccuracy", threshold=0.3), smooth=False),
    Row("Precision", EVENTS, "binary_precision[n, d](x, y)", metric("Precision"), smooth=False),
    Row("Precision-threshold", EVENTS, "binary_precision[n, d](x, y, 0.3)", metric("Precision", thresholds=0.3), smooth=False),
    Row("Recall", EVENTS, "binary_recall[n, d](x, y)", metric("Recall"), smooth=False),
    Row("F1Score", EVENTS, "mean[d](f_score[n](x, y))", metric("F1Score", average="macro", threshold=0.5), smooth=False),
    Row("F1Score-micro", EVENTS, "f_score[n, d](x, y)", metric("F1Score", average="micro", threshold=0.5), smooth=False),
    Row("FBetaScore", EVENTS, "mean[d](f_score[n](x, y, 2, 0.4))",
        metric("FBetaScore", beta=2.0, average="macro", threshold=0.4), smooth=False),
    Row("MeanIoU", CLASSES, "mean_iou[c, n](x, y)", lambda x, y: metric("MeanIoU", num_classes=x.shape[-1])(x.argmax(-1), y),
        smooth=False, tolerance=1e-6),
    Row("OneHotMeanIoU", CLASSES, "mean_iou[c, n](x, y)",
        lambda x, y: hot_metric("OneHotMeanIoU", num_classes=x.shape[-1])(x, y), smooth=False, tolerance=1e-6),
    Row("AUC", "x: score[m]; y: binary[m]", "auc[m](x, y)", lambda x, y: metric("AUC", num_thresholds=20001)(x.sigmoid(), y),
        smooth=False, lengths={"m": (4, 6)}, given=lambda rng, sizes: {
            "y": rng.permutation(np.arange(sizes["m"]) % 2), "x": rng.permutation(np.linspace(-2, 2, sizes["m"]))}, tolerance=1e-6),
    Row("R2Score", XY, "mean[d](r_squared[n](x, y))", metric("R2Score"), smooth=False, tolerance=1e-6),
    Row("RootMeanSquaredError", XY, "root_mean_squared_error[n](x[d = 0], y[d = 0])",
        lambda x, y: metric("RootMeanSquaredError")(x[:, 0], y[:, 0]), smooth=False),
    Row("PearsonCorrelation", XY, "mean[n](1 - pearson_distance[d](x, y))", metric("PearsonCorrelation"), smooth=False),
    Row("ConcordanceCorrelation", XY, "mean[n](1 - concordance[d](x, y))", metric("ConcordanceCorrelation"), smooth=False),
    Row("CosineSimilarity-metric", XY, "mean[n](1 - cosine_distance[d](x, y))", metric("CosineSimilarity"), smooth=False),
]  # fmt: skip

test_keras = beside(ROWS)


def test_every_loss_class_is_compared() -> None:
    classes = {name for name in dir(keras.losses) if name[0].isupper()} - {"Loss"}
    assert classes <= {row.id.split("-")[0] for row in ROWS}

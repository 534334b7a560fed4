"""The losses of pytorch-metric-learning, run on the same embeddings, labels and proxies.

They normalize embeddings, measure every pair of the batch and leave averaging to a reducer: the plain mean here,
unless a row says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from peers.harness import Row, beside

torch = pytest.importorskip("torch")
peer = pytest.importorskip("pytorch_metric_learning")
losses = pytest.importorskip("pytorch_metric_learning.losses")
distances = pytest.importorskip("pytorch_metric_learning.distances")
reducers = pytest.importorskip("pytorch_metric_learning.reducers")

Z = "z: embedding[n, d]; y: label[n] of c"
PAIR = "u: embedding[n, d]; v: embedding[n, d]"
PROXIES = "z: embedding[n, d]; w: parameter[c, d]; y: label[n] of c"
CENTERS = "z: embedding[n, d]; w: parameter[c, k, d]; y: label[n] of c"
SAME = "y == y[n -> other] and other != n"
OTHER = "y != y[n -> other]"
COSINES = "cosine[d](z, w)"
GAPS = "let e = normalize[d](z), gap = distance[d](e, e[n -> other]) in "


def classmates(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    """Every class with a classmate, and more than one class."""
    y = np.arange(sizes["n"]) // 2
    y[-1] = y[-2]
    return {"y": rng.permutation(y % sizes["c"])}


def in_threes(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    return {"y": np.arange(sizes["n"]) // 3}


def labelled(name: str, *, mean: bool = True, **more: Any) -> Callable[..., Any]:
    if mean:
        more["reducer"] = reducers.MeanReducer()

    def reference(z: Any, y: Any) -> Any:
        return getattr(losses, name)(**more)(z, y)

    return reference


def paired(name: str, **more: Any) -> Callable[..., Any]:
    """A loss of two views: row i of one belongs to row i of the other alone. Labels that are one object are taken for one batch."""

    def reference(u: Any, v: Any) -> Any:
        y = torch.arange(len(u))
        return getattr(losses, name)(**more)(u, y, ref_emb=v, ref_labels=y.clone())

    return reference


def views(name: str, **more: Any) -> Callable[..., Any]:
    def reference(u: Any, v: Any) -> Any:
        return losses.SelfSupervisedLoss(getattr(losses, name)(**more))(u, v)

    return reference


def with_weights(
    name: str, parameter: str, *, across: bool = False, mean: bool = True, **more: Any
) -> Callable[..., Any]:
    """A loss with proxies of its own, put in the place of those that it made."""
    if mean:
        more["reducer"] = reducers.MeanReducer()

    def reference(z: Any, w: Any, y: Any) -> Any:
        more.setdefault("num_classes", len(w))
        flat = w.reshape(-1, w.shape[-1])
        layer = getattr(losses, name)(**{**more, "embedding_size": w.shape[-1], "num_classes": len(w)})
        layer.cast_types = lambda *_: None
        weights = {parameter: flat.T if across else flat}
        return torch.func.functional_call(layer.double(), weights, (z, y))

    return reference


TWO = {"n": (4, 7), "c": (2, 3)}

ROWS = [
    Row("NTXentLoss", PAIR, "mean[n](nt_xent[n, d](u, v, 0.3))", views("NTXentLoss", temperature=0.3)),
    Row("NTXentLoss-labels", Z,
        f"let s = exp(cosine[d](z, z[n -> other]) / 0.4), far = sum[other where {OTHER}](s) in mean[n, other where {SAME}](-log(s / (s + far)))",
        labelled("NTXentLoss", temperature=0.4), given=classmates, lengths=TWO),
    Row("NTXentLoss-queries", PAIR, "mean[n](info_nce[n, d](u, v, 0.2))", paired("NTXentLoss", temperature=0.2)),
    Row("SupConLoss", Z, f"mean[n where any[other]({SAME})](supervised_contrastive[n, d](z, y, 0.2))",
        labelled("SupConLoss", mean=False, temperature=0.2), given=classmates, lengths=TWO),
    Row("SupConLoss-mean", Z, "mean[n](supervised_contrastive[n, d](z, y))", labelled("SupConLoss"), given=classmates,
        lengths=TWO),
    Row("MultiSimilarityLoss", Z, "mean[n](multi_similarity[n, d](z, y))", labelled("MultiSimilarityLoss"),
        given=classmates, lengths=TWO),
    Row("MultiSimilarityLoss-parameters", Z, "mean[n](multi_similarity[n, d](z, y, 1.5, 20, 0.3))",
        labelled("MultiSimilarityLoss", alpha=1.5, beta=20, base=0.3)),
    Row("CircleLoss", Z, "mean[n](circle[n, d](z, y, 0.4, 80))", labelled("CircleLoss"), given=classmates, lengths=TWO),
    Row("CircleLoss-parameters", Z, "mean[n](circle[n, d](z, y, 0.25, 12))", labelled("CircleLoss", m=0.25, gamma=12),
        given=classmates, lengths=TWO),
    Row("NPairsLoss", PAIR, "mean[n](n_pair[n, d](u, v))",
        lambda u, v: losses.NPairsLoss(distance=distances.DotProductSimilarity(normalize_embeddings=False))(
            torch.stack([u, v], 1).flatten(0, 1), torch.arange(len(u)).repeat_interleave(2))),
    Row("NCALoss", Z, "mean[n](neighbourhood_components[n, d](normalize[d](z), y))", labelled("NCALoss"),
        given=classmates, lengths=TWO),
    Row("NCALoss-scale", Z, "mean[n](neighbourhood_components[n, d](normalize[d](z), y, 3))",
        labelled("NCALoss", softmax_scale=3), given=classmates, lengths=TWO),
    Row("GeneralizedLiftedStructureLoss", Z, "mean[n](lifted_structure[n, d](normalize[d](z), y))",
        labelled("GeneralizedLiftedStructureLoss"), given=classmates, lengths=TWO),
    Row("ContrastiveLoss", Z,
        GAPS + f"mean[n, other where {SAME}](contrastive_pair[d](e, e[n -> other], 1)^0.5) + mean[n, other where {OTHER}](max(0, 1 - gap))",
        labelled("ContrastiveLoss"), given=classmates, lengths=TWO),
    Row("ContrastiveLoss-squared", Z,
        f"let e = normalize[d](z) in mean[n, other where {SAME}](contrastive_pair[d](e, e[n -> other], 1)) + mean[n, other where {OTHER}](max(0, 1 - distance[d](e, e[n -> other])^2))",
        labelled("ContrastiveLoss", distance=distances.LpDistance(power=2)), given=classmates, lengths=TWO),
    Row("TripletMarginLoss", Z,
        "let e = normalize[d](z) in mean[n, p, q where y == y[n -> p] and p != n and y != y[n -> q]](triplet_margin[d](e, e[n -> p], e[n -> q], 0.2))",
        labelled("TripletMarginLoss", margin=0.2), given=classmates, lengths=TWO),
    Row("TripletMarginLoss-swap", Z,
        "let e = normalize[d](z) in mean[n, p, q where y == y[n -> p] and p != n and y != y[n -> q]](triplet_margin[d](e, e[n -> p], e[n -> q], 0.2, 1))",
        labelled("TripletMarginLoss", margin=0.2, swap=True), given=classmates, lengths=TWO),
    Row("TripletMarginLoss-squared", Z,
        "let e = normalize[d](z) in mean[n, p, q where y == y[n -> p] and p != n and y != y[n -> q]](triplet[d](e, e[n -> p], e[n -> q], 0.3))",
        labelled("TripletMarginLoss", margin=0.3, distance=distances.LpDistance(power=2)), given=classmates, lengths=TWO),
    Row("TripletMarginLoss-smooth", Z,
        "let e = normalize[d](z), gap = distance[d](e, e[n -> other]) in mean[n, p, q where y == y[n -> p] and p != n and y != y[n -> q]](softplus(gap[other -> p] - gap[other -> q] + 0.05))",
        labelled("TripletMarginLoss", smooth_loss=True), given=classmates, lengths=TWO),
    Row("MarginLoss", Z,
        "let e = normalize[d](z), near = margin_based[d](e, e[n -> p], 1, 0.2, 1.25), far = margin_based[d](e, e[n -> q], 0, 0.2, 1.25) in mean[n, p, q where y == y[n -> p] and p != n and y != y[n -> q]](near + far)",
        labelled("MarginLoss", beta=1.25), given=classmates, lengths=TWO),
    Row("ArcFaceLoss", PROXIES, f"mean[n](arcface[c]({COSINES}, y, 0.3, 16))",
        with_weights("ArcFaceLoss", "W", across=True, margin=math.degrees(0.3), scale=16),
        given=lambda rng, sizes: {"w": (w := rng.normal(size=(sizes["c"], sizes["d"]))), "y": (y := rng.integers(0, sizes["c"], sizes["n"])), "z": w[y] + rng.normal(size=(sizes["n"], sizes["d"])) / 4}),
    Row("CosFaceLoss", PROXIES, f"mean[n](cosface[c]({COSINES}, y))", with_weights("CosFaceLoss", "W", across=True)),
    Row("NormalizedSoftmaxLoss", PROXIES, "mean[n](normalized_softmax[c, d](z, w, y))",
        with_weights("NormalizedSoftmaxLoss", "W", across=True)),
    Row("SubCenterArcFaceLoss", CENTERS, f"mean[n](sub_center_arcface[c, k]({COSINES}, y, 0.2, 8))",
        lambda z, w, y: with_weights("SubCenterArcFaceLoss", "W", across=True, margin=math.degrees(0.2), scale=8, sub_centers=w.shape[1])(z, w, y),
        given=lambda rng, sizes: {"w": (w := rng.normal(size=(sizes["c"], sizes["k"], sizes["d"]))), "y": (y := rng.integers(0, sizes["c"], sizes["n"])), "z": w[y, 0] + rng.normal(size=(sizes["n"], sizes["d"])) / 4}),
    Row("SoftTripleLoss", CENTERS, f"mean[n](soft_triple[c, k]({COSINES}, y))",
        lambda z, w, y: with_weights("SoftTripleLoss", "fc", across=True, centers_per_class=w.shape[1])(z, w, y)),
    Row("ProxyNCALoss", PROXIES,
        "mean[n](-log(softmax[c](-distance[d](normalize[d](z), normalize[d](w))^2))[c = y])",
        with_weights("ProxyNCALoss", "proxies")),
    Row("ProxyAnchorLoss", PROXIES, "proxy_anchor[n, c, d](z, w, y)", with_weights("ProxyAnchorLoss", "proxies", mean=False)),
    Row("ProxyAnchorLoss-parameters", PROXIES, "proxy_anchor[n, c, d](z, w, y, 0.2, 10)",
        with_weights("ProxyAnchorLoss", "proxies", mean=False, margin=0.2, alpha=10)),
    Row("VICRegLoss", PAIR, "vicreg[n, d](u, v, 25 / size[d], 12.5, 1)",
        lambda u, v: losses.VICRegLoss(eps=0.0)(u, ref_emb=v)),
    Row("SmoothAPLoss", Z, "mean[n](smooth_ap[other](cosine[d](z, z[n -> other]), if y == y[n -> other] then 1 else 0, 0.1))",
        labelled("SmoothAPLoss", temperature=0.1), given=in_threes, lengths={"n": (9, 9), "c": (3, 3)}, tolerance=1e-6),
    Row("AngularLoss", PAIR, "mean[n](angular_n_pair[n, d](normalize[d](u), normalize[d](v), 40 * pi / 180))",
        lambda u, v: paired("AngularLoss")(torch.nn.functional.normalize(u), torch.nn.functional.normalize(v))),
    Row("TupletMarginLoss", Z,
        f"let s = cosine[d](z, z[n -> other]) in mean[n, other where {SAME}](tuplet_margin[k where y != y[n -> k]](s, s[other -> k], 0.2, 8))",
        labelled("TupletMarginLoss", margin=math.degrees(0.2), scale=8), given=classmates, lengths=TWO),
    Row("LiftedStructureLoss", Z, "lifted_pairs[n, d](normalize[d](z), y)", labelled("LiftedStructureLoss"),
        given=classmates, lengths=TWO),
    Row("IntraPairVarianceLoss", Z, "intra_pair_variance[n, d](z, y)", labelled("IntraPairVarianceLoss"),
        given=classmates, lengths=TWO),
]  # fmt: skip

test_metric_learning = beside(ROWS)

"""The self-supervised losses of Lightly: means over the batch of the library's rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from peers.harness import Row, beside

torch = pytest.importorskip("torch")
peer = pytest.importorskip("lightly.loss")
hypersphere = pytest.importorskip("lightly.loss.hypersphere_loss")

PAIR = "u: embedding[n, d]; v: embedding[n, d]"


def large(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    """So large that what batch normalization adds to the variances, 1e-5, does not count."""
    return {name: 1000 * rng.normal(size=(sizes["n"], sizes["d"])) for name in "uv"}


def loss(name: str, **options: Any) -> Callable[..., Any]:
    return lambda *views: getattr(peer, name)(**options)(*views)


ROWS = [
    Row("NTXentLoss", PAIR, "mean[n](nt_xent[n, d](u, v, 0.3))", loss("NTXentLoss", temperature=0.3)),
    Row("DCLLoss", PAIR, "mean[n](decoupled_contrastive[n, d](u, v))", loss("DCLLoss")),
    Row("NegativeCosineSimilarity", PAIR, "mean[n](simsiam[d](u, v))",
        lambda u, v: peer.NegativeCosineSimilarity()(u, v.detach())),
    Row("VICRegLoss", PAIR, "vicreg[n, d](u, v, 25 / size[d], 12.5, 1, 1e-4)", loss("VICRegLoss")),
    Row("BarlowTwinsLoss", PAIR, "barlow_twins[n, d](u, v)", loss("BarlowTwinsLoss"), given=large, tolerance=1e-7),
    Row("HypersphereLoss", PAIR, "direct_au[n, d](u, v)", lambda u, v: hypersphere.HypersphereLoss(t=2.0)(u, v)),
    Row("KoLeoLoss", "u: embedding[n, d]", "mean[n](koleo[n, d](u))", loss("KoLeoLoss"), tolerance=1e-6),
    Row("TiCoLoss", PAIR,
        "let a = normalize[d](u), b = normalize[d](v), spread = stop(mean[n](a * a[d -> e])) in mean[n](1 - dot[d](a, b) + 8 * 0.1 * sum[d, e](a * spread * a[d -> e]))",
        loss("TiCoLoss")),
]  # fmt: skip

test_lightly = beside(ROWS)

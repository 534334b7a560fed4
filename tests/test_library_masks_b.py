"""Leaving rows or list items out by a mask is the same as not having them, whatever stands in their places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import losslang

LISTS = """
loss probe
input s : score[l, i]
input r : count[l, i]
input m : mask[l, i]
let value = {}
report rows = value
term out = sum[l](value)
minimize out
"""
ROWS = """
loss probe
input u : embedding[n, d]
input v : embedding[n, d]
input y : label[n] of c
input m : mask[n]
let value = {}
report rows = value
term out = {}
minimize out
"""
OF_LISTS = [
    "list_mle[i{}](s, r)", "ranknet[i{}](s, r)", "pairwise_hinge[i{}](s, r)", "lambda_rank[i{}](s, r)",
    "list_net[i{}](s, r)", "softmax_ranking[i{}](s, r)", "approx_ndcg[i{}](s, r)", "ndcg[i{}](s, r, 3)",
    "recall[i{}](s, r, 2)", "precision[i{}](s, r, 3)", "hit_rate[i{}](s, r, 2)", "auc[i{}](s, r)",
    "average_precision[i{}](s, r)", "mean_reciprocal_rank[i{}](s, r)",
]  # fmt: skip
OF_ROWS = [
    "info_nce[n, d{}](u, v)", "clip[n, d{}](u, v, 5)", "nt_xent[n, d{}](u, v)", "supervised_contrastive[n, d{}](u, y)",
    "sigmoid_contrastive[n, d{}](u, v)", "decoupled_contrastive[n, d{}](u, v)", "n_pair[n, d{}](u, v)",
    "multi_similarity[n, d{}](u, y)", "circle[n, d{}](u, y)", "batch_hard_triplet[n, d{}](u, y)",
]  # fmt: skip
OF_PIXELS = ["lovasz_hinge[n{}](z, y)", "dice[n{}](z, y)", "jaccard[n{}](z, y)", "focal_tversky[n{}](z, y)"]
OF_BATCHES = [
    "barlow_twins[n, d{}](u, v)",
    "vicreg[n, d{}](u, v)",
    "uniformity[n, d{}](u)",
    "direct_au[n, d{}](u, v)",
]


def evaluate(spec: str, wrt: str, **arrays: np.ndarray) -> tuple[Any, np.ndarray]:
    out, gradients = losslang.compile(spec).value_and_grad(wrt=(wrt,))(**arrays)
    return out.reports["rows"], gradients[wrt]


@pytest.mark.parametrize("call", OF_LISTS)
def test_a_padded_list_is_the_list_without_its_pads(call: str) -> None:
    rng = np.random.default_rng(3)
    s, r = rng.normal(size=(2, 6)), rng.integers(0, 4, (2, 6))
    m = np.array([[1, 1, 0, 1, 1, 0], [1, 0, 1, 1, 1, 1]], bool)
    padded = LISTS.format(call.format(" where m"))
    found, gradient = evaluate(padded, "s", s=np.where(m, s, np.nan), r=r, m=m)
    assert not gradient[~m].any()
    for at in range(2):
        kept = {"s": s[at : at + 1, m[at]], "r": r[at : at + 1, m[at]], "m": m[at : at + 1, m[at]]}
        wanted, wanted_gradient = evaluate(LISTS.format(call.format("")), "s", **kept)
        np.testing.assert_allclose(found[at], wanted[0], rtol=1e-10)
        np.testing.assert_allclose(gradient[at, m[at]], wanted_gradient[0], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("call", [*OF_ROWS, *OF_BATCHES])
def test_a_padded_batch_is_the_batch_without_its_pads(call: str) -> None:
    rng = np.random.default_rng(4)
    u, v, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)), np.array([0, 0, 0, 1, 1, 1])
    m = np.array([1, 1, 0, 1, 0, 1], bool)
    total = "value" if call in OF_BATCHES else "sum[n](value)"
    garbage = np.where(m[:, None], u, np.nan)
    found, gradient = evaluate(ROWS.format(call.format(" where m"), total), "u", u=garbage, v=v, y=y, m=m)
    wanted, wanted_gradient = evaluate(
        ROWS.format(call.format(""), total), "u", u=u[m], v=v[m], y=y[m], m=m[m]
    )
    if call in OF_ROWS:
        assert not found[~m].any()
        found = found[m]
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
    assert not gradient[~m].any()
    np.testing.assert_allclose(gradient[m], wanted_gradient, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("call", OF_PIXELS)
def test_pixels_left_out_are_no_pixels(call: str) -> None:
    spec = """
    loss probe
    input z : logit[n]
    input y : binary[n]
    input m : mask[n]
    let value = {}
    report rows = value
    term out = value
    minimize out
    """
    rng = np.random.default_rng(5)
    z, y = rng.normal(size=9), rng.integers(0, 2, 9)
    m = rng.random(9) > 0.4
    garbage = np.where(m, z, np.nan)
    found, gradient = evaluate(spec.format(call.format(" where m")), "z", z=garbage, y=y, m=m)
    wanted, wanted_gradient = evaluate(spec.format(call.format("")), "z", z=z[m], y=y[m], m=m[m])
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
    assert not gradient[~m].any()
    np.testing.assert_allclose(gradient[m], wanted_gradient, rtol=1e-8, atol=1e-12)

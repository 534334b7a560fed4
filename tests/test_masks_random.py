"""What a mask, a branch or a guard excludes touches neither value nor gradient: random expressions, and places found so."""

from __future__ import annotations

import math
import re
from typing import Any

import masked_expressions as masked
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placing import on_host

import losslang


def differentiable(text: str) -> tuple[str, ...]:
    return tuple(name for name in masked.DIFFERENTIABLE if re.search(rf"\b{name}\b", text))


def converted(arrays: dict[str, Any], backend: str) -> dict[str, Any]:
    if backend == "numpy":
        return arrays
    make = (
        pytest.importorskip("torch").tensor
        if backend == "torch"
        else pytest.importorskip("jax.numpy").asarray
    )
    return {name: make(array) for name, array in arrays.items()}


def judge(seed: int, depth: int, backend: str = "numpy") -> None:
    """The compiled loss against the evaluator that reads only what it must, then with garbage where it read nothing."""
    total = masked.expression(seed, depth)
    if len(total.text) > 900 or not differentiable(total.text):
        return
    try:
        spec = losslang.load(masked.spec(total))
    except losslang.SpecError:
        return  # a mask without the axis, an outer product: not every expression has a meaning
    wrt = differentiable(total.text)
    fn = losslang.compile(spec, backend=backend).value_and_grad(wrt=wrt)
    arrays = masked.sample(seed)
    exact = backend != "jax"  # which computes in float32 unless told otherwise
    world = masked.World(arrays, float(masked.TINY["float64" if exact else "float32"]))
    with np.errstate(all="ignore"):
        expected = total.at(world, {})
    if not math.isfinite(expected):
        return
    out, gradients = fn(**converted(arrays, backend))
    rtol, atol = (1e-7, 1e-9) if exact else (1e-3, 1e-4)
    np.testing.assert_allclose(float(out.total), expected, rtol=rtol, atol=atol, err_msg=total.text)
    for turn in range(3):
        garbage, spoiled = fn(**converted(masked.spoiled(arrays, world.read, turn), backend))
        np.testing.assert_allclose(float(garbage.total), float(out.total), rtol=1e-12, err_msg=total.text)
        for name in wrt:
            found, wanted = on_host(spoiled[name]), on_host(gradients[name])
            assert np.isfinite(found).all(), (name, total.text)
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12, err_msg=total.text)
            unread = [place for place in np.ndindex(found.shape) if (name, place) not in world.read]
            assert not any(found[place] for place in unread), (name, total.text)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.integers(0, 1_000_000))
def test_rewriting_changes_no_more_than_rounding(seed: int) -> None:
    """Value and gradients beside those of the formula as written, where both are fine; twice the same source."""
    total = masked.expression(seed, 3)
    wrt = differentiable(total.text)
    if len(total.text) > 900 or not wrt:
        return
    try:
        spec = losslang.load(masked.spec(total))
    except losslang.SpecError:
        return
    fn, plain = losslang.compile(spec), losslang.compile(spec, rewrite=False)
    assert losslang.compile(masked.spec(total)).source == fn.source
    out, gradients = fn.value_and_grad(wrt=wrt)(**masked.sample(seed))
    wanted, wanted_gradients = plain.value_and_grad(wrt=wrt)(**masked.sample(seed))
    if not np.isfinite(wanted.total):
        return
    np.testing.assert_allclose(out.total, wanted.total, rtol=1e-8, atol=1e-10, err_msg=total.text)
    for name in wrt:
        known = np.isfinite(wanted_gradients[name])  # as written it may be 0/0 where the rewritten one is not
        scale = np.abs(wanted_gradients[name][known]).max(initial=1e-3)
        np.testing.assert_allclose(
            gradients[name][known],
            wanted_gradients[name][known],
            rtol=1e-6,
            atol=1e-9 * scale,
            err_msg=total.text,
        )


@pytest.mark.parametrize(("backend", "seeds"), [("torch", range(500, 512)), ("jax", range(600, 602))])
def test_on_the_frameworks_too(backend: str, seeds: range) -> None:
    pytest.importorskip(backend)
    for seed in seeds:
        judge(seed, 3, backend)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.integers(0, 1_000_000))
def test_what_is_not_read_does_not_matter(seed: int) -> None:
    judge(seed, 3)


@settings(max_examples=25, derandomize=True, deadline=None, database=None)
@given(st.integers(0, 1_000_000))
def test_however_deep_it_lies(seed: int) -> None:
    judge(seed, 4)


SPEC = """
loss probe
input x : real[n, c]
input p : prob[n, c]
input w : weight[n, c]
input m : mask[n, c]
input k : mask[n, c]
input y : label[n] of c
term total = {}
minimize total
"""


def gradients_of(formula: str, rewrite: bool = True, **arrays: Any) -> tuple[float, dict[str, Any]]:
    wrt = tuple(name for name in ("x", "p", "w") if re.search(rf"\b{name}\b", formula))
    fn = losslang.compile(SPEC.format(formula), rewrite=rewrite).value_and_grad(wrt=wrt)
    out, gradients = fn(**arrays)
    return float(out.total), gradients


def arrays() -> dict[str, Any]:
    rng = np.random.default_rng(7)
    m = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1]], bool)
    k = np.array([[0, 1, 1, 1], [1, 1, 0, 1], [0, 0, 1, 1]], bool)
    return {
        "x": rng.normal(size=(3, 4)), "p": rng.uniform(0.1, 0.9, (3, 4)), "w": rng.uniform(0.5, 2, (3, 4)),
        "m": m, "k": k, "y": np.array([1, 3, 2]),
    }  # fmt: skip


ROW_WITHOUT_PLACES = [
    "mean[n](log(sum[c where c > y](softmax[c](x)) + 1e-7))",
    "mean[n](log(1 - sum[c where c > y](softmax[c](x)) + 1e-7))",
    "mean[n](log(0.3 + sum[c where m](softmax[c](x))))",
    "mean[n](log(0.3 + sum[c where k](softmax[c where m](x))))",
    "mean[n](tanh(log(0.5 + mean[c where m](softmax[c](x)))))",
    "sum[n, c](log(1 - softmax[c where m](x) / 2))",
    "sum[n](softplus(std[c where m](exp(x))))",
]


@pytest.mark.parametrize("formula", ROW_WITHOUT_PLACES)
def test_a_sum_over_nothing_looks_at_nothing(formula: str) -> None:
    given_arrays = arrays()
    value, gradients = gradients_of(formula, **given_arrays)
    plain, plain_gradients = gradients_of(formula, rewrite=False, **given_arrays)
    assert value == pytest.approx(plain, rel=1e-10)
    np.testing.assert_allclose(gradients["x"], plain_gradients["x"], rtol=1e-8, atol=1e-12)
    for garbage in (np.nan, np.inf, -np.inf, 1e38):
        spoiled = {**given_arrays, "x": given_arrays["x"].copy()}
        spoiled["x"][1] = garbage
        found, found_gradients = gradients_of(formula, **spoiled)
        assert found == value
        np.testing.assert_array_equal(found_gradients["x"], gradients["x"])


WEIGHTS_OF_ZERO = [
    "sum[n](log(sum[c where k](w * exp(x)) + 0.1))",
    "sum[n](log(sum[c where k](w * exp(x))))",
    "sum[n](sum[c where k](w * exp(x))^1.5)",
    "sum[n, c]((w * exp(x))^1.5)",
    "sum[n](log(sum[c](w^2 * exp(x))))",
    "sum[n](log(prod[c where k](w * exp(x)) + 1))",
    "sum[n](-log(1 - prod[c](1 - p) / 2))",
    "sum[n](log(prod[c](1 - p) + 0.1))",
    "sum[n, c](log((if k then w * exp(x) else 1) + 1))",
    "sum[n]((w * exp(x))[c = y] / sum[c](w * exp(x)))",
    "sum[n](softmax[c](x + log(w))[c = y])",
    "sum[n](sum[c](p * tanh(softmax[c](x + log(w)))))",
    "sum[n](log((w * exp(x))[c = y] + 0.1))",
    "sum[n, c](w * exp(x) / (w * exp(x) + exp(-x)))",
    "sum[n](log(sum[c](abs(p - 1) * exp(x))))",
    "sum[n](sqrt(sum[c]((p - 1)^2 * exp(x))))",
    "sum[n](log(1 + sum[c](sqrt(w) * exp(x))))",
]


@pytest.mark.parametrize("formula", WEIGHTS_OF_ZERO)
def test_a_factor_of_zero_has_its_derivative(formula: str) -> None:
    """As the formula's own, which is finite where its logarithm is not."""
    given_arrays = arrays()
    for name, number in (("w", 0.0), ("p", 1.0)):
        given_arrays[name][0, 0] = given_arrays[name][0, 2] = given_arrays[name][2, 2] = number
    value, gradients = gradients_of(formula, **given_arrays)
    plain, plain_gradients = gradients_of(formula, rewrite=False, **given_arrays)
    assert value == pytest.approx(plain, rel=1e-10)
    for name, wanted in plain_gradients.items():
        known = np.isfinite(wanted)  # where the formula as written is 0/0 itself, a number is still asked for
        assert np.isfinite(gradients[name]).all(), name
        np.testing.assert_allclose(gradients[name][known], wanted[known], rtol=1e-8, atol=1e-12)


def test_dropped_places_come_after_whatever_is_kept() -> None:
    spec = """
    loss probe
    input s : score[i]
    input m : mask[i]
    report ranks = rank[i where m](s)
    report sorted = sort[i where m](s)
    report order = argsort[i where m](s)
    term total = sum[i where m](s)
    minimize total
    """
    s, m = np.array([0.0, -np.inf, 3.0, np.inf, 1.0]), np.array([0, 1, 0, 1, 1], bool)
    reports = losslang.compile(spec)(s=s, m=m).reports
    assert list(reports["ranks"]) == [4, 3, 5, 1, 2]
    assert list(reports["order"]) == [1, 4, 3, 0, 2]
    assert list(reports["sorted"][:3]) == [-np.inf, 1.0, np.inf]
    reports = losslang.compile(spec)(s=np.where(s == np.inf, np.nan, s), m=m).reports
    assert list(reports["ranks"][[0, 2]]) == [4, 5]


def test_places_of_several_axes_are_ordered_together() -> None:
    spec = """
    loss probe
    input s : score[i, j]
    input m : mask[i, j]
    report ranks = rank[i, j where m](s)
    report middle = median[i, j where m](s)
    term total = sum[i, j where m](s)
    minimize total
    """
    s, m = np.array([[3.0, 9.0], [-np.inf, 1.0], [7.0, 5.0]]), np.array([[1, 0], [1, 1], [1, 1]], bool)
    reports = losslang.compile(spec)(s=s, m=m).reports
    assert reports["ranks"].tolist() == [[3, 6], [5, 4], [1, 2]]
    assert reports["middle"] == 3.0


def test_a_later_place_does_not_reach_an_earlier_one() -> None:
    formula = "sum[n](cumlogsumexp[c where m](x)[c = y])"
    given_arrays = arrays()
    given_arrays["m"][:] = True
    value, gradients = gradients_of(formula, **given_arrays)
    later = np.arange(4) > given_arrays["y"][:, None]
    given_arrays["x"][later] = np.nan
    found, found_gradients = gradients_of(formula, **given_arrays)
    assert found == value
    np.testing.assert_array_equal(found_gradients["x"], gradients["x"])


def test_a_dropped_part_of_a_softmax_is_zero_whatever_is_kept() -> None:
    formula = "sum[n, c where not m](softmax[n where m](x) + exp(x))"
    given_arrays = arrays()
    value, gradients = gradients_of(formula, **given_arrays)
    given_arrays["x"][given_arrays["m"]] = np.nan
    found, found_gradients = gradients_of(formula, **given_arrays)
    assert found == value
    np.testing.assert_array_equal(found_gradients["x"], gradients["x"])

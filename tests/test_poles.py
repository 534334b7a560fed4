"""Gradients where the total is infinite: never NaN of finite inputs, and no price where nothing can be infinite."""

from __future__ import annotations

import re

import numpy as np
import pytest
from test_widening import NATIVE, framework

import losslang

POLES = {
    # what is infinite: inf - inf in the derivative of the exponential's softmax, 0 / 0 of a vanishing width
    "exponential of a cross-entropy": (
        "input z : logit[row, c] over c\n  input y : label[row] of c",
        "mean[row](exp(cross_entropy(z, y)))",
        {"z": [[-5000.0, 0.0, 3.0]], "y": [0]},
    ),
    "a quotient whose divisor vanishes": (
        "input a : real[row]\n  input b : real[row]",
        "mean[row](abs(a - b) / abs(b))",
        {"a": [1.0, 2.0], "b": [0.0, 1.0]},
    ),
    "an empty interval": (
        "input a : real[row]\n  input b : real[row]\n  input s : positive[row]",
        "mean[row](kl(uniform(a, b), normal(0, s)))",
        {"a": [1.0, 2.0], "b": [1.0, 3.0], "s": [1.0, 2.0]},
    ),
}


def spec(name: str) -> str:
    declared, formula, _ = POLES[name]
    return f"loss pole\n  {declared}\n  term out = {formula}\n  minimize out\n"


def asks_for_nan(source: str) -> bool:
    """Whether an array is compared with itself."""
    return re.search(r"\((\w+) != \1\)", source) is not None


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("name", POLES)
def test_no_gradient_of_an_infinite_total_is_nan(name: str, backend: str) -> None:
    given = {k: np.asarray(v, np.int64 if k == "y" else np.float32) for k, v in POLES[name][2].items()}
    out, gradients = losslang.compile(spec(name), backend).value_and_grad()(**framework(backend, given))
    found = [np.asarray(g) for g in gradients.values()]
    assert np.isposinf(float(out.total))
    assert not any(np.isnan(g).any() for g in found)
    assert any(np.isinf(g).any() for g in found)


def test_a_nan_among_the_inputs_stays_one() -> None:
    gradient = losslang.compile(spec("a quotient whose divisor vanishes")).value_and_grad()
    a, b = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, np.nan])
    assert np.isnan(gradient(a=a, b=b)[1]["b"][2])


@pytest.mark.parametrize("name", POLES)
def test_what_has_a_pole_is_guarded(name: str) -> None:
    assert asks_for_nan(losslang.compile(spec(name)).source)


@pytest.mark.parametrize("name", [n for n in NATIVE if n != "variational"])  # that is an exponential
def test_what_has_none_pays_nothing(name: str) -> None:
    declared, formula = NATIVE[name]
    inputs = "".join(f"  input {each.strip()}\n" for each in declared.split(";"))
    text = f"loss safe\n{inputs}  term out = {formula}\n  minimize out\n"
    assert not asks_for_nan(losslang.compile(text).source)

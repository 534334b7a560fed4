"""What an exponential that may be infinite multiplies is added up before it is multiplied."""

from __future__ import annotations

import numpy as np
import pytest

import losslang

GUMBEL = """
loss apart
  input m : real[row]
  input b : positive[row]
  input location : real[row]
  input scale : positive[row]
  term out = mean[row](kl(gumbel(m, b), gumbel(location, scale)))
  minimize out
"""
POINT = """
loss point
  input x : real[row]
  input y : positive[row]
  term out = sum[row](y * exp(x) - x * exp(x) / y)
  minimize out
"""


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_infinite_terms_of_both_signs_are_not_nan(backend: str) -> None:
    fn = losslang.compile(GUMBEL, backend=backend).value_and_grad()
    given = {"m": [40.0], "b": [1e30], "location": [1e-4], "scale": [1.0]}
    arrays = {name: np.array(value, np.float32) for name, value in given.items()}
    if backend == "torch":
        torch = pytest.importorskip("torch")
        arrays = {name: torch.tensor(value) for name, value in arrays.items()}
    out, grads = fn(**arrays)
    assert float(out.total) == np.inf
    assert float(grads["b"][0]) == np.inf and float(grads["scale"][0]) == -np.inf


def test_the_gradient_is_the_same_where_nothing_overflows() -> None:
    out, grads = losslang.compile(POINT, backend="numpy").value_and_grad()(
        x=np.array([1.5]), y=np.array([2.0])
    )
    e = np.exp(1.5)
    np.testing.assert_allclose(out.total, 2 * e - 0.75 * e, rtol=1e-14)
    np.testing.assert_allclose(grads["x"], [2 * e - 0.75 * e - e / 2], rtol=1e-14)
    np.testing.assert_allclose(grads["y"], [e + 1.5 * e / 4], rtol=1e-14)

"""float16 and bfloat16 inputs, autocast, scaled losses and sums over millions: as good as float32 and the input allow."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
import test_library_parity_a as library_a
import test_library_parity_b as library_b
from placing import DEVICE, on_host

import losslang

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")

TYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
COMBINATIONS = [(b, t) for b in ("numpy", "torch", "jax") for t in TYPES]
#: Every entry of the library meets one of the combinations; JAX, which compiles slowly, fewer.
SHARES = {"numpy": (7, 0), "torch": (7, 2), "jax": (40, 4)}
#: A gradient that needs more range than float16 has.
BEYOND = {("gumbel", "float16")}


CASES = [case for case in (*library_a.CASES, *library_b.CASES) if case.differentiated]


def framework(backend: str, array: np.ndarray) -> Any:
    if backend == "jax":
        return jax.numpy.asarray(array)
    if backend == "numpy":
        return array
    wide = torch.tensor(array.astype(np.float64) if array.dtype.name == "bfloat16" else array)
    return wide.to(torch.bfloat16) if array.dtype.name == "bfloat16" else wide


def numbers(array: Any) -> np.ndarray:
    return on_host(array.double() if isinstance(array, torch.Tensor) else array).astype(np.float64)


@pytest.mark.parametrize(("backend", "dtype"), COMBINATIONS)
def test_the_library(backend: str, dtype: str) -> None:
    step, first = SHARES[backend]
    chosen = CASES[first + list(TYPES).index(dtype) :: step]
    low = TYPES[dtype]
    wrong = []
    for case in chosen:
        name, spec, wrt = case.id, case.spec, case.differentiated
        if (name, dtype) in BEYOND:
            continue
        given = {
            each: array.astype(low if each in wrt else np.float32) if array.dtype.kind == "f" else array
            for each, array in case.arrays.items()
        }
        exact = {each: a if a.dtype.kind in "iub" else a.astype(np.float64) for each, a in given.items()}
        want, slopes = losslang.compile(spec).value_and_grad(wrt=wrt)(**exact)
        fn = losslang.compile(spec, backend=backend).value_and_grad(wrt=wrt)
        out, found = fn(**{each: framework(backend, array) for each, array in given.items()})
        if not np.isclose(float(out.total), want.total, rtol=3e-5, atol=3e-8):
            wrong.append(f"{name}: {float(out.total)} for {want.total}")
        for each in wrt:
            if str(found[each].dtype).removeprefix("torch.") != dtype:
                wrong.append(f"{name}: the gradient of {each} is of type {found[each].dtype}")
            eps, least = float(ml_dtypes.finfo(low).eps), float(ml_dtypes.finfo(low).smallest_subnormal)
            size = float(np.abs(slopes[each]).max())
            if not np.allclose(numbers(found[each]), slopes[each], rtol=eps, atol=1e-5 * size + least):
                wrong.append(f"{name}: the gradient of {each} is {found[each]} for {slopes[each]}")
    assert len(chosen) > 2 and wrong == []


SIMPLE = """
loss simple
  input z : logit[i, c] over c
  input y : label[i] of c
  input w : parameter[c]
  term nll = mean[i](-log(softmax[c](z))[c = y])
  term reg = l2(w)
  minimize nll + 0.1 * reg
"""


def test_autocast_and_mixed_types() -> None:
    """What autocast hands over is of low precision; what the loss makes of it is not."""
    torch.manual_seed(1)
    layer, x = torch.nn.Linear(16, 5), torch.randn(32, 16)
    y, w = torch.randint(0, 5, (32,)), torch.full((5,), 0.3, requires_grad=True)
    fn = losslang.compile(SIMPLE, backend="torch")
    with torch.autocast(torch.device(DEVICE).type, dtype=torch.bfloat16):
        z = layer(x)
        z.retain_grad()
        out = fn(z=z, y=y, w=w)
        (slope,) = torch.autograd.grad(out.total, w, create_graph=True)
        (curvature,) = torch.autograd.grad(slope.sum(), w, retain_graph=True)
    out.total.backward()
    exact, slopes = losslang.compile(SIMPLE).value_and_grad(wrt=("z", "w"))(
        z=numbers(z), y=on_host(y), w=numbers(w)
    )
    assert z.dtype == torch.bfloat16 and out.total.dtype == torch.float32 == slope.dtype == curvature.dtype
    assert float(out.total.detach()) == pytest.approx(exact.total, rel=1e-6)
    assert np.allclose(numbers(slope), slopes["w"], rtol=1e-6) and np.allclose(
        numbers(curvature), 0.2, rtol=1e-6
    )
    assert z.grad.dtype == torch.bfloat16
    assert np.allclose(numbers(z.grad), slopes["z"], rtol=2.0**-8, atol=1e-7)


def test_scaled_losses() -> None:
    """A large factor on the loss, as scalers of gradients put there, acts before a gradient becomes float16."""
    rng = np.random.default_rng(4)
    x = rng.uniform(1e-4, 1e-2, 1000).astype(np.float16)
    want = 65536 * 2 * x.astype(np.float64) / 1000
    spec = "loss scaled\n  input x : real[i]\n  minimize mean[i](x^2)\n"
    leaf = torch.tensor(x, requires_grad=True)
    (losslang.compile(spec, backend="torch")(x=leaf).total * 65536.0).backward()
    fn = losslang.compile(spec, backend="jax")
    traced = jax.grad(lambda v: fn(x=v).total * 65536.0)(jax.numpy.asarray(x))
    for found in (leaf.grad, traced):
        assert str(found.dtype).endswith("float16")
        assert np.allclose(numbers(found), want, rtol=2.0**-10)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_sums_over_millions_do_not_drift(backend: str) -> None:
    n = 2_000_000
    rng = np.random.default_rng(5)
    x, w = rng.uniform(0.1, 1.0, n).astype(np.float32), rng.uniform(1.0, 2.0, n).astype(np.float32)
    group = rng.integers(0, 3, n)
    spec = """
loss long
  input x : real[i]
  input w : weight[i]
  input group : label[i] of k
  input v : parameter[k]
  term picked = mean[i](v[k = group] * x)
  report plain = sum[i](x)
  report product = sum[i](x * w)
  report length = norm[i](x)
  report totals = log(sum[i](exp(x)))
  report running = max[i](cumsum[i](x))
  minimize picked
"""
    fn = losslang.compile(spec, backend=backend).value_and_grad(wrt=("v",))
    arrays = {"x": x, "w": w, "group": group, "v": np.ones(3, np.float32)}
    out, found = fn(**{name: framework(backend, array) for name, array in arrays.items()})
    wide = x.astype(np.float64)
    want = {
        "plain": wide.sum(), "product": (wide * w).sum(), "length": np.sqrt((wide**2).sum()),
        "totals": np.log(np.exp(wide).sum()), "running": wide.sum(),
    }  # fmt: skip
    for name, value in want.items():
        assert float(out.reports[name]) == pytest.approx(value, rel=6e-7), name
    assert np.allclose(numbers(found["v"]), np.bincount(group, weights=x) / n, rtol=6e-7)

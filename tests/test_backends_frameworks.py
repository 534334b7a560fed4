"""Emitted code inside the frameworks: compilation, vectorization, and differentiation by the framework."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from losslang import backends
from losslang.differentiate import gradient
from losslang.ir import AxisSize, Graph
from losslang.program import Function, Parameter, Result

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")

RNG = np.random.default_rng(5)
Z, Y, M = RNG.normal(size=(4, 5)), np.array([0, 3, 1, 2]), np.array([True, True, False, True])
Q = RNG.normal(size=(4, 3))


def functions() -> list[Function]:
    """A masked cross-entropy with picks, sorts, scans and a contrastive term; its value and its gradient."""
    g = Graph()
    g.axis_sizes.update({"o": AxisSize("same", ("n",)), "c2": AxisSize("same", ("c",))})
    z, y = g.input("z", ("n", "c"), "real"), g.input("y", ("n",), "int")
    m, q = g.input("m", ("n",), "bool"), g.input("q", ("n", "d"), "real")
    entropy = g.select(m, -g.gather(g.along("log_softmax", z, "c"), y, "c"), 0.0)
    similarity = g.contract(q, g.rename(q, "n", "o"), "d")
    others = g.select(g.apply("ne", g.index("o"), g.index("n")), similarity, -float("inf"))
    contrast = g.reduce("logsumexp", others, "o")
    ordered = g.gather(g.rename(z, "c", "c2"), g.along("argsort", z, "c"), "c2")
    scanned = g.along("cumlogsumexp", ordered, "c")
    moved = g.make("scatter_add", (contrast, y), ("c", ()))
    norm = g.apply("sqrt", g.reduce("sum", z * z, "c"))
    parts = (entropy, contrast * norm, g.reduce("sum", g.apply("softplus", scanned) * moved, "c"))
    total = g.reduce("sum", g.apply("add", *parts), "n")
    parameters = tuple(Parameter(p.attr[0], p, p.attr[1]) for p in (z, y, m, q))
    slopes = gradient(total, [z, q])
    return [
        Function("value", parameters, (Result(total, ()),)),
        Function(
            "slopes", parameters, tuple(Result(s, p.attr[1]) for s, p in zip(slopes, (z, q), strict=True))
        ),
    ]


def loaded(name: str) -> dict[str, Any]:
    return backends.load(backends.emit(functions(), name), name)


def tensors() -> list[Any]:
    return [torch.tensor(v) for v in (Z, Y, M, Q)]


def test_torch_differentiates_value_and_gradient() -> None:
    """The framework's derivative of the value is our gradient; that of our gradient passes its check."""
    code = loaded("torch")
    z, y, m, q = tensors()
    z.requires_grad_()
    q.requires_grad_()
    (value,) = code["value"](z, y, m, q, torch.float64)
    want = torch.autograd.grad(value, (z, q))
    got = code["slopes"](z, y, m, q, torch.float64)
    assert all(torch.allclose(a, b, rtol=1e-12) for a, b in zip(got, want, strict=True))
    assert torch.autograd.gradcheck(lambda z, q: code["slopes"](z, y, m, q, torch.float64), (z, q))


def test_torch_compiles_whole_functions() -> None:
    code = loaded("torch")
    want = code["slopes"](*tensors(), torch.float64)
    compiled = torch.compile(code["slopes"], fullgraph=True, backend="aot_eager", dynamic=True)
    got = compiled(*tensors(), torch.float64)
    assert all(torch.allclose(a, b) for a, b in zip(got, want, strict=True))
    shorter = [t[:3] for t in tensors()]
    got = compiled(*shorter, torch.float64)
    assert all(
        torch.allclose(a, b) for a, b in zip(got, code["slopes"](*shorter, torch.float64), strict=True)
    )


def test_torch_maps_over_a_batch() -> None:
    code = loaded("torch")
    z, y, m, q = tensors()
    batch = torch.stack([z, z * 0.5, -z])
    mapped = torch.func.vmap(lambda z: code["slopes"](z, y, m, q, torch.float64))(batch)
    for i, one in enumerate(batch):
        alone = code["slopes"](one, y, m, q, torch.float64)
        assert all(torch.allclose(a[i], b) for a, b in zip(mapped, alone, strict=True))


def test_jax_transforms() -> None:
    import jax.numpy as jnp

    with jax.enable_x64(True):
        code = loaded("jax")
        z, y, m, q = (jnp.asarray(v) for v in (Z, Y, M, Q))

        def value(z: Any, q: Any) -> Any:
            return code["value"](z, y, m, q, jnp.float64)[0]

        def slopes(z: Any, q: Any) -> Any:
            return code["slopes"](z, y, m, q, jnp.float64)

        want = jax.grad(value, (0, 1))(z, q)
        got = jax.jit(slopes)(z, q)
        assert all(np.allclose(a, b, rtol=1e-12) for a, b in zip(got, want, strict=True))
        batch = jnp.stack([z, z * 0.5])
        mapped = jax.jit(jax.vmap(slopes, (0, None)))(batch, q)
        assert np.allclose(mapped[0][1], slopes(z * 0.5, q)[0])
        direction = jnp.ones_like(z)
        _, curvature = jax.jvp(lambda z: slopes(z, q)[0], (z,), (direction,))
        ends = [slopes(z + step * direction, q)[0] for step in (1e-6, -1e-6)]
        assert np.allclose(curvature, (ends[0] - ends[1]) / 2e-6, rtol=1e-5, atol=1e-7)


def test_single_precision_stays_single() -> None:
    single = [t.float() if t.is_floating_point() else t for t in tensors()]
    assert all(r.dtype == torch.float32 for r in loaded("torch")["slopes"](*single, torch.float32))
    arrays = [v.astype(np.float32) if v.dtype.kind == "f" else v for v in (Z, Y, M, Q)]
    assert all(r.dtype == np.float32 for r in loaded("numpy")["slopes"](*arrays, np.float32))


def test_numpy_sums_in_double_precision() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    function = Function("f", (Parameter("x", x, ("i",)),), (Result(g.reduce("sum", x, "i"), ()),))
    call = backends.load(backends.emit([function], "numpy"), "numpy")["f"]
    values = np.full(3_000_000, 0.1, np.float32)
    assert call(values, np.float32)[0] == np.float32(values.astype(np.float64).sum())

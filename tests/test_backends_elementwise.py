"""Every elementwise op on every backend, against mpmath: values and derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from backend_runs import BACKENDS, run
from mpmath import mp
from truth_tables import BINARY, UNARY

from losslang import backends
from losslang.differentiate import gradient
from losslang.ir import Graph
from losslang.ops import OPS
from losslang.program import Function, Parameter, Result

FLAT = {"sign", "stop"}
KINKS = {"abs": (0.0,), "sqrt": (0.0,), "acosh": (1.0,)}
#: Inputs past the tables: extremes at which a careless form overflows, cancels or gives NaN.
FURTHER: dict[str, tuple[float, ...]] = {
    "exp": (-80.0, 80.0),
    "sigmoid": (-80.0, 30.0, -17.5),
    "softplus": (-80.0, 19.0, 21.0, 25.0, 1e4, -17.5),
    "log1p": (1e-20, 1e10),
    "tanh": (1e-12, 20.0),
    "erf": (1e-12, 5.0),
    "erfcx": (-4.5, 1e4, 1e10),
    "log_normal_cdf": (-1e4, 6.0, 3.5),
    "inverse_mills": (-1e4, 6.0),
    "lgamma": (1e-10, 1e-3, 3.5, 50.0, 1e6),
    "digamma": (1e-3, 30.0, 1e6),
    "log_bessel_i0": (1e-3, 1e-6, 3.99, 4.01, 50.0, 1e4),
    "bessel_ratio": (1e-3, 30.0, 1e4),
    "log1mexp": (-1e-20, -50.0, -0.69, -0.7),
}
#: Errors, in units of spacing at the result, that a framework's own function has beyond ours.
LOOSE = {
    ("jax", "lgamma"): 40.0, ("jax", "digamma"): 40.0, ("torch", "digamma"): 40.0, ("torch", "lgamma"): 20.0,
    ("jax", "atanh"): 4.0, ("jax", "log_normal_cdf"): 2.0,
}  # fmt: skip


def points(op: str) -> list[float]:
    return [*UNARY[op][1], *FURTHER.get(op, ())]


def error_over_allowed(got: float, want: float, real: str, slack: float = 1.0, floor: float = 0.0) -> float:
    """The error as a multiple of a few units in the last place; what is too small for the type may be 0."""
    eps, tiny = float(np.finfo(real).eps), float(np.finfo(real).tiny)
    with np.errstate(over="ignore"):
        wanted = float(np.dtype(real).type(want))
    return 0.0 if got == wanted else abs(got - wanted) / (12.0 * slack * eps * (abs(wanted) + floor) + tiny)


def close(got: Any, want: list[float], real: str, slack: float = 1.0) -> None:
    excess = [error_over_allowed(float(g), w, real, slack) for g, w in zip(got, want, strict=True)]
    assert max(excess) <= 1, (got, want, excess)


def conditioned(f: Any, xs: list[float], real: str) -> float:
    """How much one rounding of the argument moves the result, in roundings of the result; at least 1."""
    worst = 1.0
    for x in xs:
        value, moved = f(mp.mpf(x)), f(mp.mpf(x) * (1 + mp.mpf(10) ** -15))
        if value and mp.isfinite(value):
            worst = max(worst, float(abs((moved - value) / value) * mp.mpf(10) ** 15))
    return worst


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("real", ["float64", "float32"])
def test_unary_values(backend: str, real: str) -> None:
    g = Graph()
    names = list(UNARY)
    leaves = [g.input(f"x{i}", (f"a{i}",), "real") for i in range(len(names))]
    nodes = [g.apply(op, leaf) for op, leaf in zip(names, leaves, strict=True)]
    typed = {op: [float(np.dtype(real).type(p)) for p in points(op)] for op in names}
    typed["log_saturated"] = [p for p in typed["log_saturated"] if p > 1e-38]
    inputs = {f"x{i}": typed[op] for i, op in enumerate(names)}
    results = run(backend, nodes, inputs, real)
    wrong: list[str] = []
    for op, value in zip(names, results, strict=True):
        with mp.workdps(60):
            want = [UNARY[op][0](mp.mpf(p)) for p in typed[op]]
        for x, got, wanted in zip(typed[op], value, want, strict=True):
            with mp.workdps(60):
                slack = LOOSE.get((backend, op), 1.0) * conditioned(UNARY[op][0], [x], real)
            floor = 1.0 if op in ("lgamma", "digamma") else 0.0
            excess = error_over_allowed(float(got), float(wanted), real, slack, floor)
            if not excess <= 1:
                wrong.append(f"{op}({x}) = {got}, not {float(wanted)}: {excess:.1f} times what is allowed")
    assert wrong == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_binary_values(backend: str) -> None:
    g = Graph()
    for op, (function, pairs) in BINARY.items():
        a, b = g.input("a", ("i",), "real"), g.input("b", ("i",), "real")
        inputs = {"a": [p[0] for p in pairs], "b": [p[1] for p in pairs]}
        for real in ("float64", "float32"):
            (value,) = run(backend, [g.apply(op, a, b)], inputs, real)
            typed = [tuple(float(np.dtype(real).type(v)) for v in pair) for pair in pairs]
            close(value, [float(function(mp.mpf(x), mp.mpf(y))) for x, y in typed], real)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_polygamma(backend: str, order: int) -> None:
    g = Graph()
    xs = [0.01, 0.3, 1.0, 2.5, 11.0, 1e4]
    node = g.apply("polygamma", g.input("x", ("i",), "real"), attr=order)
    for real in ("float64", "float32"):
        typed = [float(np.dtype(real).type(x)) for x in xs]
        (value,) = run(backend, [node], {"x": typed}, real)
        close(value, [float(mp.polygamma(order, mp.mpf(x))) for x in typed], real, 8.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_unary_derivatives(backend: str) -> None:
    """Of every function at once, against mpmath's differences."""
    g = Graph()
    names = [op for op in UNARY if op not in FLAT]
    leaves = {op: g.input(f"x_{op}", (f"a_{op}",), "real") for op in names}
    nodes = [gradient(g.apply(op, leaf), [leaf])[0] for op, leaf in leaves.items()]
    at = {op: [p for p in UNARY[op][1] if p not in KINKS.get(op, ())] for op in names}
    at["log_saturated"] = [p for p in at["log_saturated"] if p > 1e-30]
    # Beyond these points the terms of the derivative cancel, in float32 noticeably.
    at["erfcx"] = [p for p in at["erfcx"] if p < 3]
    at["bessel_ratio"] = [p for p in at["bessel_ratio"] if abs(p) < 2]
    at["inverse_mills"] = [p for p in at["inverse_mills"] if p > -3]
    for real, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        results = run(backend, nodes, {f"x_{op}": at[op] for op in names}, real)
        for op, value in zip(names, results, strict=True):
            with mp.workdps(60):
                typed = [mp.mpf(float(np.dtype(real).type(p))) for p in at[op]]
                want = [float(slope(UNARY[op][0], x)) for x in typed]
            assert np.allclose(value, want, rtol=tolerance, atol=1e-36), (op, value, want)


def slope(function: Any, x: Any) -> Any:
    step = mp.mpf(10) ** -25 * max(abs(x), mp.mpf(10) ** -25)
    with mp.workdps(120):
        return (function(x + step) - function(x - step)) / (2 * step)


@pytest.mark.parametrize("backend", BACKENDS)
def test_binary_derivatives(backend: str) -> None:
    g = Graph()
    a, b = g.input("a", ("i",), "real"), g.input("b", ("i",), "real")
    cases = {
        "div": [(1.0, 3.0), (-2.5, 0.7)],
        "pow": [(2.0, 0.5), (3.0, -2.0), (0.25, 1.3)],
        "mod": [(5.5, 2.0), (-5.5, 2.0), (5.5, -2.25)],
        "minimum": [(1.0, 2.0), (2.0, -1.0)],
        "maximum": [(1.0, 2.0), (2.0, -1.0)],
        "logaddexp": [(1.0, 2.0), (-3.0, 7.5), (0.0, 0.0), (100.0, -100.0)],
        "hypot": [(3.0, 4.0), (1e-3, 7.0)],
        "silence": [(3.0, 4.0), (-0.5, 7.0)],
    }
    for op, pairs in cases.items():
        function = BINARY[op][0]
        inputs = {"a": [p[0] for p in pairs], "b": [p[1] for p in pairs]}
        to_a, to_b = run(backend, gradient(g.apply(op, a, b), [a, b]), inputs)
        with mp.workdps(60):
            for i, (x, y) in enumerate(pairs):
                want_a = slope(lambda v, f=function, y=y: f(v, mp.mpf(y)), mp.mpf(x))
                want_b = slope(lambda v, f=function, x=x: f(mp.mpf(x), v), mp.mpf(y))
                assert math.isclose(to_a[i], float(want_a), rel_tol=1e-12, abs_tol=1e-40), (op, x, y)
                assert math.isclose(to_b[i], float(want_b), rel_tol=1e-12, abs_tol=1e-40), (op, x, y)


@pytest.mark.parametrize("backend", BACKENDS)
def test_integers_and_booleans(backend: str) -> None:
    g = Graph()
    i, j, m, x = (
        g.input(n, ("a",), e) for n, e in (("i", "int"), ("j", "int"), ("m", "bool"), ("x", "real"))
    )
    nodes = {
        "sum": i + j, "product": i * j, "quotient": i / j, "mod": g.apply("mod", i, j), "negated": -i,
        "mixed": i + x, "masked": g.real(m) * x, "not": g.apply("not", m), "and": g.apply("and", m, g.apply("lt", i, j)),
        "or": g.apply("or", m, g.apply("le", 0, i)), "floor": g.apply("floor", x), "count": g.make("to_int", (m,)),
        "less": g.apply("lt", i, x), "same": g.apply("eq", i, 2), "differs": g.apply("ne", i, j),
        "branches": g.select(m, i, x), "clip": g.apply("clip", i, 0, 1), "least": g.apply("minimum", i, 2),
        "size": g.apply("abs", i), "power": i ** 2.0, "sign": g.apply("sign", i),
    }  # fmt: skip
    inputs = {"i": [-3, 2, 5], "j": [2, 4, -3], "m": [True, False, True], "x": [0.5, -1.5, 2.0]}
    got = dict(zip(nodes, run(backend, list(nodes.values()), inputs), strict=True))
    want = {
        "sum": [-1, 6, 2], "product": [-6, 8, -15], "quotient": [-1.5, 0.5, -5 / 3], "mod": [1, 2, -1],
        "negated": [3, -2, -5], "mixed": [-2.5, 0.5, 7.0], "masked": [0.5, 0.0, 2.0], "not": [0, 1, 0],
        "and": [1, 0, 0], "or": [1, 1, 1], "floor": [0, -2, 2], "count": [1, 0, 1], "less": [1, 0, 0],
        "same": [0, 1, 0], "differs": [1, 1, 1], "branches": [-3, -1.5, 5], "clip": [0, 1, 1], "least": [-3, 2, 2],
        "size": [3, 2, 5], "power": [9, 4, 25], "sign": [-1, 1, 1],
    }  # fmt: skip
    for name, wanted in want.items():
        assert np.allclose(got[name], wanted), name


@pytest.mark.parametrize("backend", BACKENDS)
def test_constants_and_sizes_as_results(backend: str) -> None:
    """What is a plain Python number in the code still comes back as an array of the right type."""
    g = Graph()
    x = g.input("x", ("a",), "real")
    n = g.size("a")
    nodes = [
        g.const(2.5), g.const(3), g.const(True), n, g.real(n) / 2.0, 1.0 / (n + -3), g.apply("log", n), n + 1,
        g.broadcast(g.const(0.1), ("a",)), g.apply("maximum", n, 1), g.apply("lt", n, 5), g.limit("tiny"),
        g.select(g.apply("lt", n, 5), 0.1, 0.2), g.apply("not", g.apply("lt", n, 5)), g.const(-1.5) * x,
        g.select(g.apply("lt", x, 0.0), 1.0, 0.0), g.select(g.apply("lt", x, 0.0), 0.1, 0.2),
    ]  # fmt: skip
    for real in ("float64", "float32"):
        got = run(backend, nodes, {"x": [1.0, -2.0, 4.0]}, real)
        want = [2.5, 3, True, 3, 1.5, np.inf, math.log(3), 4, [0.1] * 3, 3, True, np.finfo(real).tiny, 0.1, False,
                [-1.5, 3.0, -6.0], [0, 1, 0], [0.2, 0.1, 0.2]]  # fmt: skip
        for value, wanted in zip(got, want, strict=True):
            typed = np.asarray(wanted, dtype=value.dtype)
            assert np.allclose(value, typed, rtol=4 * np.finfo(real).eps, atol=0), (value, wanted)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_op_has_a_row(backend: str) -> None:
    missing = [op for op in OPS if not backends.backend(backend).supports(op)]
    assert missing == ["extern"], "calls of the host are cut out before emission"


@pytest.mark.parametrize("backend", BACKENDS)
def test_constant_powers(backend: str) -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    exponents = [0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -0.5, 4.0, 2.5]
    values = run(backend, [g.apply("pow", x, e) for e in exponents], {"x": [0.5, 3.0]})
    for exponent, value in zip(exponents, values, strict=True):
        assert np.allclose(value, [0.5**exponent, 3.0**exponent], rtol=1e-15), exponent


@pytest.mark.parametrize("backend", BACKENDS)
def test_saturation_and_silence(backend: str) -> None:
    g = Graph()
    p, q = g.input("p", ("i",), "real"), g.input("q", ("i",), "real")
    logarithm = g.apply("log_saturated", p)
    product = g.apply("silence", q, g.apply("log", p))
    slope_p, slope_q = gradient(product, [p, q])
    inputs = {"p": [0.0, 1.0, 0.0], "q": [0.0, 0.5, 1.0]}
    for real in ("float64", "float32"):
        tiny = np.finfo(real).tiny
        values = run(
            backend, [logarithm, gradient(logarithm, [p])[0], product, slope_p, slope_q], inputs, real
        )
        assert np.allclose(values[0], [math.log(tiny), 0.0, math.log(tiny)], rtol=1e-6)
        assert np.allclose(values[1], [1 / tiny, 1.0, 1 / tiny], rtol=1e-6)
        assert values[2].tolist() == [0.0, 0.0, -math.inf]
        assert values[3].tolist() == [0.0, 0.5, math.inf]
        assert values[4].tolist() == [0.0, 0.0, -math.inf]


def test_helpers_are_pasted_with_what_they_use() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    function = Function("f", (Parameter("x", x, ("i",)),), (Result(g.apply("log_normal_cdf", x), ("i",)),))
    for backend in BACKENDS:
        source = backends.emit([function], backend)
        assert "losslang.backends" not in source
        assert source == backends.emit([function], backend)
    assert "_ERFCX" in backends.emit([function], "jax")
    assert "_lgamma" not in backends.emit([function], "numpy")

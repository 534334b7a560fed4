"""Elementwise ops over all of their ranges, against mpmath: within a few units in the last place wherever the true
result is a normal number, beyond what the rounding of the argument costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from backend_runs import BACKENDS, run
from mpmath import mp
from truth_tables import UNARY

from losslang.differentiate import gradient
from losslang.ir import Graph

UNITS = 4.0
#: log |Γ| has roots between its poles, where it is a difference of two numbers of ordinary size.
ROOTS = {"lgamma": 1.0}


def both_signs(points: list[float]) -> list[float]:
    return [*points, *(-p for p in points)]


def grid(op: str, real: str) -> list[float]:
    """Ordinary and extreme arguments that the op is defined for."""
    limits = np.finfo(real)
    tiny, top, digits = 2.0 * float(limits.tiny), 0.9 * float(limits.max), float(np.log(limits.max))
    random = np.random.default_rng(5)
    middle = [*random.uniform(-12, 12, 16), *random.uniform(-1.5, 1.5, 12)]
    small = both_signs([tiny, 1e3 * tiny, 1e-19, 1e-9, 1e-5, 1e-3])
    wide = [float(p) for p in np.geomspace(1.0, top, 12)]
    near_one = [float(1 + s * 2.0**-k) for k in (6, 12, 21) for s in (1, -1)]
    exponents = [float(p) for p in random.uniform(-digits + 2, digits - 1, 16)]
    positive = [abs(p) for p in small] + [abs(p) for p in middle] + near_one
    unit = [p for p in [*small, *middle, *near_one] if abs(p) < 1]
    tail = [float(p) for p in random.uniform(0, 0.98 * np.sqrt(digits), 12)]
    return {
        "exp": [*middle, *exponents, *small], "expm1": [*middle, *exponents, *small],
        "sinh": [*middle, *exponents, *small], "cosh": [*middle, *exponents, *small],
        "log": [*positive, *wide], "log_saturated": [*positive, *wide], "sqrt": [*positive, *wide],
        "log1p": [p for p in [*middle, *small, *wide, *unit] if p > -1],
        "sigmoid": [*middle, *exponents, *small], "softplus": [*middle, *exponents, *small, *wide],
        "tanh": [*middle, *exponents, *small], "log1mexp": [-abs(p) for p in [*middle, *exponents, *small]],
        "sin": [*middle, *small], "cos": [*middle, *small], "tan": [*middle, *small],
        "asin": unit, "acos": unit, "atanh": unit, "atan": [*middle, *small, *both_signs(wide)],
        "asinh": [*middle, *small, *both_signs(wide)], "acosh": [p for p in [*near_one, *wide] if p > 1],
        "erf": [*middle, *small, *tail], "erfc": [*middle, *small, *tail], "erfcx": [*middle, *small, *wide[:4]],
        "normal_cdf": [*middle, *small, *(-1.4 * t for t in tail)],
        "log_normal_cdf": [*middle, *small, *(-10 * t for t in tail)],
        "inverse_mills": [*middle, *small, *(-10 * t for t in tail)],
        "lgamma": [*positive, *middle, *(p for p in wide if p < 1e-3 * top)],
        "digamma": [*positive, *middle, 1.461632, 1.462, 1.4617, *wide],
        "log_bessel_i0": [*middle, *both_signs([1e-3, 19.9, 20.1, 300.0, 0.99 * top])],
        "bessel_ratio": [*middle, *both_signs([1e-3, 19.9, 20.1, 300.0])],
    }[op]  # fmt: skip


def _large_bessel(x: Any) -> Any:
    return abs(x) - mp.log(2 * mp.pi * abs(x)) / 2 if abs(x) > 1e6 else mp.log(mp.besseli(0, x))


#: Where the plain formula of the table cancels, or asks mpmath for a number that it cannot hold.
CAREFUL: dict[str, Callable[[Any], Any]] = {
    "softplus": lambda x: max(x, 0) + mp.log1p(mp.exp(-abs(x))),
    "log1mexp": lambda x: mp.log(-mp.expm1(x)) if x > -1 else mp.log1p(-mp.exp(x)),
    "asinh": lambda x: mp.sign(x) * mp.asinh(abs(x)),
    "lgamma": lambda x: mp.loggamma(x) if x > 0 else mp.log(abs(mp.gamma(x))),
    "log_bessel_i0": _large_bessel,
}
SLOPES: dict[str, Callable[[Any], Any]] = {
    "exp": mp.exp, "expm1": mp.exp, "log": lambda x: 1 / x, "log_saturated": lambda x: 1 / x,
    "log1p": lambda x: 1 / (1 + x), "sqrt": lambda x: 1 / (2 * mp.sqrt(x)),
    "sigmoid": lambda x: mp.exp(-abs(x)) / (1 + mp.exp(-abs(x))) ** 2, "softplus": UNARY["sigmoid"][0],
    "log1mexp": lambda x: mp.exp(x) / mp.expm1(x), "sin": mp.cos, "cos": lambda x: -mp.sin(x),
    "tan": lambda x: mp.sec(x) ** 2, "asin": lambda x: 1 / mp.sqrt(1 - x * x), "acos": lambda x: -1 / mp.sqrt(1 - x * x),
    "atan": lambda x: 1 / (1 + x * x), "sinh": mp.cosh, "cosh": mp.sinh, "tanh": lambda x: mp.sech(x) ** 2,
    "asinh": lambda x: 1 / mp.hypot(1, x), "acosh": lambda x: 1 / mp.sqrt((x - 1) * (x + 1)),
    "atanh": lambda x: 1 / (1 - x * x), "erf": lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
    "erfc": lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x), "lgamma": mp.digamma,
    "normal_cdf": lambda x: mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi), "log_normal_cdf": UNARY["inverse_mills"][0],
    "digamma": lambda x: mp.zeta(2, x) if x > 0 else (mp.pi / mp.sin(mp.pi * x)) ** 2 - mp.zeta(2, 1 - x),
    "log_bessel_i0": lambda x: UNARY["bessel_ratio"][0](x) if abs(x) < 1e6 else mp.sign(x),
}  # fmt: skip


@cache
def true(op: str, slope: bool, x: float) -> Any:
    with mp.workdps(80 if abs(x) < 1 else 60):
        function = SLOPES[op] if slope else CAREFUL.get(op, UNARY[op][0])
        value = function(mp.mpf(x))
        return value.real if isinstance(value, mp.mpc) else value


def units_wrong(op: str, slope: bool, x: float, got: float, real: str) -> float:
    """The error in units in the last place, less what one unit of the argument is worth."""
    limits, number = np.finfo(real), np.dtype(real).type
    want = true(op, slope, x)
    if not float(limits.tiny) <= abs(want) <= float(limits.max):
        return 0.0
    unit = float(limits.eps) * max(abs(want), ROOTS.get(op, 0.0))
    error = abs(mp.mpf(got) - want) / unit if np.isfinite(got) else mp.inf
    if error <= UNITS:
        return float(error)
    moved = true(op, slope, float(np.nextafter(number(x), number(0))))
    return float(error - abs(moved - want) / unit)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("real", ["float32", "float64"])
def test_values_and_derivatives(backend: str, real: str) -> None:
    g = Graph()
    points = {
        op: sorted({float(np.dtype(real).type(p)) for p in grid(op, real)})
        for op in UNARY
        if op not in ("neg", "abs", "sign", "stop")
    }
    leaves = {op: g.input(f"x_{op}", (f"a_{op}",), "real") for op in points}
    nodes = {(op, False): g.apply(op, leaf) for op, leaf in leaves.items()}
    nodes |= {(op, True): gradient(nodes[op, False], [leaves[op]])[0] for op in points if op in SLOPES}
    inputs = {f"x_{op}": xs for op, xs in points.items()}
    with np.errstate(all="ignore"):
        found = dict(zip(nodes, run(backend, list(nodes.values()), inputs, real, jit=True), strict=True))
    wrong = []
    for (op, slope), values in found.items():
        for x, value in zip(points[op], values, strict=True):
            units = units_wrong(op, slope, x, float(value), real)
            if not units <= UNITS:
                what = f"the derivative of {op}" if slope else op
                wrong.append(f"{what} at {x!r}: {value}, {units:.3g} units from {float(true(op, slope, x))}")
    assert wrong == []

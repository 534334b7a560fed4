"""Elementwise functions, how mpmath says them, and points to try them at."""

from __future__ import annotations

from typing import Any

from mpmath import mp

POINTS = (-2.5, -0.75, -0.1, 0.0, 0.3, 1.0, 1.75, 6.5)
UNIT = (-0.9, -0.25, 0.0, 0.4, 0.96875)
ABOVE = (0.125, 0.5, 1.0, 2.25, 9.5)


def gauss(x: Any) -> Any:
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


UNARY: dict[str, tuple[Any, tuple[float, ...]]] = {
    "neg": (lambda x: -x, POINTS),
    "abs": (abs, POINTS),
    "sign": (mp.sign, POINTS),
    "stop": (lambda x: x, POINTS),
    "exp": (mp.exp, POINTS),
    "expm1": (mp.expm1, (*POINTS, 1e-30)),
    "log": (mp.log, ABOVE),
    "log_saturated": (mp.log, (0.25, 0.5, 1.0, 1e-60)),
    "log1p": (mp.log1p, (-0.5, -1e-25, 0.0, 1e-30, 3.0)),
    "sqrt": (mp.sqrt, (0.0, *ABOVE)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), POINTS),
    "softplus": (lambda x: mp.log(1 + mp.exp(x)), POINTS),
    "log1mexp": (lambda x: mp.log(1 - mp.exp(x)), (-3.0, -0.5, -1e-9)),
    "sin": (mp.sin, POINTS),
    "cos": (mp.cos, POINTS),
    "tan": (mp.tan, POINTS),
    "asin": (mp.asin, UNIT),
    "acos": (mp.acos, UNIT),
    "atan": (mp.atan, POINTS),
    "sinh": (mp.sinh, POINTS),
    "cosh": (mp.cosh, POINTS),
    "tanh": (mp.tanh, POINTS),
    "asinh": (mp.asinh, POINTS),
    "acosh": (mp.acosh, (1.0, 1.5, 7.0)),
    "atanh": (mp.atanh, UNIT),
    "erf": (mp.erf, POINTS),
    "erfc": (mp.erfc, (*POINTS, 40.0)),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), (*POINTS, 40.0)),
    "normal_cdf": (lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, (*POINTS, -40.0)),
    "log_normal_cdf": (lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), (*POINTS, -40.0)),
    "inverse_mills": (lambda x: gauss(x) / (mp.erfc(-x / mp.sqrt(2)) / 2), (*POINTS, -40.0)),
    "lgamma": (lambda x: mp.log(abs(mp.gamma(x))), (*ABOVE, -0.5, -2.25)),
    "digamma": (mp.digamma, (*ABOVE, -0.5)),
    "log_bessel_i0": (lambda x: mp.log(mp.besseli(0, x)), POINTS),
    "bessel_ratio": (lambda x: mp.besseli(1, x) / mp.besseli(0, x), POINTS),
}
BINARY: dict[str, Any] = {
    "div": (lambda a, b: a / b, [(1.0, 3.0), (-2.5, 0.7), (0.0, 2.0)]),
    "pow": (
        lambda a, b: a**b,
        [(2.0, 0.5), (3.0, -2.0), (-1.5, 3.0), (0.0, 2.0), (0.0, 0.0), (1e-5, 1.3), (-2.0, 40.0)],
    ),
    "mod": (lambda a, b: a - b * mp.floor(a / b), [(5.5, 2.0), (-5.5, 2.0), (5.5, -2.0)]),
    "minimum": (min, [(1.0, 2.0), (2.0, -1.0), (3.0, 3.0)]),
    "maximum": (max, [(1.0, 2.0), (2.0, -1.0), (3.0, 3.0)]),
    "logaddexp": (lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), [(1.0, 2.0), (-3.0, 7.5), (0.0, 0.0)]),
    "hypot": (lambda a, b: mp.sqrt(a * a + b * b), [(3.0, 4.0), (0.0, 0.0), (1e-3, 7.0)]),
    "silence": (lambda a, b: a * b, [(3.0, 4.0), (-0.5, 7.0)]),
}

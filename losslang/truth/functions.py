"""The elementwise functions of real numbers, and their derivatives, on balls.

The error of a result is the error of its argument times the derivative, which is evaluated at few
digits; so each function needs only a way to compute it and a derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath  # type: ignore[import-untyped]
from mpmath import libmp

from losslang.truth.ball import (
    EXACT,
    F_INF,
    F_NAN,
    F_NINF,
    F_ONE,
    F_ZERO,
    HALF,
    INFINITY,
    MINUS_INFINITY,
    NAN,
    NEAREST,
    NEXT,
    ONE,
    TWO,
    UNKNOWN,
    ZERO,
    Ball,
    Raw,
    ball,
    close,
    compare,
    log_add,
    magnitude,
    plus,
)
from losslang.truth.context import CONTEXT, precision

Compute = Callable[[Raw, int], Raw]
Unary = Callable[[Ball], Ball]

#: Exponentials of numbers beyond 2**HUGE are infinite, or something next to 0: nothing could hold them.
HUGE = 900
_NEXT_TO_NOTHING = -1e300
_ROUGH_BITS = 60

#: The gamma function and its kin need as many Bernoulli numbers as digits: beyond this, seconds for each number.
SERIES_BITS = 2000


def derivative_of(name: str, x: Ball, out: Ball) -> Ball:
    """The derivative of the unary function ``name`` at ``x``, where its value is ``out``."""
    return DERIVATIVES[name](x, out)


def smooth(name: str, compute: Compute, most: int | None = None) -> Unary:
    """The function on balls, from the function on raw numbers at a precision of at most ``most`` bits."""

    def function(x: Ball) -> Ball:
        if x.v == F_NAN or x.e == UNKNOWN:
            return Ball(F_NAN, x.e)
        bits = CONTEXT.prec if most is None else min(CONTEXT.prec, most)
        try:
            v = compute(x.v, bits + 12)
        except (ValueError, libmp.ComplexResult):
            return Ball(F_NAN, EXACT if x.e == EXACT else UNKNOWN)
        if not v[1] and v != F_ZERO:
            return Ball(v, EXACT if x.e == EXACT else UNKNOWN)
        if x.e == EXACT:
            exact = v == F_ZERO or (x.v == F_ZERO and v[3] == 1)
            return Ball(v, EXACT if exact else magnitude(v) - bits)
        slope = _rough_slope(name, Ball(x.v), Ball(v))
        return Ball(v, log_add(plus(x.e, slope), plus(2 * x.e, max(slope, 0)), magnitude(v) - bits))

    return function


def _rough_slope(name: str, x: Ball, out: Ball) -> float:
    before = CONTEXT.prec
    CONTEXT.prec = _ROUGH_BITS
    try:
        slope = derivative_of(name, x, out)
    finally:
        CONTEXT.prec = before
    return UNKNOWN if slope.e == UNKNOWN or not slope.finite else max(magnitude(slope.v), slope.e)


def reach_exp(v: Raw, factor: float, power: int = 1) -> None:
    """Note that exp(-factor · abs(v)**power), or 1 less it, plays a part."""
    if v[1]:
        leading = (v[1] >> max(0, v[3] - 53)) / 2.0 ** min(v[3], 53)
        size = min(magnitude(v), 500.0 / power)
        reach(1.4427 * factor * (leading * 2.0**size) ** power)


def reach(exponent: float) -> None:
    """Note that numbers of about 2**exponent play a part."""
    if exponent > CONTEXT.reach:
        CONTEXT.reach = exponent


# -- exponentials and logarithms ------------------------------------------------------------------


def _exp(v: Raw, prec: int) -> Raw:
    if magnitude(v) > HUGE:
        return F_INF if libmp.mpf_sign(v) > 0 else F_ZERO
    result: Raw = libmp.mpf_exp(v, prec, NEAREST)
    reach(abs(result[2] + result[3]))
    return result


def exp(x: Ball) -> Ball:
    if x.v == F_NAN or x.e == UNKNOWN:
        return Ball(F_NAN, x.e)
    if x.finite and not x.is_zero and max(magnitude(x.v), x.e) <= NEXT:
        return close(1, UNARY["expm1"](x))
    v = _exp(x.v, CONTEXT.prec + 12)
    if x.e == EXACT and (v != F_ZERO or not x.finite):
        return Ball(v, EXACT if v in (F_ONE, F_ZERO, F_INF) else magnitude(v) - CONTEXT.prec)
    if v == F_ZERO and x.finite:
        return Ball(v, _NEXT_TO_NOTHING if x.e < 10 else UNKNOWN)
    if x.e > 10 or not v[1]:
        return Ball(v, UNKNOWN if v[1] or x.e > 10 else EXACT)
    spread = x.e + 1 if x.e < 0 else 2.0**x.e * 1.5
    return Ball(v, log_add(plus(magnitude(v), spread), magnitude(v) - CONTEXT.prec))


def log(x: Ball) -> Ball:
    if x.is_zero:
        return MINUS_INFINITY
    if not x.sure or x.e == UNKNOWN:
        return Ball(F_NAN, UNKNOWN)
    if x.v == F_NAN or libmp.mpf_sign(x.v) < 0:
        return Ball(F_NAN, EXACT)
    if x.v == F_INF:
        return INFINITY
    if x.near is not None:
        return UNARY["log1p"](x.near[1])
    v = libmp.mpf_log(x.v, CONTEXT.prec + 12, NEAREST)
    if x.e == EXACT:
        return Ball(v, EXACT if v == F_ZERO else magnitude(v) - CONTEXT.prec)
    return Ball(v, log_add(plus(x.e, 2 - magnitude(x.v)), magnitude(v) - CONTEXT.prec))


def log_saturated(x: Ball) -> Ball:
    """The logarithm of a probability: of an exact 0 (or less), that of the smallest normal number."""
    if x.is_zero or (x.sure and x.v != F_NAN and libmp.mpf_sign(x.v) < 0):
        return log(ball(CONTEXT.tiny))
    return log(x)


def sqrt(x: Ball) -> Ball:
    if x.is_zero:
        return ZERO
    if not x.sure or x.e == UNKNOWN:
        bound = plus(log_add(magnitude(x.v), x.e), 1)
        bound = bound // 2 + 1 if isinstance(bound, int) else bound / 2
        return Ball(F_ZERO, bound)  # near 0 a root is at least that small
    if x.v == F_NAN or libmp.mpf_sign(x.v) < 0:
        return NAN
    if x.v == F_INF:
        return INFINITY
    if x.near is not None:
        rest = x.near[1]
        return close(1, rest / (ONE + sqrt(Ball(x.v, x.e))))
    v = libmp.mpf_sqrt(x.v, CONTEXT.prec, NEAREST)
    if x.e == EXACT:
        exact = libmp.mpf_mul(v, v) == x.v
        return Ball(v, EXACT if exact else magnitude(v) - CONTEXT.prec)
    return Ball(v, log_add(plus(x.e, 1 - magnitude(v)), magnitude(v) - CONTEXT.prec))


def _log1p(v: Raw, prec: int) -> Raw:
    """log(1 + v) with full relative precision."""
    size = -magnitude(v)
    if v == F_ZERO or size > prec:
        return v
    extra = int(max(size, 0)) + 10
    # Beyond these digits of a large number the 1 is not seen, and a sum of all digits would not end.
    whole = v if -size > prec + extra else libmp.mpf_add(F_ONE, v)
    if libmp.mpf_sign(whole) < 0:
        return F_NAN
    result: Raw = libmp.mpf_log(whole, prec + extra, NEAREST)
    return result


def _expm1(v: Raw, prec: int) -> Raw:
    size = -magnitude(v)
    if v == F_ZERO or size > prec:
        return v
    extra = int(max(size, 0)) + 10
    result: Raw = libmp.mpf_sub(_exp(v, prec + extra), F_ONE, prec, NEAREST)
    return result


def _sigmoid(v: Raw, prec: int) -> Raw:
    if v == F_ZERO:
        return HALF.v
    if not v[1]:
        return F_ONE if v == F_INF else F_ZERO
    reach_exp(v, 1)
    grown = _exp(libmp.mpf_neg(v), prec)
    if grown == F_INF:
        return F_ZERO
    result: Raw = libmp.mpf_div(F_ONE, libmp.mpf_add(F_ONE, grown, prec, NEAREST), prec, NEAREST)
    return result


def _softplus(v: Raw, prec: int) -> Raw:
    if libmp.mpf_sign(v) <= 0:
        return _log1p(_exp(v, prec), prec)
    reach_exp(v, 1)
    result: Raw = libmp.mpf_add(v, _log1p(_exp(libmp.mpf_neg(v), prec), prec), prec, NEAREST)
    return result


def _log1mexp(v: Raw, prec: int) -> Raw:
    if v == F_ZERO:
        return F_NINF
    if libmp.mpf_sign(v) > 0:
        return F_NAN
    if magnitude(v) < 0:
        result: Raw = libmp.mpf_log(libmp.mpf_neg(_expm1(v, prec)), prec, NEAREST)
        return result
    return _log1p(libmp.mpf_neg(_exp(v, prec)), prec)


def _near_one(name: str, rest: Callable[[Ball], Ball]) -> Unary:
    """A function that goes to 1, far to the right remembered as 1 less ``rest``."""
    plain = UNARY[name]

    def function(x: Ball) -> Ball:
        far = x.finite and magnitude(x.v) > 3 and x.e < 0 and libmp.mpf_sign(x.v) > 0
        return close(1, -rest(x)) if far else plain(x)

    return function


def _odd(function: Unary) -> Unary:
    return lambda x: -function(-x) if libmp.mpf_sign(x.v) < 0 else function(x)


# -- the others -------------------------------------------------------------------------------------


def _direct(function: Callable[..., Raw]) -> Compute:
    return lambda v, prec: function(v, prec, NEAREST)


def _tanh(v: Raw, prec: int) -> Raw:
    reach_exp(v, 2)
    result: Raw = libmp.mpf_tanh(v, prec, NEAREST)
    return result


def _general(function: Callable[[Any], Any]) -> Compute:
    """By mpmath's number objects."""

    def compute(v: Raw, prec: int) -> Raw:
        mp = mpmath.mp
        with mp.workprec(prec + 10):
            value = function(mp.make_mpf(v))
            real = value.real if isinstance(value, mp.mpc) else value
            result: Raw = real._mpf_
        return result

    return compute


def _erf(v: Raw, prec: int) -> Raw:
    reach_exp(v, 1, 2)
    result: Raw = libmp.mpf_erf(v, prec, NEAREST)
    return result


def _erfc(v: Raw, prec: int) -> Raw:
    if v == F_ZERO:
        return F_ONE
    reach_exp(v, 1, 2)
    if magnitude(v) > HUGE / 2:
        return F_ZERO if libmp.mpf_sign(v) > 0 else TWO.v
    result: Raw = libmp.mpf_erfc(v, prec, NEAREST)
    return result


def _erfcx(v: Raw, prec: int) -> Raw:
    square = libmp.mpf_mul(v, v)
    result: Raw = libmp.mpf_mul(_exp(square, prec), _erfc(v, prec), prec, NEAREST)
    return result


def _normal_cdf(v: Raw, prec: int) -> Raw:
    if v == F_ZERO:
        return HALF.v
    # erfc magnifies the relative error of its argument by its square.
    wide = prec + int(max(0.0, 2 * magnitude(v))) + 10 if v[1] else prec
    scaled = libmp.mpf_div(libmp.mpf_neg(v), libmp.mpf_sqrt(TWO.v, wide, NEAREST), wide, NEAREST)
    result: Raw = libmp.mpf_shift(_erfc(scaled, prec), -1)
    return result


def _log_normal_cdf(v: Raw, prec: int) -> Raw:
    if libmp.mpf_sign(v) > 0:
        return _log1p(libmp.mpf_neg(_normal_cdf(libmp.mpf_neg(v), prec)), prec)
    result: Raw = libmp.mpf_log(_normal_cdf(v, prec), prec, NEAREST)
    return result


def _inverse_mills(v: Raw, prec: int) -> Raw:
    half_square = libmp.mpf_shift(libmp.mpf_mul(v, v), -1)
    density = libmp.mpf_div(
        _exp(libmp.mpf_neg(half_square), prec),
        libmp.mpf_sqrt(libmp.mpf_shift(libmp.mpf_pi(prec), 1), prec, NEAREST),
        prec,
        NEAREST,
    )
    below = _normal_cdf(v, prec)
    result: Raw = libmp.mpf_div(density, below, prec, NEAREST)
    return result


def _lgamma(v: Raw, prec: int) -> Raw:
    if v in (F_ONE, TWO.v):
        return F_ZERO
    if v == F_ZERO or (v[1] and libmp.mpf_sign(v) < 0 and v[2] >= 0):
        return F_INF
    return _general(mpmath.mp.loggamma)(v, prec)


@cache
def polygamma(order: int) -> Unary:
    """The digamma function (order 0) and its derivatives."""
    name = f"polygamma{order}"
    if order not in _KNOWN_ORDERS:
        _KNOWN_ORDERS.add(order)
        DERIVATIVES[name] = lambda x, out: polygamma(order + 1)(x)
    return smooth(name, _general(lambda t: mpmath.mp.psi(order, t)), SERIES_BITS)


_KNOWN_ORDERS: set[int] = set()


def _bessel_ratio(v: Raw, prec: int) -> Raw:
    return _general(lambda t: mpmath.mp.besseli(1, t) / mpmath.mp.besseli(0, t))(v, prec)


def _log_bessel(v: Raw, prec: int) -> Raw:
    if v == F_ZERO:
        return F_ZERO
    extra = int(max(0.0, -2 * magnitude(v))) + 10  # I0(x) is 1 + x²/4 near 0
    return _general(lambda t: mpmath.mp.log(mpmath.mp.besseli(0, t)))(v, prec + min(extra, 20 * prec))


def pow_(a: Ball, b: Ball) -> Ball:
    """a**b for real results: 1 for b = 0, by repeated products for small whole exponents."""
    if b.is_zero:
        return ONE
    whole = libmp.to_int(b.v) if b.e == EXACT and b.v[1] and 0 <= b.v[2] <= 12 else None
    if whole is not None and abs(whole) <= 16:
        result = _whole_power(a, abs(whole))
        return result if whole > 0 else ONE / result
    if a.is_zero:
        below = compare(b, ZERO)
        return Ball(F_NAN, UNKNOWN) if below is None else ZERO if below > 0 else INFINITY
    if a.sure and libmp.mpf_sign(a.v) < 0:
        if whole is None or not a.finite:
            return NAN
        positive = exp(b * log(-a))
        return positive if whole % 2 == 0 else -positive
    # The exponential magnifies the relative error of its argument.
    before = CONTEXT.prec
    CONTEXT.prec = before + 40
    try:
        return exp(b * log(a))
    finally:
        CONTEXT.prec = before


def _whole_power(a: Ball, n: int) -> Ball:
    result, square = ONE, a
    while n:
        if n & 1:
            result = result * square if result is not ONE else square
        n >>= 1
        if n:
            square = square * square
    return result


def hypot(a: Ball, b: Ball) -> Ball:
    return sqrt(a * a + b * b)


def logaddexp(a: Ball, b: Ball) -> Ball:
    if a.v == F_NINF or b.v == F_NINF:
        return b if a.v == F_NINF else a
    if a.v == F_INF or b.v == F_INF:
        return INFINITY
    if libmp.mpf_cmp(a.v, b.v) < 0:
        a, b = b, a
    return a + UNARY["softplus"](b - a)


def _pi() -> Ball:
    return Ball(libmp.mpf_pi(CONTEXT.prec + 5), 2 - CONTEXT.prec)


def _gauss(x: Ball, scale: Ball) -> Ball:
    """exp(-x² · scale)."""
    return exp(-(x * x * scale))


def _reciprocal_root(x: Ball) -> Ball:
    """1 / sqrt(1 - x²), and 0 at the ends, as the derivative of sqrt is 0 at 0."""
    inside = (ONE - x) * (ONE + x)
    return ZERO if inside.is_zero else ONE / sqrt(inside)


def _sign(x: Ball) -> Ball:
    order = compare(x, ZERO)
    if order is None:
        return Ball(F_ZERO, 0.0)
    return (Ball(libmp.fnone), ZERO, ONE)[order + 1]


UNARY: dict[str, Unary] = {
    "exp": exp,
    "log": log,
    "log_saturated": log_saturated,
    "sqrt": sqrt,
    "abs": abs,
    "sign": _sign,
    "neg": lambda x: -x,
}
DERIVATIVES: dict[str, Callable[[Ball, Ball], Ball]] = {
    "exp": lambda x, out: out,
    "log": lambda x, out: ONE / x,
    "log_saturated": lambda x, out: ONE / (ball(CONTEXT.tiny) if x.is_zero else x),
    "sqrt": lambda x, out: ZERO if out.is_zero else HALF / out,
    "sign": lambda x, out: ZERO,
    "neg": lambda x, out: -ONE,
    "expm1": lambda x, out: exp(x),
    "log1p": lambda x, out: ONE / (ONE + x),
    "sigmoid": lambda x, out: out * UNARY["sigmoid"](-x),
    "softplus": lambda x, out: UNARY["sigmoid"](x),
    "log1mexp": lambda x, out: -ONE / UNARY["expm1"](-x),
    "sin": lambda x, out: UNARY["cos"](x),
    "cos": lambda x, out: -UNARY["sin"](x),
    "tan": lambda x, out: ONE + out * out,
    "asin": lambda x, out: _reciprocal_root(x),
    "acos": lambda x, out: -_reciprocal_root(x),
    "atan": lambda x, out: ONE / (ONE + x * x),
    "sinh": lambda x, out: UNARY["cosh"](x),
    "cosh": lambda x, out: UNARY["sinh"](x),
    "tanh": lambda x, out: pow_(ONE / UNARY["cosh"](x), TWO),
    "asinh": lambda x, out: ONE / sqrt(ONE + x * x),
    "acosh": lambda x, out: ZERO if out.is_zero else ONE / sqrt((x - ONE) * (x + ONE)),
    "atanh": lambda x, out: ONE / ((ONE - x) * (ONE + x)),
    "erf": lambda x, out: TWO * _gauss(x, ONE) / sqrt(_pi()),
    "erfc": lambda x, out: -(TWO * _gauss(x, ONE) / sqrt(_pi())),
    "erfcx": lambda x, out: TWO * x * out - TWO / sqrt(_pi()),
    "normal_cdf": lambda x, out: _gauss(x, HALF) / sqrt(TWO * _pi()),
    "log_normal_cdf": lambda x, out: UNARY["inverse_mills"](x),
    "inverse_mills": lambda x, out: -(out * (x + out)),
    "lgamma": lambda x, out: polygamma(0)(x),
    "digamma": lambda x, out: polygamma(1)(x),
    "log_bessel_i0": lambda x, out: UNARY["bessel_ratio"](x),
    "bessel_ratio": lambda x, out: HALF if x.is_zero else ONE - out * out - out / x,
}


def _abs_derivative(x: Ball, out: Ball) -> Ball:
    order = compare(x, ZERO)
    if order is None or (order == 0 and CONTEXT.hull):
        return Ball(F_ZERO, 0.0)  # anything in [-1, 1]
    return (Ball(libmp.fnone), ZERO, ONE)[order + 1]


DERIVATIVES["abs"] = _abs_derivative

_COMPUTED: dict[str, Compute] = {
    "expm1": _expm1,
    "log1p": _log1p,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "log1mexp": _log1mexp,
    "sin": _direct(libmp.mpf_sin),
    "cos": _direct(libmp.mpf_cos),
    "tan": _direct(libmp.mpf_tan),
    "asin": _direct(libmp.mpf_asin),
    "acos": _direct(libmp.mpf_acos),
    "atan": _direct(libmp.mpf_atan),
    "sinh": _direct(libmp.mpf_sinh),
    "cosh": _direct(libmp.mpf_cosh),
    "tanh": _tanh,
    "asinh": _direct(libmp.mpf_asinh),
    "acosh": _direct(libmp.mpf_acosh),
    "atanh": _direct(libmp.mpf_atanh),
    "erf": _erf,
    "erfc": _erfc,
    "erfcx": _erfcx,
    "normal_cdf": _normal_cdf,
    "log_normal_cdf": _log_normal_cdf,
    "inverse_mills": _inverse_mills,
    "lgamma": _lgamma,
    "log_bessel_i0": _log_bessel,
    "bessel_ratio": _bessel_ratio,
}
UNARY.update({name: smooth(name, compute) for name, compute in _COMPUTED.items()})
UNARY["sigmoid"] = _near_one("sigmoid", lambda x: UNARY["sigmoid"](-x))
UNARY["tanh"] = _odd(_near_one("tanh", lambda x: TWO * UNARY["sigmoid"](-(x + x))))
UNARY["erf"] = _odd(_near_one("erf", lambda x: UNARY["erfc"](x)))
UNARY["normal_cdf"] = _near_one("normal_cdf", lambda x: UNARY["normal_cdf"](-x))
UNARY["lgamma"] = smooth("lgamma", _lgamma, SERIES_BITS)
UNARY["digamma"] = polygamma(0)
UNARY["to_real"] = UNARY["stop"] = lambda x: x
DERIVATIVES["to_real"] = lambda x, out: ONE

__all__ = [
    "DERIVATIVES",
    "UNARY",
    "derivative_of",
    "exp",
    "hypot",
    "log",
    "logaddexp",
    "polygamma",
    "pow_",
    "precision",
]

"""Special functions that JAX lacks, pasted into modules that use them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import jax
import jax.numpy as jnp


def _series(coefficients, t):
    """The Chebyshev series at t in [-1, 1]."""
    ahead, last = jnp.zeros_like(t), jnp.zeros_like(t)
    for c in coefficients[:0:-1]:
        ahead, last = c + 2.0 * t * ahead - last, ahead
    return coefficients[0] + t * ahead - last


# (1 + 2x) exp(x²) erfc(x) as a Chebyshev series in t = (x - 3.75) / (x + 3.75).
_ERFCX = (
    1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189,
    -0.026658668435305753, 0.009074997670705265, -0.002413163540417608, 0.0004907758365258086,
    -6.916973302501207e-05, 4.13902798607301e-06, 7.74038306619849e-07, -2.1886401049234397e-07,
    1.076499946567091e-08, 4.521959811218287e-09, -7.754400208831351e-10, -6.318088340886684e-11,
    2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14,
    3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17,
    5.068148904796111e-17,
)  # fmt: skip


def _erfcx_positive(x):
    return _series(_ERFCX, 1.0 - 7.5 / (x + 3.75)) / (1.0 + 2.0 * x)


def _erfcx(x):
    """exp(x²) erfc(x)."""
    near = _erfcx_positive(jnp.abs(x))
    low = jnp.clip(x, -30.0, 0.0)
    return jnp.where(x < 0, 2.0 * jnp.exp(low * low) - near, near)


def _normal_cdf(x):
    """The tail to the left without the rounding of x², which exp would magnify. XLA merges exponentials that
    are multiplied with each other, and by that brings the rounding back."""
    low = jnp.clip(x, -40.0, -1.0)
    coarse = jnp.ceil(low * 16.0) / 16.0
    base = jnp.exp(-0.5 * coarse * coarse)
    bell = base + base * jnp.expm1(-0.5 * (low - coarse) * (low + coarse))
    tail = 0.5 * _erfcx_positive(low * -0.7071067811865476) * bell
    body = 0.5 * jax.scipy.special.erfc(jnp.maximum(x, -1.0) * -0.7071067811865476)
    return jnp.where(x < -1, jnp.where(x < -40, 0.0, tail), body)


def _log1p(x):
    """XLA's own loses digits in float64: near 0 by the series of 2 atanh(x / (2 + x))."""
    if x.dtype != jnp.float64:
        return jnp.log1p(x)
    small = jnp.abs(x) < 0.5
    near = jnp.where(small, x, 0.0)
    twice = near / (1.0 + 0.5 * near)
    square = 0.25 * twice * twice
    series = jnp.zeros_like(square)
    for k in range(35, 1, -2):
        series = (series + 1.0 / k) * square
    return jnp.where(small, twice + twice * series, jnp.log(1.0 + jnp.where(small, 0.0, x)))


def _arcsin(x):
    """XLA's own computes with the square, which is 0 for small x."""
    small = jnp.abs(x) < 1e-9
    return jnp.where(small, x, jnp.arcsin(jnp.where(small, 0.0, x)))


def _arctanh(x):
    size = jnp.abs(x)
    return jnp.sign(x) * 0.5 * _log1p(2.0 * size / (1.0 - size))


# log Γ(x) / ((x - 1) (x - 2)) in x - 2, on [1, 3].
_LGAMMA = (
    0.44148902545501423, -0.11119580321752523, 0.01951044826068884, -0.003922461463025264,
    0.0008478989895953857, -0.00019153855341365593, 4.454470184975607e-05, -1.05728743735943e-05,
    2.5474336873408417e-06, -6.208535880776316e-07, 1.5268677399071546e-07, -3.782637660291326e-08,
    9.428100823624284e-09, -2.361999702184645e-09, 5.943541905817546e-10, -1.501312977072867e-10,
    3.8050196458110534e-11, -9.672485299656325e-12, 2.465348198355661e-12, -6.298868140791711e-13,
    1.6128460030283787e-13, -4.137949206814042e-14, 1.0635701227757898e-14, -2.7382420786652826e-15,
    7.060670507214892e-16, -1.8232177141662118e-16, 4.714169006756272e-17, -1.2204107319639856e-17,
    3.1630451661790255e-18,
)  # fmt: skip

# x (log Γ(x) - (x - 1/2) (log x - 1) - (log 2π - 1) / 2) in 8 / x² - 1, for x >= 2.
_STIRLING = (
    0.0830024277137797, -0.00032579837156858674, 4.925029345455579e-06, -1.7154659702805925e-07,
    9.797461542526032e-09, -7.829683148105683e-10, 8.002614010167496e-11, -9.884078461813152e-12,
    1.4196807276661613e-12, -2.307534275851149e-13, 4.1596851867824487e-14, -8.189711491341348e-15,
    1.7401065990998338e-15, -3.9522200781421673e-16, 9.521501550625179e-17, -2.417699890662422e-17,
)  # fmt: skip


def _lgamma_positive(x):
    below = x < 1
    near = jnp.clip(jnp.where(below, 1.0 + x, x), 1.0, 3.0)
    first = jnp.where(below, x, near - 1.0)
    second = jnp.where(below, x - 1.0, near - 2.0)
    close = first * second * _series(_LGAMMA, jnp.clip(near - 2.0, -1.0, 1.0))
    close = close - jnp.where(below, jnp.log(jnp.where(below, x, 1.0)), 0.0)
    far = jnp.maximum(x, 3.0)
    inverse = 1.0 / far
    rest = 0.4189385332046727 + inverse * _series(_STIRLING, 8.0 * inverse * inverse - 1.0)
    return jnp.where(x < 3, close, (far - 0.5) * (jnp.log(far) - 1.0) + rest)


def _lgamma(x):
    """log |Γ(x)|."""
    negative = x <= 0
    low = jnp.where(negative, x, -0.5)
    sine = jnp.abs(jnp.sin(jnp.pi * (low - jnp.round(low))))
    mirrored = jnp.log(jnp.pi / sine) - _lgamma_positive(1.0 - low)
    return jnp.where(negative, mirrored, _lgamma_positive(jnp.where(negative, 1.0, x)))


# digamma(x) / (x - its root) in 2x - 3, on [1, 2].
_DIGAMMA = (
    0.983570260441567, -0.2270640863346444, 0.03336889902393011, -0.005320077271596548,
    0.0008788656937820505, -0.00014773492650606044, 2.5060543468359146e-05, -4.2721034029993324e-06,
    7.302769272465923e-07, -1.2502886813559594e-07, 2.1425009322359472e-08, -3.673295918565179e-09,
    6.299717236108931e-10, -1.080593028883266e-10, 1.853735192053638e-11, -3.18023536582553e-12,
    5.456147570322795e-13, -9.360993131036438e-14, 1.606064636295075e-14, -2.7555431377438815e-15,
    4.727736178601912e-16, -8.11148420346509e-17, 1.391707769474154e-17, -2.3877901082188625e-18,
)  # fmt: skip

# x² (log x - 1 / 2x - digamma(x)) in 8 / x² - 1, for x >= 2.
_DIGAMMA_FAR = (
    0.08236957319963464, -0.0009399106567215423, 2.2709369947851174e-05, -1.0580437942864211e-06,
    7.420015411231147e-08, -6.930284937127705e-09, 8.020789846701205e-10, -1.0976781664808303e-10,
    1.719814936412182e-11, -3.0136147372559676e-12, 5.803602013725503e-13, -1.2118974653359568e-13,
    2.7151165987959125e-14, -6.4709487941813014e-15, 1.6292399981337527e-15, -4.308624832554467e-16,
    1.1910722067729785e-16, -3.427535980252597e-17, 1.023218494944218e-17,
)  # fmt: skip


def _digamma_positive(x):
    below = x < 1
    near = jnp.clip(jnp.where(below, 1.0 + x, x), 1.0, 2.0)
    # XLA would add up two constants that it sees to be such; their sum is not what the two are apart.
    beyond = jnp.where(x < 2, 3.7006601859126265e-07, 0.0)
    from_root = (near - 1.4616317749023438) - beyond
    close = from_root * _series(_DIGAMMA, 2.0 * near - 3.0)
    close = close - jnp.where(below, 1.0 / jnp.where(below, x, 1.0), 0.0)
    inverse = 1.0 / jnp.maximum(x, 2.0)
    square = inverse * inverse
    far = jnp.log(jnp.maximum(x, 2.0)) - 0.5 * inverse - square * _series(_DIGAMMA_FAR, 8.0 * square - 1.0)
    return jnp.where(x < 2, close, far)


def _digamma(x):
    """The derivative of log Γ; NaN at its poles."""
    negative = x <= 0
    low = jnp.where(negative, x, -0.5)
    around = low - jnp.round(low)
    mirrored = _digamma_positive(1.0 - low) - jnp.pi / jnp.tan(jnp.pi * jnp.where(around == 0, 0.5, around))
    mirrored = jnp.where(around == 0, jnp.nan, mirrored)
    return jnp.where(negative, mirrored, _digamma_positive(jnp.where(negative, 1.0, x)))


_BERNOULLI = (
    0.16666666666666666, -0.03333333333333333, 0.023809523809523808, -0.03333333333333333,
    0.07575757575757576, -0.2531135531135531, 1.1666666666666667, -7.092156862745098, 54.971177944862156,
    -529.1242424242424, 6192.123188405797, -86580.25311355312,
)  # fmt: skip


def _zeta(s, x):
    """The sum over k >= 0 of (x + k)^-s, by Euler and Maclaurin's formula, for x > -8."""
    far = x + 16.0
    inverse = 1.0 / far
    total = sum((1.0 / (x + k)) ** s for k in range(15, -1, -1))
    total = total + inverse ** (s - 1) / (s - 1) + 0.5 * inverse**s
    factor, term = s / 2.0, inverse ** (s + 1)
    for j, b in enumerate(_BERNOULLI, start=1):
        total = total + b * factor * term
        factor = factor * (s + 2 * j - 1) * (s + 2 * j) / ((2 * j + 1) * (2 * j + 2))
        term = term * (inverse * inverse)
    return total


def _polygamma(n, x):
    """The n-th derivative of digamma, n >= 1; for n > 1 where x > -8."""
    if n > 1:
        factorial = 1.0 if n % 2 else -1.0
        for k in range(2, n + 1):
            factorial = factorial * k
        inside = x > -8
        value = factorial * _zeta(n + 1, jnp.where(inside, x, 1.0))
        return jnp.where(inside, value, jnp.nan)
    negative = x <= 0
    low = jnp.where(negative, x, -0.5)
    sine = jnp.sin(jnp.pi * (low - jnp.round(low)))
    mirrored = (jnp.pi / sine) ** 2 - _zeta(2, 1.0 - low)
    return jnp.where(negative, mirrored, _zeta(2, jnp.where(negative, 1.0, x)))

"""Special functions that PyTorch lacks, or has with fewer digits, pasted into modules that use them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import torch


def _series(coefficients, t):
    """The Chebyshev series at t in [-1, 1]."""
    ahead, last = torch.zeros_like(t), torch.zeros_like(t)
    for c in coefficients[:0:-1]:
        ahead, last = c + 2.0 * t * ahead - last, ahead
    return coefficients[0] + t * ahead - last


def _normal_cdf(x):
    """The tail to the left without the rounding of x², which exp would magnify."""
    low = torch.clamp(x, -40.0, -1.0)
    coarse = torch.ceil(low * 16.0) / 16.0
    bell = torch.exp(-0.5 * coarse * coarse) * torch.exp(-0.5 * (low - coarse) * (low + coarse))
    tail = 0.5 * torch.special.erfcx(low * -0.7071067811865476) * bell
    body = 0.5 * torch.special.erfc(torch.clamp(x, min=-1.0) * -0.7071067811865476)
    return torch.where(x < -1, torch.where(x < -40, 0.0, tail), body)


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
    near = torch.clamp(torch.where(below, 1.0 + x, x), 1.0, 2.0)
    close = ((near - 1.4616317749023438) - 3.7006601859126265e-07) * _series(_DIGAMMA, 2.0 * near - 3.0)
    close = close - torch.where(below, 1.0 / torch.where(below, x, 1.0), 0.0)
    inverse = 1.0 / torch.clamp(x, min=2.0)
    square = inverse * inverse
    far = (
        torch.log(torch.clamp(x, min=2.0))
        - 0.5 * inverse
        - square * _series(_DIGAMMA_FAR, 8.0 * square - 1.0)
    )
    return torch.where(x < 2, close, far)


def _digamma(x):
    """The derivative of log Γ; NaN at its poles."""
    negative = x <= 0
    low = torch.where(negative, x, -0.5)
    around = low - torch.round(low)
    mirrored = _digamma_positive(1.0 - low) - torch.pi / torch.tan(
        torch.pi * torch.where(around == 0, 0.5, around)
    )
    mirrored = torch.where(around == 0, torch.nan, mirrored)
    return torch.where(negative, mirrored, _digamma_positive(torch.where(negative, 1.0, x)))


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
        value = factorial * _zeta(n + 1, torch.where(inside, x, 1.0))
        return torch.where(inside, value, torch.nan)
    negative = x <= 0
    low = torch.where(negative, x, -0.5)
    sine = torch.sin(torch.pi * (low - torch.round(low)))
    mirrored = (torch.pi / sine) ** 2 - _zeta(2, 1.0 - low)
    return torch.where(negative, mirrored, _zeta(2, torch.where(negative, 1.0, x)))

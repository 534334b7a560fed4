"""Helpers that are pasted into JAX modules which use them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import jax
import jax.numpy as jnp
from losslang.backends.jax_special import _erfcx, _log1p


def _ratio(x, y):
    """x / y as it stands: XLA makes (a / b) / c to a / (b c), which overflows, and the like. It does not see
    through a choice."""
    return jnp.where(x == x, x, jnp.nan) / jnp.where(y == y, y, jnp.nan)


def _double():
    """Where float64 exists whatever the x64 switch says; results are given in the type that was asked for."""
    return jax.enable_x64(True)


def _whole(real):
    """The type of positions and counts: what integers are with or without x64, inside a wider context too."""
    return jnp.int64 if jnp.dtype(real).itemsize == 8 else jnp.int32


def _silence(x, y):
    """x * y, and 0 where x is exactly 0."""
    zero = x == 0
    return jnp.where(zero, 0.0, x * jnp.where(zero, 0.0, y))


def _sqrt(x):
    """The square root, with derivative 0 at 0."""
    zero = x == 0
    return jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, x)))


def _sigmoid(x):
    small = jnp.exp(-jnp.abs(x))
    return jnp.where(x >= 0, 1.0, small) / (1.0 + small)


def _softplus(x):
    return jnp.logaddexp(x, 0.0)


def _log1mexp(x):
    """log(1 - exp(x)) for x <= 0."""
    near = x > -0.6931471805599453
    close = jnp.log(-jnp.expm1(jnp.where(near, x, -1.0)))
    return jnp.where(near, close, _log1p(-jnp.exp(jnp.where(near, -1.0, x))))


def _log_normal_cdf(x):
    low = x < -1
    tail = jnp.where(low, x, -1.0)
    body = jnp.where(low, 0.0, x)
    far = jnp.log(0.5 * _erfcx(tail * -0.7071067811865476)) - 0.5 * tail * tail
    return jnp.where(low, far, _log1p(-0.5 * jax.scipy.special.erfc(body * 0.7071067811865476)))


def _inverse_mills(x):
    """The normal density over the normal cdf."""
    return 0.7978845608028654 / _erfcx(x * -0.7071067811865476)


_I0_SERIES = (1.0, 0.25, 0.027777777777777776, 0.001736111111111111, 6.944444444444444e-05,
              1.9290123456790124e-06, 3.936759889140842e-08, 6.151187326782565e-10, 7.594058428126624e-12,
              7.594058428126623e-14, 6.276081345559193e-16, 4.358389823304995e-18, 2.5789288895295828e-20,
              1.3157800456783586e-22)  # fmt: skip


def _scaled_bessel(order, x):
    """exp(-|x|) I(x) of order 0 or 1, in float64 by series: jax.scipy.special cannot compile it where float64 is lent."""
    if x.dtype != jnp.float64:
        return (jax.scipy.special.i0e, jax.scipy.special.i1e)[order](x)
    size = jnp.abs(x)
    low, high = jnp.minimum(size, 20.0), jnp.maximum(size, 20.0)
    near = far = jnp.ones_like(size)
    for k in range(50, 0, -1):
        near = 1.0 + near * (0.25 * low * low) / (k * (k + order))
    for k in range(24, 0, -1):
        far = 1.0 + far * ((2 * k - 1) ** 2 - 4 * order) / (8 * k * high)
    near = near * jnp.exp(-low) * (0.5 * low) ** order
    scaled = jnp.where(size < 20.0, near, far / (2.5066282746310002 * jnp.sqrt(high)))
    return jnp.where(x < 0, -scaled, scaled) if order else scaled


def _log_bessel_i0(x):
    """log I0: a series near 0, where the logarithm is small, the scaled function beyond."""
    near = jnp.abs(x) < 4
    q = 0.25 * jnp.where(near, x, 0.0) ** 2
    series = jnp.zeros_like(q)
    for c in reversed(_I0_SERIES):
        series = series * q + c
    far = jnp.where(near, 4.0, x)
    scaled = _scaled_bessel(0, far)
    return jnp.where(near, _log1p(q * series), jnp.abs(far) + jnp.log(scaled))


def _bessel_ratio(x):
    return _scaled_bessel(1, x) / _scaled_bessel(0, x)


def _argmax(x, axis):
    if x.shape[axis] == 0:
        return jnp.zeros(x.shape[:axis] + x.shape[axis + 1 :], int)
    # Of truth values, as int32: no argmax of or to 64 bits lowers where x64 is enabled for a while only.
    return jax.lax.argmax(x == jnp.max(x, axis=axis, keepdims=True), axis, jnp.int32)


def _cumsum(x, axis, reverse):
    """Sums from the start, or from the end."""
    return jax.lax.cumsum(x, axis=axis, reverse=reverse)


def _cumlogsumexp(x, axis):
    return jax.lax.cumlogsumexp(x, axis=axis)


def _decay_scan(x, d, axis):
    """From the end: out[i] = x[i] + exp(d[i]) * out[i + 1]."""
    last = jnp.arange(x.shape[axis]) == x.shape[axis] - 1
    last = last.reshape((-1,) + (1,) * (x.ndim - axis - 1))
    decay = jnp.where(last, 0.0, jnp.exp(jnp.where(last, 0.0, d)))

    def step(later, earlier):
        return earlier[0] * later[0], earlier[1] + earlier[0] * later[1]

    return jax.lax.associative_scan(step, (decay, x), reverse=True, axis=axis)[1] if x.size else x


def _log_chain(start, steps):
    """out[t, j] = logsumexp over i of previous[i] + steps[t, i, j]; time, source and state go last."""

    def step(previous, transitions):
        paths = previous[..., None] + transitions
        top = jax.lax.stop_gradient(jnp.max(paths, axis=-2, initial=-jnp.inf))
        top = jnp.where(jnp.isfinite(top), top, 0.0)
        total = jnp.sum(jnp.exp(paths - top[..., None, :]), axis=-2)
        none = total == 0
        following = jnp.where(none, -jnp.inf, jnp.log(jnp.where(none, 1.0, total)) + top)
        return following, following

    out = jax.lax.scan(step, start.astype(steps.dtype), jnp.moveaxis(steps, -3, 0))[1]
    return jnp.moveaxis(out, 0, -2)


def _chain_sum(x, weights, backward):
    """Forward, out[t] = x[t] + out[t - 1] weights[t]; backward, out[t] = x[t] + weights[t + 1] out[t + 1]."""
    w = jnp.moveaxis(weights, -3, 0)
    if backward:
        w = jnp.concatenate((w[1:], jnp.zeros_like(w[:1])))

    def step(previous, here):
        value, joining = here
        if backward:
            following = value + jnp.sum(joining * previous[..., None, :], axis=-1)
        else:
            following = value + jnp.sum(joining * previous[..., :, None], axis=-2)
        return following, following

    start = jnp.zeros_like(x[..., 0, :]) if x.shape[-2] else jnp.zeros(x.shape[:-2] + x.shape[-1:], x.dtype)
    out = jax.lax.scan(step, start, (jnp.moveaxis(x, -2, 0), w), reverse=backward)[1]
    return jnp.moveaxis(out, 0, -2)


def _pick(x, at, rows, fill):
    """x[rows, at]; fill where at is out of range."""
    n = x.shape[len(rows)]
    if n == 0:
        return jnp.full(at.shape + x.shape[len(rows) + 1 :], fill, x.dtype)
    inside = (at >= 0) & (at < n)
    found = x[(*rows, jnp.clip(at, 0, n - 1))]
    inside = inside.reshape(inside.shape + (1,) * (found.ndim - inside.ndim))
    return jnp.where(inside, found, fill)


def _scatter_add(x, at, rows, shape):
    """Sums x into an array of the given shape at (rows, at); what is out of range is dropped. Long sums go by
    parts, as many as take no more room than x: one by one, millions of terms would drift."""
    n = shape[len(rows)]
    at = jnp.where((at >= 0) & (at < n), at, n)
    size = 1
    for length in shape:
        size = size * length
    parts = max(1, min(at.size // 1024, x.size // max(1, size)))
    if parts == 1:
        return jnp.zeros(shape, x.dtype).at[(*rows, at)].add(x, mode="drop")
    part = (jnp.arange(at.size) % parts).reshape(at.shape)
    return jnp.sum(jnp.zeros((parts, *shape), x.dtype).at[(part, *rows, at)].add(x, mode="drop"), axis=0)

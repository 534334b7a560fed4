"""Helpers that are pasted into NumPy modules which use them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np


def _silence(x, y):
    """x * y, and 0 where x is exactly 0."""
    return np.where(x == 0, 0.0, x * y).astype(np.result_type(x, y), copy=False)


def _sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, np.ones_like(small), small) / (1 + small)


def _softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _log1mexp(x):
    """log(1 - exp(x)) for x <= 0."""
    return np.where(x > -0.6931471805599453, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def _argmax(x, axis):
    if x.shape[axis] == 0:
        return np.zeros(x.shape[:axis] + x.shape[axis + 1 :], np.int64)
    return np.argmax(x, axis=axis)


def _cumsum(x, axis, reverse):
    """Sums from the start, or from the end."""
    wide = np.float64 if x.dtype.kind == "f" else np.int64
    x_from = np.flip(x, axis) if reverse else x
    total = np.cumsum(x_from, axis=axis, dtype=wide).astype(x.dtype, copy=False)
    return np.flip(total, axis) if reverse else total


def _cumlogsumexp(x, axis):
    return np.logaddexp.accumulate(x.astype(np.float64), axis=axis).astype(x.dtype)


def _decay_scan(x, d, axis):
    """From the end: out[i] = x[i] + exp(d[i]) * out[i + 1], by doubling."""
    out = np.moveaxis(x, axis, -1).astype(np.float64)
    decay = np.exp(np.moveaxis(d, axis, -1).astype(np.float64))
    n, step = out.shape[-1], 1
    decay[..., n - 1 :] = 0.0
    while step < n:
        out[..., :-step] += decay[..., :-step] * out[..., step:].copy()
        decay[..., :-step] *= decay[..., step:].copy()
        step *= 2
    return np.moveaxis(out, -1, axis).astype(x.dtype)


def _log_chain(start, steps):
    """out[t, j] = logsumexp over i of previous[i] + steps[t, i, j]; time, source and state go last."""
    out = np.empty(steps.shape[:-2] + steps.shape[-1:], np.float64)
    previous = start.astype(np.float64)
    for t in range(steps.shape[-3]):
        previous = np.logaddexp.reduce(previous[..., None] + steps[..., t, :, :], axis=-2)
        out[..., t, :] = previous
    return out.astype(steps.dtype)


def _chain_sum(x, weights, backward):
    """Forward, out[t] = x[t] + out[t - 1] weights[t]; backward, out[t] = x[t] + weights[t + 1] out[t + 1]."""
    out = x.astype(np.float64)
    n = out.shape[-2]
    if backward:
        for t in range(n - 2, -1, -1):
            out[..., t, :] += np.sum(weights[..., t + 1, :, :] * out[..., t + 1, None, :], axis=-1)
    else:
        for t in range(1, n):
            out[..., t, :] += np.sum(weights[..., t, :, :] * out[..., t - 1, :, None], axis=-2)
    return out.astype(x.dtype)


def _pick(x, at, rows, fill):
    """x[rows, at]; fill where at is out of range."""
    n = x.shape[len(rows)]
    if n == 0:
        return np.full(at.shape + x.shape[len(rows) + 1 :], fill, x.dtype)
    inside = (at >= 0) & (at < n)
    found = x[(*rows, np.clip(at, 0, n - 1))]
    inside = inside.reshape(inside.shape + (1,) * (found.ndim - inside.ndim))
    return np.where(inside, found, np.asarray(fill, x.dtype))


def _scatter_add(x, at, rows, shape):
    """Sums x into an array of the given shape at (rows, at); what is out of range is dropped."""
    k = len(rows)
    n = shape[k]
    width = int(np.prod(shape[k + 1 :], dtype=np.int64))
    flat = np.zeros(at.shape, np.int64)
    for row, length in zip(rows, shape, strict=False):
        flat = flat * length + row
    flat = flat * (n + 1) + np.where((at >= 0) & (at < n), at, n)
    flat = flat.reshape(-1, 1) * width + np.arange(width)
    count = int(np.prod(shape[:k], dtype=np.int64)) * (n + 1) * width
    total = np.bincount(flat.ravel(), weights=x.ravel(), minlength=count)
    total = total.reshape((*shape[:k], n + 1, *shape[k + 1 :]))
    return total[(slice(None),) * k + (slice(n),)].astype(x.dtype)

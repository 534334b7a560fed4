"""Helpers that are pasted into PyTorch modules which use them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import torch


def _double(device):
    """Double precision, where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


def _silence(x, y):
    """x * y, and 0 where x is exactly 0."""
    zero = x == 0
    return torch.where(zero, 0.0, x * torch.where(zero, 0.0, y))


def _sqrt(x):
    """The square root, with derivative 0 at 0."""
    zero = x == 0
    return torch.where(zero, 0.0, torch.sqrt(torch.where(zero, 1.0, x)))


def _sigmoid(x):
    return torch.sigmoid(x)


def _softplus(x):
    return torch.logaddexp(x, x.new_zeros(()))


def _log1mexp(x):
    """log(1 - exp(x)) for x <= 0."""
    near = x > -0.6931471805599453
    close = torch.log(-torch.expm1(torch.where(near, x, -1.0)))
    return torch.where(near, close, torch.log1p(-torch.exp(torch.where(near, -1.0, x))))


def _log_normal_cdf(x):
    low = x < -1
    tail = torch.where(low, x, -1.0)
    body = torch.where(low, 0.0, x)
    far = torch.log(0.5 * torch.special.erfcx(tail * -0.7071067811865476)) - 0.5 * tail * tail
    return torch.where(low, far, torch.log1p(-0.5 * torch.special.erfc(body * 0.7071067811865476)))


def _inverse_mills(x):
    """The normal density over the normal cdf."""
    return 0.7978845608028654 / torch.special.erfcx(x * -0.7071067811865476)


_I0_SERIES = (1.0, 0.25, 0.027777777777777776, 0.001736111111111111, 6.944444444444444e-05,
              1.9290123456790124e-06, 3.936759889140842e-08, 6.151187326782565e-10, 7.594058428126624e-12,
              7.594058428126623e-14, 6.276081345559193e-16, 4.358389823304995e-18, 2.5789288895295828e-20,
              1.3157800456783586e-22)  # fmt: skip


def _log_bessel_i0(x):
    """log I0: a series near 0, where the logarithm is small, the scaled function beyond."""
    near = torch.abs(x) < 4
    q = 0.25 * torch.where(near, x, 0.0) ** 2
    series = torch.zeros_like(q)
    for c in reversed(_I0_SERIES):
        series = series * q + c
    far = torch.where(near, 4.0, x)
    return torch.where(near, torch.log1p(q * series), torch.abs(far) + torch.log(torch.special.i0e(far)))


def _bessel_ratio(x):
    return torch.special.i1e(x) / torch.special.i0e(x)


def _amax(x, dims):
    """The largest along dims; -inf over nothing."""
    if x.numel() == 0:
        lowest = -torch.inf if x.is_floating_point() else torch.iinfo(x.dtype).min
        shape = [n for i, n in enumerate(x.shape) if i not in dims]
        return torch.full(shape, lowest, dtype=x.dtype, device=x.device)
    return torch.amax(x, dim=dims)


def _argmax(x, axis):
    if x.shape[axis] == 0:
        shape = [n for i, n in enumerate(x.shape) if i != axis]
        return torch.zeros(shape, dtype=torch.int64, device=x.device)
    return torch.argmax(x, dim=axis)


def _prod(x, dims):
    for dim in sorted(dims, reverse=True):
        x = torch.prod(x, dim=dim)
    return x


def _cumsum(x, axis, reverse):
    """Sums from the start, or from the end."""
    return (
        torch.flip(torch.cumsum(torch.flip(x, (axis,)), axis), (axis,)) if reverse else torch.cumsum(x, axis)
    )


def _cumlogsumexp(x, axis):
    return torch.logcumsumexp(x, axis)


def _decay_scan(x, d, axis):
    """From the end: out[i] = x[i] + exp(d[i]) * out[i + 1], by doubling."""
    n, step = x.shape[axis], 1
    out = torch.movedim(x, axis, -1)
    if n == 0:
        return x
    decay = torch.exp(torch.movedim(d, axis, -1)[..., :-1])
    decay = torch.cat((decay, torch.zeros_like(out[..., :1])), -1)
    while step < n:
        out = torch.cat((out[..., :-step] + decay[..., :-step] * out[..., step:], out[..., n - step :]), -1)
        decay = torch.cat((decay[..., :-step] * decay[..., step:], torch.zeros_like(decay[..., :step])), -1)
        step *= 2
    return torch.movedim(out, -1, axis)


def _log_chain(start, steps):
    """out[t, j] = logsumexp over i of previous[i] + steps[t, i, j]; time, source and state go last."""
    if steps.numel() == 0:
        return torch.sum(steps, -2)
    rows = []
    previous = start
    for t in range(steps.shape[-3]):
        paths = previous.unsqueeze(-1) + steps[..., t, :, :]
        top = torch.amax(paths, -2, keepdim=True).detach()
        top = torch.where(torch.isfinite(top), top, 0.0)
        total = torch.sum(torch.exp(paths - top), -2)
        none = total == 0
        grown = torch.log(torch.where(none, 1.0, total)) + top.squeeze(-2)
        previous = torch.where(none, -torch.inf, grown)
        rows.append(previous)
    return torch.stack(rows, -2)


def _chain_sum(x, weights, backward):
    """Forward, out[t] = x[t] + out[t - 1] weights[t]; backward, out[t] = x[t] + weights[t + 1] out[t + 1]."""
    n = x.shape[-2]
    if n == 0:
        return x
    rows = [x[..., n - 1 if backward else 0, :]]
    for k in range(1, n):
        if backward:
            t = n - 1 - k
            joined = torch.sum(weights[..., t + 1, :, :] * rows[-1].unsqueeze(-2), -1)
        else:
            t = k
            joined = torch.sum(weights[..., t, :, :] * rows[-1].unsqueeze(-1), -2)
        rows.append(x[..., t, :] + joined)
    return torch.stack(rows[::-1] if backward else rows, -2)


def _pick(x, at, rows, fill):
    """x[rows, at]; fill where at is out of range."""
    n = x.shape[len(rows)]
    if n == 0:
        return torch.full((*at.shape, *x.shape[len(rows) + 1 :]), fill, dtype=x.dtype, device=x.device)
    one = at.ndim == 0  # which by itself would be read on the host
    at = at.reshape(1) if one else at
    inside = (at >= 0) & (at < n)
    found = x[(*rows, torch.clamp(at, 0, n - 1))]
    inside = inside.reshape((*inside.shape, *([1] * (found.ndim - inside.ndim))))
    picked = torch.where(inside, found, fill)
    return picked[0] if one and not rows else picked


def _scatter_add(x, at, rows, shape):
    """Sums x into an array of the given shape at (rows, at); what is out of range is dropped. The sums run in
    float64, where the device has it: one by one, millions of terms would drift."""
    k = len(rows)
    n = shape[k]
    flat = torch.zeros_like(at)
    blocks = 1
    for row, length in zip(rows, shape, strict=False):
        flat = flat * length + row
        blocks = blocks * length
    flat = flat * (n + 1) + torch.where((at >= 0) & (at < n), at, n)
    width = 1
    for length in shape[k + 1 :]:
        width = width * length
    wide = x.dtype if x.device.type == "mps" else torch.float64
    total = torch.zeros((blocks * (n + 1), width), dtype=wide, device=x.device)
    total = total.index_add(0, flat.reshape(-1), x.reshape(at.numel(), width).to(wide))
    total = total.reshape((blocks, n + 1, width))[:, :n]
    return total.reshape(shape).to(x.dtype)

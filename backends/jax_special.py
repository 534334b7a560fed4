"""Special functions that JAX lacks, pasted into modules that use them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import jax.numpy as jnp

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


def _erfcx(x):
    """exp(x²) erfc(x)."""
    size = jnp.abs(x)
    t = 1.0 - 7.5 / (size + 3.75)
    ahead, last = jnp.zeros_like(t), jnp.zeros_like(t)
    for c in _ERFCX[:0:-1]:
        ahead, last = c + 2.0 * t * ahead - last, ahead
    near = (_ERFCX[0] + t * ahead - last) / (1.0 + 2.0 * size)
    low = jnp.clip(x, -30.0, 0.0)
    return jnp.where(x < 0, 2.0 * jnp.exp(low * low) - near, near)

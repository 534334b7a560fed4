"""The JAX backend: products of matrices in the full precision of their type."""

from __future__ import annotations

from losslang.backends.backend import Backend


class _Jax(Backend):
    flushes = True
    keeps_locals = False

    def type_name(self, elem: str) -> str:
        return {"real": "real", "int": "_whole(real)", "bool": "bool"}[elem]

    def reduction(self, op: str, code: str, axes: str, elem: str, real: str) -> str:
        if op in ("max", "min") and elem == "real":
            return f"jnp.{op}({code}, axis={axes}, initial={'-inf' if op == 'max' else 'inf'})"
        if op in ("max", "min"):
            return f"jnp.{op}({code}, axis={axes}, initial=jnp.iinfo({code}.dtype).{'min' if op == 'max' else 'max'})"
        return super().reduction(op, code, axes, elem, real)


BACKEND = _Jax(
    name="jax",
    module="jnp",
    double="jnp.float64",
    double_context="_double()",
    imports=("import jax", "import jax.numpy as jnp"),
    helpers=("jax_helpers.py", "jax_special.py"),
    rows={
        "div": "_ratio({0}, {1})",
        "mod": "jnp.mod({0}, {1})",
        "floor": "jnp.floor({0}).astype(_whole(real))",
        "arange": "jnp.arange({0}, dtype=_whole(real))",
        "stop": "jax.lax.stop_gradient({0})",
        # XLA may subtract the rounded maximum from the exact product that it was the maximum of.
        "exp_below": "jnp.exp(jnp.minimum({0}, 0.0))",
        "sqrt": "_sqrt({0})",
        "erf": "jax.scipy.special.erf({0})",
        "erfc": "jax.scipy.special.erfc({0})",
        "lgamma": "_lgamma({0})",
        "digamma": "_digamma({0})",
        "log1p": "_log1p({0})",
        "asin": "_arcsin({0})",
        "atanh": "_arctanh({0})",
        "contract": "jnp.einsum({spec}, {items}, precision=jax.lax.Precision.HIGHEST)",
    },
)

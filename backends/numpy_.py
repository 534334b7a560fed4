"""The NumPy backend: reductions accumulate in float64, matrix products go to BLAS."""

from __future__ import annotations

from losslang.backends.backend import Backend, Contraction


class _NumPy(Backend):
    def reduction(self, op: str, code: str, axes: str, elem: str, real: str) -> str:
        if op in ("sum", "prod") and elem == "real":
            return f"np.{op}({code}, axis={axes}, dtype=np.float64){_to(real)}"
        if op == "sum":
            return f"np.sum({code}, axis={axes}, dtype=np.int64)"
        if op in ("max", "min") and elem == "real":
            return f"np.{op}({code}, axis={axes}, initial={'-inf' if op == 'max' else 'inf'})"
        if op in ("max", "min"):
            return f"np.{op}({code}, axis={axes}, initial=np.iinfo({code}.dtype).{'min' if op == 'max' else 'max'})"
        return super().reduction(op, code, axes, elem, real)

    def contraction(self, c: Contraction, real: str) -> tuple[str, tuple[str, ...]]:
        if len(c.items) != 2:
            return f"np.einsum({c.spec()!r}, {', '.join(c.items)}, optimize=True)", c.out
        (a, b), (a_dims, b_dims) = c.items, c.dims
        shared = [d for d in a_dims if d in b_dims]
        summed = [d for d in shared if d not in c.out]
        batch = [d for d in shared if d in c.out]
        rows = [d for d in a_dims if d not in b_dims]
        columns = [d for d in b_dims if d not in a_dims]
        direct = summed and all(d in c.out for d in rows + columns)
        if direct and not batch and (rows or columns):
            return f"np.tensordot({a}, {b}, ({_at(a_dims, summed)}, {_at(b_dims, summed)}))", (
                *rows,
                *columns,
            )
        if direct and len(rows) == len(columns) == len(summed) == 1:
            left = _permuted(a, a_dims, (*batch, *rows, *summed))
            right = _permuted(b, b_dims, (*batch, *summed, *columns))
            return f"np.matmul({left}, {right})", (*batch, *rows, *columns)
        return f"np.einsum({c.spec()!r}, {a}, {b}, dtype=np.float64){_to(real)}", c.out


def _to(real: str) -> str:
    """float64 as ``real``."""
    return "" if real == BACKEND.double else f".astype({real})"


def _at(dims: tuple[str, ...], axes: list[str]) -> str:
    inner = ", ".join(str(dims.index(axis)) for axis in axes)
    return f"({inner},)" if len(axes) == 1 else f"({inner})"


def _permuted(code: str, dims: tuple[str, ...], order: tuple[str, ...]) -> str:
    if dims == order:
        return code
    return f"{code}.transpose({', '.join(str(dims.index(d)) for d in order)})"


BACKEND = _NumPy(
    name="numpy",
    module="np",
    imports=("import numpy as np",),
    helpers=("numpy_helpers.py", "numpy_special.py"),
    decorators=('np.errstate(all="ignore")',),
    rows={
        "mod": "np.mod({0}, {1})",
        "floor": "np.floor({0}).astype(np.int64)",
        "stop": "{0}",
        "argsort": 'np.argsort({0}, axis={axis}, kind="stable")',
        "erf": "_erf({0})",
        "erfc": "_erfc({0})",
        "lgamma": "_lgamma({0})",
        "digamma": "_digamma({0})",
    },
)

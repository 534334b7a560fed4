"""What a backend has to say: a table of templates and the few real differences between frameworks.

Methods return code. The base class holds what NumPy and JAX write alike; ``module`` is the name
that the emitted source knows the framework by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Templates that read the same everywhere. ``{0}`` is an argument, in parentheses where it needs them.
COMMON_ROWS: dict[str, str] = {
    "neg": "-{0}",
    "div": "{0} / {1}",
    "eq": "{0} == {1}",
    "ne": "{0} != {1}",
    "lt": "{0} < {1}",
    "le": "{0} <= {1}",
    "not": "~{0}",
    "silence": "_silence({0}, {1})",
    "log_saturated": "{m}.log({m}.maximum({0}, {tiny}))",
    "sigmoid": "_sigmoid({0})",
    "softplus": "_softplus({0})",
    "log1mexp": "_log1mexp({0})",
    "erfcx": "_erfcx({0})",
    "normal_cdf": "_normal_cdf({0})",
    "log_normal_cdf": "_log_normal_cdf({0})",
    "inverse_mills": "_inverse_mills({0})",
    "polygamma": "_polygamma({attr}, {0})",
    "log_bessel_i0": "_log_bessel_i0({0})",
    "bessel_ratio": "_bessel_ratio({0})",
    "argsort": "{m}.argsort({0}, axis={axis}, stable=True)",
    "argmax": "_argmax({0}, {axis})",
    "argmin": "_argmax(-{0}, {axis})",
    "cumlogsumexp": "_cumlogsumexp({0}, {axis})",
    "decay_scan": "_decay_scan({0}, {1}, {axis})",
    "log_chain": "_log_chain({0}, {1})",
    "chain_sum": "_chain_sum({0}, {1}, {backward})",
    "gather": "_pick({0}, {1}, {rows}, {fill})",
    "scatter_add": "_scatter_add({0}, {1}, {rows}, {shape})",
    "sum": "{m}.sum({0}, axis={axes})",
    "prod": "{m}.prod({0}, axis={axes})",
    "max": "{m}.max({0}, axis={axes})",
    "min": "{m}.min({0}, axis={axes})",
    "any": "{m}.any({0}, axis={axes})",
    "all": "{m}.all({0}, axis={axes})",
    "broadcast": "{m}.broadcast_to({0}, {shape})",
    "transpose": "{0}.transpose({order})",
    "reshape": "{0}.reshape({shape})",
    "stack": "{m}.stack([{items}], axis={axis})",
    "arange": "{m}.arange({0})",
    "full": "{m}.full({shape}, {0}, {type})",
    "where": "{m}.where({0}, {1}, {2})",
    "contract": "{m}.einsum({spec}, {items})",
    "result": "{m}.asarray({0}, dtype={type})",
    "widen": "{0}.astype({double})",
    "narrow": "{0}.astype(real)",
    "exp_below": "{m}.exp({0})",
    "limit": "float({m}.finfo(real).{attr})",
}

_SAME_NAME = (
    "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "logaddexp", "hypot",
    "minimum", "maximum", "abs", "sign",
)  # fmt: skip
_INVERSE = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
            "atanh": "arctanh"}  # fmt: skip
_FUNCTION_ROW = "{{m}}.{name}({{args}})"

COMMON_ROWS.update({op: _FUNCTION_ROW.format(name=op) for op in _SAME_NAME})
COMMON_ROWS.update({op: _FUNCTION_ROW.format(name=name) for op, name in _INVERSE.items()})

#: Ops that the emitter writes itself, the same on every backend, out of other rows.
SHARED_OPS = frozenset(
    {
        "const", "computed_as", "input", "index", "size", "add", "mul", "and", "or", "select", "clip", "pow", "to_real", "to_int",
        "count", "cumsum", "reverse_cumsum", "logsumexp", "softmax", "log_softmax", "rename", "merge", "unmerge",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Contraction:
    """A sum of products: the code and dimensions of each factor, and the dimensions of the result."""

    items: tuple[str, ...]
    dims: tuple[tuple[str, ...], ...]
    out: tuple[str, ...]

    def spec(self) -> str:
        """The subscripts of einsum."""
        axes = list(dict.fromkeys(axis for dims in (*self.dims, self.out) for axis in dims))
        letter = dict(zip(axes, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", strict=False))
        inputs = ",".join("".join(letter[a] for a in dims) for dims in self.dims)
        return f"{inputs}->{''.join(letter[a] for a in self.out)}"


@dataclass(frozen=True)
class Backend:
    """One framework. Functions of the files ``helpers`` are pasted into modules that use them."""

    name: str
    module: str
    imports: tuple[str, ...]
    helpers: tuple[str, ...]
    rows: Mapping[str, str] = field(default_factory=dict)
    decorators: tuple[str, ...] = ()

    def row(self, op: str) -> str:
        return self.rows[op] if op in self.rows else COMMON_ROWS[op]

    def supports(self, op: str) -> bool:
        return op in self.rows or op in COMMON_ROWS or op in SHARED_OPS

    #: Whether functions of the framework take arrays only, no Python numbers.
    arrays_only = False

    #: Whether the framework has no numbers below the smallest normal one.
    flushes = False

    def type_name(self, elem: str) -> str:
        """The name of the type that carries an element class."""
        return {"real": "real", "int": f"{self.module}.int64", "bool": f"{self.module}.bool_"}[elem]

    #: Whether arrays live as long as the names of a function that hold them.
    keeps_locals = True

    #: Double precision, and what a function that uses it must stand in.
    double: str = "np.float64"
    double_context: str | None = None

    def cast(self, code: str, type: str) -> str:
        return f"{code}.astype({type})"

    def reduction(self, op: str, code: str, axes: str, elem: str, real: str) -> str:
        """The code of a reduction; ``elem`` is the element class of the result, ``real`` the type of real ones."""
        return self.row(op).format(code, m=self.module, axes=axes)

    def cumulative(self, code: str, axis: int, reverse: bool, elem: str) -> str:
        return f"_cumsum({code}, {axis}, {reverse})"

    def contraction(self, c: Contraction, real: str) -> tuple[str, tuple[str, ...]]:
        """The code of a contraction whose result has the type ``real``, and the order of its dimensions."""
        return self.row("contract").format(
            spec=repr(c.spec()), items=", ".join(c.items), m=self.module
        ), c.out

    def power(self, base: str, exponent: str) -> str:
        return f"{self.module}.power({base}, {exponent})"

    def device_code(self, parameters: Sequence[tuple[str, int]]) -> str | None:
        """A statement that says where to put new arrays; parameters are (name, rank)."""
        return None

"""Expressions, one class for each form of section 6 of the language reference, and kinds as written.

Chains of ``+ - * / %`` and of ``and``/``or`` are flat: a sum of a thousand terms is one node, so
its length never counts as nesting. Parentheses leave no node; the printer puts back those needed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from losslang.model.base import Node


class AxisRef(Node):
    """``batch``, or a pack of axes ``*region``. The name of an anonymous pack ``[*]`` is empty."""

    name: str
    pack: bool = False


class Number(Node):
    """A literal; ``text`` is how it was written (``200_000``, ``1e-4``)."""

    type: Literal["number"] = "number"
    value: float | int
    text: str


class Name(Node):
    """A value, an axis used as its index, or ``pi`` and ``inf``."""

    type: Literal["name"] = "name"
    id: str


class Where(Node):
    """The axes of an operation with their mask and weight: ``[batch, time where M by w]``."""

    axes: tuple[AxisRef, ...]
    where: Expression | None = None
    by: Expression | None = None


class KeywordArgument(Node):
    name: str
    value: Expression


class Call(Node):
    """``f[axes where M by w](positional, name = value)``; ``along`` is None without brackets."""

    type: Literal["call"] = "call"
    function: str
    along: Where | None = None
    args: tuple[Expression, ...] = ()
    kwargs: tuple[KeywordArgument, ...] = ()


class Pick(Node):
    """``[c = y]``; ``at`` is any integer expression or a named place of the axis."""

    type: Literal["pick"] = "pick"
    axis: str
    at: Expression


class Rename(Node):
    """``[n -> other]``; several ``axes`` are merged into one: ``[(h, w) -> pixel]``."""

    type: Literal["rename"] = "rename"
    axes: tuple[str, ...]
    to: str


class Index(Node):
    """One postfix bracket; its picks and renames are simultaneous."""

    type: Literal["index"] = "index"
    base: Expression
    items: tuple[Annotated[Pick | Rename, Field(discriminator="type")], ...]


class Unary(Node):
    """Unary minus."""

    type: Literal["negative"] = "negative"
    operand: Expression


class Not(Node):
    type: Literal["not"] = "not"
    operand: Expression


class Power(Node):
    type: Literal["power"] = "power"
    base: Expression
    exponent: Expression


class Link(Node):
    """An operator of a chain with the operand to its right."""

    op: Literal["+", "-", "*", "/", "%"]
    operand: Expression


class Chain(Node):
    """``first op operand op operand …``, read from the left; all ops are of one precedence."""

    type: Literal["chain"] = "chain"
    first: Expression
    rest: tuple[Link, ...]


class Compare(Node):
    type: Literal["compare"] = "compare"
    op: Literal["==", "!=", "<", "<=", ">", ">="]
    left: Expression
    right: Expression


class And(Node):
    type: Literal["and"] = "and"
    operands: tuple[Expression, ...]


class Or(Node):
    type: Literal["or"] = "or"
    operands: tuple[Expression, ...]


class If(Node):
    type: Literal["if"] = "if"
    condition: Expression
    then: Expression
    otherwise: Expression


class Binding(Node):
    name: str
    value: Expression


class Let(Node):
    """``let a = E, b = F in G``; later bindings see earlier ones."""

    type: Literal["let"] = "let"
    bindings: tuple[Binding, ...]
    body: Expression


class Array(Node):
    """``[a, b] along item``; rows of a nested literal are ``Array`` nodes without ``axes``."""

    type: Literal["array"] = "array"
    items: tuple[Expression, ...]
    axes: tuple[str, ...] = ()


class As(Node):
    """``EXPR as KIND``."""

    type: Literal["as"] = "as"
    value: Expression
    kind: KindExpr


class Tilde(Node):
    """``y ~ normal(mu, sigma)``, the argument of ``nll``."""

    type: Literal["tilde"] = "tilde"
    value: Expression
    dist: Expression


class Matching(Node):
    """``theta matching "*.weight" except "*norm*"``."""

    type: Literal["matching"] = "matching"
    value: Expression
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()


class Each(Node):
    """``each[i in *axes](EXPR)``: the sum of EXPR with ``i`` standing for each axis of the pack."""

    type: Literal["each"] = "each"
    variable: str
    pack: str
    body: Expression


Expression = Annotated[
    Number | Name | Call | Index | Unary | Not | Power | Chain | Compare | And | Or | If | Let | Array | As
    | Tilde | Matching | Each,
    Field(discriminator="type"),
]  # fmt: skip


class KindExpr(Node):
    """``label[batch, *pixel] of vocab ignoring -100``; ``axes`` is None without brackets.

    ``each`` names the axis of a collection: ``real[batch, *shape] each layer``.
    """

    name: str
    axes: tuple[AxisRef, ...] | None = None
    over: str | None = None
    of: str | None = None
    ignoring: int | None = None
    each: str | None = None


class Range(Node):
    """The numbers a hyperparameter may take: ``> 0``, ``>= 0``, ``in [0, 1)``. None is unbounded.

    Bounds are constant expressions. ``interval`` says which of the two forms was written.
    """

    low: Expression | None = None
    high: Expression | None = None
    low_open: bool = False
    high_open: bool = False
    interval: bool = False


class Param(Node):
    """A parameter of a ``def``, ``dist``, ``extern`` or ``rule``; without a kind it is ``real``."""

    name: str
    kind: KindExpr | None = None
    default: Expression | None = None

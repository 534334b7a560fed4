"""Statements and files, in the order in which they were written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from losslang.model.base import Node
from losslang.model.expressions import AxisRef, Expression, KeywordArgument, KindExpr, Param, Range


class Comment(Node):
    """``# text`` with its position; ``text`` is without the mark."""

    text: str


class Import(Node):
    type: Literal["import"] = "import"
    path: str


class Input(Node):
    type: Literal["input"] = "input"
    name: str
    kind: KindExpr
    doc: str | None = None


class Hyper(Node):
    """``default`` is None where none was given, which the checker refuses."""

    type: Literal["hyper"] = "hyper"
    name: str
    kind: KindExpr
    range: Range | None = None
    default: Expression | None = None
    doc: str | None = None


class AxisDecl(Node):
    """``axis class = 5`` has a ``size``; ``axis coord = (x1, y1)`` has ``places``."""

    type: Literal["axis"] = "axis"
    name: str
    size: int | None = None
    places: tuple[str, ...] = ()
    doc: str | None = None


class LetStatement(Node):
    type: Literal["let_statement"] = "let_statement"
    name: str
    value: Expression
    doc: str | None = None


class Term(Node):
    type: Literal["term"] = "term"
    name: str
    value: Expression
    doc: str | None = None


class Report(Node):
    type: Literal["report"] = "report"
    name: str
    value: Expression
    doc: str | None = None


class Minimize(Node):
    type: Literal["minimize"] = "minimize"
    value: Expression
    doc: str | None = None


LossStatement = Annotated[
    Input | Hyper | AxisDecl | LetStatement | Term | Report | Minimize, Field(discriminator="type")
]


class Loss(Node):
    """``loss NAME`` with the statements that follow it."""

    type: Literal["loss"] = "loss"
    name: str
    doc: str | None = None
    body: tuple[LossStatement, ...] = ()


class Variant(Node):
    """``loss NAME = OTHER with a = 1, b = 2``."""

    type: Literal["variant"] = "variant"
    name: str
    base: str
    overrides: tuple[KeywordArgument, ...] = ()
    doc: str | None = None


class Def(Node):
    """``def NAME[axes](params) "doc" = EXPR``."""

    type: Literal["def"] = "def"
    name: str
    axes: tuple[AxisRef, ...] = ()
    params: tuple[Param, ...] = ()
    doc: str | None = None
    body: Expression


class Dist(Node):
    """``dist NAME[axes](params) at x: KIND "doc" = LOG-DENSITY``."""

    type: Literal["dist"] = "dist"
    name: str
    axes: tuple[AxisRef, ...] = ()
    params: tuple[Param, ...] = ()
    at: Param
    doc: str | None = None
    body: Expression


class Kl(Node):
    """``kl normal(a, b), normal(c, d) = EXPR``: the names are bound in EXPR."""

    type: Literal["kl"] = "kl"
    left: str
    left_axes: tuple[AxisRef, ...] = ()
    left_params: tuple[str, ...]
    right: str
    right_axes: tuple[AxisRef, ...] = ()
    right_params: tuple[str, ...]
    doc: str | None = None
    body: Expression


class Extern(Node):
    """``extern NAME[axes](params) : KIND``."""

    type: Literal["extern"] = "extern"
    name: str
    axes: tuple[AxisRef, ...] = ()
    params: tuple[Param, ...] = ()
    result: KindExpr
    doc: str | None = None


class Rule(Node):
    """``rule NAME[axes](params) : PATTERN => REPLACEMENT when COND``."""

    type: Literal["rule"] = "rule"
    name: str
    axes: tuple[AxisRef, ...] = ()
    params: tuple[Param, ...] = ()
    pattern: Expression
    replacement: Expression
    when: Expression | None = None
    doc: str | None = None


class Check(Node):
    """``check EXPR == NUMBER within TOL``, or with ``<``, ``<=``, ``>``, ``>=``, ``!=``."""

    type: Literal["check"] = "check"
    value: Expression
    op: Literal["==", "!=", "<", "<=", ">", ">="]
    expected: Expression
    within: Expression | None = None
    doc: str | None = None


Statement = Annotated[
    Import | Input | Hyper | AxisDecl | LetStatement | Term | Report | Minimize | Loss | Variant | Def | Dist
    | Kl | Extern | Rule | Check,
    Field(discriminator="type"),
]  # fmt: skip


class File(Node):
    """A whole file: shared inputs, hypers, axes and lets, definitions and losses, in order."""

    statements: tuple[Statement, ...] = ()
    comments: tuple[Comment, ...] = ()

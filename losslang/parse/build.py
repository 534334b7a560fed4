"""Syntax nodes from the right-hand sides of the grammar's rules.

One function for each rule that is not a mere step of precedence, named as in the grammar. It gets
the list of problems found so far (to add to), the children that the rule keeps (texts of tokens,
nodes, None for an absent part) and the span of the whole.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from losslang.model import (
    And,
    Array,
    As,
    AxisDecl,
    AxisRef,
    Binding,
    Call,
    Chain,
    Check,
    Compare,
    Def,
    Dist,
    Each,
    Extern,
    File,
    Hyper,
    If,
    Import,
    Index,
    Input,
    KeywordArgument,
    KindExpr,
    Kl,
    Let,
    LetStatement,
    Link,
    Loss,
    Matching,
    Minimize,
    Name,
    Node,
    Not,
    Number,
    Or,
    Param,
    Pick,
    Power,
    Range,
    Rename,
    Report,
    Rule,
    Term,
    Tilde,
    Unary,
    Variant,
    Where,
)  # fmt: skip
from losslang.source import Span

#: A problem: the id of a row of the table of mistakes, the place, what to put into its message.
Problem = tuple[str, Span, dict[str, str]]
Build = Callable[[list[Problem], list[Any], Span], Any]

LARGEST = 1.7976931348623157e308
DEPTH = 100
#: After so many problems nobody reads on, and the parser stops.
MOST_PROBLEMS = 30


def _text(literal: str) -> str:
    """A string's text: without the quotes, ``\\"`` and ``\\\\`` undone, continuation lines dedented."""
    text = literal[1:-1]
    if "\\" in text:
        text = re.sub(r'\\(["\\])', r"\1", text)
    return inspect.cleandoc(text) if "\n" in text else text.strip()


def _doc(literal: str | None) -> str | None:
    return None if literal is None else _text(literal)


# -- statements ---------------------------------------------------------------------------------


def import_(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Import.make(span=span, path=_text(c[0]))


def input(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Input.make(span=span, name=c[0], kind=c[1], doc=_doc(c[2]))


def hyper(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Hyper.make(span=span, name=c[0], kind=c[1], range=c[2], default=c[3], doc=_doc(c[4]))


def axis_(problems: list[Problem], c: list[Any], span: Span) -> Node:
    if isinstance(c[1], tuple):
        return AxisDecl.make(span=span, name=c[0], places=c[1], doc=_doc(c[2]))
    return AxisDecl.make(span=span, name=c[0], size=c[1], doc=_doc(c[2]))


def let_(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return LetStatement.make(span=span, name=c[0], value=c[1], doc=_doc(c[2]))


def term(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Term.make(span=span, name=c[0], value=c[1], doc=_doc(c[2]))


def report(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Report.make(span=span, name=c[0], value=c[1], doc=_doc(c[2]))


def minimize(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Minimize.make(span=span, value=c[0], doc=_doc(c[1]))


def loss(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Loss.make(span=span, name=c[0], doc=_doc(c[1]))


def variant(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Variant.make(span=span, name=c[0], base=c[1], overrides=c[2] or (), doc=_doc(c[3]))


def def_(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Def.make(span=span, name=c[0], axes=c[1] or (), params=c[2], doc=_doc(c[4]), body=c[3])


def def_headed(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return def_(problems, [*c[:3], c[4], c[3]], span)


def dist(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Dist.make(
        span=span, name=c[0], axes=c[1] or (), params=c[2], at=c[3], doc=_doc(c[5]), body=c[4]
    )  # fmt: skip


def dist_headed(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return dist(problems, [*c[:4], c[5], c[4]], span)


def kl(problems: list[Problem], c: list[Any], span: Span) -> Node:
    left, left_axes, left_params, right, right_axes, right_params, body, doc = c
    return Kl.make(
        span=span, left=left, left_axes=left_axes or (), left_params=left_params, right=right,
        right_axes=right_axes or (), right_params=right_params, doc=_doc(doc), body=body,
    )  # fmt: skip


def kl_headed(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return kl(problems, [*c[:6], c[7], c[6]], span)


def extern(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Extern.make(span=span, name=c[0], axes=c[1] or (), params=c[2], result=c[3], doc=_doc(c[4]))


def rule(problems: list[Problem], c: list[Any], span: Span) -> Node:
    name, axes_, params_, pattern, replacement, when, doc = c
    return Rule.make(
        span=span, name=name, axes=axes_ or (), params=params_, pattern=pattern, replacement=replacement,
        when=when, doc=_doc(doc),
    )  # fmt: skip


def rule_headed(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return rule(problems, [*c[:3], *c[4:], c[3]], span)


def check(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Check.make(span=span, value=c[0], op=c[1], expected=c[2], within=c[3], doc=_doc(c[4]))


# -- parts of statements ------------------------------------------------------------------------


def kind(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return KindExpr.make(span=span, name=c[0], axes=c[1], over=c[2], of=c[3], ignoring=c[4], each=c[5])


def axis(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return AxisRef.make(span=span, name="" if c[-1] == "*" else c[-1], pack=c[0] == "*")


def param(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Param.make(span=span, name=c[0], kind=c[1], default=c[2])


def drawn(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Param.make(span=span, name=c[0], kind=c[1])


def setting(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return KeywordArgument.make(span=span, name=c[0], value=c[1])


def size(problems: list[Problem], c: list[Any], span: Span) -> int:
    number = _number(problems, c[0], span)
    if not isinstance(number, int) or number < 1:
        problems.append(("axis-size", span, {"text": c[0]}))
        return 1
    return number


def integer(problems: list[Problem], c: list[Any], span: Span) -> int:
    number = _number(problems, c[-1], span)
    if not isinstance(number, int):
        problems.append(("not-an-integer", span, {"text": "".join(c)}))
        return -1
    return -number if len(c) > 1 else number


def above(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Range.make(span=span, low=c[1], low_open=c[0] == ">", high_open=True)


def below(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Range.make(span=span, high=c[1], low_open=True, high_open=c[0] == "<")


def between(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Range.make(span=span, low=c[1], low_open=c[0] == ">", high=c[3], high_open=c[2] == "<")


def interval(problems: list[Problem], c: list[Any], span: Span) -> Node:
    opening, low, high, closing = c
    return Range.make(
        span=span, low=low, high=high, low_open=opening == "(", high_open=closing == ")", interval=True
    )


def _items(problems: list[Problem], c: list[Any], span: Span) -> tuple[Any, ...]:
    return () if c[0] is None else tuple(c)


def patterns(problems: list[Problem], c: list[Any], span: Span) -> tuple[str, ...]:
    return tuple(_text(literal) for literal in c)


# -- expressions --------------------------------------------------------------------------------


def name(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Name.make(span=span, id=c[0])


def number(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Number.make(span=span, value=_number(problems, c[0], span), text=c[0])


_WELL_FORMED = re.compile(r"(\d+(_\d+)*)?(\.(\d+(_\d+)*)?)?([eE][+-]?\d+(_\d+)*)?")


def _number(problems: list[Problem], text: str, span: Span) -> int | float:
    if text.isdecimal() and len(text) < 300 and text.isascii():
        return int(text)
    if not _WELL_FORMED.fullmatch(text) or not text.isascii():
        problems.append(("malformed-number", span, {"text": text[:40]}))
        return 1.0
    value = float(text)
    if value > LARGEST:
        problems.append(("number-too-large", span, {"text": text[:40]}))
        return 1.0
    return int(text) if text.replace("_", "").isdecimal() else value


def if_(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return If.make(span=span, condition=c[0], then=c[1], otherwise=c[2])


def let_in(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Let.make(span=span, bindings=c[0], body=c[1])


def binding(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Binding.make(span=span, name=c[0], value=c[1])


def or_(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Or.make(span=span, operands=tuple(c))


def and_(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return And.make(span=span, operands=tuple(c))


def not_(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Not.make(span=span, operand=c[0])


def compare(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Compare.make(span=span, left=c[0], op=c[1], right=c[2])


def tilde(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Tilde.make(span=span, value=c[0], dist=c[1])


def as_(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return As.make(span=span, value=c[0], kind=c[1])


def _chain(problems: list[Problem], c: list[Any], span: Span) -> Node:
    links = tuple(
        Link.make(span=operand.span, op=op, operand=operand)
        for op, operand in zip(c[1::2], c[2::2], strict=True)
    )
    return Chain.make(span=span, first=c[0], rest=links)


sum_chain = product_chain = _chain


def negative(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Unary.make(span=span, operand=c[0])


def raised(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Power.make(span=span, base=c[0], exponent=c[1])


def matching(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Matching.make(span=span, value=c[0], include=c[1], exclude=c[2] or ())


def call(problems: list[Problem], c: list[Any], span: Span) -> Node:
    args, kwargs = c[2] or ((), ())
    return Call.make(span=span, function=c[0], along=c[1], args=args, kwargs=kwargs)


def size_of(problems: list[Problem], c: list[Any], span: Span) -> Node:
    """``size[batch]``: the one function that works on axes alone."""
    if c[0] != "size":
        problems.append(("operation-without-argument", span, {"name": c[0]}))
    return Call.make(span=span, function=c[0], along=c[1])


def arguments(problems: list[Problem], c: list[Any], span: Span) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    args = tuple(a for a in c if type(a) is not KeywordArgument)
    if len(args) == len(c):
        return args, ()
    for i in range(1, len(c)):
        if type(c[i - 1]) is KeywordArgument and type(c[i]) is not KeywordArgument:
            problems.append(("positional-after-named", c[i].span, {"name": c[i - 1].name}))
            break
    return args, tuple(a for a in c if type(a) is KeywordArgument)


def keyword(problems: list[Problem], c: list[Any], span: Span) -> Node:
    if c[0] in ("dim", "keepdim", "keepdims") and isinstance(c[1], Unary | Number):
        problems.append(("positional-axis", span, {"text": c[0]}))
    return KeywordArgument.make(span=span, name=c[0], value=c[1])


def along(problems: list[Problem], c: list[Any], span: Span) -> Node:
    *axes_, where, by = c
    return Where.make(span=span, axes=tuple(axes_), where=where, by=by)


def along_reversed(problems: list[Problem], c: list[Any], span: Span) -> Node:
    *axes_, by, where = c
    return Where.make(span=span, axes=tuple(axes_), where=where, by=by)


def index(problems: list[Problem], c: list[Any], span: Span) -> Node:
    base = c[0]
    if isinstance(base, str):
        start = Span(span.line, span.column, span.line, span.column + len(base))
        base = Name.make(span=start, id=base)
    depth, inner = 1, base
    while type(inner) is Index:
        depth, inner = depth + 1, inner.base
    if depth > DEPTH:
        problems.append(("too-deep", span, {}))
        base = inner
    return Index.make(span=span, base=base, items=tuple(c[1:]))


def pick(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Pick.make(span=span, axis=c[0], at=c[1])


def rename(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Rename.make(span=span, axes=(c[0],), to=c[1])


def merge(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Rename.make(span=span, axes=tuple(c[:-1]), to=c[-1])


def merge_pack(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Rename.make(span=span, axes=(f"*{c[-2]}",), to=c[-1])


def each(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Each.make(span=span, variable=c[1], pack=c[2], body=c[3])


def rows(problems: list[Problem], c: list[Any], span: Span) -> Node:
    return Array.make(span=span, items=tuple(c))


def array(problems: list[Problem], c: list[Any], span: Span) -> Node:
    axes_ = c[1] if isinstance(c[1], tuple) else (c[1],)
    return Array.make(span=span, items=c[0].items, axes=axes_)


def start(problems: list[Problem], c: list[Any], span: Span) -> list[Any]:
    return c


#: By the name of the rule. The rules that only gather items share one function.
BUILDERS: dict[str, Build] = {
    f.__name__: f
    for f in (
        import_, input, hyper, axis_, let_, term, report, minimize, loss, variant, def_, def_headed, dist,
        dist_headed, kl, kl_headed, extern, rule, rule_headed, check, kind, axis, param, drawn, setting, size,
        integer, above, below, between, interval, patterns, name, number, if_, let_in, binding, or_, and_,
        not_, compare, tilde, as_, negative, raised, matching, call, size_of, arguments, keyword, along, along_reversed,
        index, pick, rename, merge, merge_pack, each, rows, array, start,
    )
} | dict.fromkeys(("axes", "params", "names", "settings", "bindings"), _items) | dict.fromkeys(
    ("sum_chain", "product_chain"), _chain
)  # fmt: skip


# -- files --------------------------------------------------------------------------------------

_ENDS_A_LOSS = (Loss, Variant, Def, Dist, Kl, Extern, Rule)
_OF_THE_FILE = (Def, Dist, Kl, Extern)
_OF_A_LOSS = (Input, Hyper, AxisDecl, LetStatement, Term, Report, Minimize)


def file(statements: list[Any], comments: list[Any]) -> File:
    """A file from its statements in a row: those after ``loss NAME`` are its body.

    A definition among them is the file's; it ends the loss only if that has said what to minimize.
    """
    out: list[Any] = []
    body: list[Any] = []
    current: Loss | None = None
    place = 0
    for statement in statements:
        if current is not None and isinstance(statement, _OF_A_LOSS):
            body.append(statement)
            continue
        unfinished = not any(isinstance(s, Minimize) for s in body)
        if current is not None and unfinished and isinstance(statement, _OF_THE_FILE):
            out.append(statement)
            continue
        if current is not None and isinstance(statement, _ENDS_A_LOSS):
            out[place] = _with_body(current, body)
            current, body = None, []
        if type(statement) is Loss:
            current, place = statement, len(out)
        out.append(statement)
    if current is not None:
        out[place] = _with_body(current, body)
    span = statements[0].span.to(statements[-1].span) if statements else Span(1, 1, 1, 1)
    return File.make(span=span, statements=tuple(out), comments=tuple(comments))


def _with_body(head: Loss, body: list[Any]) -> Loss:
    span = head.span.to(body[-1].span) if body else head.span
    return Loss.make(span=span, name=head.name, doc=head.doc, body=tuple(body))

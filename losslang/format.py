"""Model to text: the canonical layout of a spec.

Parsing the printed text gives an equal model, and printing that gives the same text. Parentheses
are printed where the grammar needs them and nowhere else. Comments, which the model keeps by
place only, are put back before or behind the statement that they stood at.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from losslang import model as m

WIDTH = 100
INDENT = "  "

# How tightly a form binds, as the ladder of the grammar has it; an operand looser than its place
# needs parentheses.
OPEN, OR, AND, NOT, COMPARE, OPERAND, SUM, PRODUCT, UNARY, POWER, POSTFIX, APPLIED = range(12)


def format_text(text: str, path: str | None = None) -> str:
    """A spec's text in canonical layout.

    Raises:
        SpecError: the text has syntax errors.
    """
    from losslang.errors import SpecError
    from losslang.parse import parse

    file, problems = parse(text, path)
    if file is None or problems:
        raise SpecError(problems)
    return format_file(file)


def format_file(file: m.File) -> str:
    """The text of a file, ending with a newline unless there is nothing in it."""
    blocks = _Layout(file).blocks()
    return "\n".join(blocks) + "\n" if blocks else ""


def format_expression(node: Any) -> str:
    """An expression (or any part of one) on one line."""
    return _expression(node, OPEN)


# -- files ----------------------------------------------------------------------------------------


class _Layout:
    """Prints statement by statement, handing out the comments in order."""

    def __init__(self, file: m.File) -> None:
        self.file = file
        self.comments = sorted(file.comments, key=lambda c: c.span)

    def blocks(self) -> list[str]:
        lines: list[str] = []
        previous: Any = None
        for run in _runs(self.file.statements):
            lines += self._run(run, "", previous)
            previous = run[-1]
        rest = self._until(None)
        if rest and lines:
            lines.append("")
        return lines + _comment_lines(rest, "")

    def _run(self, run: Sequence[Any], indent: str, previous: Any) -> list[str]:
        """Statements of one kind in a row, their signs aligned under each other."""
        lines: list[str] = []
        heads = _heads(run)
        for statement, head in zip(run, heads, strict=True):
            before = self._until(statement.span[:2])
            inner = [] if isinstance(statement, m.Loss) else self._within(statement)
            if _apart(previous, statement, indent):
                lines.append("")
            lines += _comment_lines(before, indent, statement.span.line)
            text = _statement_lines(statement, head, indent)
            if len(inner) == 1 and len(text) == 1 and inner[0].span.line == statement.span.end_line:
                text[-1] += f"  # {inner[0].text}".rstrip()
            else:
                lines += _comment_lines(inner, indent)
            lines += text
            if isinstance(statement, m.Loss):
                lines += self._body(statement)
            previous = statement
        return lines

    def _body(self, loss: m.Loss) -> list[str]:
        lines: list[str] = []
        for run in _runs(loss.body):
            if lines or loss.doc:
                lines.append("")
            lines += self._run(run, INDENT, run[0])
        return lines

    def _until(self, place: tuple[int, ...] | None) -> list[m.Comment]:
        taken = []
        while self.comments and (place is None or self.comments[0].span[:2] < place):
            taken.append(self.comments.pop(0))
        return taken

    def _within(self, statement: Any) -> list[m.Comment]:
        """The comments inside of a statement and behind it on its last line."""
        taken = []
        while self.comments and self.comments[0].span.line <= statement.span.end_line:
            taken.append(self.comments.pop(0))
        return taken


def _comment_lines(comments: Sequence[m.Comment], indent: str, following: int | None = None) -> list[str]:
    """Comments on lines of their own, with one empty line wherever there were some."""
    lines = []
    for i, comment in enumerate(comments):
        lines.append(f"{indent}# {comment.text}".rstrip())
        after = comments[i + 1].span.line if i + 1 < len(comments) else following
        if after is not None and after > comment.span.line + 1:
            lines.append("")
    return lines


def _runs(statements: Iterable[Any]) -> Iterator[list[Any]]:
    """Neighbours of one kind."""
    run: list[Any] = []
    for statement in statements:
        if run and type(statement) is not type(run[-1]):
            yield run
            run = []
        run.append(statement)
    if run:
        yield run


_LINES = (
    m.Input,
    m.Hyper,
    m.AxisDecl,
    m.LetStatement,
    m.Term,
    m.Report,
    m.Import,
    m.Minimize,
    m.Variant,
    m.Extern,
)


def _apart(previous: Any, statement: Any, indent: str) -> bool:
    """Whether an empty line goes between two statements."""
    if previous is None or indent:
        return False
    if isinstance(statement, m.Check):
        return not isinstance(previous, m.Check | m.Def | m.Dist | m.Kl)
    return type(previous) is not type(statement) or not isinstance(statement, _LINES)


# -- statements -------------------------------------------------------------------------------------


def _heads(run: Sequence[Any]) -> list[str]:
    """What stands before the first aligned sign of each statement of a run."""
    heads = [_head(s) for s in run]
    if isinstance(run[0], m.Input | m.Hyper | m.LetStatement | m.Term | m.Report | m.AxisDecl):
        width = max(map(_width, heads))
        heads = [_pad(h, width) for h in heads]
    if isinstance(run[0], m.Hyper):
        heads = [f"{h} : {_kind(s.kind)}{_range(s.range)}" for h, s in zip(heads, run, strict=True)]
        width = max(map(_width, heads))
        heads = [_pad(h, width) if s.default is not None else h for h, s in zip(heads, run, strict=True)]
    return heads


def _head(statement: Any) -> str:
    words: dict[type, str] = {m.LetStatement: "let", m.AxisDecl: "axis"}
    word = words.get(type(statement), type(statement).__name__.lower())
    return f"{word} {statement.name}" if hasattr(statement, "name") else word


def _statement_lines(s: Any, head: str, indent: str) -> list[str]:
    if isinstance(s, m.Def | m.Dist | m.Kl | m.Rule):
        return _definition(s)
    if isinstance(s, m.Loss):
        return [f"loss {s.name}", *_doc_lines(s.doc, INDENT)]
    line = indent + _LINE[type(s)](s, head)
    doc = getattr(s, "doc", None)
    if doc is None:
        return [line]
    if "\n" in doc or _width(line) + len(doc) + 4 > WIDTH:
        return [line, *_doc_lines(doc, indent + INDENT)]
    return [f"{line}  {_string(doc)}"]


def _axis_value(s: m.AxisDecl) -> str:
    return f"({', '.join(s.places)})" if s.size is None else str(s.size)


def _variant(s: m.Variant, head: str) -> str:
    settings = ", ".join(f"{o.name} = {_expression(o.value, OPEN)}" for o in s.overrides)
    return f"loss {s.name} = {s.base}" + (f" with {settings}" if settings else "")


def _check(s: m.Check, head: str) -> str:
    within = "" if s.within is None else f" within {_expression(s.within, OPERAND)}"
    return f"check {_expression(s.value, OPERAND)} {s.op} {_expression(s.expected, OPERAND)}{within}"


def _named(s: Any, head: str) -> str:
    return f"{head} = {_expression(s.value, OPEN)}"


_LINE: dict[type, Callable[[Any, str], str]] = {
    m.Import: lambda s, head: f"import {_string(s.path)}",
    m.Input: lambda s, head: f"{head} : {_kind(s.kind)}",
    m.Hyper: lambda s, head: head if s.default is None else f"{head} = {_expression(s.default, OPEN)}",
    m.AxisDecl: lambda s, head: f"{head} = {_axis_value(s)}",
    m.LetStatement: _named,
    m.Term: _named,
    m.Report: _named,
    m.Minimize: lambda s, head: f"minimize {_expression(s.value, OPEN)}",
    m.Variant: _variant,
    m.Extern: lambda s, head: f"extern {s.name}{_axes(s.axes)}({_params(s.params)}) : {_kind(s.result)}",
    m.Check: _check,
}


def _definition(s: Any) -> list[str]:
    doc = _doc_lines(s.doc, INDENT)
    if isinstance(s, m.Rule):
        when = "" if s.when is None else f" when {_expression(s.when, OPEN)}"
        head = f"rule {s.name}{_axes(s.axes)}({_params(s.params)})"
        return [
            head,
            *doc,
            f"{INDENT}: {_expression(s.pattern, OPEN)} => {_expression(s.replacement, OPEN)}{when}",
        ]
    if isinstance(s, m.Kl):
        left = f"{s.left}{_axes(s.left_axes)}({', '.join(s.left_params)})"
        head = f"kl {left}, {s.right}{_axes(s.right_axes)}({', '.join(s.right_params)})"
    else:
        head = f"{type(s).__name__.lower()} {s.name}{_axes(s.axes)}({_params(s.params)})"
    if isinstance(s, m.Dist):
        head += f" at {_param(s.at)}"
    return [head, *doc, *_body(s.body)]


def _body(body: Any) -> list[str]:
    """``= EXPR``: a `let` or an `if` that is too long for a line is broken before ``in`` and ``else``."""
    line = f"{INDENT}= {_expression(body, OPEN)}"
    lines = [f"{INDENT}= "]
    inner = INDENT * 2
    while _width(line) > WIDTH and isinstance(body, m.Let | m.If):
        if isinstance(body, m.Let):
            opening = ["let "]
            for binding in body.bindings:
                part = f"{binding.name} = {_expression(binding.value, OPEN)}"
                if _width(opening[-1]) + _width(part) > WIDTH - 8 and opening[-1].strip() not in ("let", ""):
                    opening.append(inner)
                opening[-1] += f"{part}, "
            opening = [line.rstrip() for line in opening]
            opening[-1] = opening[-1].removesuffix(",")
            lines[-1] += opening[0]
            lines += [f"{inner}{o}" for o in opening[1:]]
            lines.append(f"{inner}in ")
            body = body.body
        else:
            lines[-1] += f"if {_expression(body.condition, OPEN)} then {_expression(body.then, OPEN)}"
            lines.append(f"{inner}else ")
            body = body.otherwise
        line = lines[-1] + _expression(body, OPEN)
    lines[-1] += _expression(body, OPEN)
    return lines


def _doc_lines(doc: str | None, indent: str) -> list[str]:
    if doc is None:
        return []
    first, *rest = _string(doc).split("\n")
    return [indent + first, *(f"{indent} {line}" if line else "" for line in rest)]


# -- parts --------------------------------------------------------------------------------------------


def _axes(axes: Sequence[m.AxisRef]) -> str:
    return f"[{', '.join(map(_axis, axes))}]" if axes else ""


def _axis(axis: m.AxisRef) -> str:
    return f"*{axis.name}" if axis.pack else axis.name


def _kind(kind: m.KindExpr) -> str:
    text = kind.name + ("" if kind.axes is None else f"[{', '.join(map(_axis, kind.axes))}]")
    for word, value in (
        ("over", kind.over),
        ("of", kind.of),
        ("ignoring", kind.ignoring),
        ("each", kind.each),
    ):
        text += "" if value is None else f" {word} {value}"
    return text


def _params(params: Sequence[m.Param]) -> str:
    return ", ".join(map(_param, params))


def _param(param: m.Param) -> str:
    text = param.name if param.kind is None else f"{param.name}: {_kind(param.kind)}"
    return text if param.default is None else f"{text} = {_expression(param.default, OPEN)}"


def _range(bounds: m.Range | None) -> str:
    if bounds is None:
        return ""
    low = None if bounds.low is None else _expression(bounds.low, OPERAND)
    high = None if bounds.high is None else _expression(bounds.high, OPERAND)
    if bounds.interval:
        return f" in {'(' if bounds.low_open else '['}{low}, {high}{')' if bounds.high_open else ']'}"
    text = "" if low is None else f" {'>' if bounds.low_open else '>='} {low}"
    return text if high is None else f"{text} {'<' if bounds.high_open else '<='} {high}"


def _string(text: str) -> str:
    out = text.replace("\\", "\\\\") if '\\"' in text or "\\\\" in text or text.endswith("\\") else text
    return '"' + out.replace('"', '\\"') + '"'


# -- expressions ----------------------------------------------------------------------------------------


def _expression(node: Any, least: int) -> str:
    """The text of a node, in parentheses if it binds looser than its place asks for."""
    text, binds = _FORMS[type(node)](node)
    return text if binds >= least else f"({text})"


def _chain(node: m.Chain) -> tuple[str, int]:
    level = SUM if node.rest[0].op in "+-" else PRODUCT
    text = _expression(node.first, level + 1)
    for link in node.rest:
        text += f" {link.op} {_expression(link.operand, level + 1)}"
    return text, level


def _where(along: m.Where) -> str:
    text = ", ".join(map(_axis, along.axes))
    text += "" if along.where is None else f" where {_expression(along.where, OPEN)}"
    return text + ("" if along.by is None else f" by {_expression(along.by, OPEN)}")


def _call(node: m.Call) -> tuple[str, int]:
    along = "" if node.along is None else f"[{_where(node.along)}]"
    args = [_expression(a, OPEN) for a in node.args]
    args += [f"{k.name} = {_expression(k.value, OPEN)}" for k in node.kwargs]
    if node.function == "size" and along and not args:
        return f"size{along}", APPLIED
    return f"{node.function}{along}({', '.join(args)})", APPLIED


def _item(item: m.Pick | m.Rename) -> str:
    if isinstance(item, m.Pick):
        return f"{item.axis} = {_expression(item.at, OPEN)}"
    axes = item.axes[0] if len(item.axes) == 1 else f"({', '.join(item.axes)})"
    return f"{axes} -> {item.to}"


def _index(node: m.Index) -> tuple[str, int]:
    return f"{_expression(node.base, APPLIED)}[{', '.join(map(_item, node.items))}]", APPLIED


def _array(node: m.Array) -> tuple[str, int]:
    if not node.axes:
        return _rows(node), APPLIED
    along = node.axes[0] if len(node.axes) == 1 else f"({', '.join(node.axes)})"
    return f"{_rows(node)} along {along}", POSTFIX  # could be indexed as it stands, but reads badly


def _rows(node: m.Array) -> str:
    return f"[{', '.join(_expression(item, OPEN) for item in node.items)}]"


def _if(node: m.If) -> tuple[str, int]:
    condition, then = _expression(node.condition, OPEN), _expression(node.then, OPEN)
    return f"if {condition} then {then} else {_expression(node.otherwise, OPEN)}", OPEN


def _let(node: m.Let) -> tuple[str, int]:
    bindings = ", ".join(f"{b.name} = {_expression(b.value, OPEN)}" for b in node.bindings)
    return f"let {bindings} in {_expression(node.body, OPEN)}", OPEN


def _matching(node: m.Matching) -> tuple[str, int]:
    text = f"{_expression(node.value, APPLIED)} matching {_patterns(node.include)}"
    return text + (f" except {_patterns(node.exclude)}" if node.exclude else ""), POSTFIX


def _patterns(patterns: Sequence[str]) -> str:
    texts = [_string(p) for p in patterns]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _joined(word: str, level: int) -> Callable[[Any], tuple[str, int]]:
    return lambda node: (f" {word} ".join(_expression(o, level + 1) for o in node.operands), level)


_FORMS: dict[type, Callable[[Any], tuple[str, int]]] = {
    m.Number: lambda n: (n.text, APPLIED),
    m.Name: lambda n: (n.id, APPLIED),
    m.Call: _call,
    m.Index: _index,
    m.Unary: lambda n: (f"-{_expression(n.operand, UNARY)}", UNARY),
    m.Not: lambda n: (f"not {_expression(n.operand, NOT)}", NOT),
    m.Power: lambda n: (f"{_expression(n.base, POSTFIX)}^{_expression(n.exponent, UNARY)}", POWER),
    m.Chain: _chain,
    m.Compare: lambda n: (
        f"{_expression(n.left, OPERAND)} {n.op} {_expression(n.right, OPERAND)}",
        COMPARE,
    ),
    m.Tilde: lambda n: (f"{_expression(n.value, OPERAND)} ~ {_expression(n.dist, OPERAND)}", COMPARE),
    m.As: lambda n: (f"{_expression(n.value, SUM)} as {_kind(n.kind)}", OPERAND),
    m.And: _joined("and", AND),
    m.Or: _joined("or", OR),
    m.If: _if,
    m.Let: _let,
    m.Array: _array,
    m.Matching: _matching,
    m.Each: lambda n: (f"each[{n.variable} in *{n.pack}]({_expression(n.body, OPEN)})", APPLIED),
}


def _width(text: str) -> int:
    """Columns on a terminal: marks that combine take none."""
    return len(text) if text.isascii() else sum(not unicodedata.combining(c) for c in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))

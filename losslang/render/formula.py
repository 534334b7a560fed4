"""An expression of a spec as mathematics. One walk over the model serves every notation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from losslang import model as m
from losslang.render.notation import Latex, Notation, Unicode

# How tightly each form binds, loosest first; an operand that binds less gets parentheses.
LET, BRANCH, OR, AND, NOT, COMPARE, SUM, BIG, PRODUCT, SIGN, POWER, POSTFIX, ATOM = range(13)

_BIG_OPERATORS = ("sum", "prod", "mean", "max", "min")
_SURROUND = ("abs", "norm", "floor", "sqrt")


def unicode(expression: m.Expression) -> str:
    """``expression`` on one line of Unicode."""
    return formula(expression, Unicode())


def latex(expression: m.Expression) -> str:
    """``expression`` for LaTeX's math mode (amsmath)."""
    return formula(expression, Latex())


def formula(expression: m.Expression, notation: Notation) -> str:
    """``expression`` in ``notation``."""
    return _Writer(notation).write(expression).text


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    binding: int


class _Writer:
    def __init__(self, notation: Notation) -> None:
        self.notation = notation
        self._forms: dict[type[m.Node], Callable[[Any], _Piece]] = {
            m.Number: self._number, m.Name: self._name, m.Call: self._call, m.Index: self._index,
            m.Unary: self._negative, m.Not: self._not, m.Power: self._power, m.Chain: self._chain,
            m.Compare: self._compare, m.And: self._and, m.Or: self._or, m.If: self._if, m.Let: self._let,
            m.Array: self._array, m.As: self._as, m.Tilde: self._tilde, m.Matching: self._matching,
            m.Each: self._each,
        }  # fmt: skip

    def write(self, expression: m.Expression) -> _Piece:
        return self._forms[type(expression)](expression)

    def at(self, expression: m.Expression, binding: int) -> str:
        """``expression`` as an operand of something that binds as tightly as ``binding``."""
        piece = self.write(expression)
        return piece.text if piece.binding >= binding else self.notation.group(piece.text)

    def inside(self, expression: m.Expression) -> str:
        """``expression`` where brackets already enclose it."""
        return self.at(expression, BRANCH)

    # -- atoms -----------------------------------------------------------------------------------

    def _number(self, node: m.Number) -> _Piece:
        return _Piece(node.text, ATOM)

    def _name(self, node: m.Name) -> _Piece:
        return _Piece(self.notation.name(node.id), ATOM)

    def _array(self, node: m.Array) -> _Piece:
        return _Piece("[" + self._list(node.items) + "]", ATOM)

    def _as(self, node: m.As) -> _Piece:
        return self.write(node.value)  # the kind is a matter of the spec, not of the formula

    def _matching(self, node: m.Matching) -> _Piece:
        return _Piece(
            self.notation.subscript(self.at(node.value, POSTFIX), self.notation.text("selected")), POSTFIX
        )

    # -- operators -------------------------------------------------------------------------------

    def _negative(self, node: m.Unary) -> _Piece:
        operand = self.write(node.operand)
        if operand.binding == BIG:
            return _Piece(self.notation.minus + operand.text, BIG)
        return _Piece(self.notation.minus + self.at(node.operand, POWER), SIGN)

    def _power(self, node: m.Power) -> _Piece:
        exponent = self.write(node.exponent)
        return _Piece(self.notation.power(self.at(node.base, ATOM), exponent.text), POWER)

    def _chain(self, node: m.Chain) -> _Piece:
        if node.rest[0].op in "+-":
            parts = [self.at(node.first, SUM)]
            for link in node.rest:
                parts += [self.notation.operators[link.op], self._summand(link)]
            return _Piece("".join(parts), SUM)
        text = self._leading_factor(node)
        for link in node.rest:
            drawn = self.notation.fraction(text, self.inside(link.operand)) if link.op == "/" else None
            text = drawn or text + self.notation.operators[link.op] + self.at(link.operand, POWER)
        return _Piece(text, PRODUCT)

    def _leading_factor(self, node: m.Chain) -> str:
        """A numerator that becomes the top of a drawn fraction needs no parentheses."""
        drawn = node.rest[0].op == "/" and self.notation.fraction("", "") is not None
        return self.inside(node.first) if drawn else self.at(node.first, PRODUCT)

    def _summand(self, link: m.Link) -> str:
        piece = self.write(link.operand)
        signed = piece.text.startswith(self.notation.minus)
        return piece.text if piece.binding >= BIG and not signed else self.notation.group(piece.text)

    def _compare(self, node: m.Compare) -> _Piece:
        left, right = self.at(node.left, SUM), self.at(node.right, SUM)
        return _Piece(left + self.notation.operators[node.op] + right, COMPARE)

    def _not(self, node: m.Not) -> _Piece:
        return _Piece(self.notation.operators["not"] + self.at(node.operand, POWER), NOT)

    def _and(self, node: m.And) -> _Piece:
        return self._logical(node.operands, "and", AND)

    def _or(self, node: m.Or) -> _Piece:
        return self._logical(node.operands, "or", OR)

    def _logical(self, operands: Sequence[m.Expression], op: str, binding: int) -> _Piece:
        return _Piece(self.notation.operators[op].join(self.at(o, binding + 1) for o in operands), binding)

    def _tilde(self, node: m.Tilde) -> _Piece:
        return _Piece(f"{self.at(node.value, SUM)} ∼ {self.inside(node.dist)}", COMPARE)

    # -- forms -----------------------------------------------------------------------------------

    def _if(self, node: m.If) -> _Piece:
        branches: list[tuple[str, str]] = []
        rest: m.Expression = node
        while isinstance(rest, m.If):
            branches.append((self.inside(rest.condition), self.inside(rest.then)))
            rest = rest.otherwise
        return _Piece(self.notation.cases(branches, self.inside(rest)), ATOM)

    def _let(self, node: m.Let) -> _Piece:
        bindings: list[m.Binding] = []
        body: m.Expression = node
        while isinstance(body, m.Let):
            bindings += body.bindings
            body = body.body
        told = [f"{self.notation.name(b.name)} = {self.inside(b.value)}" for b in bindings]
        return _Piece(self.notation.where(self.inside(body), told), LET)

    def _each(self, node: m.Each) -> _Piece:
        axes = f"{self._axis(node.variable)} ∈ {self._axis(node.pack)}"
        return _Piece(self.notation.operator("sum", axes, self.at(node.body, BIG)), BIG)

    def _index(self, node: m.Index) -> _Piece:
        items = self.notation.separator.join(self._index_item(i) for i in node.items)
        return _Piece(self.notation.subscript(self.at(node.base, POSTFIX), items), POSTFIX)

    def _index_item(self, item: m.Pick | m.Rename) -> str:
        if isinstance(item, m.Pick):
            return f"{self._axis(item.axis)} = {self.inside(item.at)}"
        old = self.notation.separator.join(self._axis(a) for a in item.axes)
        old = f"({old})" if len(item.axes) > 1 else old
        return f"{old}{self.notation.arrow}{self._axis(item.to)}"

    # -- calls -----------------------------------------------------------------------------------

    def _call(self, node: m.Call) -> _Piece:
        axes = self._along(node.along)
        if node.function in _BIG_OPERATORS and axes and len(node.args) == 1:
            return _Piece(self.notation.operator(node.function, axes, self.at(node.args[0], BIG)), BIG)
        if node.function in _SURROUND and len(node.args) == 1:
            return _Piece(self.notation.surround(node.function, self.inside(node.args[0]), axes), ATOM)
        if node.function == "dot":
            return _Piece(self.notation.surround("dot", self._list(node.args), axes), ATOM)
        if node.function == "distance" and len(node.args) == 2:
            apart = self.at(node.args[0], SUM) + self.notation.operators["-"] + self.at(node.args[1], PRODUCT)
            return _Piece(self.notation.surround("norm", apart, axes), ATOM)
        if node.function == "size" and axes:
            return _Piece(self.notation.surround("abs", axes, ""), ATOM)
        return _Piece(self.notation.function(node.function, axes, self._arguments(node)), ATOM)

    def _arguments(self, node: m.Call) -> str:
        separator = " ‖ " if node.function == "kl" else self.notation.separator
        named = [f"{self.notation.name(k.name)} = {self.inside(k.value)}" for k in node.kwargs]
        return separator.join([*(self.inside(a) for a in node.args), *named])

    def _list(self, items: Sequence[m.Expression]) -> str:
        return self.notation.separator.join(self.inside(i) for i in items)

    def _along(self, along: m.Where | None) -> str:
        if along is None:
            return ""
        text = self.notation.separator.join(self._axis(a.name or "*") for a in along.axes)
        if along.where is not None:
            text += f" : {self.inside(along.where)}"
        if along.by is not None:
            text += self.notation.text(" by ") + self.inside(along.by)
        return text

    def _axis(self, name: str) -> str:
        return self.notation.name(name)

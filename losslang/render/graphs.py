"""A node of the graph as an expression again, so that one writer of formulas serves specs and gradients.

What the compiler needs and a reader does not (conversions, broadcasts, the scale that keeps a norm from
overflowing) is left out. What a formula would repeat is named once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from losslang import model as m
from losslang.ir import Node

#: A formula with more operations than this says nothing to a reader.
MOST_OPERATIONS = 120
#: What is smaller than this is repeated rather than named.
WORTH_A_NAME = 4

_NAMES = "abghkmpqrstuvwz"
_LEAVES = ("const", "limit", "input", "index", "size")
_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<="}
_OPPOSITE = {"eq": "!=", "ne": "==", "lt": ">=", "le": ">"}
_LIMITS = {"tiny": "tiny", "max": "largest", "eps": "ε"}
_CALLED = {"maximum": "max", "minimum": "min", "log_saturated": "log"}


def expression(node: Node, taken: Collection[str] = ()) -> m.Expression | None:
    """``node`` as an expression whose letters for subexpressions are none of ``taken``.

    None where it would be too long to read.
    """
    root = _essential(node)
    size, users = _measured(root)
    named = [each for each, count in users.items() if count > 1 and size[each] >= WORTH_A_NAME]
    named.sort(key=lambda each: size[each])
    cut = {each: 1 for each in named}
    if _total([root, *named], cut) > MOST_OPERATIONS:
        return None
    axes = _axes(root)
    writer = _Writer(dict(zip(named, _letters({*taken, *axes.values()}), strict=False)), axes)
    body = writer.write(root)
    if not named:
        return body
    return m.Let.make(bindings=tuple(writer.bindings(named)), body=body)


def operations(node: Node) -> int:
    """How many different operations ``node`` takes."""
    return sum(each.op not in _LEAVES for each in _measured(_essential(node))[0])


def length(node: Node) -> int:
    """How many operations the formula of ``node`` has where nothing is named."""
    root = _essential(node)
    return _measured(root)[0][root]


def vanishes(node: Node) -> bool:
    """Whether ``node`` is 0 everywhere."""
    return _is(node, 0.0)


# -- what to show --------------------------------------------------------------------------------------


def _essential(node: Node) -> Node:
    """``node`` without what only carries it."""
    while True:
        if node.op in ("to_real", "to_int", "broadcast", "widen", "narrow"):
            node = node.args[0]
        elif node.op == "computed_as":
            node = node.args[1]
        elif node.op in ("mul", "silence") and (rest := [a for a in node.args if not _is(a, 1.0)]) != list(
            node.args
        ):
            if len(rest) > 1:
                return node.graph.make(node.op, tuple(rest))
            node = rest[0] if rest else node.args[0]
        else:
            return node


def _is(node: Node, value: float) -> bool:
    """Whether ``node`` is that number, however it is carried."""
    while node.op in ("to_real", "to_int", "broadcast", "widen", "narrow"):
        node = node.args[0]
    return node.op == "const" and bool(node.attr == value)


def _parts(node: Node) -> tuple[Node, ...]:
    """What is shown of a node's arguments."""
    normed = _normed(node)
    if normed is not None:
        return (_essential(normed),)
    if node.op == "gather":
        return _essential(_picked(node)[0]), _essential(node.args[1])
    return tuple(map(_essential, node.args))


def _picked(node: Node) -> tuple[Node, str]:
    """What a gather picks from, and along which axis: before any renaming of that axis."""
    source, axis = _essential(node.args[0]), node.attr
    if source.op == "rename" and source.attr[1] == axis:
        return source.args[0], source.attr[0]
    return source, axis


def _normed(node: Node) -> Node | None:
    """``x`` where ``node`` is its norm, as it is or written with a scale: s · √Σ (x/s)²."""
    if node.op == "sqrt" and (total := _essential(node.args[0])).op == "sum":
        square = _essential(total.args[0])
        return _essential(square.args[0]) if square.op == "pow" and _is(square.args[1], 2.0) else None
    if node.op != "mul" or len(node.args) != 2:
        return None
    scale, root = (_essential(a) for a in node.args)
    if root.op != "sqrt":
        scale, root = root, scale
    if root.op != "sqrt" or (total := _essential(root.args[0])).op != "sum":
        return None
    square = _essential(total.args[0])
    if square.op != "pow" or not _is(square.args[1], 2.0):
        return None
    ratio = _essential(square.args[0])
    scaled = ratio.op == "div" and _essential(ratio.args[1]) is scale
    return _essential(ratio.args[0]) if scaled else None


def _norm_axes(node: Node) -> frozenset[str]:
    root = node if node.op == "sqrt" else next(a for a in map(_essential, node.args) if a.op == "sqrt")
    axes: frozenset[str] = _essential(root.args[0]).attr
    return axes


def _measured(root: Node) -> tuple[dict[Node, int], Counter[Node]]:
    """The operations of each node's formula written out, and how often others use it."""
    size: dict[Node, int] = {}
    users: Counter[Node] = Counter()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in size:
            continue
        parts = _parts(node)
        if ready:
            size[node] = (node.op not in _LEAVES) + sum(size[each] for each in parts)
            users.update(parts)
        else:
            stack.append((node, True))
            stack.extend((each, False) for each in parts)
    return size, users


def _total(roots: Sequence[Node], cut: Mapping[Node, int]) -> int:
    """The operations written when each of ``cut`` is written once."""
    known: dict[Node, int] = {}

    def count(node: Node, top: bool) -> int:
        if not top and node in cut:
            return 0
        if node not in known:
            known[node] = (node.op not in _LEAVES) + sum(count(each, False) for each in _parts(node))
        return known[node]

    return sum(count(each, True) for each in roots)


def _letters(taken: Collection[str]) -> Iterator[str]:
    free = [letter for letter in _NAMES if letter not in taken]
    yield from free
    yield from (f"{letter}{number}" for number in range(1, 10) for letter in free)


def _axes(root: Node) -> dict[str, str]:
    """How each axis is shown: a fresh copy keeps its name where that is free, else it gets primes."""
    seen: dict[str, None] = {}
    for node in _measured(root)[0]:
        seen |= dict.fromkeys(sorted(node.axes))
        seen |= dict.fromkeys(_mentioned(node.attr) if node.op not in ("input", "limit", "gather") else ())
    shown: dict[str, str] = {}
    for axis in sorted(seen, key=lambda a: ("~" in a, a)):
        name = axis.split("~")[0]
        while name in shown.values():
            name += "′"
        shown[axis] = name
    return shown


def _mentioned(attr: Any) -> Iterator[str]:
    if isinstance(attr, str):
        yield attr
    elif isinstance(attr, (tuple, frozenset)):
        for each in sorted(attr, key=str):
            yield from _mentioned(each)


# -- writing -------------------------------------------------------------------------------------------


class _Writer:
    def __init__(self, names: Mapping[Node, str], axes: Mapping[str, str]) -> None:
        self.names = names
        self.axes = axes
        self._forms: dict[str, Callable[[Node], m.Expression]] = {
            "const": self._const, "limit": lambda n: _name(_LIMITS[n.attr]), "input": lambda n: _name(n.attr[0]),
            "index": lambda n: _name(self._axis(n.attr)), "add": self._add, "neg": self._neg, "mul": self._mul,
            "silence": self._mul, "div": self._div, "pow": self._pow, "mod": self._mod, "select": self._select,
            "not": self._not, "and": lambda n: m.And.make(operands=self._all(n)),
            "or": lambda n: m.Or.make(operands=self._all(n)), "gather": self._gather, "rename": self._rename,
            "merge": self._merge, "sqrt": self._sqrt, "stack": self._stack, "contract": self._contract,
        }  # fmt: skip

    def bindings(self, named: Sequence[Node]) -> Iterator[m.Binding]:
        """The named subexpressions, smaller ones first, so that later ones may use them."""
        for node in named:
            yield m.Binding.make(name=self.names[node], value=self._written(node))

    def write(self, node: Node) -> m.Expression:
        node = _essential(node)
        if node in self.names:
            return _name(self.names[node])
        return self._written(node)

    def _written(self, node: Node) -> m.Expression:
        form = self._forms.get(node.op)
        if form is not None:
            return form(node)
        if node.op in _COMPARE:
            return self._compare(_COMPARE[node.op], node)
        return _call(_CALLED.get(node.op, node.op), self._along(node.attr), *self._all(node))

    def _all(self, node: Node) -> tuple[m.Expression, ...]:
        return tuple(map(self.write, node.args))

    def _axis(self, axis: str) -> str:
        return self.axes.get(axis, axis.split("~")[0])

    def _along(self, attr: Any) -> tuple[str, ...]:
        """The names of axes; a pack has one for all of them."""
        return tuple(sorted({self._axis(axis).split(".")[0] for axis in _mentioned(attr)}))

    def _const(self, node: Node) -> m.Expression:
        value = node.attr
        if isinstance(value, bool):
            return _name(str(value).lower())
        if math.isinf(value):
            return _name("inf") if value > 0 else m.Unary.make(operand=_name("inf"))
        return _number(value) if value >= 0 else m.Unary.make(operand=_number(-value))

    def _add(self, node: Node) -> m.Expression:
        """A difference starts with what is not taken away."""
        args = sorted(map(_essential, node.args), key=lambda a: self._negative(a) is not None)
        links = []
        for arg in args[1:]:
            positive = self._negative(arg)
            op, operand = ("+", self.write(arg)) if positive is None else ("-", positive)
            links.append(m.Link.make(op=op, operand=operand))
        return m.Chain.make(first=self.write(args[0]), rest=tuple(links))

    def _negative(self, node: Node) -> m.Expression | None:
        """What ``node`` is minus of."""
        if node in self.names:
            return None
        if node.op == "neg":
            return self.write(node.args[0])
        if node.op == "const" and not isinstance(node.attr, bool) and node.attr < 0:
            return _number(-node.attr)
        if node.op in ("mul", "silence") and (signs := [a for a in node.args if self._sign(a) < 0]):
            return self._product([a for a in node.args if a is not signs[0]], first=-self._sign(signs[0]))
        if node.op == "div" and (top := self._negative(_essential(node.args[0]))) is not None:
            return m.Chain.make(first=top, rest=(m.Link.make(op="/", operand=self.write(node.args[1])),))
        return None

    def _sign(self, node: Node) -> float:
        """The number that ``node`` is, where it is one; else 1."""
        node = _essential(node)
        return float(node.attr) if node.op == "const" and not math.isinf(node.attr) else 1.0

    def _neg(self, node: Node) -> m.Expression:
        return m.Unary.make(operand=self.write(node.args[0]))

    def _mul(self, node: Node) -> m.Expression:
        if (inside := _normed(node)) is not None:
            return _call("norm", self._along(_norm_axes(node)), self.write(inside))
        positive = self._negative(node)
        return m.Unary.make(operand=positive) if positive is not None else self._product(node.args)

    def _sqrt(self, node: Node) -> m.Expression:
        inside = _normed(node)
        if inside is not None:
            return _call("norm", self._along(_norm_axes(node)), self.write(inside))
        return _call("sqrt", (), *self._all(node))

    def _product(self, args: Sequence[Node], first: float = 1.0) -> m.Expression:
        """``first`` times the arguments, numbers leading."""
        ordered = sorted(map(_essential, args), key=lambda a: a.op != "const")
        factors: list[m.Expression] = [] if first == 1.0 else [_number(first)]
        factors += [self.write(a) for a in ordered]
        if len(factors) == 1:
            return factors[0]
        links = tuple(m.Link.make(op="*", operand=each) for each in factors[1:])
        return m.Chain.make(first=factors[0], rest=links)

    def _div(self, node: Node) -> m.Expression:
        positive = self._negative(node)
        return self._binary("/", node) if positive is None else m.Unary.make(operand=positive)

    def _mod(self, node: Node) -> m.Expression:
        return self._binary("%", node)

    def _binary(self, op: str, node: Node) -> m.Expression:
        top, bottom = self._all(node)
        return m.Chain.make(first=top, rest=(m.Link.make(op=op, operand=bottom),))

    def _pow(self, node: Node) -> m.Expression:
        base, exponent = self._all(node)
        return m.Power.make(base=base, exponent=exponent)

    def _compare(self, op: str, node: Node) -> m.Expression:
        left, right = self._all(node)
        return m.Compare.make(op=op, left=left, right=right)

    def _not(self, node: Node) -> m.Expression:
        inner = _essential(node.args[0])
        if inner.op in _OPPOSITE and inner not in self.names:
            return self._compare(_OPPOSITE[inner.op], inner)
        return m.Not.make(operand=self.write(inner))

    def _select(self, node: Node) -> m.Expression:
        condition, then, otherwise = self._all(node)
        return m.If.make(condition=condition, then=then, otherwise=otherwise)

    def _gather(self, node: Node) -> m.Expression:
        """A pick; the copy of the axis that it is made through is not shown."""
        source, axis = _picked(node)
        item = m.Pick.make(axis=self._axis(axis), at=self.write(node.args[1]))
        return m.Index.make(base=self.write(source), items=(item,))

    def _rename(self, node: Node) -> m.Expression:
        old, new = node.attr
        return self._renamed(node, (old,), new)

    def _merge(self, node: Node) -> m.Expression:
        return self._renamed(node, *node.attr)

    def _renamed(self, node: Node, old: Sequence[str], new: str) -> m.Expression:
        item = m.Rename.make(axes=tuple(map(self._axis, old)), to=self._axis(new))
        return m.Index.make(base=self.write(node.args[0]), items=(item,))

    def _stack(self, node: Node) -> m.Expression:
        return m.Array.make(items=self._all(node), axes=(self._axis(node.attr),))

    def _contract(self, node: Node) -> m.Expression:
        return _call("dot", self._along(node.attr), *self._all(node))


def _name(name: str) -> m.Name:
    return m.Name.make(id=name)


def _number(value: float) -> m.Number:
    return m.Number.make(value=value, text=f"{value:.6g}")


def _call(function: str, axes: Sequence[str], *args: m.Expression) -> m.Call:
    along = m.Where.make(axes=tuple(m.AxisRef.make(name=axis) for axis in axes)) if axes else None
    return m.Call.make(function=function, along=along, args=args)

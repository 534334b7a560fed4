"""A formula for people: the same number, written without what only computing needs.

What the compiler differentiates guards corners and keeps digits. A reader wants neither: branches that differ
where two numbers happen to be equal go, ``expm1(x)`` is exp(x) − 1, products cancel, and choices that
exclude each other are one. Nothing that is evaluated is made here.
"""

from __future__ import annotations

from collections.abc import Collection

from losslang.cli.algebra import Algebra, bare, number
from losslang.ir import Graph, Node, rebuild, walk
from losslang.ops import OPS
from losslang.rewrite.forms import linear, monomial

#: What may stay the same while its arguments change.
_FLAT = frozenset({"maximum", "minimum", "clip", "select", "floor", "sign", "mod"})


def readable(root: Node, varied: Collection[Node]) -> Node:
    """``root`` where no two numbers made of the inputs ``varied`` are equal by chance."""
    reader = _Reader(root.graph, varied)
    for node in walk([root]):
        reader.done[node] = reader.plain(rebuild(node, tuple(reader.done[a] for a in node.args)))
    return reader.done[root]


def cancels(a: Node, b: Node) -> bool:
    """Whether ``a`` is minus ``b``."""
    return number(_Reader(a.graph, ()).sum(a.graph.apply("add", a, b))) == 0


class _Reader(Algebra):
    def __init__(self, graph: Graph, varied: Collection[Node]) -> None:
        super().__init__(graph)
        self.varied = frozenset(varied)
        self.done: dict[Node, Node] = {}
        self._inputs: dict[Node, frozenset[Node] | None] = {}

    def plain(self, node: Node) -> Node:
        """``node``, whose arguments are plain already."""
        g = self.graph
        if node.op == "computed_as":
            return node.args[0]
        if node.op in ("eq", "ne") and self._coincides(node):
            return g.broadcast(g.const(node.op == "ne"), node.axes)
        if node.op in ("and", "or", "not", "any", "all"):
            return self._condition(node)
        if node.op == "select":
            return self._choice(node)
        if node.op == "pow" and bare(node.args[0]).op == "sqrt" and number(node.args[1]) == 2:
            return g.broadcast(bare(node.args[0]).args[0], node.axes)
        if node.op == "expm1":
            return self.sum(g.apply("add", self.plain(g.apply("exp", node.args[0])), -1.0))
        if node.op == "log1p":
            return g.apply("log", self.sum(g.apply("add", node.args[0], 1.0)))
        if node.op == "exp":
            return self._exponential(node)
        if (
            node.op == "maximum"
            and (kept := [a for a in node.args if bare(a).op != "limit"])
            and len(kept) == 1
        ):
            return kept[0]
        if node.op == "sum":
            return self.total(node)
        if node.op in ("mul", "div", "silence", "neg"):
            return self.product(node)
        return self.sum(node) if node.op == "add" and node.elem == "real" else node

    def _exponential(self, node: Node) -> Node:
        inside = bare(node.args[0])
        if inside.op == "log_softmax":
            return self.graph.make("softmax", inside.args, inside.attr)
        if inside.op in ("gather", "rename"):
            whole = self.plain(self.graph.apply("exp", inside.args[0]))
            return rebuild(inside, (whole, *inside.args[1:])) if whole.op == "softmax" else node
        if inside.op == "neg" and bare(inside.args[0]).op == "softplus":
            x = bare(inside.args[0]).args[0]
            return self.graph.apply("sigmoid", self.sum(self.graph.apply("neg", x)))
        return node

    def _condition(self, node: Node) -> Node:
        """``node`` without what is settled."""
        g = self.graph
        known = [bare(a).attr if bare(a).op == "const" else None for a in node.args]
        if node.op in ("and", "or"):
            decides = node.op == "or"
            if decides in known:
                return g.broadcast(g.const(decides), node.axes)
            rest = [a for a, k in zip(node.args, known, strict=True) if k is None]
            if len(rest) == len(node.args):
                return node
            return (
                g.broadcast(rest[0] if len(rest) == 1 else g.make(node.op, tuple(rest)), node.axes)
                if rest
                else (g.broadcast(g.const(not decides), node.axes))
            )
        if (
            node.op == "any"
            and len(node.attr) == 1
            and any(_is_label(part, *node.attr) for part in _parts(node.args[0], "or"))
        ):
            return g.broadcast(g.const(True), node.axes)
        if known[0] is None:
            return node
        return g.broadcast(g.const(not known[0] if node.op == "not" else known[0]), node.axes)

    def is_one_place(self, term: Node, axis: str) -> bool:
        """Whether ``term`` is {x if c = y; else 0}, with x the same along c."""
        choice = bare(term)
        return _is_gate(choice) and axis not in choice.args[1].axes and _is_label(bare(choice.args[0]), axis)

    def _choice(self, node: Node) -> Node:
        """One branch where the other stands for a coincidence; nothing that the condition has settled."""
        condition, then, otherwise = bare(node.args[0]), *node.args[1:]
        if condition.op == "const":
            return self.graph.broadcast(then if condition.attr else otherwise, node.axes)
        if then is otherwise:
            return then
        if condition.op == "not" and bare(condition.args[0]).op == "eq":
            condition, then, otherwise = bare(condition.args[0]), otherwise, then
        if condition.op == "ne":
            condition, then, otherwise = self.graph.apply("eq", *condition.args), otherwise, then
        if self._continues(condition, then, otherwise):
            return self.graph.broadcast(otherwise, node.axes)
        then = self._diagonal(condition, then)
        then, otherwise = self._given(then, condition, True), self._given(otherwise, condition, False)
        step = self._step(condition, then, otherwise)
        return step if step is not None else self.graph.select(condition, then, otherwise)

    def _continues(self, condition: Node, then: Node, otherwise: Node) -> bool:
        """Whether ``otherwise`` comes to ``then`` where the condition x = 0 holds: {0 if x = 0; else x·…}."""
        if condition.op != "eq" or then.elem != "real" or 0 not in map(number, condition.args):
            return False
        x = next((bare(a) for a in condition.args if number(a) != 0), None)
        form = linear(otherwise)
        gone = [t for t in form.terms if any(bare(f) is x and p > 0 for f, p in monomial(t).factors.items())]
        rest = {t: w for t, w in form.terms.items() if t not in gone}
        there = linear(then)
        return bool(gone) and rest == there.terms and form.constant == there.constant

    def _diagonal(self, condition: Node, then: Node) -> Node:
        """What is picked where the condition says that one stands, is what stands there."""
        if condition.op != "eq" or condition.args[0].elem != "int":
            return then
        sides = [(bare(a), bare(b)) for a, b in (condition.args, condition.args[::-1])]
        changed: dict[Node, Node] = {}
        for node in walk([then]):
            changed[node] = rebuild(node, tuple(changed[a] for a in node.args))
            for index, at in sides:
                if node.op == "gather" and index.op == "index":
                    axis = self._picked_axis(node)
                    if axis is not None and axis[1] == index.attr and bare(node.args[1]) is at:
                        changed[node] = self.graph.broadcast(axis[0], axis[0].axes)
        return self.sum(changed[then]) if changed[then] is not then else then

    def _picked_axis(self, node: Node) -> tuple[Node, str] | None:
        """What a gather picks from and along which axis, before the renaming that it is made through."""
        source = bare(node.args[0])
        if source.op == "rename" and source.attr[1] == node.attr:
            return source.args[0], source.attr[0]
        return source, node.attr

    def _step(self, condition: Node, then: Node, otherwise: Node) -> Node | None:
        """{x + 1 if c; else x} is x plus a step of 1."""
        gap = linear(then).plus(linear(otherwise), -1.0)
        if then.elem != "real" or gap.terms or not linear(otherwise).terms:
            return None
        step = self.graph.select(condition, abs(gap.constant), 0.0)
        return self.sum(
            self.graph.apply("add", otherwise, self.scaled(step, 1.0 if gap.constant > 0 else -1.0))
        )

    def _given(self, branch: Node, condition: Node, holds: bool) -> Node:
        """``branch`` where ``condition`` is known, as far as nothing moves values from place to place."""
        facts = _parts(condition, "and" if holds else "or")
        known: dict[Node, Node] = {}

        def settled(node: Node) -> Node:
            if node not in known:
                told = [s for f in facts if node.elem == "bool" and (s := _says(node, f)) is not None]
                if told:
                    known[node] = self.graph.broadcast(self.graph.const(told[0] is holds), node.axes)
                elif (
                    OPS[node.op].family == "elementwise"
                    or node.op in ("broadcast", "to_real")
                    or (node.op == "sum" and not set(node.attr) & condition.axes)
                ):
                    args = tuple(map(settled, node.args))
                    known[node] = node if args == node.args else self.plain(rebuild(node, args))
                else:
                    known[node] = node
            return known[node]

        return settled(branch)

    def _coincides(self, node: Node) -> bool:
        """Whether the two sides, made of different inputs by smooth steps, are equal by chance only."""
        leaves = [self._leaves(a) for a in node.args]
        if node.args[0].elem != "real" or None in leaves:
            return False
        first, second = (side or frozenset() for side in leaves)
        return not first & second and bool((first | second) & self.varied)

    def _leaves(self, node: Node) -> frozenset[Node] | None:
        """The inputs of ``node``; None where it may stay the same while they change."""
        if node not in self._inputs:
            parts = [self._leaves(a) for a in node.args]
            found: frozenset[Node] | None = frozenset([node]) if node.op == "input" else frozenset()
            for part in parts:
                found = None if part is None or found is None else found | part
            self._inputs[node] = None if node.op in _FLAT else found
        return self._inputs[node]

    def one_choice(self, first: Node, weight: float, second: Node, other: float) -> Node | None:
        """Choices under one condition as one; {a if c; else 0} + {b if not c and d; else 0} as {a if c; b if d; else 0}."""
        if first.op != "select" or second.op != "select":
            return None
        same = _says(first.args[0], second.args[0])
        if same is not None:
            sides = [self.scaled(a, weight) for a in first.args[1:]]
            others = [self.scaled(b, other) for b in (second.args[1:] if same else second.args[:0:-1])]
            then, otherwise = (
                self.sum(self.graph.apply("add", a, b)) for a, b in zip(sides, others, strict=True)
            )
            return self._chosen(first.args[0], then, otherwise)
        if not (_is_gate(first) and _is_gate(second)):
            return None
        for (a, x), (b, y) in (((first, weight), (second, other)), ((second, other), (first, weight))):
            condition, parts = bare(a.args[0]), _parts(b.args[0], "and")
            against = [p for p in parts if _says(p, condition) is False]
            if not against:
                continue
            rest = [p for p in parts if p not in against]
            value = self.scaled(b.args[1], y)
            if rest:
                both = rest[0] if len(rest) == 1 else self.graph.make("and", tuple(rest))
                value = self.graph.select(both, value, 0.0)
            return self._chosen(condition, self.scaled(a.args[1], x), value)
        return None

    def _chosen(self, condition: Node, then: Node, otherwise: Node) -> Node:
        one = self.graph.select(condition, then, otherwise)
        return self._choice(one) if one.op == "select" else one


def _is_label(part: Node, axis: str) -> bool:
    """c = y, which holds at one place along c."""
    sides = [(bare(a), b) for a, b in (part.args, part.args[::-1])] if part.op == "eq" else []
    return any(i.op == "index" and i.attr == axis and axis not in b.axes for i, b in sides)


def _is_gate(node: Node) -> bool:
    """Whether ``node`` is something or else 0."""
    return node.op == "select" and number(node.args[2]) == 0


def _parts(condition: Node, op: str) -> list[Node]:
    """What a condition is the conjunction (``and``) or the disjunction (``or``) of."""
    condition = bare(condition)
    return [part for arg in condition.args for part in _parts(arg, op)] if condition.op == op else [condition]


def _says(node: Node, condition: Node) -> bool | None:
    """What ``condition`` makes of ``node``: True where they are the same, False where it is the opposite."""
    node, condition = bare(node), bare(condition)
    if node is condition:
        return True
    for a, b in ((node, condition), (condition, node)):
        if a.op == "not" and bare(a.args[0]) is b:
            return False
    pairs = {"lt": "le", "le": "lt", "eq": "ne", "ne": "eq"}
    if pairs.get(node.op) == condition.op:
        swapped = node.op in ("lt", "le")
        if node.args == (condition.args[::-1] if swapped else condition.args):
            return False
    return None

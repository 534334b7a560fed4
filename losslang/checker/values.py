"""What an expression means while it is elaborated: a node of the graph with its kind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from losslang.interval import Interval
from losslang.ir import Node
from losslang.kinds import INTERVALS, Kind
from losslang.ranges import interval_of

NO_NODES: frozenset[Node] = frozenset()
NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Value:
    """A node and what is known of it beyond the graph.

    ``spoilt``: labels whose ignored places make this value meaningless there. ``introduced``: axes
    that a rename, an index or a literal brought in (outer products along them are meant).
    ``logarithmic``: a logarithm, or a sum or multiple of logarithms, which a zero factor silences.
    ``ordered``: restricted axes along which the value stands in sorted order, kept entries first.
    ``times_mask``: a product with a mask as a factor.
    """

    node: Node
    kind: Kind
    spoilt: frozenset[Node] = NO_NODES
    introduced: frozenset[str] = NO_NAMES
    logarithmic: bool = False
    ordered: frozenset[str] = NO_NAMES
    times_mask: bool = False

    @property
    def axes(self) -> frozenset[str]:
        return self.node.axes

    @property
    def interval(self) -> Interval:
        known = interval_of(self.node)
        promised = INTERVALS.get(self.kind.name)
        return known.intersect(promised) if promised else known

    @property
    def constant(self) -> float | None:
        return constant_of(self.node)

    def with_node(self, node: Node, kind: Kind | None = None) -> Value:
        return replace(self, node=node, kind=kind or self.kind)


@dataclass(frozen=True, slots=True)
class Collection:
    """Values by key whose axes may differ; ``axis`` names the axis that runs over the members.

    ``views`` says for each member which axes of the graph a name (or a pack ``*name``) means for it.
    """

    axis: str
    members: tuple[tuple[str, Value], ...]
    views: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...] = ()

    def view(self, index: int) -> dict[str, tuple[str, ...]]:
        return dict(self.views[index]) if self.views else {}


Meaning = Value | Collection


def merged_facts(values: list[Value]) -> tuple[frozenset[Node], frozenset[str], frozenset[str]]:
    """The spoilt, introduced and ordered facts of a value made from ``values``."""
    if len(values) == 1:
        return values[0].spoilt, values[0].introduced, values[0].ordered
    return (
        frozenset().union(*(v.spoilt for v in values)),
        frozenset().union(*(v.introduced for v in values)),
        frozenset().union(*(v.ordered for v in values)),
    )


def derived(node: Node, kind: Kind, values: list[Value], logarithmic: bool = False) -> Value:
    """A value computed elementwise from ``values``."""
    spoilt, introduced, ordered = merged_facts(values)
    return Value(node, kind, spoilt, introduced, logarithmic, ordered)


def constant_of(node: Node) -> float | None:
    """The number that a constant expression stands for, else None."""
    if node.op == "const":
        return float(node.attr)
    if node.op not in ("add", "mul", "neg", "div", "pow", "to_real") or node.axes:
        return None
    parts = [constant_of(a) for a in node.args]
    if any(p is None for p in parts):
        return None
    numbers = [p for p in parts if p is not None]
    try:
        if node.op == "add":
            return sum(numbers)
        if node.op == "neg":
            return -numbers[0]
        if node.op == "to_real":
            return numbers[0]
        if node.op == "div":
            return numbers[0] / numbers[1]
        if node.op == "pow":
            result = numbers[0] ** numbers[1]
            return float(result) if isinstance(result, (int, float)) else None
        product = 1.0
        for number in numbers:
            product *= number
        return product
    except (ZeroDivisionError, OverflowError):
        return None


def constants_in(node: Node) -> set[float] | None:
    """The numbers of a constant or of a literal of constants, else None."""
    if node.op in ("stack", "to_real", "neg") and (
        node.op == "stack" or node.args[0].op in ("stack", "const")
    ):
        parts = [constants_in(a) for a in node.args]
        known = [p for p in parts if p is not None]
        if len(known) < len(parts):
            return None
        sign = -1.0 if node.op == "neg" else 1.0
        return {sign * number for part in known for number in part}
    constant = constant_of(node)
    return None if constant is None else {constant}


def truth_of(node: Node) -> bool | None:
    """Whether a condition made of constants holds, None where it depends on anything."""
    if node.op == "const" and isinstance(node.attr, bool):
        return node.attr
    if node.op in ("eq", "ne", "lt", "le"):
        left, right = (constant_of(a) for a in node.args)
        if left is None or right is None:
            return None
        return {"eq": left == right, "ne": left != right, "lt": left < right, "le": left <= right}[node.op]
    if node.op not in ("and", "or", "not"):
        return None
    parts = [truth_of(a) for a in node.args]
    if node.op == "not":
        return None if parts[0] is None else not parts[0]
    decisive = node.op == "or"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive

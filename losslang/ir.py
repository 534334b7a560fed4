"""The intermediate representation: an interned graph of primitives over named axes.

Two equal nodes are one object, so sharing is free and equality is identity. A node knows its
axes (a set of names) and its element class, never an order of dimensions (the emitter's choice)
and never a place in a text (a side table of the graph, since one node can have many origins).
Knows nothing of syntax; the meaning of each op stands in ``losslang.ops``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from losslang.interval import Interval
from losslang.source import Span

Elem = Literal["real", "int", "bool"]
NO_AXES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AxisSize:
    """Where the length of an axis comes from.

    ``input``: the shapes of the inputs that have it; ``same``: the length of ``of[0]``;
    ``fixed``: ``size``; ``merged``: the product of the lengths of ``of``.
    """

    kind: Literal["input", "same", "fixed", "merged"]
    of: tuple[str, ...] = ()
    size: int = 0


class Node:
    """One value of the graph. Made by :class:`Graph` only; compare with ``is``."""

    __slots__ = ("args", "attr", "axes", "elem", "graph", "id", "op")
    graph: Graph
    id: int
    op: str
    args: tuple[Node, ...]
    attr: Any
    axes: frozenset[str]
    elem: Elem

    def __init__(
        self,
        graph: Graph,
        id: int,
        op: str,
        args: tuple[Node, ...],
        attr: Any,
        axes: frozenset[str],
        elem: Elem,
    ) -> None:
        self.graph = graph
        self.id = id
        self.op = op
        self.args = args
        self.attr = attr
        self.axes = axes
        self.elem = elem

    def __repr__(self) -> str:
        inner = ", ".join(f"%{a.id}" for a in self.args)
        attr = "" if self.attr is None else f"{{{self.attr}}}"
        return f"%{self.id}:{self.op}{attr}({inner})[{','.join(sorted(self.axes))}]"

    # Sugar for the tables of derivatives and rules; comparisons stay methods of the graph.
    def __add__(self, other: Node | float) -> Node:
        return self.graph.apply("add", self, other)

    def __radd__(self, other: float) -> Node:
        return self.graph.apply("add", other, self)

    def __sub__(self, other: Node | float) -> Node:
        return self.graph.apply("add", self, -self.graph.lift(other))

    def __rsub__(self, other: float) -> Node:
        return self.graph.apply("add", other, -self)

    def __mul__(self, other: Node | float) -> Node:
        return self.graph.apply("mul", self, other)

    def __rmul__(self, other: float) -> Node:
        return self.graph.apply("mul", other, self)

    def __truediv__(self, other: Node | float) -> Node:
        return self.graph.apply("div", self, other)

    def __rtruediv__(self, other: float) -> Node:
        return self.graph.apply("div", other, self)

    def __pow__(self, other: Node | float) -> Node:
        return self.graph.apply("pow", self, other)

    def __neg__(self) -> Node:
        return self.graph.apply("neg", self)


class Graph:
    """Makes and interns nodes, and keeps what is known beside them.

    ``axis_sizes`` says where each axis gets its length; ``declared`` holds the intervals that the
    kinds of inputs promise, ``counts`` the inputs that promise whole numbers; ``origins`` holds the places a node came from. ``intervals``, ``swings``, ``vast``
    and ``weighted`` remember what was proved of nodes, ``linears`` and ``monomials`` their normal forms.
    """

    def __init__(self) -> None:
        self._interned: dict[tuple[Any, ...], Node] = {}
        self._fresh = 0
        self.nodes: list[Node] = []
        self.axis_sizes: dict[str, AxisSize] = {}
        self.declared: dict[Node, Interval] = {}
        self.counts: set[Node] = set()
        self.intervals: dict[Node, Interval] = {}
        self.swings: dict[Node, tuple[bool, bool]] = {}
        self.vast: dict[Node, bool] = {}
        self.weighted: dict[Node, bool] = {}
        self.linears: dict[Node, Any] = {}
        self.monomials: dict[Node, Any] = {}
        self.origins: dict[Node, list[tuple[str | None, Span]]] = {}

    # -- making nodes ---------------------------------------------------------------------------

    def make(self, op: str, args: tuple[Node, ...] = (), attr: Any = None) -> Node:
        """The node ``op(args){attr}``; its axes and element class follow from the op's row."""
        key = (op, args, attr, type(attr)) if op == "const" else (op, args, attr)
        found = self._interned.get(key)
        if found is None:
            row = OPS[op]
            axes = row.axes(args, attr)
            elem = row.elem(args, attr) if callable(row.elem) else row.elem
            found = Node(self, len(self.nodes), op, args, attr, axes, elem)
            self._interned[key] = found
            self.nodes.append(found)
        return found

    def lift(self, value: Node | float | bool) -> Node:
        return value if isinstance(value, Node) else self.const(value)

    def const(self, value: float | int | bool) -> Node:
        """A number: bool, int and float constants are of the element class of their type."""
        return self.make("const", (), value)

    def limit(self, name: Literal["tiny", "max", "eps", "minexp"]) -> Node:
        """A limit of the computing type: its smallest normal number, its largest, its spacing at 1."""
        return self.make("limit", (), name)

    def input(self, name: str, axes: Iterable[str], elem: Elem, interval: Interval | None = None) -> Node:
        node = self.make("input", (), (name, tuple(axes), elem))
        if interval is not None:
            self.declared[node] = interval
        return node

    def index(self, axis: str) -> Node:
        """The integer position along ``axis``."""
        return self.make("index", (), axis)

    def size(self, axis: str) -> Node:
        return self.make("size", (), axis)

    def apply(self, op: str, *args: Node | float | bool, attr: Any = None) -> Node:
        """An elementwise op; operands meet by axis name."""
        return self.make(op, tuple(self.lift(a) for a in args), attr)

    def real(self, x: Node) -> Node:
        """``x`` as a real number; booleans become 0 and 1."""
        return x if x.elem == "real" else self.make("to_real", (x,))

    def select(self, condition: Node, then: Node | float | bool, otherwise: Node | float | bool) -> Node:
        return self.apply("select", condition, then, otherwise)

    def reduce(self, op: str, x: Node, axes: Iterable[str]) -> Node:
        """``op`` over ``axes``, all of which ``x`` must have; over no axes it is ``x`` itself."""
        over = frozenset(axes)
        return self.make(op, (x,), over) if over else self._reduce_nothing(op, x)

    def _reduce_nothing(self, op: str, x: Node) -> Node:
        return self.make("to_int", (x,)) if op == "count" else x

    def along(self, op: str, x: Node, axes: Iterable[str]) -> Node:
        """An op that keeps its axes: softmax, log_softmax, cumsum, cumlogsumexp, argsort …"""
        return self.make(op, (x,), frozenset(axes))

    def contract(self, a: Node, b: Node, axes: Iterable[str]) -> Node:
        """The sum of ``a * b`` over ``axes``; either may lack some of them."""
        return self.make("contract", (a, b), frozenset(axes))

    def rename(self, x: Node, old: str, new: str) -> Node:
        """``x`` with axis ``old`` called ``new``."""
        return x if old == new else self.make("rename", (x,), (old, new))

    def merge(self, x: Node, axes: tuple[str, ...], new: str) -> Node:
        """``axes`` of ``x``, the first slowest, as one axis ``new``."""
        return self.make("merge", (x,), (axes, new))

    def gather(self, x: Node, at: Node, axis: str) -> Node:
        """``x`` at the index ``at`` along ``axis``, which ``at`` must not have; other axes align."""
        assert axis not in at.axes, "rename the picked axis first"
        return self.make("gather", (x, at), axis)

    def along_itself(self, x: Node, at: Node, axis: str) -> Node:
        """``x`` at the positions ``at`` along its own axis, which ``at`` has too."""
        copy = f"{axis}~from"
        self.axis_sizes.setdefault(copy, AxisSize("same", (axis,)))
        return self.gather(self.rename(x, axis, copy), at, copy)

    def stack(self, items: Iterable[Node], axis: str) -> Node:
        """The items side by side along the new axis ``axis``."""
        return self.make("stack", tuple(items), axis)

    def fresh_axis(self, like: str, size: AxisSize | None = None) -> str:
        """A new axis name that no source can write, as long as ``like`` unless ``size`` says otherwise."""
        self._fresh += 1
        name = f"{like.split('~')[0]}~{self._fresh}"
        self.axis_sizes[name] = size or AxisSize("same", (like,))
        return name

    def broadcast(self, x: Node, axes: Iterable[str]) -> Node:
        """``x`` repeated along the ``axes`` that it lacks."""
        missing = frozenset(axes) - x.axes
        return self.make("broadcast", (x,), missing) if missing else x

    # -- reading --------------------------------------------------------------------------------

    def size_root(self, axis: str) -> AxisSize | str:
        """Follow ``same`` links: the name of the axis that the inputs or a fixed size give."""
        size = self.axis_sizes.get(axis)
        while size is not None and size.kind == "same":
            axis = size.of[0]
            size = self.axis_sizes.get(axis)
        return axis


def peel(node: Node) -> Node:
    """``node`` without the broadcasts around it, which elementwise neighbours do not need."""
    while node.op == "broadcast":
        node = node.args[0]
    return node


def evaluated(node: Node) -> tuple[Node, ...]:
    """What the value of ``node`` is computed of: of a formula with a meaning, the formula."""
    return node.args[1:] if node.op == "computed_as" else node.args


def walk(
    roots: Iterable[Node],
    final: frozenset[str] = frozenset(),
    below: Callable[[Node], tuple[Node, ...]] = lambda node: node.args,
) -> Iterator[Node]:
    """Every node that the roots need, arguments before users, in a fixed order.

    Below nodes of the ops in ``final`` nothing is visited; ``below`` says what a node needs.
    """
    seen: set[Node] = set()
    for root in roots:
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                yield node
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                if node.op not in final:
                    stack.extend((a, False) for a in reversed(below(node)) if a not in seen)


def rebuild(node: Node, args: tuple[Node, ...]) -> Node:
    """The same op over other arguments."""
    return node if args == node.args else node.graph.make(node.op, args, node.attr)


from losslang.ops import OPS  # noqa: E402  (the table's derivatives are written with nodes)

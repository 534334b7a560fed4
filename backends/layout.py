"""The order of dimensions in a function, the lengths of axes, and names for Python.

One total order of axes serves a whole function: that of first appearance in the parameters, then
in the graph. Every array keeps its axes in it, so that operands meet by inserting dimensions only.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence

from losslang.ir import AxisSize, Node
from losslang.program import Function

_RESERVED = frozenset(dir(builtins)) | frozenset(
    ["np", "torch", "jax", "jnp", "real", "inf", "nan", "device"]
)


class Names:
    """Hands out Python identifiers, each once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(_RESERVED) | set(taken)
        self._count: dict[str, int] = {}

    def new(self, wish: str) -> str:
        """``wish`` made an identifier, numbered if it is taken."""
        name = identifier(wish)
        if name not in self._taken:
            self._taken.add(name)
            return name
        while True:
            self._count[name] = self._count.get(name, 1) + 1
            numbered = f"{name}_{self._count[name]}"
            if numbered not in self._taken:
                self._taken.add(numbered)
                return numbered


def identifier(wish: str) -> str:
    name = re.sub(r"\W", "_", wish).strip("_")
    if not name.isidentifier() or keyword.iskeyword(name) or name in _RESERVED:
        name = f"{name}_" if f"{name}_".isidentifier() else f"v_{name}"
    return name if name.isidentifier() else "v"


def comment(axes: Sequence[str]) -> str:
    return "[" + ", ".join(re.sub(r"[^\w~.*]", "_", axis) for axis in axes) + "]"


class Layout:
    """Where each axis stands and how long it is."""

    def __init__(self, function: Function, nodes: Sequence[Node], names: Names) -> None:
        self._rank: dict[str, int] = {}
        self._names = names
        self._known: dict[str, str] = {}
        self._fallback: dict[str, AxisSize] = {}
        self._sizes = nodes[0].graph.axis_sizes if nodes else {}
        self.source: dict[str, str] = {}
        for parameter in function.parameters:
            self._place(parameter.axes)
        for node in nodes:
            self._learn(node)

    def _place(self, axes: Iterable[str]) -> None:
        for axis in axes:
            self._rank.setdefault(axis, len(self._rank))

    def _learn(self, node: Node) -> None:
        if node.op == "rename":
            self._fallback.setdefault(node.attr[1], AxisSize("same", (node.attr[0],)))
        elif node.op == "merge":
            self._fallback.setdefault(node.attr[1], AxisSize("merged", node.attr[0]))
        elif node.op == "stack":
            self._fallback.setdefault(node.attr, AxisSize("fixed", (), len(node.args)))
        elif node.op == "input":
            self._place(node.attr[1])
        self._place(sorted(node.axes - self._rank.keys()))

    def dims(self, axes: Iterable[str]) -> tuple[str, ...]:
        """The axes in order."""
        return tuple(sorted(axes, key=self._rank.__getitem__))

    def measure(self, axis: str, code: str) -> None:
        """Says that ``code`` is the length of ``axis``; the first one counts."""
        self.source.setdefault(axis, code)

    def size(self, axis: str, bind: list[str]) -> str:
        """The code of an axis's length; statements that it needs are added to ``bind``."""
        if axis not in self._known:
            self._known[axis] = self._size(axis, bind)
        return self._known[axis]

    def _size(self, axis: str, bind: list[str]) -> str:
        if axis in self.source:
            return self._bound(axis, self.source[axis], bind)
        size = self._sizes.get(axis) or self._fallback.get(axis)
        if size is None or size.kind == "input":
            size = self._fallback.get(axis)
        if size is None or size.kind == "input":
            raise KeyError(f"no parameter says how long axis {axis!r} is")
        if size.kind == "fixed":
            return str(size.size)
        if size.kind == "same":
            return self.size(size.of[0], bind)
        return self._bound(axis, " * ".join(self.size(part, bind) for part in size.of) or "1", bind)

    def _bound(self, axis: str, code: str, bind: list[str]) -> str:
        name = self._names.new(f"n_{identifier(axis)}")
        bind.append(f"{name} = {code}")
        return name

    def same_length(self, a: str, b: str) -> bool:
        return self._root(a) == self._root(b)

    def _root(self, axis: str) -> str:
        size = self._sizes.get(axis) or self._fallback.get(axis)
        while size is not None and size.kind == "same":
            axis = size.of[0]
            size = self._sizes.get(axis) or self._fallback.get(axis)
        return axis

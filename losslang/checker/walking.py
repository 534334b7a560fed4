"""Walking over syntax without asking what it means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from losslang import model as m


def children(node: m.Node) -> Iterator[m.Node]:
    """The syntax nodes directly inside a node, in order."""
    for value in node.__dict__.values():
        if isinstance(value, m.Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, m.Node):
                    yield item


def introduced_axes(root: m.Node, brought: Callable[[m.Call], Iterable[str]] = lambda _: ()) -> Iterator[str]:
    """The axes that a text introduces by renames, literals and calls (``brought``), in order."""
    stack: list[m.Node] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, m.Rename):
            yield node.to
        elif isinstance(node, m.Array):
            yield from node.axes
        elif isinstance(node, m.Call) and node.along is not None:
            yield from brought(node)
        stack.extend(reversed(list(children(node))))

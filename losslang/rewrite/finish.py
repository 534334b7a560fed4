"""What is left to do before code is written: choose the formulas, drop what no longer matters."""

from __future__ import annotations

from collections.abc import Sequence

from losslang.ir import Node, rebuild, walk


def finish(roots: Sequence[Node]) -> list[Node]:
    """Roots that evaluate well and need not be differentiated any more: ``computed_as`` is its formula."""
    done: dict[Node, Node] = {}
    for node in _needed(roots):
        if node.op == "computed_as":
            done[node] = node.graph.broadcast(done[node.args[1]], node.axes)
        else:
            done[node] = rebuild(node, tuple(done[a] for a in node.args))
    return [done[root] for root in roots]


def _needed(roots: Sequence[Node]) -> list[Node]:
    """Arguments before users, without the meanings of what is computed otherwise."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(r, False) for r in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            args = node.args[1:] if node.op == "computed_as" else node.args
            stack.extend((a, False) for a in reversed(args) if a not in seen)
    return order


__all__ = ["finish", "walk"]

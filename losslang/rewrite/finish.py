"""What is left to do before code is written: choose the formulas, drop what no longer matters."""

from __future__ import annotations

from collections.abc import Sequence

from losslang.ir import Node, rebuild, walk
from losslang.ops import OPS
from losslang.rewrite.forms import number, peel


def finish(roots: Sequence[Node]) -> list[Node]:
    """Roots that evaluate well and need not be differentiated any more: ``computed_as`` is its formula."""
    done: dict[Node, Node] = {}
    told: dict[Node, bool] = {}
    for node in _needed(roots):
        if node.op == "computed_as":
            done[node] = node.graph.broadcast(done[node.args[1]], node.axes)
        else:
            done[node] = _silenced(rebuild(node, tuple(done[a] for a in node.args)), told)
    return [done[root] for root in roots]


def _silenced(node: Node, told: dict[Node, bool]) -> Node:
    """A part of a softmax beside a logarithm: 0 where a logit of -inf rules the part out, as 0 log 0 is."""
    if node.op not in ("mul", "contract") or len(node.args) < 2:
        return node
    parts = [a for a in node.args if peel(a).op == "softmax"]
    rest = [a for a in node.args if peel(a).op != "softmax"]
    if not parts or not any(_logarithmic(a, told) for a in rest):
        return node
    graph = node.graph
    if node.op == "contract":
        product = graph.apply("silence", parts[0], rest[0])
        return graph.reduce("sum", graph.broadcast(product, node.attr), node.attr)
    whole = rest[0] if len(rest) == 1 else graph.apply("mul", *rest)
    for part in parts:
        whole = graph.apply("silence", part, whole)
    return graph.broadcast(whole, node.axes)


def _logarithmic(node: Node, told: dict[Node, bool]) -> bool:
    """Whether the logarithm of a softmax, which -inf among the logits makes -inf, reaches ``node`` elementwise."""
    if node not in told:
        told[node] = False
        if node.op == "log_softmax":
            told[node] = True
        elif number(node) is None and OPS[node.op].family in ("elementwise", "structure"):
            told[node] = any(_logarithmic(a, told) for a in node.args if a.elem == "real")
    return told[node]


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

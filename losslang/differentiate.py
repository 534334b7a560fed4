"""Reverse mode on the graph.

Derivatives of elementwise ops come from the ops table, those of the others from
``losslang.pullbacks``; here they are chained, summed over the axes that an argument lacks and
added up over the users of a node. Nothing that a mask or a branch left out reaches a gradient,
NaN and infinity included: see ``losslang.cotangent``.
"""

from __future__ import annotations

from collections.abc import Sequence

from losslang.cotangent import Cotangent, onto, times, total
from losslang.ir import Node, walk
from losslang.ops import OPS
from losslang.pullbacks import PULLBACKS
from losslang.weights import past_logarithms


def gradient(output: Node, wrt: Sequence[Node], seed: Node | None = None) -> list[Node]:
    """The derivative of ``sum(output * seed)`` in each node of ``wrt``, with exactly its axes.

    ``seed`` has axes of ``output`` only; without it the output's elements are summed. Where nothing
    flows the derivative is 0.
    """
    return pullback([output], [output.graph.const(1.0) if seed is None else seed], wrt)


def pullback(outputs: Sequence[Node], seeds: Sequence[Node], wrt: Sequence[Node]) -> list[Node]:
    """The derivative of the sum of all ``output * seed`` in each node of ``wrt``, with exactly its axes."""
    order = list(walk(outputs))
    active = _active(order, wrt)
    pending: dict[Node, list[Cotangent]] = {}
    for output, seed in zip(outputs, seeds, strict=True):
        assert seed.axes <= output.axes, "a seed has axes of its output only"
        if output in active:
            pending.setdefault(output, []).append(Cotangent(seed))
    found: dict[Node, Cotangent] = {}
    for node in reversed(order):
        parts = pending.pop(node, None)
        if parts is None:
            continue
        found[node] = total(parts)
        for arg, part in _contributions(node, found[node], active):
            if part is not None and arg in active:
                pending.setdefault(arg, []).append(part)
    return [_result(node, found.get(node)) for node in wrt]


def _active(order: Sequence[Node], wrt: Sequence[Node]) -> set[Node]:
    """The real nodes through which something flows to one of ``wrt``."""
    active = {node for node in wrt if node.elem == "real"}
    for node in order:
        if node.elem == "real" and node.op != "stop" and any(a in active for a in node.args):
            active.add(node)
    return active


def _contributions(node: Node, c: Cotangent, active: set[Node]) -> Sequence[tuple[Node, Cotangent | None]]:
    """What flows to each argument, or to what the arguments are made of."""
    if not any(a in active for a in node.args):
        return []
    return past_logarithms(node, c) or list(zip(node.args, _to_arguments(node, c, active), strict=True))


def _to_arguments(node: Node, c: Cotangent, active: set[Node]) -> Sequence[Cotangent | None]:
    rule = PULLBACKS.get(node.op)
    if rule is not None:
        return rule(node, c)
    partials = OPS[node.op].partials
    if partials is None:
        return [None] * len(node.args)
    derivatives = partials(node, *node.args)
    return [
        None if d is None or arg not in active else _elementwise(node, c, arg, d)
        for arg, d in zip(node.args, derivatives, strict=True)
    ]


def _elementwise(node: Node, c: Cotangent, arg: Node, derivative: Node) -> Cotangent | None:
    part = times(c, derivative)
    return None if part is None else onto(part, node.axes, arg.axes)


def _result(node: Node, c: Cotangent | None) -> Node:
    g = node.graph
    return g.broadcast(g.const(0.0) if c is None else g.real(c.value), node.axes)

"""Doubtful parts of a graph in double precision: ``widen`` where they read, ``narrow`` where they are read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from struct import pack, unpack

from losslang.ir import Graph, Node, walk
from losslang.ops import OPS
from losslang.rewrite.suspicion import LOOPS

_LEAVES = frozenset({"input", "index", "size", "limit", "const"}) | LOOPS
#: Places are found in the computing type: JAX cannot look for them in another.
_PLACES = frozenset({"argmax", "argmin", "argsort"})
#: Arguments of these positions are positions or conditions, never numbers to compute with.
_AS_THEY_ARE = {"select": (0,), "gather": (1,), "scatter_add": (1,)}


def widened(roots: Sequence[Node], doubtful: Iterable[Node]) -> list[Node]:
    """``roots`` with all that the ``doubtful`` nodes are made of in double precision."""
    wide = _below(doubtful)
    if not wide:
        return list(roots)
    graph = roots[0].graph
    made: dict[Node, Node] = {}
    narrow: dict[Node, Node] = {}

    def native(node: Node) -> Node:
        if node not in wide:
            return made[node]
        if node not in narrow:
            narrow[node] = graph.make("narrow", (made[node],))
        return narrow[node]

    def double(node: Node) -> Node:
        if node in wide or node.op in ("const", "limit"):
            return made[node]
        return graph.make("widen", (graph.real(made[node]),))

    for node in walk(roots):
        if node in wide:
            made[node] = _wide(graph, node, double, made)
        elif node.elem != "real" and node.op not in _PLACES and any(a in wide for a in node.args):
            args = (double(a) if a.elem == "real" else made[a] for a in node.args)
            made[node] = graph.make(node.op, tuple(args), node.attr)
        else:
            made[node] = graph.make(node.op, tuple(native(a) for a in node.args), node.attr)
    return [native(root) for root in roots]


def _below(doubtful: Iterable[Node]) -> set[Node]:
    """The numbers that the nodes are made of, down to the inputs."""
    wide: set[Node] = set()
    stack = list(doubtful)
    while stack:
        node = stack.pop()
        if node in wide or node.elem != "real" or node.op in _LEAVES:
            continue
        wide.add(node)
        stack.extend(node.args)
    return wide


def _written_out(graph: Graph, number: Node) -> Node:
    """A number in double precision, if the computing type may not have it."""
    value = float(number.attr)
    exact = math.isinf(value) or (abs(value) < 3e38 and unpack("f", pack("f", value))[0] == value)
    return number if exact else graph.make("widen", (graph.real(number),))


def _wide(graph: Graph, node: Node, double: object, made: dict[Node, Node]) -> Node:
    kept = _AS_THEY_ARE.get(node.op, ())
    args = tuple(made[a] if i in kept or (a.elem == "int" and a.op in ("size", "const")) else double(a)  # type: ignore[operator]
                 for i, a in enumerate(node.args))  # fmt: skip
    if node.op == "log_saturated":
        # It saturates where the computing type does.
        return graph.make("log", (graph.apply("maximum", args[0], graph.limit("tiny")),))
    if node.op == "to_real":
        return graph.make("widen", (graph.make("to_real", (made[node.args[0]],)),))
    assert OPS[node.op].family != "leaf"
    if all(a.op == "const" for a in args[len(kept) :]):
        # Numbers are written in the type of what they meet; here they meet nothing.
        args = (*args[: len(kept)], *(_written_out(graph, a) for a in args[len(kept) :]))
    return graph.make(node.op, args, node.attr)

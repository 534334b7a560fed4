"""What is left to do before code is written: choose the formulas, drop what no longer matters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from losslang.cotangent import conjuncts, undropped
from losslang.ir import Node, evaluated, peel, rebuild, walk
from losslang.ops import OPS
from losslang.rewrite.doubt import doubtful_nodes
from losslang.rewrite.forms import nonzero, number, range_of
from losslang.rewrite.gathering import MOST_EXPONENT, gathered
from losslang.rewrite.widening import widened


def finish(roots: Sequence[Node], values: Sequence[Node] | None = None) -> list[Node]:
    """Roots that evaluate well and need not be differentiated any more: ``computed_as`` is its formula.

    ``values`` are the results of the loss that the roots are, or are gradients of; without them nothing is
    evaluated in more than the computing type.
    """
    if values and set(roots) - set(values):
        roots = gathered(roots)
    doubtful = doubtful_nodes(values, roots) if values else set()
    done: dict[Node, Node] = {}
    order = list(walk(roots, below=evaluated))
    # What logits of -inf make infinite: themselves and the logarithms of a softmax.
    told = {x: True for n in order if n.op == "softmax" for x in _logits(n) if x.op == "input"}
    seen = _Seen(order, roots)
    for node in order:
        if node.op == "computed_as":
            done[node] = node.graph.broadcast(done[node.args[1]], node.axes)
        elif (value := _value(node, done)) is not None:
            done[node] = node.graph.const(value)
        else:
            done[node] = _silenced(rebuild(node, tuple(done[a] for a in node.args)), told)
        if node.op in _DROPPED and seen.beside_its_mask(node):
            kept = undropped(done[node].args[0])
            assert kept is not None
            done[node] = node.graph.select(kept, done[node], _DROPPED[node.op])
    return widened([done[root] for root in roots], [done[node] for node in order if node in doubtful])


_NUMERIC: dict[str, Callable[..., float]] = {
    "add": lambda *xs: math.fsum(xs), "mul": lambda *xs: math.prod(xs), "neg": lambda x: -x, "div": lambda x, y: x / y,
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "pow": lambda x, y: x**y,
}  # fmt: skip


def _value(node: Node, done: dict[Node, Node]) -> float | None:
    """What a node is that is made of numbers alone, in double precision."""
    if node.op not in _NUMERIC or node.elem != "real" or not node.args:
        return None
    values = [number(done[a]) for a in node.args]
    if any(v is None for v in values):
        return None
    try:
        value = _NUMERIC[node.op](*values)
    except (ValueError, ArithmeticError):
        return None
    return value if isinstance(value, float) and math.isfinite(value) else None


#: What a softmax and its logarithm are where a mask dropped a place, even if what was kept is NaN.
_DROPPED = {"softmax": 0.0, "log_softmax": -math.inf}


class _Seen:
    """Who looks at the places of a softmax that its mask dropped."""

    def __init__(self, order: Sequence[Node], roots: Sequence[Node]) -> None:
        self.roots = frozenset(roots)
        self.users: dict[Node, list[Node]] = {}
        for node in order:
            for arg in evaluated(node):
                self.users.setdefault(arg, []).append(node)

    def beside_its_mask(self, node: Node) -> bool:
        """Whether such a place is used without a choice that asks for the mask."""
        kept = undropped(node.args[0])
        if kept is None:
            return False
        asked = frozenset(conjuncts(kept))
        met, waiting = {node}, [node]
        while waiting:
            inner = waiting.pop()
            if inner in self.roots:
                return True
            for user in self.users.get(inner, ()):
                if user in met or _asks(user, asked, inner):
                    continue
                if OPS[user.op].family != "elementwise" and user.op != "broadcast":
                    return True
                met.add(user)
                waiting.append(user)
        return False


def _asks(user: Node, kept: frozenset[Node], inner: Node) -> bool:
    return user.op == "select" and user.args[2] is not inner and kept.issubset(conjuncts(user.args[0]))


def _logits(softmax: Node) -> list[Node]:
    inner = peel(softmax.args[0])
    return [peel(a) for a in inner.args] if inner.op == "select" else [inner]


def _silenced(node: Node, told: dict[Node, bool]) -> Node:
    """A product in which a factor of exactly 0 silences another that may be infinite."""
    if node.op not in ("mul", "contract") or len(node.args) < 2 or node.elem != "real":
        return node
    graph = node.graph
    parts = [a for a in node.args if peel(a).op == "softmax"]
    rest = [a for a in node.args if peel(a).op != "softmax"]
    if parts and any(_infinite(a, told) for a in rest):
        # A part of a softmax beside a logarithm: 0 where a logit of -inf rules the part out, as 0 log 0 is.
        if node.op == "contract":
            product = graph.apply("silence", parts[0], rest[0])
            return graph.reduce("sum", graph.broadcast(product, node.attr), node.attr)
        whole = rest[0] if len(rest) == 1 else graph.apply("mul", *rest)
        for part in parts:
            whole = graph.apply("silence", part, whole)
        return graph.broadcast(whole, node.axes)
    return _beside_overflow(node) if node.op == "mul" else node


def _beside_overflow(node: Node) -> Node:
    """What may overflow, times what may be exactly 0."""
    large = [a for a in node.args if _overflows(peel(a))]
    rest = [a for a in node.args if a not in large]
    if not large or all(nonzero(a) for a in rest):
        return node
    graph = node.graph
    factor, beside = (x[0] if len(x) == 1 else graph.apply("mul", *x) for x in (rest, large))
    return graph.broadcast(graph.apply("silence", graph.real(factor), beside), node.axes)


def _overflows(node: Node, depth: int = 8) -> bool:
    """Whether ``node`` is an exponential that may be infinite where its true value is not, or made of one."""
    if node.op in ("exp", "expm1"):
        return range_of(node.args[0]).high > MOST_EXPONENT
    if (
        node.op
        in ("neg", "sum", "mul", "div", "gather", "rename", "broadcast", "scatter_add", "select", "stop")
        and depth
    ):
        inner = node.args if node.op == "mul" else node.args[1:] if node.op == "select" else node.args[:1]
        return any(_overflows(a, depth - 1) for a in inner)
    return node.op == "polygamma"


def _infinite(node: Node, told: dict[Node, bool]) -> bool:
    """Whether what logits of -inf make infinite reaches ``node`` elementwise."""
    if node not in told:
        told[node] = False
        if node.op == "log_softmax":
            told[node] = True
        elif number(node) is None and OPS[node.op].family in ("elementwise", "structure"):
            told[node] = any(_infinite(a, told) for a in node.args if a.elem == "real")
    return told[node]

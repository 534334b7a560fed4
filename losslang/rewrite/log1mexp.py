"""log(1 - exp(x)): where x underflows, and of the parts of a softmax."""

from __future__ import annotations

import math

from losslang.cotangent import both, undropped
from losslang.ir import Node, peel
from losslang.rewrite.engine import Engine, handles
from losslang.rewrite.forms import linear, nonnegative
from losslang.rewrite.logarithms import log_of
from losslang.rewrite.swings import swing


@handles("log1mexp")
def log_one_less(engine: Engine, node: Node) -> Node | None:
    """log(1 - exp(x)) where x may underflow to 0: about log(-x); of a softmax, through the other parts."""
    if node.attr is not None:
        return None
    x = node.args[0]
    form = linear(x)
    if form.size == 1 and form.terms:
        ((term, coefficient),) = form.terms.items()
        if coefficient == -1 and term.op == "softplus":
            return engine.neg(engine.make("softplus", engine.neg(term.args[0])))
        if coefficient == 1 and term.op == "log_normal_cdf":
            return engine.make("log_normal_cdf", engine.neg(term.args[0]))
        if coefficient == 1 and (better := _other_parts(engine, node, term)) is not None:
            return better
    negative = engine.neg(x)
    if not nonnegative(negative) or not swing(negative)[0]:
        return None
    logs = log_of(engine, negative)
    if logs is None or logs.op == "log":
        return None
    graph = engine.graph
    kept = graph.make("log1mexp", (x,), "kept")
    engine.settled[kept] = kept
    return engine.make("select", graph.apply("lt", -1e-12, x), logs, kept)


def _other_parts(engine: Engine, node: Node, term: Node) -> Node | None:
    """log of 1 less a part of a softmax: by how far that part's logit lies above what all others have together."""
    graph = engine.graph
    if term.op == "gather":
        picked = _picked_logit(term)
        if picked is None:
            return None
        z, axis = picked
        at = term.args[1]
        rest = graph.select(graph.apply("eq", graph.index(axis), at), -math.inf, z)
        others = engine.make("logsumexp", rest, attr=frozenset({axis}))
        logs = engine.neg(
            engine.make("softplus", engine.sub(engine.make("gather", z, at, attr=axis), others))
        )
        kept = undropped(z)
        if kept is None:
            return logs
        here = graph.gather(kept, at, axis) if axis in kept.axes else kept
        return engine.make("select", here, logs, 0.0)
    if term.op != "log_softmax" or len(term.attr) != 1:
        return None
    # Only the largest part can be near 1.
    z = term.args[0]
    (axis,) = term.attr
    largest = graph.apply("eq", graph.index(axis), graph.make("argmax", (z,), term.attr))
    largest = both(largest, undropped(z)) or largest
    rest = graph.select(largest, -math.inf, z)
    others = graph.make("logsumexp", (rest,), term.attr)
    kept = graph.make("log1mexp", node.args, "kept")
    engine.settled[kept] = kept
    return engine.make("select", largest, engine.neg(engine.make("softplus", engine.sub(z, others))), kept)


def _picked_logit(term: Node) -> tuple[Node, str] | None:
    """The logits and their axis of a pick out of a log_softmax, through renamings of the axis."""
    inner, axis = peel(term.args[0]), term.attr
    if inner.op == "rename" and inner.attr[1] == axis:
        renamed = peel(inner.args[0])
        if renamed.op == "log_softmax" and renamed.attr == {inner.attr[0]}:
            return term.graph.rename(renamed.args[0], *inner.attr), axis
    if inner.op != "log_softmax" or inner.attr != {axis} or axis in term.args[1].axes:
        return None
    return inner.args[0], axis

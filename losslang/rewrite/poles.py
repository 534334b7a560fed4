"""Losses that may be infinite: where they are, a gradient that has no value is infinite too, never NaN.

Infinities meet in the derivative (inf - inf, 0 · inf) of what is infinite itself. A loss that no finite inputs
make infinite, such as a cross-entropy of logits, is left as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from losslang.ir import Node, peel
from losslang.rewrite.forms import nonzero, number, positive, range_of
from losslang.rewrite.gathering import MOST_EXPONENT

#: What takes logits of -inf for classes that are left out.
_OVER_CLASSES = frozenset({"logsumexp", "softmax", "log_softmax", "max", "min", "logaddexp", "log_chain"})


def guarded(total: Node, gradients: Sequence[Node]) -> list[Node]:
    """The gradients of ``total`` for which there is no value, infinite where the total is."""
    if not gradients or not any(map(_may_be_infinite, _below(total))):
        return list(gradients)
    graph = total.graph
    infinite = graph.apply("eq", graph.apply("abs", total), math.inf)
    found = []
    for each in gradients:
        undefined = graph.make("and", (infinite, graph.make("ne", (each, each))))
        found.append(graph.broadcast(graph.select(undefined, math.inf, each), each.axes))
    return found


def _below(total: Node) -> Iterable[Node]:
    """The numbers that a finished total is computed of, but for the logits of classes that are left out."""
    seen: set[Node] = set()
    stack = [total]
    while stack:
        node = stack.pop()
        if node in seen or node.elem != "real":
            continue
        seen.add(node)
        yield node
        if node.op == "log1p":
            continue  # what stands inside is of moderate size wherever a logarithm of 1 + x is taken
        if node.op in _OVER_CLASSES:
            chosen = [peel(a).args if peel(a).op == "select" else (a,) for a in node.args]
            stack.extend(a for args in chosen for a in args if number(peel(a)) is None)
        else:
            stack.extend(node.args)


def _may_be_infinite(node: Node) -> bool:
    """Whether ``node`` makes an infinity of finite numbers of moderate size.

    A vector over its own length is no such thing, nor is the logarithm of a probability, which saturates.
    """
    if node.op == "const":
        return isinstance(node.attr, float) and math.isinf(node.attr)
    if node.op == "div":
        return not _divides_safely(node.args[1])
    if node.op == "log":
        inside = _bare(node.args[0])
        return not (range_of(inside).high <= 1 or nonzero(inside) or _counts(inside) or _kept_off(inside))
    if node.op in ("exp", "expm1", "sinh", "cosh"):
        return range_of(node.args[0]).high > MOST_EXPONENT
    if node.op == "pow":
        return range_of(node.args[1]).low < 0 and not nonzero(node.args[0])
    return node.op in ("lgamma", "digamma", "polygamma") and not positive(node.args[0])


def _divides_safely(node: Node) -> bool:
    node = _bare(node)
    if node.op == "mul":
        return all(map(_divides_safely, node.args))
    return node.op in ("sqrt", "hypot") or _counts(node) or nonzero(node)


def _bare(node: Node) -> Node:
    """``node`` without repetition and changes of precision."""
    while node.op in ("broadcast", "widen", "narrow"):
        node = node.args[0]
    return node


def _kept_off(node: Node) -> bool:
    """Whether ``node`` is kept away from 0 by the smallest number of its type."""
    return node.op == "maximum" and any(_bare(a).op == "limit" for a in node.args)


def _counts(node: Node) -> bool:
    """Whether ``node`` counts places, by sizes of axes or of masks: losses of nothing are 0."""
    if node.op in ("size", "count"):
        return True
    if node.op in ("to_real", "to_int", "mul", "maximum", "widen", "narrow", "broadcast"):
        return all(_counts(a) or bool(number(a)) or a.elem == "bool" for a in node.args)
    return node.op == "pow" and _counts(node.args[0])

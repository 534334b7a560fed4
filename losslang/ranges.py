"""The interval of every node, from the intervals that kinds promise and the ops table."""

from __future__ import annotations

from itertools import permutations

from losslang.interval import EVERYTHING, NONNEGATIVE, UNIT, Interval, point
from losslang.ir import Node
from losslang.ops import OPS


def interval_of(node: Node) -> Interval:
    """What is provable of every element of ``node``; cached on the graph."""
    known = node.graph.intervals
    found = known.get(node)
    if found is not None:
        return found
    stack = [node]
    while stack:
        unknown = [arg for arg in stack[-1].args if arg not in known]
        if unknown:
            stack.extend(unknown)
        else:
            last = stack.pop()
            known[last] = _interval(last, known)
    return known[node]


def _interval(node: Node, known: dict[Node, Interval]) -> Interval:
    if node.op == "const":
        return point(float(node.attr))
    if node in node.graph.declared:
        return node.graph.declared[node]
    if node.elem == "bool":
        return Interval(0.0, 1.0)
    if node.op in ("index", "size", "limit"):
        return NONNEGATIVE
    if node.op == "mul" and len(node.args) == 2 and node.args[0] is node.args[1]:
        return OPS["pow"].interval(known[node.args[0]], point(2.0))  # type: ignore[misc]
    rule = OPS[node.op].interval
    found = rule(*(known[a] for a in node.args)) if rule else EVERYTHING
    if (
        node.op == "div"
        and found.nonnegative
        and not found.is_probability
        and _at_most(node.args[0], node.args[1], known)
    ):
        return found.intersect(UNIT)
    if node.op == "add" and not found.nonnegative and _taken_from_more(node.args, known):
        return found.intersect(NONNEGATIVE)
    return found


def _taken_from_more(parts: tuple[Node, ...], known: dict[Node, Interval]) -> bool:
    """Whether everything that a sum takes away is at most a part of its own that the sum adds."""
    taken = [part.args[0] for part in parts if part.op == "neg"]
    given = [part for part in parts if part.op != "neg"]
    if not taken or len(taken) > len(given) or len(given) > 3:
        return False
    return any(
        all(_at_most(a, b, known) for a, b in zip(taken, order, strict=False))
        and all(known[rest].nonnegative for rest in order[len(taken) :])
        for order in permutations(given)
    )


def _at_most(a: Node, b: Node, known: dict[Node, Interval], depth: int = 5) -> bool:
    """Whether ``a`` is nowhere above ``b`` by what the two are made of.

    Rounding keeps each of these orders, so what is proved of the numbers holds for the computed ones too.
    """
    if a is b or known[a].high <= known[b].low:
        return True
    if depth == 0:
        return False

    def below(x: Node, y: Node) -> bool:
        return _at_most(x, y, known, depth - 1)

    if (b.op == "max" and b.args[0] is a) or (a.op == "min" and a.args[0] is b):
        return True
    if a.op == "minimum" and any(below(part, b) for part in a.args):
        return True
    if b.op == "maximum" and any(below(a, part) for part in b.args):
        return True
    if not known[a].nonnegative:
        return False
    if b.op == "sum" and b.args[0] is a:
        return True
    parts_of_b = all(known[part].nonnegative for part in b.args)
    if b.op == "add" and parts_of_b and any(below(a, part) for part in b.args):
        return True
    if a.op not in ("add", "mul") or not all(known[part].nonnegative for part in a.args):
        return False
    if (
        a.op == "mul"
        and len(a.args) == 2
        and any(known[share].is_probability and below(rest, b) for share, rest in permutations(a.args))
    ):
        return True
    return (
        a.op == b.op
        and parts_of_b
        and len(a.args) == len(b.args) <= 3
        and any(all(map(below, a.args, order)) for order in permutations(b.args))
    )

"""For backends that have no numbers below the smallest normal one: XLA makes them 0 on CPUs and TPUs.

An exponential that is 0 there may have been about to be multiplied by something large. So a product with
exponentials is computed with those raised that are near the end, and lowered again.
"""

from __future__ import annotations

import math
from dataclasses import replace

from losslang.ir import Node, rebuild, walk
from losslang.program import Function, Result

#: How much of the range below 1 an exponential may use before it is raised, for each power of 2 in it.
_SHARE = 0.9 * math.log(2)


def lifted(function: Function) -> Function:
    """The function with every product of exponentials and other arrays out of the way of underflow."""
    made: dict[Node, Node] = {}
    for node in walk([result.node for result in function.results]):
        args = tuple(made[arg] for arg in node.args)
        made[node] = _product(node, args) if node.op in ("mul", "silence", "div") else rebuild(node, args)
    results = tuple(Result(made[result.node], result.axes) for result in function.results)
    return replace(function, results=results)


def _product(node: Node, args: tuple[Node, ...]) -> Node:
    graph = node.graph
    exponents = [_exponent(arg) if arg.axes == node.axes else None for arg in args]
    if node.op == "div":
        exponents[1] = None
    others = [arg for arg, exponent in zip(args, exponents, strict=True) if exponent is None]
    if len(others) == len(args) or not any(_varies(arg, node) for arg in others):
        return rebuild(node, args)
    end = graph.limit("minexp") * _SHARE
    lowest = [None if x is None else graph.apply("lt", x, end) for x in exponents]
    raised = tuple(
        arg if x is None or low is None else graph.select(low, graph.apply("exp", x - end), arg)
        for arg, x, low in zip(args, exponents, lowest, strict=True)
    )
    product = graph.make(node.op, raised, node.attr)
    for low in lowest:
        if low is not None:
            product = graph.select(low, product * graph.apply("exp", end), product)
    return product


def _varies(arg: Node, product: Node) -> bool:
    """Whether a factor is more than a number for the whole array, such as a weight or a cotangent."""
    return arg.op != "const" and (bool(arg.axes) or not product.axes)


def _exponent(node: Node) -> Node | None:
    """The logarithm of what is an exponential where it is small."""
    if node.op in ("exp", "sigmoid"):
        return node.args[0]
    if node.op == "softmax":
        return node.graph.make("log_softmax", node.args, node.attr)
    if node.op in ("gather", "rename", "broadcast", "stop"):
        exponent = _exponent(node.args[0])
        return None if exponent is None else rebuild(node, (exponent, *node.args[1:]))
    return None

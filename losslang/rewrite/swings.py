"""Which values may leave the range of floats although what is made of them need not."""

from __future__ import annotations

from losslang.ir import Node, peel
from losslang.rewrite.forms import number, range_of, vast

Swing = tuple[bool, bool]
NONE: Swing = (False, False)
_EDGE = 60.0  # exponents beyond this leave float32 or its square


def swing(node: Node) -> Swing:
    """(may underflow, may overflow) for moderate inputs: what exponentials make, not plain inputs."""
    memo = node.graph.swings
    if node not in memo:
        memo[node] = NONE
        memo[node] = _swing(node)
    return memo[node]


def wild(node: Node) -> bool:
    return any(swing(node))


def _swing(node: Node) -> Swing:
    node = peel(node)
    op = node.op
    if op == "exp":
        inside = range_of(node.args[0])
        return inside.low < -_EDGE, inside.high > _EDGE
    if op in ("sigmoid", "softplus", "normal_cdf"):
        return range_of(node.args[0]).low < -_EDGE, False
    if op == "erfc":
        return range_of(node.args[0]).high > _EDGE / 10, False
    if op == "softmax":
        return True, False
    if op in ("cosh", "sinh"):
        return False, True
    if op == "expm1":
        inside = range_of(node.args[0])
        return vanishes(node.args[0]), inside.high > _EDGE
    if op == "erfcx":
        return False, range_of(node.args[0]).low < -_EDGE / 10
    if op == "prod":
        return True, range_of(node.args[0]).high > 1
    if op == "computed_as":
        return swing(node.args[0])
    if op in ("mul", "silence"):
        return _any(swing(a) for a in node.args)
    if op == "div":
        (down, up), (down_below, up_below) = swing(node.args[0]), swing(node.args[1])
        return down or up_below, up or down_below
    if op == "pow":
        return _power_swing(node)
    if op in ("add", "logaddexp"):
        return _sum_swing(node)
    if op in ("neg", "abs", "sqrt", "sum", "max", "min", "maximum", "minimum", "cumsum", "reverse_cumsum",
              "rename", "merge", "unmerge", "stack", "stop", "broadcast", "scatter_add"):  # fmt: skip
        return _any(swing(a) for a in node.args)
    if op == "contract":
        return _any(swing(a) for a in node.args)
    if op == "gather":
        return swing(node.args[0])
    if op == "select":
        return _any((swing(node.args[1]), swing(node.args[2])))
    return NONE


def vanishes(node: Node) -> bool:
    """Whether ``node`` is minus the logarithm of a probability (or that), which underflows for certain events."""
    node = peel(node)
    if node.op in ("log_softmax", "log_normal_cdf", "softplus"):
        return True
    if node.op in ("neg", "gather", "rename", "stop", "select"):
        return any(vanishes(a) for a in node.args if a.elem == "real")
    if node.op == "mul":
        return any(vanishes(a) for a in node.args) and any(a.op == "const" for a in node.args)
    return node.op == "add" and all(vanishes(a) for a in node.args)


def _any(swings: object) -> Swing:
    down = up = False
    for d, u in swings:  # type: ignore[attr-defined]
        down, up = down or d, up or u
    return down, up


def _power_swing(node: Node) -> Swing:
    down, up = swing(node.args[0])
    exponent = number(node.args[1])
    if exponent is not None:
        return (up, down) if exponent < 0 else (down, up)
    # An exponent of any size, one for each row, makes any number overflow.
    either = down or up or (bool(node.args[1].axes) and vast(node.args[1]) and vast(node.args[0]))
    return either, either


def _sum_swing(node: Node) -> Swing:
    if node.op != "add":
        return NONE
    swings = [swing(a) for a in node.args]
    return all(d for d, _ in swings), any(u for _, u in swings)

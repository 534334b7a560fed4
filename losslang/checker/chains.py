"""log_chain: the sum over all paths of states through time, in logarithms (a dynamic program)."""

from __future__ import annotations

import math

from losslang import model as m
from losslang.checker.along import finish, resolve_along
from losslang.checker.arithmetic import map_members
from losslang.checker.conversion import as_real
from losslang.checker.scope import Context, Scope, shown, shown_axes
from losslang.checker.values import Meaning, Value, merged_facts
from losslang.ir import Node
from losslang.kinds import REAL

USAGE = "write `log_chain[time, source, state](start, steps)`"


def _log_chain(context: Context, axes: tuple[str, ...], start: Node, steps: Node, mask: Node | None) -> Node:
    """A time that the mask drops leaves every state as it was."""
    graph = context.graph
    _, source, state = axes
    if mask is not None:
        staying = graph.apply("eq", graph.index(source), graph.index(state))
        steps = graph.select(mask, steps, graph.select(staying, 0.0, -math.inf))
    return graph.make("log_chain", (start, steps), axes)


CHAINS = {"log_chain": _log_chain}


def call_chain(context: Context, scope: Scope, call: m.Call) -> Meaning:
    name = call.function
    if len(call.args) != 2 or call.kwargs:
        raise context.fail("LL114", f"`{name}` takes two arguments", call.span, USAGE)
    if call.along is None or len(call.along.axes) != 3 or any(ref.pack for ref in call.along.axes):
        raise context.fail(
            "LL213", f"`{name}` must name three axes: the time, the state left and the state entered", call.span,
            USAGE,
        )  # fmt: skip
    meanings = context.eval_all(scope, list(call.args))
    return map_members(context, meanings, call.span, lambda values: _one(context, scope, call, values))


def _one(context: Context, scope: Scope, call: m.Call, values: list[Value]) -> Value:
    start, steps = (as_real(context, v, e.span) for v, e in zip(values, call.args, strict=True))
    along = resolve_along(context, scope, call, [start, steps], {})
    time, source, state = along.axes
    _require(context, call, 0, start, [state], [time, source])
    _require(context, call, 1, steps, [time, source, state], [])
    assert call.along is not None
    if call.along.where is not None and along.mask is not None and along.mask.axes & {source, state}:
        raise context.fail(
            "LL212", f"the mask of `{call.function}` says which times count, it cannot look at the states",
            call.along.where.span, "give transitions that are impossible the step `-inf`",
        )  # fmt: skip
    graph = context.graph
    if graph.size_root(source) != graph.size_root(state):
        context.equal_sizes.append((source, state))
    node = CHAINS[call.function](
        context, along.axes, _kept(context, start.node, state), steps.node, along.mask
    )
    apart = (start.axes - {state}) ^ (steps.axes - {time, source, state})
    crossing = start.axes - steps.axes and steps.axes - start.axes - {time, source, state}
    spoilt, introduced, ordered = merged_facts([start, steps])
    introduced = (introduced | (apart if crossing else frozenset())) - {source}
    both = Value(node, REAL, spoilt, introduced, False, ordered)
    return finish(along, both, node, REAL, keeps=True)


def _kept(context: Context, start: Node, state: str) -> Node:
    """States that an enclosing call left out cannot be where a path begins."""
    mask = context.restrictions.get(state)
    return start if mask is None else context.graph.select(mask, start, -math.inf)


def _require(
    context: Context, call: m.Call, place: int, value: Value, needed: list[str], foreign: list[str]
) -> None:
    what = ("start", "steps")[place]
    for axis in needed:
        if axis not in value.axes:
            raise context.fail(
                "LL204", f"the {what} of `{call.function}` need the axis `{shown(axis)}`, here they have "
                f"{shown_axes(value.axes)}", call.args[place].span, USAGE,
            )  # fmt: skip
    for axis in foreign:
        if axis in value.axes:
            raise context.fail(
                "LL204", f"the {what} of `{call.function}` cannot have the axis `{shown(axis)}`",
                call.args[place].span, "they are values of the states before the first time",
            )  # fmt: skip

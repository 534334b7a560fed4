"""How dynamic programs are written: time, source and state go last, in this order."""

from __future__ import annotations

from dataclasses import replace

from losslang.backends.emitter import FunctionEmitter, Value, emits
from losslang.backends.moves import reordered

from losslang.ir import Node


@emits("log_chain")
def _log_chain(e: FunctionEmitter, node: Node) -> Value:
    time, source, state = node.attr
    start = _with_last(e, node, node.args[0], (state,))
    steps = _with_last(e, node, node.args[1], (time, source, state))
    return _result(e, node, e.fill("log_chain", start.code, steps.code))


@emits("chain_sum")
def _chain_sum(e: FunctionEmitter, node: Node) -> Value:
    time, source, state, backward = node.attr
    x = _with_last(e, node, node.args[0], (time, state))
    weights = _with_last(e, node, node.args[1], (time, source, state))
    return _result(e, node, e.fill("chain_sum", x.code, weights.code, backward=backward))


def _riding(e: FunctionEmitter, node: Node) -> tuple[str, ...]:
    time, _, state = node.attr[:3]
    return e.layout.dims(node.axes - {time, state})


def _with_last(e: FunctionEmitter, node: Node, arg: Node, last: tuple[str, ...]) -> Value:
    """An argument at full length, the axes that ride along before ``last``."""
    dims = (*_riding(e, node), *last)
    value = e.expanded(e.array(e.named(arg, "real")), e.layout.dims(dims))
    return reordered(e, value, dims)


def _result(e: FunctionEmitter, node: Node, value: Value) -> Value:
    time, _, state = node.attr[:3]
    return e.ordered(replace(value, dims=(*_riding(e, node), time, state), named=False))

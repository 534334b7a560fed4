"""How elements are moved: renamed, merged, stacked, picked and scattered."""

from __future__ import annotations

from dataclasses import replace

from losslang.backends.emitter import FunctionEmitter, Value, emits
from losslang.backends.plan import Pick
from losslang.backends.reductions import reduced
from losslang.backends.softmaxes import Softmax

from losslang.ir import Node


@emits("broadcast")
def _broadcast(e: FunctionEmitter, node: Node) -> Value:
    return e.expanded(e.named(node.args[0]), e.layout.dims(node.axes))


@emits("rename")
def _rename(e: FunctionEmitter, node: Node) -> Value:
    old, new = node.attr
    value = e.named(node.args[0])
    return e.ordered(replace(value, dims=tuple(new if d == old else d for d in value.dims)))


@emits("merge")
def _merge(e: FunctionEmitter, node: Node) -> Value:
    axes, new = node.attr
    value = e.named(node.args[0])
    rest = tuple(d for d in value.dims if d not in axes)
    value = reordered(e, value, (*rest, *axes))
    made = e.fill("reshape", value.code, shape=e.shape((*rest, new)), dims=(*rest, new), elem=node.elem)
    return e.ordered(made)


@emits("unmerge")
def _unmerge(e: FunctionEmitter, node: Node) -> Value:
    axes, old = node.attr
    value = e.named(node.args[0])
    rest = tuple(d for d in value.dims if d != old)
    value = reordered(e, value, (*rest, old))
    made = e.fill("reshape", value.code, shape=e.shape((*rest, *axes)), dims=(*rest, *axes), elem=node.elem)
    return e.ordered(made)


def reordered(e: FunctionEmitter, value: Value, dims: tuple[str, ...]) -> Value:
    """``value`` with its dimensions in the order of ``dims``."""
    if value.dims == dims:
        return value
    order = ", ".join(str(value.dims.index(d)) for d in dims)
    return replace(e.fill("transpose", value.code, order=order, elem=value.elem), dims=dims)


@emits("stack")
def _stack(e: FunctionEmitter, node: Node) -> Value:
    dims = e.layout.dims(node.axes)
    rest = tuple(d for d in dims if d != node.attr)
    items = [e.array(e.expanded(e.named(a, node.elem), rest)).code for a in node.args]
    return e.fill("stack", items=", ".join(items), axis=dims.index(node.attr), dims=dims, elem=node.elem)


@emits("gather")
def _gather(e: FunctionEmitter, node: Node) -> Value:
    step = e.plan.steps.get(node)
    at = node.args[1]
    if not isinstance(step, Pick):
        return picked(e, e.named(node.args[0]), at, node.attr)
    (x,) = step.whole.args
    steps = Softmax(e, x, step.whole.attr)
    here = e.share((x, at, step.axis), f"{steps.stem}_picked", picked(e, steps.x, at, step.axis))
    return steps.softmax(here) if step.whole.op == "softmax" else steps.log_softmax(here)


def picked(e: FunctionEmitter, x: Value, at: Node, axis: str) -> Value:
    """``x`` at an index along ``axis``; out of range NaN, 0 or False."""
    if at.op == "const" and at.attr >= 0:
        place = x.dims.index(axis)
        index = ", ".join([":"] * place + [str(at.attr)])
        return Value(f"{x.code}[{index}]", tuple(d for d in x.dims if d != axis), x.elem, named=False)
    index_value = e.bind(e.array(e.named(at, "int")), "at")
    where = index_value.dims
    shared = tuple(d for d in where if d in x.dims)
    free = tuple(d for d in x.dims if d not in where and d != axis)
    x = reordered(e, x, (*shared, axis, *free))
    fill = {"real": "nan", "int": "0", "bool": "False"}[x.elem]
    made = e.fill("gather", x.code, index_value.code, rows=_rows(e, shared, where), fill=fill)
    return e.ordered(replace(made, dims=(*where, *free), elem=x.elem, named=False))


def _rows(e: FunctionEmitter, shared: tuple[str, ...], where: tuple[str, ...]) -> str:
    """Index arrays of the dimensions that an index has in common with what it picks from."""
    codes = []
    for axis in shared:
        made = e.fill("arange", e.size(axis), dims=(axis,), elem="int")
        index = e.share(("arange", axis), f"{axis}_rows", replace(made, named=False))
        codes.append(e.aligned(index, where))
    return f"({', '.join(codes)}{',' if len(codes) == 1 else ''})"


@emits("scatter_add")
def _scatter_add(e: FunctionEmitter, node: Node) -> Value:
    axis, kept = node.attr
    x, at = e.named(node.args[0], "real"), e.bind(e.array(e.named(node.args[1], "int")), "at")
    lone = frozenset(x.dims) - frozenset(at.dims) - frozenset(kept)
    if lone:
        x = e.bind(reduced(e, "sum", x, lone), "scattered")
    shared = tuple(d for d in at.dims if d in kept)
    free = tuple(d for d in x.dims if d not in at.dims)
    x = reordered(e, e.expanded(x, e.layout.dims({*at.dims, *free})), (*at.dims, *free))
    dims = (*shared, axis, *free)
    made = e.fill("scatter_add", x.code, at.code, rows=_rows(e, shared, at.dims), shape=e.shape(dims))
    summed = e.bind(e.ordered(replace(made, dims=dims, named=False)), e.name_for(node))
    return e.expanded(summed, e.layout.dims(node.axes))

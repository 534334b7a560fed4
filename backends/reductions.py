"""How reductions, scans and contractions are written."""

from __future__ import annotations

from dataclasses import replace

from losslang.backends.backend import Contraction
from losslang.backends.emitter import FunctionEmitter, Value, emits
from losslang.backends.plan import Product

from losslang.ir import Node

# -- reductions -------------------------------------------------------------------------------------


def _positions(value: Value, axes: frozenset[str]) -> str:
    places = [str(i) for i, d in enumerate(value.dims) if d in axes]
    return f"({', '.join(places)},)" if len(places) == 1 else f"({', '.join(places)})"


def reduced(e: FunctionEmitter, op: str, value: Value, axes: frozenset[str]) -> Value:
    """``op`` over ``axes`` of an array."""
    code = e.backend.reduction(op, value.code, _positions(value, axes), value.elem, e.real)
    dims = tuple(d for d in value.dims if d not in axes)
    return Value(code, dims, value.elem, tight=not code.startswith("-"), named=False)


@emits("sum", "prod", "max", "min", "any", "all", "count")
def _reduce(e: FunctionEmitter, node: Node) -> Value:
    step = e.plan.steps.get(node)
    if isinstance(step, Product):
        return _contraction(e, node, step)
    (x,) = node.args
    elem = {"any": "bool", "all": "bool", "count": "bool"}.get(node.op, node.elem)
    value = e.named(x, elem) if node.op in ("max", "min") else e.get(x, elem)  # type: ignore[arg-type]
    if node.op == "count":
        return reduced(e, "sum", replace(value, elem="int"), node.attr)
    return reduced(e, node.op, value, node.attr)


@emits("argmax", "argmin", "argsort")
def _arg(e: FunctionEmitter, node: Node) -> Value:
    value = e.named(node.args[0], "real" if node.args[0].elem == "bool" else None)
    (axis,) = node.attr
    dims = value.dims if node.op == "argsort" else tuple(d for d in value.dims if d != axis)
    return e.fill(node.op, value.code, dims=dims, elem="int", axis=value.dims.index(axis))


@emits("cumsum", "reverse_cumsum")
def _cumsum(e: FunctionEmitter, node: Node) -> Value:
    value = e.get(node.args[0], node.elem)
    (axis,) = node.attr
    code = e.backend.cumulative(value.code, value.dims.index(axis), node.op == "reverse_cumsum", node.elem)
    return Value(code, value.dims, node.elem, named=False)


@emits("cumlogsumexp")
def _cumlogsumexp(e: FunctionEmitter, node: Node) -> Value:
    value = e.get(node.args[0], "real")
    (axis,) = node.attr
    return e.fill("cumlogsumexp", value.code, dims=value.dims, axis=value.dims.index(axis))


@emits("decay_scan")
def _decay_scan(e: FunctionEmitter, node: Node) -> Value:
    dims = e.layout.dims(node.axes)
    args = [e.expanded(e.named(a, "real"), dims) for a in node.args]
    (axis,) = node.attr
    return e.fill("decay_scan", *(a.code for a in args), dims=dims, axis=dims.index(axis))


# -- contraction ------------------------------------------------------------------------------------


@emits("contract")
def _contract(e: FunctionEmitter, node: Node) -> Value:
    step = e.plan.steps[node]
    assert isinstance(step, Product)
    return _contraction(e, node, step)


def _contraction(e: FunctionEmitter, node: Node, step: Product) -> Value:
    out = e.layout.dims(node.axes)
    factors = [e.named(f, "real") for f in step.factors if f.axes]
    lone = [f for f in step.factors if not f.axes]
    scalars = [e.named(s, "real") for s in (*step.scalars, *lone)]
    summed = frozenset().union(*(f.dims for f in factors)) - frozenset(out) if factors else frozenset()
    if not factors:
        return Value(" * ".join(s.closed for s in scalars), out, "real", tight=False, named=False)
    if len(factors) == 1:
        value = reduced(e, "sum", factors[0], summed) if summed else factors[0]
    else:
        item = Contraction(tuple(f.code for f in factors), tuple(f.dims for f in factors), out)
        code, dims = e.backend.contraction(item, e.real)
        value = e.ordered(Value(code, dims, "real", named=False))
    if not scalars:
        return value
    code = " * ".join([value.closed, *(s.closed for s in scalars)])
    return Value(code, out, "real", tight=False, named=False)

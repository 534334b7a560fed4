"""How the shared ops are written: arithmetic of many terms, ops along axes, and what moves elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from losslang.backends.backend import Contraction
from losslang.backends.emitter import FunctionEmitter, Value
from losslang.backends.plan import Pick, Product

from losslang.ir import Node

Emitter = Callable[[FunctionEmitter, Node], Value]
EMITTERS: dict[str, Emitter] = {}
_CHUNK = 12


def _emits(*ops: str) -> Callable[[Emitter], Emitter]:
    def register(rule: Emitter) -> Emitter:
        EMITTERS.update(dict.fromkeys(ops, rule))
        return rule

    return register


# -- leaves -------------------------------------------------------------------------------------


@_emits("const")
def _const(e: FunctionEmitter, node: Node) -> Value:
    return _number(node.attr)


def _number(value: float | int | bool) -> Value:
    elem = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "real"
    code = repr(value)
    return Value(code, (), elem, plain=True, tight=not code.startswith("-"))  # type: ignore[arg-type]


@_emits("limit")
def _limit(e: FunctionEmitter, node: Node) -> Value:
    return e.limit(node.attr)


@_emits("input")
def _input(e: FunctionEmitter, node: Node) -> Value:
    raise KeyError(f"input {node.attr[0]!r} is not a parameter of {e.function.name}")


@_emits("size")
def _size(e: FunctionEmitter, node: Node) -> Value:
    return Value(e.size(node.attr), (), "int", plain=True)


@_emits("index")
def _index(e: FunctionEmitter, node: Node) -> Value:
    made = e.fill("arange", e.size(node.attr), dims=(node.attr,), elem="int")
    return e.bind(made, f"{node.attr}_index")


# -- arithmetic ---------------------------------------------------------------------------------


def _joined(e: FunctionEmitter, node: Node, operator: str) -> Value:
    """``a + b + …``; long chains are cut into statements."""
    args, dims = e.operands(node, "bool" if node.elem == "bool" else e.argument_elem(node))
    if not args:
        return _number(0.0 if operator == "+" else 1.0)
    args.sort(key=lambda a: -len(a.dims))
    total: Value | None = None
    for start in range(0, len(args), _CHUNK):
        chunk = args[start : start + _CHUNK]
        codes = [] if total is None else [total.code]
        codes += [_term(e, a, dims, operator) for a in chunk]
        code = _chained(codes, operator)
        plain = all(a.plain for a in chunk) and (total is None or total.plain)
        total = Value(code, dims, node.elem, plain, tight=len(codes) == 1, named=False)
        if start + _CHUNK < len(args):
            total = e.bind(total, e.name_for(node))
    assert total is not None
    return total


def _term(e: FunctionEmitter, value: Value, dims: tuple[str, ...], operator: str) -> str:
    code = e.aligned(value, dims)
    if operator == "+" and code.startswith("-") and not value.tight:
        return code
    return code if value.tight else f"({code})" if code == value.code else code


def _chained(codes: list[str], operator: str) -> str:
    text = codes[0]
    for code in codes[1:]:
        if operator == "+" and code.startswith("-") and _simple_negation(code):
            text += f" - {code[1:]}"
        else:
            text += f" {operator} {code if not code.startswith('-') else f'({code})'}"
    return text


def _simple_negation(code: str) -> bool:
    return code[1:].replace(".", "").replace("_", "").isalnum()


@_emits("add")
def _add(e: FunctionEmitter, node: Node) -> Value:
    return _joined(e, node, "+")


@_emits("mul")
def _mul(e: FunctionEmitter, node: Node) -> Value:
    return _joined(e, node, "*")


@_emits("and", "or")
def _logic(e: FunctionEmitter, node: Node) -> Value:
    if not node.args:
        return _number(node.op == "and")
    value = _joined(e, node, "&" if node.op == "and" else "|")
    return value


@_emits("mod")
def _mod(e: FunctionEmitter, node: Node) -> Value:
    args, dims = e.operands(node, node.elem)
    codes = [e.aligned(e.array(a), dims) for a in args]
    return e.fill("mod", *codes, dims=dims, elem=node.elem)


@_emits("floor")
def _floor(e: FunctionEmitter, node: Node) -> Value:
    if node.args[0].elem != "real":
        return e.get(node.args[0], "int")
    value = e.array(e.get(node.args[0]))
    return e.fill("floor", value.code, dims=value.dims, elem="int")


@_emits("stop")
def _stop(e: FunctionEmitter, node: Node) -> Value:
    value = e.get(node.args[0])
    if node.elem != "real" or value.plain:
        return value
    return e.fill("stop", value.code, dims=value.dims, elem=node.elem)


@_emits("computed_as")
def _computed_as(e: FunctionEmitter, node: Node) -> Value:
    return e.expanded(e.named(node.args[1], node.elem), e.layout.dims(node.axes))


@_emits("to_real")
def _to_real(e: FunctionEmitter, node: Node) -> Value:
    return e.get(node.args[0], "real")


@_emits("to_int")
def _to_int(e: FunctionEmitter, node: Node) -> Value:
    value = e.get(node.args[0])
    return e.get(node.args[0], "int") if not (value.plain and value.elem == "real") else _truncated(value)


def _truncated(value: Value) -> Value:
    return Value(f"int({value.code})", value.dims, "int", plain=True)


@_emits("abs", "sign")
def _keep_sign_rules(e: FunctionEmitter, node: Node) -> Value:
    value = e.array(e.get(node.args[0], "real"))
    return e.fill(node.op, value.code, dims=value.dims)


@_emits("pow")
def _pow(e: FunctionEmitter, node: Node) -> Value:
    base, exponent = node.args
    special = _CHEAP_POWERS.get(float(exponent.attr)) if exponent.op == "const" else None
    dims = e.layout.dims(node.axes)
    if special is not None:
        value = e.array(e.named(base, "real"))
        value = e.bind(value, "base")
        return Value(special.format(value.closed, sqrt=e.fill("sqrt", value.code).code), dims, "real",
                     tight=False, named=False)  # fmt: skip
    args, dims = e.operands(node, "real")
    codes = [e.aligned(e.array(a) if i == 0 else a, dims) for i, a in enumerate(args)]
    return Value(e.backend.power(*codes), dims, "real", named=False)


_CHEAP_POWERS = {
    1.0: "{0}",
    2.0: "{0} * {0}",
    3.0: "{0} * {0} * {0}",
    -1.0: "1.0 / {0}",
    0.5: "{sqrt}",
    -0.5: "1.0 / {sqrt}",
}


@_emits("select")
def _select(e: FunctionEmitter, node: Node) -> Value:
    dims = e.layout.dims(node.axes)
    condition, then, otherwise = _branch_values(e, node, dims)
    condition = e.array(condition)
    if then.code in ("1.0", "0.0") and {then.code, otherwise.code} == {"1.0", "0.0"}:
        chosen = condition.closed if then.code == "1.0" else f"(~{condition.closed})"
        return replace(condition, code=e.backend.cast(chosen, "real"), elem="real", tight=True, named=False)
    if then.plain and otherwise.plain:
        then = e.array(then)
    codes = [e.aligned(v, dims) for v in (condition, then, otherwise)]
    return e.fill("where", *codes, dims=dims, elem=node.elem)


def _branch_values(e: FunctionEmitter, node: Node, dims: tuple[str, ...]) -> list[Value]:
    values = []
    for arg, elem in zip(node.args, ("bool", node.elem, node.elem), strict=True):
        value = e.values[arg]
        direct = value.named or (value.dims == dims and value.elem == elem)
        values.append(e.get(arg, elem) if direct else e.named(arg, elem))  # type: ignore[arg-type]
    return values


@_emits("clip")
def _clip(e: FunctionEmitter, node: Node) -> Value:
    (x, low, high), dims = e.operands(node, e.argument_elem(node))
    x, low, high = e.array(x), e.array(low), e.array(high)
    above = e.fill("maximum", e.aligned(x, dims), e.aligned(low, dims))
    return e.fill("minimum", above.code, e.aligned(high, dims), dims=dims, elem=node.elem)


# -- reductions ---------------------------------------------------------------------------------


def _positions(value: Value, axes: frozenset[str]) -> str:
    places = [str(i) for i, d in enumerate(value.dims) if d in axes]
    return f"({', '.join(places)},)" if len(places) == 1 else f"({', '.join(places)})"


def reduced(e: FunctionEmitter, op: str, value: Value, axes: frozenset[str]) -> Value:
    """``op`` over ``axes`` of an array."""
    code = e.backend.reduction(op, value.code, _positions(value, axes), value.elem)
    dims = tuple(d for d in value.dims if d not in axes)
    return Value(code, dims, value.elem, tight=not code.startswith("-"), named=False)


@_emits("sum", "prod", "max", "min", "any", "all", "count")
def _reduce(e: FunctionEmitter, node: Node) -> Value:
    step = e.plan.steps.get(node)
    if isinstance(step, Product):
        return _contraction(e, node, step)
    (x,) = node.args
    elem = {"any": "bool", "all": "bool", "count": "bool"}.get(node.op, node.elem)
    value = e.named(x, elem) if node.op in ("max", "min") else e.get(x, elem)  # type: ignore[arg-type]
    if node.op == "count":
        value = Value(e.backend.cast(value.closed, "int"), value.dims, "int", named=False)
        return reduced(e, "sum", value, node.attr)
    return reduced(e, node.op, value, node.attr)


@_emits("argmax", "argmin", "argsort")
def _arg(e: FunctionEmitter, node: Node) -> Value:
    value = e.named(node.args[0], "real" if node.args[0].elem == "bool" else None)
    (axis,) = node.attr
    dims = value.dims if node.op == "argsort" else tuple(d for d in value.dims if d != axis)
    return e.fill(node.op, value.code, dims=dims, elem="int", axis=value.dims.index(axis))


@_emits("cumsum", "reverse_cumsum")
def _cumsum(e: FunctionEmitter, node: Node) -> Value:
    value = e.get(node.args[0], node.elem)
    (axis,) = node.attr
    code = e.backend.cumulative(value.code, value.dims.index(axis), node.op == "reverse_cumsum", node.elem)
    return Value(code, value.dims, node.elem, named=False)


@_emits("cumlogsumexp")
def _cumlogsumexp(e: FunctionEmitter, node: Node) -> Value:
    value = e.get(node.args[0], "real")
    (axis,) = node.attr
    return e.fill("cumlogsumexp", value.code, dims=value.dims, axis=value.dims.index(axis))


@_emits("decay_scan")
def _decay_scan(e: FunctionEmitter, node: Node) -> Value:
    dims = e.layout.dims(node.axes)
    args = [e.expanded(e.named(a, "real"), dims) for a in node.args]
    (axis,) = node.attr
    return e.fill("decay_scan", *(a.code for a in args), dims=dims, axis=dims.index(axis))


# -- softmax and its kin ------------------------------------------------------------------------


class _Softmax:
    """The shared steps of softmax, logsumexp and log_softmax of one array along some axes.

    The largest entries are counted and left out of the sum of the others, so that a logsumexp close
    to its largest entry keeps full relative accuracy.
    """

    def __init__(self, e: FunctionEmitter, x: Node, axes: frozenset[str]) -> None:
        self.e, self.axes, self.key = e, axes, (x, axes)
        self.x = e.named(x, "real")
        self.stem = self.x.code if self.x.code.isidentifier() else "x"

    def _share(self, what: str, value: Value) -> Value:
        return self.e.share((*self.key, what), f"{self.stem}_{what}", replace(value, named=False))

    def _where(self, condition: str, then: str, otherwise: str, dims: tuple[str, ...]) -> Value:
        return self.e.fill("where", condition, then, otherwise, dims=dims)

    @property
    def highest(self) -> Value:
        return self._share("max", reduced(self.e, "max", self.x, self.axes))

    @property
    def shift(self) -> Value:
        """The largest entry; 0 where it is infinite."""
        top = self.highest
        finite = f"abs({top.code}) < inf"
        return self._share("shift", self._where(finite, top.code, "0.0", top.dims))

    def _exp(self, x: Value) -> Value:
        dims = self.e.layout.dims({*x.dims, *self.shift.dims})
        inner = f"{self.e.aligned(x, dims)} - {self.e.aligned(self.shift, dims)}"
        return self.e.fill("exp", inner, dims=dims)

    @property
    def exps(self) -> Value:
        return self._share("exp", self._exp(self.x))

    @property
    def excess(self) -> Value:
        """The sum of exp(x - max) without one of the largest entries."""
        top = self.e.aligned(self.highest, self.x.dims)
        others = self._where(f"{self.x.code} < {top}", self.exps.code, "0.0", self.x.dims)
        ties = Value(self.e.backend.cast(f"({self.x.code} == {top})", "int"), self.x.dims, "int", named=False)
        counted = reduced(self.e, "sum", ties, self.axes)
        ties_real = self.e.backend.cast(f"({counted.code} - 1)", "real")
        rest = reduced(self.e, "sum", others, self.axes)
        return self._share("excess", replace(rest, code=f"{ties_real} + {rest.code}", tight=False))

    @property
    def log_total(self) -> Value:
        return self._share("log_total", self.e.fill("log1p", self.excess.code, dims=self.excess.dims))

    @property
    def total(self) -> Value:
        if (*self.key, "excess") in self.e.shared:
            return replace(self.excess, code=f"1.0 + {self.excess.code}", tight=False, named=False)
        total = self._share("total", reduced(self.e, "sum", self.exps, self.axes))
        return self._where(f"{total.code} > 0.0", total.code, "1.0", total.dims)

    @property
    def norm(self) -> Value:
        """What the exponentials are divided by; never 0."""
        return self._share("norm", self.total)

    def logsumexp(self) -> Value:
        dims = self.highest.dims
        return Value(f"{self.highest.code} + {self.log_total.code}", dims, "real", tight=False, named=False)

    def softmax(self, x: Value | None = None) -> Value:
        exps = self.exps if x is None else self._exp(x)
        dims = exps.dims
        code = f"{exps.closed} / {self.e.aligned(self.norm, dims)}"
        return Value(code, dims, "real", tight=False, named=False)

    def log_softmax(self, x: Value | None = None) -> Value:
        value = self.x if x is None else x
        dims = self.e.layout.dims({*value.dims, *self.shift.dims})
        parts = [self.e.aligned(v, dims) for v in (value, self.shift, self.log_total)]
        return Value(f"({parts[0]} - {parts[1]}) - {parts[2]}", dims, "real", tight=False, named=False)


@_emits("logsumexp")
def _logsumexp(e: FunctionEmitter, node: Node) -> Value:
    return _Softmax(e, node.args[0], node.attr).logsumexp()


@_emits("softmax")
def _softmax(e: FunctionEmitter, node: Node) -> Value:
    return _Softmax(e, node.args[0], node.attr).softmax()


@_emits("log_softmax")
def _log_softmax(e: FunctionEmitter, node: Node) -> Value:
    return _Softmax(e, node.args[0], node.attr).log_softmax()


# -- contraction --------------------------------------------------------------------------------


@_emits("contract")
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
        code, dims = e.backend.contraction(item)
        value = e.ordered(Value(code, dims, "real", named=False))
    if not scalars:
        return value
    code = " * ".join([value.closed, *(s.closed for s in scalars)])
    return Value(code, out, "real", tight=False, named=False)


# -- moving elements ----------------------------------------------------------------------------


@_emits("broadcast")
def _broadcast(e: FunctionEmitter, node: Node) -> Value:
    return e.expanded(e.named(node.args[0]), e.layout.dims(node.axes))


@_emits("rename")
def _rename(e: FunctionEmitter, node: Node) -> Value:
    old, new = node.attr
    value = e.named(node.args[0])
    return e.ordered(replace(value, dims=tuple(new if d == old else d for d in value.dims)))


@_emits("merge")
def _merge(e: FunctionEmitter, node: Node) -> Value:
    axes, new = node.attr
    value = e.named(node.args[0])
    rest = tuple(d for d in value.dims if d not in axes)
    value = _reordered(e, value, (*rest, *axes))
    made = e.fill("reshape", value.code, shape=e.shape((*rest, new)), dims=(*rest, new), elem=node.elem)
    return e.ordered(made)


@_emits("unmerge")
def _unmerge(e: FunctionEmitter, node: Node) -> Value:
    axes, old = node.attr
    value = e.named(node.args[0])
    rest = tuple(d for d in value.dims if d != old)
    value = _reordered(e, value, (*rest, old))
    made = e.fill("reshape", value.code, shape=e.shape((*rest, *axes)), dims=(*rest, *axes), elem=node.elem)
    return e.ordered(made)


def _reordered(e: FunctionEmitter, value: Value, dims: tuple[str, ...]) -> Value:
    if value.dims == dims:
        return value
    order = ", ".join(str(value.dims.index(d)) for d in dims)
    return replace(e.fill("transpose", value.code, order=order, elem=value.elem), dims=dims)


@_emits("stack")
def _stack(e: FunctionEmitter, node: Node) -> Value:
    dims = e.layout.dims(node.axes)
    rest = tuple(d for d in dims if d != node.attr)
    items = [e.array(e.expanded(e.named(a, node.elem), rest)).code for a in node.args]
    return e.fill("stack", items=", ".join(items), axis=dims.index(node.attr), dims=dims, elem=node.elem)


@_emits("gather")
def _gather(e: FunctionEmitter, node: Node) -> Value:
    step = e.plan.steps.get(node)
    at = node.args[1]
    if not isinstance(step, Pick):
        return picked(e, e.named(node.args[0]), at, node.attr)
    (x,) = step.whole.args
    steps = _Softmax(e, x, step.whole.attr)
    here = e.bind(picked(e, steps.x, at, node.attr), f"{steps.stem}_picked")
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
    x = _reordered(e, x, (*shared, axis, *free))
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


@_emits("scatter_add")
def _scatter_add(e: FunctionEmitter, node: Node) -> Value:
    axis, kept = node.attr
    x, at = e.named(node.args[0], "real"), e.bind(e.array(e.named(node.args[1], "int")), "at")
    lone = frozenset(x.dims) - frozenset(at.dims) - frozenset(kept)
    if lone:
        x = e.bind(reduced(e, "sum", x, lone), "scattered")
    shared = tuple(d for d in at.dims if d in kept)
    free = tuple(d for d in x.dims if d not in at.dims)
    x = _reordered(e, e.expanded(x, e.layout.dims({*at.dims, *free})), (*at.dims, *free))
    dims = (*shared, axis, *free)
    made = e.fill("scatter_add", x.code, at.code, rows=_rows(e, shared, at.dims), shape=e.shape(dims))
    summed = e.bind(e.ordered(replace(made, dims=dims, named=False)), e.name_for(node))
    return e.expanded(summed, e.layout.dims(node.axes))

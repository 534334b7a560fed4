"""How numbers, sums and products of many terms, and choices are written."""

from __future__ import annotations

from dataclasses import replace

from losslang.backends.emitter import FunctionEmitter, Value, emits

from losslang.ir import Node

_CHUNK = 12


# -- leaves -----------------------------------------------------------------------------------------


@emits("const")
def _const(e: FunctionEmitter, node: Node) -> Value:
    return _number(node.attr)


def _number(value: float | int | bool) -> Value:
    elem = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "real"
    code = repr(value)
    return Value(code, (), elem, plain=True, tight=not code.startswith("-"))  # type: ignore[arg-type]


@emits("limit")
def _limit(e: FunctionEmitter, node: Node) -> Value:
    return e.limit(node.attr)


@emits("input")
def _input(e: FunctionEmitter, node: Node) -> Value:
    raise KeyError(f"input {node.attr[0]!r} is not a parameter of {e.function.name}")


@emits("size")
def _size(e: FunctionEmitter, node: Node) -> Value:
    return Value(e.size(node.attr), (), "int", plain=True)


@emits("index")
def _index(e: FunctionEmitter, node: Node) -> Value:
    made = e.fill("arange", e.size(node.attr), dims=(node.attr,), elem="int")
    return e.bind(made, f"{node.attr}_index")


# -- arithmetic -------------------------------------------------------------------------------------


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


@emits("add")
def _add(e: FunctionEmitter, node: Node) -> Value:
    return _joined(e, node, "+")


@emits("mul")
def _mul(e: FunctionEmitter, node: Node) -> Value:
    return _joined(e, node, "*")


@emits("and", "or")
def _logic(e: FunctionEmitter, node: Node) -> Value:
    if not node.args:
        return _number(node.op == "and")
    value = _joined(e, node, "&" if node.op == "and" else "|")
    return value


@emits("mod")
def _mod(e: FunctionEmitter, node: Node) -> Value:
    args, dims = e.operands(node, node.elem)
    codes = [e.aligned(e.array(a), dims) for a in args]
    return e.fill("mod", *codes, dims=dims, elem=node.elem)


@emits("floor")
def _floor(e: FunctionEmitter, node: Node) -> Value:
    if node.args[0].elem != "real":
        return e.get(node.args[0], "int")
    value = e.array(e.get(node.args[0]))
    return e.fill("floor", value.code, dims=value.dims, elem="int")


@emits("stop")
def _stop(e: FunctionEmitter, node: Node) -> Value:
    value = e.get(node.args[0])
    if node.elem != "real" or value.plain:
        return value
    return e.fill("stop", value.code, dims=value.dims, elem=node.elem)


@emits("computed_as")
def _computed_as(e: FunctionEmitter, node: Node) -> Value:
    return e.expanded(e.named(node.args[1], node.elem), e.layout.dims(node.axes))


@emits("to_real")
def _to_real(e: FunctionEmitter, node: Node) -> Value:
    return e.get(node.args[0], "real")


@emits("to_int")
def _to_int(e: FunctionEmitter, node: Node) -> Value:
    value = e.get(node.args[0])
    return e.get(node.args[0], "int") if not (value.plain and value.elem == "real") else _truncated(value)


def _truncated(value: Value) -> Value:
    return Value(f"int({value.code})", value.dims, "int", plain=True)


@emits("abs", "sign")
def _keep_sign_rules(e: FunctionEmitter, node: Node) -> Value:
    value = e.array(e.get(node.args[0], "real"))
    return e.fill(node.op, value.code, dims=value.dims)


@emits("pow")
def _pow(e: FunctionEmitter, node: Node) -> Value:
    base, exponent = node.args
    special = _CHEAP_POWERS.get(float(exponent.attr)) if exponent.op == "const" else None
    dims = e.layout.dims(node.axes)
    if special is not None:
        value = e.array(e.named(base, "real"))
        value = e.bind(value, "base")
        if special == "reciprocal":
            return e.fill("div", "1.0", value.code, dims=dims)
        root = e.fill("sqrt", value.code, dims=dims)
        if special == "root":
            return root
        if special == "reciprocal root":
            return e.fill("div", "1.0", root.code, dims=dims)
        return Value(special.format(value.closed), dims, "real", tight=False, named=False)
    args, dims = e.operands(node, "real")
    codes = [e.aligned(e.array(a) if i == 0 else a, dims) for i, a in enumerate(args)]
    return Value(e.backend.power(*codes), dims, "real", named=False)


_CHEAP_POWERS = {
    1.0: "{0}",
    2.0: "{0} * {0}",
    3.0: "{0} * {0} * {0}",
    -1.0: "reciprocal",
    0.5: "root",
    -0.5: "reciprocal root",
}


@emits("select")
def _select(e: FunctionEmitter, node: Node) -> Value:
    dims = e.layout.dims(node.axes)
    condition, then, otherwise = _branch_values(e, node, dims)
    condition = e.array(condition)
    if then.code in ("1.0", "0.0") and {then.code, otherwise.code} == {"1.0", "0.0"}:
        chosen = condition.closed if then.code == "1.0" else f"(~{condition.closed})"
        return replace(
            condition, code=e.backend.cast(chosen, e.type_name("real")), elem="real", tight=True, named=False
        )
    if then.plain and otherwise.plain:
        then = e.array(then)
    codes = [e.aligned(v, dims) for v in (condition, then, otherwise)]
    return e.fill("where", *codes, dims=dims, elem=node.elem)


def _branch_values(e: FunctionEmitter, node: Node, dims: tuple[str, ...]) -> list[Value]:
    values = []
    for arg, elem in zip(node.args, ("bool", node.elem, node.elem), strict=True):
        value = e.values[arg]
        direct = value.named or (value.dims == dims and value.elem == elem)
        values.append(e.get(arg, elem) if direct else e.named(arg, elem))
    return values


@emits("clip")
def _clip(e: FunctionEmitter, node: Node) -> Value:
    (x, low, high), dims = e.operands(node, e.argument_elem(node))
    x, low, high = e.array(x), e.array(low), e.array(high)
    above = e.fill("maximum", e.aligned(x, dims), e.aligned(low, dims))
    return e.fill("minimum", above.code, e.aligned(high, dims), dims=dims, elem=node.elem)

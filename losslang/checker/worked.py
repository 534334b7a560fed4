"""`check` statements: worked examples as closed graphs without inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from losslang import model as m
from losslang.checker.constants import number
from losslang.checker.conversion import as_real, single
from losslang.checker.declarations import axis_names
from losslang.checker.modules import Module
from losslang.checker.report import Failed, Reporter
from losslang.checker.scope import Context, Scope, shown_axes
from losslang.checker.values import Value
from losslang.ir import Graph, Node, rebuild, walk
from losslang.kinds import REAL
from losslang.source import Span

Differentiate = Callable[[Node, list[Node]], list[Node]]


@dataclass(frozen=True)
class LoweredCheck:
    """``value op expected``, both scalars that need no input; ``within`` is absolute."""

    graph: Graph
    value: Node
    op: str
    expected: Node
    within: float
    span: Span
    path: str | None
    statement: m.Check


def lower_check(
    statement: m.Check, module: Module, reporter: Reporter, differentiate: Differentiate
) -> LoweredCheck | None:
    """The example as a graph, or None where it makes no sense (which is reported)."""
    context = Context(Graph(), reporter)
    scope = Scope(module)
    scope.axes.update({name: name for name in axis_names([statement])})
    try:
        value = _scalar(context, scope, statement.value, differentiate)
        expected = _scalar(context, scope, statement.expected, differentiate)
        within = (
            number(context, statement.within)
            if statement.within is not None
            else _default_tolerance(statement)
        )
    except Failed:
        return None
    if statement.within is not None and statement.op != "==":
        reporter.add(
            "LL114", "`within` goes with `==`", statement.span, "drop `within`, or compare with `==`"
        )
        return None
    return LoweredCheck(
        context.graph, value, statement.op, expected, within, statement.span, reporter.path, statement
    )


def _default_tolerance(statement: m.Check) -> float:
    """Without `within`, two numbers are equal when they differ by rounding only."""
    return 1e-12 if statement.op == "==" else 0.0


def _scalar(context: Context, scope: Scope, expression: m.Expression, differentiate: Differentiate) -> Node:
    value = single(context, _evaluate(context, scope, expression, differentiate), expression.span)
    called = next((node for node in context.graph.nodes if node.op == "extern"), None)
    if called is not None:
        raise context.fail(
            "LL401", f"a check cannot call the extern `{called.attr[0]}`: nobody supplies it here", expression.span,
            "check the definitions around it",
        )  # fmt: skip
    number = as_real(context, value, expression.span)
    if number.axes:
        raise context.fail(
            "LL205", f"a check compares single numbers, this has {shown_axes(number.axes)}", expression.span,
            "reduce it, or pick one entry as in `x[n = 0]`",
        )  # fmt: skip
    return number.node


def _evaluate(
    context: Context, scope: Scope, expression: m.Expression, differentiate: Differentiate
) -> Value:
    """`gradient(E, x = V)` may stand inside arithmetic and picks; it becomes a value bound to a name."""
    count = 0
    inner = scope

    def replace_gradients(node: m.Node) -> m.Node:
        nonlocal count, inner
        if isinstance(node, m.Call) and node.function == "gradient":
            name = f"gradient {count}"
            count += 1
            inner = inner.with_values(**{name: _gradient(context, scope, node, differentiate)})
            return m.Name.make(id=name, span=node.span)
        updates: dict[str, object] = {}
        for field, value in node.__dict__.items():
            if isinstance(value, m.Node):
                updates[field] = replace_gradients(value)
            elif isinstance(value, tuple) and field != "span":
                updates[field] = tuple(replace_gradients(v) if isinstance(v, m.Node) else v for v in value)
        return type(node).make(**{**node.__dict__, **updates})

    rewritten = replace_gradients(expression)
    return single(context, context.eval(inner, rewritten), expression.span)  # type: ignore[arg-type]


def _gradient(context: Context, scope: Scope, call: m.Call, differentiate: Differentiate) -> Value:
    """The derivative of the first argument with respect to the one named argument, at its value."""
    if len(call.args) != 1 or len(call.kwargs) != 1:
        raise context.fail(
            "LL114", "`gradient` takes an expression and one variable with its value", call.span,
            "write `gradient(huber(x, 4.0), x = 4.5)`",
        )  # fmt: skip
    variable = call.kwargs[0]
    at = as_real(context, single(context, context.eval(scope, variable.value), variable.span), variable.span)
    graph = context.graph
    symbol = graph.input(f"{variable.name} at {variable.span}", sorted(at.axes), "real", None)
    bound = replace(at, node=symbol, kind=REAL if at.kind.name == "index" else at.kind)
    expression = single(
        context, context.eval(scope.with_values(**{variable.name: bound}), call.args[0]), call.span
    )
    if expression.axes:
        raise context.fail(
            "LL205", f"only a single number has a gradient, this has {shown_axes(expression.axes)}", call.args[0].span,
            "reduce it first",
        )  # fmt: skip
    derivative = differentiate(expression.node, [symbol])[0]
    return replace(
        at, node=substitute(derivative, symbol, at.node), kind=replace(at.kind, name="real", over=None)
    )


def substitute(root: Node, symbol: Node, replacement: Node) -> Node:
    """``root`` with ``replacement`` in place of ``symbol``."""
    done: dict[Node, Node] = {}
    for node in walk([root]):
        done[node] = replacement if node is symbol else rebuild(node, tuple(done[a] for a in node.args))
    return done[root]

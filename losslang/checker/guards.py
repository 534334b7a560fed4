"""Guards against log(0), which a compiled loss does not need and which bias its gradient.

`log(1e-10 + sigmoid(x))` means what it says and is computed as written; the lint tells that the
plain logarithm is safe here, and offers to take the guard away.
"""

from __future__ import annotations

from losslang import model as m
from losslang.checker.report import Failed
from losslang.checker.scope import Context, Scope
from losslang.checker.values import Value
from losslang.diagnostics import Edit, Fix
from losslang.source import Span

#: Constants up to this size beside a probability are meant as guards.
TINY = 1e-3


def warn_guard(context: Context, scope: Scope, call: m.Call) -> None:
    """Warn of `log(p + tiny)`, `log(max(p, tiny))` and `log(clip(p, tiny, …))` where `log(p)` is safe."""
    if not context.reporter.is_user or len(call.args) != 1:
        return
    found = _guarded(call.args[0])
    if found is None:
        return
    inner, edits = found
    try:
        value = context.eval(scope, inner)
    except Failed:
        return
    if isinstance(value, Value) and (value.kind.name == "prob" or value.interval.positive):
        context.reporter.add(
            "LL313",
            "this guard is not needed: the logarithm is computed stably, and the guard biases value and gradient "
            "where the probability is small",
            call.args[0].span,
            "take the logarithm of the probability itself",
            fix=Fix("remove the guard", edits),
        )


def _guarded(expression: m.Expression) -> tuple[m.Expression, tuple[Edit, ...]] | None:
    """What stands under a guard, and the edits that leave it alone."""
    if isinstance(expression, m.Chain) and len(expression.rest) == 1 and expression.rest[0].op == "+":
        first, second = expression.first, expression.rest[0].operand
        if _is_tiny(first):
            return second, (_cut(first.span, second.span),)
        if _is_tiny(second):
            return first, (Edit(Span(first.span.end_line, first.span.end_column, *second.span[2:]), ""),)
    if isinstance(expression, m.Call) and expression.function in ("max", "clip") and expression.along is None:
        whole = [a for a in expression.args if not _is_tiny(a)]
        tiny = [a for a in expression.args if _is_tiny(a)]
        if (
            tiny
            and whole
            and not expression.kwargs
            and (expression.function == "clip" or len(expression.args) == 2)
        ):
            inner, span = whole[0], expression.span
            before = Edit(Span(span.line, span.column, inner.span.line, inner.span.column), "")
            after = Edit(Span(inner.span.end_line, inner.span.end_column, span.end_line, span.end_column), "")
            return inner, (before, after)
    return None


def _is_tiny(expression: m.Expression) -> bool:
    return isinstance(expression, m.Number) and 0 < expression.value <= TINY


def _cut(first: Span, second: Span) -> Edit:
    return Edit(Span(first.line, first.column, second.line, second.column), "")

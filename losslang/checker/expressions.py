"""One walk over an expression: what it means, or why it means nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslang import model as m
from losslang.checker import arithmetic, calls, indexing
from losslang.checker.scope import Context, Scope
from losslang.checker.suggest import closest, listing
from losslang.checker.values import Collection, Meaning, Value
from losslang.kinds import INDEX, REAL

CONSTANTS = {"pi": math.pi, "inf": math.inf}


def evaluate(context: Context, scope: Scope, expression: m.Expression) -> Meaning:
    """The meaning of an expression; raises Failed after reporting what is wrong."""
    meaning = _FORMS[type(expression)](context, scope, expression)
    _remember_origin(context, meaning, expression)
    return meaning


def _remember_origin(context: Context, meaning: Meaning, expression: m.Expression) -> None:
    """A node's first places in the text, for traces; inlined code counts as its call."""
    if isinstance(meaning, Collection) or context.reporter.frames:
        return
    origins = context.graph.origins.setdefault(meaning.node, [])
    if len(origins) < 4:
        origins.append((context.reporter.path, expression.span))


def _number(context: Context, scope: Scope, node: m.Number) -> Value:
    value = node.value
    if isinstance(value, int) and abs(value) < 2**53:
        return Value(context.graph.const(value), INDEX)
    return Value(context.graph.const(float(value)), REAL)


def _name(context: Context, scope: Scope, node: m.Name) -> Meaning:
    found = scope.find(node.id)
    if found is not None:
        if node.id in scope.axes and scope.inside is None:
            context.reporter.add(
                "LL312", f"`{node.id}` is both a value and an axis; here it means the value", node.span,
                "rename one of them if the axis's index was meant",
            )  # fmt: skip
        return found
    if node.id in scope.axes:
        axis = scope.axes[node.id]
        return Value(context.graph.index(axis), INDEX, introduced=frozenset({axis}))
    if node.id in CONSTANTS:
        return Value(context.graph.const(CONSTANTS[node.id]), REAL)
    raise _unknown(context, scope, node)


def _unknown(context: Context, scope: Scope, node: m.Name) -> Exception:
    known = [*scope.known_values(), *scope.axes, *CONSTANTS]
    guess = closest(node.id, known)
    if guess:
        help = f"did you mean `{guess}`?"
    elif node.id in calls.builtin_names() or scope.module.find_def(node.id) is not None:
        help = f"`{node.id}` is a function: call it, as in `{node.id}(x)`"
    elif any(node.id in places for places in scope.places.values()):
        axis = next(a for a, places in scope.places.items() if node.id in places)
        help = f"`{node.id}` is a place of the axis `{axis}`: write `x[{axis} = {node.id}]`"
    else:
        help = f"names in scope: {listing(sorted(set(scope.known_values())))}"
    return context.fail("LL101", f"there is no value `{node.id}`", node.span, help)


def _let(context: Context, scope: Scope, node: m.Let) -> Meaning:
    inner = scope
    for binding in node.bindings:
        inner = inner.with_values(**{binding.name: context.eval(inner, binding.value)})
    return context.eval(inner, node.body)


def _tilde(context: Context, scope: Scope, node: m.Tilde) -> Meaning:
    raise context.fail(
        "LL105", "`~` says what a value is distributed as, and stands inside `nll` only", node.span,
        "write `nll(y ~ normal(mu, sigma))`",
    )  # fmt: skip


_FORMS: dict[type[m.Node], Callable[[Context, Scope, Any], Meaning]] = {
    m.Number: _number,
    m.Name: _name,
    m.Let: _let,
    m.Tilde: _tilde,
    m.Call: calls.call,
    m.Index: indexing.index,
    m.Array: indexing.array,
    m.Unary: arithmetic.negate,
    m.Not: arithmetic.negation,
    m.Power: arithmetic.power,
    m.Chain: arithmetic.chain,
    m.Compare: arithmetic.compare,
    m.And: arithmetic.logic,
    m.Or: arithmetic.logic,
    m.If: arithmetic.choose,
    m.As: calls.restated,
    m.Matching: calls.matching,
    m.Each: calls.each,
}

"""Calls: built-in functions, definitions (inlined), distributions, divergences, `each`."""

from __future__ import annotations

from losslang import model as m
from losslang.checker.along import call_along
from losslang.checker.arithmetic import map_members, require_aligned
from losslang.checker.binding import match_arguments
from losslang.checker.chains import CHAINS, call_chain
from losslang.checker.collections import select_members
from losslang.checker.contractions import CONTRACTIONS, call_contraction
from losslang.checker.conversion import kind_from, restate, single
from losslang.checker.elementwise import ELEMENTWISE, VARIADIC, call_elementwise
from losslang.checker.inlining import call_definition, call_distribution, call_divergence
from losslang.checker.reductions import ALONG
from losslang.checker.scope import Context, Scope, resolve_axes
from losslang.checker.suggest import did_you_mean
from losslang.checker.values import Collection, Meaning, Value
from losslang.kinds import INDEX, Kind

SPECIAL = ("size", "nll", "kl")


def builtin_names() -> set[str]:
    """Every function of the language itself."""
    return {*ELEMENTWISE, *VARIADIC, *ALONG, *CONTRACTIONS, *CHAINS, *SPECIAL}


def call(context: Context, scope: Scope, node: m.Call) -> Meaning:
    name = node.function
    if name in ("nll",) and any(isinstance(a, m.Tilde) for a in node.args):
        return _nll(context, scope, node)
    if name == "kl" and len(node.args) == 2 and not node.kwargs:
        return _kl(context, scope, node)
    if name == "size":
        return _size(context, scope, node)
    if name in VARIADIC and node.along is None and (len(node.args) > 1 or name not in ALONG):
        if node.kwargs:
            raise context.fail(
                "LL114", f"`{name}` takes no named arguments", node.span, f"write `{name}(a, b)`"
            )
        return call_elementwise(context, scope, node, list(node.args))
    if name in ALONG:
        return call_along(context, scope, node)
    if name in CONTRACTIONS:
        return call_contraction(context, scope, node)
    if name in CHAINS:
        return call_chain(context, scope, node)
    if name in ELEMENTWISE and (node.along is None or scope.module.find_def(name) is None):
        return _elementwise(context, scope, node)
    found = scope.module.find_def(name)
    if found is not None:
        return call_definition(context, scope, node, *found)
    raise _unknown_function(context, scope, node)


def _elementwise(context: Context, scope: Scope, node: m.Call) -> Meaning:
    if node.along is not None:
        raise context.fail(
            "LL114", f"`{node.function}` works on each number alone and takes no axes", node.span,
            f"write `{node.function}(x)`",
        )  # fmt: skip
    row = ELEMENTWISE[node.function]
    arguments = match_arguments(context, node, node.function, row.parameters)
    return call_elementwise(context, scope, node, [arguments[p] for p in row.parameters])


def _unknown_function(context: Context, scope: Scope, node: m.Call) -> Exception:
    candidates = scope.module.def_names() | builtin_names()
    help = did_you_mean(node.function, candidates)
    if scope.module.find_dist(node.function) is not None:
        help = f"`{node.function}` is a distribution: write `nll(y ~ {node.function}(…))`"
    elif scope.find(node.function) is not None:
        help = f"`{node.function}` is a value here, not a function; multiplication is written `*`"
    return context.fail(
        "LL102",
        f"there is no function `{node.function}`",
        node.span,
        help or "`losslang list` shows the library",
    )


def _size(context: Context, scope: Scope, node: m.Call) -> Value:
    if node.along is None or node.args or node.along.where is not None:
        raise context.fail("LL114", "`size` is the length of an axis", node.span, "write `size[batch]`")
    graph = context.graph
    axes = resolve_axes(context, scope, node.along.axes, frozenset())
    parts = []
    for axis in axes:
        mask = context.restrictions.get(axis)
        if mask is None:
            parts.append(graph.size(axis))
        else:  # a denominator, so at least 1: a mean over nothing is 0
            parts.append(graph.apply("maximum", graph.reduce("count", mask, [axis]), 1))
    result = graph.apply("mul", *parts) if len(parts) > 1 else parts[0] if parts else graph.const(1)
    return Value(result, INDEX)


def _nll(context: Context, scope: Scope, node: m.Call) -> Meaning:
    if len(node.args) != 1 or node.kwargs or node.along is not None:
        raise context.fail(
            "LL114", "`nll` takes one argument", node.span, "write `nll(y ~ normal(mu, sigma))`"
        )
    tilde = node.args[0]
    assert isinstance(tilde, m.Tilde)
    density = call_distribution(context, scope, tilde)
    return map_members(
        context, [density], node.span,
        lambda values: Value(
            context.graph.apply("neg", values[0].node), Kind("real"), values[0].spoilt, values[0].introduced,
            values[0].logarithmic, values[0].ordered,
        ),
    )  # fmt: skip


def _kl(context: Context, scope: Scope, node: m.Call) -> Meaning:
    left, right = node.args
    if not isinstance(left, m.Call) or not isinstance(right, m.Call):
        raise context.fail(
            "LL105", "`kl` is between two named distributions", node.span,
            "write `kl(normal(mean, scale), normal(0, 1))`; for two probability vectors use `kl_divergence[c](p, q)`",
        )  # fmt: skip
    return call_divergence(context, scope, node, left, right)


def each(context: Context, scope: Scope, node: m.Each) -> Meaning:
    """The sum of the body over the axes of the pack, one at a time."""
    if node.pack not in scope.packs:
        raise context.fail(
            "LL103",
            f"there is no pack of axes `*{node.pack}` here",
            node.span,
            "a pack is a parameter `[*axes]`",
        )
    total: Value | None = None
    for axis in scope.packs[node.pack]:
        inner = scope.with_axis(node.variable, axis)
        value = single(context, context.eval(inner, node.body), node.body.span)
        if total is None:
            total = value
            continue
        require_aligned(context, [total, value], node.span)
        total = total.with_node(context.graph.apply("add", total.node, value.node))
    return total or Value(context.graph.const(0.0), Kind("weight"))


def restated(context: Context, scope: Scope, node: m.As) -> Meaning:
    kind = kind_from(context, scope, node.kind, in_def=False)
    meaning = context.eval(scope, node.value)
    return map_members(
        context, [meaning], node.span, lambda values: restate(context, values[0], kind, node.value.span)
    )


def matching(context: Context, scope: Scope, node: m.Matching) -> Meaning:
    meaning = context.eval(scope, node.value)
    if not isinstance(meaning, Collection):
        raise context.fail(
            "LL221", "`matching` selects members of a collection, this is one tensor", node.span,
            "declare the input `parameters`",
        )  # fmt: skip
    return select_members(context, meaning, node)

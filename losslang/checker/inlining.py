"""Definitions, distributions and divergences are inlined where they are called.

Each call gets a scope of its own: parameters as values, the definition's axes mapped to the
caller's, and the axes that its text introduces under names that nothing else can have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from losslang import model as m
from losslang.checker.along import restriction_of
from losslang.checker.arithmetic import map_members
from losslang.checker.conversion import as_boolean, kind_from, single, suit
from losslang.checker.modules import Definition, Module
from losslang.checker.report import Failed
from losslang.checker.scope import Context, Scope, resolve_axes, resolve_axis, shown, shown_axes
from losslang.checker.suggest import did_you_mean, listing
from losslang.checker.values import Collection, Meaning, Value, merged_facts
from losslang.ir import Node
from losslang.kinds import ELEMENTS, INTERVALS, REAL, Kind
from losslang.source import Span


@dataclass(frozen=True)
class Inlined:
    """A definition as inlining sees it, whatever statement it came from."""

    name: str
    axes: tuple[m.AxisRef, ...]
    params: tuple[m.Param, ...]
    body: m.Expression
    module: Module
    statement: m.Def | m.Dist | m.Kl | m.Extern


Arguments = dict[str, tuple[Meaning, Span]]


def call_definition(
    context: Context, scope: Scope, call: m.Call, found: Definition, module: Module
) -> Meaning:
    if isinstance(found, m.Extern):
        return call_extern(context, scope, call, found, module)
    target = Inlined(found.name, found.axes, found.params, found.body, module, found)
    arguments = _arguments(context, scope, call, target)
    return inline(context, scope, call, target, arguments)


def call_extern(context: Context, scope: Scope, call: m.Call, found: m.Extern, module: Module) -> Value:
    """A host function: its arguments and result are arrays whose riding axes lead, then those declared."""
    nothing = m.Number.make(value=0, text="0", span=found.span)
    target = Inlined(found.name, found.axes, found.params, nothing, module, found)
    arguments = _arguments(context, scope, call, target)
    if call.along is not None and call.along.where is not None:
        raise context.fail(
            "LL213", "an extern takes no `where`", call.along.where.span, "mask what it returns"
        )
    axes, packs = _bind_axes(context, scope, call, target, arguments)
    inner = Scope(module, axes=dict(axes), packs=packs, inside=found.name)
    context.reporter.enter(found.name, call.span, module.path, module.is_user, found.span)
    try:
        _bind_values(context, inner, target, arguments, scope, call)
        kind = kind_from(context, inner, found.result, in_def=False)
        own = _written_axes(context, inner, found.result)
        orders = [_written_axes(context, inner, p.kind) for p in found.params]
    finally:
        context.reporter.leave()
    values = [single(context, inner.values[p.name], call.span) for p in found.params]
    riding = {a for v, order in zip(values, orders, strict=True) for a in v.axes - set(order)} - set(own)
    lead = tuple(a for a in scope.axes.values() if a in riding)
    lead += tuple(sorted(riding - set(lead)))
    layouts = tuple(
        (*(a for a in lead if a in v.axes), *(a for a in order if a in v.axes))
        for v, order in zip(values, orders, strict=True)
    )
    elem = ELEMENTS.get(kind.name, "real")
    attr = (found.name, layouts, (*lead, *own), elem, len(lead))
    node = context.graph.make("extern", tuple(v.node for v in values), attr)
    promised = INTERVALS.get(kind.name)
    if promised is not None:
        context.graph.declared[node] = promised
    spoilt, introduced, _ = merged_facts(values) if values else (frozenset(), frozenset(), None)
    return Value(node, kind, spoilt, introduced)


def _written_axes(context: Context, inner: Scope, written: m.KindExpr | None) -> tuple[str, ...]:
    """The graph's axes of a kind's bracket, in order."""
    if written is None or not written.axes:
        return ()
    return tuple(resolve_axes(context, inner, written.axes, frozenset()))


def call_distribution(context: Context, scope: Scope, tilde: m.Tilde) -> Meaning:
    """The log-density of the distribution at the value."""
    call, dist, module = _find_dist(context, scope, tilde.dist)
    target = Inlined(dist.name, dist.axes, (*dist.params, dist.at), dist.body, module, dist)
    arguments = _arguments(
        context, scope, call, Inlined(dist.name, dist.axes, dist.params, dist.body, module, dist)
    )
    arguments[dist.at.name] = (context.eval(scope, tilde.value), tilde.value.span)
    return inline(context, scope, call, target, arguments)


def call_divergence(context: Context, scope: Scope, node: m.Call, left: m.Call, right: m.Call) -> Meaning:
    """The closed form that is registered for the pair."""
    left_call, p, p_module = _find_dist(context, scope, left)
    right_call, q, q_module = _find_dist(context, scope, right)
    found = scope.module.find_kl(p.name, q.name)
    if found is None:
        raise context.fail(
            "LL117", f"no closed form is known for the divergence of `{p.name}` from `{q.name}`", node.span,
            f"give one: `kl {p.name}(…), {q.name}(…) = …`",
        )  # fmt: skip
    closed, module = found
    arguments: Arguments = {}
    params: list[m.Param] = []
    for call, dist, own, names in (
        (left_call, p, p_module, closed.left_params),
        (right_call, q, q_module, closed.right_params),
    ):
        given = _arguments(
            context, scope, call, Inlined(dist.name, dist.axes, dist.params, dist.body, own, dist)
        )
        if len(names) != len(dist.params):
            raise context.fail(
                "LL114", f"`{dist.name}` has {len(dist.params)} parameters, its `kl` names {len(names)}", closed.span,
                "name each parameter once",
            )  # fmt: skip
        for name, param in zip(names, dist.params, strict=True):
            given_value = given.get(param.name)
            if given_value is None:
                continue
            arguments[name] = given_value
            params.append(m.Param.make(name=name, kind=param.kind, span=param.span))
    axes = closed.left_axes or closed.right_axes
    along = left.along or right.along
    target = Inlined(f"kl({p.name}, {q.name})", axes, tuple(params), closed.body, module, closed)
    merged = m.Call.make(function=target.name, along=along, span=node.span)
    return inline(context, scope, merged, target, arguments)


def _find_dist(context: Context, scope: Scope, expression: m.Expression) -> tuple[m.Call, m.Dist, Module]:
    if not isinstance(expression, m.Call):
        raise context.fail(
            "LL105", "a distribution is wanted here", expression.span, "write `normal(mean, scale)`"
        )
    found = scope.module.find_dist(expression.function)
    if found is None:
        names = scope.module.dist_names()
        help = (
            did_you_mean(expression.function, names) or f"distributions: {listing(sorted(names), limit=20)}"
        )
        raise context.fail(
            "LL105", f"there is no distribution `{expression.function}`", expression.span, help
        )
    return expression, *found


# -- arguments --------------------------------------------------------------------------------------


def _arguments(context: Context, scope: Scope, call: m.Call, target: Inlined) -> Arguments:
    names = [p.name for p in target.params]
    signature = f"{target.name}({', '.join(names)})"
    if len(call.args) > len(names):
        raise context.fail(
            "LL114", f"`{target.name}` takes {len(names)} arguments, here are {len(call.args)}", call.span,
            f"it is {signature}",
        )  # fmt: skip
    given: dict[str, m.Expression] = dict(zip(names, call.args, strict=False))
    for argument in call.kwargs:
        if argument.name not in names:
            help = did_you_mean(argument.name, names) or f"it is {signature}"
            raise context.fail(
                "LL114", f"`{target.name}` has no parameter `{argument.name}`", argument.span, help
            )
        if argument.name in given:
            raise context.fail("LL114", f"`{argument.name}` is given twice", argument.span, "give it once")
        given[argument.name] = argument.value
    missing = [p.name for p in target.params if p.name not in given and p.default is None]
    if missing:
        raise context.fail("LL114", f"`{target.name}` needs `{missing[0]}`", call.span, f"it is {signature}")
    values = context.eval_all(scope, list(given.values()))
    return {name: (value, e.span) for (name, e), value in zip(given.items(), values, strict=True)}


# -- inlining ---------------------------------------------------------------------------------------


def inline(context: Context, scope: Scope, call: m.Call, target: Inlined, arguments: Arguments) -> Meaning:
    _require_not_recursive(context, call, target)
    axes, packs = _bind_axes(context, scope, call, target, arguments)
    mask = _call_mask(context, scope, call, axes, packs)
    key = (
        id(target.statement), tuple((name, meaning) for name, (meaning, _) in arguments.items()), tuple(axes.items()),
        tuple(packs.items()), frozenset(mask.items()), frozenset(context.restrictions.items()),
    )  # fmt: skip
    if key not in context.inlined:
        context.inlined[key] = None
        inner = _inner_scope(context, target, axes, packs)
        result = _inline_body(context, scope, call, target, arguments, inner, mask)
        context.inlined[key] = map_members(
            context, [result], call.span, lambda values: _close(context, values[0], call, target, inner, axes)
        )
    known = context.inlined[key]
    if known is None:
        raise Failed
    return known


#: How deep definitions may call each other.
DEEPEST = 300


def _require_not_recursive(context: Context, call: m.Call, target: Inlined) -> None:
    if any(target.statement is s for s in context.calls):
        raise context.fail(
            "LL110",
            f"`{target.name}` calls itself",
            call.span,
            "a definition cannot be recursive: write it out",
        )
    if len(context.calls) >= DEEPEST:
        raise context.fail(
            "LL110",
            f"definitions call each other more than {DEEPEST} deep",
            call.span,
            "write some of them out",
        )


def _inner_scope(
    context: Context, target: Inlined, axes: dict[str, str], packs: dict[str, tuple[str, ...]]
) -> Scope:
    inner = Scope(target.module, axes=dict(axes), packs=packs, inside=target.name)
    around = (*axes.values(), *(axis for pack in packs.values() for axis in pack))
    for name in introduced_names(target):
        if name not in inner.axes:
            inner.axes[name] = context.local_axis(name, len(context.calls), around)
    return inner


def _inline_body(
    context: Context, scope: Scope, call: m.Call, target: Inlined, arguments: Arguments, inner: Scope,
    mask: dict[str, Node],
) -> Meaning:  # fmt: skip
    context.calls.append(target.statement)
    local = set(introduced_names(target))
    own = {axis for name, axis in inner.axes.items() if name not in local}
    context.own_axes.append(frozenset(own.union(*inner.packs.values())))
    context.reporter.enter(
        target.name, call.span, target.module.path, target.module.is_user, target.statement.span
    )
    try:
        _bind_values(context, inner, target, arguments, scope, call)
        with context.restricting(mask):
            return _clear_dropped(context, context.eval(inner, target.body), mask)
    finally:
        context.reporter.leave()
        context.own_axes.pop()
        context.calls.pop()


def introduced_names(target: Inlined) -> tuple[str, ...]:
    """The axes that the text of a definition introduces by renames and literals."""
    key = id(target.statement)
    known = _INTRODUCED.get(key)
    if known is None or known[0] is not target.statement:
        known = (target.statement, tuple(dict.fromkeys(_introduced(target.body))))
        _INTRODUCED[key] = known
    return known[1]


_INTRODUCED: dict[int, tuple[object, tuple[str, ...]]] = {}


def _introduced(root: m.Node) -> Iterator[str]:
    stack: list[m.Node] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, m.Rename):
            yield node.to
        elif isinstance(node, m.Array):
            yield from node.axes
        stack.extend(children(node))


def children(node: m.Node) -> Iterator[m.Node]:
    """The syntax nodes directly inside a node."""
    for value in node.__dict__.values():
        if isinstance(value, m.Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, m.Node):
                    yield item


def _bind_axes(
    context: Context, scope: Scope, call: m.Call, target: Inlined, arguments: Arguments
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """The definition's axes as the caller gives them, or as the kinds of the arguments tell them."""
    singles = [a.name for a in target.axes if not a.pack]
    pack = next((a.name for a in target.axes if a.pack), None)
    inferred = _inferred_axes(context, target, arguments)
    packs: dict[str, tuple[str, ...]] = {}
    if call.along is not None and call.along.axes:
        first = next((v for v, _ in arguments.values()), None)
        everything = first.axes if isinstance(first, Value) else frozenset()
        given = resolve_axes(context, scope, call.along.axes, everything)
        return _given_axes(context, call, target, given, singles, pack, inferred)
    missing = [a for a in singles if a not in inferred]
    if missing:
        bracket = ", ".join(("*" if a.pack else "") + a.name for a in target.axes)
        raise context.fail(
            "LL206", f"`{target.name}` works along axes that it cannot tell from its arguments", call.span,
            f"name them: `{target.name}[{bracket}](…)`",
        )  # fmt: skip
    if pack is not None:
        packs[pack] = _whole_pack(arguments, target, set(inferred.values()))
    return {a: inferred[a] for a in singles}, packs


def _given_axes(
    context: Context, call: m.Call, target: Inlined, given: list[str], singles: list[str], pack: str | None,
    inferred: dict[str, str],
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:  # fmt: skip
    if pack is None:
        wanted = singles if len(given) == len(singles) else [a for a in singles if a not in inferred]
        if len(given) != len(wanted):
            raise _wrong_count(context, call, target, len(given))
        chosen = {
            **{a: inferred[a] for a in singles if a in inferred},
            **dict(zip(wanted, given, strict=True)),
        }
        return {a: chosen[a] for a in singles}, {}
    position = [a.pack for a in target.axes].index(True)
    after = len(target.axes) - position - 1
    if len(given) < len(singles):
        raise _wrong_count(context, call, target, len(given))
    stop = len(given) - after
    bound = dict(zip(singles, [*given[:position], *given[stop:]], strict=True))
    return bound, {pack: tuple(given[position:stop])}


def _wrong_count(context: Context, call: m.Call, target: Inlined, count: int) -> Exception:
    bracket = ", ".join(("*" if a.pack else "") + a.name for a in target.axes)
    if not target.axes:
        return context.fail(
            "LL114",
            f"`{target.name}` works on each element and takes no axes",
            call.span,
            f"write `{target.name}(…)`",
        )
    return context.fail(
        "LL206", f"`{target.name}` works along {len(target.axes)} axes, here are {count}", call.span,
        f"write `{target.name}[{bracket}](…)`",
    )  # fmt: skip


def _inferred_axes(context: Context, target: Inlined, arguments: Arguments) -> dict[str, str]:
    own = {a.name for a in target.axes if not a.pack}
    found: dict[str, str] = {}
    for param in target.params:
        if param.kind is None or param.name not in arguments:
            continue
        value = arguments[param.name][0]
        if not isinstance(value, Value):
            continue
        for written, actual in ((param.kind.over, value.kind.over), (param.kind.of, value.kind.of)):
            if (
                written in own
                and actual is not None
                and (written not in found or found[written] not in value.axes)
            ):
                found.setdefault(written, actual)
    return found


def _whole_pack(arguments: Arguments, target: Inlined, taken: set[str]) -> tuple[str, ...]:
    first = arguments.get(target.params[0].name) if target.params else None
    if first is None:
        return ()
    value = first[0]
    if isinstance(value, Collection):
        return (value.axis,)
    return tuple(sorted(value.axes - taken))


def _call_mask(
    context: Context, scope: Scope, call: m.Call, axes: dict[str, str], packs: dict[str, tuple[str, ...]]
) -> dict[str, Node]:
    """The restrictions that a call's ``where`` puts on its axes."""
    if call.along is None:
        return {}
    if call.along.by is not None:
        raise context.fail(
            "LL213",
            "`by` weighs a mean; a definition takes none",
            call.along.by.span,
            "give the weight as an argument",
        )
    if call.along.where is None:
        return {}
    expression = call.along.where
    mask = as_boolean(
        context,
        single(context, context.eval(scope, expression), expression.span),
        expression.span,
        "what stands after `where`",
    )
    context.masks_in_where.add(mask.node)
    named = [a for a in (*axes.values(), *sum(packs.values(), ())) if a in mask.axes]
    if not named:
        raise context.fail(
            "LL212", f"the mask has {shown_axes(mask.axes)}, none of the axes that `{call.function}` works along",
            expression.span, "mask one of the axes in the bracket",
        )  # fmt: skip
    graph = context.graph
    masks = {}
    for axis in named:
        outer = context.restrictions.get(axis)
        masks[axis] = mask.node if outer is None else graph.apply("and", outer, mask.node)
    return masks


def _bind_values(
    context: Context, inner: Scope, target: Inlined, arguments: Arguments, caller: Scope, call: m.Call
) -> None:
    failed = False
    for param in target.params:
        try:
            kind = kind_from(context, inner, param.kind, in_def=True) if param.kind else REAL
            if param.name in arguments:
                meaning, span = arguments[param.name]
                inner.values[param.name] = _suited(context, meaning, kind, param, span, inner, target)
            elif param.default is not None:
                value = single(context, context.eval(inner, param.default), param.span)
                inner.values[param.name] = suit(context, value, kind, param.span, f"`{param.name}`")
        except Failed:
            failed = True
    if failed:
        raise Failed


def _suited(
    context: Context, meaning: Meaning, kind: Kind, param: m.Param, span: Span, inner: Scope, target: Inlined
) -> Meaning:
    """Problems with an argument are about the caller's text, not the definition's."""
    reporter = context.reporter
    frame = reporter.frames[-1]
    path, is_user = reporter.path, reporter.is_user
    reporter.path, reporter.is_user = frame.call_path, frame.caller_is_user
    what = f"`{param.name}` of `{target.name}`"
    try:

        def one(values: list[Value]) -> Value:
            value = suit(context, values[0], kind, span, what)
            _require_axes(context, value, param, span, inner, target)
            return value

        return map_members(context, [meaning], span, one)
    finally:
        reporter.path, reporter.is_user = path, is_user


def _require_axes(
    context: Context, value: Value, param: m.Param, span: Span, inner: Scope, target: Inlined
) -> None:
    if param.kind is None or not param.kind.axes:
        return
    for ref in param.kind.axes:
        wanted = (
            inner.packs.get(ref.name, ()) if ref.pack else (resolve_axis(context, inner, ref.name, ref.span),)
        )
        for axis in wanted:
            if axis not in value.axes and not axis.endswith("~members"):
                raise context.fail(
                    "LL207",
                    f"`{param.name}` of `{target.name}` needs the axis `{shown(axis)}`, but this has {shown_axes(value.axes)}",
                    span,
                    "give a value with that axis, or name other axes in the bracket",
                )


def _clear_dropped(context: Context, result: Meaning, mask: dict[str, Node]) -> Meaning:
    """Results at dropped places are 0."""
    if not mask or not isinstance(result, Value):
        return result
    value = result
    for axis in mask:
        if axis in value.axes and value.node.elem != "bool":
            kept = restriction_of(context, axis, [value])
            if kept is not None and kept.axes <= value.axes:
                zero: float | int = 0 if value.node.elem == "int" else 0.0
                value = value.with_node(context.graph.select(kept, value.node, zero))
    return value


def _close(
    context: Context, value: Value, call: m.Call, target: Inlined, inner: Scope, axes: dict[str, str]
) -> Value:
    """No axis that the definition introduced may leave it: the caller has no name for it."""
    mapped = {*axes.values(), *sum(inner.packs.values(), ())}
    local = {axis: name for name, axis in inner.axes.items() if axis not in mapped}
    left = [local[a] for a in sorted(value.axes) if a in local]
    if left:
        raise context.fail(
            "LL223", f"the result of `{target.name}` still has the axis {listing(left)} that it introduces inside",
            call.span, "reduce it in the definition, or make it one of the definition's axes",
        )  # fmt: skip
    introduced = frozenset(a for a in value.introduced if a not in local)
    ordered = frozenset(a for a in value.ordered if a in context.restrictions)
    return Value(value.node, value.kind, value.spoilt, introduced, value.logarithmic, ordered)

"""Arguments, axes and masks of a call, as the definition that is inlined sees them."""

from __future__ import annotations

from dataclasses import dataclass

from losslang import model as m
from losslang.checker.arithmetic import map_members
from losslang.checker.conversion import as_boolean, kind_from, shown_kind, single, suit
from losslang.checker.modules import Module
from losslang.checker.report import Failed
from losslang.checker.scope import Context, Scope, resolve_axes, resolve_axis, shown, shown_axes
from losslang.checker.suggest import did_you_mean
from losslang.checker.values import Collection, Meaning, Value
from losslang.checker.walking import introduced_axes
from losslang.ir import Node
from losslang.kinds import REAL, Kind
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


def match_arguments(
    context: Context,
    call: m.Call,
    name: str,
    parameters: tuple[str, ...],
    optional: frozenset[str] = frozenset(),
) -> dict[str, m.Expression]:
    """Positional and named arguments by parameter; all but the optional ones must be given."""
    signature = f"it is {name}({', '.join(parameters)})"
    if len(call.args) > len(parameters):
        raise context.fail(
            "LL114",
            f"`{name}` takes {len(parameters)} arguments, here are {len(call.args)}",
            call.span,
            signature,
        )
    given: dict[str, m.Expression] = dict(zip(parameters, call.args, strict=False))
    for argument in call.kwargs:
        if argument.name not in parameters:
            help = did_you_mean(argument.name, parameters) or signature
            raise context.fail("LL114", f"`{name}` has no parameter `{argument.name}`", argument.span, help)
        if argument.name in given:
            raise context.fail("LL114", f"`{argument.name}` is given twice", argument.span, "give it once")
        given[argument.name] = argument.value
    missing = [p for p in parameters if p not in given and p not in optional]
    if missing:
        raise context.fail("LL114", f"`{name}` needs `{missing[0]}`", call.span, signature)
    return given


def given_arguments(context: Context, scope: Scope, call: m.Call, target: Inlined) -> Arguments:
    """The arguments of a call by parameter, evaluated in the caller's scope."""
    names = tuple(p.name for p in target.params)
    optional = frozenset(p.name for p in target.params if p.default is not None)
    given = match_arguments(context, call, target.name, names, optional)
    values = context.eval_all(scope, list(given.values()))
    return {name: (value, e.span) for (name, e), value in zip(given.items(), values, strict=True)}


def introduced_names(target: Inlined) -> tuple[str, ...]:
    """The axes that the text of a definition introduces by renames and literals."""
    key = id(target.statement)
    known = _INTRODUCED.get(key)
    if known is None or known[0] is not target.statement:
        known = (
            target.statement,
            tuple(dict.fromkeys(introduced_axes(target.body, target.module.brought_in))),
        )
        _INTRODUCED[key] = known
    return known[1]


_INTRODUCED: dict[int, tuple[object, tuple[str, ...]]] = {}


def written_axes(context: Context, inner: Scope, written: m.KindExpr | None) -> tuple[str, ...]:
    """The graph's axes of a kind's bracket, in order."""
    if written is None or not written.axes:
        return ()
    return tuple(resolve_axes(context, inner, written.axes, frozenset()))


def bind_axes(
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
        return _given_axes(context, call, target, given, singles, pack, inferred, arguments)
    missing = [a for a in singles if a not in inferred]
    if missing:
        _judge_kinds(context, target, arguments, set(missing))
        bracket = ", ".join(("*" if a.pack else "") + a.name for a in target.axes)
        raise context.fail(
            "LL206", f"`{target.name}` works along axes that it cannot tell from its arguments", call.span,
            f"name them: `{target.name}[{bracket}](…)`",
        )  # fmt: skip
    if pack is not None:
        packs[pack] = _whole_pack(arguments, target, set(inferred.values()))
    return {a: inferred[a] for a in singles}, packs


def _judge_kinds(context: Context, target: Inlined, arguments: Arguments, missing: set[str]) -> None:
    """Refuse an argument that tells no axis because of its kind: naming the axis would not help."""
    order = ", ".join(p.name for p in target.params)
    for param in target.params:
        kind = param.kind
        if kind is None or not {kind.over, kind.of} & missing or param.name not in arguments:
            continue
        value, span = arguments[param.name]
        if not isinstance(value, Value) or _could_be(kind.name, value):
            continue
        wanted = f"a `label of {kind.of}`" if kind.of else f"a distribution over an axis `{kind.over}`"
        declared = "`label[…] of AXIS`" if kind.of else "`logit[…, AXIS] over AXIS`"
        raise context.fail(
            "LL201", f"`{param.name}` of `{target.name}` must be {wanted}, but this is a `{shown_kind(value.kind)}`",
            span, f"declare it {declared}, or look at the order of the arguments: `{target.name}({order})`",
        )  # fmt: skip


def _could_be(kind: str, value: Value) -> bool:
    """Whether a value that names no axis may stand for a label, or for a distribution."""
    if kind == "label":
        return value.kind.name in ("label", "index") or value.constant is not None
    return value.kind.name in ("real", "positive", "weight")


def _given_axes(
    context: Context, call: m.Call, target: Inlined, given: list[str], singles: list[str], pack: str | None,
    inferred: dict[str, str], arguments: Arguments,
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:  # fmt: skip
    if pack is None:
        chosen = _chosen_axes(target, given, singles, inferred, arguments)
        if chosen is None:
            raise _wrong_count(context, call, target, len(given))
        return {a: chosen[a] for a in singles}, {}
    position = [a.pack for a in target.axes].index(True)
    after = len(target.axes) - position - 1
    if len(given) < len(singles):
        raise _wrong_count(context, call, target, len(given))
    stop = len(given) - after
    bound = dict(zip(singles, [*given[:position], *given[stop:]], strict=True))
    return bound, {pack: tuple(given[position:stop])}


def _chosen_axes(
    target: Inlined, given: list[str], singles: list[str], inferred: dict[str, str], arguments: Arguments
) -> dict[str, str] | None:
    """All axes, the ones that kinds do not tell, or the first ones with the others told by the arguments."""
    if len(given) == len(singles):
        return dict(zip(singles, given, strict=True))
    wanted = [a for a in singles if a not in inferred]
    if len(given) == len(wanted) and not set(given) & set(inferred.values()):
        return inferred | dict(zip(wanted, given, strict=True))
    named = dict(zip(singles, given, strict=False))
    if len(given) > len(singles) or any(inferred.get(a, axis) != axis for a, axis in named.items()):
        return None
    chosen = _left_over(target, inferred | named, arguments)
    return chosen if set(singles) <= set(chosen) else None


def _left_over(target: Inlined, known: dict[str, str], arguments: Arguments) -> dict[str, str]:
    """Axes that tie no arguments: an argument has one besides the known ones, and only its parameter one as well."""
    own, chosen = {a.name for a in target.axes}, dict(known)
    brackets = {p.name: {ref.name for ref in (p.kind.axes if p.kind else None) or ()} for p in target.params}
    for param, written in brackets.items():
        value = arguments[param][0] if param in arguments else None
        if not isinstance(value, Value):
            continue
        unknown, left = (written & own) - set(chosen), value.axes - set(chosen.values())
        if len(unknown) == len(left) == 1 and sum(unknown <= axes for axes in brackets.values()) == 1:
            chosen[unknown.pop()] = next(iter(left))
    return chosen


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


def call_mask(
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


def bind_values(
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

"""Definitions that no loss calls are checked too, on arguments made from their parameters.

Only what cannot depend on the arguments is reported: unknown names, wrong calls, recursion.
Whether axes and kinds fit is judged where the definition is called.
"""

from __future__ import annotations

from contextlib import suppress

from losslang import model as m
from losslang.checker.binding import Arguments, Inlined
from losslang.checker.conversion import kind_from
from losslang.checker.declarations import SAMPLE_RANK
from losslang.checker.inlining import inline
from losslang.checker.modules import Module
from losslang.checker.report import Failed, Reporter
from losslang.checker.scope import Context, Scope
from losslang.checker.values import Value
from losslang.ir import Graph
from losslang.kinds import ELEMENTS, INTERVALS, REAL, Kind

_ARGUMENT_FREE = (
    "LL101",
    "LL102",
    "LL103",
    "LL104",
    "LL105",
    "LL110",
    "LL114",
    "LL117",
    "LL217",
    "LL218",
    "LL236",
    "LL238",
)


def check_definitions(module: Module, reporter: Reporter) -> None:
    for definition in (*module.defs.values(), *module.dists.values()):
        if isinstance(definition, m.Extern):
            continue
        params = (*definition.params, definition.at) if isinstance(definition, m.Dist) else definition.params
        target = Inlined(definition.name, definition.axes, params, definition.body, module, definition)
        _check(target, reporter)
    for key, closed in module.kls.items():
        for name in key:
            if module.find_dist(name) is None:
                reporter.add(
                    "LL105", f"there is no distribution `{name}`", closed.span, "define it with `dist`"
                )


def _check(target: Inlined, reporter: Reporter) -> None:
    trial = Reporter(reporter.path, reporter.is_user)
    context = Context(Graph(), trial)
    scope = Scope(target.module)
    for ref in target.axes:
        if ref.pack:
            scope.packs[ref.name] = tuple(f"{ref.name}.{i}" for i in range(SAMPLE_RANK))
        else:
            scope.axes[ref.name] = ref.name
    names = [p.name for p in target.params]
    for index, name in enumerate(names):
        if name in names[:index]:
            reporter.add(
                "LL106",
                f"`{target.name}` has two parameters `{name}`",
                target.params[index].span,
                "rename one",
            )
    with suppress(Failed):
        arguments = _sample_arguments(context, scope, target)
        along = m.Where.make(axes=target.axes) if target.axes else None
        call = m.Call.make(function=target.name, along=along, span=target.statement.span)
        inline(context, scope, call, target, arguments)
    for diagnostic in trial.diagnostics:
        if diagnostic.code in _ARGUMENT_FREE:
            reporter.add(
                diagnostic.code, diagnostic.message, diagnostic.span, diagnostic.help, diagnostic.related
            )


def _sample_arguments(context: Context, scope: Scope, target: Inlined) -> Arguments:
    arguments: Arguments = {}
    everything = tuple(a for ref in target.axes for a in (scope.packs[ref.name] if ref.pack else (ref.name,)))
    for param in target.params:
        if param.default is not None:
            continue
        kind = kind_from(context, scope, param.kind, in_def=True) if param.kind else REAL
        if kind.name in ("bernoulli", "categorical"):
            kind = Kind("logit", kind.over)
        if param.kind is not None and param.kind.axes is not None:
            axes = tuple(
                a
                for ref in param.kind.axes
                for a in (scope.packs.get(ref.name, ()) if ref.pack else (ref.name,))
            )
        elif kind.name == "label":
            axes = ()
        else:
            axes = everything
        if kind.over and kind.over not in axes:
            axes = (*axes, kind.over)
        node = context.graph.input(
            param.name, axes, ELEMENTS.get(kind.name, "real"), INTERVALS.get(kind.name)
        )
        arguments[param.name] = (Value(node, kind), param.span)
    return arguments

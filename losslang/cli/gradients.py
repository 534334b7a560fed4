"""The gradient of a definition of the library, as the compiler derives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losslang import model as m

if TYPE_CHECKING:
    from losslang.ir import Node
    from losslang.lowered import LoweredLoss

#: What an abstract parameter is shown for.
SHOWN_AS = {"bernoulli": "logit", "categorical": "logit"}


def gradients(definition: m.Def | m.Dist) -> dict[str, str]:
    """Formulas by argument: the derivative of the result (of the log-density of a distribution), summed
    over the axes that it keeps, for readers.

    Left out are hyperparameters (what has a default), what no model produces (labels, masks, counts), and
    arguments that nothing flows to.
    """
    lowered = sample(definition)
    return _shown(derivatives(definition, lowered), {each.name for each in lowered.inputs})


def derivatives(definition: m.Def | m.Dist, lowered: LoweredLoss) -> dict[str, Node]:
    """The same as nodes: of the formula as written or as rewritten, whichever is shorter."""
    from losslang.cli.readable import readable
    from losslang.differentiate import gradient
    from losslang.render.graphs import operations
    from losslang.rewrite import rewrite

    wrt = _differentiable(lowered, {p.name for p in definition.params if p.default is not None})
    inputs = list(wrt.values())
    if not inputs:
        return {}
    written = lowered.reports[0].node
    ways = [rewrite(gradient(rewrite([written])[0], inputs)), gradient(written, inputs)]
    plain = [[readable(each, inputs) for each in way] for way in ways]
    return {
        name: min(forms, key=operations) for name, forms in zip(wrt, zip(*plain, strict=True), strict=True)
    }


def _differentiable(lowered: LoweredLoss, without: set[str]) -> dict[str, Node]:
    """The inputs that a model may produce; weights where there are no others."""
    from losslang.kinds import DIFFERENTIABLE

    reals = {
        each.name: each
        for each in lowered.inputs
        if each.name not in without and each.leaves[0].node.elem == "real"
    }
    for kinds in (DIFFERENTIABLE, ("weight",)):
        if found := {n: each.leaves[0].node for n, each in reals.items() if each.kind.name in kinds}:
            return found
    return {}


def _shown(derived: dict[str, Node], names: set[str]) -> dict[str, str]:
    from losslang.cli.readable import cancels
    from losslang.render import formula, graphs

    found: dict[str, str] = {}
    for name, node in derived.items():
        opposite = [other for other in found if cancels(node, derived[other])]
        if graphs.vanishes(node):
            continue
        if opposite:
            found[name] = f"−∂/∂{formula.unicode(m.Name.make(id=opposite[0]))}"
            continue
        shown = graphs.expression(node, names)
        count = f"({graphs.operations(node)} operations: too long to read)"
        found[name] = formula.unicode(shown) if shown is not None else count
    return found


def sample(definition: m.Def | m.Dist) -> LoweredLoss:
    """A loss whose only report is the definition, at inputs of the kinds of its parameters.

    ``bernoulli`` and ``categorical`` stand for logits, a pack of axes for two of them.
    """
    from losslang.lowered import Signature
    from losslang.spec import Spec

    spec = Spec(_file(definition))
    lowered = spec.elaborate()
    if lowered.needs_signature:
        packs = {
            axis[1:] or each.name: 2 for each in lowered.inputs for axis in each.axes if axis.startswith("*")
        }
        lowered = spec.elaborate(signature=Signature(ranks=tuple(packs.items())))
    return lowered


def _file(definition: m.Def | m.Dist) -> m.File:
    params = [*definition.params, *([definition.at] if isinstance(definition, m.Dist) else [])]
    named = {axis.name for p in params for axis in _axes(p.kind)}
    riding = tuple(axis for axis in definition.axes if axis.name not in named)
    inputs = [
        m.Input.make(name=p.name, kind=_kind(p.kind, riding if p.default is None else ())) for p in params
    ]
    # No parameter can have these names: they are no names at all.
    nothing = m.Term.make(name="(nothing)", value=m.Number.make(value=0, text="0"))
    report = m.Report.make(name="(value)", value=_applied(definition))
    minimize = m.Minimize.make(value=m.Name.make(id="(nothing)"))
    loss = m.Loss.make(name="sample", body=(*inputs, nothing, report, minimize))
    return m.File.make(statements=(loss,))


def _applied(definition: m.Def | m.Dist) -> m.Expression:
    """The definition called with inputs of its parameters' names."""
    along = m.Where.make(axes=definition.axes) if definition.axes else None
    args = tuple(m.Name.make(id=p.name) for p in definition.params)
    call = m.Call.make(function=definition.name, along=along, args=args)
    if isinstance(definition, m.Def):
        return call
    told = m.Tilde.make(value=m.Name.make(id=definition.at.name), dist=call)
    return m.Unary.make(operand=m.Call.make(function="nll", args=(told,)))


def _kind(kind: m.KindExpr | None, riding: tuple[m.AxisRef, ...]) -> m.KindExpr:
    """A parameter's kind as an input must declare it: concrete, and with its axes."""
    kind = kind or m.KindExpr.make(name="real")
    axes = (*riding, *_axes(kind))
    return m.KindExpr.make(
        **{**kind.__dict__, "name": SHOWN_AS.get(kind.name, kind.name), "axes": axes or None}
    )


def _axes(kind: m.KindExpr | None) -> tuple[m.AxisRef, ...]:
    axes = (kind.axes or ()) if kind is not None else ()
    if kind is not None and kind.over is not None and kind.over not in {axis.name for axis in axes}:
        axes = (*axes, m.AxisRef.make(name=kind.over))
    return axes

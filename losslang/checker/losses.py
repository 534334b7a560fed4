"""A loss as a whole: its statements in any order, its objective, what it leaves unused."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from types import NoneType

from losslang import model as m
from losslang.checker.affine import Affine, AffineReader
from losslang.checker.apart import told_apart
from losslang.checker.conversion import as_real, single
from losslang.checker.declarations import axis_names, declare_axis, declare_hyper, declare_input
from losslang.checker.lints import warn_objective
from losslang.checker.modules import Module, is_shipped
from losslang.checker.report import Failed, Reporter
from losslang.checker.scope import Context, Scope, shown_axes
from losslang.checker.suggest import did_you_mean
from losslang.checker.values import Meaning, Value
from losslang.diagnostics import Related
from losslang.ir import Graph, Node, walk
from losslang.lowered import LoweredHyper, LoweredInput, LoweredLoss, LoweredReport, LoweredTerm, Signature
from losslang.source import Span

RESERVED = ("step", "validate")
Named = m.Input | m.Hyper | m.LetStatement | m.Term | m.Report


@dataclass
class LossPlan:
    """A loss with the statements that it shares with the others of its file."""

    name: str
    doc: str
    span: Span
    shared: list[m.Node]
    own: list[m.Node]
    overrides: dict[str, m.Expression] = field(default_factory=dict)

    @property
    def statements(self) -> list[m.Node]:
        return [*self.shared, *self.own]


@dataclass
class LossElaboration:
    """The state of one loss: names are elaborated when first needed."""

    plan: LossPlan
    context: Context
    scope: Scope
    named: dict[str, Named] = field(default_factory=dict)
    inputs: dict[str, LoweredInput] = field(default_factory=dict)
    hypers: dict[str, LoweredHyper] = field(default_factory=dict)
    meanings: dict[str, Meaning | None] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)

    def lookup(self, name: str) -> Meaning | None:
        """The meaning of a let, term or report, elaborated on demand."""
        statement = self.named.get(name)
        if statement is None:
            return None
        return self.meaning(name)

    def is_index(self, name: str) -> bool:
        """Whether a name means a whole number, which can stand in a pick. A term never does."""
        if name in self.busy or isinstance(self.named.get(name), (m.Term, NoneType)):
            return False
        meaning = self.meaning(name)
        return isinstance(meaning, Value) and meaning.node.elem == "int"

    def meaning(self, name: str) -> Meaning:
        statement = self.named[name]
        if name in self.busy:
            circle = " → ".join([*self.busy[self.busy.index(name) :], name])
            raise self.context.fail(
                "LL116", f"these depend on each other in a circle: {circle}", statement.span,
                "compute one of them from the inputs alone",
            )  # fmt: skip
        if name in self.meanings:
            known = self.meanings[name]
            if known is None:
                raise Failed
            return known
        self.busy.append(name)
        try:
            self.meanings[name] = None
            assert isinstance(statement, (m.LetStatement, m.Term, m.Report))
            result = self.context.eval(self.scope, statement.value)
            if isinstance(statement, m.Term):
                result = _scalar_term(self.context, statement, result)
            self.meanings[name] = result
        finally:
            self.busy.pop()
        return result


def _scalar_term(context: Context, statement: m.Term, meaning: Meaning) -> Value:
    value = single(context, meaning, statement.value.span)
    if value.axes:
        names = ", ".join(sorted(a.split("~")[0] for a in value.axes))
        raise context.fail(
            "LL205", f"the term `{statement.name}` still has {shown_axes(value.axes)}: a term is one number",
            statement.value.span, f"say how to average: `mean[{names}](…)` or `sum[{names}](…)`",
        )  # fmt: skip
    return as_real(context, value, statement.value.span)


def plan_losses(file: m.File, reporter: Reporter) -> list[LossPlan]:
    """The losses of a file, with what they share; misplaced statements are reported."""
    shared: list[m.Node] = []
    plans: dict[str, LossPlan] = {}
    variants: list[m.Variant] = []
    seen: dict[str, m.Node] = {}
    last: m.Loss | None = None
    for statement in file.statements:
        if isinstance(statement, (m.Loss, m.Variant)):
            if statement.name in seen:
                first = Related("first here", seen[statement.name].span, reporter.path)
                reporter.add(
                    "LL106",
                    f"there are two losses `{statement.name}`",
                    statement.span,
                    "rename one",
                    (first,),
                )
                continue
            seen[statement.name] = statement
            if isinstance(statement, m.Variant):
                variants.append(statement)
            else:
                last = statement
                plans[statement.name] = LossPlan(
                    statement.name, statement.doc or "", statement.span, shared, list(statement.body)
                )
        elif isinstance(statement, (m.Input, m.Hyper, m.AxisDecl, m.LetStatement)):
            shared.append(statement)
        elif isinstance(statement, (m.Term, m.Report, m.Minimize)):
            _misplaced(statement, last, reporter)
        elif isinstance(statement, m.Rule) and not is_shipped(reporter.path):
            reporter.add(
                "LL111", "a spec cannot change the compiler's rules", statement.span,
                "write the stable form as a `def`, or propose the rule to the project",
            )  # fmt: skip
    for variant in variants:
        plan = _variant_plan(variant, plans, reporter)
        if plan is not None:
            plans[variant.name] = plan
    return list(plans.values())


def _misplaced(statement: m.Node, last: m.Loss | None, reporter: Reporter) -> None:
    if last is None:
        message, help = "this belongs to a loss, and none has started yet", "begin with `loss NAME`"
    else:
        message = f"the loss `{last.name}` has ended above, so this belongs to none"
        help = "a definition after `minimize` ends a loss: move the definition above or this up"
    reporter.add("LL118", message, statement.span, help)


def _variant_plan(variant: m.Variant, plans: dict[str, LossPlan], reporter: Reporter) -> LossPlan | None:
    base = plans.get(variant.base)
    if base is None:
        help = did_you_mean(variant.base, plans) or "a variant is of a loss in the same file"
        reporter.add("LL113", f"there is no loss `{variant.base}`", variant.span, help)
        return None
    hypers = {s.name for s in base.statements if isinstance(s, m.Hyper)}
    overrides = dict(base.overrides)
    for argument in variant.overrides:
        if argument.name not in hypers:
            help = did_you_mean(argument.name, hypers) or "only hyperparameters can be overridden"
            reporter.add(
                "LL115", f"`{variant.base}` has no hyperparameter `{argument.name}`", argument.span, help
            )
        else:
            overrides[argument.name] = argument.value
    return LossPlan(variant.name, variant.doc or base.doc, variant.span, base.shared, base.own, overrides)


def elaborate_loss(
    plan: LossPlan, module: Module, reporter: Reporter, signature: Signature | None = None
) -> LoweredLoss | None:
    """The loss as a graph, or None where it has errors."""
    plan = told_apart(plan)
    context = Context(Graph(), reporter, signature)
    scope = Scope(module)
    work = LossElaboration(plan, context, scope)
    scope.lookup = work.lookup
    scope.is_index = work.is_index
    scope.value_names = lambda: list(work.named)
    errors_before = sum(d.is_error for d in reporter.diagnostics)
    _declare(work)
    terms, reports = _evaluate_statements(work)
    objective = _objective(work)
    if objective is not None:
        warn_objective(context, plan, objective, terms, work.inputs)
    if sum(d.is_error for d in reporter.diagnostics) > errors_before or objective is None:
        return None
    lowered = _lowered(work, terms, reports, objective)
    return lowered if _sizes_known(work, lowered) else None


# -- declarations -----------------------------------------------------------------------------------


def _declare(work: LossElaboration) -> None:
    context, scope, plan = work.context, work.scope, work.plan
    statements = plan.statements
    scope.axes.update({name: name for name in axis_names(statements, scope.module.brought_in)})
    context.shared_axes = _shared_axes(statements)
    for statement in statements:
        if isinstance(statement, m.AxisDecl):
            with suppress(Failed):
                declare_axis(context, scope, statement)
    for statement in statements:
        if isinstance(statement, (m.Input, m.Hyper, m.LetStatement, m.Term, m.Report)):
            _register(work, statement)
    for name, statement in work.named.items():
        if isinstance(statement, (m.Input, m.Hyper)):
            work.meanings[name] = None
            with suppress(Failed):
                _declare_value(work, name, statement)


def _declare_value(work: LossElaboration, name: str, statement: m.Input | m.Hyper) -> None:
    if isinstance(statement, m.Input):
        work.inputs[name], work.meanings[name] = declare_input(work.context, work.scope, statement)
    else:
        override = work.plan.overrides.get(name)
        work.hypers[name], work.meanings[name] = declare_hyper(work.context, work.scope, statement, override)


def _shared_axes(statements: Iterable[m.Node]) -> frozenset[str]:
    """Axes of inputs that are no collections: the members of collections share them."""
    shared: set[str] = set()
    for statement in statements:
        if isinstance(statement, m.AxisDecl):
            shared.add(statement.name)
        elif isinstance(statement, (m.Input, m.Hyper)) and statement.kind.each is None:
            shared.update(ref.name for ref in statement.kind.axes or () if not ref.pack)
    each = [s for s in statements if isinstance(s, m.Input) and s.kind.each is not None]
    for statement in each:
        refs = statement.kind.axes or ()
        if refs and not refs[0].pack and any(r.pack for r in refs):
            shared.add(refs[0].name)
    return frozenset(shared)


def _register(work: LossElaboration, statement: Named) -> None:
    reporter = work.context.reporter
    name = statement.name
    if name in RESERVED:
        reporter.add(
            "LL112", f"`{name}` is an argument of every compiled loss", statement.span, "choose another name"
        )
    elif name in work.named:
        first = Related("first declared here", work.named[name].span, reporter.path)
        reporter.add("LL106", f"`{name}` is declared twice", statement.span, "rename one of them", (first,))
        return
    work.named[name] = statement


# -- statements -------------------------------------------------------------------------------------


def _evaluate_statements(work: LossElaboration) -> tuple[dict[str, Value], dict[str, Value]]:
    terms: dict[str, Value] = {}
    reports: dict[str, Value] = {}
    own = {id(s) for s in work.plan.own}
    for name, statement in work.named.items():
        try:
            if isinstance(statement, m.Term):
                terms[name] = single(work.context, work.meaning(name), statement.span)
            elif isinstance(statement, m.Report):
                reports[name] = single(work.context, work.meaning(name), statement.value.span)
            elif isinstance(statement, m.LetStatement) and id(statement) in own:
                work.meaning(name)
        except Failed:
            continue
    return terms, reports


def _objective(work: LossElaboration) -> Affine | None:
    plan, context = work.plan, work.context
    found = [s for s in plan.own if isinstance(s, m.Minimize)]
    if not found:
        context.reporter.add(
            "LL230", f"the loss `{plan.name}` does not say what to minimize", plan.span,
            "end it with `minimize` and a weighted sum of its terms",
        )  # fmt: skip
        return None
    for extra in found[1:]:
        first = Related("the first one", found[0].span, context.reporter.path)
        context.reporter.add(
            "LL231",
            f"the loss `{plan.name}` minimizes twice",
            extra.span,
            "add both up in one `minimize`",
            (first,),
        )
    terms = frozenset(n for n, s in work.named.items() if isinstance(s, m.Term))
    lets = {n: s.value for n, s in work.named.items() if isinstance(s, m.LetStatement)}
    reader = AffineReader(context, work.scope, terms, lets)
    try:
        return reader.read(found[0].value)
    except Failed:
        return None


def _lowered(
    work: LossElaboration, terms: dict[str, Value], reports: dict[str, Value], objective: Affine
) -> LoweredLoss:
    context, graph = work.context, work.context.graph
    lowered_terms = []
    weighted: list[Node] = []
    for name, value in terms.items():
        weight = objective.weights.get(name)
        statement = work.named[name]
        lowered_terms.append(
            LoweredTerm(name, value.node, weight.node if weight else None, statement.doc or "")
        )
        if weight is not None:
            weighted.append(
                value.node if weight.constant == 1.0 else graph.apply("mul", weight.node, value.node)
            )
    if objective.offset is not None:
        weighted.append(objective.offset.node)
    total = (
        graph.apply("add", *weighted) if len(weighted) > 1 else weighted[0] if weighted else graph.const(0.0)
    )
    lowered_reports = tuple(
        LoweredReport(name, value.node, value.kind, _report_axes(work, value), work.named[name].doc or "")
        for name, value in reports.items()
    )
    inputs, hypers = _own_or_reached(
        work, [total, *(t.node for t in lowered_terms), *(r.node for r in lowered_reports)]
    )
    needs = any(i.collection or any(a.startswith("*") for a in i.axes) for i in inputs)
    fixed = {a: n for a, n in context.fixed.items() if "~" not in a}
    return LoweredLoss(
        name=work.plan.name,
        graph=graph,
        inputs=inputs,
        hypers=hypers,
        terms=tuple(lowered_terms),
        offset=objective.offset.node if objective.offset else None,
        total=total,
        reports=lowered_reports,
        fixed=fixed,
        places=dict(work.scope.places),
        constant_picks=tuple(dict.fromkeys(context.constant_picks)),
        equal_sizes=tuple(dict.fromkeys(context.equal_sizes)),
        doc=work.plan.doc,
        needs_signature=needs,
    )


def _own_or_reached(
    work: LossElaboration, roots: list[Node]
) -> tuple[tuple[LoweredInput, ...], tuple[LoweredHyper, ...]]:
    """The loss's own inputs and hyperparameters, and of the shared ones those that it depends on."""
    reached = set(walk(roots))
    own = {s.name for s in work.plan.own if isinstance(s, (m.Input, m.Hyper))}
    inputs = (
        i for i in work.inputs.values() if i.name in own or any(leaf.node in reached for leaf in i.leaves)
    )
    hypers = (h for h in work.hypers.values() if h.name in own or h.node in reached)
    return tuple(inputs), tuple(hypers)


def _report_axes(work: LossElaboration, value: Value) -> tuple[str, ...]:
    """In order of first appearance in the inputs, then in order of introduction."""
    order: dict[str, None] = {}
    for lowered in work.inputs.values():
        for leaf in lowered.leaves:
            order.update(dict.fromkeys(leaf.axes))
    for hyper in work.hypers.values():
        order.update(dict.fromkeys(hyper.axes))
    order.update(dict.fromkeys(work.scope.axes.values()))
    order.update(dict.fromkeys(sorted(value.axes)))
    return tuple(axis for axis in order if axis in value.axes)


def _sizes_known(work: LossElaboration, lowered: LoweredLoss) -> bool:
    """Every length that the loss needs comes from an input or is fixed."""
    graph = lowered.graph
    given = {axis for i in lowered.inputs for leaf in i.leaves for axis in leaf.axes}
    given |= {axis for h in lowered.hypers for axis in h.axes} | set(lowered.fixed)
    roots = [lowered.total, *(t.node for t in lowered.terms), *(r.node for r in lowered.reports)]
    nodes = list(walk(roots))
    given |= {axis for node in nodes if node.op == "extern" for axis in node.attr[2]}
    for node in nodes:
        if node.op not in ("index", "size"):
            continue
        root = graph.size_root(node.attr)
        size = graph.axis_sizes.get(str(root))
        if root not in given and (size is None or size.kind == "input"):
            work.context.reporter.add(
                "LL216", f"nothing tells how long the axis `{root}` is", work.plan.span,
                f"fix it with `axis {root} = SIZE`, or give an input that has it",
            )  # fmt: skip
            return False
    return True

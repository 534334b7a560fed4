"""What a file means: names, kinds, axes, objectives; every problem found, and the loss as a graph.

Checking and lowering are one walk. An abstract parameter (`bernoulli`) means something else at
each call, a mask on a call reaches every operation inside the definition: a second walk would
have to find out all of it again, and could disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from losslang import model as m
from losslang.checker.definitions import check_definitions
from losslang.checker.lints import meant_terms, mentioned_names, warn_unused
from losslang.checker.losses import LossPlan, elaborate_loss, plan_losses
from losslang.checker.modules import Module, build_module
from losslang.checker.report import Reporter, deep_recursion
from losslang.checker.worked import Differentiate, LoweredCheck, lower_check
from losslang.diagnostics import Diagnostic
from losslang.ir import Node
from losslang.lowered import LoweredLoss, Signature

if TYPE_CHECKING:
    from losslang.spec import Spec

__all__ = [
    "LoweredCheck", "Module", "check_file", "check_source", "elaborate", "elaborate_file", "loss_names", "lower_checks",
]  # fmt: skip


def check_file(file: m.File, path: str | None) -> list[Diagnostic]:
    """Every problem of a file, in order of place."""
    with deep_recursion():
        return _check_file(file, path)


def _check_file(file: m.File, path: str | None) -> list[Diagnostic]:
    reporter = Reporter(path)
    module = build_module(file, path, reporter)
    plans = plan_losses(file, reporter)
    shared_used: set[str] = set()
    for plan in plans:
        elaborate_loss(plan, module, reporter)
        used = mentioned_names(plan.statements) | meant_terms(plan.statements)
        shared_used |= used
        if not plan.overrides:
            warn_unused(plan.own, used, reporter)
    if plans:
        warn_unused(plans[0].shared, shared_used, reporter)
    check_definitions(module, reporter)
    for statement in file.statements:
        if isinstance(statement, m.Check):
            lower_check(statement, module, reporter, _zero_gradient)
    return sorted(reporter.diagnostics, key=Diagnostic.sort_key)


def _zero_gradient(output: Node, wrt: list[Node]) -> list[Node]:
    """For checking alone the axes of a gradient are enough."""
    return list(wrt)


def check_source(source: Any) -> list[Diagnostic]:
    """Every problem of a spec given as text, path, model or Spec; never raises on a bad spec."""
    from losslang.spec import Spec

    return list(Spec.read(source).diagnostics)


def elaborate(spec: Spec, loss: str | None = None, signature: Signature | None = None) -> LoweredLoss:
    """One loss of a spec as a graph. Raises SpecError where it has errors."""
    return spec.elaborate(loss, signature)


def loss_names(file: m.File) -> list[str]:
    return [s.name for s in file.statements if isinstance(s, (m.Loss, m.Variant))]


def elaborate_file(
    file: m.File, path: str | None, loss: str, signature: Signature | None = None
) -> tuple[LoweredLoss | None, list[Diagnostic]]:
    """One loss of a file as a graph (None where it has errors), and what was found on the way."""
    reporter = Reporter(path)
    module = build_module(file, path, reporter)
    plan = _plan(file, loss, reporter)
    with deep_recursion():
        lowered = elaborate_loss(plan, module, reporter, signature) if plan is not None else None
    return (None if reporter.has_errors else lowered), reporter.diagnostics


def _plan(file: m.File, loss: str, reporter: Reporter) -> LossPlan | None:
    return next((p for p in plan_losses(file, reporter) if p.name == loss), None)


def lower_checks(
    file: m.File, path: str | None, differentiate: Differentiate, module: Module | None = None
) -> Iterator[tuple[m.Check, LoweredCheck | None, list[Diagnostic]]]:
    """The worked examples of a file, each with the problems that keep it from running."""
    shared = module or build_module(file, path, Reporter(path))
    for statement in file.statements:
        if isinstance(statement, m.Check):
            reporter = Reporter(path, shared.is_user)
            reporter.is_user = True
            yield statement, lower_check(statement, shared, reporter, differentiate), reporter.diagnostics

"""Warnings about a loss that has a meaning, but perhaps not the one that was meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from losslang import model as m
from losslang.checker.affine import Affine
from losslang.checker.report import Reporter
from losslang.checker.scope import Context
from losslang.checker.values import Value
from losslang.checker.walking import children
from losslang.ir import Node
from losslang.kinds import DIFFERENTIABLE
from losslang.lowered import LoweredInput

if TYPE_CHECKING:
    from losslang.checker.losses import LossPlan

#: Gradients end at these.
_OPAQUE = frozenset(
    ("stop", "floor", "sign", "eq", "ne", "lt", "le", "argsort", "argmax", "argmin", "count", "any", "all")
)


def mentioned_names(statements: Iterable[m.Node]) -> set[str]:
    """Every name that stands in an expression, whether or not the expression makes sense."""
    found: set[str] = set()
    stack = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, m.Name):
            found.add(node.id)
        stack.extend(children(node))
    return found


def meant_terms(statements: Iterable[m.Node]) -> set[str]:
    """Terms that may belong to the objective: all, where a name in it is unknown or it is not there yet."""
    statements = list(statements)
    known = {getattr(s, "name", "") for s in statements}
    known.update(place for s in statements if isinstance(s, m.AxisDecl) for place in s.places or ())
    objective = [s for s in statements if isinstance(s, m.Minimize)]
    if objective and mentioned_names(objective) <= known:
        return set()
    return {s.name for s in statements if isinstance(s, m.Term)}


def warn_unused(statements: Iterable[m.Node], used: set[str], reporter: Reporter) -> None:
    """What is declared and never used; a report counts as a use."""
    for statement in statements:
        if (
            isinstance(statement, (m.Report, m.AxisDecl, m.Minimize))
            or getattr(statement, "name", None) in used
        ):
            continue
        if isinstance(statement, m.Input):
            if statement.kind.name == "mask":
                reporter.add(
                    "LL310", f"the mask `{statement.name}` is never used", statement.span,
                    f"use it where you average: `mean[… where {statement.name}](…)`, or remove it",
                )  # fmt: skip
            else:
                reporter.add(
                    "LL301",
                    f"the input `{statement.name}` is never used",
                    statement.span,
                    "use it or remove it",
                )
        elif isinstance(statement, m.Hyper):
            reporter.add(
                "LL302",
                f"the hyperparameter `{statement.name}` is never used",
                statement.span,
                "use it or remove it",
            )
        elif isinstance(statement, m.LetStatement):
            reporter.add("LL303", f"`{statement.name}` is never used", statement.span, "use it or remove it")
        elif isinstance(statement, m.Term):
            reporter.add(
                "LL304", f"the term `{statement.name}` is not part of what is minimized", statement.span,
                "add it to `minimize` with a weight, or make it a `report`",
            )  # fmt: skip


def warn_objective(
    context: Context,
    plan: LossPlan,
    objective: Affine,
    terms: dict[str, Value],
    inputs: dict[str, LoweredInput],
) -> None:
    """Weights that are 0, and terms through which nothing can be learned."""
    minimize = next(s for s in plan.own if isinstance(s, m.Minimize))
    statements = {s.name: s for s in plan.own if isinstance(s, m.Term)}
    leaves = {leaf.node for i in inputs.values() if i.kind.name in DIFFERENTIABLE for leaf in i.leaves}
    for name, weight in objective.weights.items():
        if weight.constant == 0:
            context.reporter.add(
                "LL305", f"the weight of `{name}` is 0: the term has no effect", minimize.span,
                "give it a weight, or make it a `report`",
            )  # fmt: skip
        if name in terms and name in statements and not _reaches(terms[name].node, leaves):
            context.reporter.add(
                "LL306", f"no gradient flows through the term `{name}`", statements[name].span,
                "it depends on inputs only through `stop`, comparisons, or kinds that are given to the model (such as "
                "`weight`, `count`, `binary`); make it a `report`, or declare what the model makes `real` or `positive`",
            )  # fmt: skip


def _reaches(root: Node, leaves: set[Node]) -> bool:
    seen: set[Node] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node in leaves:
            return True
        if node in seen or node.op in _OPAQUE:
            continue
        seen.add(node)
        stack.extend(a for a in node.args if a.elem == "real")
    return False

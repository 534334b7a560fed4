"""A spec, as a page of text: what goes in, what is minimized, what the compiler rewrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losslang import model as m
from losslang.cli.paragraphs import WIDTH, labelled, wrapped
from losslang.render import formula

if TYPE_CHECKING:
    from losslang.lowered import LoweredHyper, LoweredInput, LoweredLoss
    from losslang.spec import Spec


def explain(spec: Spec, loss: str | None) -> str:
    """Every loss of a spec (or only ``loss``), and the definitions that the file adds."""
    names = [spec.choose(loss)] if loss is not None else spec.losses()
    pages = [_page(spec, name) for name in names]
    own = [s for s in spec.file.statements if isinstance(s, (m.Def, m.Dist))]
    if own:
        pages.append("\n".join(["defines", *(line for each in own for line in _definition(each))]) + "\n")
    return "\n".join(pages) or "The file holds no loss and no definition.\n"


def _page(spec: Spec, name: str) -> str:
    lowered = spec.elaborate(name)
    statements = _statements(spec.file, name)
    lines = [f"loss {name}", *wrapped(lowered.doc, "  ")]
    lines += _section("inputs", {each.name: _input(each) for each in lowered.inputs})
    lines += _section("hyperparameters", {each.name: _hyper(each) for each in lowered.hypers})
    for title, kind in (("where", m.LetStatement), ("terms", m.Term), ("reports", m.Report)):
        shown = {s.name: _value(s) for s in statements if isinstance(s, kind)}
        lines += _section(title, shown)
    lines += _section("minimize", _weights(statements))
    lines += _substitutions(spec, lowered)
    return "\n".join(lines) + "\n"


def _section(title: str, fields: dict[str, str]) -> list[str]:
    return ["", title, *labelled(fields)] if fields else []


def _statements(file: m.File, name: str) -> list[Any]:
    """The statements of a loss with those shared by all; those of its base for a variant."""
    losses = {s.name: s for s in file.statements if isinstance(s, (m.Loss, m.Variant))}
    found = losses[name]
    while isinstance(found, m.Variant):
        found = losses[found.base]
    return [*file.statements, *found.body]


def _input(each: LoweredInput) -> str:
    axes = f"[{', '.join(each.axes)}]" if each.axes else ""
    name, space, rest = str(each.kind).partition(" ")
    ignoring = f" ignoring {each.kind.ignoring}" if each.kind.ignoring is not None else ""
    return f"{name}{axes}{space}{rest}{ignoring}" + (f" — {each.doc}" if each.doc else "")


def _hyper(each: LoweredHyper) -> str:
    from losslang.lowered import Schedule
    from losslang.runtime.hypers import range_text
    from losslang.runtime.schedules import text

    default = text(each.default) if isinstance(each.default, Schedule) else f"{each.default}"
    axes = f"[{', '.join(each.axes)}]" if each.axes else ""
    return f"{each.kind}{axes}, {range_text(each.interval)}, {default} by default" + (
        f" — {each.doc}" if each.doc else ""
    )


def _value(statement: m.Term | m.Report | m.LetStatement) -> str:
    return formula.unicode(statement.value) + (f"\n— {statement.doc}" if statement.doc else "")


def _weights(statements: list[Any]) -> dict[str, str]:
    """The parts of the objective with their weights, where it is a plain sum of weighted terms."""
    [objective] = [s for s in statements if isinstance(s, m.Minimize)][:1]
    terms = {s.name for s in statements if isinstance(s, m.Term)}
    return {"total": formula.unicode(objective.value), **_weighted(objective.value, terms)}


def _weighted(objective: m.Expression, terms: set[str]) -> dict[str, str]:
    summands: list[tuple[str, m.Expression]] = [("+", objective)]
    if isinstance(objective, m.Chain) and objective.rest[0].op in "+-":
        summands = [("+", objective.first), *((link.op, link.operand) for link in objective.rest)]
    found: dict[str, str] = {}
    for sign, summand in summands:
        name, weight = _term_and_weight(summand, terms)
        if name is None or name in found:
            return {}  # a nested objective: its formula says it better
        found[name] = f"weight {'−' if sign == '-' else ''}{weight}"
    return found


def _term_and_weight(summand: m.Expression, terms: set[str]) -> tuple[str | None, str]:
    if isinstance(summand, m.Name) and summand.id in terms:
        return summand.id, "1"
    if not isinstance(summand, m.Chain) or any(link.op != "*" for link in summand.rest):
        return None, ""
    factors = [summand.first, *(link.operand for link in summand.rest)]
    named = [f for f in factors if isinstance(f, m.Name) and f.id in terms]
    others = [formula.unicode(f) for f in factors if f not in named]
    return (named[0].id, "·".join(others)) if len(named) == 1 else (None, "")


def _substitutions(spec: Spec, lowered: LoweredLoss) -> list[str]:
    """What was rewritten for stability; a loss over any number of axes is shown with two."""
    from losslang.lowered import Signature
    from losslang.programs import Program

    if any(each.collection for each in lowered.inputs):
        return []
    if lowered.needs_signature:
        packs = [
            (axis[1:] or each.name, 2)
            for each in lowered.inputs
            for axis in each.axes
            if axis.startswith("*")
        ]
        lowered = spec.elaborate(lowered.name, Signature(ranks=tuple(packs)))
    fired = Program(lowered, "numpy", True).substitutions
    if not fired:
        return []
    lines = ["", "rewritten for stability"]
    for each in fired:
        lines += [f"  {_cut(each.before)}", f"    ⟶ {_cut(each.after)}"]
        lines += wrapped(f"{each.rule}: {each.reason}" if each.reason else each.rule, "      ")
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _definition(each: m.Def | m.Dist) -> list[str]:
    from losslang.cli.explain_name import signature
    from losslang.render import docfields

    doc = docfields.read(each.doc)
    return [
        f"  {signature(each)}",
        *wrapped(doc.headline, "      "),
        *wrapped(formula.unicode(each.body), "      "),
    ]

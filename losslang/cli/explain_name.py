"""A definition of the library, as a page of text."""

from __future__ import annotations

from losslang import model as m
from losslang.cli.failures import Usage
from losslang.cli.gradients import SHOWN_AS, gradients
from losslang.cli.paragraphs import labelled, wrapped
from losslang.cli.relatives import relatives
from losslang.format import format_expression
from losslang.parse import library
from losslang.render import docfields, formula


def explain(name: str) -> str:
    """Everything the library says of ``name``: a function, a distribution, or both."""
    found = [d for d in (library.definition(name), library.distribution(name)) if d is not None]
    if not found:
        raise Usage(_unknown(name))
    return "\n".join(_page(definition) for definition in found)


def _page(definition: m.Def | m.Dist) -> str:
    doc = docfields.read(definition.doc)
    is_dist = isinstance(definition, m.Dist)
    lines = [signature(definition), "", *wrapped(doc.summary or "(no text)", "  "), ""]
    body = "log-density" if is_dist else "formula"
    fields = {body: formula.unicode(definition.body), "LaTeX": formula.latex(definition.body)}
    fields |= {label: text for label, text in doc.fields.items() if label != "tags"}
    fields |= relatives(definition.name, "dist" if is_dist else "def").shown()
    if doc.tags:
        fields["tags"] = ", ".join(doc.tags)
    entry = library.where(definition.name, "dist" if is_dist else "def")
    if entry is not None:
        fields["group"] = entry.path.stem
    lines += labelled(fields)
    lines += _gradient(definition)
    examples = [format_expression_check(c) for c in library.checks(definition.name)] if not is_dist else []
    if examples:
        lines += ["", "  worked examples", *(f"    {each}" for each in examples)]
    return "\n".join(lines) + "\n"


def _gradient(definition: m.Def | m.Dist) -> list[str]:
    """What the compiler derives, argument by argument."""
    found = gradients(definition)
    if not found:
        return []
    params = [*definition.params, *([definition.at] if isinstance(definition, m.Dist) else [])]
    abstract = [p.name for p in params if p.kind is not None and p.kind.name in SHOWN_AS]
    note = f", for {' and '.join(abstract)} given as logits" if abstract else ""
    return [
        "",
        f"  gradient, derived by the compiler and shortened for reading{note}",
        *labelled(_by(found), "    "),
    ]


def _by(formulas: dict[str, str]) -> dict[str, str]:
    """Each formula under its argument, the letters that it uses on lines of their own."""
    return {
        f"∂/∂{formula.unicode(m.Name.make(id=name))}": text.replace("  where ", "\nwhere ")
        for name, text in formulas.items()
    }


def signature(definition: m.Def | m.Dist) -> str:
    """The head of a definition as it is written."""
    from losslang.format import format_file

    text = format_file(m.File.make(statements=(_bare(definition),)))
    return " ".join(text[: text.rindex("= 0")].split())


def _bare(definition: m.Def | m.Dist) -> m.Def | m.Dist:
    """The definition without text and body."""
    zero = m.Number.make(value=0, text="0")
    return type(definition).make(**{**definition.__dict__, "doc": None, "body": zero})


def format_expression_check(check: m.Check) -> str:
    """A worked example on one line."""
    told = f"{format_expression(check.value)} {check.op} {format_expression(check.expected)}"
    return told + (f" within {format_expression(check.within)}" if check.within is not None else "")


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    known = [each for names in library.names().values() for each in names]
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else "'losslang list' shows what there is"
    return f"neither a file nor a name of the library: {name!r}; {hint}"

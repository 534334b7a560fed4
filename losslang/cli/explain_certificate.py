"""A certificate as text: for each term its domain, its types, the worst error found, the rules used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from losslang.cli.paragraphs import labelled, wrapped

if TYPE_CHECKING:
    from losslang.spec import Spec
    from losslang.verify.certificate import Certificate, Domain, Error, TermCertificate, Tested


def show(spec: Spec, loss: str | None, seed: int, budget: float, format: str) -> None:
    """Print the certificates of every loss of a spec (or of ``loss``). Exit status 1 where one fails."""
    from losslang.verify import certify

    names = [spec.choose(loss)] if loss is not None else spec.losses()
    found = [certify(spec, name, seed, budget / len(names)) for name in names]
    if format == "json":
        import json

        click.echo(json.dumps([each.to_json() for each in found], indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(text(each) for each in found), nl=False)
    if not all(each.holds for each in found):
        raise click.exceptions.Exit(1)


def text(certificate: Certificate) -> str:
    """A certificate as a page of text."""
    lines = [f"loss {certificate.loss} (seed {certificate.seed})"]
    for term in certificate.terms:
        lines += ["", f"term {term.term}", *_term(term)]
    return "\n".join([*lines, "", *wrapped(certificate.claim)]) + "\n"


def _term(term: TermCertificate) -> list[str]:
    lines = ["  domain", *labelled({each.name: _domain(each) for each in term.domain}, "    ")]
    lines += ["  worst relative error", *(line for each in term.tested for line in _tested(each))]
    if term.rules:
        rules = {
            each.name: f"{each.count} ×{f'  {each.reason}' if each.reason else ''}" for each in term.rules
        }
        lines += ["  rules", *labelled(rules, "    ")]
    return lines


def _domain(domain: Domain) -> str:
    name, space, rest = str(domain.kind).partition(" ")
    axes = f"[{', '.join(domain.axes)}]" if domain.axes else ""
    by_range: dict[tuple[float, float], list[str]] = {}
    for dtype, ends in domain.tried.items():
        by_range.setdefault(ends, []).append(dtype)
    told = [
        f"{_ends(*ends)}" + (f" in {' and '.join(types)}" if len(by_range) > 1 else "")
        for ends, types in by_range.items()
    ]
    return f"{name}{axes}{space}{rest}, tried {'; '.join(told)}"


def _ends(low: float, high: float) -> str:
    return f"at {low:.6g}" if low == high else f"from {low:.6g} to {high:.6g}"


def _tested(tested: Tested) -> list[str]:
    parts = [f"value {_error(tested.value)}", f"gradient {_error(tested.gradient)}"]
    if tested.excused:
        parts.append(
            f"{tested.excused} results off by what the inputs' last digit moves the truth, or at a kink"
        )
    if tested.undecided:
        parts.append(f"undecided at the highest precision: {tested.undecided}")
    label = f"{tested.dtype}, {tested.cases} case{'s' if tested.cases > 1 else ''}"
    failures = [line for each in tested.failures for line in wrapped(f"FAILED: {each}", "      ")]
    return [*labelled({label: "; ".join(parts)}, "    "), *failures]


def _error(error: Error) -> str:
    if not error.relative:
        return "exact"
    place = error.place.removeprefix("gradient ")
    return f"{error.relative:.2g} ({f'{place}, ' if place != 'value' else ''}case {error.case})"

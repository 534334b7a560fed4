"""``losslang verify``: the guarantees of a compiled loss, tested."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from losslang.cli.backends import backend_option, device_option

if TYPE_CHECKING:
    from losslang.verify import Finding, Report

_COLORS = {"passed": "green", "failed": "red", "undecided": "yellow", "not_applicable": None}
_MARKS = {"passed": "ok", "failed": "FAILED", "undecided": "undecided", "not_applicable": "–"}


@click.command("verify")
@click.argument("spec", metavar="SPEC")
@backend_option(help="Only this one; by default all that are installed.")
@device_option()
@click.option("--loss", help="Which loss of the file; by default each of them.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the inputs.")
@click.option(
    "--budget", type=click.FloatRange(min=0), default=20.0, show_default=True, help="Seconds for each loss."
)
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    spec: str,
    backend: str | None,
    device: str | None,
    loss: str | None,
    seed: int,
    budget: float,
    format: str,
) -> None:
    """Test that a loss is finite, accurate, masked, splittable, the same everywhere, and accounted for.

    Inputs are made from the declared kinds, extremes included.
    """
    from losslang.cli.targets import load_spec
    from losslang.verify import verify

    loaded = load_spec(spec)
    chosen = [backend] if backend else None
    names: list[str | None] = [loss] if loss is not None else [*loaded.losses()] or [None]
    with _progress() as progress:
        reports = [verify(loaded, chosen, n, seed, budget, progress, device=device) for n in names]
    if format == "json":
        import json

        found = [report.to_json() for report in reports]
        click.echo(json.dumps(found[0] if len(found) == 1 else found, indent=2, ensure_ascii=False))
    else:
        for at, report in enumerate(reports):
            click.echo("\n" if at else "", nl=False)
            _print(report)
    if not all(report.passed for report in reports):
        raise click.exceptions.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None] | None]:
    """A bar on stderr where a person looks, else nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("verify")

        def show(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)

        yield show


def _print(report: Report) -> None:
    from losslang.verify import GUARANTEES

    click.echo(f"{report.loss} on {', '.join(report.backends)} (seed {report.seed}, {report.cases} cases)")
    for number, (name, promise) in GUARANTEES.items():
        click.echo(f"\n{number}. {name}: {promise}")
        for finding in report.findings:
            if finding.guarantee == number:
                _print_finding(finding)
    click.echo(f"\n{_summary(report)} ({report.seconds:.1f} s)")


def _summary(report: Report) -> str:
    failed, size = len(report.failures()), len(report.findings)
    if failed:
        return f"{failed} of {size} findings failed"
    undecided = sum(finding.status == "undecided" for finding in report.findings)
    if undecided == size:
        return "nothing could be decided"
    numbers = sum(finding.undecided for finding in report.findings if finding.guarantee == 2)
    if undecided:
        return f"nothing failed, but {undecided} of {size} findings are undecided"
    return (
        f"every guarantee holds, but for what could not be decided ({numbers} in all)"
        if numbers
        else "every guarantee holds"
    )


def _print_finding(finding: Finding) -> None:
    where = " ".join(filter(None, (finding.backend, f"along {finding.axis}" if finding.axis else "")))
    mark = click.style(f"{_MARKS[finding.status]:<9}", fg=_COLORS[finding.status])
    click.echo(f"   {mark} {where + ': ' if where else ''}{finding.reason}")
    if finding.status == "failed" and finding.worst is not None:
        worst = finding.worst
        click.echo(
            f"             {worst.place}: {worst.got!r}, should be {worst.expected!r} ± {worst.allowed:.3g}"
        )
        click.echo(f"             case {worst.case} ({worst.dtype}):")
        for name, value in worst.inputs.items():
            click.echo(f"               {name} = {value!r}")

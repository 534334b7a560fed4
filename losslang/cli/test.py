"""``losslang test``: the worked examples, on every backend that is installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from losslang.cli.backends import backend_option, device_option, installed

if TYPE_CHECKING:
    from losslang import model as m
    from losslang.worked import Outcome


@click.command("test")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@backend_option(help="Only this one; by default all that are installed.")
@device_option()
def command(paths: Sequence[str], backend: str | None, device: str | None) -> None:
    """Run the `check` statements of specs; without PATH, those of the whole library."""
    from losslang.worked import Worked

    files = [Worked(file, path) for path, file in _files(paths)]
    backends = [backend] if backend else installed()
    total = failed = 0
    for name in backends:
        for file in files:
            for outcome in file.run(name, device):
                total += 1
                if not outcome.passed:
                    failed += 1
                    _report(outcome, name)
    click.echo(f"{total - failed} of {total} examples hold on {', '.join(backends)}", err=True)
    if not total:
        click.echo("there are no `check` statements in what was named", err=True)
    if failed:
        raise click.exceptions.Exit(1)


def _files(paths: Sequence[str]) -> Iterator[tuple[str | None, m.File]]:
    """Paths with their syntax; a spec that makes no sense ends the command with its problems."""
    if not paths:
        from losslang.parse import library

        yield from ((str(path), library.file(path)) for path in library.paths())
        return
    from losslang.cli.targets import expand, load_spec

    for path in expand(paths):
        spec = load_spec(path)
        yield spec.path, spec.file


def _report(outcome: Outcome, backend: str) -> None:
    from losslang.cli.findings import colorful
    from losslang.diagnostics import Diagnostic
    from losslang.render import text
    from losslang.render.sources import Sources

    told = Diagnostic("check", "error", _message(outcome, backend), outcome.statement.span, path=outcome.path)
    click.echo(text.render([told], Sources(), colorful()), nl=False)


def _message(outcome: Outcome, backend: str) -> str:
    if outcome.problem:
        return f"this example cannot be run: {outcome.problem}"
    relation = "" if outcome.statement.op == "==" else f"{outcome.statement.op} "
    tolerance = f" within {outcome.within:g}" if outcome.within else ""
    return f"on {backend} found {outcome.found!r}, expected {relation}{outcome.expected!r}{tolerance}"

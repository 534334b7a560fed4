"""``losslang fmt``: specs in the one layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from losslang.cli.targets import STDIN, expand, read_spec, read_stdin


@click.command("fmt")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--check", "only_check", is_flag=True, help="Change nothing; fail where something would change."
)
def command(paths: Sequence[str], only_check: bool) -> None:
    """Write specs in the one layout: files, folders, or - from stdin to stdout.

    A file with syntax errors is left as it is.
    """
    from losslang.errors import SpecError

    changed, bad = 0, 0
    for path in expand(paths):
        try:
            before, after = _formatted(path)
        except SpecError as error:
            _explain(error, path)
            bad += 1
            continue
        if path == STDIN and not only_check:
            click.echo(after, nl=False)
        elif before != after:
            changed += 1
            if only_check:
                click.echo(f"{path} would change")
            else:
                Path(path).write_bytes(after.encode())
                click.echo(f"wrote {path}", err=True)
    if bad or (only_check and changed):
        raise click.exceptions.Exit(1)


def _formatted(path: str) -> tuple[str, str]:
    """The text of a file, and its text in the layout. Raises SpecError."""
    from losslang.errors import SpecError
    from losslang.format import format_text

    raw = read_stdin() if path == STDIN else Path(path).read_bytes()
    try:
        before = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise SpecError(read_spec(path).errors) from None
    return before, format_text(before.removeprefix("\ufeff"), None if path == STDIN else path)


def _explain(error: object, path: str) -> None:
    from losslang.cli.findings import show
    from losslang.errors import SpecError

    assert isinstance(error, SpecError)
    show(error.diagnostics)

"""``losslang check``: every problem of some specs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from losslang.cli.findings import FORMATS, Format, show
from losslang.cli.targets import STDIN, expand, read_spec

if TYPE_CHECKING:
    from losslang.diagnostics import Diagnostic

STDIN_NAME = "<stdin>"


@click.command("check")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--format", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
def command(paths: Sequence[str], format: Format, strict: bool) -> None:
    """Judge specs: files, folders (all .loss files in them), or - for stdin.

    A spec may also be a JSON model, in a file that ends in .json.
    """
    found: list[Diagnostic] = []
    texts: dict[str | None, str] = {}
    files = expand(paths)
    for file in files:
        spec = read_spec(file)
        if file == STDIN:
            texts[STDIN_NAME] = spec.text or ""
            found += [replace(d, path=STDIN_NAME) if d.path is None else d for d in spec.diagnostics]
        else:
            found += spec.diagnostics
    found = list(dict.fromkeys(found))  # what two files import is judged with each of them
    show(found, format, texts, len(files))
    if any(d.is_error or strict for d in found):
        raise click.exceptions.Exit(1)

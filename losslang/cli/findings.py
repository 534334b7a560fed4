"""Printing diagnostics in the format that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from losslang.diagnostics import Diagnostic

Format = Literal["text", "json", "github", "sarif"]
FORMATS: tuple[Format, ...] = ("text", "json", "github", "sarif")


def show(
    diagnostics: Sequence[Diagnostic],
    format: Format = "text",
    texts: Mapping[str | None, str] | None = None,
    files: int | None = None,
) -> None:
    """Print ``diagnostics`` to stdout; ``texts`` holds sources that are not files.

    In text, the number of ``files`` looked at goes to stderr with a summary.
    """
    if format == "json":
        from losslang.render import json

        click.echo(json.render(diagnostics), nl=False)
    elif format == "github":
        from losslang.render import github

        click.echo(github.render(diagnostics), nl=False)
    elif format == "sarif":
        from losslang import __version__, codes
        from losslang.render import sarif

        click.echo(sarif.render(diagnostics, codes.titles(), __version__), nl=False)
    else:
        from losslang.render import text
        from losslang.render.sources import Sources

        click.echo(text.render(diagnostics, Sources(texts), color=colorful()), nl=False)
        if files is not None:
            click.echo(text.summary(diagnostics, files), err=True)


def colorful() -> bool:
    """Whether stdout is a terminal for a person who has not switched colours off (NO_COLOR)."""
    import os

    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

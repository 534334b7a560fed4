"""Tables of numbers: drawn by rich on a terminal, plain columns elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click


def number(value: float | None) -> str:
    """Six digits, or a dash for nothing."""
    return "–" if value is None else f"{value:.6g}"


def percent(value: float | None) -> str:
    """A share of 1 as a percentage."""
    return "–" if value is None else f"{100 * value:.1f}%"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table to stdout: the first column to the left, the others to the right."""
    if sys.stdout.isatty():
        _rich(heads, rows, title)
    else:
        _plain(heads, rows, title)


def _plain(heads: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    if title:
        click.echo(title)
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        first, *rest = (
            cell.ljust(w) if at == 0 else cell.rjust(w)
            for at, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        click.echo("  ".join([first, *rest]).rstrip())
    click.echo()


def _rich(heads: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, title_justify="left")
    for at, head in enumerate(heads):
        drawn.add_column(head, justify="left" if at == 0 else "right")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)

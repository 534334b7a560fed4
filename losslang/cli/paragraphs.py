"""Laying out text: wrapped paragraphs, and fields under their labels."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

WIDTH = 100


def wrapped(text: str, indent: str = "") -> list[str]:
    """``text`` in lines of at most ``WIDTH``; its own line breaks stay."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(
            paragraph, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    return lines


def labelled(fields: Mapping[str, str], indent: str = "  ") -> list[str]:
    """Each text beside its label, its further lines under its first one."""
    if not fields:
        return []
    width = max(map(len, fields)) + 2
    lines: list[str] = []
    for label, text in fields.items():
        inner = wrapped(text, indent + " " * width) or [""]
        lines.append(f"{indent}{label:<{width}}{inner[0].lstrip()}")
        lines += inner[1:]
    return lines

"""The text of a definition: what it says first, and the labelled lines after it.

A line that starts with one of the labels opens a field; lines up to the next label belong to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LABELS = ("source", "assumes", "tails", "fails", "instead", "family", "tags")


@dataclass(frozen=True)
class Doc:
    """``summary`` is everything before the first field, a line for each run of sentences; ``fields`` are in the order
    of the text, and what stands under one label twice is told apart by a semicolon."""

    summary: str = ""
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The first sentence of the summary."""
        return re.split(r"(?<=\.)\s+(?=[A-Z0-9`])", self.summary, maxsplit=1)[0]

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(t.strip() for t in self.fields.get("tags", "").split(",") if t.strip())


def read(text: str | None) -> Doc:
    """``text`` taken apart; no text is an empty ``Doc``."""
    summary: list[str] = []
    fields: dict[str, list[list[str]]] = {}
    into = summary
    for line in (text or "").split("\n"):
        label, colon, rest = line.strip().partition(":")
        if colon and label in LABELS:
            into = []
            fields.setdefault(label, []).append(into)
            line = rest
        into.append(line.strip())
    joined = {
        label: "; ".join(" ".join(filter(None, part)) for part in parts) for label, parts in fields.items()
    }
    return Doc(_paragraphs(summary), joined)


def _paragraphs(lines: list[str]) -> str:
    """Lines broken within a sentence as one."""
    text = ""
    for line in lines:
        text += line if not text else f"\n{line}" if not line or text.endswith((".", "\n")) else f" {line}"
    return text.strip()

"""The text of a definition: what it says first, and the labelled lines after it.

A line that starts with one of the labels opens a field; lines up to the next label belong to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LABELS = ("source", "assumes", "tails", "fails", "instead", "family", "tags")


@dataclass(frozen=True)
class Doc:
    """``summary`` is everything before the first field; ``fields`` are in the order of the text."""

    summary: str = ""
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The first line of the summary."""
        return self.summary.split("\n", 1)[0]

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(t.strip() for t in self.fields.get("tags", "").split(",") if t.strip())


def read(text: str | None) -> Doc:
    """``text`` taken apart; no text is an empty ``Doc``."""
    summary: list[str] = []
    fields: dict[str, list[str]] = {}
    into = summary
    for line in (text or "").split("\n"):
        label, colon, rest = line.strip().partition(":")
        if colon and label in LABELS and label not in fields:
            into = fields.setdefault(label, [])
            line = rest
        into.append(line.strip())
    joined = {label: " ".join(filter(None, lines)) for label, lines in fields.items()}
    return Doc("\n".join(summary).strip(), joined)

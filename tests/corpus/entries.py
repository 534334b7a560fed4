"""Naive formulas with the points they are tried at.

An entry is an expression in the language, worked out at every point along the axis ``i``; its inputs
are given by their kinds, and the kind decides which extreme numbers they take.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """``inputs``: kind by name (``logit``, ``logit over c``, ``label of c``, ``mask over c`` …).

    ``sizes``: the lengths of axes other than ``i``; ``points``: numbers that replace the usual ones
    of an input; ``wrt``: the inputs whose gradients are tried (the real ones, if empty).
    """

    family: str
    text: str
    inputs: dict[str, str]
    sizes: dict[str, int] = field(default_factory=dict)
    points: dict[str, tuple[float, ...]] = field(default_factory=dict)
    lets: str = ""


ENTRIES: list[Entry] = []


def formulas(family: str, inputs: dict[str, str], texts: str, **options: object) -> None:
    """One entry for each line of ``texts``."""
    for line in texts.strip().splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            ENTRIES.append(Entry(family, line, inputs, **options))  # type: ignore[arg-type]

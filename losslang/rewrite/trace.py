"""What was rewritten: every rule or inference that fired, where, and the formulas before and after."""

from __future__ import annotations

from dataclasses import dataclass, field

from losslang.ir import Node
from losslang.rewrite.printer import formula
from losslang.source import Span


@dataclass(frozen=True)
class Firing:
    """``rule`` names it; ``reason`` says why the new form is stabler; ``places`` are the spans it came from."""

    rule: str
    before: str
    after: str
    places: tuple[tuple[str | None, Span], ...] = ()
    reason: str = ""


@dataclass
class Trace:
    """Collects firings, each pair of formulas once. ``stage`` tells values from gradients."""

    firings: list[Firing] = field(default_factory=list)
    _seen: set[tuple[str, str, str]] = field(default_factory=set)

    def record(self, rule: str, before: Node, after: Node, reason: str = "") -> None:
        old, new = formula(before), formula(after)
        key = (rule, old, new)
        if old == new or key in self._seen:
            return
        self._seen.add(key)
        places = tuple(before.graph.origins.get(before, ()))
        self.firings.append(Firing(rule, old, new, places, reason))

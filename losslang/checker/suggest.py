"""Did-you-mean."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` most likely stands for, if any is near enough."""
    pool = sorted(set(candidates))
    lowered = {c.lower(): c for c in pool}
    if name.lower() in lowered:
        return lowered[name.lower()]
    found = get_close_matches(name, pool, n=1, cutoff=0.72 if len(name) > 3 else 0.6)
    return found[0] if found else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """``did you mean `x`?``, or nothing."""
    guess = closest(name, candidates)
    return f"did you mean `{guess}`?" if guess else ""


def listing(names: Iterable[str], none: str = "none", limit: int = 12) -> str:
    """Names in backticks, in order, cut at ``limit``."""
    pool = list(names)
    shown = ", ".join(f"`{n}`" for n in pool[:limit])
    return (shown + (", …" if len(pool) > limit else "")) or none

"""Wording shared by the messages of this package."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def listed(names: Iterable[object], last: str = "and") -> str:
    """```a`, `b` and `c```."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause that offers the nearest of the known names, or else lists them all."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"there {'is' if len(names) == 1 else 'are'} {listed(names)}" if names else "there are none"


def type_name(value: object) -> str:
    """The type of a value as its user writes it: ``torch.Tensor``, ``list``."""
    kind = type(value)
    module = kind.__module__.split(".")[0]
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"

"""What ``speed.py`` measures: a spec of losslang, what it is compared with, and the inputs of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Drawn:
    """Random numbers: ``normal``, ``coin`` (1 with probability ``high``), ``label`` from ``low`` to below ``high``,
    ``uniform`` up to ``high``, or ``all``: ``high`` everywhere."""

    how: str
    shape: tuple[int, ...]
    high: float = 1.0
    dtype: str = "float32"
    low: int = 0


@dataclass(frozen=True)
class Objective:
    """``written`` and ``jax`` follow the spec's formula; ``hand`` is what one writes who knows the framework.

    Each takes the inputs in order. ``wrt``: the names of the inputs to differentiate by. ``looped``: a loop over
    an axis, whose steps torch.compile would all compile.
    """

    name: str
    spec: str
    inputs: dict[str, Drawn]
    wrt: tuple[str, ...]
    written: Callable[..., Any] | None
    hand: Callable[..., Any]
    jax: Callable[..., Any]
    looped: bool = False


def spec(inputs: str, minimize: str) -> str:
    lines = "".join(f"  input {each.strip()}\n" for each in inputs.split(";"))
    return f"loss timed\n{lines}  minimize {minimize}\n"

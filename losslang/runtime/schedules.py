"""The value of a scheduled hyperparameter at a step.

``f`` runs from 0 at step 0 to 1 at step N and is clamped outside:
linear a + (b − a)·f, cosine a + (b − a)·(1 − cos πf)/2, exponential a·(b/a)^f, constant a.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslang.lowered import Schedule


def at_number(schedule: Schedule, step: float) -> float:
    """The value at a step that is a plain number."""
    fraction = min(max(step / schedule.steps, 0.0), 1.0) if schedule.steps > 0 else 1.0
    return float(_shape(schedule, fraction, math.cos, lambda ratio, f: ratio**f))


def at_array(schedule: Schedule, step: Any, cos: Callable[[Any], Any], clip: Callable[[Any], Any]) -> Any:
    """The value at a step that is a scalar of an array library, already in the computing type."""
    fraction = clip(step / schedule.steps) if schedule.steps > 0 else step * 0 + 1
    return _shape(schedule, fraction, cos, lambda ratio, f: ratio**f) + 0 * fraction


def _shape(schedule: Schedule, f: Any, cos: Callable[[Any], Any], power: Callable[[float, Any], Any]) -> Any:
    start, end = schedule.start, schedule.end
    if schedule.form == "linear":
        return start + (end - start) * f
    if schedule.form == "cosine":
        return start + (end - start) * (1 - cos(math.pi * f)) / 2
    if schedule.form == "exponential":
        return start * power(end / start, f)
    if schedule.form == "constant":
        return start
    raise AssertionError(f"no schedule is called {schedule.form}")


def text(schedule: Schedule) -> str:
    """The schedule as a spec writes it."""
    if schedule.form == "constant":
        return f"constant({schedule.start:g})"
    return f"{schedule.form}({schedule.start:g}, {schedule.end:g}, over={schedule.steps:g})"

"""The values of hyperparameters: defaults, overrides when compiling and when calling, schedules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from losslang.errors import InputError
from losslang.interval import Interval
from losslang.kinds import INTERVALS
from losslang.lowered import LoweredHyper, NestedFloats, Schedule
from losslang.runtime import schedules
from losslang.runtime.binding import DISCRETE
from losslang.runtime.words import did_you_mean, type_name

Plain = NestedFloats | Schedule


def overridden(hypers: tuple[LoweredHyper, ...], given: Mapping[str, Any], loss: str) -> dict[str, Plain]:
    """The defaults of a compiled loss: the spec's, with the compiler's ``hyper=`` in their place.

    Raises:
        InputError: an unknown name, a value outside its range, a value that is not a number.
    """
    names = [each.name for each in hypers]
    for name in given:
        if name not in names:
            raise InputError(f"`{loss}` has no hyperparameter `{name}`; {did_you_mean(name, names)}", name)
    return {
        each.name: checked(each, given[each.name]) if each.name in given else each.default for each in hypers
    }


def checked(hyper: LoweredHyper, value: Any) -> Plain:
    """A plain number, or numbers nested as the hyperparameter's axes, that lie in its range.

    Raises:
        InputError: naming the hyperparameter and the number that does not fit.
    """
    if isinstance(value, Schedule):
        check_number(hyper, value.start)
        if value.form != "constant":
            check_number(hyper, value.end)
        return value
    nested = _nested(value, hyper)
    rank = len(shape_of(nested, hyper.name))
    if rank != len(hyper.axes):
        wanted = f"along ({', '.join(hyper.axes)})" if hyper.axes else "a single number"
        raise InputError(f"hyperparameter `{hyper.name}` should be {wanted}, but has {rank} axes", hyper.name)
    for number in _numbers(nested):
        check_number(hyper, number)
    return nested


def check_number(hyper: LoweredHyper, number: float) -> None:
    if not math.isfinite(number):
        raise InputError(f"hyperparameter `{hyper.name}` should be a finite number, not {number}", hyper.name)
    if not hyper.interval.contains(number):
        raise InputError(
            f"hyperparameter `{hyper.name}` should be {range_text(hyper.interval)}, not {number:g}",
            hyper.name,
        )
    promised = INTERVALS.get(hyper.kind.name)
    if promised is not None and not promised.contains(number):
        raise InputError(
            f"hyperparameter `{hyper.name}` is a {hyper.kind.name}, {range_text(promised)}, not {number:g}",
            hyper.name,
        )
    if hyper.kind.name in DISCRETE and number != int(number):
        raise InputError(f"hyperparameter `{hyper.name}` is a {hyper.kind}, not {number:g}", hyper.name)


def is_plain(value: Any) -> bool:
    """Whether a value is made of Python's or NumPy's numbers, which cost nothing to look at."""
    if isinstance(value, (bool, int, float, Schedule)):
        return True
    return isinstance(value, (list, tuple)) or type(value).__module__.split(".")[0] == "numpy"


def default_at_step(
    hyper: LoweredHyper, default: Plain, step: Any, array_step: Callable[[Schedule, Any], Any]
) -> Any:
    """The default, or the value of its schedule at ``step`` (a number, or an array for ``array_step``)."""
    if not isinstance(default, Schedule):
        return default
    if step is None:
        raise InputError(
            f"hyperparameter `{hyper.name}` follows the schedule {schedules.text(default)}: "
            f"call with `step=`, or give `{hyper.name}=` a number",
            "step",
        )
    if is_plain(step):
        return schedules.at_number(default, plain_step(step))
    return array_step(default, step)


def plain_step(step: Any) -> float:
    try:
        number = float(step)
    except (TypeError, ValueError):
        raise InputError(f"`step` should be a number, not {type_name(step)}", "step") from None
    if not math.isfinite(number):
        raise InputError(f"`step` should be a finite number, not {number}", "step")
    return number


def range_text(interval: Interval) -> str:
    """An interval in words: ``> 0``, ``in [0, 1)``."""
    if math.isinf(interval.low) and math.isinf(interval.high):
        return "a finite number"
    if math.isinf(interval.high):
        return f"{'>' if interval.low_open else '>='} {interval.low:g}"
    if math.isinf(interval.low):
        return f"{'<' if interval.high_open else '<='} {interval.high:g}"
    left, right = "[("[interval.low_open], "])"[interval.high_open]
    return f"in {left}{interval.low:g}, {interval.high:g}{right}"


def _nested(value: Any, hyper: LoweredHyper) -> NestedFloats:
    """Python floats, nested in tuples."""
    listed = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(listed, (list, tuple)):
        return tuple(_nested(each, hyper) for each in listed)
    if isinstance(listed, (bool, int, float)) or hasattr(listed, "__float__"):
        try:
            return float(listed)
        except (TypeError, ValueError):
            pass
    raise InputError(f"hyperparameter `{hyper.name}` should be a number, not {type_name(value)}", hyper.name)


def _numbers(nested: NestedFloats) -> Iterator[float]:
    if isinstance(nested, tuple):
        for each in nested:
            yield from _numbers(each)
    else:
        yield nested


def shape_of(nested: NestedFloats, name: str) -> tuple[int, ...]:
    """The shape of nested numbers, which must be as regular as an array."""
    if not isinstance(nested, tuple):
        return ()
    inner = {shape_of(each, name) for each in nested}
    if len(inner) > 1:
        raise InputError(f"hyperparameter `{name}` has rows of different lengths", name)
    return (len(nested), *(inner.pop() if inner else ()))

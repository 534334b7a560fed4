"""``validate=True``: values against kinds.

Only what the loss depends on is judged: garbage where a mask or a branch sets a value aside is
nobody's business (see ``losslang.demand``). Values that are abstract, as under ``jit``, are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from losslang.errors import InputError
from losslang.kinds import INTERVALS
from losslang.lowered import LoweredHyper
from losslang.runtime import hypers
from losslang.runtime.adapter import Adapter
from losslang.runtime.kernels import Program, Slot

#: How far the sum of a distribution may be from one, in spacings of its type per place.
_SUM_SPACINGS = 64.0


def validate(
    program: Program, raw: Sequence[Any], declared: Mapping[str, LoweredHyper], adapter: Adapter
) -> None:
    """Check every value that the results depend on.

    Raises:
        InputError: naming the input, the first place that is wrong and the value there.
    """
    found = [adapter.numbers(value) for value in raw]
    if any(values is None for values in found):
        return
    arrays = [np.asarray(values) for values in found]
    for slot, array in zip(program.slots, arrays, strict=True):
        if slot.hyper:
            for number in array.astype(np.float64).ravel():
                hypers.check_number(declared[slot.name], float(number))
    needed = _needed(program, arrays)
    lengths = _lengths(program.slots, arrays)
    for slot, array, where in zip(program.slots, arrays, needed, strict=False):
        if not slot.hyper or slot.kind.over:
            _check_values(slot, array, np.broadcast_to(where, array.shape), lengths)
    _check_picks(program, needed[len(program.slots) :])


def _needed(program: Program, arrays: Sequence[Any]) -> Sequence[Any]:
    elements = {"real": np.float64, "int": np.int64, "bool": np.bool_}
    with np.errstate(all="ignore"):
        cast = [array.astype(elements[slot.elem]) for slot, array in zip(program.slots, arrays, strict=True)]
        return program.demands()(*cast, np.float64)


def _lengths(slots: Sequence[Slot], arrays: Sequence[Any]) -> dict[str, int]:
    return {
        axis: length
        for slot, array in zip(slots, arrays, strict=True)
        for axis, length in zip(slot.axes, array.shape, strict=True)
    }


def _check_values(slot: Slot, array: Any, needed: Any, lengths: Mapping[str, int]) -> None:
    kind = slot.kind
    if kind.name != "mask":
        _refuse(slot, array, needed & ~np.isfinite(array), "should be finite")
    for wrong, wanted in _wrong(slot, array, lengths):
        _refuse(slot, array, needed & wrong, wanted)
    if kind.name == "mask" and not array.any():
        raise InputError(f"`{slot.shown}` is a mask that keeps nothing", slot.name)
    if kind.name == "weight" and not (array > 0).any():
        raise InputError(f"`{slot.shown}` holds no weight above 0: nothing counts", slot.name)
    if kind.ignoring is not None and (array == kind.ignoring).all():
        raise InputError(f"`{slot.shown}` holds only {kind.ignoring}: every label is ignored", slot.name)
    if kind.over and kind.name in ("prob", "logprob") and kind.over in slot.axes:
        _check_distribution(slot, array, needed)


def _wrong(slot: Slot, array: Any, lengths: Mapping[str, int]) -> Iterator[tuple[Any, str]]:
    """Where an array breaks its kind, with what should stand there."""
    kind = slot.kind
    if kind.name == "label":
        size = lengths.get(kind.of or "")
        wrong = array < 0 if size is None else (array < 0) | (array >= size)
        if kind.ignoring is not None:
            wrong &= array != kind.ignoring
        last = "…" if size is None else str(size - 1)
        sentinel = f" or {kind.ignoring}" if kind.ignoring is not None else ""
        yield wrong, f"should be a label of `{kind.of}`, 0 to {last}{sentinel}"
    elif kind.name in ("binary", "mask"):
        yield (array != 0) & (array != 1), "should be 0 or 1"
    elif kind.name == "sign":
        yield (array != 1) & (array != -1), "should be -1 or +1"
    elif kind.name == "count":
        yield (array < 0) | (array != np.floor(array)), "should be a count 0, 1, 2, …"
    elif kind.name in INTERVALS:
        interval = INTERVALS[kind.name]
        low = array <= interval.low if interval.low_open else array < interval.low
        high = (
            array >= interval.high
            if interval.high_open and np.isfinite(interval.high)
            else array > interval.high
        )
        yield low | high, f"should be {hypers.range_text(interval)}"
    if kind.name == "label" and array.dtype.kind == "f":
        yield array != np.floor(array), "should be a whole number"


def _check_distribution(slot: Slot, array: Any, needed: Any) -> None:
    """Probabilities along ``over`` sum to one, wherever all of them count."""
    axis = slot.axes.index(slot.kind.over or "")
    numbers = array.astype(np.float64)
    with np.errstate(over="ignore"):
        sums = (np.exp(numbers) if slot.kind.name == "logprob" else numbers).sum(axis)
    eps = np.finfo(array.dtype).eps if array.dtype.kind == "f" else np.finfo(np.float64).eps
    tolerance = _SUM_SPACINGS * float(eps) * max(array.shape[axis], 16)
    wrong = (np.abs(sums - 1) > tolerance) & needed.all(axis)
    if wrong.any():
        at = _first(wrong)
        raise InputError(
            f"`{slot.shown}` should sum to 1 along `{slot.kind.over}`, but sums to {sums[at]:g}"
            f"{_place(at, [each for each in slot.axes if each != slot.kind.over])}",
            slot.name,
            slot.kind.over,
        )


def _check_picks(program: Program, found: Sequence[Any]) -> None:
    """``found`` holds, for each pick, its index, where it counts, and the length of the axis."""
    for (axis, axes), index, needed, size in zip(
        program.picks, found[0::3], found[1::3], found[2::3], strict=True
    ):
        index = np.asarray(index)
        wrong = np.broadcast_to(needed, index.shape) & ((index < 0) | (index >= size))
        if wrong.any():
            at = _first(wrong)
            plain = axis.split("~")[0]
            raise InputError(
                f"a pick along `{plain}` is at {index[at]}{_place(at, axes)}, "
                f"but `{plain}` has {size} places (0 to {size - 1})",
                None,
                plain,
            )


def _refuse(slot: Slot, array: Any, wrong: Any, wanted: str) -> None:
    if wrong.any():
        at = _first(wrong)
        value = array[at]
        shown = f"{value:g}" if array.dtype.kind == "f" else str(value)
        raise InputError(f"`{slot.shown}` {wanted}, but is {shown}{_place(at, slot.axes)}", slot.name)


def _first(wrong: Any) -> tuple[int, ...]:
    return tuple(int(place) for place in np.unravel_index(int(np.argmax(wrong)), wrong.shape))


def _place(at: Sequence[int], axes: Sequence[str]) -> str:
    """``at [batch = 3, time = 0]``."""
    if not at:
        return ""
    pairs = [f"{axis.split('~')[0]} = {place}" for axis, place in zip(axes, at, strict=True)]
    return f" at [{', '.join(pairs)}]"

"""Arguments to names, shapes to axes: every mistake of a call that shapes and types alone can show.

The checks run on every call, so the loops here do no more than compare; messages are put together
only when something is wrong. Nothing looks at the values of an array.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from losslang.errors import InputError
from losslang.lowered import LoweredInput, LoweredLoss, Signature
from losslang.runtime.kernels import Slot
from losslang.runtime.words import did_you_mean, listed

RESERVED = ("step", "validate")

#: Kinds whose numbers are integers by meaning; any type that holds the values is accepted for them.
DISCRETE = ("label", "binary", "sign", "mask", "count", "index")
#: Kinds for which an array of booleans is not a slip.
BOOLEANS = ("label", "binary", "mask", "count", "prob", "weight")
#: Kinds that do not decide the computing type, though they may come as floats.
UNDECIDING = (*DISCRETE, "weight")


def named(inputs: Sequence[str], args: tuple[Any, ...], given: dict[str, Any], loss: str) -> dict[str, Any]:
    """Positional arguments by name, in declared order, joined with the keyword arguments."""
    if not args:
        return given
    if len(args) > len(inputs):
        raise InputError(
            f"`{loss}` takes {len(inputs)} positional argument{'s' * (len(inputs) != 1)} "
            f"({listed(inputs)}), not {len(args)}; hyperparameters are given by name"
        )
    for name in inputs[: len(args)]:
        if name in given:
            raise InputError(f"`{name}` is given twice, by position and by name", name)
    return {**dict(zip(inputs, args, strict=False)), **given}


def check_names(inputs: Sequence[str], hypers: Sequence[str], given: Mapping[str, Any], loss: str) -> None:
    """Every input present, nothing that the loss does not know.

    Raises:
        InputError: naming what is unknown or missing.
    """
    missing = [name for name in inputs if name not in given]
    for name in given:
        if name not in inputs and name not in hypers and name not in RESERVED:
            known = missing or [*inputs, *hypers]
            raise InputError(
                f"`{loss}` has no input or hyperparameter `{name}`; {did_you_mean(name, known)}", name
            )
    if missing:
        plural = "inputs are" if len(missing) > 1 else "input is"
        raise InputError(
            f"`{loss}` was called without {listed(missing)}; its {plural} not optional", missing[0]
        )


def signature_of(
    inputs: Sequence[LoweredInput], values: Mapping[str, Any], members: Mapping[str, list[tuple[str, Any]]]
) -> Signature:
    """The ranks of packs and the members of collections that this call brings."""
    ranks: dict[str, tuple[int, str]] = {}
    collections = []
    for each in inputs:
        if each.collection:
            keys = tuple((key, len(item.shape)) for key, item in members[each.name])
            collections.append((each.name, keys))
            continue
        pack = next((axis for axis in each.axes if axis.startswith("*")), None)
        if pack is None:
            continue
        others = len(each.axes) - 1
        rank = len(values[each.name].shape) - others
        if rank < 0:
            raise _too_few(each, values[each.name])
        name = pack[1:] or each.name
        known = ranks.setdefault(name, (rank, each.name))
        if known[0] != rank:
            raise InputError(
                f"`{each.name}` has {rank} axes for `{pack}`, but `{known[1]}` has {known[0]}",
                each.name,
                pack,
            )
    return Signature(tuple((name, rank) for name, (rank, _) in ranks.items()), tuple(collections))


def _too_few(input: LoweredInput, value: Any) -> InputError:
    return InputError(
        f"`{input.name}` needs at least {len(input.axes) - 1} axes ({', '.join(input.axes)}), "
        f"but its shape is {_shape(value.shape)}",
        input.name,
    )


def check_axes(loss: LoweredLoss, slots: Sequence[Slot], shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    """The length of every axis, the same wherever its name stands.

    Raises:
        InputError: naming the input and the axis, with what every axis is bound to so far.
    """
    sizes: dict[str, int] = dict(loss.fixed)
    for at, (slot, shape) in enumerate(zip(slots, shapes, strict=True)):
        if len(shape) != len(slot.axes):
            raise _wrong_rank(slot, shape, loss, slots, shapes, at)
        for axis, length in zip(slot.axes, shape, strict=True):
            if sizes.setdefault(axis, length) != length:
                raise _wrong_length(slot, axis, length, loss, slots, shapes, at)
            if length == 0:
                raise InputError(
                    f"`{slot.shown}` has length 0 along `{axis}`; an axis holds at least one place",
                    slot.name,
                    axis,
                )
    for left, right in loss.equal_sizes:
        lengths = {axis: _length(axis, loss, sizes) for axis in (left, right)}
        if None not in lengths.values() and lengths[left] != lengths[right]:
            raise _unequal(left, right, lengths, loss, slots, shapes)
    for axis, index in loss.constant_picks:
        if axis in sizes and not 0 <= index < sizes[axis]:
            owner = _owner(axis, slots)
            raise InputError(
                f"the loss picks place {index} along `{_plain(axis)}`, which has {sizes[axis]} "
                f"(0 to {sizes[axis] - 1}){f' in `{owner}`' if owner else ''}",
                owner,
                _plain(axis),
            )
    return sizes


def _wrong_rank(
    slot: Slot, shape: Sequence[int], loss: LoweredLoss, slots: Sequence[Slot],
    shapes: Sequence[tuple[int, ...]], at: int,
) -> InputError:  # fmt: skip
    expected = f"{len(slot.axes)} axes ({', '.join(map(_plain, slot.axes))})" if slot.axes else "no axes"
    if len(slot.axes) == 1:
        expected = f"1 axis ({_plain(slot.axes[0])})"
    found = f"its shape is {_shape(shape)}" if shape else "it is a single number"
    text = f"`{slot.shown}` should have {expected}, but {found}{_bound(loss, slots, shapes, at)}"
    short = [axis for axis in slot.axes[len(shape) :]]
    return InputError(text, slot.name, _plain(short[0]) if short else None)


def _wrong_length(
    slot: Slot, axis: str, length: int, loss: LoweredLoss, slots: Sequence[Slot],
    shapes: Sequence[tuple[int, ...]], at: int,
) -> InputError:  # fmt: skip
    if axis in loss.fixed:
        places = loss.places.get(axis)
        named = f" ({', '.join(places)})" if places else ""
        text = f"`{slot.shown}` has {length} along `{axis}`, but the loss fixes `{axis}` at {loss.fixed[axis]}{named}"
    else:
        owner, size = _bindings(loss, slots, shapes, at)[axis]
        text = (
            f"`{slot.shown}` has {length} along `{_plain(axis)}`, but `{_plain(axis)}` is {size} in `{owner}`"
        )
    return InputError(text + _bound(loss, slots, shapes, at), slot.name, _plain(axis))


def _length(axis: str, loss: LoweredLoss, sizes: Mapping[str, int]) -> int | None:
    """The length of an axis that an input has, or that renames made; None where no input tells it."""
    if axis in sizes:
        return sizes[axis]
    size = loss.graph.axis_sizes.get(axis)
    if size is None or size.kind == "input":
        return None
    if size.kind == "fixed":
        return size.size
    parts = [_length(a, loss, sizes) for a in size.of]
    return None if None in parts else math.prod(p for p in parts if p is not None)


def _unequal(
    left: str, right: str, sizes: Mapping[str, int | None], loss: LoweredLoss, slots: Sequence[Slot],
    shapes: Sequence[tuple[int, ...]],
) -> InputError:  # fmt: skip
    first, second = _owner(left, slots), _owner(right, slots)
    return InputError(
        f"`{_made(left, loss)}` and `{_made(right, loss)}` must be equally long, since the loss renames one to the other, but "
        f"`{_made(left, loss)}` is {sizes[left]}{f' in `{first}`' if first else ''} and "
        f"`{_made(right, loss)}` is {sizes[right]}{f' in `{second}`' if second else ''}"
        f"{_bound(loss, slots, shapes, len(slots))}",
        second or first,
        _plain(right if second else left),
    )


def _bindings(
    loss: LoweredLoss, slots: Sequence[Slot], shapes: Sequence[tuple[int, ...]], until: int
) -> dict[str, tuple[str, int]]:
    """Each axis bound before argument ``until``: by which argument, and its length."""
    found: dict[str, tuple[str, int]] = {axis: ("the file", size) for axis, size in loss.fixed.items()}
    for slot, shape in zip(slots[:until], shapes[:until], strict=True):
        for axis, length in zip(slot.axes, shape, strict=True):
            found.setdefault(axis, (slot.shown, length))
    return found


def _bound(loss: LoweredLoss, slots: Sequence[Slot], shapes: Sequence[tuple[int, ...]], until: int) -> str:
    found = _bindings(loss, slots, shapes, until)
    lines = "".join(f"\n  {_plain(axis)} = {size} from {owner}" for axis, (owner, size) in found.items())
    return f"; axes bound so far:{lines}" if lines else ""


def _owner(axis: str, slots: Sequence[Slot]) -> str | None:
    return next((slot.name for slot in slots if axis in slot.axes), None)


def _plain(axis: str) -> str:
    """An axis as its author wrote it: copies made by the compiler carry a number."""
    return axis.split("~")[0]


def _made(axis: str, loss: LoweredLoss) -> str:
    """An axis by its name, or by those that it was merged from."""
    size = loss.graph.axis_sizes.get(axis)
    merged = size is not None and size.kind == "merged" and "~" in axis
    return " · ".join(map(_plain, size.of)) if merged and size is not None else _plain(axis)


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def check_type(slot: Slot, category: str, shown: str) -> None:
    """Whether an array of this category can hold what the kind promises.

    ``category`` is one of bool, unsigned, int, float, complex, other; ``shown`` is the array's type for
    the message.
    """
    if category in ("complex", "other"):
        raise InputError(f"`{slot.shown}` should hold {_wanted(slot)}, not {shown}", slot.name)
    if category == "bool" and slot.kind.name not in BOOLEANS:
        raise InputError(
            f"`{slot.shown}` should hold {_wanted(slot)}, not booleans; if 0 and 1 are meant, convert it first",
            slot.name,
        )
    if category == "unsigned" and slot.kind.name == "sign":
        raise InputError(f"`{slot.shown}` should hold signs, -1 and +1, which {shown} cannot hold", slot.name)


_WANTED = {
    "label": "integers (labels)",
    "binary": "zeros and ones",
    "sign": "signs, -1 and +1",
    "mask": "booleans (a mask)",
    "count": "counts 0, 1, 2, …",
}


def _wanted(slot: Slot) -> str:
    return _WANTED.get(slot.kind.name, f"real numbers (it is a {slot.kind.name})")

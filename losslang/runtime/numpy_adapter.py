"""NumPy: arrays, lists and numbers in; NumPy scalars and arrays out. Gradients come from the same
function as the value, since there is no automatic differentiation to meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from losslang.errors import InputError
from losslang.lowered import Schedule
from losslang.runtime import collections
from losslang.runtime.adapter import output
from losslang.runtime.binding import DISCRETE, check_type
from losslang.runtime.foreign import category_of_letter, framework_of
from losslang.runtime.kernels import Kernel, Program, Slot
from losslang.runtime.results import Output
from losslang.runtime.words import type_name

_ELEMENTS = {"int": np.dtype(np.int64), "bool": np.dtype(np.bool_)}


class NumpyAdapter:
    """See ``losslang.runtime.adapter.Adapter``."""

    def accept(self, slot: Slot, value: Any) -> Any:
        if framework_of(value) in ("torch", "jax"):
            hint = ".detach().cpu().numpy()" if framework_of(value) == "torch" else "np.asarray(…)"
            raise InputError(
                f"`{slot.shown}` is a {type_name(value)}, but this loss was compiled for NumPy: convert it with "
                f'{hint}, or compile with backend="{framework_of(value)}"',
                slot.name,
            )
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise InputError(f"`{slot.shown}` is not a regular array: {error}", slot.name) from None
        if array.dtype.kind == "V" and array.dtype.name == "bfloat16":
            array = array.astype(np.float32)
        shown = type_name(value) if array.dtype.kind in "OSUV" else f"an array of {array.dtype}"
        check_type(slot, category_of_letter(array.dtype.kind), shown)
        if (
            not isinstance(value, (np.ndarray, np.generic))
            and array.dtype.kind in "iu"
            and slot.elem == "real"
        ):
            array = array.astype(np.float64)  # Python's numbers are of double precision, whole or not
        if array.dtype.kind == "f" and slot.kind.name in DISCRETE:
            _check_whole(slot, array)
        return array

    def is_array(self, value: Any) -> bool:
        return framework_of(value) is not None or isinstance(value, (bool, int, float))

    def is_floating(self, value: Any) -> bool:
        return not hasattr(value, "dtype") or value.dtype.kind == "f"

    def members(self, value: Any, name: str) -> list[tuple[str, Any]]:
        found = collections.members(value, name, self.is_array)
        return [(key, item if hasattr(item, "shape") else np.asarray(item)) for key, item in found]

    def mirrored(self, value: Any, gradients: dict[str, Any]) -> Any:
        return collections.mirrored(value, gradients, self.is_array)

    def step(self, step: Any) -> Any:
        return step

    def scheduled(self, schedule: Schedule, step: Any) -> Any:
        raise InputError(f"`step` should be a number, not {type_name(step)}", "step")

    def numbers(self, value: Any) -> Any | None:
        return np.asarray(value)

    def adopt(self, program: Program) -> None:
        """Nothing stands around NumPy's functions."""

    def opaque(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def call(self, program: Program, raw: Sequence[Any]) -> Output:
        arrays, real = _prepared(program, raw)
        return output(program, _scalars(_run(program.value(), arrays, real)))

    def value_and_gradient(
        self, program: Program, raw: Sequence[Any], wrt: tuple[int, ...]
    ) -> tuple[Output, list[Any]]:
        arrays, real = _prepared(program, raw)
        results = _scalars(_run(program.value_and_gradient(wrt), arrays, real))
        count = program.layout.count
        gradients = [_typed(gradient, raw[at]) for gradient, at in zip(results[count:], wrt, strict=True)]
        return output(program, results[:count]), gradients


def _prepared(program: Program, raw: Sequence[Any]) -> tuple[list[Any], Any]:
    """Arrays of the element classes that functions take, and the computing type."""
    double = any(
        slot.decides and getattr(array, "dtype", None) in (np.float64, np.longdouble)
        for slot, array in zip(program.slots, raw, strict=True)
    )
    real = np.dtype(np.float64 if double else np.float32)
    arrays = [
        np.asarray(array, dtype=real if slot.elem == "real" else _ELEMENTS[slot.elem])
        for slot, array in zip(program.slots, raw, strict=True)
    ]
    return arrays, real


def _run(kernel: Kernel, arrays: list[Any], real: Any) -> tuple[Any, ...]:
    with np.errstate(all="ignore"):
        return kernel(*arrays, real.type)


def _scalars(results: Sequence[Any]) -> list[Any]:
    """0-d arrays as NumPy scalars."""
    return [value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value for value in results]


def _typed(gradient: Any, raw: Any) -> Any:
    dtype = getattr(raw, "dtype", None)
    if dtype is None or dtype.kind != "f" or gradient.dtype == dtype:
        return gradient
    with np.errstate(over="ignore", under="ignore"):
        return gradient.astype(dtype)


def _check_whole(slot: Slot, array: Any) -> None:
    """Floats may stand for labels, counts and the like only where they are whole numbers."""
    wrong = array != np.floor(array)
    if wrong.any():
        at = np.unravel_index(int(np.argmax(wrong)), array.shape)
        place = f" at {tuple(int(i) for i in at)}" if array.ndim else ""
        raise InputError(
            f"`{slot.shown}` is a {slot.kind} and should hold whole numbers, but holds {array[at]}{place}",
            slot.name,
        )

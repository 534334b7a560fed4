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
from losslang.runtime.externs import check_result, check_shape, not_an_array
from losslang.runtime.foreign import category_of_letter, framework_of
from losslang.runtime.kernels import HostCall, Kernel, Program, Slot
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
        floating = _is_floating(array.dtype)
        shown = (
            type_name(value) if array.dtype.kind in "OSUV" and not floating else f"an array of {array.dtype}"
        )
        check_type(slot, "float" if floating else category_of_letter(array.dtype.kind), shown)
        if (
            not isinstance(value, (np.ndarray, np.generic))
            and array.dtype.kind in "iu"
            and slot.elem == "real"
        ):
            array = array.astype(np.float64)  # Python's numbers are of double precision, whole or not
        if floating and slot.kind.name in DISCRETE:
            _check_whole(slot, array)
        return array

    def is_array(self, value: Any) -> bool:
        return framework_of(value) is not None or isinstance(value, (bool, int, float))

    def is_floating(self, value: Any) -> bool:
        return not hasattr(value, "dtype") or _is_floating(value.dtype)

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
        array = np.asarray(value)
        return array.astype(np.float32) if array.dtype.name == "bfloat16" else array

    def adopt(self, program: Program) -> None:
        """Nothing stands around NumPy's functions."""

    def opaque(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def call(self, program: Program, raw: Sequence[Any]) -> Output:
        arrays, real = _prepared(program, raw)
        _call_host(program, arrays, real)
        return output(program, _scalars(_run(program.fused.value(), arrays, real)))

    def value_and_gradient(
        self, program: Program, raw: Sequence[Any], wrt: tuple[int, ...]
    ) -> tuple[Output, list[Any]]:
        arrays, real = _prepared(program, raw)
        taken = _call_host(program, arrays, real)
        through = _through(program, wrt)
        results = _scalars(_run(program.fused.value_and_gradient(wrt + through), arrays, real))
        count = program.layout.count
        found = dict(zip(wrt + through, results[count:], strict=True))
        if through:
            _chain(program, arrays, real, taken, found)
        gradients = [_typed(found[at], raw[at]) for at in wrt]
        return output(program, results[:count]), gradients


def _is_floating(dtype: Any) -> bool:
    """NumPy's own floating types, and bfloat16, which a package adds as a kind of its own."""
    return bool(dtype.kind == "f" or dtype.name == "bfloat16")


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


def _call_host(program: Program, arrays: list[Any], real: Any) -> list[list[Any]]:
    """Adds the result of every call of the host to the arrays; returns the arguments of each."""
    taken = []
    for call in program.calls:
        computed = _run(call.arguments.value(), arrays, real)
        arguments = [np.asarray(computed[at]) for at in call.order]
        result = call.function(*arguments)
        if not isinstance(result, (np.ndarray, np.generic, float, int, bool)):
            raise not_an_array(call.slot, type_name(result), "a NumPy array")
        result = np.asarray(result)
        check_result(call.slot, category_of_letter(result.dtype.kind), f"an array of {result.dtype}")
        check_shape(program, call, [each.shape for each in (*arrays, result)])
        arrays.append(
            result.astype(real if call.slot.elem == "real" else _ELEMENTS[call.slot.elem], copy=False)
        )
        taken.append(arguments)
    return taken


def _through(program: Program, wrt: tuple[int, ...]) -> tuple[int, ...]:
    """The slots of host results that depend on ``wrt`` and that the loss depends on, differentiably."""
    active = set(wrt)
    for at, call in enumerate(program.calls, len(program.slots)):
        if call.flows and not active.isdisjoint(call.reads):
            active.add(at)
    return tuple(sorted(active - set(wrt)))


def _chain(
    program: Program, arrays: list[Any], real: Any, taken: list[list[Any]], found: dict[int, Any]
) -> None:
    """Adds to the gradients what flows through the host, the last call first."""
    count = len(program.slots)
    for call, at, arguments in reversed(
        list(zip(program.calls, range(count, count + len(taken)), taken, strict=True))
    ):
        if at not in found:
            continue
        cotangents = _pulled_back(call, found[at], arguments)
        given = tuple(place for place, cotangent in cotangents.items() if cotangent is not None)
        wrt = tuple(slot for slot in call.reads if slot in found)
        seeds = [np.asarray(cotangents[place], dtype=real) for place in given]
        if given:
            pulled = _run(call.arguments.pullback(wrt, given), [*arrays[:at], *seeds], real)
            for slot, gradient in zip(wrt, pulled, strict=True):
                found[slot] = found[slot] + gradient


def _pulled_back(call: HostCall, cotangent: Any, arguments: list[Any]) -> dict[int, Any]:
    """The cotangents of the arguments that have any, by their place among the results of ``call.arguments``."""
    if call.vjp is None:
        raise InputError(
            f"gradients go through the extern `{call.name}`, which NumPy cannot differentiate: compile with "
            f'externs={{"{call.name}": (fn, vjp)}}, where vjp(cotangent, *arguments) returns the cotangents of '
            "the arguments",
            call.name,
        )
    given = call.vjp(np.asarray(cotangent), *arguments)
    if not isinstance(given, (tuple, list)):
        given = (given,)
    if len(given) != len(arguments):
        raise InputError(
            f"the vjp of `{call.name}` should return {len(arguments)} cotangents, not {len(given)}", call.name
        )
    found = {}
    for place, argument, each in zip(call.order, arguments, given, strict=True):
        if each is not None and np.shape(each) != argument.shape:
            raise InputError(
                f"the vjp of `{call.name}` should return cotangents shaped like the arguments: not "
                f"{np.shape(each)} for {argument.shape}",
                call.name,
            )
        if place < call.arguments.layout.scalars:
            found[place] = each
    return found


def _scalars(results: Sequence[Any]) -> list[Any]:
    """0-d arrays as NumPy scalars."""
    return [value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value for value in results]


def _typed(gradient: Any, raw: Any) -> Any:
    dtype = getattr(raw, "dtype", None)
    if dtype is None or not _is_floating(dtype) or gradient.dtype == dtype:
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

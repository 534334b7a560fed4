"""Functions that the host supplies: whether they are there, and whether they return what was declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from losslang.errors import InputError
from losslang.lowered import LoweredLoss
from losslang.runtime import binding
from losslang.runtime.kernels import HostCall, Program, Slot
from losslang.runtime.words import did_you_mean


@dataclass(frozen=True)
class Host:
    """A function that the host supplies; NumPy needs its vector-Jacobian product to differentiate."""

    function: Callable[..., Any]
    vjp: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Called:
    """An extern as a loss calls it: the axes of its arguments and of its result, the host's to know."""

    name: str
    arguments: tuple[tuple[str, ...], ...]
    result: tuple[str, ...]

    def __str__(self) -> str:
        taken = ", ".join(f"[{', '.join(axes)}]" for axes in self.arguments)
        return f"arrays over {taken or 'nothing'} in, an array over [{', '.join(self.result)}] out"


def hosts(
    externs: Mapping[str, Any], backend: str, called: Sequence[Called], declared: Iterable[str], loss: str
) -> dict[str, Host]:
    """The given functions, checked against what a loss calls and a file declares.

    Raises:
        InputError: one is missing, unknown, or no function.
    """
    for each in called:
        if each.name not in externs:
            pair = "(fn, vjp)" if backend == "numpy" else "fn"
            raise InputError(
                f"`{loss}` calls the extern `{each.name}`, which the host supplies: compile with "
                f'externs={{"{each.name}": {pair}}}, a function with {each}',
                each.name,
            )
    known = list(dict.fromkeys([*(each.name for each in called), *declared]))
    for name in externs:
        if name not in known:
            raise InputError(f"`{loss}` has no extern `{name}`; {did_you_mean(str(name), known)}", str(name))
    return {name: _host(name, given, backend) for name, given in externs.items()}


def _host(name: str, given: Any, backend: str) -> Host:
    if isinstance(given, tuple):
        if backend != "numpy":
            raise InputError(
                f"the extern `{name}` should be one function: {backend} differentiates it by itself", name
            )
        if len(given) != 2 or not all(map(callable, given)):
            raise InputError(
                f"the extern `{name}` should be a function or a pair (fn, vjp) of functions", name
            )
        return Host(*given)
    if not callable(given):
        raise InputError(f"the extern `{name}` should be a function, not a {type(given).__name__}", name)
    return Host(given)


def check_result(slot: Slot, category: str, shown: str) -> None:
    """Whether a host's array can hold what its kind promises. ``category`` as in ``binding.check_type``."""
    suits = {
        "real": ("float",),
        "int": ("int", "unsigned", "bool"),
        "bool": ("bool",),
    }[slot.elem]
    if category not in suits:
        wanted = {"real": "floating numbers", "int": "integers", "bool": "booleans"}[slot.elem]
        raise InputError(f"`{slot.shown}` should return {wanted}, not {shown}", _name(slot))


def not_an_array(slot: Slot, shown: str, wanted: str) -> InputError:
    return InputError(f"`{slot.shown}` should return {wanted}, not a {shown}", _name(slot))


def check_shape(program: Program, call: HostCall, shapes: Sequence[tuple[int, ...]]) -> None:
    """Whether the result of a call has the lengths that its axes have elsewhere.

    ``shapes`` are those of all slots up to the result's own.
    """
    slots = call.arguments.slots[: len(shapes) - 1]
    binding.check_axes(program.lowered, (*slots, call.slot), shapes)


def called_by(lowered: LoweredLoss) -> list[Called]:
    """The externs that a loss calls, each once."""
    from losslang.ir import walk

    roots = [lowered.total, *(each.node for each in lowered.terms), *(each.node for each in lowered.reports)]
    found: dict[str, Called] = {}
    for node in walk(roots):
        if node.op == "extern":
            name, layouts, layout = node.attr[:3]
            found.setdefault(name, Called(name, _plain(layouts), _plain([layout])[0]))
    return list(found.values())


def _plain(layouts: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(axis.split("~")[0] for axis in axes) for axes in layouts)


def _name(slot: Slot) -> str:
    return slot.name.removesuffix("(…)")

"""What each framework's module provides to the compiled loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from losslang.lowered import NestedFloats, Schedule
from losslang.runtime.kernels import Program, Slot
from losslang.runtime.results import Output


class Adapter(Protocol):
    """The meeting of compiled functions with one framework's arrays and automatic differentiation.

    A *raw* argument is what ``accept`` let through: an array, or plain nested numbers.
    """

    def accept(self, slot: Slot, value: Any) -> Any:
        """The value of an input as an array (or a plain number, where the slot has no axes).

        Raises:
            InputError: not an array of this framework, or not numbers of the right sort.
        """

    def is_array(self, value: Any) -> bool:
        """Whether a value is one array rather than a collection of them."""

    def is_floating(self, value: Any) -> bool:
        """Whether a gradient of an argument would have a type to be in."""

    def members(self, value: Any, name: str) -> list[tuple[str, Any]]:
        """The arrays of a collection with their keys."""

    def mirrored(self, value: Any, gradients: dict[str, Any]) -> Any:
        """Gradients by key in the shape of the collection."""

    def step(self, step: Any) -> Any:
        """The step as this framework's tracers of Python code can follow it through calls that differ in it."""

    def scheduled(self, schedule: Schedule, step: Any) -> Any:
        """The value of a schedule at a step that is an array."""

    def numbers(self, value: Any) -> Any | None:
        """The values as a NumPy array, or None for an abstract array (a tracer) that has none yet."""

    def adopt(self, program: Program) -> None:
        """Called once for each new program."""

    def opaque(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of constants that tracers of Python code must run rather than look into."""

    def call(self, program: Program, raw: Sequence[Any]) -> Output:
        """The output, differentiable by the framework where it has automatic differentiation."""

    def value_and_gradient(
        self, program: Program, raw: Sequence[Any], wrt: tuple[int, ...]
    ) -> tuple[Output, list[Any]]:
        """The output and the total's gradients with respect to these slots, in their types and shapes."""


def plain_shape(value: Any) -> tuple[int, ...]:
    """The shape of a raw argument."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return shape  # type: ignore[no-any-return]
    return _nested_shape(value)


def _nested_shape(value: NestedFloats) -> tuple[int, ...]:
    return (len(value), *_nested_shape(value[0])) if isinstance(value, tuple) else ()


def output(program: Program, results: Sequence[Any]) -> Output:
    """The results of a function under their names."""
    layout = program.layout
    return Output(
        results[layout.total],
        {name: results[at] for name, at in layout.terms},
        {name: results[at] for name, at in layout.weighted},
        {name: results[at] for name, at in layout.reports},
    )

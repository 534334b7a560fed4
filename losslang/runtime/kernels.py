"""What the runtime asks of the compiler: functions over arrays for one loss at one signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from losslang.ir import Elem
from losslang.kinds import Kind
from losslang.lowered import LoweredLoss

Kernel = Callable[..., tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Slot:
    """An array argument of the functions: a leaf of an input, or a hyperparameter.

    ``key`` is the place in a collection, None for an input that is one array. ``decides``: a 64-bit
    float here makes the computing type 64-bit.
    """

    name: str
    key: str | None
    axes: tuple[str, ...]
    elem: Elem
    kind: Kind
    hyper: bool
    decides: bool

    @property
    def shown(self) -> str:
        """The argument as its user names it."""
        return self.name if self.key is None else f'{self.name}["{self.key}"]'


@dataclass(frozen=True)
class Layout:
    """Where each part of an output stands among a function's results.

    The first ``scalars`` results are those that can be differentiated; the others are reports, and whatever
    else has no derivative. In a loss the former are all without axes.
    """

    total: int
    terms: tuple[tuple[str, int], ...]
    weighted: tuple[tuple[str, int], ...]
    reports: tuple[tuple[str, int], ...]
    scalars: int
    count: int


class Adapted:
    """What a framework's module wraps around the functions of a part, kept as attributes."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


class Part(Protocol):
    """The functions of one fused graph, each built when it is first asked for. Safe to share among threads.

    Each takes the arrays of ``slots`` in order and then the computing type.
    """

    slots: tuple[Slot, ...]
    layout: Layout
    adapted: Adapted
    """For the framework's module to keep what it wraps around the functions."""

    def value(self) -> Kernel:
        """``(*arrays, real) -> results`` as the layout says."""

    def value_and_gradient(self, wrt: tuple[int, ...]) -> Kernel:
        """``(*arrays, real) -> (*results, *gradients)`` of the total with respect to these slots."""

    def pullback(self, wrt: tuple[int, ...], results: tuple[int, ...]) -> Kernel:
        """``(*arrays, *cotangents, real) -> gradients``: one cotangent for each of these results."""

    def second(self, wrt: tuple[int, ...], results: tuple[int, ...], targets: tuple[int, ...]) -> Kernel:
        """``(*arrays, *cotangents, *directions, real)``: the gradients of ⟨pullback, directions⟩ with
        respect to the ``targets`` slots and then to the cotangents."""


@dataclass(frozen=True, eq=False)
class HostCall:
    """A call of a function that the host supplies: its result is an array of its own among the slots.

    ``arguments`` computes what it takes, from the slots before ``slot``; ``order`` says where each argument
    stands among those results, those that can be differentiated coming first. ``flows``: the loss can be
    differentiated with respect to the result. ``reads``: the slots with respect to which the arguments can be.
    ``vjp`` is for frameworks without automatic differentiation.
    """

    name: str
    function: Callable[..., Any]
    vjp: Callable[..., Any] | None
    arguments: Part
    order: tuple[int, ...]
    slot: Slot
    flows: bool
    reads: tuple[int, ...]


class Program(Protocol):
    """One loss at one signature: ``slots`` are bound by a call, then the host is called in the order of
    ``calls``, then ``fused`` takes all of these arrays. Safe to share among threads."""

    lowered: LoweredLoss
    slots: tuple[Slot, ...]
    layout: Layout
    calls: tuple[HostCall, ...]

    @property
    def fused(self) -> Part: ...

    picks: tuple[tuple[str, tuple[str, ...]], ...]
    """The axis of every pick, and the axes of its index; known once ``demands`` has been called."""

    def demands(self) -> Kernel:
        """NumPy: ``(*arrays, real)`` to the places that matter in each slot, then for each pick its
        index, the places that matter there, and the length of the axis."""

    @property
    def source(self) -> str:
        """The text of the functions for a value and for the default gradients."""

    @property
    def substitutions(self) -> tuple[Any, ...]:
        """What was rewritten for stability."""


def parts(program: Program) -> tuple[Part, ...]:
    """All that is to be adopted by a framework's module."""
    return (program.fused, *(call.arguments for call in program.calls))

"""PyTorch: tensors in, tensors out, differentiable by autograd.

One ``autograd.Function`` stands around the compiled functions. Its forward computes the total's
gradients together with the value when something will ask for them, so that the backward of
``out.total`` only scales what is there. Cotangents of other results, and a backward whose own graph is
asked for, run the pullback. Conversions to the computing type stand outside, where autograd undoes them.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils import _pytree

from losslang.errors import InputError
from losslang.lowered import Schedule
from losslang.runtime import collections, schedules
from losslang.runtime.adapter import output
from losslang.runtime.binding import check_type
from losslang.runtime.foreign import framework_of
from losslang.runtime.kernels import Program, Slot
from losslang.runtime.results import Output, children
from losslang.runtime.words import type_name

_pytree.register_pytree_node(
    Output,
    lambda out: (children(out), None),
    lambda parts, _: Output(*parts),
    serialized_type_name="losslang.Output",
)

_ELEMENTS = {"int": torch.int64, "bool": torch.bool}


class TorchAdapter:
    """See ``losslang.runtime.adapter.Adapter``."""

    def accept(self, slot: Slot, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            check_type(slot, _category(value.dtype), f"a tensor of {value.dtype}")
            return value
        if isinstance(value, (bool, int, float)) and not slot.axes:
            return value
        raise _not_a_tensor(slot, value)

    def is_array(self, value: Any) -> bool:
        if isinstance(value, torch.Tensor):
            return True
        return not isinstance(value, (dict, list, tuple)) and framework_of(value) is not None

    def is_floating(self, value: Any) -> bool:
        return not isinstance(value, torch.Tensor) or value.dtype.is_floating_point

    def members(self, value: Any, name: str) -> list[tuple[str, Any]]:
        return collections.members(value, name, self.is_array)

    def mirrored(self, value: Any, gradients: dict[str, Any]) -> Any:
        return collections.mirrored(value, gradients, self.is_array)

    def step(self, step: Any) -> Any:
        """Under Dynamo a number becomes a tensor, or every new step would compile anew."""
        if torch.compiler.is_compiling() and isinstance(step, (int, float)):
            return torch.full((), step, dtype=torch.float64)
        return step

    def scheduled(self, schedule: Schedule, step: Any) -> Any:
        if not isinstance(step, torch.Tensor) or step.ndim:
            raise InputError(f"`step` should be a number or a scalar tensor, not {type_name(step)}", "step")
        real = torch.float64 if step.dtype == torch.float64 else torch.float32
        return schedules.at_array(schedule, step.to(real), torch.cos, lambda f: f.clamp(0.0, 1.0))

    def numbers(self, value: Any) -> Any | None:
        if not isinstance(value, torch.Tensor):
            return value
        value = value.detach()
        if torch._C._functorch.is_functorch_wrapped_tensor(value):
            return None
        return (value.float() if value.dtype == torch.bfloat16 else value).cpu().numpy()

    def call(self, program: Program, raw: Sequence[Any]) -> Output:
        arrays, real = _prepared(program, raw)
        functions = program.adapted
        if not torch.is_grad_enabled():
            kernel = getattr(functions, functions.need_kernel(()))
            with _without_autocast(arrays):
                return output(program, kernel(*arrays, real))
        if torch.compiler.is_compiling():
            return output(program, _traced(program, arrays, real))
        need = functions.need_function(real, _stored(program, arrays))
        return output(program, getattr(functions, need).apply(*arrays))

    def adopt(self, program: Program) -> None:
        _adopt(program)

    def opaque(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return _opaque(function)

    def value_and_gradient(
        self, program: Program, raw: Sequence[Any], wrt: tuple[int, ...]
    ) -> tuple[Output, list[Any]]:
        with torch.no_grad():
            arrays, real = _prepared(program, raw)
            kernel = getattr(program.adapted, program.adapted.need_kernel(wrt))
            with _without_autocast(arrays):
                results = kernel(*arrays, real)
            count = program.layout.count
            gradients = [
                gradient.to(raw[at].dtype) if isinstance(raw[at], torch.Tensor) else gradient
                for gradient, at in zip(results[count:], wrt, strict=True)
            ]
        return output(program, results[:count]), gradients


def _prepared(program: Program, raw: Sequence[Any]) -> tuple[list[Any], torch.dtype]:
    """Tensors of the element classes that functions take, on one device, and the computing type."""
    real, device = torch.float32, None
    for slot, value in zip(program.slots, raw, strict=True):
        if isinstance(value, torch.Tensor):
            if slot.decides and value.dtype == torch.float64:
                real = torch.float64
            if not slot.hyper and (device is None or value.ndim):
                if device is not None and value.device != device and value.ndim:
                    _check_devices(program, raw)
                device = value.device
    if device is None:
        device = torch.get_default_device()
    arrays = []
    for slot, value in zip(program.slots, raw, strict=True):
        dtype = real if slot.elem == "real" else _ELEMENTS[slot.elem]
        if isinstance(value, torch.Tensor):
            arrays.append(value.to(device=device, dtype=dtype))
        elif isinstance(value, tuple):
            arrays.append(torch.tensor(value, dtype=dtype, device=device))
        else:
            arrays.append(torch.full((), value, dtype=dtype, device=device))
    return arrays, real


def _check_devices(program: Program, raw: Sequence[Any]) -> None:
    """Tensors with axes must share a device; scalars are moved."""
    first: tuple[str, torch.device] | None = None
    for slot, value in zip(program.slots, raw, strict=True):
        if not isinstance(value, torch.Tensor) or not value.ndim or slot.hyper:
            continue
        if first is None:
            first = (slot.shown, value.device)
        elif value.device != first[1]:
            raise InputError(
                f"`{slot.shown}` is on {value.device}, but `{first[0]}` is on {first[1]}", slot.name
            )


def _stored(program: Program, arrays: Sequence[torch.Tensor]) -> tuple[int, ...]:
    """The slots whose gradients the forward should keep.

    Under torch.func transforms none: tensors do not show there whether they will be differentiated, and
    their backward always wants a graph.
    """
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return ()
    return tuple(at for at, array in enumerate(arrays) if array.requires_grad)


def _without_autocast(arrays: Sequence[torch.Tensor]) -> Any:
    """Compiled code chooses its own types."""
    kind = arrays[0].device.type if arrays else "cpu"
    if kind != "meta" and torch.is_autocast_enabled(kind):
        return torch.autocast(kind, enabled=False)
    return contextlib.nullcontext()


def _traced(program: Program, arrays: Sequence[torch.Tensor], real: torch.dtype) -> list[torch.Tensor]:
    """The results under Dynamo, which fills in every missing cotangent with zeros: there each result has
    a function of its own, so that a backward pass through the total does no work for the others."""
    stored = tuple(at for at, array in enumerate(arrays) if array.requires_grad)
    layout, functions = program.layout, program.adapted
    loss = getattr(functions, functions.need_traced(real, stored, layout.total))
    results = list(loss.apply(*arrays)[: layout.count])
    for at in range(layout.scalars):
        if at != layout.total and stored:
            attached = getattr(functions, functions.need_traced(real, stored, at))
            results[at] = attached.apply(results[at], *arrays)
    return results


def _opaque(function: Callable[..., Any]) -> Callable[..., Any]:
    """Has Dynamo run a function of constants as it is. This is ``torch.compiler.assume_constant_result``
    without its import of the whole of Dynamo, which takes longer than compiling many a loss."""

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        return function(*args)

    run._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return run


def _adopt(program: Program) -> None:
    """Gives a program the makers of its functions.

    Each makes a function once, keeps it as an attribute of ``program.adapted`` and returns the
    attribute's name. Dynamo runs them as they are (what they do cannot be traced) and takes the name
    for a constant; the function itself it reads from the attribute, which it knows how to guard.
    """
    functions = program.adapted
    names: dict[Any, str] = {}

    def kept(key: Any, make: Callable[[], Any]) -> str:
        name = names.get(key)
        if name is None:
            name = f"made_{len(names)}_{threading.get_ident()}"
            setattr(functions, name, make())
            name = names.setdefault(key, name)
        return name

    def need_kernel(wrt: tuple[int, ...]) -> str:
        return kept(wrt, lambda: program.value_and_gradient(wrt) if wrt else program.value())

    def need_function(real: torch.dtype, stored: tuple[int, ...]) -> str:
        return kept((real, stored), lambda: _function(program, real, stored))

    def need_traced(real: torch.dtype, wrt: tuple[int, ...], result: int) -> str:
        if result == program.layout.total:
            return kept((real, wrt, result), lambda: _total(program, real, wrt))
        return kept((real, wrt, result), lambda: _attached(program, real, wrt, result))

    functions.need_traced = _opaque(need_traced)
    functions.need_kernel = _opaque(need_kernel)
    functions.need_function = _opaque(need_function)


def _total(program: Program, real: torch.dtype, wrt: tuple[int, ...]) -> type[torch.autograd.Function]:
    """All results, of which only the total is differentiable, by gradients computed with it.

    Dynamo follows the methods; all that they refer to is numbers and plain functions.
    """
    total, count, slots = program.layout.total, program.layout.count, len(program.slots)
    still = tuple(at for at in range(count + len(wrt)) if at != total)
    kernel = program.value_and_gradient(wrt) if wrt else program.value()

    class Total(torch.autograd.Function):
        @staticmethod
        def forward(*arrays: torch.Tensor) -> tuple[torch.Tensor, ...]:
            with _without_autocast(arrays):
                return _apart(arrays, kernel(*arrays, real))

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
            ctx.mark_non_differentiable(*[output[at] for at in still])
            ctx.save_for_backward(*output[count:])

        @staticmethod
        def backward(ctx: Any, *cotangents: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
            gradients: list[torch.Tensor | None] = [None] * slots
            for at, gradient in zip(wrt, ctx.saved_tensors, strict=True):
                gradients[at] = gradient * cotangents[total]
            return tuple(gradients)

    return Total


def _attached(
    program: Program, real: torch.dtype, wrt: tuple[int, ...], result: int
) -> type[torch.autograd.Function]:
    """Gives a result that is already computed its derivative: takes it, then the arrays. For Dynamo too."""
    slots = len(program.slots)
    pullback = program.pullback(wrt, (result,))

    class Attached(torch.autograd.Function):
        @staticmethod
        def forward(value: torch.Tensor, *arrays: torch.Tensor) -> torch.Tensor:
            return value.clone()

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.save_for_backward(*inputs[1:])

        @staticmethod
        def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
            saved = ctx.saved_tensors
            with _without_autocast(saved):
                pulled = pullback(*saved, cotangent, real)
            gradients: list[torch.Tensor | None] = [None] * (slots + 1)
            for at, gradient in zip(wrt, pulled, strict=True):
                gradients[at + 1] = gradient
            return tuple(gradients)

    return Attached


def _function(program: Program, real: torch.dtype, stored: tuple[int, ...]) -> type[torch.autograd.Function]:
    """The autograd function of a program that keeps the gradients of the ``stored`` slots."""
    total, scalars, count = program.layout.total, program.layout.scalars, program.layout.count
    slots = len(program.slots)
    kernel = program.value_and_gradient(stored) if stored else program.value()

    class Loss(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*arrays: torch.Tensor) -> tuple[torch.Tensor, ...]:
            with _without_autocast(arrays):
                return _apart(arrays, kernel(*arrays, real))

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
            ctx.set_materialize_grads(False)
            ctx.mark_non_differentiable(*output[scalars:])
            ctx.save_for_backward(*inputs, *output[count:])

        @staticmethod
        def backward(ctx: Any, *cotangents: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
            saved = ctx.saved_tensors
            wrt = tuple(at for at in range(slots) if ctx.needs_input_grad[at])
            given = tuple(at for at in range(scalars) if cotangents[at] is not None)
            gradients: list[torch.Tensor | None] = [None] * slots
            if not given or not wrt:
                return tuple(gradients)
            if given == (total,) and not torch.is_grad_enabled() and all(at in stored for at in wrt):
                for at in wrt:
                    gradients[at] = saved[slots + stored.index(at)] * cotangents[total]
                return tuple(gradients)
            pulled = _pull(program, real, wrt, given, saved[:slots], [cotangents[at] for at in given])
            for at, gradient in zip(wrt, pulled, strict=True):
                gradients[at] = gradient
            return tuple(gradients)

    return Loss


def _pull(
    program: Program,
    real: torch.dtype,
    wrt: tuple[int, ...],
    results: tuple[int, ...],
    arrays: Sequence[torch.Tensor],
    cotangents: Sequence[torch.Tensor | None],
) -> Sequence[torch.Tensor]:
    """The gradients of some results, recorded for further differentiation where that is wanted."""
    if torch.is_grad_enabled():
        function: Any = _pullback(program, real, wrt, results)
        recorded: Sequence[torch.Tensor] = function.apply(*arrays, *cotangents)
        return recorded
    with _without_autocast(arrays):
        return program.pullback(wrt, results)(*arrays, *cotangents, real)


def _pullback(
    program: Program, real: torch.dtype, wrt: tuple[int, ...], results: tuple[int, ...]
) -> type[torch.autograd.Function]:
    """The gradients as a function of arrays and cotangents that has a compiled derivative of its own, safe
    where masked values would make autograd multiply 0 by infinity. Beyond, autograd goes through the code."""
    key = f"pullback{real}{wrt}{results}"
    if hasattr(program.adapted, key):
        return getattr(program.adapted, key)  # type: ignore[no-any-return]
    slots = len(program.slots)

    class Pullback(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*arguments: torch.Tensor) -> tuple[torch.Tensor, ...]:
            with _without_autocast(arguments):
                return _apart(arguments, program.pullback(wrt, results)(*arguments, real))

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, *directions: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
            saved = ctx.saved_tensors
            targets = tuple(at for at in range(slots) if ctx.needs_input_grad[at])
            with _without_autocast(saved):
                found = program.second(wrt, results, targets)(*saved, *directions, real)
            gradients: list[torch.Tensor | None] = [None] * slots
            for at, gradient in zip(targets, found, strict=False):
                gradients[at] = gradient
            return (*gradients, *found[len(targets) :])

    setattr(program.adapted, key, Pullback)
    return Pullback


def _apart(arrays: Sequence[torch.Tensor], results: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Results no two of which are one tensor, and none of which is an argument: autograd needs that."""
    seen = list(arrays)
    apart = []
    for result in results:
        if any(result is each for each in seen):
            result = result.clone()
        seen.append(result)
        apart.append(result)
    return tuple(apart)


def _category(dtype: torch.dtype) -> str:
    if dtype.is_complex:
        return "complex"
    if dtype.is_floating_point:
        return "float"
    if dtype == torch.bool:
        return "bool"
    return "int" if dtype.is_signed else "unsigned"


def _not_a_tensor(slot: Slot, value: Any) -> InputError:
    framework = framework_of(value)
    if framework == "jax":
        advice = 'this loss was compiled for PyTorch: compile with backend="jax", or pass a tensor'
    elif isinstance(value, (str, bytes)) or value is None:
        advice = "pass a tensor"
    else:
        advice = "pass a tensor: torch.as_tensor(…)"
    return InputError(f"`{slot.shown}` is a {type_name(value)}; {advice}", slot.name)

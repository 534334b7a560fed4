"""PyTorch: tensors in, tensors out, differentiable by autograd.

One ``autograd.Function`` stands around the compiled functions. Its forward computes the total's
gradients together with the value when something will ask for them, so that the backward of
``out.total`` only scales what is there. Cotangents of other results, and a backward whose own graph is
asked for, run the pullback. Conversions to the computing type stand outside, where autograd undoes them.
"""

from __future__ import annotations

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
        return isinstance(value, torch.Tensor) or framework_of(value) is not None

    def is_floating(self, value: Any) -> bool:
        return not isinstance(value, torch.Tensor) or value.dtype.is_floating_point

    def members(self, value: Any, name: str) -> list[tuple[str, Any]]:
        return collections.members(value, name, self.is_array)

    def mirrored(self, value: Any, gradients: dict[str, Any]) -> Any:
        return collections.mirrored(value, gradients, self.is_array)

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
        if not torch.is_grad_enabled():
            with torch.autocast(_device(arrays).type, enabled=False):
                results = program.value()(*arrays, real)
            return output(program, results)
        stored = _stored(program, arrays)
        function = program.adapted.get((real, stored))
        if function is None:
            function = _builder(program)(real, stored)
        return output(program, function.apply(*arrays))

    def value_and_gradient(
        self, program: Program, raw: Sequence[Any], wrt: tuple[int, ...]
    ) -> tuple[Output, list[Any]]:
        with torch.no_grad():
            arrays, real = _prepared(program, raw)
            with torch.autocast(_device(arrays).type, enabled=False):
                results = program.value_and_gradient(wrt)(*arrays, real)
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
    if not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is not None:
        return ()
    return tuple(at for at, array in enumerate(arrays) if array.requires_grad)


def _device(arrays: Sequence[torch.Tensor]) -> torch.device:
    return arrays[0].device if arrays else torch.get_default_device()


def _builder(program: Program) -> Callable[[torch.dtype, tuple[int, ...]], Any]:
    """Makes and keeps the function for a computing type and stored gradients, also while Dynamo traces."""
    found = program.adapted.get("builder")
    if found is None:

        def build(real: torch.dtype, stored: tuple[int, ...]) -> Any:
            return program.adapted.setdefault((real, stored), _function(program, real, stored))

        found = program.adapted.setdefault("builder", build)
    return found  # type: ignore[no-any-return]


def _function(program: Program, real: torch.dtype, stored: tuple[int, ...]) -> type[torch.autograd.Function]:
    """The autograd function of a program that keeps the gradients of the ``stored`` slots."""
    layout, inputs = program.layout, len(program.slots)
    kernel = program.value_and_gradient(stored) if stored else program.value()

    class Loss(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*arrays: torch.Tensor) -> tuple[torch.Tensor, ...]:
            with torch.autocast(_device(arrays).type, enabled=False):
                return _apart(arrays, kernel(*arrays, real))

        @staticmethod
        def setup_context(
            ctx: Any, inputs: tuple[torch.Tensor, ...], output: tuple[torch.Tensor, ...]
        ) -> None:
            ctx.set_materialize_grads(False)
            ctx.mark_non_differentiable(*output[layout.scalars :])
            ctx.save_for_backward(*inputs, *output[layout.count :])

        @staticmethod
        def backward(ctx: Any, *cotangents: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
            saved = ctx.saved_tensors
            wrt = tuple(at for at in range(inputs) if ctx.needs_input_grad[at])
            given = tuple(at for at in range(layout.scalars) if cotangents[at] is not None)
            gradients: list[torch.Tensor | None] = [None] * inputs
            if not given or not wrt:
                return tuple(gradients)
            if given == (layout.total,) and not torch.is_grad_enabled() and set(wrt) <= set(stored):
                kept = dict(zip(stored, saved[inputs:], strict=True))
                for at in wrt:
                    gradients[at] = kept[at] * cotangents[layout.total]
                return tuple(gradients)
            pullback = program.pullback(wrt, given)
            with torch.autocast(_device(saved).type, enabled=False):
                pulled = pullback(*saved[:inputs], *(cotangents[at] for at in given), real)
            for at, gradient in zip(wrt, pulled, strict=True):
                gradients[at] = gradient
            return tuple(gradients)

    return Loss


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

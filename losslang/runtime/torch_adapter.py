"""PyTorch: tensors in, tensors out, differentiable by autograd.

Conversions to the computing type stand around the compiled functions, where autograd undoes them.
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
from losslang.runtime.externs import check_result, check_shape, not_an_array
from losslang.runtime.foreign import framework_of
from losslang.runtime.kernels import HostCall, Part, Program, Slot, parts
from losslang.runtime.results import Output, children
from losslang.runtime.torch_functions import adopt, opaque, stored_slots, traced, without_autocast
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
        for call in program.calls:
            arrays.append(_host_result(program, call, arrays, real))
        return output(program, _results(program.fused, arrays, real))

    def adopt(self, program: Program) -> None:
        for part in parts(program):
            adopt(part)

    def opaque(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return opaque(function)

    def value_and_gradient(
        self, program: Program, raw: Sequence[Any], wrt: tuple[int, ...]
    ) -> tuple[Output, list[Any]]:
        if program.calls:
            return self._recorded_gradient(program, raw, wrt)
        with torch.no_grad():
            arrays, real = _prepared(program, raw)
            functions = program.fused.adapted
            kernel = getattr(functions, functions.need_kernel(wrt))
            with without_autocast(arrays):
                results = kernel(*arrays, real)
            count = program.layout.count
            gradients = [
                gradient.to(raw[at].dtype) if isinstance(raw[at], torch.Tensor) else gradient
                for gradient, at in zip(results[count:], wrt, strict=True)
            ]
        return output(program, results[:count]), gradients

    def _recorded_gradient(
        self, program: Program, raw: Sequence[Any], wrt: tuple[int, ...]
    ) -> tuple[Output, list[Any]]:
        """By autograd, which alone can differentiate what the host does."""
        given = list(raw)
        with torch.enable_grad():
            for at in wrt:
                each = torch.as_tensor(given[at])
                given[at] = each.detach().requires_grad_()
            out = self.call(program, given)
            leaves = [given[at] for at in wrt]
            found: Sequence[Any] = [None] * len(leaves)
            if leaves and out.total.requires_grad:
                found = torch.autograd.grad(out.total, leaves, allow_unused=True)
        gradients = [
            torch.zeros_like(leaf) if gradient is None else gradient
            for leaf, gradient in zip(leaves, found, strict=True)
        ]
        plain: Output = _pytree.tree_map(torch.Tensor.detach, out)
        return plain, gradients


def _results(part: Part, arrays: Sequence[torch.Tensor], real: torch.dtype) -> Sequence[torch.Tensor]:
    """The results of a part, differentiable by autograd."""
    functions = part.adapted
    if not torch.is_grad_enabled():
        kernel = getattr(functions, functions.need_kernel(()))
        with without_autocast(arrays):
            plain: Sequence[torch.Tensor] = kernel(*arrays, real)
        return plain
    if torch.compiler.is_compiling():
        return traced(part, arrays, real)
    stored = stored_slots(arrays) if part.layout.total >= 0 else ()
    need = functions.need_function(real, stored)
    recorded: Sequence[torch.Tensor] = getattr(functions, need).apply(*arrays)
    return recorded


def _host_result(
    program: Program, call: HostCall, arrays: Sequence[torch.Tensor], real: torch.dtype
) -> torch.Tensor:
    """What the host makes of the arguments that the arrays give, recorded by autograd where a gradient is of use."""
    recorded = call.flows and torch.is_grad_enabled()
    with torch.enable_grad() if recorded else torch.no_grad():
        computed = _results(call.arguments, arrays, real) if call.order else ()
        result = call.function(*[computed[at] for at in call.order])
    if not isinstance(result, torch.Tensor):
        raise not_an_array(call.slot, type_name(result), "a tensor")
    check_result(call.slot, _category(result.dtype), f"a tensor of {result.dtype}")
    check_shape(program, call, [tuple(each.shape) for each in (*arrays, result)])
    dtype = real if call.slot.elem == "real" else _ELEMENTS[call.slot.elem]
    return result.to(device=arrays[0].device if arrays else None, dtype=dtype)


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

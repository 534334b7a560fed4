"""JAX: arrays (NumPy's too) in, arrays out, differentiable to any order.

Everything runs under ``jit``, for compiling one function is quicker than dispatching its parts; only
functions that the host supplies are called as they are, so that they may read something new each
time. Nothing here looks at values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from losslang.errors import InputError
from losslang.lowered import Schedule
from losslang.runtime import schedules
from losslang.runtime.adapter import output
from losslang.runtime.binding import check_type
from losslang.runtime.externs import check_result, check_shape, not_an_array
from losslang.runtime.foreign import category_of_letter, framework_of
from losslang.runtime.jax_functions import computed, differentiable, with_gradient
from losslang.runtime.kernels import HostCall, Program, Slot
from losslang.runtime.results import Output, children
from losslang.runtime.words import type_name

_PARTS = ("total", "terms", "weighted", "reports")

jax.tree_util.register_pytree_with_keys(
    Output,
    lambda out: (
        [(jax.tree_util.GetAttrKey(name), part) for name, part in zip(_PARTS, children(out), strict=True)],
        None,
    ),
    lambda _, parts: Output(*parts),
)


class JaxAdapter:
    """See ``losslang.runtime.adapter.Adapter``."""

    def accept(self, slot: Slot, value: Any) -> Any:
        if isinstance(value, jax.Array) or framework_of(value) == "numpy":
            check_type(slot, _category(value.dtype), f"an array of {value.dtype}")
            return value
        if isinstance(value, (bool, int, float)) and not slot.axes:
            return value
        if framework_of(value) == "torch":
            advice = 'this loss was compiled for JAX: compile with backend="torch", or pass a JAX array'
        elif isinstance(value, (list, tuple)):
            advice = "pass an array: jnp.asarray(…)"
        else:
            advice = "pass an array"
        raise InputError(f"`{slot.shown}` is a {type_name(value)}; {advice}", slot.name)

    def is_array(self, value: Any) -> bool:
        return isinstance(value, jax.Array) or framework_of(value) is not None

    def is_floating(self, value: Any) -> bool:
        return not hasattr(value, "dtype") or bool(jnp.issubdtype(value.dtype, jnp.floating))

    def members(self, value: Any, name: str) -> list[tuple[str, Any]]:
        found = [(_key(path), leaf) for path, leaf in jax.tree_util.tree_flatten_with_path(value)[0]]
        if not found:
            raise InputError(f"`{name}` holds no arrays", name)
        for key, leaf in found:
            if not self.is_array(leaf):
                raise InputError(f'`{name}["{key}"]` is a {type_name(leaf)}; pass arrays', name)
        if len({key for key, _ in found}) < len(found):
            raise InputError(
                f"two members of `{name}` have the same key: keys are paths joined with '.'", name
            )
        return found

    def mirrored(self, value: Any, gradients: dict[str, Any]) -> Any:
        return jax.tree_util.tree_map_with_path(lambda path, _: gradients.get(_key(path)), value)

    def step(self, step: Any) -> Any:
        return step

    def scheduled(self, schedule: Schedule, step: Any) -> Any:
        if not isinstance(step, jax.Array) or step.ndim:
            raise InputError(f"`step` should be a number or a scalar array, not {type_name(step)}", "step")
        real = jnp.float64 if step.dtype == jnp.float64 else jnp.float32
        return schedules.at_array(schedule, step.astype(real), jnp.cos, lambda f: jnp.clip(f, 0.0, 1.0))

    def numbers(self, value: Any) -> Any | None:
        if isinstance(value, jax.core.Tracer):
            return None
        array = np.asarray(value)
        return array.astype(np.float32) if array.dtype.name == "bfloat16" else array

    def call(self, program: Program, raw: Sequence[Any]) -> Output:
        given = _abstractable(raw)
        if program.calls:
            return output(program, _through_host(program, given))
        return output(program, program.fused.adapted.call(*given))

    def adopt(self, program: Program) -> None:
        fused = program.fused
        fused.adapted.call = jax.jit(_differentiable(program))
        fused.adapted.gradients = functools.cache(lambda wrt: jax.jit(_with_gradient(program, wrt)))
        fused.adapted.results = functools.cache(lambda real: jax.jit(differentiable(fused, real)))
        for call in program.calls:
            call.arguments.adapted.results = functools.cache(
                lambda real, part=call.arguments: jax.jit(computed(part, real))
            )

    def opaque(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def value_and_gradient(
        self, program: Program, raw: Sequence[Any], wrt: tuple[int, ...]
    ) -> tuple[Output, list[Any]]:
        given = _abstractable(raw)
        count = program.layout.count
        if program.calls:
            results, gradients = _gradient_through_host(program, given, wrt)
            return output(program, results), gradients
        results = program.fused.adapted.gradients(wrt)(*given)
        return output(program, results[:count]), list(results[count:])


def _through_host(program: Program, raw: Sequence[Any]) -> tuple[Any, ...]:
    """The results with the calls of the host between them."""
    arrays, real = _prepared(program, raw)
    for call in program.calls:
        arrays.append(_host_result(program, call, arrays, real))
    results: tuple[Any, ...] = program.fused.adapted.results(real)(*arrays)
    return results


def _host_result(program: Program, call: HostCall, arrays: list[Any], real: Any) -> Any:
    found = call.arguments.adapted.results(real)(*arrays) if call.order else ()
    result = call.function(*(found[at] for at in call.order))
    if not isinstance(result, jax.Array) and framework_of(result) != "numpy":
        raise not_an_array(call.slot, type_name(result), "a JAX array")
    result = jnp.asarray(result)
    check_result(call.slot, _category(result.dtype), f"an array of {result.dtype}")
    check_shape(program, call, [each.shape for each in (*arrays, result)])
    result = result.astype(_types(real)[call.slot.elem])
    return result if call.flows else jax.lax.stop_gradient(result)


def _gradient_through_host(
    program: Program, raw: list[Any], wrt: tuple[int, ...]
) -> tuple[tuple[Any, ...], list[Any]]:
    def total(chosen: list[Any]) -> tuple[Any, tuple[Any, ...]]:
        given = list(raw)
        for at, value in zip(wrt, chosen, strict=True):
            given[at] = value
        results = _through_host(program, given)
        return results[program.layout.total], results

    (_, results), gradients = jax.value_and_grad(total, has_aux=True)([jnp.asarray(raw[at]) for at in wrt])
    return results, list(gradients)


def _abstractable(raw: Sequence[Any]) -> list[Any]:
    """Arguments for ``jit``: plain numbers as arrays of no weak type, so that their values are not compiled in."""
    wide = jax.dtypes.canonicalize_dtype(np.float64)
    return [
        np.asarray(value, wide) if isinstance(value, (bool, int, float, tuple)) else value for value in raw
    ]


def _prepared(program: Program, raw: Sequence[Any]) -> tuple[list[Any], Any]:
    """Arrays of the element classes that functions take, and the computing type."""
    arrays = [jnp.asarray(value) for value in raw]
    double = any(
        slot.decides and array.dtype == jnp.float64 for slot, array in zip(program.slots, arrays, strict=True)
    )
    real = jnp.float64 if double else jnp.float32
    types = _types(real)
    return [array.astype(types[slot.elem]) for slot, array in zip(program.slots, arrays, strict=True)], real


def _types(real: Any) -> dict[str, Any]:
    return {"real": real, "int": jax.dtypes.canonicalize_dtype(np.int64), "bool": np.bool_}


def _differentiable(program: Program) -> Callable[..., tuple[Any, ...]]:
    def call(*raw: Any) -> tuple[Any, ...]:
        arrays, real = _prepared(program, raw)
        return differentiable(program.fused, real)(*arrays)

    return call


def _with_gradient(program: Program, wrt: tuple[int, ...]) -> Callable[..., tuple[Any, ...]]:
    count = program.layout.count

    def call(*raw: Any) -> tuple[Any, ...]:
        arrays, real = _prepared(program, raw)
        results = with_gradient(program.fused, real, wrt)(*arrays)
        types = [jnp.asarray(raw[at]).dtype for at in wrt]
        gradients = [each.astype(dtype) for each, dtype in zip(results[count:], types, strict=True)]
        return (*results[:count], *gradients)

    return call


def _category(dtype: Any) -> str:
    if jnp.issubdtype(dtype, jnp.floating):
        return "float"
    return category_of_letter(np.dtype(dtype).kind)


def _key(path: Sequence[Any]) -> str:
    """A path through a pytree as its names joined with "."."""
    parts = [getattr(step, "key", getattr(step, "name", getattr(step, "idx", step))) for step in path]
    return ".".join(map(str, parts)) or "0"

"""JAX: arrays (NumPy's too) in, arrays out, differentiable to any order.

A ``custom_jvp`` stands around the compiled functions; its rule returns ⟨gradient, tangent⟩ with the
compiled gradient, so that forward mode, reverse mode and their compositions all work. The total's
gradient is computed with the value; those of other results stand under ``jax.checkpoint``, which puts
them off until a backward pass asks for them. Everything runs under ``jit``: compiling one function is
quicker than dispatching its parts. Nothing here looks at values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from losslang.errors import InputError
from losslang.lowered import Schedule
from losslang.runtime import schedules
from losslang.runtime.adapter import output
from losslang.runtime.binding import check_type
from losslang.runtime.foreign import category_of_letter, framework_of
from losslang.runtime.kernels import Program, Slot
from losslang.runtime.results import Output, children
from losslang.runtime.words import type_name

jax.tree_util.register_pytree_with_keys(
    Output,
    lambda out: (
        [(jax.tree_util.GetAttrKey(name), part) for name, part in zip(_PARTS, children(out), strict=True)],
        None,
    ),
    lambda _, parts: Output(*parts),
)
_PARTS = ("total", "terms", "weighted", "reports")


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
        return output(program, program.adapted.call(*_abstractable(raw)))

    def adopt(self, program: Program) -> None:
        program.adapted.call = jax.jit(_differentiable(program))
        program.adapted.gradients = functools.cache(lambda wrt: jax.jit(_with_gradient(program, wrt)))

    def opaque(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def value_and_gradient(
        self, program: Program, raw: Sequence[Any], wrt: tuple[int, ...]
    ) -> tuple[Output, list[Any]]:
        results = program.adapted.gradients(wrt)(*_abstractable(raw))
        count = program.layout.count
        return output(program, results[:count]), list(results[count:])


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
    types = {"real": real, "int": jax.dtypes.canonicalize_dtype(np.int64), "bool": np.bool_}
    return [array.astype(types[slot.elem]) for slot, array in zip(program.slots, arrays, strict=True)], real


def _differentiable(program: Program) -> Callable[..., tuple[Any, ...]]:
    def call(*raw: Any) -> tuple[Any, ...]:
        arrays, real = _prepared(program, raw)
        return _custom(program, real)(*arrays)

    return call


def _with_gradient(program: Program, wrt: tuple[int, ...]) -> Callable[..., tuple[Any, ...]]:
    count = program.layout.count

    def call(*raw: Any) -> tuple[Any, ...]:
        arrays, real = _prepared(program, raw)
        results = program.value_and_gradient(wrt)(*arrays, real)
        gradients = [
            gradient.astype(jnp.asarray(raw[at]).dtype)
            for gradient, at in zip(results[count:], wrt, strict=True)
        ]
        return (*_custom(program, real)(*arrays)[:count], *gradients)

    return call


def _custom(program: Program, real: Any) -> Callable[..., tuple[Any, ...]]:
    """The functions of a program as one that JAX differentiates by the compiled gradient."""
    layout, slots = program.layout, program.slots

    @jax.custom_jvp
    def value(*arrays: Any) -> tuple[Any, ...]:
        return program.value()(*arrays, real)

    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        wrt = tuple(
            at
            for at, tangent in enumerate(tangents)
            if slots[at].elem == "real" and type(tangent) is not SymbolicZero
        )
        moving = [tangents[at] for at in wrt]
        results = program.value_and_gradient(wrt)(*primals, real) if wrt else program.value()(*primals, real)
        slopes = [
            _inner(results[layout.count :], moving)
            if at == layout.total
            else _later(program, wrt, at, real)(primals, moving)
            for at in range(layout.scalars)
        ]
        still = [_no_tangent(result) for result in results[layout.scalars : layout.count]]
        return results[: layout.count], (*slopes, *still)

    value.defjvp(rule, symbolic_zeros=True)
    return value


def _later(program: Program, wrt: tuple[int, ...], result: int, real: Any) -> Callable[..., Any]:
    """⟨gradient of one result, tangents⟩, with the gradient computed when the tangents are used."""

    def slope(primals: tuple[Any, ...], tangents: list[Any]) -> Any:
        gradients = program.pullback(wrt, (result,))(*primals, jnp.ones((), real), real)
        return _inner(gradients, tangents)

    return jax.checkpoint(slope, prevent_cse=False)


def _inner(gradients: Sequence[Any], tangents: Sequence[Any]) -> Any:
    total = jnp.zeros((), gradients[0].dtype) if gradients else jnp.zeros(())
    for gradient, tangent in zip(gradients, tangents, strict=True):
        total = total + jnp.sum(gradient * tangent)
    return total


def _no_tangent(result: Any) -> Any:
    dtype = result.dtype if jnp.issubdtype(result.dtype, jnp.floating) else jax.dtypes.float0
    return np.zeros(result.shape, dtype) if dtype == jax.dtypes.float0 else jnp.zeros(result.shape, dtype)


def _category(dtype: Any) -> str:
    if jnp.issubdtype(dtype, jnp.floating):
        return "float"
    return category_of_letter(np.dtype(dtype).kind)


def _key(path: Sequence[Any]) -> str:
    """A path through a pytree as its names joined with "."."""
    parts = [getattr(step, "key", getattr(step, "name", getattr(step, "idx", step))) for step in path]
    return ".".join(map(str, parts)) or "0"

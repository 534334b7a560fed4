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
        results = _value_and_gradient(program, real, wrt)(*arrays)
        types = [jnp.asarray(raw[at]).dtype for at in wrt]
        gradients = [each.astype(dtype) for each, dtype in zip(results[count:], types, strict=True)]
        return (*results[:count], *gradients)

    return call


def _custom(program: Program, real: Any) -> Callable[..., tuple[Any, ...]]:
    """The results of a program, differentiated by the compiled gradients."""
    layout = program.layout

    def value(*arrays: Any) -> tuple[Any, ...]:
        return program.value()(*arrays, real)

    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        wrt, moving = _moving(program, tangents)
        results = _value_and_gradient(program, real, wrt)(*primals)
        gradients, results = results[layout.count :], results[: layout.count]
        return results, _slopes(program, real, primals, results, gradients, wrt, moving)

    return _with_rule(value, rule)


def _value_and_gradient(program: Program, real: Any, wrt: tuple[int, ...]) -> Callable[..., tuple[Any, ...]]:
    """The results and the total's gradients, these too with a compiled derivative: one that is safe where
    masked values would make automatic differentiation multiply 0 by infinity."""
    layout = program.layout

    def value(*arrays: Any) -> tuple[Any, ...]:
        return (program.value_and_gradient(wrt) if wrt else program.value())(*arrays, real)

    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        along, moving = _moving(program, tangents)
        results = value(*primals)
        still = tuple(at for at in along if at not in wrt)
        kept = dict(zip(wrt, results[layout.count :], strict=True))
        kept |= dict(zip(still, _gradients(program, real, still, layout.total)(*primals), strict=True))
        gradients = [kept[at] for at in along]
        slopes = _slopes(program, real, primals, results[: layout.count], gradients, along, moving)
        one = jnp.ones((), real)
        curvature = program.second(along, (layout.total,), wrt)(*primals, one, *moving, real)[: len(wrt)]
        return results, (*slopes, *curvature)

    return _with_rule(value, rule)


def _gradients(
    program: Program, real: Any, wrt: tuple[int, ...], result: int
) -> Callable[..., Sequence[Any]]:
    """The gradients of one result, with a compiled derivative."""

    def value(*arrays: Any) -> tuple[Any, ...]:
        return tuple(program.pullback(wrt, (result,))(*arrays, jnp.ones((), real), real)) if wrt else ()

    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        along, moving = _moving(program, tangents)
        one = jnp.ones((), real)
        return value(*primals), tuple(
            program.second(along, (result,), wrt)(*primals, one, *moving, real)[: len(wrt)]
        )

    return _with_rule(value, rule)


def _with_rule(value: Callable[..., Any], rule: Callable[..., Any]) -> Callable[..., Any]:
    function = jax.custom_jvp(value)
    function.defjvp(rule, symbolic_zeros=True)
    return function


def _moving(program: Program, tangents: Sequence[Any]) -> tuple[tuple[int, ...], list[Any]]:
    """The slots that have a tangent, and their tangents."""
    wrt = tuple(
        at
        for at, tangent in enumerate(tangents)
        if program.slots[at].elem == "real" and type(tangent) is not SymbolicZero
    )
    return wrt, [tangents[at] for at in wrt]


def _slopes(
    program: Program,
    real: Any,
    primals: Sequence[Any],
    results: Sequence[Any],
    gradients: Sequence[Any],
    wrt: tuple[int, ...],
    moving: list[Any],
) -> tuple[Any, ...]:
    """The tangents of all results: ⟨gradient, tangent⟩ for what can be differentiated, zeros for reports."""
    layout = program.layout

    def later(result: int) -> Any:
        def slope(arrays: Sequence[Any], tangents: list[Any]) -> Any:
            return _inner(_gradients(program, real, wrt, result)(*arrays), tangents, real)

        return jax.checkpoint(slope, prevent_cse=False)(primals, moving)

    slopes = [
        _inner(gradients, moving, real) if at == layout.total else later(at) for at in range(layout.scalars)
    ]
    return (*slopes, *(_no_tangent(result) for result in results[layout.scalars :]))


def _inner(gradients: Sequence[Any], tangents: Sequence[Any], real: Any) -> Any:
    total = jnp.zeros((), real)
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

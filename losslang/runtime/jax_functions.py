"""The functions of a part as JAX differentiates them.

A ``custom_jvp`` stands around the compiled functions; its rule returns ⟨gradient, tangent⟩ with the
compiled gradient, so that forward mode, reverse mode and their compositions all work. The total's
gradient is computed with the value; those of other results stand under ``jax.checkpoint``, which puts
them off until a backward pass asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from losslang.runtime.kernels import Part


def differentiable(part: Part, real: Any) -> Callable[..., tuple[Any, ...]]:
    """The results of a part, differentiated by the compiled gradients."""
    layout = part.layout

    def value(*arrays: Any) -> tuple[Any, ...]:
        return part.value()(*arrays, real)

    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        wrt, moving = _moving(part, tangents)
        results = with_gradient(part, real, wrt)(*primals)
        gradients, results = results[layout.count :], results[: layout.count]
        return results, _slopes(part, real, primals, results, gradients, wrt, moving)

    return _with_rule(value, rule)


def with_gradient(part: Part, real: Any, wrt: tuple[int, ...]) -> Callable[..., tuple[Any, ...]]:
    """The results and the total's gradients, these too with a compiled derivative: one that is safe where
    masked values would make automatic differentiation multiply 0 by infinity."""
    layout = part.layout

    def value(*arrays: Any) -> tuple[Any, ...]:
        return (part.value_and_gradient(wrt) if wrt else part.value())(*arrays, real)

    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        along, moving = _moving(part, tangents)
        results = value(*primals)
        still = tuple(at for at in along if at not in wrt)
        kept = dict(zip(wrt, results[layout.count :], strict=True))
        kept |= dict(zip(still, _gradients(part, real, still, layout.total)(*primals), strict=True))
        gradients = [kept[at] for at in along]
        slopes = _slopes(part, real, primals, results[: layout.count], gradients, along, moving)
        one = jnp.ones((), real)
        curvature = part.second(along, (layout.total,), wrt)(*primals, one, *moving, real)[: len(wrt)]
        return results, (*slopes, *curvature)

    return _with_rule(value, rule)


def _gradients(part: Part, real: Any, wrt: tuple[int, ...], result: int) -> Callable[..., Sequence[Any]]:
    """The gradients of one result, with a compiled derivative."""

    def value(*arrays: Any) -> tuple[Any, ...]:
        return tuple(part.pullback(wrt, (result,))(*arrays, jnp.ones((), real), real)) if wrt else ()

    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        along, moving = _moving(part, tangents)
        one = jnp.ones((), real)
        return value(*primals), tuple(
            part.second(along, (result,), wrt)(*primals, one, *moving, real)[: len(wrt)]
        )

    return _with_rule(value, rule)


def computed(part: Part, real: Any) -> Callable[..., tuple[Any, ...]]:
    """The results of a part that has no total, in reverse mode: forward mode would want the other product with
    their derivative."""
    scalars = tuple(range(part.layout.scalars))
    wrt = tuple(at for at, slot in enumerate(part.slots) if slot.elem == "real")

    def value(*arrays: Any) -> tuple[Any, ...]:
        return tuple(part.value()(*arrays, real))

    def forward(*arrays: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return value(*arrays), arrays

    def backward(arrays: tuple[Any, ...], cotangents: tuple[Any, ...]) -> tuple[Any, ...]:
        gradients: list[Any] = [None] * len(arrays)
        if scalars and wrt:
            pulled = part.pullback(wrt, scalars)(*arrays, *(cotangents[at] for at in scalars), real)
            for at, gradient in zip(wrt, pulled, strict=True):
                gradients[at] = gradient
        return tuple(gradients)

    function = jax.custom_vjp(value)
    function.defvjp(forward, backward)
    return function


def _with_rule(value: Callable[..., Any], rule: Callable[..., Any]) -> Callable[..., Any]:
    function = jax.custom_jvp(value)
    function.defjvp(rule, symbolic_zeros=True)
    return function


def _moving(part: Part, tangents: Sequence[Any]) -> tuple[tuple[int, ...], list[Any]]:
    """The slots that have a tangent, and their tangents."""
    wrt = tuple(
        at
        for at, tangent in enumerate(tangents)
        if part.slots[at].elem == "real" and type(tangent) is not SymbolicZero
    )
    return wrt, [tangents[at] for at in wrt]


def _slopes(
    part: Part,
    real: Any,
    primals: Sequence[Any],
    results: Sequence[Any],
    gradients: Sequence[Any],
    wrt: tuple[int, ...],
    moving: list[Any],
) -> tuple[Any, ...]:
    """The tangents of all results: ⟨gradient, tangent⟩ for what can be differentiated, zeros for reports."""
    layout = part.layout

    def later(result: int) -> Any:
        def slope(arrays: Sequence[Any], tangents: list[Any]) -> Any:
            return _inner(_gradients(part, real, wrt, result)(*arrays), tangents, real)

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

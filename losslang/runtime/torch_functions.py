"""The functions of a part as autograd knows them.

One ``autograd.Function`` stands around the compiled functions. Its forward computes the total's
gradients together with the value when something will ask for them, so that the backward of
``out.total`` only scales what is there. Cotangents of other results, and a backward whose own graph is
asked for, run the pullback.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch

from losslang.runtime.kernels import Part


def without_autocast(arrays: Sequence[torch.Tensor]) -> Any:
    """Compiled code chooses its own types."""
    kind = arrays[0].device.type if arrays else "cpu"
    if kind != "meta" and torch.is_autocast_enabled(kind):
        return torch.autocast(kind, enabled=False)
    return contextlib.nullcontext()


def stored_slots(arrays: Sequence[torch.Tensor]) -> tuple[int, ...]:
    """The slots whose gradients the forward should keep.

    Under torch.func transforms none: tensors do not show there whether they will be differentiated, and
    their backward always wants a graph.
    """
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return ()
    return tuple(at for at, array in enumerate(arrays) if array.requires_grad)


def traced(part: Part, arrays: Sequence[torch.Tensor], real: torch.dtype) -> list[torch.Tensor]:
    """The results under Dynamo, which fills in every missing cotangent with zeros: there each result has
    a function of its own, so that a backward pass through the total does no work for the others."""
    stored = tuple(at for at, array in enumerate(arrays) if array.requires_grad)
    layout, functions = part.layout, part.adapted
    kept = stored if layout.total >= 0 else ()
    loss = getattr(functions, functions.need_traced(real, kept, layout.total))
    results = list(loss.apply(*arrays)[: layout.count])
    for at in range(layout.scalars):
        if at != layout.total and stored:
            attached = getattr(functions, functions.need_traced(real, stored, at))
            results[at] = attached.apply(results[at], *arrays)
    return results


def opaque(function: Callable[..., Any]) -> Callable[..., Any]:
    """Has Dynamo run a function of constants as it is. This is ``torch.compiler.assume_constant_result``
    without its import of the whole of Dynamo, which takes longer than compiling many a loss."""

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        return function(*args)

    run._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return run


def adopt(part: Part) -> None:
    """Gives a part the makers of its functions.

    Each makes a function once, keeps it as an attribute of ``part.adapted`` and returns the
    attribute's name. Dynamo runs them as they are (what they do cannot be traced) and takes the name
    for a constant; the function itself it reads from the attribute, which it knows how to guard.
    """
    functions = part.adapted
    names: dict[Any, str] = {}

    def kept(key: Any, make: Callable[[], Any]) -> str:
        name = names.get(key)
        if name is None:
            name = f"made_{len(names)}_{threading.get_ident()}"
            setattr(functions, name, make())
            name = names.setdefault(key, name)
        return name

    def need_kernel(wrt: tuple[int, ...]) -> str:
        return kept(wrt, lambda: part.value_and_gradient(wrt) if wrt else part.value())

    def need_function(real: torch.dtype, stored: tuple[int, ...]) -> str:
        return kept((real, stored), lambda: _function(part, real, stored))

    def need_traced(real: torch.dtype, wrt: tuple[int, ...], result: int) -> str:
        if result == part.layout.total:
            return kept((real, wrt, result), lambda: _total(part, real, wrt))
        return kept((real, wrt, result), lambda: _attached(part, real, wrt, result))

    functions.need_traced = opaque(need_traced)
    functions.need_kernel = opaque(need_kernel)
    functions.need_function = opaque(need_function)


def _total(part: Part, real: torch.dtype, wrt: tuple[int, ...]) -> type[torch.autograd.Function]:
    """All results, of which only the total is differentiable, by gradients computed with it.

    Dynamo follows the methods; all that they refer to is numbers and plain functions.
    """
    total, count, slots = part.layout.total, part.layout.count, len(part.slots)
    still = tuple(at for at in range(count + len(wrt)) if at != total)
    kernel = part.value_and_gradient(wrt) if wrt else part.value()

    class Total(torch.autograd.Function):
        @staticmethod
        def forward(*arrays: torch.Tensor) -> tuple[torch.Tensor, ...]:
            with without_autocast(arrays):
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
    part: Part, real: torch.dtype, wrt: tuple[int, ...], result: int
) -> type[torch.autograd.Function]:
    """Gives a result that is already computed its derivative: takes it, then the arrays. For Dynamo too."""
    slots = len(part.slots)
    pullback = part.pullback(wrt, (result,))

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
            with without_autocast(saved):
                pulled = pullback(*saved, cotangent, real)
            gradients: list[torch.Tensor | None] = [None] * (slots + 1)
            for at, gradient in zip(wrt, pulled, strict=True):
                gradients[at + 1] = gradient
            return tuple(gradients)

    return Attached


def _function(part: Part, real: torch.dtype, stored: tuple[int, ...]) -> type[torch.autograd.Function]:
    """The autograd function of a program that keeps the gradients of the ``stored`` slots."""
    total, scalars, count = part.layout.total, part.layout.scalars, part.layout.count
    slots = len(part.slots)
    kernel = part.value_and_gradient(stored) if stored else part.value()

    class Loss(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*arrays: torch.Tensor) -> tuple[torch.Tensor, ...]:
            with without_autocast(arrays):
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
            pulled = _pull(part, real, wrt, given, saved[:slots], [cotangents[at] for at in given])
            for at, gradient in zip(wrt, pulled, strict=True):
                gradients[at] = gradient
            return tuple(gradients)

    return Loss


def _pull(
    part: Part,
    real: torch.dtype,
    wrt: tuple[int, ...],
    results: tuple[int, ...],
    arrays: Sequence[torch.Tensor],
    cotangents: Sequence[torch.Tensor | None],
) -> Sequence[torch.Tensor]:
    """The gradients of some results, recorded for further differentiation where that is wanted."""
    if torch.is_grad_enabled():
        function: Any = _pullback(part, real, wrt, results)
        recorded: Sequence[torch.Tensor] = function.apply(*arrays, *cotangents)
        return recorded
    with without_autocast(arrays):
        return part.pullback(wrt, results)(*arrays, *cotangents, real)


def _pullback(
    part: Part, real: torch.dtype, wrt: tuple[int, ...], results: tuple[int, ...]
) -> type[torch.autograd.Function]:
    """The gradients as a function of arrays and cotangents that has a compiled derivative of its own, safe
    where masked values would make autograd multiply 0 by infinity. Beyond, autograd goes through the code."""
    key = f"pullback{real}{wrt}{results}"
    if hasattr(part.adapted, key):
        return getattr(part.adapted, key)  # type: ignore[no-any-return]
    slots = len(part.slots)

    class Pullback(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*arguments: torch.Tensor) -> tuple[torch.Tensor, ...]:
            with without_autocast(arguments):
                return _apart(arguments, part.pullback(wrt, results)(*arguments, real))

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, *directions: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
            saved = ctx.saved_tensors
            targets = tuple(at for at in range(slots) if ctx.needs_input_grad[at])
            with without_autocast(saved):
                found = part.second(wrt, results, targets)(*saved, *directions, real)
            gradients: list[torch.Tensor | None] = [None] * slots
            for at, gradient in zip(targets, found, strict=False):
                gradients[at] = gradient
            return (*gradients, *found[len(targets) :])

    setattr(part.adapted, key, Pullback)
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

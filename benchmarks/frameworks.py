"""Plain formulas worked out and differentiated by PyTorch, JAX and PyTensor themselves.

A runner takes several formulas at once, each with arrays of its own, so that one compilation serves them
all; nothing is shared between them but the call.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, import-not-found, import-untyped, attr-defined"

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.plain import Plain

Arrays = dict[str, NDArray[np.generic]]
Found = tuple[NDArray[np.generic], dict[str, NDArray[np.generic]]]
Runner = Callable[[Sequence[Plain], Sequence[Arrays]], list[Found]]


def _function(plain: Plain, names: dict[str, Any]) -> Callable[..., Any]:
    space = dict(names)
    exec(compile(plain.source, "<formula>", "exec"), space)
    return space["formula"]  # type: ignore[no-any-return]


def torch_eager(plains: Sequence[Plain], arrays: Sequence[Arrays]) -> list[Found]:
    return _torch(plains, arrays, lambda f: f)


def torch_compiled(plains: Sequence[Plain], arrays: Sequence[Arrays]) -> list[Found]:
    """``torch.compile`` with its usual backend, for both passes."""
    import torch

    torch._dynamo.reset()
    return _torch(plains, arrays, lambda f: torch.compile(f, dynamic=False, fullgraph=True))


def _torch(plains: Any, arrays: Any, wrap: Any) -> list[Found]:
    import torch

    space = {
        "inf": np.inf, "lib": torch, "normal_cdf": torch.special.ndtr,
        "erf": torch.special.erf, "erfc": torch.special.erfc, "sigmoid": torch.sigmoid,
        "softplus": torch.nn.functional.softplus, "softmax": torch.softmax, "lgamma": torch.lgamma,
        "stop": lambda x: x.detach(), "real": lambda x: x.to(torch.float32),
        "stack": lambda xs, axis: torch.stack(torch.broadcast_tensors(*xs), axis),
        "const": lambda x: torch.tensor(x, dtype=torch.float32 if isinstance(x, float) else None),
    }  # fmt: skip
    functions = [_function(p, space) for p in plains]
    inputs = [{n: torch.as_tensor(a[n]) for n in p.names} for p, a in zip(plains, arrays, strict=True)]
    wanted = [each[n].requires_grad_() for p, each in zip(plains, inputs, strict=True) for n in p.wrt]

    def everything(all_inputs):
        outs = [f(**each) for f, each in zip(functions, all_inputs, strict=True)]
        return [total for total, _ in outs], [value for _, value in outs]

    totals, values = wrap(everything)(inputs)
    flowing = [t for t in totals if t.requires_grad]
    grads = iter(
        torch.autograd.grad(flowing, wanted, [torch.ones_like(t) for t in flowing], allow_unused=True)
    )
    found: list[Found] = []
    for p, each, value in zip(plains, inputs, values, strict=True):
        got = {n: (g, each[n]) for n, g in zip(p.wrt, grads, strict=False)}
        found.append(
            (
                value.detach().numpy(),
                {n: (torch.zeros_like(x) if g is None else g).numpy() for n, (g, x) in got.items()},
            )
        )
    return found


def jax_jit(plains: Sequence[Plain], arrays: Sequence[Arrays]) -> list[Found]:
    """``jax.grad`` of every total, the whole under ``jax.jit``."""
    import jax
    import jax.numpy as jnp

    space = {
        "inf": np.inf, "lib": jnp, "normal_cdf": jax.scipy.special.ndtr,
        "erf": jax.scipy.special.erf, "erfc": jax.scipy.special.erfc, "sigmoid": jax.nn.sigmoid,
        "softplus": jax.nn.softplus, "softmax": jax.nn.softmax, "lgamma": jax.scipy.special.gammaln,
        "stop": jax.lax.stop_gradient, "real": lambda x: jnp.asarray(x, jnp.float32),
        "stack": lambda xs, axis: jnp.stack(jnp.broadcast_arrays(*xs), axis),
        "const": lambda x: jnp.asarray(x, jnp.float32 if isinstance(x, float) else None),
    }  # fmt: skip
    functions = [_function(p, space) for p in plains]

    def everything(all_wanted, all_rest):
        out = []
        for f, wanted, rest in zip(functions, all_wanted, all_rest, strict=True):
            (_, value), grads = jax.value_and_grad(lambda w, f=f, rest=rest: f(**w, **rest), has_aux=True)(
                wanted
            )
            out.append((value, grads))
        return out

    wanted = [{n: jnp.asarray(a[n]) for n in p.wrt} for p, a in zip(plains, arrays, strict=True)]
    rest = [
        {n: jnp.asarray(a[n]) for n in p.names if n not in p.wrt} for p, a in zip(plains, arrays, strict=True)
    ]
    found = jax.jit(everything)(wanted, rest)
    return [(np.asarray(v), {n: np.asarray(g) for n, g in grads.items()}) for v, grads in found]


def pytensor_function(plains: Sequence[Plain], arrays: Sequence[Arrays]) -> list[Found]:
    """``pytensor.grad`` and ``pytensor.function`` in the usual mode, which rewrites for stability."""
    import pytensor
    import pytensor.tensor as pt

    pytensor.config.floatX = "float32"
    space = {
        "inf": np.inf, "lib": pt, "normal_cdf": lambda x: 0.5 * pt.erfc(-x / 2**0.5),
        "erf": pt.erf, "erfc": pt.erfc, "sigmoid": pt.sigmoid, "softplus": pt.softplus,
        "softmax": pt.special.softmax, "lgamma": pt.gammaln, "stop": pytensor.gradient.disconnected_grad,
        "real": lambda x: pt.cast(x, "float32"), "stack": lambda xs, axis: pt.stack(pt.broadcast_arrays(*xs), axis),
        "const": lambda x: pt.constant(x, dtype="float32" if isinstance(x, float) else None),
    }  # fmt: skip
    variables: list[Any] = []
    outputs: list[Any] = []
    for p, a in zip(plains, arrays, strict=True):
        each = {n: pt.tensor(n, dtype=a[n].dtype, shape=a[n].shape) for n in p.names}
        total, value = _function(p, space)(**each)
        variables += each.values()
        grads: Any = pytensor.grad(total, [each[n] for n in p.wrt], disconnected_inputs="ignore")
        outputs += [value, *grads]
    run = pytensor.function(variables, outputs, on_unused_input="ignore")
    got = iter(run(*(a[n] for p, a in zip(plains, arrays, strict=True) for n in p.names)))
    return [(next(got), {n: next(got) for n in p.wrt}) for p in plains]


#: The columns: the language of the translation, and what runs it.
RUNNERS: dict[str, tuple[str, Runner]] = {
    "torch eager": ("torch", torch_eager),
    "torch.compile": ("torch", torch_compiled),
    "jax.jit": ("jax", jax_jit),
    "PyTensor": ("pytensor", pytensor_function),
}

"""The text around the emitted functions: one part for all backends, one for each."""

from __future__ import annotations

#: Needs _INPUTS, _HYPERS, _SIZES, _TOTAL, _TERMS, _WEIGHTED, _REPORTS, _COUNT, and a backend's part.
COMMON = '''
def _bind(inputs, hypers, step):
    """The arguments of the functions, in order and in the computing type, and that type."""
    sizes = dict(_SIZES)
    arrays = {name: _array(value) for name, value in inputs.items()}
    for name, array in arrays.items():
        axes = _INPUTS[name][0]
        if array.ndim != len(axes):
            raise ValueError(f"{name} should have the axes [{', '.join(axes)}], not the shape {tuple(array.shape)}")
        for axis, size in zip(axes, array.shape):
            if sizes.setdefault(axis, size) != size:
                raise ValueError(f"the axis {axis} has size {sizes[axis]} elsewhere, but {size} in {name}")
    real = _computing_type([array for name, array in arrays.items() if _INPUTS[name][2]])
    device = _device(arrays)
    bound = [_cast(array, _INPUTS[name][1], real, device) for name, array in arrays.items()]
    bound += [_cast(_array(_at_step(name, value, step)), "real", real, device) for name, value in hypers.items()]
    return bound, real


def _at_step(name, value, step):
    """The value of a hyperparameter, which may follow a schedule."""
    if not isinstance(value, tuple) or not isinstance(value[0], str):
        return value
    form, start, end, steps = value
    if step is None:
        raise ValueError(f"{name} follows a schedule: give step=, or {name}= a number")
    done = min(max(step / steps, 0.0), 1.0) if steps > 0 else 1.0
    if form == "linear":
        return start + (end - start) * done
    if form == "cosine":
        return start + (end - start) * (1 - math.cos(math.pi * done)) / 2
    return start * (end / start) ** done if form == "exponential" else start


def _named(results):
    """The results of a function under their names."""
    return {
        "total": results[_TOTAL],
        "terms": {name: results[at] for name, at in _TERMS.items()},
        "weighted": {name: results[at] for name, at in _WEIGHTED.items()},
        "reports": {name: results[at] for name, at in _REPORTS.items()},
    }
'''

GRADIENTS = '''
def _gradients(inputs, results):
    """Gradients by name, in the types of their inputs."""
    found = {}
    for name, gradient in zip(_WRT, results[_COUNT:]):
        array = _array(inputs[name])
        found[name] = _retype(gradient, array.dtype) if _is_floating(array) else gradient
    return found
'''

NUMPY = """
def _array(value):
    return np.asarray(value)


def _is_floating(array):
    return array.dtype.kind == "f"


def _computing_type(arrays):
    return np.float64 if any(array.dtype == np.float64 for array in arrays) else np.float32


def _device(arrays):
    return None


def _cast(array, element, real, device):
    return array.astype({"real": real, "int": np.int64, "bool": np.bool_}[element], copy=False)


def _retype(array, dtype):
    return array.astype(dtype, copy=False)
"""

TORCH = """
def _array(value):
    return torch.as_tensor(value)


def _is_floating(array):
    return array.is_floating_point()


def _computing_type(arrays):
    return torch.float64 if any(array.dtype == torch.float64 for array in arrays) else torch.float32


def _device(arrays):
    return next((array.device for array in arrays.values() if array.ndim), None)


def _cast(array, element, real, device):
    return array.to(device=device, dtype={"real": real, "int": torch.int64, "bool": torch.bool}[element])


def _retype(array, dtype):
    return array.to(dtype)
"""

#: The total as one step of autograd whose backward scales gradients that the forward has computed.
TORCH_TOTAL = """
class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx, real, *arrays):
        results = compute_with_gradients(*arrays, real)
        ctx.save_for_backward(*results[_COUNT:])
        ctx.mark_non_differentiable(*(r for at, r in enumerate(results[:_COUNT]) if at != _TOTAL))
        return results[:_COUNT]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *cotangents):
        gradients = [None] * (1 + len(_INPUTS) + len(_HYPERS))
        for at, gradient in zip(_WRT_AT, ctx.saved_tensors):
            gradients[1 + at] = cotangents[_TOTAL] * gradient
        return tuple(gradients)


def _evaluate(arrays, real):
    if torch.is_grad_enabled() and any(arrays[at].requires_grad for at in _WRT_AT):
        return _Total.apply(real, *arrays)
    return compute(*arrays, real)
"""

JAX = """
def _array(value):
    return jnp.asarray(value)


def _is_floating(array):
    return jnp.issubdtype(array.dtype, jnp.floating)


def _computing_type(arrays):
    return jnp.float64 if any(array.dtype == jnp.float64 for array in arrays) else jnp.float32


def _device(arrays):
    return None


def _cast(array, element, real, device):
    integer = jnp.int64 if jax.config.jax_enable_x64 else jnp.int32
    return array.astype({"real": real, "int": integer, "bool": jnp.bool_}[element])


def _retype(array, dtype):
    return array.astype(dtype)
"""

#: The total with the derivative that the emitted function gives; the other results carry none.
JAX_TOTAL = """
@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _total(real, *arrays):
    return compute(*arrays, real)[_TOTAL]


@_total.defjvp
def _total_jvp(real, primals, tangents):
    results = compute_with_gradients(*primals, real)
    tangent = sum(jnp.sum(g * tangents[at]) for at, g in zip(_WRT_AT, results[_COUNT:]))
    return results[_TOTAL], tangent


def _evaluate(arrays, real):
    results = list(compute(*(jax.lax.stop_gradient(array) for array in arrays), real))
    results[_TOTAL] = _total(real, *arrays)
    return tuple(results)
"""

PLAIN = """
def _evaluate(arrays, real):
    return compute(*arrays, real)
"""

IMPORTS = {
    "numpy": "import math\nfrom math import inf, nan\n\nimport numpy as np\n",
    "torch": "import math\nfrom math import inf, nan\n\nimport torch\n",
    "jax": "import math\nfrom functools import partial\nfrom math import inf, nan\n\nimport jax\nimport jax.numpy as jnp\n",
}
BACKEND = {"numpy": NUMPY, "torch": TORCH, "jax": JAX}
TOTAL = {"numpy": PLAIN, "torch": TORCH_TOTAL, "jax": JAX_TOTAL}

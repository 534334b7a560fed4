"""Where the arrays of a framework are put, for what makes arrays itself: ``verify``, ``test``, ``run``.

A device is named as PyTorch names it (``cuda``, ``cuda:1``, ``mps``); under JAX the name is a platform and a
number. None is the framework's own choice. NumPy computes on the CPU, whatever the device.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from losslang.errors import InputError


def converter(backend: str, device: str | None = None) -> Callable[[Any], Any]:
    """Makes a framework's arrays of NumPy's.

    Raises:
        InputError: the framework has no such device.
    """
    import numpy as np

    if backend == "torch":
        import torch

        where = None if device is None else _torch_device(device)
        return lambda array: torch.tensor(np.asarray(array), device=where)
    if backend == "jax":
        import jax

        place = None if device is None else _jax_device(device)
        return lambda array: jax.device_put(jax.numpy.asarray(np.asarray(array)), place)
    return np.asarray


def surroundings(backend: str, device: str | None) -> Callable[[], AbstractContextManager[Any]]:
    """What code that has no inputs to go by must stand in, to compute on a device.

    Raises:
        InputError: the framework has no such device.
    """
    if device is None or backend == "numpy":
        return nullcontext
    if backend == "torch":
        where = _torch_device(device)
        return lambda: where
    import jax

    place = _jax_device(device)
    return lambda: jax.default_device(place)


def _torch_device(name: str) -> Any:
    import torch

    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise _unknown("PyTorch", name, error) from None
    return device


def _jax_device(name: str) -> Any:
    import jax

    platform, _, number = name.partition(":")
    try:
        return jax.devices(platform)[int(number or 0)]
    except (RuntimeError, ValueError, IndexError) as error:
        raise _unknown("JAX", name, error) from None


def _unknown(framework: str, name: str, error: Exception) -> InputError:
    return InputError(f"{framework} has no device `{name}` here: {str(error).strip().splitlines()[0]}")

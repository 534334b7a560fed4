"""The compiled loss on one backend, called with NumPy arrays and answering in them."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslang.devices import converter
from losslang.verify.inputs import Case

Array = NDArray[Any]
BACKENDS = ("numpy", "torch", "jax")


@dataclass(frozen=True)
class Results:
    """``values``: scalars and reports under ``total``, ``term x``, ``weighted x``, ``report x``;
    ``gradients``: by input name, then key of a collection (None otherwise)."""

    values: dict[str, Array]
    gradients: dict[tuple[str, str | None], Array]


def installed() -> tuple[str, ...]:
    """The backends whose library is there."""
    return tuple(b for b in BACKENDS if importlib.util.find_spec(b) is not None)


class Subject:
    """``compiled``: a ``CompiledLoss``; ``device``: where its inputs are put."""

    def __init__(self, backend: str, compiled: Any, device: str | None = None) -> None:
        self.backend = backend
        self.compiled = compiled
        self.device = device
        self._convert = converter(backend, device)
        self._jitted: dict[tuple[Any, ...], Any] = {}

    def accepts(self, dtype: str) -> bool:
        """Whether the backend computes in a type now (JAX has float64 behind a switch)."""
        if self.backend != "jax" or dtype != "float64":
            return True
        import jax

        return bool(getattr(jax.config, "jax_enable_x64"))  # noqa: B009  (its type does not list it)

    def run(self, case: Case) -> Results:
        """The output and the total's gradients for the default inputs."""
        arguments: dict[str, Any] = {}
        for name, value in case.arrays.items():
            if isinstance(value, Mapping):
                arguments[name] = {k: self._convert(v) for k, v in value.items()}
            else:
                arguments[name] = self._convert(value)
        hypers = dict(case.hypers)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out, grads = self._call(arguments, hypers)
            values = {"total": out.total}
            for prefix, group in (("term", out.terms), ("weighted", out.weighted), ("report", out.reports)):
                values |= {f"{prefix} {name}": value for name, value in group.items()}
            found = {name: _numpy(value) for name, value in values.items()}
            gradients: dict[tuple[str, str | None], Array] = {}
            for name, value in grads.items():
                if isinstance(value, Mapping):
                    gradients |= {(name, key): _numpy(v) for key, v in value.items()}
                else:
                    gradients[name, None] = _numpy(value)
        return Results(found, gradients)

    def _call(self, arguments: dict[str, Any], hypers: dict[str, Any]) -> Any:
        """JAX under ``jit``, as it is used: operation by operation it would compile for each."""
        call = self.compiled.value_and_grad()
        if self.backend != "jax":
            return call(**arguments, **hypers)
        import jax

        key = tuple(sorted(hypers.items()))
        if key not in self._jitted:
            self._jitted[key] = jax.jit(lambda given: call(**given, **hypers))
        return self._jitted[key](arguments)


def _numpy(value: Any) -> Array:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)

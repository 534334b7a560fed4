"""Losses written as mathematics, compiled to checked, stable callables for NumPy, PyTorch and JAX.

    import losslang

    fn = losslang.compile("specs/sgl.loss", backend="torch")
    out = fn(positive=..., negative=..., view1=..., view2=..., table=...)
    out.total.backward()

Nothing is imported before it is used: neither the parser nor any array library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losslang.compiler import check, compile, load
    from losslang.diagnostics import Diagnostic
    from losslang.errors import InputError, LosslangError, MissingBackend, SpecError
    from losslang.runtime.loss import CompiledLoss
    from losslang.runtime.results import Output
    from losslang.spec import Spec

__version__ = "0.1.0"

_HOMES = {
    "load": "compiler",
    "compile": "compiler",
    "check": "compiler",
    "Spec": "spec",
    "SpecError": "errors",
    "InputError": "errors",
    "LosslangError": "errors",
    "MissingBackend": "errors",
    "Diagnostic": "diagnostics",
    "CompiledLoss": "runtime.loss",
    "Output": "runtime.results",
}

__all__ = [
    "CompiledLoss",
    "Diagnostic",
    "InputError",
    "LosslangError",
    "MissingBackend",
    "Output",
    "Spec",
    "SpecError",
    "__version__",
    "check",
    "compile",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"losslang.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

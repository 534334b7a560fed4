"""The backends: each turns graph functions into the readable source of a Python module.

A backend is a table from primitive to code template and the few places where the frameworks
really differ (``numpy_.py``, ``torch_.py``, ``jax_.py``), over one shared emitter. No framework is
imported here: only running the emitted source needs one. Adding an op is one row per backend.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from losslang.backends import arithmetic, chains, moves, reductions, softmaxes  # noqa: F401  (they fill the emitter's table)
from losslang.backends.backend import Backend
from losslang.backends.emitter import emit_module
from losslang.backends.underflow import lifted

from losslang.program import Function

#: Backend name to the module that holds its ``BACKEND``.
BACKENDS: dict[str, str] = {
    "numpy": "losslang.backends.numpy_",
    "torch": "losslang.backends.torch_",
    "jax": "losslang.backends.jax_",
}


@cache
def backend(name: str) -> Backend:
    """The backend called ``name``; KeyError if there is none."""
    found: Backend = import_module(BACKENDS[name]).BACKEND
    return found


def emit(functions: Sequence[Function], name: str) -> str:
    """The source of a module with one ``def`` for each function, on the backend ``name``.

    The module imports its framework only; the helpers that it uses are part of the text. Every
    function takes its parameters in order and then ``real``, the computing type, and returns a tuple.
    """
    found = backend(name)
    return emit_module([lifted(each) for each in functions] if found.flushes else functions, found)


def load(source: str, name: str) -> dict[str, Any]:
    """Runs emitted source in a fresh namespace and returns it; tracebacks show its lines.

    The namespace is that of a module, since Dynamo looks up a function's globals through its module.
    """
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    filename = f"<losslang {name} {digest}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = ModuleType(f"losslang_{name}_{digest}")
    exec(compile(source, filename, "exec"), module.__dict__)
    return sys.modules.setdefault(module.__name__, module).__dict__


__all__ = ["BACKENDS", "Backend", "backend", "emit", "load"]

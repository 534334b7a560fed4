"""Which framework a value belongs to, found without importing any."""

from __future__ import annotations

import sys
from typing import Any


def framework_of(value: Any) -> str | None:
    """``torch``, ``jax`` or ``numpy`` for their arrays (subclasses too), else None."""
    module = type(value).__module__.split(".")[0]
    if module in ("jax", "jaxlib"):
        return "jax"
    if module == "numpy":
        return "numpy"
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return "torch"
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return "numpy"
    return None


def category_of_letter(letter: str) -> str:
    """The category of a NumPy ``dtype.kind``."""
    return {"b": "bool", "u": "unsigned", "i": "int", "f": "float", "c": "complex"}.get(letter, "other")

"""What a call of a compiled loss returns."""

from __future__ import annotations

from typing import Any


class Output:
    """The value of a loss.

    ``total`` is the scalar to minimize; ``terms`` and ``weighted`` hold the scalars of the objective by
    name, before and after their weights (``weighted["offset"]`` is the part of the objective without
    terms, if it has one), and the weighted ones add up to ``total``; ``reports`` holds what is
    returned beside the loss, its axes in order of first appearance in the inputs.

    A pytree under JAX and PyTorch.
    """

    total: Any
    terms: dict[str, Any]
    weighted: dict[str, Any]
    reports: dict[str, Any]

    def __init__(
        self, total: Any, terms: dict[str, Any], weighted: dict[str, Any], reports: dict[str, Any]
    ) -> None:
        self.total = total
        self.terms = terms
        self.weighted = weighted
        self.reports = reports

    def __repr__(self) -> str:
        parts = [f"total={_shown(self.total)}"]
        for name, values in (("terms", self.terms), ("weighted", self.weighted), ("reports", self.reports)):
            if values:
                inner = ", ".join(f"{key!r}: {_shown(value)}" for key, value in values.items())
                parts.append(f"{name}={{{inner}}}")
        return f"Output({', '.join(parts)})"


def children(output: Output) -> list[Any]:
    """What a tree of containers sees inside an output."""
    return [output.total, output.terms, output.weighted, output.reports]


def _shown(value: Any) -> str:
    """A number to six digits, an array by its type and shape, anything else (a tracer) as it shows itself."""
    shape = getattr(value, "shape", None)
    if shape is None or not hasattr(value, "dtype"):
        return repr(value)
    if len(shape) > 0:
        return f"<{str(value.dtype).removeprefix('torch.')}{list(shape)}>"
    try:
        return f"{float(value.detach() if hasattr(value, 'detach') else value):.6g}"
    except (TypeError, RuntimeError):
        return repr(value)

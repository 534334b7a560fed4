"""Compiled entries against the truth of their naive formulas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import losslang
from losslang.ir import Node
from losslang.lowered import LoweredLoss
from losslang.truth import truth, truth_gradient

from .entries import Entry
from .points import MODELS, points_of, spec_of

VALUE, GRADIENT = 1e-5, 1e-4
TINY = 2.0**-126


@dataclass(frozen=True)
class Judged:
    """``right``: one boolean for each value and gradient entry whose truth is known."""

    entry: Entry
    values: NDArray[np.bool_]
    gradients: dict[str, NDArray[np.bool_]]
    detail: str

    @property
    def points(self) -> NDArray[np.bool_]:
        """Whether all of a point is right: its value and its gradients."""
        each = self.values.reshape(len(self.values), -1).all(1)
        for g in self.gradients.values():
            each = each & g.reshape(len(g), -1).all(1)
        return np.asarray(each)


@dataclass(frozen=True)
class Reference:
    """The truth of an entry with the slack that the rounding of its inputs gives."""

    arrays: dict[str, NDArray[np.generic]]
    value: NDArray[np.float64]
    value_slack: NDArray[np.float64]
    gradients: dict[str, NDArray[np.float64]]
    slacks: dict[str, NDArray[np.float64]]


def lowered_of(entry: Entry) -> LoweredLoss:
    from losslang.checker import elaborate

    return elaborate(losslang.load(spec_of(entry)), None, None)


def reference(entry: Entry) -> Reference:
    lowered = lowered_of(entry)
    arrays = points_of(entry)
    nodes = {i.name: i.leaves[0] for i in lowered.inputs}
    wrt = [n for n, kind in entry.inputs.items() if kind.split(" ")[0] in MODELS and n in nodes]
    report = lowered.reports[0]
    total = lowered.terms[0].node
    inputs = {n: arrays[n] for n in nodes}

    def at(changed: dict[str, NDArray[np.generic]]) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        (value,) = truth([report.node], changed)
        grads = truth_gradient(total, [nodes[n].node for n in wrt], changed)
        return _floats(value, report.axes), [
            _floats(g, nodes[n].axes) for g, n in zip(grads, wrt, strict=True)
        ]

    value, gradients = at(inputs)
    slack = np.zeros_like(value)
    slacks = [np.zeros_like(g) for g in gradients]
    for name in wrt:
        for place in _places(arrays[name]):
            moved = _nudged(arrays[name], place)
            other, others = at({**inputs, name: moved})
            with np.errstate(all="ignore"):
                slack += _gap(other, value)
                for s, g, o in zip(slacks, gradients, others, strict=True):
                    s += _gap(o, g)
    return Reference(
        arrays, value, slack, dict(zip(wrt, gradients, strict=True)), dict(zip(wrt, slacks, strict=True))
    )


def _gap(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    gap = np.abs(a - b)
    return np.where(np.isfinite(gap), gap, 0.0)


def _floats(t: object, axes: tuple[str, ...]) -> NDArray[np.float64]:
    array: NDArray[np.float64] = t.floats(axes)  # type: ignore[attr-defined]
    decided = np.transpose(t.decided, [t.array.axes.index(a) for a in axes])  # type: ignore[attr-defined]
    return np.where(decided, array, np.nan)


def _places(array: NDArray[np.generic]) -> list[tuple[int, ...]]:
    return [()] if array.ndim == 1 else [(j,) for j in range(array.shape[1])]


def _nudged(array: NDArray[np.generic], place: tuple[int, ...]) -> NDArray[np.generic]:
    """One unit in the last place towards 0 (towards where every kind goes on)."""
    moved = array.copy()
    at = (slice(None), *place)
    moved[at] = np.nextafter(moved[at], np.float32(0.0))
    return moved


def judge(entry: Entry, backend: str = "numpy", rewrite: bool = True, ref: Reference | None = None) -> Judged:
    ref = ref or reference(entry)
    fn = losslang.compile(spec_of(entry), backend=backend, rewrite=rewrite)
    inputs = {n: a for n, a in ref.arrays.items() if n in {s.name for s in lowered_of(entry).inputs}}
    if backend == "torch":
        import torch

        inputs = {n: torch.as_tensor(a) for n, a in inputs.items()}
    wrt = tuple(ref.gradients)
    with np.errstate(all="ignore"):
        out, grads = fn.value_and_grad(wrt=wrt)(**inputs)
    got = _doubles(out.reports["value"])
    values = _right(got, ref.value, VALUE, ref.value_slack)
    found = {n: _doubles(grads[n]) for n in wrt}
    gradients = {n: _right(found[n], ref.gradients[n], GRADIENT, ref.slacks[n]) for n in wrt}
    return Judged(entry, values, gradients, _detail(ref, got, values, found, gradients))


def _doubles(value: Any) -> NDArray[np.float64]:
    return np.asarray(value.cpu() if hasattr(value, "cpu") else value, dtype=np.float64)


def _right(
    got: NDArray[np.float64], true: NDArray[np.float64], relative: float, slack: NDArray[np.float64]
) -> NDArray[np.bool_]:
    with np.errstate(all="ignore"):
        close = np.abs(got - true) <= relative * np.abs(true) + 2 * slack + TINY
        beyond = (np.abs(true) > 3.4028235e38) & (np.sign(got) == np.sign(true)) & (np.abs(got) > 3e38)
    return close | beyond | np.isnan(true)


def _detail(
    ref: Reference, got: NDArray[np.float64], values: NDArray[np.bool_], found: dict[str, NDArray[np.float64]],
    gradients: dict[str, NDArray[np.bool_]],
) -> str:  # fmt: skip
    lines: list[str] = []
    for i in range(len(values)):
        at = ", ".join(
            f"{n}={a[i]!r}" if a.ndim == 1 else f"{n}={a[i].tolist()}" for n, a in ref.arrays.items()
        )
        if not values[i].all():
            lines.append(f"    value at {at}: {got[i]} for {ref.value[i]}")
        for n, right in gradients.items():
            if not right[i].all():
                lines.append(f"    d/d{n} at {at}: {found[n][i]} for {ref.gradients[n][i]}")
    return "\n".join(lines)


__all__ = ["Judged", "Node", "Reference", "judge", "reference"]

"""Extreme float32 numbers for each kind, and the spec that works an entry out at all of them."""

from __future__ import annotations

from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from .entries import Entry

LOGITS = (
    0.0,
    1e-8,
    -1e-4,
    0.3,
    -0.7,
    2.5,
    -5.0,
    17.0,
    -17.0,
    30.0,
    -30.0,
    88.7,
    -88.7,
    104.0,
    -104.0,
    1e3,
    -1e3,
    1e4,
    -1e4,
)
REALS = (0.0, 1e-8, -1e-4, 0.5, -1.0, 3.0, -20.0, 50.0, 1e3, -1e4, 1e4)
POSITIVES = (1e-30, 1e-20, 1e-10, 1e-3, 0.5, 1.0, 1.5, 3.0, 1e3, 1e10, 1e20, 1e30)
PROBS = (0.0, 1e-30, 1e-8, 1e-3, 0.25, 0.5, 0.9, 1 - 1e-3, 1 - 1e-7, 1.0)

NUMBERS = {
    "logit": LOGITS,
    "real": REALS,
    "small": REALS,
    "tiny": REALS,
    "positive": POSITIVES,
    "weight": (0.0, *POSITIVES),
    "prob": PROBS,
    "target": (0.0, 1.0, 1.0, 0.0, 0.3),
    "cosine": (0.5,),
    "logprob": (-1e-8, -1.0, -50.0),
    "count": (0, 1, 2, 10, 100),
}

#: The kind in the language for each kind of points.
WRITTEN = {"small": "real", "tiny": "real", "target": "prob", "cosine": "real"}
MODELS = ("logit", "real", "small", "tiny", "positive", "prob", "cosine", "logprob", "weight")


def spec_of(entry: Entry) -> str:
    """A loss whose report ``value`` is the entry at every ``i`` and whose term is their sum."""
    lines = ["loss entry"]
    axes = [f"axis {axis} = {size}" for axis, size in entry.sizes.items()]
    for name, kind in entry.inputs.items():
        base, axis = _parts(kind)
        word = WRITTEN.get(base, base)
        if base == "label":
            lines.append(f"  input {name} : label[i] of {axis}")
            continue
        shape = f"i, {axis}" if axis else "i"
        over = (
            f" over {axis}"
            if base in ("logit", "prob") and axis and base == "logit" and len(entry.sizes)
            else ""
        )
        lines.append(f"  input {name} : {word}[{shape}]{over}")
    lines.append(f"  report value = {entry.text}")
    lines.append(f"  term total = sum[i]({entry.text if not _spread(entry) else f'sum[k]({entry.text})'})")
    lines.append("  minimize total")
    return "\n".join([*axes, *lines])


def _spread(entry: Entry) -> bool:
    return entry.text.endswith("along k")


def _parts(kind: str) -> tuple[str, str | None]:
    if " of " in kind:
        base, axis = kind.split(" of ")
        return base, axis
    base, _, axis = kind.partition(" over ")
    return base, axis or None


def points_of(entry: Entry) -> dict[str, NDArray[np.generic]]:
    """An array for every input; all have the same number of points along their first dimension."""
    kinds = {name: _parts(kind) for name, kind in entry.inputs.items()}
    plain = [n for n, (base, axis) in kinds.items() if axis is None and n not in entry.points]
    if len(kinds) == 1 and plain:
        return {plain[0]: _typed(NUMBERS[kinds[plain[0]][0]], kinds[plain[0]][0])}
    if entry.points and all(axis is None for _, axis in kinds.values()):
        return {n: _typed(_listed(entry, n, kinds[n][0]), kinds[n][0]) for n in kinds}
    return _mixed(entry, kinds)


def _listed(entry: Entry, name: str, base: str) -> list[float]:
    count = max(len(p) for p in entry.points.values())
    return list(islice(cycle(entry.points.get(name, NUMBERS[base])), count))


def _mixed(entry: Entry, kinds: dict[str, tuple[str, str | None]]) -> dict[str, NDArray[np.generic]]:
    """Pseudo-random combinations, the same every time."""
    random = np.random.default_rng(7)
    count = 24
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, (base, axis) in kinds.items():
        if base == "label":
            arrays[name] = random.integers(0, entry.sizes[axis or ""], count)
        elif base == "mask":
            mask = random.random((count, entry.sizes[axis or ""])) < 0.6
            mask[:, 0] = True
            arrays[name] = mask
        elif axis is None:
            numbers = np.array(entry.points.get(name, NUMBERS[base]))
            arrays[name] = _typed(random.choice(numbers, count), base)
        elif name in entry.points:
            width = entry.sizes[axis]
            listed = np.array(entry.points[name])
            if base == "weight" or listed.size % width:
                arrays[name] = _typed(random.choice(listed, (count, width)), base)
            else:
                arrays[name] = _typed(listed.reshape(-1, width), base)
        else:
            arrays[name] = _typed(_rows(random, base, count, entry.sizes[axis]), base)
    lengths = {len(a) for a in arrays.values()}
    shortest = min(lengths)
    return {n: a[:shortest] for n, a in arrays.items()}


def _rows(random: np.random.Generator, base: str, count: int, width: int) -> NDArray[np.float64]:
    numbers = np.array(NUMBERS[base])
    rows = random.choice(numbers, (count, width))
    usual = random.normal(size=(count, width)) * 3
    rows[: count // 4] = usual[: count // 4]
    rows[count // 4 : count // 2] = usual[count // 4 : count // 2] * 30
    if base == "prob":
        return _distributions(random, rows)
    return (
        np.minimum(rows, 0.0)
        if base == "logprob"
        else np.abs(rows)
        if base in ("positive", "weight")
        else rows
    )


def _distributions(random: np.random.Generator, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distributions along the last axis, some with parts of exactly 0 and 1."""
    with np.errstate(under="ignore"):
        parts = np.exp(logits - logits.max(-1, keepdims=True))
    parts[::5, 0] = 0.0
    parts[3::7, 1:] = 0.0
    total = parts.sum(-1, keepdims=True)
    return np.where(total > 0, parts / np.where(total > 0, total, 1.0), 1 / parts.shape[-1])


def _typed(numbers: object, base: str) -> NDArray[np.generic]:
    return np.asarray(numbers, dtype=np.int64 if base == "count" else np.float32)

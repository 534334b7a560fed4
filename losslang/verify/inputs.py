"""Inputs made from declared kinds and axes: ordinary ones, and every corner that a kind has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslang.interval import Interval
from losslang.ir import Node, walk
from losslang.kinds import Kind
from losslang.lowered import LoweredHyper, LoweredLoss, Schedule
from losslang.verify.lengths import lengths as lengths_of

Array = NDArray[Any]

#: How the values of a case are drawn, in the order in which cases are tried.
REGIMES = (
    "ordinary",
    "extreme",
    "ties",
    "one extreme",
    "all masked",
    "zeros",
    "single",
    "large",
    "edges",
    "small",
)
FLOATS: dict[str, tuple[float, float, float]] = {
    # the largest real, the smallest and the largest positive
    "float16": (65504.0, 2.0**-14, 65504.0),
    "float32": (1e4, 1e-30, 1e30),
    "float64": (1e4, 1e-30, 1e30),
}


@dataclass(frozen=True)
class Case:
    """Arguments for a compiled loss. ``arrays``: by input name an array, or a dict for a collection;
    ``hypers``: numbers by name, for every hyperparameter; ``sizes``: the lengths of the inputs' axes."""

    name: str
    dtype: str
    arrays: Mapping[str, Any]
    hypers: Mapping[str, Any]
    sizes: Mapping[str, int]

    def leaves(self, lowered: LoweredLoss) -> dict[str, Array]:
        """The arrays by the names of the graph's input nodes, as the computing type sees them."""
        real = np.float64 if self.dtype == "float64" else np.float32
        found: dict[str, Array] = {}
        for each in lowered.inputs:
            for leaf in each.leaves:
                value = self.arrays[each.name]
                found[leaf.node.attr[0]] = np.asarray(value if leaf.key is None else value[leaf.key])
        for hyper in lowered.hypers:
            found[hyper.node.attr[0]] = np.asarray(self.hypers[hyper.name], real)
        return found

    def with_leaf(self, lowered: LoweredLoss, name: str, value: Array) -> Case:
        """This case with the array of one input node exchanged."""
        for each in lowered.inputs:
            for leaf in each.leaves:
                if leaf.node.attr[0] == name:
                    held = self.arrays[each.name]
                    new = value if leaf.key is None else {**held, leaf.key: value}
                    return replace(self, arrays={**self.arrays, each.name: new})
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """Keyword arguments as nested lists."""
        shown = {k: _listed(v) for k, v in self.arrays.items()}
        return {**shown, **{k: _listed(v) for k, v in self.hypers.items()}}


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _listed(v) for k, v in value.items()}
    return np.asarray(value).tolist()


def cases(lowered: LoweredLoss, rng: np.random.Generator, dtypes: Sequence[str]) -> Iterable[Case]:
    """Cases without end: the regimes in turn, in the first of the types, then in the next."""
    turn = 0
    while True:
        for regime in REGIMES:
            yield make(lowered, rng, regime, dtypes[turn % len(dtypes)], turn)
        turn += 1


def make(lowered: LoweredLoss, rng: np.random.Generator, regime: str, dtype: str, turn: int = 0) -> Case:
    """One case of a regime. Lengths change with the turn only: some backends compile for every shape.

    Raises:
        Unsatisfiable: no lengths of the axes fit the loss.
    """
    lengths = lengths_of(lowered, np.random.default_rng(turn), regime == "single")
    places = _places(lowered, lengths)
    arrays: dict[str, Any] = {}
    for each in lowered.inputs:
        made = {
            leaf.key: _array(each.kind, leaf.axes, lengths, rng, regime, dtype, turn) for leaf in each.leaves
        }
        for leaf in each.leaves:
            if leaf.node in places:
                made[leaf.key] = made[leaf.key] % places[leaf.node]
        arrays[each.name] = made if each.collection else made[None]
    hypers = {h.name: _hyper(h, rng, turn) for h in lowered.hypers}
    return Case(f"{regime} #{turn}" if turn else regime, dtype, arrays, hypers, lengths)


def _places(lowered: LoweredLoss, lengths: Mapping[str, int]) -> dict[Node, int]:
    """How many places the counts have among which they pick: one that picks none says nothing of the loss."""
    found: dict[Node, int] = {}
    roots = [lowered.total, *(t.node for t in lowered.terms), *(r.node for r in lowered.reports)]
    for node in walk(roots):
        if node.op == "gather" and node.args[1].op == "to_int":
            length = lengths.get(str(lowered.graph.size_root(node.attr)))
            index = node.args[1].args[0]
            if length is not None and index.elem == "real":
                found[index] = min(length, found.get(index, length))
    return found


def _hyper(hyper: LoweredHyper, rng: np.random.Generator, turn: int) -> Any:
    default = hyper.default
    if isinstance(default, Schedule):
        return float(default.start + (default.end - default.start) * (0.5 if turn else 1.0))
    if (
        isinstance(default, tuple)
        or turn < 2
        or hyper.kind.name not in ("real", "positive", "weight", "prob")
    ):
        return default if isinstance(default, tuple) else float(default)
    return _other_hyper(float(default), hyper.interval)


def _other_hyper(default: float, allowed: Interval) -> float:
    """A value besides the default, so that what a default of 0 turns off is tried too."""
    inside = allowed.low + 0.3 * (allowed.high - allowed.low)
    for other in (inside, 2 * default, default + 0.5):
        if other != default and np.isfinite(other) and allowed.contains(other):
            return float(other)
    return default


def _array(
    kind: Kind,
    axes: tuple[str, ...],
    lengths: Mapping[str, int],
    rng: np.random.Generator,
    regime: str,
    dtype: str,
    turn: int,
) -> Array:
    shape = tuple(lengths[a] for a in axes)
    along = axes.index(kind.over) if kind.over in axes else None
    values: Array = _VALUES.get(kind.name, _reals)(kind, shape, along, lengths, rng, regime, dtype)
    if kind.name == "label":
        return values.astype(np.int64)
    if kind.name == "mask":
        return values.astype(bool)
    most = float(np.finfo(dtype).max)
    return np.clip(values, -most, most).astype(dtype)


def _pick(rng: np.random.Generator, shape: tuple[int, ...], choices: Sequence[float]) -> Array:
    return np.asarray(choices, dtype=float)[rng.integers(0, len(choices), shape)]


def _dealt(rng: np.random.Generator, shape: tuple[int, ...], choices: Sequence[float]) -> Array:
    """Like drawing cards: none comes twice before all came once."""
    count = int(np.prod(shape, dtype=int))
    decks = [rng.permutation(np.asarray(choices, dtype=float)) for _ in range(count // len(choices) + 1)]
    return np.asarray(np.concatenate(decks)[:count].reshape(shape))


def _sprinkled(rng: np.random.Generator, base: Array, choices: Sequence[float]) -> Array:
    """``base`` with one place exchanged for each of the extremes, as far as it has places."""
    changed = base.copy()
    places = rng.permutation(base.size)
    for place, choice in zip(places, rng.permutation(np.asarray(choices)), strict=False):
        changed.reshape(-1)[place] = choice
    return np.asarray(changed)


def _reals(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    top = FLOATS[dtype][0]
    extremes = (top, -top, 0.0, 1.0, 40.0, -104.0, 1e-4, top / 2)
    if regime == "extreme":
        return _dealt(rng, shape, extremes)
    if regime == "edges":  # where exponentials begin to be lost beside 1, and to overflow
        return _dealt(rng, shape, (-17.5, 17.5, -90.0, 90.0, -30.0, 30.0, -5.0, 0.5))
    if regime == "ties":
        return _pick(rng, shape, (-1.0, 0.0, 1.0, 1.0, 0.5))
    if regime == "zeros":
        return np.zeros(shape)
    base = rng.normal(0.0, 2.0, shape)
    if regime == "one extreme":
        return _sprinkled(rng, base, extremes[:2])
    if regime == "large":
        return np.asarray(rng.normal(0.0, 60.0, shape))
    if regime == "small":
        return np.asarray(rng.normal(0.0, 1e-3, shape))
    return np.asarray(base)


def _positives(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    _, least, most = FLOATS[dtype]
    if regime == "extreme":
        return _dealt(rng, shape, (least, most, 1.0, 1e-3, 1e3))
    if regime in ("ties", "zeros"):
        return np.ones(shape)
    base = np.exp(rng.normal(0.0, 0.7, shape))
    if regime == "one extreme":
        return _sprinkled(rng, base, (least, most))
    if regime == "large":
        return np.asarray(base * 100)
    return np.asarray(base * 1e-2 if regime == "small" else base)


def _weights(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    if regime in ("all masked", "zeros"):
        return np.zeros(shape)
    base: Array = _positives(kind, shape, along, lengths, rng, regime, dtype)
    return np.asarray(np.where(rng.random(shape) < 0.25, 0.0, base)) if regime != "single" else base


def _probs(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    if along is None:
        if regime in ("extreme", "ties", "edges"):
            return _pick(
                rng, shape, (0.0, 1.0, 0.5) if regime != "extreme" else (0.0, 1.0, 1.0 - 2.0**-11, 2.0**-14)
            )
        if regime == "zeros":
            return np.zeros(shape)
        return np.asarray(rng.uniform(0.02, 0.98, shape))
    raw = rng.exponential(1.0, shape) + 0.02
    if regime in ("extreme", "edges"):
        first = np.argmax(raw, axis=along)
        return np.asarray(np.moveaxis(np.eye(shape[along])[first], -1, along))
    if regime in ("ties", "zeros"):
        raw = np.ones(shape)
    return np.asarray(raw / raw.sum(axis=along, keepdims=True))


def _logprobs(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    if along is None:
        if regime == "extreme":
            return _pick(rng, shape, (0.0, -FLOATS[dtype][0], -1.0, -1e-4, -40.0))
        return np.zeros(shape) if regime == "zeros" else np.asarray(-rng.exponential(1.0, shape))
    logits = _reals(kind, shape, along, lengths, rng, regime, dtype)
    top = logits.max(axis=along, keepdims=True, initial=-np.inf)
    shifted = logits - top
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=along, keepdims=True)))


def _labels(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    size = lengths.get(kind.of, 1)
    drawn = rng.integers(0, max(size, 1), shape)
    if regime in ("extreme", "edges"):
        drawn = np.where(rng.random(shape) < 0.5, 0, size - 1)
    if kind.ignoring is not None:
        share = {"all masked": 1.0, "single": 0.0, "edges": 0.0}.get(regime, 0.3)
        drawn = np.where(rng.random(shape) < share, kind.ignoring, drawn)
    return np.asarray(drawn)


def _masks(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    share = {"all masked": 0.0, "single": 1.0, "edges": 1.0, "one extreme": 0.9}.get(regime, 0.65)
    return np.asarray(rng.random(shape) < share)


def _binaries(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    if regime in ("zeros", "edges"):
        return np.full(shape, float(regime == "edges"))
    return np.asarray(rng.random(shape) < 0.5, dtype=float)


def _signs(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    return np.asarray(2.0 * _binaries(kind, shape, along, lengths, rng, regime, dtype) - 1.0)


def _counts(kind: Kind, shape: Any, along: Any, lengths: Any, rng: Any, regime: str, dtype: str) -> Array:
    if regime == "zeros":
        return np.zeros(shape)
    if regime == "extreme":
        return _pick(rng, shape, (0.0, 1.0, 1000.0, 50_000.0))
    return np.asarray(rng.poisson(1.5, shape), dtype=float)


_VALUES: dict[str, Any] = {
    "positive": _positives,
    "weight": _weights,
    "prob": _probs,
    "logprob": _logprobs,
    "label": _labels,
    "mask": _masks,
    "binary": _binaries,
    "sign": _signs,
    "count": _counts,
}

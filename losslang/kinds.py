"""What a number means. The rules of conversion stand in ``losslang.checker.conversion``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from losslang.interval import EVERYTHING, NONNEGATIVE, NONPOSITIVE, POSITIVE, SIGNED_UNIT, UNIT, Interval


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind with its axes of meaning.

    ``over``: the axis along which logits, probabilities or log-probabilities form a distribution.
    ``of``: the axis that a label points into. ``ignoring``: a label's sentinel.
    """

    name: str
    over: str | None = None
    of: str | None = None
    ignoring: int | None = None

    def __str__(self) -> str:
        text = self.name
        text += f" over {self.over}" if self.over else ""
        text += f" of {self.of}" if self.of else ""
        return text


REAL = Kind("real")
POSITIVE_KIND = Kind("positive")
WEIGHT = Kind("weight")
BOOLEAN = Kind("mask")
INDEX = Kind(
    "index"
)  # positions, sizes, floors and counts of places: integers that may be compared and picked at
COUNT = Kind("count")
PROB = Kind("prob")
LOGPROB = Kind("logprob")

CONCRETE = (
    "real", "positive", "weight", "logit", "prob", "logprob", "label", "binary", "sign", "mask", "count",
    "score", "embedding", "parameter", "parameters",
)  # fmt: skip
ABSTRACT = ("bernoulli", "categorical")

#: The numbers that each kind promises.
INTERVALS: dict[str, Interval] = {
    "positive": POSITIVE,
    "weight": NONNEGATIVE,
    "prob": UNIT,
    "logprob": NONPOSITIVE,
    "label": NONNEGATIVE,
    "binary": UNIT,
    "sign": SIGNED_UNIT,
    "mask": UNIT,
    "count": NONNEGATIVE,
    "index": EVERYTHING,
}

#: The element class that carries each kind; the others are real.
ELEMENTS: dict[str, Literal["real", "int", "bool"]] = {"label": "int", "index": "int", "mask": "bool"}

#: Kinds that a model can produce: by default, gradients are taken with respect to these inputs.
DIFFERENTIABLE = (
    "real",
    "positive",
    "logit",
    "prob",
    "logprob",
    "score",
    "embedding",
    "parameter",
    "parameters",
)

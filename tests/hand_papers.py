"""What the objectives of papers/ are held against: the same formulas written out by hand in PyTorch, and data for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn import functional as f

STEP = 700

Arrays = dict[str, Any]
Random = np.random.Generator


@dataclass(frozen=True)
class Paper:
    """``data`` replaces what the kinds alone would give: an array, or a function of the generator."""

    total: Callable[[Any], Any]
    sizes: dict[str, int] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    externs: dict[str, Any] = field(default_factory=dict)


PAPERS: dict[tuple[str, str], Paper] = {}


def paper(file: str, loss: str = "", **more: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Registers the total of a loss; the only loss of a file needs no name."""

    def keep(total: Callable[[Any], Any]) -> Callable[[Any], Any]:
        assert (file, loss) not in PAPERS
        PAPERS[file, loss] = Paper(total, **more)
        return total

    return keep


def sigmoid(x: Any) -> Any:
    return torch.sigmoid(x)


def softmax(x: Any, dim: Any = -1) -> Any:
    return torch.softmax(x, dim)


def log_softmax(x: Any, dim: int = -1) -> Any:
    return torch.log_softmax(x, dim)


def unit(x: Any) -> Any:
    return x / x.norm(dim=-1, keepdim=True)


def taken(x: Any, at: Any) -> Any:
    """Entries of the last axis."""
    return torch.gather(x, -1, at.long()[..., None])[..., 0]


def cross(x: Any, y: Any) -> Any:
    return -taken(log_softmax(x), y)


def bce(z: Any, y: Any) -> Any:
    return f.softplus(z) - y * z


def huber(r: Any, delta: float = 1.0) -> Any:
    return torch.where(r.abs() <= delta, r**2 / 2, delta * (r.abs() - delta / 2))


def entropy(z: Any) -> Any:
    return -(softmax(z) * log_softmax(z)).sum(-1)


def mean(x: Any, mask: Any) -> Any:
    return x[mask].mean()


def log_normal(x: Any, mu: Any, sigma: Any) -> Any:
    return torch.distributions.Normal(mu, sigma).log_prob(x)


def lengths(*values: int) -> Any:
    return np.array(values)


def prefixes(counts: Any, size: int) -> Any:
    """A mask of the first places."""
    return torch.arange(size) < counts[..., None]


def boxes(rng: Random, *shape: int) -> Any:
    """x1 y1 x2 y2 with sides of some length, most of which overlap."""
    low = rng.uniform(0, 1, (*shape, 2))
    return np.concatenate([low, low + rng.uniform(0.5, 2, (*shape, 2))], -1)


def iou_parts(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The overlap, the union, and the sides of the hull of boxes."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - overlap
    return overlap, union, torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])


def giou(a: Any, b: Any) -> Any:
    overlap, union, hull = iou_parts(a, b)
    return 1 - overlap / union + (hull.prod(-1) - union) / hull.prod(-1)


def focal(z: Any, y: Any, gamma: float = 2, alpha: float = 0.25) -> Any:
    p = sigmoid(z)
    return torch.where(
        y == 1, -alpha * (1 - p) ** gamma * f.logsigmoid(z), -(1 - alpha) * p**gamma * f.logsigmoid(-z)
    )

"""Small pieces of the references that are written row by row, in torch."""

from __future__ import annotations

import torch
from torch import Tensor

ZERO = torch.zeros((), dtype=torch.float64)


def cosine(u: Tensor, v: Tensor) -> Tensor:
    return (u * v).sum() / (u.norm() * v.norm())


def squared(u: Tensor, v: Tensor) -> Tensor:
    return ((u - v) ** 2).sum()


def others(n: int, i: int) -> list[int]:
    return [j for j in range(n) if j != i]


def rows(n: int, row) -> Tensor:
    return torch.stack([row(i) for i in range(n)])


def total(values) -> Tensor:
    values = list(values)
    return torch.stack(values).sum() if values else ZERO


def logistic(margin: Tensor) -> Tensor:
    return torch.log1p(torch.exp(-margin))

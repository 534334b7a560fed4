"""Cases of `specs/library/segmentation.loss`."""

from __future__ import annotations

import math

import numpy as np
from parity import SIZES, Case, each
from torch import Tensor

from library_cases.peers import F, N, metrics, torch
from library_cases.rows import ZERO, squared, total


def overlap_counts(p: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return (p * y).sum(), (p * (1 - y)).sum(), ((1 - p) * y).sum()


def dice(p: Tensor, y: Tensor, smooth: float = 1.0) -> Tensor:
    return 1 - (2 * (p * y).sum() + smooth) / (p.sum() + y.sum() + smooth)


def generalized_dice(p: Tensor, y: Tensor) -> Tensor:
    """Sudre et al., 2017, classes along the first axis."""
    hit = below = ZERO
    for mine, truth in zip(p, y, strict=True):
        if truth.sum() > 0:
            hit = hit + (mine * truth).sum() / truth.sum() ** 2
            below = below + (mine + truth).sum() / truth.sum() ** 2
    return 1 - 2 * hit / below if below > 0 else ZERO


def jaccard(p: Tensor, y: Tensor, smooth: float = 1.0) -> Tensor:
    both = (p * y).sum()
    return 1 - (both + smooth) / (p.sum() + y.sum() - both + smooth)


def tversky(p: Tensor, y: Tensor, alpha: float = 0.5, beta: float = 0.5, smooth: float = 1.0) -> Tensor:
    hit, false_positive, false_negative = overlap_counts(p, y)
    return 1 - (hit + smooth) / (hit + alpha * false_positive + beta * false_negative + smooth)


def lovasz_hinge(logits: Tensor, y: Tensor) -> Tensor:
    """Berman, Rannen Triki and Blaschko, 2018: the Lovász extension evaluated set by set."""
    logits, y = logits.reshape(-1), y.reshape(-1)
    errors = 1 - logits * (2 * y - 1)
    order = sorted(range(len(errors)), key=lambda i: (-errors[i].item(), i))

    def jaccard_loss(wrong: list[int]) -> float:
        foreground = sum(float(v) for v in y)
        missed = sum(float(y[i]) for i in wrong)
        union = foreground + sum(1 - float(y[i]) for i in wrong)
        return 1 - (foreground - missed) / union if union else 0.0

    steps = [jaccard_loss(order[: k + 1]) - jaccard_loss(order[:k]) for k in range(len(order))]
    return total(torch.relu(errors[i]) * step for i, step in zip(order, steps, strict=True))


def box_parts(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Intersection and union of two boxes x1 y1 x2 y2, and the corners of the box around both."""
    low, high = torch.maximum(a[:2], b[:2]), torch.minimum(a[2:], b[2:])
    inter = torch.relu(high - low).prod()
    area = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()
    hull = torch.maximum(a[2:], b[2:]) - torch.minimum(a[:2], b[:2])
    return inter, area - inter, hull


def iou(a: Tensor, b: Tensor) -> Tensor:
    inter, union, _ = box_parts(a, b)
    return 1 - inter / union


def giou(a: Tensor, b: Tensor) -> Tensor:
    _, union, hull = box_parts(a, b)
    return iou(a, b) + (hull.prod() - union) / hull.prod()


def diou(a: Tensor, b: Tensor) -> Tensor:
    _, _, hull = box_parts(a, b)
    return iou(a, b) + squared((a[:2] + a[2:]) / 2, (b[:2] + b[2:]) / 2) / (hull**2).sum()


def ciou(a: Tensor, b: Tensor) -> Tensor:
    size_a, size_b = a[2:] - a[:2], b[2:] - b[:2]
    v = 4 / math.pi**2 * (torch.atan(size_b[0] / size_b[1]) - torch.atan(size_a[0] / size_a[1])) ** 2
    trade = (v / (iou(a, b) + v)).detach()
    return diou(a, b) + trade * v


def random_boxes() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    corners = rng.uniform(0.0, 2.0, (2, SIZES["n"], 2))
    p, q = np.concatenate([corners, corners + rng.uniform(0.5, 3.0, corners.shape)], axis=2)
    return {"p": p, "q": q}


MASKS = "p: prob[n, h, w]; y: binary[n, h, w]"
BOXES = "p: real[n, b]; q: real[n, b]"


def lovasz_softmax(p: Tensor, y: Tensor) -> Tensor:
    """Berman, Rannen Triki and Blaschko, 2018, equations 8 and 9: a class's errors as hinge errors of `lovasz_hinge`."""
    present = sorted({int(v) for v in y})

    def one(c: int) -> Tensor:
        truth = (y == c).double()
        error = (truth - p[:, c]).abs()
        return lovasz_hinge((1 - error) * (2 * truth - 1), truth)

    return total(one(c) for c in present) / len(present)


CASES = [
    Case("dice", MASKS, "dice[h, w](p, y)", N, each(dice)),
    Case("dice_of_logits", "p: logit[n, h, w]; y: binary[n, h, w]", "dice[h, w](p, y, 0.1)", N,
         lambda p, y: each(dice, smooth=0.1)(torch.sigmoid(p), y)),
    Case("jaccard", MASKS, "jaccard[h, w](p, y)", N, each(jaccard)),
    Case("tversky", MASKS, "tversky[h, w](p, y, 0.3, 0.7)", N, each(tversky, alpha=0.3, beta=0.7)),
    Case("focal_tversky", MASKS, "focal_tversky[h, w](p, y)", N, lambda p, y: each(tversky)(p, y) ** 0.75),
    Case("generalized_dice", "p: prob[n, h, w]; y: binary[n, h, w]", "generalized_dice[h, w](p, y)", N,
         each(generalized_dice)),
    Case("lovasz_hinge", "p: logit[n, h, w]; y: binary[n, h, w]", "lovasz_hinge[h, w](p, y)", N, each(lovasz_hinge)),
    *(Case(function.__name__, BOXES, f"{function.__name__}[b](p, q)", N, each(function), given=random_boxes()) for function in (iou, giou, diou, ciou)),
    Case("box_area", BOXES, "box_area[b](p)", N, each(lambda p, q: (p[2:] - p[:2]).prod()), given=random_boxes()),
    Case("box_overlap", BOXES, "box_overlap[b](p, q)", N, each(lambda p, q: box_parts(p, q)[0]), given=random_boxes()),
    Case("box_union", BOXES, "box_union[b](p, q)", N, each(lambda p, q: box_parts(p, q)[1]), given=random_boxes()),
    Case("box_hull", BOXES, "box_hull[b](p, q)", N, each(lambda p, q: box_parts(p, q)[2].prod()), given=random_boxes()),
    Case("box_slope", BOXES, "box_slope[b](p)", N, each(lambda p, q: torch.atan2(p[2] - p[0], p[3] - p[1])),
         given=random_boxes()),
    Case("no_region", MASKS, "dice[h, w](p, y) + jaccard[h, w](p, y) + tversky[h, w](p, y, 0.3, 0.7)", N,
         lambda p, y: each(dice)(p, y) + each(jaccard)(p, y) + each(tversky, alpha=0.3, beta=0.7)(p, y),
         given={"y": np.zeros((5, 3, 4))}),
    Case("squared_dice", MASKS, "squared_dice[h, w](p, y)", N,
         each(lambda p, y: 1 - (2 * (p * y).sum() + 1) / ((p**2).sum() + (y**2).sum() + 1))),
    Case("boundary", "p: prob[n, h, w]; y: real[n, h, w]", "boundary[h, w](p, y)", N, lambda p, y: (p * y).mean((1, 2))),
    Case("lovasz_softmax", "x: logit[n, t, c] over c; y: label[n, t] of c", "lovasz_softmax[c, t](x, y)", N,
         each(lambda x, y: lovasz_softmax(x.softmax(-1), y))),
    Case("gaussian_focal", "x: logit[n]; y: prob[n]", "gaussian_focal(x, y)", N, lambda x, y: torch.where(
        y == 1, (1 - x.sigmoid()) ** 2 * F.softplus(-x), (1 - y) ** 4 * x.sigmoid() ** 2 * F.softplus(x)),
        only=("x",), given={"y": [1.0, 0.5, 0.0, 1.0, 0.9]}),
    Case("distribution_focal", "x: logit[n, c] over c; y: weight[n]", "distribution_focal(x, y)", N,
         each(lambda x, y: -(y.floor() + 1 - y) * x.log_softmax(0)[int(y)] - (y - y.floor()) * x.log_softmax(0)[int(y) + 1]),
         only=("x",)),
    Case("mean_iou", "x: logit[n, k, c] over c; y: label[n, k] of c", "mean_iou[c, k](x, y)", N, lambda x, y: torch.tensor([
        metrics.jaccard_score(b, a.argmax(-1), average="macro", labels=sorted(set(b.tolist()) | set(a.argmax(-1).tolist())))
        for a, b in zip(x, y, strict=True)]), smooth=False),
    Case("dice_plain", MASKS, "dice[h, w](p, y, 0)", N,
         lambda p, y: 1 - 2 * (p * y).sum((1, 2)) / (p + y).sum((1, 2))),
]  # fmt: skip

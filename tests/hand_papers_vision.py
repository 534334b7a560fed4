"""Detection, segmentation, depth and geometry by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hand_papers import (
    bce,
    boxes,
    cross,
    focal,
    giou,
    iou_parts,
    mean,
    paper,
    sigmoid,
    softmax,
    taken,
    unit,
)
from torch.nn import functional as f


@paper("fcos", sizes={"side": 4, "location": 6})
def fcos(i: Any) -> Any:
    pos = i.foreground
    n = max(int(pos.sum()), 1)
    p, t = i.distance[pos], i.target[pos]
    left, top, right, bottom = t.unbind(-1)
    centre = torch.sqrt(
        torch.minimum(left, right)
        / torch.maximum(left, right)
        * torch.minimum(top, bottom)
        / torch.maximum(top, bottom)
    )
    iou = iou_parts(torch.cat([-p[:, :2], p[:, 2:]], 1), torch.cat([-t[:, :2], t[:, 2:]], 1))
    box = -torch.log(iou[0] / iou[1])
    classes = focal(i.class_logit, i.class_target).sum() / n
    return classes + (centre * box).sum() / centre.sum() + bce(i.center_logit[pos], centre).mean()


@paper(
    "detr_set",
    sizes={"coord": 4, "query": 5, "object": 2, "image": 2, "class": 4},
    data={
        "match": np.array([[3, 0], [1, 4]]),
        "box": lambda r: r.uniform(0.2, 0.8, (2, 5, 4)),
        "object_box": lambda r: r.uniform(0.2, 0.8, (2, 2, 4)),
    },
)
def detr(i: Any) -> Any:
    weight = torch.where(i.assigned == 3, 0.1, 1.0).double()
    ce = (weight * cross(i.logits, i.assigned)).sum() / weight.sum()
    l1 = overlap = 0.0
    for n in range(2):
        for k in range(2):
            if i.present[n, k]:
                a, b = i.box[n, i.match[n, k].long()], i.object_box[n, k]
                l1 = l1 + (a - b).abs().sum()
                corners = [torch.cat([v[:2] - v[2:] / 2, v[:2] + v[2:] / 2]) for v in (a, b)]
                overlap = overlap + giou(*corners)
    n = max(int(i.present.sum()), 1)
    return ce + 5 * l1 / n + 2 * overlap / n


@paper(
    "gfl", sizes={"anchor": 3, "side": 4, "bin": 6}, data={"target": lambda r: r.uniform(0.1, 4.9, (3, 4))}
)
def gfl(i: Any) -> Any:
    places = torch.arange(6.0)
    pos, n = i.positive, max(int(i.positive.sum()), 1)
    qfl = ((i.quality - sigmoid(i.cls)).abs() ** 2 * bce(i.cls, i.quality)).sum() / n
    weight = sigmoid(i.cls).max(-1).values.detach()[pos]
    d, t = (softmax(i.bins) * places).sum(-1)[pos], i.target[pos]
    sign = torch.tensor([-1.0, -1.0, 1.0, 1.0])
    low = t.detach().floor()
    logp = torch.log_softmax(i.bins, -1)[pos]
    fine = -((low + 1 - t) * taken(logp, low) + (t - low) * taken(logp, low + 1)).mean(-1)
    return qfl + ((2 * giou(d * sign, t * sign) + 0.25 * fine) * weight).sum() / weight.sum()


@paper("yolov3", sizes={"two": 2})
def yolo_v3(i: Any) -> Any:
    m, scale = i.responsible, (2 - i.area)
    xy = (scale * f.binary_cross_entropy_with_logits(i.pred_xy, i.true_xy, reduction="none").sum(-1))[m].sum()
    wh = (scale * 0.5 * ((i.pred_wh - i.true_wh.log()) ** 2).sum(-1))[m].sum()
    silent = ~(m | i.ignored)
    objectness = -f.logsigmoid(i.pred_obj)[m].sum() - 0.5 * f.logsigmoid(-i.pred_obj)[silent].sum()
    return (xy + wh + objectness + bce(i.pred_cls, i.true_cls).sum(-1)[m].sum()) / len(m)


@paper(
    "centernet",
    sizes={"row": 4, "column": 5, "object": 3, "batch": 2, "class": 2},
    data={
        "truth": lambda r: np.where(r.random((2, 4, 5, 2)) < 0.2, 1.0, r.uniform(0, 0.9, (2, 4, 5, 2))),
        "at_row": lambda r: r.integers(0, 4, (2, 3)),
        "at_column": lambda r: r.integers(0, 5, (2, 3)),
    },
)
def centernet(i: Any) -> Any:
    p, n = sigmoid(i.heat), max(int(i.exists.sum()), 1)
    points = -torch.where(
        i.truth == 1, (1 - p) ** 2 * p.log(), (1 - i.truth) ** 4 * p**2 * (1 - p).log()
    ).sum()
    b = torch.arange(2)[:, None].expand(2, 3)[i.exists]
    r, c = i.at_row[i.exists].long(), i.at_column[i.exists].long()
    wh = (i.size_map[b, r, c] - i.true_size[i.exists]).abs().sum()
    off = (i.offset_map[b, r, c] - i.true_offset[i.exists]).abs().sum()
    return (points + 0.1 * wh + off) / n


@paper("cornernet", sizes={"object": 4})
def cornernet(i: Any) -> Any:
    total = 0.0
    for tl, br, m in zip(i.top_left, i.bottom_right, i.valid_object, strict=True):
        tl, br = tl[m], br[m]
        if not len(tl):
            continue
        e = (tl + br) / 2
        total = total + ((tl - e) ** 2 + (br - e) ** 2).mean()
        apart = (1 - (e[:, None] - e).abs()).clamp(min=0)
        total = total + (apart.sum() - apart.diag().sum()) / max(len(e) * (len(e) - 1), 1)
    return 0.1 * total / len(i.top_left)


BOXES = {"box": lambda r: boxes(r, 5), "target": lambda r: boxes(r, 5)}


@paper("eiou", sizes={"n": 5, "c": 4}, data=BOXES)
def eiou(i: Any) -> Any:
    overlap, union, hull = iou_parts(i.box, i.target)
    iou = overlap / union
    centre = lambda b: (b[:, :2] + b[:, 2:]) / 2  # noqa: E731
    side = lambda b: b[:, 2:] - b[:, :2]  # noqa: E731
    cost = 1 - iou + ((centre(i.box) - centre(i.target)) ** 2).sum(1) / (hull**2).sum(1)
    cost = cost + ((side(i.box) - side(i.target)) ** 2 / hull**2).sum(1)
    weight = iou.detach().sqrt()
    return (weight * cost).sum() / weight.sum()


@paper("siou", sizes={"n": 5, "c": 4}, data=BOXES)
def siou(i: Any) -> Any:
    overlap, union, hull = iou_parts(i.box, i.target)
    d = (i.target[:, :2] + i.target[:, 2:] - i.box[:, :2] - i.box[:, 2:]) / 2
    alpha = torch.asin(d[:, 1].abs() / d.norm(dim=1))
    gamma = 2 - torch.sin(2 * alpha)  # 1 − 2 sin²(α − π/4) = sin 2α
    distance = (1 - torch.exp(-gamma[:, None] * (d / hull) ** 2)).sum(1)
    a, b = i.box[:, 2:] - i.box[:, :2], i.target[:, 2:] - i.target[:, :2]
    shape = ((1 - torch.exp(-(a - b).abs() / torch.maximum(a, b))) ** 4).sum(1)
    return (1 - overlap / union + (distance + shape) / 2).mean()


@paper("adaptive_wing")
def adaptive_wing(i: Any) -> Any:
    y, d = i.truth, (i.truth - i.heat).abs()
    a = 14 * (1 / (1 + 0.5 ** (2.1 - y))) * (2.1 - y) * 0.5 ** (1.1 - y)
    c = 0.5 * a - 14 * torch.log(1 + 0.5 ** (2.1 - y))
    cost = torch.where(d < 0.5, 14 * torch.log1p(d ** (2.1 - y)), a * d - c)
    return (cost * (1 + 10 * i.near)).mean()


@paper("pointrend")
def point_rend(i: Any) -> Any:
    z = torch.stack([i.fine[r, :, c] for r, c in enumerate(i.roi_class.tolist())])
    return bce(i.coarse, i.coarse_truth)[i.used].mean() + bce(z, i.truth)[i.used].mean()


@paper("solo", sizes={"pixel": 6})
def solo(i: Any) -> Any:
    p = sigmoid(i.mask_logit)
    dice = 1 - 2 * (p * i.mask_target).sum(-1) / ((p**2).sum(-1) + (i.mask_target**2).sum(-1))
    categories = focal(i.category, i.category_target).sum((1, 2)) / i.holds.sum(1).clamp(min=1)
    return categories.mean() + 3 * mean(dice, i.holds)


@paper("monodepth2", sizes={"row": 4, "column": 5, "rgb": 3, "source": 2, "batch": 2})
def monodepth(i: Any) -> Any:
    def photo(other: Any, ssim: Any) -> Any:
        return 0.85 * ((1 - ssim) / 2).clamp(0, 1) + 0.15 * (i.target[:, None] - other).abs().mean(-1)

    best = photo(i.warped, i.ssim).min(1).values
    keep = best < photo(i.unwarped, i.ssim_unwarped).min(1).values
    d = i.disparity / i.disparity.mean((1, 2), keepdim=True)
    smooth = 0.0
    for axis in (1, 2):
        edges = torch.exp(-torch.diff(i.target, dim=axis).abs().mean(-1))
        smooth = smooth + (torch.diff(d, dim=axis).abs() * edges).mean()
    return mean(best, keep) + 1e-3 * smooth


@paper(
    "mipnerf360",
    sizes={"interval": 4, "edge_id": 5, "ray": 3, "rgb": 3},
    data={
        "edge": lambda r: np.sort(r.uniform(0, 1, (3, 5)), 1),
        "t_edge": lambda r: np.sort(r.uniform(1, 6, (3, 5)), 1),
    },
)
def mip_nerf(i: Any) -> Any:
    optical = i.density * torch.diff(i.t_edge, dim=1)
    transmitted = torch.cumprod(torch.cat([torch.ones(3, 1), torch.exp(-optical)], 1), 1)
    w = transmitted[:, :-1] - transmitted[:, 1:]
    colour = (w[..., None] * i.color).sum(1)
    mid, width = (i.edge[:, 1:] + i.edge[:, :-1]) / 2, torch.diff(i.edge, dim=1)
    spread = (w[:, :, None] * w[:, None] * (mid[:, :, None] - mid[:, None]).abs()).sum((1, 2))
    return (
        torch.sqrt((colour - i.truth) ** 2 + 1e-6).mean() + 0.01 * (spread + (w**2 * width).sum(1) / 3).mean()
    )


@paper(
    "chamfer",
    sizes={"point": 5, "truth": 4, "xyz": 3, "shape": 2},
    data={"q_real": np.array([[True, True, False, True], [False, False, True, False]])},
)
def chamfer(i: Any) -> Any:
    total = 0.0
    for p, q, m in zip(i.p, i.q, i.q_real, strict=True):
        d = torch.cdist(p, q[m], compute_mode="donot_use_mm_for_euclid_dist") ** 2
        total = total + d.min(1).values.mean() + d.min(0).values.mean()
    return total / len(i.p)


@paper("unflow", sizes={"row": 4, "column": 5, "uv": 2, "batch": 2, "neighbour": 3}, data={
    "flow": lambda r: 0.4 * r.normal(size=(2, 4, 5, 2)), "back_warped": lambda r: 0.4 * r.normal(size=(2, 4, 5, 2)),
})  # fmt: skip
def unflow(i: Any) -> Any:
    robust = lambda x: (x**2 + 1e-6) ** 0.45  # noqa: E731
    ternary = lambda x: x / torch.sqrt(0.81 + x**2)  # noqa: E731
    d = (ternary(i.patch1) - ternary(i.patch2w)) ** 2
    gap = i.flow + i.back_warped
    seen = (gap**2).sum(-1) <= 0.01 * ((i.flow**2).sum(-1) + (i.back_warped**2).sum(-1)) + 0.5
    smooth = robust(torch.diff(i.flow, n=2, dim=2)).mean() + robust(torch.diff(i.flow, n=2, dim=1)).mean()
    return robust((d / (0.1 + d)).sum(-1))[seen].mean() + 3 * smooth + 0.2 * robust(gap)[seen].mean()


@paper("igr", sizes={"xyz": 3})
def igr(i: Any) -> Any:
    surface = i.sdf_surface.abs().mean() + (i.grad_surface - i.normal).norm(dim=1).mean()
    space = 0.1 * ((i.grad_space.norm(dim=1) - 1) ** 2).mean()
    return surface + space + 0.1 * torch.exp(-100 * i.sdf_space.abs()).mean()


@paper("swav", sizes={"view": 2})
def swav(i: Any) -> Any:
    logp = torch.log_softmax(unit(i.z) @ unit(i.prototype).T / 0.1, -1)
    return -((i.code[0] * logp[1]).sum(-1) + (i.code[1] * logp[0]).sum(-1)).mean() / 2

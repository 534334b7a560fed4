"""Slow, literal references for the contrastive, ranking, preference, segmentation and sequence losses.

Each is written from its paper with loops over rows and pairs, in torch float64, so that autograd gives
reference gradients. Nothing here is shared with the compiler or with the texts of the library.
"""

from __future__ import annotations

import math

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


# ---------------------------------------------------------------------------- contrastive


def contrastive_pair(u: Tensor, v: Tensor, similar: Tensor, margin: float = 1.0) -> Tensor:
    gap = torch.stack([squared(a, b).sqrt() for a, b in zip(u, v, strict=True)])
    return similar * gap**2 + (1 - similar) * torch.relu(margin - gap) ** 2


def triplet(a: Tensor, p: Tensor, n: Tensor, margin: float = 1.0) -> Tensor:
    return rows(len(a), lambda i: torch.relu(squared(a[i], p[i]) - squared(a[i], n[i]) + margin))


def info_nce(query: Tensor, key: Tensor, temperature: float = 0.1) -> Tensor:
    n = len(query)

    def row(i: int) -> Tensor:
        weights = [torch.exp(cosine(query[i], key[j]) / temperature) for j in range(n)]
        return -torch.log(weights[i] / total(weights))

    return rows(n, row)


def info_nce_negatives(
    query: Tensor, positive: Tensor, negatives: Tensor, temperature: float = 0.1
) -> Tensor:
    def row(i: int) -> Tensor:
        hit = torch.exp(cosine(query[i], positive[i]) / temperature)
        miss = total(torch.exp(cosine(query[i], k) / temperature) for k in negatives[i])
        return -torch.log(hit / (hit + miss))

    return rows(len(query), row)


def clip(u: Tensor, v: Tensor, scale: float) -> Tensor:
    """Radford et al., 2021, figure 3: cross-entropy of the scaled cosines along both axes."""
    n = len(u)
    logits = torch.stack([rows(n, lambda j, i=i: scale * cosine(u[i], v[j])) for i in range(n)])
    there = torch.nn.functional.cross_entropy(logits, torch.arange(n), reduction="none")
    back = torch.nn.functional.cross_entropy(logits.T, torch.arange(n), reduction="none")
    return (there + back) / 2


def nt_xent(view1: Tensor, view2: Tensor, temperature: float = 0.5) -> Tensor:
    """Chen et al., 2020, equation 1, with the 2N rows laid out one after the other."""
    n = len(view1)
    z = torch.cat([view1, view2])

    def one(i: int, partner: int) -> Tensor:
        hit = torch.exp(cosine(z[i], z[partner]) / temperature)
        return -torch.log(hit / total(torch.exp(cosine(z[i], z[k]) / temperature) for k in others(2 * n, i)))

    return rows(n, lambda i: (one(i, i + n) + one(i + n, i)) / 2)


def decoupled_contrastive(view1: Tensor, view2: Tensor, temperature: float = 0.1) -> Tensor:
    """Yeh et al., 2022, equation 6: the positive pair leaves the denominator."""
    n = len(view1)
    z = torch.cat([view1, view2])

    def one(i: int, partner: int) -> Tensor:
        kept = [k for k in others(2 * n, i) if k != partner]
        pull = cosine(z[i], z[partner]) / temperature
        return -pull + torch.log(total(torch.exp(cosine(z[i], z[k]) / temperature) for k in kept))

    return rows(n, lambda i: (one(i, i + n) + one(i + n, i)) / 2)


def supervised_contrastive(z: Tensor, y: Tensor, temperature: float = 0.1) -> Tensor:
    """Khosla et al., 2020, equation 2 (the sum over positives outside the logarithm)."""
    n = len(z)

    def row(i: int) -> Tensor:
        positives = [p for p in others(n, i) if y[p] == y[i]]
        below = total(torch.exp(cosine(z[i], z[a]) / temperature) for a in others(n, i))
        terms = [-torch.log(torch.exp(cosine(z[i], z[p]) / temperature) / below) for p in positives]
        return total(terms) / max(len(terms), 1)

    return rows(n, row)


def sigmoid_contrastive(u: Tensor, v: Tensor, scale: float = 10.0, bias: float = -10.0) -> Tensor:
    """Zhai et al., 2023: each row's part of the sum over all pairs."""
    n = len(u)

    def pair(i: int, j: int) -> Tensor:
        return logistic((1 if i == j else -1) * (scale * cosine(u[i], v[j]) + bias))

    return rows(n, lambda i: total(pair(i, j) for j in range(n)))


def n_pair(anchor: Tensor, positive: Tensor) -> Tensor:
    """Sohn, 2016, equation 6."""
    n = len(anchor)

    def row(i: int) -> Tensor:
        gaps = [torch.exp(anchor[i] @ positive[j] - anchor[i] @ positive[i]) for j in others(n, i)]
        return torch.log1p(total(gaps))

    return rows(n, row)


def multi_similarity(
    z: Tensor, y: Tensor, alpha: float = 2.0, beta: float = 50.0, base: float = 0.5
) -> Tensor:
    """Wang et al., 2019, equation 15, without its mining of pairs."""
    n = len(z)

    def row(i: int) -> Tensor:
        pull = total(torch.exp(-alpha * (cosine(z[i], z[k]) - base)) for k in others(n, i) if y[k] == y[i])
        push = total(torch.exp(beta * (cosine(z[i], z[k]) - base)) for k in others(n, i) if y[k] != y[i])
        return torch.log1p(pull) / alpha + torch.log1p(push) / beta

    return rows(n, row)


def circle(z: Tensor, y: Tensor, margin: float = 0.25, scale: float = 32.0) -> Tensor:
    """Sun et al., 2020, equations 6 and 8; the self-paced factors take no gradient."""
    n = len(z)

    def row(i: int) -> Tensor:
        pull, push = [], []
        for k in others(n, i):
            s = cosine(z[i], z[k])
            if y[k] == y[i]:
                pull.append(torch.exp(-scale * torch.relu(1 + margin - s.detach()) * (s - (1 - margin))))
            else:
                push.append(torch.exp(scale * torch.relu(s.detach() + margin) * (s - margin)))
        return torch.log1p(total(push) * total(pull))

    return rows(n, row)


def arcface(cosines: Tensor, y: Tensor, margin: float = 0.5, scale: float = 64.0) -> Tensor:
    """Deng et al., 2019, equation 3."""

    def row(i: int) -> Tensor:
        own = int(y[i])
        hit = torch.exp(scale * torch.cos(torch.acos(cosines[i, own]) + margin))
        miss = total(torch.exp(scale * cosines[i, c]) for c in others(cosines.shape[1], own))
        return -torch.log(hit / (hit + miss))

    return rows(len(cosines), row)


def cosface(cosines: Tensor, y: Tensor, margin: float = 0.35, scale: float = 64.0) -> Tensor:
    """Wang et al., 2018, equation 4."""

    def row(i: int) -> Tensor:
        own = int(y[i])
        hit = torch.exp(scale * (cosines[i, own] - margin))
        miss = total(torch.exp(scale * cosines[i, c]) for c in others(cosines.shape[1], own))
        return -torch.log(hit / (hit + miss))

    return rows(len(cosines), row)


def proxy_nca(z: Tensor, proxies: Tensor, y: Tensor) -> Tensor:
    """Movshovitz-Attias et al., 2017, equation 7: the own proxy is not in the denominator."""

    def row(i: int) -> Tensor:
        own = int(y[i])
        below = total(torch.exp(-squared(z[i], proxies[c])) for c in others(len(proxies), own))
        return -torch.log(torch.exp(-squared(z[i], proxies[own])) / below)

    return rows(len(z), row)


def barlow_twins(view1: Tensor, view2: Tensor, weight: float = 5e-3) -> Tensor:
    """Zbontar et al., 2021, equations 1 and 2, on features with their batch mean removed."""
    a, b = view1 - view1.mean(0), view2 - view2.mean(0)
    out = ZERO
    for i in range(a.shape[1]):
        for j in range(a.shape[1]):
            c = (a[:, i] * b[:, j]).sum() / ((a[:, i] ** 2).sum().sqrt() * (b[:, j] ** 2).sum().sqrt())
            out = out + ((1 - c) ** 2 if i == j else weight * c**2)
    return out


def vicreg(
    view1: Tensor, view2: Tensor, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0
) -> Tensor:
    """Bardes et al., 2022, equations 1 to 6, without the small number under the root."""
    n, d = view1.shape

    def spread(z: Tensor) -> Tensor:
        return total(torch.relu(1 - z[:, j].std(correction=1)) for j in range(d)) / d

    def tangle(z: Tensor) -> Tensor:
        c = torch.cov(z.T, correction=1)
        return total(c[i, j] ** 2 for i in range(d) for j in others(d, i)) / d

    apart = total(squared(a, b) for a, b in zip(view1, view2, strict=True)) / n
    return (
        invariance * apart
        + variance * (spread(view1) + spread(view2))
        + covariance * (tangle(view1) + tangle(view2))
    )


def uniformity(z: Tensor, t: float = 2.0) -> Tensor:
    """Wang and Isola, 2020, as in the listing of the paper: over pairs i < j."""
    return torch.log(torch.exp(-t * torch.pdist(z) ** 2).mean())


def batch_hard_triplet(z: Tensor, y: Tensor, margin: float = 1.0) -> Tensor:
    """Hermans et al., 2017, equation 5; an anchor without positives or without negatives costs nothing."""
    n = len(z)

    def row(i: int) -> Tensor:
        near = [squared(z[i], z[k]).sqrt() for k in others(n, i) if y[k] != y[i]]
        far = [squared(z[i], z[k]).sqrt() for k in others(n, i) if y[k] == y[i]]
        return torch.relu(margin + max(far) - min(near)) if near and far else ZERO

    return rows(n, row)


def proxy_anchor(z: Tensor, proxies: Tensor, y: Tensor, margin: float = 0.1, scale: float = 32.0) -> Tensor:
    """Kim et al., 2020, equation 4."""
    pull, push = [], []
    for c in range(len(proxies)):
        own = [torch.exp(-scale * (cosine(z[i], proxies[c]) - margin)) for i in range(len(z)) if y[i] == c]
        rest = [torch.exp(scale * (cosine(z[i], proxies[c]) + margin)) for i in range(len(z)) if y[i] != c]
        if own:
            pull.append(torch.log1p(total(own)))
        push.append(torch.log1p(total(rest)))
    return total(pull) / max(len(pull), 1) + total(push) / len(proxies)


# ---------------------------------------------------------------------------- ranking


def worse_pairs(relevance: Tensor) -> list[tuple[int, int]]:
    n = len(relevance)
    return [(i, j) for i in range(n) for j in range(n) if relevance[i] > relevance[j]]


def places(values: Tensor) -> list[int]:
    """1 for the largest; ties by position."""
    order = sorted(range(len(values)), key=lambda i: (-values[i].item(), i))
    return [order.index(i) + 1 for i in range(len(values))]


def discount(place: int, k: float = math.inf) -> float:
    return 1 / math.log2(1 + place) if place <= k else 0.0


def ideal_dcg(relevance: Tensor, k: float = math.inf) -> float:
    return sum(
        (2 ** float(r) - 1) * discount(p, k) for r, p in zip(relevance, places(relevance), strict=True)
    )


def ranknet(scores: Tensor, relevance: Tensor) -> Tensor:
    return total(logistic(scores[i] - scores[j]) for i, j in worse_pairs(relevance))


def pairwise_hinge(scores: Tensor, relevance: Tensor, margin: float = 1.0) -> Tensor:
    return total(torch.relu(margin - scores[i] + scores[j]) for i, j in worse_pairs(relevance))


def lambda_rank(scores: Tensor, relevance: Tensor, k: float = math.inf) -> Tensor:
    place, best = places(scores), ideal_dcg(relevance, k)

    def swap(i: int, j: int) -> float:
        gain = 2 ** float(relevance[i]) - 2 ** float(relevance[j])
        return abs(gain * (discount(place[i], k) - discount(place[j], k))) / best

    return total(swap(i, j) * logistic(scores[i] - scores[j]) for i, j in worse_pairs(relevance))


def list_net(scores: Tensor, relevance: Tensor) -> Tensor:
    return -(torch.softmax(relevance, 0) * torch.log(torch.softmax(scores, 0))).sum()


def list_mle(scores: Tensor, relevance: Tensor) -> Tensor:
    """Xia et al., 2008: the Plackett-Luce likelihood of the order by relevance, item by item."""
    best_first = sorted(range(len(scores)), key=lambda i: places(relevance)[i])
    out = ZERO
    for position, i in enumerate(best_first):
        out = out - torch.log(
            torch.exp(scores[i]) / total(torch.exp(scores[j]) for j in best_first[position:])
        )
    return out


def softmax_ranking(scores: Tensor, relevance: Tensor) -> Tensor:
    return -(relevance * torch.log(torch.softmax(scores, 0))).sum()


def approx_ndcg(scores: Tensor, relevance: Tensor, temperature: float = 0.1) -> Tensor:
    """Qin, Liu and Li, 2010, equation 7."""
    n = len(scores)
    place = rows(
        n, lambda i: 1 + total(torch.sigmoid((scores[j] - scores[i]) / temperature) for j in others(n, i))
    )
    return 1 - ((2**relevance - 1) / torch.log2(1 + place)).sum() / ideal_dcg(relevance)


def sampled_softmax(positive: Tensor, negatives: Tensor, log_q: Tensor, temperature: float = 1.0) -> Tensor:
    hit = torch.exp(positive / temperature)
    return -torch.log(hit / (hit + (torch.exp(negatives / temperature) / torch.exp(log_q)).sum()))


def direct_au(user: Tensor, item: Tensor, weight: float = 1.0) -> Tensor:
    u, v = torch.nn.functional.normalize(user), torch.nn.functional.normalize(item)
    pull = total(squared(a, b) for a, b in zip(u, v, strict=True)) / len(u)
    return pull + weight * (uniformity(u) + uniformity(v)) / 2


def top1(positive: Tensor, negatives: Tensor) -> Tensor:
    return (torch.sigmoid(negatives - positive) + torch.sigmoid(negatives**2)).mean()


def bpr_max(positive: Tensor, negatives: Tensor, regularization: float = 1.0) -> Tensor:
    s = torch.softmax(negatives, 0)
    return (
        -torch.log((s * torch.sigmoid(positive - negatives)).sum())
        + regularization * (s * negatives**2).sum()
    )


def top1_max(positive: Tensor, negatives: Tensor) -> Tensor:
    s = torch.softmax(negatives, 0)
    return (s * (torch.sigmoid(negatives - positive) + torch.sigmoid(negatives**2))).sum()


def cosine_contrastive(
    user: Tensor, positive: Tensor, negatives: Tensor, margin: float = 0.8, weight: float = 1.0
) -> Tensor:
    """Mao et al., 2021 (SimpleX), equation 1."""
    push = total(torch.relu(cosine(user, v) - margin) for v in negatives) / len(negatives)
    return 1 - cosine(user, positive) + weight * push


def ndcg(scores: Tensor, relevance: Tensor, k: float) -> Tensor:
    gained = sum((2 ** float(r) - 1) * discount(p, k) for r, p in zip(relevance, places(scores), strict=True))
    best = ideal_dcg(relevance, k)
    return torch.tensor(gained / best if best else 0.0, dtype=torch.float64)


def top_hits(scores: Tensor, relevance: Tensor, k: float) -> list[bool]:
    place = places(scores)
    return [place[i] <= k for i in range(len(scores)) if relevance[i] > 0]


def recall(scores: Tensor, relevance: Tensor, k: float) -> Tensor:
    hits = top_hits(scores, relevance, k)
    return torch.tensor(sum(hits) / max(len(hits), 1), dtype=torch.float64)


def precision(scores: Tensor, relevance: Tensor, k: float) -> Tensor:
    return torch.tensor(sum(top_hits(scores, relevance, k)) / min(k, len(scores)), dtype=torch.float64)


def hit_rate(scores: Tensor, relevance: Tensor, k: float) -> Tensor:
    return torch.tensor(float(any(top_hits(scores, relevance, k))), dtype=torch.float64)


def mean_reciprocal_rank(scores: Tensor, relevance: Tensor) -> Tensor:
    place = places(scores)
    return torch.tensor(
        max([1 / place[i] for i in range(len(scores)) if relevance[i] > 0], default=0.0), dtype=torch.float64
    )


def average_precision(scores: Tensor, relevance: Tensor) -> Tensor:
    found, precisions = 0, []
    for place, i in enumerate(sorted(range(len(scores)), key=lambda i: places(scores)[i]), start=1):
        if relevance[i] > 0:
            found += 1
            precisions.append(found / place)
    return torch.tensor(sum(precisions) / max(len(precisions), 1), dtype=torch.float64)


# ---------------------------------------------------------------------------- preference and policy


def dpo(pc: Tensor, pr: Tensor, rc: Tensor, rr: Tensor, beta: float = 0.1, smoothing: float = 0.0) -> Tensor:
    h = beta * ((pc - pr) - (rc - rr))
    return (1 - smoothing) * logistic(h) + smoothing * logistic(-h)


def ipo(pc: Tensor, pr: Tensor, rc: Tensor, rr: Tensor, beta: float = 0.1) -> Tensor:
    return ((pc - pr) - (rc - rr) - 1 / (2 * beta)) ** 2


def kto(policy: Tensor, reference: Tensor, desirable: Tensor, beta: float = 0.1) -> Tensor:
    """Ethayarajh et al., 2024, equation 8, both weights 1, the reference point from the same batch."""
    r = policy - reference
    z = torch.clamp(r.mean(), min=0).detach()
    return torch.where(desirable > 0, 1 - torch.sigmoid(beta * (r - z)), 1 - torch.sigmoid(beta * (z - r)))


def orpo(chosen: Tensor, rejected: Tensor, weight: float = 0.1) -> Tensor:
    def odds(log_p: Tensor) -> Tensor:
        return torch.exp(log_p) / (1 - torch.exp(log_p))

    return -chosen - weight * torch.log(torch.sigmoid(torch.log(odds(chosen) / odds(rejected))))


def ppo_clip(log_ratio: Tensor, advantage: Tensor, clip: float = 0.2) -> Tensor:
    ratio = torch.exp(log_ratio)
    return -torch.minimum(ratio * advantage, torch.clamp(ratio, 1 - clip, 1 + clip) * advantage)


def value_clip(value: Tensor, old: Tensor, target: Tensor, clip: float = 0.2) -> Tensor:
    held = old + torch.clamp(value - old, -clip, clip)
    return torch.maximum((value - target) ** 2, (held - target) ** 2) / 2


def grpo(log_ratio: Tensor, reward: Tensor, clip: float = 0.2) -> Tensor:
    advantage = (reward - reward.mean()) / reward.std(correction=0)
    return ppo_clip(log_ratio, advantage, clip)


# ---------------------------------------------------------------------------- segmentation and detection


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

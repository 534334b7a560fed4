"""Cases of the losses of `specs/library/ranking.loss`."""

from __future__ import annotations

import math

import numpy as np
from parity import Case, each
from torch import Tensor

from library_cases.contrastive import info_nce, uniformity
from library_cases.peers import LISTS, PAIR, F, L, N, torch
from library_cases.rows import ZERO, cosine, logistic, others, rows, squared, total


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


def warp(positive: Tensor, negatives: Tensor) -> Tensor:
    """Weston, Bengio and Usunier, 2011, equations 1 to 3."""
    late = [1 - positive + s for s in negatives if 1 - positive + s > 0]
    return sum(1 / r for r in range(1, len(late) + 1)) * total(late) / max(len(late), 1)


def generalized_bce(positive: Tensor, negatives: Tensor) -> Tensor:
    """Petrov and Macdonald, 2023, equation 9."""
    hit = torch.sigmoid(positive) ** 0.3
    return -(torch.log(hit) + torch.log(1 - torch.sigmoid(negatives)).sum()) / (len(negatives) + 1)


def top1_max(positive: Tensor, negatives: Tensor) -> Tensor:
    s = torch.softmax(negatives, 0)
    return (s * (torch.sigmoid(negatives - positive) + torch.sigmoid(negatives**2))).sum()


def cosine_contrastive(
    user: Tensor, positive: Tensor, negatives: Tensor, margin: float = 0.8, weight: float = 1.0
) -> Tensor:
    """Mao et al., 2021 (SimpleX), equation 1."""
    push = total(torch.relu(cosine(user, v) - margin) for v in negatives) / len(negatives)
    return 1 - cosine(user, positive) + weight * push


def unique_softmax(scores: Tensor, relevance: Tensor) -> Tensor:
    """As Rax has it: every item against the less relevant ones alone."""
    n = len(scores)

    def surprise(i: int) -> Tensor:
        beaten = [torch.exp(scores[j]) for j in range(n) if j == i or relevance[j] < relevance[i]]
        return (2 ** float(relevance[i]) - 1) * torch.log(total(beaten) / torch.exp(scores[i]))

    return total(surprise(i) for i in range(n))


def smooth_ap(scores: Tensor, relevance: Tensor, temperature: float) -> Tensor:
    """Brown et al., 2020, equation 9."""
    good = [i for i in range(len(scores)) if relevance[i] > 0]

    def above(i: int, among: list[int]) -> Tensor:
        return 1 + total(torch.sigmoid((scores[j] - scores[i]) / temperature) for j in among if j != i)

    return 1 - total(above(i, good) / above(i, list(range(len(scores)))) for i in good) / max(len(good), 1)


CASES = [
    Case("warp", "s: score[n]; t: score[n, j]", "warp[j](s, t)", N, each(warp)),
    Case("generalized_bce", "s: logit[n]; t: logit[n, j]", "generalized_bce[j](s, t, 0.3)", N, each(generalized_bce)),
    Case("margin_ranking", "a: score[n]; b: score[n]; y: sign[n]", "margin_ranking(a, b, y, 0.3)", N,
         lambda a, b, y: F.margin_ranking_loss(a, b, y, margin=0.3, reduction="none")),
    Case("bpr", "a: score[n]; b: score[n]", "bpr(a, b)", N, lambda a, b: -F.logsigmoid(a - b)),
    Case("ranknet", LISTS, "ranknet[i](s, r)", L, each(ranknet, rows="l")),
    Case("pairwise_hinge", LISTS, "pairwise_hinge[i](s, r)", L, each(pairwise_hinge, rows="l")),
    Case("lambda_rank", LISTS, "lambda_rank[i](s, r)", L, each(lambda_rank, rows="l")),
    Case("lambda_rank_at_3", LISTS, "lambda_rank[i](s, r, 3)", L, each(lambda_rank, rows="l", k=3)),
    Case("list_net", LISTS, "list_net[i](s, r)", L, each(list_net, rows="l")),
    Case("list_mle", LISTS, "list_mle[i](s, r)", L, each(list_mle, rows="l")),
    Case("softmax_ranking", LISTS, "softmax_ranking[i](s, r)", L, each(softmax_ranking, rows="l")),
    Case("approx_ndcg", LISTS, "approx_ndcg[i](s, r)", L, each(approx_ndcg, rows="l")),
    Case("sampled_softmax", "p: score[n]; q: score[n, j]; f: logprob[n, j]", "sampled_softmax[j](p, q, f, 0.7)", N,
         each(sampled_softmax, temperature=0.7)),
    Case("matrix_factorization", "p: parameter[n, d]; q: parameter[c, d]; r: real[n, c]",
         "matrix_factorization[d](p, q, r)", ("n", "c"), lambda p, q, r: (p @ q.T - r) ** 2),
    Case("weighted_matrix_factorization", "p: parameter[n, d]; q: parameter[c, d]; r: binary[n, c]; m: weight[n, c]",
         "weighted_matrix_factorization[d](p, q, r, m * m)", ("n", "c"),
         lambda p, q, r, m: m**2 * (p @ q.T - r) ** 2),
    Case("direct_au", PAIR, "direct_au[n, d](u, v, 0.5)", (), lambda u, v: direct_au(u, v, 0.5)),
    Case("multinomial_nll", "x: logit[n, i] over i; y: count[n, i]", "multinomial_nll(x, y)", N,
         lambda x, y: -(y * F.log_softmax(x, 1)).sum(1)),
    Case("top1", "p: score[n]; q: score[n, j]", "top1[j](p, q)", N, each(top1)),
    Case("top1_max", "p: score[n]; q: score[n, j]", "top1_max[j](p, q)", N, each(top1_max)),
    Case("bpr_max", "p: score[n]; q: score[n, j]", "bpr_max[j](p, q, 0.4)", N, each(bpr_max, regularization=0.4)),
    Case("cosine_contrastive", "u: embedding[n, d]; v: embedding[n, d]; w: embedding[n, j, d]",
         "cosine_contrastive[j, d](u, v, w, 0.3, 2)", N, each(cosine_contrastive, margin=0.3, weight=2.0)),
    Case("rlmrec_contrastive", PAIR, "rlmrec_contrastive[n, d](u, v)", N, info_nce),
    Case("rlmrec_generative", PAIR, "rlmrec_generative[d](u, v)", N, lambda u, v: 1 - F.cosine_similarity(u, v)),
    Case("relative_gain", "r: real[l, i]", "relative_gain[i](r)", ("l", "i"),
         lambda r: (2**r - 1) / 2 ** r.detach().amax(1, keepdim=True).clamp(min=0)),
    Case("rank_discount", "r: positive[n]", "rank_discount(1 + r, 2.5)", N,
         lambda r: torch.where(r <= 1.5, 1 / torch.log2(2 + r), 0)),
    Case("ideal_dcg", "r: real[l, i]", "ideal_dcg[i](r, 3)", L, lambda r: (
        (2 ** r.sort(descending=True).values[:, :3] - 1) / torch.log2(torch.arange(2.0, 5.0).double())).sum(-1)),
    Case("equal_scores", LISTS, "ranknet[i](s, r) + list_net[i](s, r) + softmax_ranking[i](s, r)", L,
         lambda s, r: each(ranknet, rows="l")(s, r) + each(list_net, rows="l")(s, r) + each(softmax_ranking, rows="l")(s, r),
         given={"s": np.zeros((3, 6)), "r": [[0, 1, 2, 2, 0, 1], [0] * 6, [3] * 6]}),
    Case("padded_lists", LISTS, "list_mle[i where i < 4](s, r)", L,
         lambda s, r: each(list_mle, rows="l")(s[:, :4], r[:, :4])),
    Case("pairwise_mse", LISTS, "pairwise_mse[i](s, r)", L, lambda s, r: 2 * 36 * (s - r).var(1, correction=0)),
    Case("unique_softmax", LISTS, "unique_softmax[i](s, r)", L, each(unique_softmax, rows="l")),
    Case("smooth_ap", LISTS, "smooth_ap[i](s, r, 0.2)", L, each(smooth_ap, rows="l", temperature=0.2)),
    Case("cosent", "s: real[l, i]; r: count[l, i]", "cosent[i](s, r, 3)", L, lambda s, r: torch.stack(
        [torch.log1p(total(torch.exp(3 * (a[j] - a[i])) for i, j in worse_pairs(b))) for a, b in zip(s, r, strict=True)])),
    Case("margin_mse", "a: score[n]; b: score[n]; c: score[n]; d: score[n]", "margin_mse(a, b, c, d)", N,
         lambda a, b, c, d: F.mse_loss(a - b, c - d, reduction="none")),
    Case("negative_sampling", "p: score[n]; q: score[n, j]", "negative_sampling[j](p, q)", N,
         lambda p, q: -F.logsigmoid(p) - F.logsigmoid(-q).sum(1)),
    Case("noise_contrastive", "p: score[n]; q: score[n, j]; a: logprob[n]; b: logprob[n, j]",
         "noise_contrastive[j](p, q, a, b)", N, lambda p, q, a, b: -torch.log(p.exp() / (p.exp() + 4 * a.exp()))
         - torch.log(4 * b.exp() / (q.exp() + 4 * b.exp())).sum(1)),
    Case("self_adversarial", "p: real[n]; q: real[n, j]", "self_adversarial[j](p, q, 1.5, 0.7)", N, lambda p, q: (
        -F.logsigmoid(1.5 - p) - ((-q / 0.7).softmax(1).detach() * F.logsigmoid(q - 1.5)).sum(1))),
    Case("glove", "x: real[n]; y: count[n]", "glove(x, y, 3)", N, lambda x, y: (
        (y / 3).clamp(max=1) ** 0.75 * (x - y.clamp(min=1).log()) ** 2), given={"y": [0, 1, 2, 3, 9]}),
    Case("logistic_matrix_factorization", "x: logit[n]; y: weight[n]", "logistic_matrix_factorization(x, y, 1.5)", N,
         lambda x, y: -1.5 * y * x + (1 + 1.5 * y) * F.softplus(x)),
    Case("pairwise_soft_zero_one", LISTS, "pairwise_soft_zero_one[i](s, r)", L, lambda s, r: torch.stack([total(
        torch.sigmoid(a[j] - a[i]) for i in range(len(a)) for j in range(len(a)) if b[i] > b[j]) for a, b in zip(s, r, strict=True)])),
    Case("approx_mrr", LISTS, "approx_mrr[i](s, r, 0.4)", L, lambda s, r: torch.stack([1 - max([1 / (
        0.5 + torch.sigmoid((a - a[i]) / 0.4).sum()) for i in range(len(a)) if b[i] > 0], default=ZERO) for a, b in zip(s, r, strict=True)])),
]  # fmt: skip

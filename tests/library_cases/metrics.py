"""Cases of the metrics of `specs/library/ranking.loss`."""

from __future__ import annotations

import numpy as np
from parity import Case, each
from torch import Tensor

from library_cases.peers import LISTS, L, N, metrics, torch
from library_cases.ranking import discount, ideal_dcg, places, worse_pairs


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


def auc(scores: np.ndarray, relevance: np.ndarray) -> np.ndarray:
    return np.asarray(metrics.roc_auc_score(relevance > 0, scores))


def ordered_pair_accuracy(scores: Tensor, relevance: Tensor) -> Tensor:
    pairs = worse_pairs(relevance)
    return torch.tensor(
        sum(float(scores[i] > scores[j]) for i, j in pairs) / max(len(pairs), 1), dtype=torch.float64
    )


CASES = [
    Case("accuracy", "x: logit[n, c] over c; y: label[n] of c", "accuracy(x, y)", N,
         lambda x, y: (x.argmax(1) == y).double(), smooth=False),
    Case("ndcg", LISTS, "ndcg[i](s, r, 3)", L, each(ndcg, rows="l", k=3), smooth=False),
    Case("recall", LISTS, "recall[i](s, r, 3)", L, each(recall, rows="l", k=3), smooth=False),
    Case("precision", LISTS, "precision[i](s, r, 3)", L, each(precision, rows="l", k=3), smooth=False),
    Case("hit_rate", LISTS, "hit_rate[i](s, r, 1)", L, each(hit_rate, rows="l", k=1), smooth=False),
    Case("mean_reciprocal_rank", LISTS, "mean_reciprocal_rank[i](s, r)", L,
         each(mean_reciprocal_rank, rows="l"), smooth=False),
    Case("average_precision", LISTS, "average_precision[i](s, r)", L,
         each(average_precision, rows="l"), smooth=False),
    Case("auc", LISTS, "auc[i](s, r)", L, each(auc, rows="l"), library="numpy", smooth=False,
         given={"r": [[0, 1, 2, 0, 0, 1], [1, 0, 0, 0, 0, 0], [3, 3, 3, 3, 0, 3]]}),
    Case("top_k_accuracy", "x: logit[n, c] over c; y: label[n] of c", "top_k_accuracy(x, y, 2)", N,
         lambda x, y: (x.topk(2).indices == y[:, None]).any(1).double(), smooth=False),
    Case("dcg", LISTS, "dcg[i](s, r, 3)", L,
         each(lambda s, r: ndcg(s, r, 3) * ideal_dcg(r, 3), rows="l"), smooth=False),
    Case("ordered_pair_accuracy", LISTS, "ordered_pair_accuracy[i](s, r)", L, each(ordered_pair_accuracy, rows="l"),
         smooth=False),
]  # fmt: skip

"""Cases of `specs/library/sequence.loss`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from parity import Case, each
from torch import Tensor

from library_cases.peers import F, N, torch
from library_cases.rows import ZERO, total


def crf(emissions: Tensor, transitions: Tensor, y: Tensor) -> Tensor:
    """Lafferty et al., 2001: the scores of all tag sequences, one by one; negative tags are pads at the end."""

    def one(x: Tensor, tags: list[int]) -> Tensor:
        def score(path: Sequence[int]) -> Tensor:
            moves = [transitions[a, b] for a, b in itertools.pairwise(path)]
            return total([x[t, tag] for t, tag in enumerate(path)] + moves)

        paths = itertools.product(range(x.shape[1]), repeat=len(tags))
        return torch.stack([score(path) for path in paths]).logsumexp(0) - score(tags)

    return torch.stack(
        [one(x, [int(v) for v in tags if v >= 0]) for x, tags in zip(emissions, y, strict=True)]
    )


def ctc(logits: Tensor, y: Tensor, frames: Tensor, labels: Tensor) -> Tensor:
    return F.ctc_loss(
        logits.log_softmax(-1).transpose(0, 1), y, frames.long(), labels.long(), reduction="none"
    )


def transducer(logits: Tensor, y: Tensor, frames: Tensor, labels: Tensor) -> Tensor:
    """Graves, 2012, equations 16 and 18."""
    logs = logits.log_softmax(-1)
    alpha: dict[tuple[int, int], Tensor] = {}
    for t, u in itertools.product(range(int(frames)), range(int(labels) + 1)):
        ways = [alpha[t - 1, u] + logs[t - 1, u, 0]] if t else []
        ways += [alpha[t, u - 1] + logs[t, u - 1, y[u - 1]]] if u else []
        alpha[t, u] = torch.stack(ways).logsumexp(0) if ways else ZERO
    end = int(frames) - 1, int(labels)
    return -(alpha[end] + logs[(*end, 0)])


def soft_dtw(costs: Tensor, gamma: float) -> Tensor:
    """Cuturi and Blondel, 2017, equation 1 by the recursion of their algorithm 1."""
    best: dict[tuple[int, int], Tensor] = {}
    for i, j in itertools.product(*map(range, costs.shape)):
        before = [best[at] for at in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if at in best]
        fewest = -gamma * (-torch.stack(before) / gamma).logsumexp(0) if before else ZERO
        best[i, j] = costs[i, j] + fewest
    return best[costs.shape[0] - 1, costs.shape[1] - 1]


CASES = [
    Case("soft_dtw", "x: real[n, t, u]", "soft_dtw[t, u](x^2, 0.5)", N, each(lambda x: soft_dtw(x**2, 0.5))),
    Case("soft_dtw_padded", "x: real[n, t, u]; k: mask[n, t]", "soft_dtw[t, u where k](x^2)", N,
         each(lambda x, k: soft_dtw(x[: int(k.sum())] ** 2, 1.0)),
         given={"k": [[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]]}),
    Case("soft_dtw_padded_across", "x: real[n, t, u]; m: mask[n, u]", "soft_dtw[t, u where m](x^2)", N,
         each(lambda x, m: soft_dtw(x[:, : int(m.sum())] ** 2, 1.0)),
         given={"m": [[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 1, 1], [1, 1, 0]]}),
    Case("sequence_nll", "x: logit[n, t, c] over c; y: label[n, t] of c", "sequence_nll[t, c](x, y)", N,
         lambda x, y: F.cross_entropy(x.transpose(1, 2), y, reduction="none").sum(1)),
    Case("perplexity", "x: logit[n, t, c] over c; y: label[n, t] of c", "perplexity[t, c](x, y)", N,
         lambda x, y: torch.exp(F.cross_entropy(x.transpose(1, 2), y, reduction="none").mean(1))),
    Case("unlikelihood", "x: logit[n, c] over c; y: label[n] of c", "unlikelihood(x, y)", N,
         lambda x, y: -torch.log(1 - torch.softmax(x, 1).gather(1, y[:, None])[:, 0])),
    Case("crf", "x: real[n, t, c]; w: real[b, c]; y: label[n, t] of c", "crf[t, c, b](x, w, y)", N, crf),
    Case("crf_padded", "x: real[n, t, c]; w: real[b, c]; y: label[n, t] of c ignoring -1", "crf[t, c, b](x, w, y)", N, crf,
         given={"y": [[0, 1, 2, 3], [2, 2, -1, -1], [3, -1, -1, -1], [1, 0, 1, -1], [3, 3, 3, 3]]}),
    Case("ctc", "x: logit[n, t, c] over c; y: label[n, s] of c; f: count[n]; k: count[n]",
         "ctc[t, c, s](log_softmax[c](x), y, f, k)", N, ctc,
         given={"y": [[1, 2], [3, 3], [2, 1], [1, 3], [2, 2]], "f": [4, 4, 3, 1, 4], "k": [2, 2, 1, 0, 1]}),
    Case("transducer", "x: logit[n, t, u, c] over c; y: label[n, u] of c; f: count[n]; k: count[n]",
         "transducer[t, u, c](log_softmax[c](x), y, f, k)", N, each(transducer),
         given={"y": [[1, 2, 0], [3, 3, 0], [2, 1, 0], [1, 3, 0], [2, 2, 0]], "f": [4, 3, 1, 2, 4], "k": [2, 1, 2, 0, 2]}),
    Case("perplexity_padded", "x: logit[n, t, c] over c; y: label[n, t] of c ignoring -1", "perplexity[t, c](x, y)", N,
         lambda x, y: torch.exp(F.cross_entropy(x.transpose(1, 2), y, reduction="none", ignore_index=-1).sum(1)
                                / (y >= 0).sum(1)),
         given={"y": [[0, 1, 2, 3], [2, 2, -1, -1], [3, -1, -1, -1], [-1, 0, 1, -1], [3, 3, 3, 3]]}),
]  # fmt: skip

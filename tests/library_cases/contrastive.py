"""Cases of `specs/library/contrastive.loss`; each reference is written from its paper, with loops over rows and pairs."""

from __future__ import annotations

import math
from typing import Any

from parity import Case
from torch import Tensor

from library_cases.peers import LABELLED, PAIR, F, N, torch
from library_cases.rows import ZERO, cosine, logistic, others, rows, squared, total


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


TRIPLET = "a: embedding[n, d]; p: embedding[n, d]; q: embedding[n, d]"


def torch_triplet(a: Any, p: Any, q: Any) -> Any:
    return F.triplet_margin_loss(a, p, q, eps=0.0, reduction="none")


def clip_both(u: Any, v: Any) -> Any:
    return clip(u, v, 7.0)


def nt_xent_anchor(anchor: Tensor, partner: Tensor, temperature: float, own: bool = True) -> Tensor:
    """The half of `nt_xent` whose anchors are the first view; without ``own`` the denominator's log without the partner."""
    n = len(anchor)

    def row(i: int) -> Tensor:
        z = [partner[j] for j in range(n) if own or j != i] + [anchor[j] for j in others(n, i)]
        below = torch.log(total(torch.exp(cosine(anchor[i], each) / temperature) for each in z))
        return below - cosine(anchor[i], partner[i]) / temperature if own else below

    return rows(n, row)


CENTERS = "a: real[n, c, k]; y: label[n] of c"


def nca(z: Tensor, y: Tensor, scale: float) -> Tensor:
    """Goldberger et al., 2005: softmax over squared distances, classmates' shares added."""
    n = len(z)

    def row(i: int) -> Tensor:
        near = {k: torch.exp(-scale * squared(z[i], z[k])) for k in others(n, i)}
        same = [near[k] for k in near if y[k] == y[i]]
        return -torch.log(total(same) / total(near.values())) if same else ZERO

    return rows(n, row)


def lifted(z: Tensor, y: Tensor, margin: float) -> Tensor:
    """Hermans et al., 2017, equation 8."""
    n = len(z)

    def row(i: int) -> Tensor:
        far = [torch.exp(squared(z[i], z[k]).sqrt()) for k in others(n, i) if y[k] == y[i]]
        near = [torch.exp(margin - squared(z[i], z[k]).sqrt()) for k in others(n, i) if y[k] != y[i]]
        return torch.relu(torch.log(total(far)) + torch.log(total(near))) if far and near else ZERO

    return rows(n, row)


def lifted_pairs(z: Tensor, y: Tensor, margin: float) -> Tensor:
    """Oh Song et al., 2016, equation 4, both orders of a pair counted."""
    n = len(z)
    near = [
        total(torch.exp(margin - squared(z[i], z[k]).sqrt()) for k in range(n) if y[k] != y[i])
        for i in range(n)
    ]
    pairs = [(i, j) for i in range(n) for j in others(n, i) if y[i] == y[j]]
    return total(F.relu(torch.log(near[i] + near[j]) + squared(z[i], z[j]).sqrt()) ** 2 for i, j in pairs) / (
        2 * len(pairs)
    )


def intra_pairs(z: Tensor, y: Tensor, slack: float) -> Tensor:
    """Yu and Tao, 2019, equations 11 and 12."""
    pairs = [(i, j) for i in range(len(z)) for j in others(len(z), i)]
    near = torch.stack([cosine(z[i], z[j]) for i, j in pairs if y[i] == y[j]])
    far = torch.stack([cosine(z[i], z[j]) for i, j in pairs if y[i] != y[j]])
    return (F.relu((1 - slack) * near.mean() - near) ** 2).mean() + (
        F.relu(far - (1 + slack) * far.mean()) ** 2
    ).mean()


CASES = [
    Case("contrastive_pair", PAIR + "; y: binary[n]", "contrastive_pair[d](u, v, y, 1.5)", N,
         lambda u, v, y: contrastive_pair(u, v, y, 1.5)),
    Case("triplet", TRIPLET, "triplet[d](a, p, q, 2)", N, lambda a, p, q: triplet(a, p, q, 2.0)),
    Case("triplet_margin", TRIPLET, "triplet_margin[d](a, p, q)", N, torch_triplet),
    Case("cosine_embedding", PAIR + "; y: sign[n]", "cosine_embedding[d](u, v, y, 0.2)", N,
         lambda u, v, y: F.cosine_embedding_loss(u, v, y, margin=0.2, reduction="none")),
    Case("info_nce", PAIR, "info_nce[n, d](u, v)", N, info_nce),
    Case("info_nce_negatives", "u: embedding[n, d]; v: embedding[n, d]; w: embedding[n, k, d]",
         "info_nce_negatives[k, d](u, v, w, 0.3)", N, lambda u, v, w: info_nce_negatives(u, v, w, 0.3)),
    Case("clip", PAIR, "clip[n, d](u, v, 7)", N, clip_both),
    Case("nt_xent", PAIR, "nt_xent[n, d](u, v)", N, nt_xent),
    Case("supervised_contrastive", LABELLED, "supervised_contrastive[n, d](z, y)", N, supervised_contrastive),
    Case("sigmoid_contrastive", PAIR, "sigmoid_contrastive[n, d](u, v)", N, sigmoid_contrastive),
    Case("decoupled_contrastive", PAIR, "decoupled_contrastive[n, d](u, v)", N, decoupled_contrastive),
    Case("n_pair", PAIR, "n_pair[n, d](u, v)", N, n_pair),
    Case("multi_similarity", LABELLED, "multi_similarity[n, d](z, y)", N, multi_similarity),
    Case("circle", LABELLED, "circle[n, d](z, y, 0.25, 8)", N, lambda z, y: circle(z, y, 0.25, 8.0)),
    Case("arcface", "a: real[n, c]; y: label[n] of c", "arcface[c](tanh(a), y, 0.3, 16)", N,
         lambda a, y: arcface(torch.tanh(a), y, 0.3, 16.0)),
    Case("cosface", "a: real[n, c]; y: label[n] of c", "cosface[c](tanh(a), y)", N,
         lambda a, y: cosface(torch.tanh(a), y)),
    Case("proxy_nca", "z: embedding[n, d]; p: embedding[c, d]; y: label[n] of c", "proxy_nca[c, d](z, p, y)", N,
         lambda z, p, y: proxy_nca(z, p, y)),
    Case("proxy_anchor", "z: embedding[n, d]; p: embedding[c, d]; y: label[n] of c", "proxy_anchor[n, c, d](z, p, y)",
         (), lambda z, p, y: proxy_anchor(z, p, y)),
    Case("center", "z: embedding[n, d]; p: embedding[c, d]; y: label[n] of c", "center[c, d](z, p, y)", N,
         lambda z, p, y: F.mse_loss(z, p[y], reduction="none").sum(1) / 2),
    Case("batch_hard_triplet", LABELLED, "batch_hard_triplet[n, d](z, y)", N, batch_hard_triplet),
    Case("barlow_twins", PAIR, "barlow_twins[n, d](u, v)", (), barlow_twins),
    Case("vicreg", PAIR, "vicreg[n, d](u, v)", (), vicreg),
    Case("simsiam", PAIR, "simsiam[d](u, v)", N, lambda u, v: -F.cosine_similarity(u, v.detach())),
    Case("byol", PAIR, "byol[d](u, v)", N,
         lambda u, v: F.mse_loss(F.normalize(u), F.normalize(v).detach(), reduction="none").sum(1)),
    Case("alignment", PAIR, "alignment[d](u, v)", N, lambda u, v: F.pairwise_distance(u, v, eps=0.0) ** 2),
    Case("uniformity", "z: embedding[n, d]", "uniformity[n, d](z)", (), lambda z: uniformity(z)),
    Case("nt_xent_anchor", PAIR, "nt_xent_anchor[n, d](u, v, 0.3)", N, lambda u, v: nt_xent_anchor(u, v, 0.3)),
    Case("decoupled_anchor", PAIR, "decoupled_anchor[n, d](u, v, 0.3)", N,
         lambda u, v: -F.cosine_similarity(u, v) / 0.3 + nt_xent_anchor(u, v, 0.3, own=False)),
    Case("triplet_margin_of_groups", "a: embedding[n, k, d]; p: embedding[n, k, d]; q: embedding[n, k, d]",
         "triplet_margin[d](a, p, q, 0.4)", ("n", "k"),
         lambda a, p, q: F.triplet_margin_loss(a, p, q, margin=0.4, eps=0.0, reduction="none")),
    Case("one_row", "u: embedding[one, d]; v: embedding[one, d]", "info_nce[one, d](u, v) + clip[one, d](u, v, 5) + n_pair[one, d](u, v) + nt_xent[one, d](u, v)",
         ("one",), lambda u, v: 0 * u.sum(1)),
    Case("batches_of_batches", "u: embedding[g, n, d]; v: embedding[g, n, d]", "info_nce[n, d](u, v, 0.2)", ("g", "n"),
         lambda u, v: torch.stack([info_nce(a, b, 0.2) for a, b in zip(u, v, strict=True)])),
    Case("neighbourhood_components", LABELLED, "neighbourhood_components[n, d](z, y, 0.7)", N, lambda z, y: nca(z, y, 0.7)),
    Case("lifted_structure", LABELLED, "lifted_structure[n, d](z, y, 0.8)", N, lambda z, y: lifted(z, y, 0.8)),
    Case("margin_based", PAIR + "; y: binary[n]", "margin_based[d](u, v, y, 0.3, 1.5)", N, lambda u, v, y: F.relu(
        0.3 + (2 * y - 1) * (F.pairwise_distance(u, v, eps=0.0) - 1.5))),
    Case("angular", TRIPLET, "angular[d](a, p, q, 0.6)", N, lambda a, p, q: F.relu(
        ((a - p) ** 2).sum(1) - 4 * math.tan(0.6) ** 2 * ((q - (a + p) / 2) ** 2).sum(1))),
    Case("normalized_softmax", "z: embedding[n, d]; p: embedding[c, d]; y: label[n] of c",
         "normalized_softmax[c, d](z, p, y, 0.2)", N,
         lambda z, p, y: F.cross_entropy(F.normalize(z) @ F.normalize(p).T / 0.2, y, reduction="none")),
    Case("sub_center_arcface", CENTERS, "sub_center_arcface[c, k](tanh(a), y, 0.3, 8)", N,
         lambda a, y: arcface(torch.tanh(a).amax(2), y, 0.3, 8.0)),
    Case("soft_triple", CENTERS, "soft_triple[c, k](a, y, 0.1, 5, 0.3)", N,
         lambda a, y: cosface(((a / 0.3).softmax(2) * a).sum(2), y, 0.1, 5.0)),
    Case("dino", "s: real[n, c]; t: real[n, c]; m: real[c]", "dino[c](s, t, m, 0.3, 0.2)", N,
         lambda s, t, m: F.cross_entropy(s / 0.3, ((t - m) / 0.2).softmax(1).detach(), reduction="none")),
    Case("triplet_margin_swap", TRIPLET, "triplet_margin[d](a, p, q, 0.8, 1)", N,
         lambda a, p, q: F.triplet_margin_loss(a, p, q, margin=0.8, swap=True, eps=0.0, reduction="none")),
    Case("koleo", "z: embedding[n, d]", "koleo[n, d](z)", N, lambda z: rows(len(z), lambda i: -torch.log(torch.stack(
        [(F.normalize(z)[i] - F.normalize(z)[j]).norm() for j in others(len(z), i)]).min()))),
    Case("vicreg_epsilon", PAIR, "vicreg[n, d](u, v, 0, 1, 0, 0.2)", (), lambda u, v: sum(
        F.relu(1 - (z.var(0) + 0.2).sqrt()).mean() for z in (u, v))),
    Case("angular_n_pair", PAIR, "angular_n_pair[n, d](u, v, 0.6)", N, lambda u, v: rows(len(u), lambda i: torch.log1p(total(
        torch.exp(4 * math.tan(0.6) ** 2 * (u[i] + v[i]) @ v[j] - 2 * (1 + math.tan(0.6) ** 2) * u[i] @ v[i]) for j in others(len(u), i))))),
    Case("tuplet_margin", "a: real[n]; b: real[n, k]", "tuplet_margin[k](tanh(a), tanh(b), 0.2, 8)", N, lambda a, b: torch.log1p(
        torch.exp(8 * (torch.tanh(b) - torch.cos(torch.acos(torch.tanh(a)) - 0.2)[:, None])).sum(1))),
    Case("lifted_pairs", LABELLED, "lifted_pairs[n, d](z, y, 0.8)", (), lambda z, y: lifted_pairs(z, y, 0.8)),
    Case("intra_pair_variance", LABELLED, "intra_pair_variance[n, d](z, y, 0.1)", (), lambda z, y: intra_pairs(z, y, 0.1)),
]  # fmt: skip

"""Further objectives by hand: point processes, detection, diffusion, policies, ranking, time series."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy as np
import torch
from hand_papers import (
    STEP,
    bce,
    cross,
    entropy,
    huber,
    log_softmax,
    mean,
    paper,
    sigmoid,
    softmax,
    taken,
    unit,
)
from torch.nn import functional as f


@paper(
    "hawkes",
    sizes={"event": 5, "type": 3, "source": 3},
    data={"t": np.array([0.3, 0.9, 1.4, 2.2, 2.9]), "horizon": np.array(3.5)},
)
def hawkes(i: Any) -> Any:
    mu, alpha, w = (f.softplus(x) for x in (i.mu_raw, i.alpha_raw, i.decay_raw))
    total = i.horizon * mu.sum()
    for n, (t, k) in enumerate(zip(i.t, i.k, strict=True)):
        past = sum((alpha[k, i.k[j]] * w * torch.exp(-w * (t - i.t[j])) for j in range(n)), torch.zeros(()))
        total = total - torch.log(mu[k] + past) + alpha[:, k].sum() * (1 - torch.exp(-w * (i.horizon - t)))
    return total


@paper("ohem", sizes={"image": 2, "prior": 8, "class": 3}, data={
    "label_of": np.array([[0, 2, 0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0, 0]]),
})  # fmt: skip
def ohem(i: Any) -> Any:
    total = 0.0
    for z, y, loc, goal in zip(i.conf, i.label_of, i.loc, i.loc_target, strict=True):
        ce, found = cross(z, y), y != 0
        hard = ce[~found].sort(descending=True).values[: 3 * int(found.sum())]
        total = (
            total + ce[found].sum() + hard.sum() + f.smooth_l1_loss(loc[found], goal[found], reduction="sum")
        )
    return total / 2


@paper("keypoint_simcc", sizes={"xbin": 5, "ybin": 4})
def simcc(i: Any) -> Any:
    total = 0.0
    for z, c in ((i.x_logits, i.x), (i.y_logits, i.y)):
        goal = softmax(-((torch.arange(float(z.shape[-1])) - c[..., None]) ** 2) / 72)
        total = total + (goal * (goal.log() - log_softmax(z))).sum(-1)
    return (i.visible * total).sum() / i.visible.sum()


@paper("vicregl", sizes={"n": 4, "p": 3, "q": 3, "d": 3})
def vicregl(i: Any) -> Any:
    near = []
    for a, b in zip(i.a, i.b, strict=True):
        d = ((a[:, None] - b) ** 2).sum(-1).min(1).values
        near.append(d.sort().values[:2].mean())
    a, b = i.a.mean(1), i.b.mean(1)
    spread = sum((1 - torch.sqrt(x.var(0) + 1e-4)).clamp(min=0).mean() for x in (a, b))
    cov = torch.cov(a.T)
    return 25 * torch.stack(near).mean() + 25 * spread + ((cov**2).sum() - (cov.diag() ** 2).sum()) / 3


@paper("masked_diffusion")
def masked_diffusion(i: Any) -> Any:
    w = math.pi / 2 * torch.sin(math.pi / 2 * i.t) / (1 - torch.cos(math.pi / 2 * i.t))
    return (w * (cross(i.logits, i.x0) * i.xt_masked).sum(1)).mean()


@paper("gumbel_vq")
def gumbel_vq(i: Any) -> Any:
    y = torch.logit(0.8 * i.x + 0.1)
    rec = -torch.distributions.Laplace(i.mu, i.log_b.exp()).log_prob(y).flatten(1).sum(1).mean()
    kl = (math.log(i.logits.shape[-1]) - entropy(i.logits)).sum(1).mean()
    return rec + 6.6 * STEP / 5000 * kl


@paper("dqn_munchausen")
def munchausen(i: Any) -> Any:
    bonus = 0.9 * (0.03 * taken(log_softmax(i.q_target / 0.03), i.act)).clamp(-1, 0)
    v = (softmax(i.q_next / 0.03) * (i.q_next - 0.03 * log_softmax(i.q_next / 0.03))).sum(1)
    return huber(taken(i.q, i.act) - (i.r + bonus + 0.99 * (1 - i.done) * v).detach()).mean()


@paper("ppo_full", sizes={"env": 2, "t": 4})
def ppo(i: Any) -> Any:
    old = i.old_value.detach()
    delta = i.reward + 0.99 * (1 - i.done) * i.next_value.detach() - old
    advantages, carried = [], torch.zeros(2)
    for t in reversed(range(4)):
        carried = delta[:, t] + 0.99 * 0.95 * (1 - i.done[:, t]) * carried
        advantages.insert(0, carried)
    adv = torch.stack(advantages, 1).detach()
    a = (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-8)
    ratio, returns = torch.exp(i.logp - i.old_logp), adv + old
    near = i.old_value + (i.value - i.old_value).clamp(-0.2, 0.2)
    policy = -torch.minimum(a * ratio, a * ratio.clamp(0.8, 1.2)).mean()
    value = torch.maximum((i.value - returns) ** 2, (near - returns) ** 2).mean() / 2
    return policy + 0.5 * value - 0.01 * i.ent.mean()


@paper("hl_gauss", sizes={"bin": 8})
def hl_gauss(i: Any) -> Any:
    edges = torch.linspace(-10, 10, 9)
    cdf = torch.distributions.Normal(i.y[:, None], 0.75 * 20 / 8).cdf(edges)
    mass = torch.diff(cdf, dim=1)
    return -(mass / mass.sum(1, keepdim=True) * log_softmax(i.logits)).sum(1).mean()


@paper("awac")
def awac(i: Any) -> Any:
    w = softmax((i.q_pi.min(0).values - i.draws.mean(1)).detach() / 0.3)
    return ((i.q - i.target.detach()) ** 2).mean(1).sum() - (w * i.logp).sum()


@paper("rloo", sizes={"k": 4})
def rloo(i: Any) -> Any:
    r = (i.score - 0.05 * ((i.logp - i.ref_logp) * i.m).sum(2)).detach()
    others = torch.stack([torch.cat([r[:, :k], r[:, k + 1 :]], 1).mean(1) for k in range(4)], 1)
    return -((r - others) * (i.logp * i.m).sum(2)).mean()


def _gap(i: Any) -> Any:
    return (i.pc - i.rc) - (i.pr - i.rr)


@paper("dpo_variants", "cdpo")
def cdpo(i: Any) -> Any:
    return bce(0.1 * _gap(i), torch.tensor(0.9)).mean()


@paper("dpo_variants", "hinge_dpo")
def hinge_dpo(i: Any) -> Any:
    return f.relu(1 - 0.1 * _gap(i)).mean()


@paper("dpo_variants", "dpop")
def dpop(i: Any) -> Any:
    return -f.logsigmoid(0.1 * (_gap(i) - 50 * f.relu(i.rc - i.pc))).mean()


@paper("dpo_variants", "cal_dpo")
def cal_dpo(i: Any) -> Any:
    return (-f.logsigmoid(_gap(i)) + (i.pc - i.rc - 5) ** 2 + (i.pr - i.rr + 5) ** 2).mean()


@paper(
    "plackett_luce_dpo", sizes={"prompt": 2, "k": 4}, data={"place": np.array([[1, 3, 2, 4], [4, 1, 2, 3]])}
)
def plackett_luce(i: Any) -> Any:
    total = 0.0
    for s, place in zip(0.1 * (i.policy - i.reference), i.place, strict=True):
        ordered = s[place.argsort()]
        total = total - sum(log_softmax(ordered[k:])[0] for k in range(4))
    return total / 2


@paper("simctg", sizes={"b": 2, "t": 4})
def simctg(i: Any) -> Any:
    costs = []
    for h, m in zip(unit(i.h), i.m, strict=True):
        s = h @ h.T
        costs += [f.relu(0.5 - s[a, a] + s[a, b]) for a, b in permutations(range(4), 2) if m[a] and m[b]]
    return mean(cross(i.logits, i.y), i.m) + torch.stack(costs).mean()


@paper("jepa")
def jepa(i: Any) -> Any:
    goal = f.layer_norm(i.target, i.target.shape[-1:], eps=1e-6).detach()
    return f.smooth_l1_loss(i.predicted, goal) + 0.04 * (i.w[0] ** 2).sum()


@paper("siglip")
def siglip(i: Any) -> Any:
    z = i.log_scale.exp() * unit(i.u) @ unit(i.v).T + i.bias
    return bce(z, torch.eye(len(z))).sum(1).mean()


@paper("ance", sizes={"b": 3})
def ance(i: Any) -> Any:
    hard = (i.q[:, None] * i.neg).sum(-1).masked_fill(i.fn, -torch.inf)
    return f.cross_entropy(torch.cat([i.q @ i.pos.T, hard], 1), torch.arange(3))


@paper("gbce", sizes={"k": 4}, data={"items": 100})
def gbce(i: Any) -> Any:
    alpha = 4 / 99
    beta = alpha * (0.75 * (1 - 1 / alpha) + 1 / alpha)
    return mean(-beta * f.logsigmoid(i.pos) - f.logsigmoid(-i.neg).sum(-1), i.m)


@paper("mmoe")
def mmoe(i: Any) -> Any:
    z = (softmax(i.gate) * i.expert_out.transpose(1, 2)).sum(-1)
    return (torch.exp(-i.s) * bce(z, i.y).mean(0) + i.s / 2).sum()


@paper(
    "fine_gray",
    sizes={"n": 5},
    data={"cause": np.array([1, 2, 0, 1, 2]), "t": np.array([2.0, 1.0, 3.0, 1.5, 2.5])},
)
def fine_gray(i: Any) -> Any:
    costs = []
    for n in (0, 3):
        terms = []
        for j in range(5):
            if i.t[j] >= i.t[n]:
                terms.append(i.eta[j].exp())
            elif i.cause[j] > 1:
                terms.append(i.g[n] / i.g[j] * i.eta[j].exp())
        costs.append(sum(terms).log() - i.eta[n])
    return sum(costs) / 2


@paper("ts2vec", sizes={"b": 3, "t": 4})
def ts2vec(i: Any) -> Any:
    def contrast(a: Any, b: Any) -> Any:
        own = (a @ a.transpose(1, 2)).masked_fill(torch.eye(a.shape[1], dtype=torch.bool), -torch.inf)
        z = torch.cat([a @ b.transpose(1, 2), own], 2)
        goal = torch.arange(a.shape[1]).expand(len(a), -1)
        return f.cross_entropy(z.flatten(0, 1), goal.flatten())

    across = contrast(i.z1.transpose(0, 1), i.z2.transpose(0, 1))
    return (across + contrast(i.z1, i.z2)) / 2


@paper("energy_score")
def energy_score(i: Any) -> Any:
    m, total = i.sample_.shape[1], 0.0
    for x, y in zip(i.sample_, i.y, strict=True):
        pairs = sum((x[a] - x[b]).norm() for a, b in permutations(range(m), 2))
        total = total + (x - y).norm(dim=1).mean() - pairs / m**2 / 2
    return total / len(i.y)


@paper("motion_pred", sizes={"xy": 2})
def multipath(i: Any) -> Any:
    total = 0.0
    for n, ok in enumerate(i.ok):
        best = (i.y[n] - i.anchor).norm(dim=-1)[:, ok].sum(1).argmin()
        d = torch.distributions.Normal(i.anchor[best] + i.mu[n, best], i.log_s[n, best].exp())
        total = total - log_softmax(i.logit_mode[n])[best] - d.log_prob(i.y[n])[ok].sum()
    return total / len(i.ok)


@paper("label_dist_age", sizes={"age": 6})
def label_dist_age(i: Any) -> Any:
    p, age = softmax(i.z), torch.arange(6.0)
    m = p @ age
    v = p @ age**2 - m**2
    return f.cross_entropy(i.z, i.y) + (0.1 * (m - i.y) ** 2 + 0.05 * v).mean()


@paper("neural_ndcg", sizes={"list": 2, "i": 4}, data={
    "m": np.array([[True, True, True, False], [True, True, True, True]]), "rel": np.array([[0, 2, 1, 3], [1, 0, 3, 0]]),
})  # fmt: skip
def neural_ndcg(i: Any) -> Any:
    total = 0.0
    for s, rel, m in zip(i.s, i.rel, i.m, strict=True):
        s, gain = s[m], 2.0 ** rel[m] - 1
        n, spread = len(s), (s[:, None] - s).abs().sum(1)
        discount = 1 / torch.log2(torch.arange(n) + 2.0)
        rows = [softmax((n + 1 - 2 * (k + 1)) * s - spread) for k in range(n)]
        total = (
            total
            + sum(d * (row @ gain) for d, row in zip(discount, rows, strict=True))
            / (discount * gain.sort(descending=True).values).sum()
        )
    return 1 - total / 2


@paper("mask2former", sizes={"image": 2, "q": 3})
def mask2former(i: Any) -> Any:
    weight = torch.where(i.matched, 1.0, 0.1)
    classes = (weight * cross(i.cls, i.target_class)).sum() / weight.sum()
    p, y, n = sigmoid(i.mask_logit), i.mask_target, max(int(i.matched.sum()), 1)
    dice = 1 - (2 * (p * y).sum(-1) + 1) / (p.sum(-1) + y.sum(-1) + 1)
    return 2 * classes + 5 * (bce(i.mask_logit, y).mean(-1) + dice)[i.matched].sum() / n

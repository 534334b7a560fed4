"""Objectives of the folder objectives/ against the same formulas written out in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import special, stats
from test_objectives import STEP, call, case, compiled

HAND: dict[tuple[str, str], Callable[[Any], Any]] = {}


def hand(file: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    def keep(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        HAND[file, function.__name__] = function
        return function

    return keep


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any, axis: Any = -1) -> Any:
    return special.softmax(x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    return special.log_softmax(x, axis)


def unit(x: Any) -> Any:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def taken(x: Any, at: Any) -> Any:
    """Entries of the last axis."""
    return np.take_along_axis(x, at[..., None], -1)[..., 0]


def huber(r: Any, delta: float = 1.0) -> Any:
    return np.where(np.abs(r) <= delta, r**2 / 2, delta * (np.abs(r) - delta / 2))


def bce(z: Any, y: Any) -> Any:
    return np.logaddexp(0, z) - y * z


def squared_distances(a: Any, b: Any) -> Any:
    return ((a[..., :, None, :] - b[..., None, :, :]) ** 2).sum(-1)


@hand("self_supervision")
def byol(i: Any) -> Any:
    first = 2 - 2 * (unit(i.online1) * unit(i.target2)).sum(-1)
    return (first + 2 - 2 * (unit(i.online2) * unit(i.target1)).sum(-1)).mean()


@hand("self_supervision")
def dino(i: Any) -> Any:
    q = softmax((i.teacher - i.centre) / (0.04 + 0.03 * STEP / 30_000))
    logp = log_softmax(i.student / 0.1)
    pairs = [-(q[t] * logp[s]).sum(-1).mean() for s in range(len(logp)) for t in range(len(q)) if s != t]
    return np.mean(pairs)


@hand("self_supervision")
def moco(i: Any) -> Any:
    q = unit(i.query)
    z = np.concatenate([(q * unit(i.key)).sum(-1, keepdims=True), q @ unit(i.queue).T], 1) / 0.07
    return -log_softmax(z)[:, 0].mean()


@hand("self_supervision")
def swav(i: Any) -> Any:
    c = unit(i.prototypes)
    scores = [unit(z) @ c.T for z in (i.z1, i.z2)]
    codes = []
    for s in scores:
        q = np.exp(s / 0.05)
        for _ in range(3):
            q = q / q.sum(0, keepdims=True)
            q = q / q.sum(1, keepdims=True)
        codes.append(q)
    crossed = codes[0] * log_softmax(scores[1] / 0.1) + codes[1] * log_softmax(scores[0] / 0.1)
    return -crossed.sum(1).mean() / 2


@hand("self_supervision")
def vicreg_expanded(i: Any) -> Any:
    total = 25 * ((i.a - i.b) ** 2).mean()
    for x in (i.a, i.b):
        cov = np.cov(x.T).reshape(x.shape[1], x.shape[1])
        total += 25 * np.maximum(0, 1 - np.sqrt(np.diag(cov) + 1e-4)).mean() / 2
        total += ((cov**2).sum() - (np.diag(cov) ** 2).sum()) / x.shape[1]
    return total


@hand("self_supervision")
def masked_autoencoder(i: Any) -> Any:
    goal = (i.patches - i.patches.mean(-1, keepdims=True)) / np.sqrt(i.patches.var(-1, keepdims=True) + 1e-6)
    return ((i.predicted - goal) ** 2).mean(-1)[i.hidden].mean()


@hand("diffusion")
def v_prediction(i: Any) -> Any:
    a = i.alpha_bar[:, None]
    return ((i.output - np.sqrt(a) * i.eps + np.sqrt(1 - a) * i.x0) ** 2).mean()


@hand("diffusion")
def min_snr(i: Any) -> Any:
    snr = i.alpha_bar / (1 - i.alpha_bar)
    return (np.minimum(snr, 5) / snr * ((i.eps_hat - i.eps) ** 2).mean(1)).mean()


@hand("diffusion")
def edm(i: Any) -> Any:
    s = i.sigma[:, None, None, None]
    skip, out = 0.25 / (s**2 + 0.25), s * 0.5 / np.sqrt(s**2 + 0.25)
    weight = (s**2 + 0.25) / (s * 0.5) ** 2
    return (weight * (skip * i.noisy + out * i.network - i.clean) ** 2).mean()


@hand("diffusion")
def rectified_flow(i: Any) -> Any:
    t = i.alpha_bar
    w = stats.norm.pdf(special.logit(t)) / (t * (1 - t))
    return np.average(((i.velocity - (i.noise - i.data)) ** 2).mean(1), weights=w)


@hand("reinforcement")
def double_dqn(i: Any) -> Any:
    goal = i.reward + 0.99 * (1 - i.done) * taken(i.next_slow, i.next_online.argmax(1))
    return (i.importance * huber(taken(i.q, i.taken) - goal)).mean()


@hand("reinforcement")
def c51(i: Any) -> Any:
    place = np.linspace(-2, 2, 5)
    p_next = softmax(i.next_logits)
    logp = log_softmax(i.logits)
    total = 0.0
    for n in range(len(i.reward)):
        best = (p_next[n] @ place).argmax()
        goal = np.zeros(5)
        for j in range(5):
            moved = np.clip(i.reward[n] + 0.99 * (1 - i.done[n]) * place[j], -2, 2)
            b = (moved + 2) / 1.0
            low, high = int(np.floor(b)), int(np.ceil(b))
            if low == high:
                goal[low] += p_next[n, best, j]
            else:
                goal[low] += p_next[n, best, j] * (high - b)
                goal[high] += p_next[n, best, j] * (b - low)
        total -= (goal * logp[n, i.taken[n]]).sum()
    return total / len(i.reward)


@hand("reinforcement")
def qr_dqn(i: Any) -> Any:
    n, _, q = i.theta.shape
    level = (np.arange(q) + 0.5) / q
    total = 0.0
    for s in range(n):
        best = i.theta_next[s].mean(1).argmax()
        goal = i.reward[s] + 0.99 * (1 - i.done[s]) * i.theta_next[s, best]
        for a in range(q):
            u = goal - i.theta[s, i.taken[s], a]
            total += (np.abs(level[a] - (u < 0)) * huber(u)).mean()
    return total / n


@hand("reinforcement")
def cql(i: Any) -> Any:
    q = taken(i.q, i.taken)
    goal = i.reward + 0.99 * (1 - i.done) * i.next_q.max(1)
    return ((q - goal) ** 2).mean() / 2 + (special.logsumexp(i.q, axis=1) - q).mean()


@hand("reinforcement")
def a2c(i: Any) -> Any:
    returns, following = [], float(i.last)
    for r in i.reward[::-1]:
        following = r + 0.99 * following
        returns.append(following)
    returns = np.array(returns[::-1])
    logp = log_softmax(i.logits)
    policy = -(taken(logp, i.taken) * (returns - i.value)).mean()
    critic = np.where(i.done == 1, 0, (returns - i.value) ** 2).mean()
    return policy + 0.5 * critic + 0.01 * (np.exp(logp) * logp).sum(1).mean()


@hand("reinforcement")
def gae(i: Any) -> Any:
    delta = i.reward + 0.99 * (1 - i.done) * i.next_value - i.value
    advantage, following = np.zeros_like(delta), 0.0
    for t in reversed(range(len(delta))):
        following = delta[t] + 0.99 * 0.95 * (1 - i.done[t]) * following
        advantage[t] = following
    return (-i.log_prob * advantage).mean() + (advantage**2).mean() / 2


@hand("segmentation")
def nnunet(i: Any) -> Any:
    logits = np.moveaxis(i.logits, 1, -1)
    p, hot = softmax(logits), np.eye(logits.shape[-1])[i.truth]
    axes = (0, 1, 2, 3)
    score = (2 * (p * hot).sum(axes) + 1e-5) / (p.sum(axes) + hot.sum(axes) + 1e-5)
    return -score[1:].mean() - taken(log_softmax(logits), i.truth).mean()


@hand("segmentation")
def lovasz_binary(i: Any) -> Any:
    total = []
    for z, y in zip(i.logits, i.truth, strict=True):
        e, t = (1 - z * y).ravel(), (y.ravel() > 0).astype(float)
        order = np.argsort(-e, kind="stable")
        e, t = e[order], t[order]
        union = t.sum() + np.cumsum(1 - t)
        jaccard = 1 - (t.sum() - np.cumsum(t)) / union
        total.append((np.maximum(e, 0) * np.diff(jaccard, prepend=0)).sum())
    return np.mean(total)


@hand("segmentation")
def ohem(i: Any) -> Any:
    logp = log_softmax(i.logits, 1)
    cost = -np.array([logp[n, i.truth[n, r, c], r, c] for n, r, c in np.argwhere(i.truth != 255)])
    keep = int(np.floor(0.25 * len(cost)))
    return np.sort(cost)[::-1][:keep].mean() if keep else 0.0


@hand("detection")
def detr(i: Any) -> Any:
    matched = i.what != 0
    ce = -taken(log_softmax(i.logits), i.what)
    boxes = 0.0
    for b, t in zip(i.box[matched], i.target[matched], strict=True):
        boxes += 5 * np.abs(b - t).sum()
        cut = max(0, min(b[2], t[2]) - max(b[0], t[0])) * max(0, min(b[3], t[3]) - max(b[1], t[1]))
        areas = [max(0, x[2] - x[0]) * max(0, x[3] - x[1]) for x in (b, t)]
        union = sum(areas) - cut
        hull = (max(b[2], t[2]) - min(b[0], t[0])) * (max(b[3], t[3]) - min(b[1], t[1]))
        iou = cut / union if union else 0.0
        boxes += 2 * (1 - iou + ((hull - union) / hull if hull else 0.0))
    return np.average(ce, weights=np.where(matched, 1, 0.1)) + boxes / max(1, matched.sum())


@hand("detection")
def generalized_focal(i: Any) -> Any:
    p = sigmoid(i.quality_logit)
    qfl = np.abs(i.quality - p) ** 2 * bce(i.quality_logit, i.quality)
    bins = i.edge.shape[-1]
    y = np.clip(i.target, 0, bins - 1.001)
    left = np.floor(y).astype(int)
    logp = log_softmax(i.edge)
    split = -((left + 1 - y) * taken(logp, left) + (y - left) * taken(logp, left + 1))
    edges = split[i.positive].mean() if i.positive.any() else 0.0
    return qfl.sum() / max(1, i.positive.sum()) + edges / 4


@hand("language_models")
def palm(i: Any) -> Any:
    kept = i.next != -100
    z, y = i.logits[kept], i.next[kept]
    log_z = special.logsumexp(z, axis=-1)
    logp = z - log_z[:, None]
    return (-0.9 * taken(logp, y) - 0.1 * logp.mean(1)).mean() + 1e-4 * (log_z**2).mean()


@hand("language_models")
def unlikelihood_training(i: Any) -> Any:
    logp = log_softmax(i.logits)
    likely, unlikely, count = 0.0, 0.0, 0
    for b, t in np.argwhere(i.real):
        count += 1
        likely -= logp[b, t, i.words[b, t]]
        said = {i.words[b, s] for s in range(t) if i.real[b, s]} - {i.words[b, t]}
        unlikely -= sum(np.log(1 - np.exp(logp[b, t, w])) for w in said)
    return (likely + unlikely) / count


@hand("language_models")
def generalized_jsd(i: Any) -> Any:
    p, q = softmax(i.teacher), softmax(i.student)
    m = (p + q) / 2
    return ((p * np.log(p / m) + q * np.log(q / m)).sum(-1) / 2)[i.real].mean()


@hand("language_models")
def multi_token(i: Any) -> Any:
    logp = log_softmax(i.logits)
    heads, batch, time, _ = logp.shape
    costs, weights = [], []
    for h in range(heads):
        for t in range(time - h):
            costs += [-logp[h, b, t, i.words[b, t + h]] for b in range(batch)]
            weights += [0.8**h] * batch
    return np.average(costs, weights=weights)


@hand("alignment")
def dpo_from_logits(i: Any) -> Any:
    chosen = (taken(log_softmax(i.chosen_logits), i.chosen) * i.real).sum(1)
    rejected = (taken(log_softmax(i.rejected_logits), i.rejected) * i.real).sum(1)
    margin = 0.1 * (chosen - i.chosen_reference - rejected + i.rejected_reference)
    return np.logaddexp(0, -margin).mean()


@hand("alignment")
def plackett_luce(i: Any) -> Any:
    r = 0.1 * i.ratio
    places = r.shape[1]
    return sum(special.logsumexp(r[:, k:], axis=1) - r[:, k] for k in range(places - 1)).mean()


@hand("alignment")
def rloo(i: Any) -> Any:
    n = i.reward.shape[1]
    baseline = np.array([[np.delete(row, k).mean() for k in range(n)] for row in i.reward])
    return -((i.reward - baseline) * np.where(i.there, i.log_prob, 0).sum(-1)).mean()


@hand("adversarial")
def wgan_gp(i: Any) -> Any:
    length = np.sqrt((i.gradient**2).sum((1, 2, 3)))
    return i.fake.mean() - i.real.mean() + 10 * ((length - 1) ** 2).mean()


@hand("survival")
def cox_breslow(i: Any) -> Any:
    cost = []
    for n in np.flatnonzero(i.event == 1):
        cost.append(special.logsumexp(i.risk[i.time >= i.time[n]]) - i.risk[n])
    return (np.mean(cost) if cost else 0.0) + 1e-3 * (i.weights**2).sum()


@hand("survival")
def weibull_aft(i: Any) -> Any:
    k, scale = np.exp(i.log_shape), np.exp(i.log_scale)
    logf = stats.weibull_min.logpdf(i.time, k, scale=scale)
    logs = stats.weibull_min.logsf(i.time, k, scale=scale)
    return -np.where(i.event == 1, logf, logs).mean()


@hand("survival")
def log_normal_aft(i: Any) -> Any:
    logf = stats.lognorm.logpdf(i.time, i.sigma, scale=np.exp(i.mu))
    logs = stats.lognorm.logsf(i.time, i.sigma, scale=np.exp(i.mu))
    return -np.where(i.event == 1, logf, logs).mean()


@hand("survival")
def deep_hit(i: Any) -> Any:
    p = softmax(i.logits)
    cdf = np.cumsum(p, 1)
    n = len(p)
    own = taken(cdf, i.place)
    cost = [-np.log(p[k, i.place[k]]) if i.event[k] else -np.log(1 - own[k] + 1e-7) for k in range(n)]
    ranks = [
        np.exp(-(own[a] - cdf[b, i.place[a]]) / 0.1)
        for a in range(n)
        for b in range(n)
        if i.event[a] and i.time[a] < i.time[b]
    ]
    return 0.2 * np.mean(cost) + 0.8 * (np.mean(ranks) if ranks else 0.0)


@hand("recommendation")
def factorization_machine(i: Any) -> Any:
    z = i.bias + i.feature @ i.linear
    fields = i.feature.shape[1]
    for a in range(fields):
        for b in range(a + 1, fields):
            z = z + i.feature[:, a] * i.feature[:, b] * (i.factor[a] @ i.factor[b])
    return bce(z, i.click).mean() + 1e-3 * (i.factor**2).sum()


@hand("recommendation")
def debiased_contrastive(i: Any) -> Any:
    q = unit(i.query)
    pos = np.exp((q * unit(i.key)).sum(1) / 0.5)
    neg = np.exp(np.einsum("nd,nkd->nk", q, unit(i.other)) / 0.5)
    g = np.maximum((neg.mean(1) - 0.1 * pos) / 0.9, np.exp(-2))
    return -np.log(pos / (pos + neg.shape[1] * g)).mean()


@hand("variational")
def iwae(i: Any) -> Any:
    log_px = -bce(i.decoded, i.pixels).sum(-1)
    log_pz = stats.norm.logpdf(i.z).sum(-1)
    log_qz = stats.norm.logpdf(i.z, i.mean, np.exp(i.log_sd)).sum(-1)
    w = log_px + log_pz - log_qz
    return -(special.logsumexp(w, axis=0) - np.log(len(w))).mean()


@hand("variational")
def vq_vae(i: Any) -> Any:
    e = i.codebook[squared_distances(i.encoded, i.codebook).argmin(1)]
    rebuilt = ((e @ i.decoder - i.picture) ** 2).sum(1).mean()
    return rebuilt + 1.25 * ((i.encoded - e) ** 2).mean()


@hand("variational")
def info_vae(i: Any) -> Any:
    def kernel(a: Any, b: Any) -> Any:
        return np.exp(-squared_distances(a, b) / a.shape[1]).mean()

    mmd = kernel(i.z, i.z) + kernel(i.prior, i.prior) - 2 * kernel(i.z, i.prior)
    return ((i.copy - i.picture) ** 2).mean() + 10 * mmd


@hand("variational")
def vamp_prior(i: Any) -> Any:
    log_q = stats.norm.logpdf(i.z, i.mean, np.exp(i.log_var / 2)).sum(1)
    each = stats.norm.logpdf(i.z[:, None], i.pseudo_mean, np.exp(i.pseudo_log_var / 2)).sum(2)
    return (log_q - special.logsumexp(each, axis=1) + np.log(each.shape[1])).mean()


@hand("graphs")
def rotat_e(i: Any) -> Any:
    head = i.head[..., 0] + 1j * i.head[..., 1]
    turned = head * np.exp(1j * i.phase)
    d_real = np.abs(turned - (i.tail[..., 0] + 1j * i.tail[..., 1])).sum(-1)
    d_fake = np.abs(turned[:, None] - (i.fake[..., 0] + 1j * i.fake[..., 1])).sum(-1)
    hard = softmax(12 - d_fake)
    cost = -np.log(sigmoid(12 - d_real)) - (hard * np.log(sigmoid(d_fake - 12))).sum(1)
    return cost.mean() / 2


@hand("graphs")
def link_prediction(i: Any) -> Any:
    u, v, w = i.z[getattr(i, "from")], i.z[i.to], i.z[i.fake]
    near, far = (u * v).sum(1), np.einsum("ed,ekd->ek", u, w)
    return np.logaddexp(0, -near).mean() + np.logaddexp(0, far).sum(1).mean()


@hand("metric")
def lifted_structure(i: Any) -> Any:
    d = np.sqrt(squared_distances(i.z, i.z))
    n, cost = len(i.y), []
    for a in range(n):
        for b in range(a + 1, n):
            if i.y[a] == i.y[b]:
                away = [1 - d[a, k] for k in range(n) if i.y[k] != i.y[a]]
                away += [1 - d[b, k] for k in range(n) if i.y[k] != i.y[b]]
                j = (special.logsumexp(away) if away else -np.inf) + d[a, b]
                cost.append(max(0, j) ** 2)
    return (np.mean(cost) if cost else 0.0) / 2


@hand("metric")
def semi_hard_triplet(i: Any) -> Any:
    d = squared_distances(unit(i.z), unit(i.z))
    n, cost = len(i.y), []
    for a in range(n):
        for b in range(n):
            beyond = [d[a, k] for k in range(n) if i.y[k] != i.y[a] and d[a, k] > d[a, b]]
            if a != b and i.y[a] == i.y[b] and beyond:
                cost.append(max(0, d[a, b] - min(beyond) + 0.2))
    return np.mean(cost) if cost else 0.0


@hand("metric")
def ge2e(i: Any) -> Any:
    speakers, utterances, _ = i.e.shape
    total = 0.0
    for s in range(speakers):
        for u in range(utterances):
            row = []
            for k in range(speakers):
                of = np.delete(i.e[k], u, 0) if k == s else i.e[k]
                row.append(i.w * (unit(i.e[s, u]) @ unit(of.mean(0))) + i.b)
            total -= log_softmax(np.array(row))[s]
    return total / speakers / utterances


@hand("uncertainty")
def evidential_classification(i: Any) -> Any:
    a = 1 + np.logaddexp(0, i.logits) + i.evidence
    s = a.sum(1, keepdims=True)
    p, hot = a / s, np.eye(a.shape[1])[i.y]
    fit = ((hot - p) ** 2 + p * (1 - p) / (s + 1)).sum(1).mean()
    b = hot + (1 - hot) * a
    t = b.sum(1)
    kl = special.gammaln(t) - special.gammaln(b.shape[1]) - special.gammaln(b).sum(1)
    kl += ((b - 1) * (special.digamma(b) - special.digamma(t)[:, None])).sum(1)
    return fit + kl.mean()


@hand("uncertainty")
def energy_score(i: Any) -> Any:
    m = i.draw.shape[1]
    far = np.linalg.norm(i.draw - i.y[:, None], axis=-1).mean(1)
    wide = np.sqrt(squared_distances(i.draw, i.draw)).sum((1, 2)) / (2 * m * (m - 1))
    return (far - wide).mean()


@hand("fairness_and_transfer")
def deep_coral(i: Any) -> Any:
    d = i.source.shape[1]
    cs, ct = (np.cov(x.T).reshape(d, d) for x in (i.source, i.target))
    return -taken(log_softmax(i.logits), i.y).mean() + ((cs - ct) ** 2).sum() / (4 * d * d)


@hand("fairness_and_transfer")
def elastic_weights(i: Any) -> Any:
    kept = sum((i.fisher[k] ** 2 * (i.model[k] - i.old[k]) ** 2).sum() for k in i.model)
    return -taken(log_softmax(i.logits), i.y).mean() + 50 * kept


@hand("scenes")
def nerf(i: Any) -> Any:
    optical = np.maximum(i.density, 0) * i.gap
    alpha = 1 - np.exp(-optical)
    rays, samples = alpha.shape
    shown = np.zeros((rays, i.colour.shape[-1]))
    light = np.ones(rays)
    for k in range(samples):
        shown += (light * alpha[:, k])[:, None] * sigmoid(i.colour[:, k])
        light = light * (1 - alpha[:, k])
    return ((shown - i.pixel) ** 2).sum(1).mean()


@hand("scenes")
def chamfer(i: Any) -> Any:
    d = squared_distances(i.cloud, i.truth)
    return d.min(2).mean() + d.min(1).mean()


@hand("scenes")
def earth_mover(i: Any) -> Any:
    cost = squared_distances(i.cloud, i.truth)
    kernel = np.exp(-cost / 0.5)
    p, q = cost.shape
    u = np.ones(p) / p
    for _ in range(3):
        v = (1 / q) / (kernel.T @ u)
        u = (1 / p) / (kernel @ v)
    return (u[:, None] * kernel * v * cost).sum()


@hand("scenes")
def heat_equation(i: Any) -> Any:
    bend = (np.roll(i.u, -1, 1) - 2 * i.u + np.roll(i.u, 1, 1)) / 0.25
    return ((np.diff(i.u, axis=0) / 0.1 - 0.7 * bend[:-1]) ** 2).mean() + ((i.u[0] - i.first) ** 2).mean()


@hand("speech_and_time")
def frame_ctc(i: Any) -> Any:
    """Every path of four frames that spells the word."""
    from itertools import groupby, product

    logp = log_softmax(i.logits)
    cost = []
    for n, word in enumerate(i.word):
        paths = [
            sum(logp[n, t, s] for t, s in enumerate(path))
            for path in product(range(3), repeat=4)
            if [s for s, _ in groupby(path) if s != 0] == list(word)
        ]
        cost.append(-special.logsumexp(paths) if paths else np.inf)
    return np.mean(cost)


@hand("speech_and_time")
def deep_clustering(i: Any) -> Any:
    return ((i.v @ i.v.T - i.y @ i.y.T) ** 2).sum()


@hand("speech_and_time")
def permutation_invariant(i: Any) -> Any:
    def ratio(e: Any, s: Any) -> Any:
        e, s = e - e.mean(), s - s.mean()
        wanted = (e @ s) / (s @ s + 1e-8) * s
        noise = e - wanted
        return 10 * np.log10(wanted @ wanted / (noise @ noise + 1e-8) + 1e-8)

    best = [
        max(ratio(e[0], s[0]) + ratio(e[1], s[1]), ratio(e[0], s[1]) + ratio(e[1], s[0])) / 2
        for e, s in zip(i.estimate, i.source, strict=True)
    ]
    return -np.mean(best)


def upright(box: Any) -> Any:
    """The second corner beyond the first."""
    return np.concatenate([box[..., :2], box[..., :2] + np.abs(box[..., 2:])], -1)


#: What a formula by hand asks of its inputs beyond their kinds.
PREPARED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "detr": lambda a: {**a, "box": upright(a["box"]), "target": upright(a["target"])},
    "frame_ctc": lambda a: {**a, "word": 1 + a["word"] % 2},
}


@pytest.mark.parametrize(("file", "loss"), sorted(HAND), ids=lambda name: name)
def test_equals_numpy_by_hand(file: str, loss: str) -> None:
    lowered, arrays = case(file, loss)
    arrays = PREPARED.get(loss, dict)(arrays)
    out, _ = call(compiled(file, loss, "numpy"), lowered, arrays, "numpy")
    assert float(out.total) == pytest.approx(
        float(HAND[file, loss](SimpleNamespace(**arrays))), rel=1e-9, abs=1e-12
    )

"""Speech, survival, recommendation, retrieval and forecasts by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from hand_papers import STEP, bce, cross, log_softmax, mean, paper, prefixes, sigmoid, softmax, unit
from torch.nn import functional as f


@paper("ctc_attention", sizes={"batch": 3, "t": 6, "u": 3, "token": 4}, data={
    "frame_length": np.array([6, 5, 4]), "length": np.array([3, 1, 2]),
    "transcript": np.array([[1, 1, 2], [3, 0, 0], [2, 3, 1]]),
})  # fmt: skip
def ctc_attention(i: Any) -> Any:
    logp = log_softmax(i.frames).transpose(0, 1)
    each = f.ctc_loss(logp, i.transcript, i.frame_length, i.length, reduction="none")
    goal = 0.9 * f.one_hot(i.transcript, 4) + 0.1 / 4
    attention = -(goal * log_softmax(i.decoder)).sum(-1)[prefixes(i.length, 3)].sum() / 3
    return 0.3 * each.mean() + 0.7 * attention


@paper("ge2e", sizes={"speaker": 3, "utterance": 4})
def ge2e(i: Any) -> Any:
    total = 0.0
    for j in range(3):
        for u in range(4):
            rest = [i.e[j, v] for v in range(4) if v != u]
            centroids = [torch.stack(rest).mean(0) if k == j else i.e[k].mean(0) for k in range(3)]
            z = torch.stack([i.w * f.cosine_similarity(i.e[j, u], c, dim=0) + i.b for c in centroids])
            total = total - log_softmax(z)[j]
    return total


@paper("si_snr_pit", sizes={"source": 2, "sample": 6})
def si_snr(i: Any) -> Any:
    def ratio(x: Any, s: Any) -> Any:
        x, s = x - x.mean(), s - s.mean()
        wanted = (x @ s) * s / (s @ s)
        return 10 * torch.log10((wanted @ wanted) / ((x - wanted) @ (x - wanted)))

    best = [
        torch.maximum(ratio(e[0], r[0]) + ratio(e[1], r[1]), ratio(e[0], r[1]) + ratio(e[1], r[0])) / 2
        for e, r in zip(i.estimate, i.reference, strict=True)
    ]
    return -torch.stack(best).mean()


@paper("multi_res_stft")
def multi_res_stft(i: Any) -> Any:
    total = ((1 - i.fake) ** 2).mean() * 4
    for m, t in zip(i.mag, i.mag_target, strict=True):
        total = total + ((t - m).norm() / t.norm() + (t.log() - m.log()).abs().mean()) / len(i.mag)
    return total


@paper("fastspeech2", sizes={"batch": 2, "frame": 5, "phoneme": 4}, data={
    "frames": np.array([5, 3]), "phonemes": np.array([2, 4]),
})  # fmt: skip
def fastspeech2(i: Any) -> Any:
    heard, said = prefixes(i.frames, 5), prefixes(i.phonemes, 4)
    mel = (i.mel - i.mel_target).abs() + (i.postnet - i.mel_target).abs()
    variance = (i.log_duration - (i.duration + 1).log()) ** 2 + (i.pitch - i.pitch_target) ** 2
    return mel[heard].mean() + (variance + (i.energy - i.energy_target) ** 2)[said].mean()


@paper("tacotron2", sizes={"batch": 2, "frame": 5, "char": 4}, data={
    "frames": np.array([5, 3]), "chars": np.array([2, 4]),
})  # fmt: skip
def tacotron2(i: Any) -> Any:
    heard, read = prefixes(i.frames, 5), prefixes(i.chars, 4)
    mel = ((i.mel - i.target) ** 2 + (i.post - i.target) ** 2)[heard].mean()
    ends = torch.arange(5) == i.frames[:, None] - 1
    gate = torch.where(ends, 5 * f.softplus(-i.gate), f.softplus(i.gate))[heard].mean()
    off = torch.arange(4.0) / i.chars[:, None, None] - torch.arange(5.0)[:, None] / i.frames[:, None, None]
    guided = (i.align * (1 - torch.exp(-(off**2) / 0.08)))[heard[:, :, None] & read[:, None]].mean()
    return mel + gate + 5 * (0.1 / 5) ** (STEP / 20_000) * guided


@paper("hifigan")
def hifigan(i: Any) -> Any:
    matched = sum(f.l1_loss(a, b) for a, b in zip(i.feature_fake, i.feature_real, strict=True))
    return sum(((x - 1) ** 2).mean() for x in i.fake) + 2 * matched + 45 * f.l1_loss(i.mel_fake, i.mel_real)


@paper("deephit", sizes={"subject": 5, "event": 2, "time": 4}, data={
    "when": np.array([0, 1, 3, 2, 1]), "observed": np.array([True, False, True, False, True]),
})  # fmt: skip
def deephit(i: Any) -> Any:
    p = softmax(i.logits.flatten(1)).view(5, 2, 4)
    likelihood, ranking = [], []
    for n in range(5):
        k, t = int(i.cause[n]), int(i.when[n])
        likelihood.append(-(p[n, k, t] if i.observed[n] else 1 - p[n, :, : t + 1].sum()).log())
        for j in range(5):
            if i.observed[n] and t < i.when[j]:
                ranking.append(torch.exp(-(p[n, k, : t + 1].sum() - p[j, k, : t + 1].sum()) / 0.1))
    return torch.stack(likelihood).mean() + torch.stack(ranking).mean()


@paper("weibull_aft", sizes={"subject": 5}, data={
    "lower": np.array([1.0, 2.0, 0.5, 1.5, 0.7]), "upper": np.array([1.0, 3.0, 0.5, 2.5, 0.7]),
    "exact": np.array([True, False, True, False, False]), "right_censored": np.array([False, False, False, False, True]),
})  # fmt: skip
def weibull_aft(i: Any) -> Any:
    d = torch.distributions.Weibull(torch.exp(i.intercept + i.x @ i.beta), torch.exp(-i.log_sigma))
    survival = lambda t: torch.exp(-((t / d.scale) ** d.concentration))  # noqa: E731
    between = torch.where(i.exact | i.right_censored, 0.5, survival(i.lower) - survival(i.upper))
    ll = torch.where(
        i.exact, d.log_prob(i.lower), torch.where(i.right_censored, survival(i.lower).log(), between.log())
    )
    return -ll.mean() + 1e-3 * (i.beta**2).sum()


@paper("mtlr", sizes={"interval": 5})
def mtlr(i: Any) -> Any:
    total = 0.0
    for psi, t, e in zip(i.psi, i.when, i.event, strict=True):
        score = torch.stack([psi[k:].sum() for k in range(5)])
        total = total + torch.logsumexp(score, 0) - (score[t] if e else torch.logsumexp(score[t:], 0))
    smooth = (torch.diff(i.theta, dim=1) ** 2).sum() / 2
    return total / len(i.psi) + 0.01 * (i.theta**2).sum() / 2 + 0.1 * smooth


@paper("discrete_hazard", sizes={"subject": 4, "interval": 5}, data={"last": np.array([0, 2, 4, 1])})
def discrete_hazard(i: Any) -> Any:
    total = 0.0
    for z, t, e in zip(i.hazard, i.last, i.event, strict=True):
        total = total + f.softplus(z[:t]).sum() + (f.softplus(-z[t]) if e else f.softplus(z[t]))
    return total / 4


@paper("deepsurv_efron", sizes={"subject": 6, "instant": 3}, data={
    "time": np.array([1.0, 2, 2, 2, 3, 3]), "event": np.array([1.0, 1, 1, 0, 1, 0]), "grid": np.array([1.0, 2, 3]),
})  # fmt: skip
def efron(i: Any) -> Any:
    total = 0.0
    for t in (1, 2, 3):
        died = (i.event == 1) & (i.time == t)
        d, hazard = int(died.sum()), i.risk.exp()
        for k in range(d):
            total = total + (hazard[i.time >= t].sum() - k / d * hazard[died].sum()).log()
        total = total - i.risk[died].sum()
    return total / i.event.sum()


@paper("crps_survival", sizes={"bin": 5})
def crps_survival(i: Any) -> Any:
    total = 0.0
    for z, t, censored in zip(i.logits, i.time, i.censored, strict=True):
        cdf = softmax(z).cumsum(0)
        total = total + (cdf[:t] ** 2 * i.width[:t]).sum()
        total = total + (1 - censored) * ((1 - cdf[t:]) ** 2 * i.width[t:]).sum()
    return total / len(i.time)


@paper("warp", sizes={"user": 6, "trial": 4}, data={"items": 40})
def warp(i: Any) -> Any:
    costs = []
    for p, sampled in zip(i.positive, i.sampled, strict=True):
        for k, s in enumerate(sampled):
            if s + 1 > p:
                costs.append(math.log(1 + 39 // (k + 1)) * (1 - p + s).clamp(min=0))
                break
    return torch.stack(costs).mean()


@paper("bert4rec", sizes={"item": 6, "time": 5})
def bert4rec(i: Any) -> Any:
    z = i.hidden @ i.table.T + i.bias
    return f.cross_entropy(z.flatten(0, 1), i.target.flatten(), ignore_index=-1)


@paper("esmm")
def esmm(i: Any) -> Any:
    both = sigmoid(i.ctr) * sigmoid(i.cvr)
    return bce(i.ctr, i.click).mean() + f.binary_cross_entropy(both, i.click * i.conversion)


@paper("dien", sizes={"batch": 3, "time": 4}, data={"length": np.array([4, 2, 3])})
def dien(i: Any) -> Any:
    kept = prefixes(i.length - 1, 3)
    up, down = ((i.hidden[:, :-1] * x[:, 1:]).sum(-1) for x in (i.clicked, i.sampled))
    return bce(i.ctr, i.click).mean() + mean(f.softplus(-up) + f.softplus(down), kept)


@paper("snips", sizes={"log": 6})
def snips(i: Any) -> Any:
    w = (torch.exp(-cross(i.logits, i.chosen)) / i.propensity).clamp(max=100)
    u = (i.cost - 0.2) * w
    return u.mean() + 0.1 * u.std() / math.sqrt(6)


@paper("doubly_robust")
def doubly_robust(i: Any) -> Any:
    e, inverse = (i.predicted - i.rating) ** 2, 1 / i.propensity.clamp(min=0.05)
    prediction = (i.imputed_error + i.observed * inverse * (e - i.imputed_error)).mean()
    return prediction + mean(inverse * (e.detach() - i.imputed_error) ** 2, i.observed)


@paper("dragonnet", sizes={"n": 5})
def dragonnet(i: Any) -> Any:
    q, g = torch.where(i.t == 1, i.y1, i.y0), sigmoid(i.treatment_logit).clamp(0.01, 0.99)
    h = torch.where(i.t == 1, 1 / g, -1 / (1 - g))
    return ((q - i.y) ** 2 + bce(i.treatment_logit, i.t) + (i.y - q - i.epsilon * h) ** 2).mean()


@paper("simgcl", sizes={"user": 5, "item": 6, "pair": 3})
def simgcl(i: Any) -> Any:
    users, items = i.layer_user.mean(0), i.layer_item.mean(0)
    views = [
        (i.layer_user + 0.1 * i.layer_user.sign() * unit(n.abs())).mean(0)[i.u] for n in (i.noise1, i.noise2)
    ]
    rank = f.softplus(-(users[i.u] * (items[i.i] - items[i.j])).sum(1)).mean()
    contrast = f.cross_entropy(unit(views[0]) @ unit(views[1]).T / 0.2, torch.arange(3))
    decay = (i.e0_user[i.u] ** 2).sum() + (i.e0_item[i.i] ** 2).sum() + (i.e0_item[i.j] ** 2).sum()
    return rank + 0.5 * contrast + 1e-4 * decay / 6


@paper("splade", sizes={"query": 3, "qpos": 2, "dpos": 4, "term_id": 5}, data={
    "q_real": np.array([[True, True], [True, False], [True, True]]),
    "d_real": np.array([[True, True, True, False], [True, False, False, False], [True, True, True, True]]),
    "n_real": np.array([[True, True, False, False], [True, True, True, True], [True, False, False, False]]),
})  # fmt: skip
def splade(i: Any) -> Any:
    def pooled(z: Any, m: Any) -> Any:
        return torch.stack([torch.log1p(f.relu(x[k])).max(0).values for x, k in zip(z, m, strict=True)])

    q, d, n = pooled(i.q_logits, i.q_real), pooled(i.d_logits, i.d_real), pooled(i.n_logits, i.n_real)
    z = torch.cat([q @ d.T, (q * n).sum(1, keepdim=True)], 1)
    flops = lambda x: (x.mean(0) ** 2).sum()  # noqa: E731
    share = STEP / 50_000
    return f.cross_entropy(z, torch.arange(3)) + share * (3e-4 * flops(q) + 1e-4 * flops(d))


@paper("colbert", sizes={"query": 2, "passage": 3, "dtok": 4, "qtok": 2}, data={
    "d_real": np.arange(4) < np.array([[4, 2, 1], [3, 3, 4]])[..., None],
})  # fmt: skip
def colbert(i: Any) -> Any:
    sim = torch.einsum("aqd,aptd->apqt", unit(i.q), unit(i.d))
    sim = sim.masked_fill(~i.d_real[:, :, None], -torch.inf)
    s = sim.max(-1).values.sum(-1)
    distilled = f.kl_div(log_softmax(s), log_softmax(i.teacher), log_target=True, reduction="batchmean")
    return distilled - log_softmax(s)[:, 0].mean()


@paper("nbeats", sizes={"series": 3, "t": 20})
def nbeats(i: Any) -> Any:
    naive = (i.history[:, 12:] - i.history[:, :-12]).abs().mean(1, keepdim=True)
    gap = (i.forecast - i.actual).abs()
    return mean(gap / (i.forecast.abs() + i.actual.abs()) + gap / naive, i.seen)


@paper("temporal_fusion", sizes={"q": 3})
def temporal_fusion(i: Any) -> Any:
    r = i.actual[..., None] - i.forecast
    level = torch.tensor([0.1, 0.5, 0.9])
    return torch.maximum(level * r, (level - 1) * r).sum(-1).mean()


@paper("deepar")
def deepar(i: Any) -> Any:
    mu = i.scale[:, None] * f.softplus(i.mu_raw)
    r = 1 / (f.softplus(i.alpha_raw) / i.scale.sqrt()[:, None])
    z = i.z.double()
    ll = (
        torch.lgamma(z + r)
        - torch.lgamma(r)
        - torch.lgamma(z + 1)
        + r * (r / (r + mu)).log()
        + z * (mu / (r + mu)).log()
    )
    return -mean(ll, i.observed)


@paper("tweedie_glm")
def tweedie_glm(i: Any) -> Any:
    mu = i.eta.exp()
    each = 2 * (i.premium * mu**-0.5 / 0.5 + mu**0.5 / 0.5)
    penalty = 0.5 * i.beta.abs().sum() + 0.25 * (i.beta**2).sum()
    return (i.exposure * each).sum() / i.exposure.sum() + 1e-3 * penalty

"""Further objectives of the folder objectives/ against the same formulas written out in NumPy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import special, stats
from test_objectives import call, case, compiled
from test_objectives_by_hand import bce, huber, log_softmax, sigmoid, softmax, taken, unit


def yolo_v1(i: Any) -> Any:
    total = 0.0
    for n, cell in np.ndindex(i.has_object.shape):
        found, best = i.has_object[n, cell], i.iou[n, cell].argmax()
        true = i.true_box[n, cell]
        for k, box in enumerate(i.box[n, cell]):
            if not (found and k == best):
                total += 0.5 * i.confidence[n, cell, k] ** 2
                continue
            root = np.sqrt(np.maximum(box[2:], 0)) - np.sqrt(np.maximum(true[2:], 0))
            total += 5 * ((box[:2] - true[:2]) ** 2).sum() + 5 * (root**2).sum()
            total += (i.confidence[n, cell, k] - i.iou[n, cell, k]) ** 2
        if found:
            one_hot = np.eye(i.class_prob.shape[2])[i.true_class[n, cell]]
            total += ((i.class_prob[n, cell] - one_hot) ** 2).sum()
    return total / len(i.box)


def discriminative(i: Any) -> Any:
    centres = {k: i.z[i.id == k].mean(0) for k in np.unique(i.id)}
    spread = [
        (np.maximum(0, np.linalg.norm(i.z[i.id == k] - c, axis=1) - 0.5) ** 2).mean()
        for k, c in centres.items()
    ]
    apart = [
        max(0, 3 - np.linalg.norm(a - b)) ** 2
        for j, a in centres.items()
        for k, b in centres.items()
        if j != k
    ]
    lengths = [np.linalg.norm(c) for c in centres.values()]
    return np.mean(spread) + (np.mean(apart) if apart else 0) + 0.001 * np.mean(lengths)


def densecl(i: Any) -> Any:
    found: list[Any] = []
    for n in range(len(i.f1)):
        partner = (unit(i.f1[n]) @ unit(i.f2[n]).T).argmax(1)
        positive = (unit(i.r[n]) * unit(i.t[n])[partner]).sum(1) / 0.2
        negatives = np.exp(unit(i.r[n]) @ unit(i.queue).T / 0.2).sum(1)
        found += list(np.log(np.exp(positive) + negatives) - positive)
    return np.mean(found)


def nnclr(i: Any) -> Any:
    nearest = i.support[(unit(i.z) @ unit(i.support).T).argmax(1)]
    return -np.diag(log_softmax(unit(nearest) @ unit(i.zplus).T / 0.1)).mean()


def msn(i: Any) -> Any:
    p = softmax(unit(i.anchor) @ unit(i.protos).T / 0.1)
    target = softmax(unit(i.target) @ unit(i.protos).T / 0.025)
    mean = p.mean((0, 1))
    return -(target * np.log(p)).sum(-1).mean() + (mean * np.log(mean)).sum()


def simcse(i: Any) -> Any:
    a = unit(i.h) @ unit(i.positive).T / 0.05
    b = unit(i.h) @ unit(i.contradiction).T / 0.05
    return (special.logsumexp(np.hstack([a, b]), axis=1) - np.diag(a)).mean()


def curricularface(i: Any) -> Any:
    cosines = unit(i.z) @ unit(i.W).T
    own = taken(cosines, i.y)
    eased = np.where(own > np.cos(np.pi - 0.5), np.cos(np.arccos(own) + 0.5), own - np.sin(np.pi - 0.5) * 0.5)
    t = 0.01 * own.mean() + 0.99 * i.t
    z = np.where(cosines > eased[:, None], cosines * (t + cosines), cosines)
    z[np.arange(len(own)), i.y] = eased
    return -taken(log_softmax(64 * z), i.y).mean()


def proxy_anchor(i: Any) -> Any:
    cosines = unit(i.x) @ unit(i.proxy).T
    pull, push = [], []
    for k in range(cosines.shape[1]):
        own = i.y == k
        if own.any():
            pull.append(np.log1p(np.exp(-32 * (cosines[own, k] - 0.1)).sum()))
        push.append(np.log1p(np.exp(32 * (cosines[~own, k] + 0.1)).sum()))
    return np.mean(pull) + np.mean(push)


def mincut_pool(i: Any) -> Any:
    s = softmax(i.s)
    gram, degree = s.T @ s, np.diag(i.a.sum(1))
    even = np.eye(s.shape[1]) / np.sqrt(s.shape[1])
    cut = np.trace(s.T @ i.a @ s) / np.trace(s.T @ degree @ s)
    return np.linalg.norm(gram / np.linalg.norm(gram) - even) - cut


def r2d2(i: Any) -> Any:
    e = 0.001

    def squash(x: Any) -> Any:
        return np.sign(x) * (np.sqrt(np.abs(x) + 1) - 1) + e * x

    def stretch(x: Any) -> Any:
        return np.sign(x) * (((np.sqrt(1 + 4 * e * (np.abs(x) + 1 + e)) - 1) / (2 * e)) ** 2 - 1)

    error = squash(i.ret + 0.95 * stretch(i.q_next.max(-1))) - taken(i.q, i.acts)
    return (error**2 * i.burned_in).sum(1).mean() / 2


def mpo(i: Any) -> Any:
    eta, alpha = np.exp(i.log_η), np.exp(i.log_α)
    moved = ((i.mean_new - i.mean_old) ** 2 / (2 * i.std_old**2)).sum(1).mean()
    dual = eta * 0.1 + eta * np.log(np.exp(i.q / eta).mean(1)).mean()
    policy = -(softmax(i.q / eta) * i.logp).sum(1).mean()
    return dual + policy + alpha * (0.01 - moved) + alpha * moved


def iqn(i: Any) -> Any:
    u = i.z_target[:, None, :] - i.z[:, :, None]
    return (np.abs(i.taus[:, :, None] - (u < 0)) * huber(u)).mean(2).sum(1).mean()


def rlhf(i: Any) -> Any:
    policy, critic = [], []
    for s, t in np.ndindex(i.logp.shape):
        if not i.mask_[s, t]:
            continue
        reward = -0.02 * (i.old_logp[s] - i.ref_logp[s])
        reward[i.last[s]] += i.score[s]
        ret = reward[t:][i.mask_[s, t:]].sum()
        advantage, ratio = ret - i.values[s, t], np.exp(i.logp[s, t] - i.old_logp[s, t])
        policy.append(-min(ratio * advantage, np.clip(ratio, 0.8, 1.2) * advantage))
        critic.append((i.values[s, t] - ret) ** 2)
    known = i.pretrain_tokens != -100
    nll = -taken(log_softmax(i.pretrain_logits), np.where(known, i.pretrain_tokens, 0))
    return np.mean(policy) + 0.1 * np.mean(critic) / 2 + 27.8 * (nll[known].mean() if known.any() else 0)


def rrhf(i: Any) -> Any:
    known = i.y != -100
    nll = np.where(known, -taken(log_softmax(i.logits), np.where(known, i.y, 0)), 0)
    p = -nll.sum(2) / np.maximum(known.sum(2), 1)
    worse = i.reward[:, :, None] < i.reward[:, None, :]
    ranks = (np.maximum(0, p[:, :, None] - p[:, None, :]) * worse).sum((1, 2))
    return (ranks + [own[r.argmax()].sum() for own, r in zip(nll, i.reward, strict=True)]).mean()


def pro(i: Any) -> Any:
    total = 0.0
    for logp, reward in zip(i.logp, i.reward, strict=True):
        for k in range(len(logp) - 1):
            temperature = 1 / np.maximum(reward[k] - reward[k + 1 :], 1e-3)
            own = logp[k] * temperature.min()
            total += special.logsumexp([own, *(logp[k + 1 :] * temperature)]) - own
    return total / len(i.logp) - 0.05 * i.logp[:, 0].mean()


def vade(i: Any) -> Any:
    log_pi = log_softmax(i.prior_logits)
    log_p = stats.norm.logpdf(i.z[:, None], i.centre, np.exp(i.centre_logvar / 2)).sum(-1)
    log_q = log_softmax(log_pi + log_p)
    width = i.centre_logvar + np.exp(i.logvar[:, None] - i.centre_logvar)
    far = (i.mu[:, None] - i.centre) ** 2 / np.exp(i.centre_logvar)
    inside = ((width + far).sum(-1) / 2 - log_pi + log_q) * np.exp(log_q)
    return (i.rec + inside.sum(1) - (1 + i.logvar).sum(1) / 2).mean()


def pixelcnn_pp(i: Any) -> Any:
    scale = np.maximum(i.log_s, -7)
    z, half = (i.x[..., None] - i.m) * np.exp(-scale), np.exp(-scale) / 255
    mass = sigmoid(z + half) - sigmoid(z - half)
    density = z - scale - 2 * np.logaddexp(0, z) - np.log(127.5)
    inner = np.where(mass > 1e-5, np.log(np.maximum(mass, 1e-12)), density)
    x = i.x[..., None]
    log_p = np.where(
        x < -0.999, np.log(sigmoid(z + half)), np.where(x > 0.999, np.log(sigmoid(half - z)), inner)
    )
    return -special.logsumexp(log_softmax(i.weights) + log_p, axis=-1).sum(1).mean()


def bbb(i: Any) -> Any:
    log_q = stats.norm.logpdf(i.w, i.μ, np.logaddexp(0, i.ρ))
    wide, narrow = stats.norm.logpdf(i.w), stats.norm.logpdf(i.w, 0, 0.0025)
    log_p = np.logaddexp(np.log(0.5) + wide, np.log(0.5) + narrow)
    return (log_q - log_p).sum() / i.minibatches + i.nll.sum()


def hawkes(i: Any) -> Any:
    rate, drawn = (i.s * np.logaddexp(0, raw / i.s) for raw in (i.raw, i.raw_mc))
    events = (np.log(taken(rate, i.kind)) * i.real_event).sum(1)
    return (i.horizon * drawn.sum(2).mean(1) - events).mean()


def separation(i: Any) -> Any:
    def ratio(e: Any, r: Any) -> Any:
        e, r = e - e.mean(), r - r.mean()
        wanted = e @ r / (r @ r) * r
        return 10 * np.log10(wanted @ wanted / ((e - wanted) @ (e - wanted)))

    best = [
        max(ratio(e[0], r[0]) + ratio(e[1], r[1]), ratio(e[0], r[1]) + ratio(e[1], r[0]))
        for e, r in zip(i.est, i.ref, strict=True)
    ]
    return -np.mean(best) / 2


def nerf_distortion(i: Any) -> Any:
    colour, spread = [], []
    for ray, delta in enumerate(i.delta):
        opacity = 1 - np.exp(-i.density[ray] * delta)
        w = opacity * np.cumprod([1, *(1 - opacity[:-1])])
        colour.append((w @ i.color[ray] - i.pixel[ray]) ** 2)
        gaps = np.abs(i.mid[ray][:, None] - i.mid[ray])
        spread.append(w @ gaps @ w + (w**2 * delta).sum() / 3)
    return np.mean(colour) + 0.01 * np.mean(spread)


def multi_task(i: Any) -> Any:
    total = 0.0
    for task, gate in enumerate(i.gate):
        mixed = (softmax(gate)[:, :, None] * i.expert_out).sum(1)
        loss = bce(mixed @ i.tower[task], i.y[:, task]).mean()
        total += np.exp(-i.log_var[task]) * loss + i.log_var[task] / 2
    return total


def mase(i: Any) -> Any:
    naive = np.abs(i.history[:, 2:] - i.history[:, :-2]).mean(1)
    kept = naive > 0
    return (np.abs(i.forecast - i.actual).mean(1)[kept] / naive[kept]).mean()


def coral_of_features(i: Any) -> Any:
    gap = np.atleast_2d(np.cov(i.source.T)) - np.atleast_2d(np.cov(i.target.T))
    return (gap**2).sum() / (4 * len(gap) ** 2)


BY_HAND = {
    "instances": (yolo_v1, discriminative, densecl),
    "neighbours": (nnclr, msn, simcse, curricularface, proxy_anchor, mincut_pool),
    "agents": (r2d2, mpo, iqn),
    "ranked_answers": (rlhf, rrhf, pro),
    "densities": (vade, pixelcnn_pp, bbb, hawkes),
    "signals": (separation, nerf_distortion, multi_task, mase, coral_of_features),
}
CASES = [(file, function) for file, functions in BY_HAND.items() for function in functions]


@pytest.mark.parametrize(("file", "function"), CASES, ids=[f.__name__ for _, f in CASES])
def test_equals_numpy_by_hand(file: str, function: Any) -> None:
    loss = function.__name__
    lowered, arrays = case(file, loss)
    out, _ = call(compiled(file, loss, "numpy"), lowered, arrays, "numpy")
    assert float(out.total) == pytest.approx(float(function(SimpleNamespace(**arrays))), rel=1e-9, abs=1e-12)

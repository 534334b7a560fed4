"""Self-supervision, distillation, transfer and calibration by hand."""

from __future__ import annotations

from itertools import product
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


@paper("ibot", sizes={"view": 3})
def ibot(i: Any) -> Any:
    t = 0.04 + 0.03 * STEP / 30_000
    cls = softmax((i.teacher_cls - i.center_cls) / t).detach()
    patch = softmax((i.teacher_patch - i.center_patch) / t).detach()
    views = range(3)
    crossed = [
        -(cls[a] * log_softmax(i.student_cls[b] / 0.1)).sum(-1) for a, b in product(views, views) if a != b
    ]
    each = -(patch * log_softmax(i.student_patch / 0.1)).sum(-1)
    masked = [
        mean(x, m) if m.any() else 0.0
        for x, m in zip(each.flatten(0, 1), i.masked.flatten(0, 1), strict=True)
    ]
    return torch.stack(crossed).mean() + sum(masked) / len(masked)


@paper("moco_v3")
def moco_v3(i: Any) -> Any:
    def half(q: Any, k: Any) -> Any:
        return 2 * 0.2 * f.cross_entropy(unit(q) @ unit(k.detach()).T / 0.2, torch.arange(len(q)))

    return half(i.q1, i.k2) + half(i.q2, i.k1)


@paper("tico", sizes={"n": 4, "d": 3, "e": 3})
def tico(i: Any) -> Any:
    u, v = unit(i.z1), unit(i.z2)
    c = 0.9 * i.covariance.detach() + 0.1 * u.T @ u / len(u)
    return (1 - (u * v).sum(1)).mean() + 8 * torch.trace(u @ c @ u.T) / len(u)


@paper("mae")
def mae(i: Any) -> Any:
    goal = (i.image - i.image.mean(-1, keepdim=True)) / torch.sqrt(i.image.var(-1, keepdim=True) + 1e-6)
    return mean(((i.prediction - goal) ** 2).mean(-1), i.removed)


@paper("data2vec")
def data2vec(i: Any) -> Any:
    normed = [f.instance_norm(x.transpose(1, 2)).transpose(1, 2) for x in i.teacher]
    goal = torch.stack(normed).mean(0).detach()
    return f.smooth_l1_loss(i.student, goal, reduction="none").mean(-1)[i.masked].mean()


@paper("hubert")
def hubert(i: Any) -> Any:
    ce = cross(unit(i.projected) @ unit(i.codeword).T / 0.1, i.cluster_id)
    return ce[i.masked & ~i.padded].sum() + 10 * (i.features**2).mean()


@paper(
    "wav2vec2",
    sizes={"batch": 3, "step": 5, "negative": 4},
    data={"distractor": lambda r: r.integers(0, 5, (3, 5, 4))},
)
def wav2vec2(i: Any) -> Any:
    total = 0.0
    for c, q, at, m in zip(i.context, i.quantized, i.distractor.long(), i.masked, strict=True):
        own = f.cosine_similarity(c, q, dim=-1)[:, None]
        z = torch.cat([own, f.cosine_similarity(c[:, None], q[at], dim=-1)], 1) / 0.1
        total = total - log_softmax(z)[m, 0].sum()
    usage = softmax(i.codebook_logits)[i.masked].mean(0)
    return total + 0.1 * (usage * usage.log()).sum() / usage.numel()


@paper("cpc", sizes={"batch": 3, "time": 5, "step": 2})
def cpc(i: Any) -> Any:
    found = []
    for k in range(2):
        for t in range(5 - k - 1):
            score = i.c[:, t] @ i.w[k].T @ i.z[:, t + k + 1].T
            found += list(-log_softmax(score).diag())
    return torch.stack(found).mean()


@paper("flexmatch", data={"unlabelled": 9})
def flexmatch(i: Any) -> Any:
    p, pseudo = softmax(i.weak).max(-1)
    beta = i.learned / max(i.learned.max(), 9 - i.learned.sum())
    kept = p >= 0.95 * (beta / (2 - beta))[pseudo]
    return cross(i.labelled, i.y).mean() + (kept * cross(i.strong, pseudo)).mean()


@paper("vat", sizes={"n": 5})
def vat(i: Any) -> Any:
    valid = i.y >= 0
    clean = log_softmax(i.clean).detach()
    lds = (clean.exp() * (clean - log_softmax(i.perturbed))).sum(-1).mean()
    return f.cross_entropy(i.clean[valid], i.y[valid]) + lds + entropy(i.clean).mean()


@paper("cdan")
def cdan(i: Any) -> Any:
    ws, wt = (1 + torch.exp(-entropy(z).detach()) for z in (i.source_logits, i.target_logits))
    domain = (ws * f.softplus(-i.d_source)).sum() / ws.sum() + (wt * f.softplus(i.d_target)).sum() / wt.sum()
    return cross(i.source_logits, i.y).mean() + STEP / 10_000 * domain


@paper("deep_coral", sizes={"s": 5, "t": 4, "d": 3})
def deep_coral(i: Any) -> Any:
    gap = torch.cov(i.source.T) - torch.cov(i.target.T)
    return f.cross_entropy(i.logits, i.y) + (gap**2).sum() / (4 * 9)


@paper("synaptic_intelligence", sizes={
    f"{name}.first.{axis}": size for name in ("theta", "anchor", "path", "moved")
    for axis, size in (("weight.0", 3), ("weight.1", 4), ("bias.0", 3))
})  # fmt: skip
def synaptic_intelligence(i: Any) -> Any:
    members = zip(i.theta, i.anchor, i.path, i.moved, strict=True)
    surrogate = sum((w.clamp(min=0) / (m**2 + 0.1) * (t - a) ** 2).sum() for t, a, w, m in members)
    kept = -(softmax(i.recorded / 2).detach() * log_softmax(i.old_head / 2)).sum(-1).mean()
    return f.cross_entropy(i.logits, i.y) + 0.1 * surrogate + kept


@paper("protonet", sizes={"shot": 6, "way": 3}, data={"support_y": np.array([0, 2, 1, 1, 0, 2])})
def protonet(i: Any) -> Any:
    prototypes = torch.stack([i.support[i.support_y == k].mean(0) for k in range(3)])
    return f.cross_entropy(-((i.query[:, None] - prototypes) ** 2).sum(-1), i.query_y)


@paper("mixup", data={"partner": np.array([2, 0, 1])})
def mixup(i: Any) -> Any:
    goal = i.lam[:, None] * f.one_hot(i.y, 4) + (1 - i.lam[:, None]) * f.one_hot(i.y[i.partner.long()], 4)
    return f.cross_entropy(i.logits, goal)


@paper("irm", sizes={"env": 2, "n": 5})
def irm(i: Any) -> Any:
    risks, slopes = [], []
    for z, y, m in zip(i.logits, i.y, i.real, strict=True):
        scale = torch.ones((), requires_grad=True)
        risks.append(bce(z[m] * scale, y[m]).mean())
        slopes.append(torch.autograd.grad(risks[-1], scale, create_graph=True)[0] ** 2)
    return sum(risks) / 2 + 1e4 * sum(slopes) / 2


@paper("group_dro", sizes={"n": 6, "g": 3}, data={"group": np.array([0, 2, 1, 1, 0, 2])})
def group_dro(i: Any) -> Any:
    ell = cross(i.logits, i.y)
    risks = torch.stack([ell[i.group == k].mean() for k in range(3)])
    q = i.q * torch.exp(0.01 * risks.detach())
    return (q.detach() / q.detach().sum() * risks).sum()


@paper("vrex")
def vrex(i: Any) -> Any:
    risk = ((i.predicted - i.target) ** 2).mean(1)
    return risk.mean() + 10 * risk.var(unbiased=False)


@paper("gkd")
def gkd(i: Any) -> Any:
    p, q = softmax(i.teacher).detach(), softmax(i.student)
    m = (p + q) / 2
    jsd = ((p * (p / m).log()).sum(-1) + (q * (q / m).log()).sum(-1)) / 2
    logp = taken(log_softmax(i.student), i.token) * i.generated
    return mean(jsd, i.generated) - 0.1 * (i.reward * logp.sum(1)).mean()


@paper("tinybert", sizes={"from": 4, "to.0": 4, "to.1": 4})
def tinybert(i: Any) -> Any:
    pairs = i.real[:, :, None] & i.real[:, None, :]
    total = f.cross_entropy(i.student_logits, softmax(i.teacher_logits))
    for s, t in zip(i.student_attention, i.teacher_attention, strict=True):
        total = total + mean(((s - t) ** 2).mean(1), pairs)
    for s, t in zip(i.student_hidden, i.teacher_hidden, strict=True):
        total = total + ((s @ i.w - t) ** 2)[i.real].mean()
    return total


@paper("dkd")
def dkd(i: Any) -> Any:
    total = f.cross_entropy(i.student, i.y)
    for s, t, y in zip(i.student / 4, i.teacher.detach() / 4, i.y, strict=True):
        others = torch.arange(len(s)) != y
        pair = [torch.stack([softmax(z)[y], softmax(z)[others].sum()]) for z in (s, t)]
        target = (pair[1] * (pair[1] / pair[0]).log()).sum()
        rest = f.kl_div(log_softmax(s[others]), softmax(t[others]), reduction="sum")
        total = total + 16 * (target + 8 * rest) / len(i.y)
    return total


@paper("crd", data={"dataset": 50})
def crd(i: Any) -> Any:
    t, c = unit(i.student), i.memory.shape[1] / 50
    ratio = lambda v: torch.exp((t[:, None] * unit(v)).sum(-1) / 0.07) / i.z_pos / c  # noqa: E731
    return -(
        f.logsigmoid(ratio(i.teacher[:, None]).log()[:, 0]) + f.logsigmoid(-ratio(i.memory).log()).sum(1)
    ).mean()


@paper("rkd", sizes={"n": 4})
def rkd(i: Any) -> Any:
    def relations(z: Any) -> tuple[Any, Any]:
        edges = z[None] - z[:, None]
        d = (edges**2).sum(-1)
        apart = ~torch.eye(len(z), dtype=torch.bool)
        d = torch.where(apart, torch.where(apart, d, 1.0).sqrt(), 0.0)
        e = edges / torch.where(apart, d, 1.0)[..., None]
        return d / d[apart].mean(), e @ e.transpose(1, 2)

    student, teacher = relations(i.student), [x.detach() for x in relations(i.teacher)]
    return 25 * huber(student[0] - teacher[0]).mean() + 50 * huber(student[1] - teacher[1]).mean()


@paper("attention_transfer")
def attention_transfer(i: Any) -> Any:
    total = f.cross_entropy(i.logits, i.y)
    for s, t in zip(i.student, i.teacher, strict=True):
        maps = [unit((x**2).mean(1).flatten(1)) for x in (s, t.detach())]
        total = total + 500 * ((maps[0] - maps[1]) ** 2).mean()
    return total


@paper("st_moe", sizes={"expert": 4})
def st_moe(i: Any) -> Any:
    total = mean(cross(i.logits, i.tokens), i.real)
    for z in i.router:
        z = z[i.real]
        f_ = f.one_hot(z.topk(2).indices, 4).sum(1).double().mean(0) / 2
        balance = 4 * (f_ * softmax(z).mean(0)).sum()
        total = total + (0.01 * balance + 1e-3 * (torch.logsumexp(z, -1) ** 2).mean()) / len(i.router)
    return total


@paper("gradnorm")
def gradnorm(i: Any) -> Any:
    g, ratio = i.w.abs() * i.grad_norm, i.task_loss / i.initial_loss
    goal = (g.mean() * (ratio / ratio.mean()) ** 1.5).detach()
    return (g - goal).abs().sum() + (i.w.detach() * i.task_loss).sum()


@paper("fair_penalty", sizes={"n": 8}, data={
    "s": np.array([0, 1, 0, 1, 0, 1, 0, 1]), "y": np.array([0, 0, 1, 1, 1, 0, 0, 1.0]),
})  # fmt: skip
def fair(i: Any) -> Any:
    def gap(among: Any) -> Any:
        rates = [sigmoid(i.z)[(i.s == k) & among].mean() for k in (0, 1)]
        return (rates[0] - rates[1]).abs()

    member = (i.s == 0).double()
    zafar = ((member - member.mean()) * i.z).mean().abs()
    odds = gap(i.y == 1) + gap(i.y == 0)
    return bce(i.z, i.y).mean() + (gap(i.y >= 0) - 0.05).clamp(min=0) + odds + 0.1 * zafar


@paper("mmce", sizes={"n": 6})
def mmce(i: Any) -> Any:
    r, guess = softmax(i.logits).max(-1)
    gap = (guess == i.y).double() - r
    kernel = torch.exp(-(r[:, None] - r).abs() / 0.4)
    return f.cross_entropy(i.logits, i.y) + 4 * torch.sqrt(gap @ kernel @ gap / len(r) ** 2)


@paper("evidential")
def evidential(i: Any) -> Any:
    alpha = f.softplus(i.evidence_logit) + 1
    y = f.one_hot(i.y, alpha.shape[1]).double()
    expected = torch.distributions.Dirichlet(alpha)
    fit = ((y - expected.mean) ** 2 + expected.variance).sum(-1)
    misled = torch.distributions.Dirichlet(y + (1 - y) * alpha)
    kl = torch.distributions.kl_divergence(misled, torch.distributions.Dirichlet(torch.ones_like(alpha)))
    return (fit + kl).mean()

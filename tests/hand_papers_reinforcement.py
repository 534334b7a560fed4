"""Reinforcement learning, preferences and language models by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from hand_papers import (
    bce,
    cross,
    entropy,
    huber,
    log_softmax,
    mean,
    paper,
    prefixes,
    sigmoid,
    softmax,
    taken,
)
from torch.nn import functional as f


@paper("a2c", sizes={"env": 3, "time": 4})
def a2c(i: Any) -> Any:
    returns, after = [], i.bootstrap
    for reward in reversed(i.reward.unbind(1)):
        after = reward + 0.99 * after
        returns.insert(0, after)
    advantage = torch.stack(returns, 1).detach() - i.value
    each = (
        cross(i.policy, i.action_taken) * advantage.detach() + 0.5 * advantage**2 - 0.01 * entropy(i.policy)
    )
    return mean(each, i.alive)


@paper("sac", "critic")
def sac_critic(i: Any) -> Any:
    soft = torch.minimum(i.next_q1, i.next_q2) - i.log_alpha.exp() * i.log_pi
    y = (i.reward + 0.99 * (1 - i.done) * soft).detach()
    return (f.mse_loss(i.q1, y) + f.mse_loss(i.q2, y)) / 2


@paper("sac", "actor")
def sac_actor(i: Any) -> Any:
    return (i.log_alpha.exp().detach() * i.log_pi - torch.minimum(i.q1, i.q2)).mean()


@paper("sac", "temperature")
def sac_temperature(i: Any) -> Any:
    return -(i.log_alpha.exp() * (i.log_pi.detach() - 6)).mean()


def _policy(s: Any) -> Any:
    return s / 2


def _policy_slope(g: Any, s: Any) -> tuple[Any]:
    return (g / 2,)


def _value(s: Any, a: Any) -> Any:
    return (s * a).sum(-1)


def _value_slope(g: Any, s: Any, a: Any) -> tuple[Any, Any]:
    return (g[..., None] * a, g[..., None] * s)


VALUES = ("critic1", "critic2", "target1", "target2")
ACTORS = ("actor", "target_actor")
PLAIN = {**dict.fromkeys(VALUES, _value), **dict.fromkeys(ACTORS, _policy)}
SLOPED = {**dict.fromkeys(VALUES, (_value, _value_slope)), **dict.fromkeys(ACTORS, (_policy, _policy_slope))}
ACTING = {"numpy": SLOPED, "torch": PLAIN, "jax": PLAIN}


@paper("td3", "critics", sizes={"state": 3, "action": 3}, externs=ACTING)
def td3_critics(i: Any) -> Any:
    acting = (i.next_s / 2 + i.noise.clamp(-0.5, 0.5)).clamp(-1, 1)
    y = (i.r + 0.99 * (1 - i.terminal) * (i.next_s * acting).sum(1)).detach()
    return 2 * (((i.s * i.a).sum(1) - y) ** 2).mean()


@paper("td3", "policy", sizes={"state": 3}, externs=ACTING)
def td3_policy(i: Any) -> Any:
    return -(i.s**2).sum(1).mean() / 2


@paper("double_dqn", data={"buffer": 500})
def double_dqn(i: Any) -> Any:
    best = i.next_online.argmax(1)
    target = (i.reward + torch.where(i.done, 0.0, 0.99 * taken(i.next_target, best))).detach()
    raw = (500 * i.priority) ** -(0.4 + 0.6 * 700 / 1e6)
    return (raw / raw.max() * huber(taken(i.q, i.action_taken) - target)).mean()


@paper("c51", sizes={"atom": 5}, data={"reward": np.array([0.7, -30.0, 4.0, 1.0]), "done": np.array([0, 0, 1.0, 0])} | {
    "a": np.array([0, 1, 1, 0]), "logits": lambda r: r.normal(size=(4, 2, 5)), "next_logits": lambda r: r.normal(size=(4, 2, 5)),
})  # fmt: skip
def c51(i: Any) -> Any:
    z, total = torch.linspace(-10, 10, 5), 0.0
    for n in range(4):
        p = softmax(i.next_logits[n].detach())
        p = p[(p @ z).argmax()]
        m = torch.zeros(5)
        for k in range(5):
            b = float(((i.reward[n] + 0.99 * (1 - i.done[n]) * z[k]).clamp(-10, 10) + 10).detach() / 5)
            low, high = math.floor(b), math.ceil(b)
            m[low] += p[k] * (high - b if high > low else 1)
            m[high] += p[k] * (b - low)
        total = total - (m * log_softmax(i.logits[n, int(i.a[n])])).sum()
    return total / 4


def pinball(u: Any, tau: Any) -> Any:
    return (tau - (u < 0).double()).abs() * huber(u)


@paper("qr_dqn", sizes={"quantile": 4})
def qr_dqn(i: Any) -> Any:
    tau, total = (torch.arange(4.0) + 0.5) / 4, 0.0
    for n, a in enumerate(i.a):
        after = i.next_theta[n, i.next_theta[n].mean(1).argmax()]
        target = (i.reward[n] + i.discount[n] * after).detach()
        total = total + pinball(target[None] - i.theta[n, a][:, None], tau[:, None]).mean(1).sum()
    return total / len(i.a)


@paper("iqn", sizes={"n": 3, "m": 5})
def iqn(i: Any) -> Any:
    target = (i.reward[:, None] + i.discount[:, None] * i.target_z).detach()
    return pinball(target[:, None] - i.z[:, :, None], i.tau[:, :, None]).mean(2).sum(1).mean()


@paper("iql")
def iql(i: Any) -> Any:
    u = i.target_q.detach() - i.v
    value = torch.where(u < 0, 0.3, 0.7) * u**2
    critic = ((i.reward + 0.99 * (1 - i.done) * i.next_v).detach() - i.q) ** 2
    return (value + critic - torch.exp(3 * u.detach()).clamp(max=100) * i.log_pi).mean()


@paper("cql")
def cql(i: Any) -> Any:
    joined = torch.cat([i.q_random - 6 * math.log(0.5), i.q_policy - i.log_pi.detach()], 1)
    gap = (torch.logsumexp(joined, 1) - i.q_data).mean() - 5
    return ((i.q_data - i.y.detach()) ** 2).mean() / 2 + i.log_alpha_prime.exp().detach() * gap


@paper(
    "dreamer_v3",
    sizes={"bin": 7, "batch": 2, "time": 3},
    data={"reward": lambda r: 3 * r.normal(size=(2, 3))},
)
def dreamer_v3(i: Any) -> Any:
    symlog = lambda x: x.sign() * x.abs().log1p()  # noqa: E731
    place = (symlog(i.reward) + 20) / 40 * 6
    low = place.floor().detach()
    logp = log_softmax(i.reward_logits)
    head = -((low + 1 - place) * taken(logp, low) + (place - low) * taken(logp, low + 1))
    head = head + ((i.decoded - symlog(i.observed)) ** 2).sum(-1) + bce(i.continue_logit, i.continues)
    post, prior = (0.99 * softmax(z) + 0.01 / z.shape[-1] for z in (i.posterior, i.prior))

    def kl(p: Any, q: Any) -> Any:
        return (p * (p.log() - q.log())).sum((-1, -2)).clamp(min=1).mean()

    return head.mean() + 0.5 * kl(post.detach(), prior) + 0.1 * kl(post, prior.detach())


@paper("muzero", sizes={"support": 601, "batch": 2, "unroll": 3}, data={
    "value_target": lambda r: 20 * r.normal(size=(2, 3)), "reward_target": lambda r: 2 * r.normal(size=(2, 3)),
})  # fmt: skip
def muzero(i: Any) -> Any:
    def head(z: Any, x: Any) -> Any:
        place = x.sign() * (torch.sqrt(x.abs() + 1) - 1) + 0.001 * x + 300
        low = place.floor().detach()
        logp = log_softmax(z)
        return -((low + 1 - place) * taken(logp, low) + (place - low) * taken(logp, low + 1))

    scale = torch.tensor([1, 0.5, 0.5])
    each = -(i.visits * log_softmax(i.policy)).sum(-1) + 0.25 * head(i.value_logits, i.value_target)
    rewards = head(i.reward_logits, i.reward_target) * torch.tensor([0.0, 1, 1])
    decay = sum((w**2).sum() for w in i.theta)
    return (i.importance * ((each + rewards) * scale).sum(1)).mean() + 1e-4 * decay


@paper("vtrace", sizes={"time": 4, "env": 3})
def vtrace(i: Any) -> Any:
    logp = -cross(i.policy, i.act)
    ratio = torch.exp(logp + cross(i.behaviour, i.act)).detach()
    rho = c = ratio.clamp(max=1)
    value = i.value.detach()
    after = torch.cat([value[1:], i.bootstrap.detach()[None]])
    delta = rho * (i.reward + i.discount * after - value)
    targets, carried = [], torch.zeros(3)
    for t in reversed(range(4)):
        carried = delta[t] + i.discount[t] * c[t] * carried
        targets.insert(0, value[t] + carried)
    vs = torch.stack(targets).detach()
    next_vs = torch.cat([vs[1:], i.bootstrap.detach()[None]])
    advantage = rho * (i.reward + i.discount * next_vs - value)
    baseline = ((vs - i.value) ** 2).sum() / 2
    return -(logp * advantage.detach()).sum() + 0.5 * baseline - 0.01 * entropy(i.policy).sum()


@paper("icm")
def icm(i: Any) -> Any:
    forward = ((i.predicted - i.phi_next.detach()) ** 2).sum(1).mean() / 2
    return 0.2 * forward + 0.8 * f.cross_entropy(i.inverse, i.taken)


@paper("diayn")
def diayn(i: Any) -> Any:
    return f.cross_entropy(i.discriminator, i.z)


@paper("gail")
def gail(i: Any) -> Any:
    p = sigmoid(i.agent)
    bits = -(p * p.log() + (1 - p) * (1 - p).log()).mean()
    penalty = ((i.grad.norm(dim=1) - 1) ** 2).mean()
    return f.softplus(-i.expert).mean() + f.softplus(i.agent).mean() - 1e-3 * bits + 10 * penalty


@paper("retrace", sizes={"batch": 2, "time": 4})
def retrace(i: Any) -> Any:
    c = (taken(i.pi, i.act) / i.mu).clamp(max=1)
    expected = (i.pi * i.target_q).sum(-1)
    after = torch.cat([expected[:, 1:], torch.zeros(2, 1)], 1)
    own = taken(i.target_q, i.act)
    delta = i.reward + 0.99 * after - own
    total = 0.0
    for b in range(2):
        carried = torch.zeros(())
        for t in reversed(range(4)):
            carried = delta[b, t] + (0.99 * c[b, t + 1] * carried if t < 3 else 0)
            target = (own[b, t] + carried).detach()
            total = total + (i.q[b, t, i.act[b, t]] - target) ** 2
    return total / 8


@paper("tdpo")
def tdpo(i: Any) -> Any:
    def parts(policy: Any, reference: Any, y: Any, m: Any) -> tuple[Any, Any]:
        p, r = log_softmax(policy), log_softmax(reference)
        return (taken(p - r, y) * m).sum(1), ((r.exp() * (r - p)).sum(-1) * m).sum(1)

    won, kl_won = parts(i.policy_w, i.reference_w, i.y_w, i.real_w)
    lost, kl_lost = parts(i.policy_l, i.reference_l, i.y_l, i.real_l)
    return -f.logsigmoid(0.1 * (won - lost) - 0.5 * 0.1 * (kl_lost - kl_won.detach())).mean()


@paper("rdpo")
def rdpo(i: Any) -> Any:
    h = i.policy_chosen - i.reference_chosen - i.policy_rejected + i.reference_rejected
    return -f.logsigmoid(0.1 * h - 0.01 * (i.length_chosen - i.length_rejected)).mean()


@paper(
    "odin", sizes={"pair": 5}, data={"len_w": np.array([3, 1, 4, 1, 5]), "len_l": np.array([2, 7, 1, 8, 2])}
)
def odin(i: Any) -> Any:
    def correlation(a: Any, b: Any) -> Any:
        return torch.corrcoef(torch.stack([a, b.double()]))[0, 1]

    rank = -f.logsigmoid(i.quality_w + i.length_w - i.quality_l - i.length_l).mean()
    sides = ((i.quality_w, i.length_w, i.len_w), (i.quality_l, i.length_l, i.len_l))
    lengths = sum(correlation(q, n).abs() - correlation(z, n) for q, z, n in sides) / 2
    return rank + lengths + (i.head_q @ i.head_l).abs()


@paper("gspo", sizes={"prompt": 2, "answer": 4, "time": 3})
def gspo(i: Any) -> Any:
    a = (i.reward - i.reward.mean(1, keepdim=True)) / (i.reward.std(1, keepdim=True) + 1e-6)
    count = i.real.sum(2).clamp(min=1)
    s = torch.exp(((i.log_prob - i.old_log_prob) * i.real).sum(2) / count)
    return -torch.minimum(s * a, s.clamp(1 - 3e-4, 1 + 4e-4) * a).mean()


@paper("cispo", sizes={"answer": 4, "time": 3}, data={"length": np.array([3, 1, 2, 3])})
def cispo(i: Any) -> Any:
    logp = -cross(i.logits, i.tokens)
    w = torch.exp(logp - i.old).clamp(0, 1.2).detach()
    a = (i.reward - i.reward.mean()) / i.reward.std(unbiased=False)
    return -(w * a[:, None] * logp * prefixes(i.length, 3)).sum() / 9


@paper("prm", sizes={"solution": 3, "step": 4}, data={"steps": np.array([4, 2, 3])})
def prm(i: Any) -> Any:
    total = 0.0
    for q, ok, n in zip(i.q, i.correct, i.steps, strict=True):
        right, wrong = [k for k in range(n) if ok[k]], [k for k in range(n) if not ok[k]]
        costs = [
            torch.logsumexp(torch.stack([q[j] for j in right if j <= k] + [q[j] + 4 for j in wrong]), 0)
            - q[k]
            for k in right
        ]
        total = total + sum(costs) / max(1, len(costs))
    return total / 3


@paper("mtp", sizes={"batch": 2, "time": 6, "depth": 2})
def mtp(i: Any) -> Any:
    def ahead(z: Any, steps: int) -> Any:
        return mean(cross(z[:, :-steps], i.tokens[:, steps:]), i.real[:, steps:])

    deep = [ahead(i.mtp_logits[:, k], k + 2) for k in range(2)]
    return ahead(i.logits, 1) + 0.3 * sum(deep) / 2

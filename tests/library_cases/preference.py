"""Cases of `specs/library/preference.loss`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from parity import Case
from torch import Tensor

from library_cases.peers import F, N, torch
from library_cases.rows import logistic


def dpo(pc: Tensor, pr: Tensor, rc: Tensor, rr: Tensor, beta: float = 0.1, smoothing: float = 0.0) -> Tensor:
    h = beta * ((pc - pr) - (rc - rr))
    return (1 - smoothing) * logistic(h) + smoothing * logistic(-h)


def ipo(pc: Tensor, pr: Tensor, rc: Tensor, rr: Tensor, beta: float = 0.1) -> Tensor:
    return ((pc - pr) - (rc - rr) - 1 / (2 * beta)) ** 2


def kto(policy: Tensor, reference: Tensor, desirable: Tensor, beta: float = 0.1) -> Tensor:
    """Ethayarajh et al., 2024, equation 8, both weights 1, the reference point from the same batch."""
    r = policy - reference
    z = torch.clamp(r.mean(), min=0).detach()
    return torch.where(desirable > 0, 1 - torch.sigmoid(beta * (r - z)), 1 - torch.sigmoid(beta * (z - r)))


def orpo(chosen: Tensor, rejected: Tensor, weight: float = 0.1) -> Tensor:
    def odds(log_p: Tensor) -> Tensor:
        return torch.exp(log_p) / (1 - torch.exp(log_p))

    return -chosen - weight * torch.log(torch.sigmoid(torch.log(odds(chosen) / odds(rejected))))


def ppo_clip(log_ratio: Tensor, advantage: Tensor, clip: float = 0.2) -> Tensor:
    ratio = torch.exp(log_ratio)
    return -torch.minimum(ratio * advantage, torch.clamp(ratio, 1 - clip, 1 + clip) * advantage)


def value_clip(value: Tensor, old: Tensor, target: Tensor, clip: float = 0.2) -> Tensor:
    held = old + torch.clamp(value - old, -clip, clip)
    return torch.maximum((value - target) ** 2, (held - target) ** 2) / 2


def grpo(log_ratio: Tensor, reward: Tensor, clip: float = 0.2) -> Tensor:
    advantage = (reward - reward.mean()) / reward.std(correction=0)
    return ppo_clip(log_ratio, advantage, clip)


FOUR = "pc: logprob[n]; pr: logprob[n]; rc: logprob[n]; rr: logprob[n]"


def exo(margin: Tensor, smoothing: float) -> Tensor:
    """As TRL's `exo_pair`."""
    first = torch.sigmoid(margin) * (F.logsigmoid(margin) - math.log(1 - smoothing))
    return first + torch.sigmoid(-margin) * (F.logsigmoid(-margin) - math.log(smoothing))


def discopop(margin: Tensor, temperature: float) -> Tensor:
    """As TRL's `discopop`."""
    blend = torch.sigmoid(margin / temperature)
    return -F.logsigmoid(margin) * (1 - blend) + torch.exp(-margin) * blend


def of_the_same_rank(x: Tensor, like: Tensor) -> Tensor:
    """The element of ``x`` that has the rank of each element of ``like``."""
    return x.sort()[0][like.argsort().argsort()]


def f_dpo(
    pc: Tensor, pr: Tensor, rc: Tensor, rr: Tensor, slope: Callable[[Tensor], Tensor], beta: float = 0.3
) -> Tensor:
    """Wang et al., 2024, equation 12: the derivative of f at the likelihood ratios."""
    return F.softplus(-beta * (slope(torch.exp(pc - rc)) - slope(torch.exp(pr - rr))))


CASES = [
    Case("bradley_terry", "a: score[n]; b: score[n]", "bradley_terry(a, b)", N, lambda a, b: F.softplus(b - a)),
    Case("dpo", FOUR, "dpo(pc, pr, rc, rr, 0.3, 0.1)", N,
         lambda *a: dpo(*a, beta=0.3, smoothing=0.1)),
    Case("robust_dpo", FOUR, "robust_dpo(pc, pr, rc, rr, 0.3, 0.2)", N,
         lambda *a: (0.8 * dpo(*a, beta=0.3) - 0.2 * dpo(*a, beta=-0.3)) / 0.6),
    Case("ipo", FOUR, "ipo(pc, pr, rc, rr, 0.3)", N, lambda *a: ipo(*a, beta=0.3)),
    Case("kto", "p: logprob[n]; q: logprob[n]; y: binary[n]", "kto[n](p, q, y, 0.5)", N,
         lambda p, q, y: kto(p, q, y, 0.5)),
    Case("orpo", "a: logprob[n]; b: logprob[n]", "orpo(a, b, 0.7)", N, lambda a, b: orpo(a, b, 0.7)),
    Case("simpo", "a: logprob[n]; b: logprob[n]", "simpo(a, b)", N,
         lambda a, b: -F.logsigmoid(2 * (a - b) - 0.5)),
    Case("cpo", "a: logprob[n]; b: logprob[n]", "cpo(a, b)", N, lambda a, b: -F.logsigmoid(0.1 * (a - b)) - a),
    Case("slic", "a: logprob[n]; b: logprob[n]", "slic(a, b, 0.5)", N,
         lambda a, b: F.margin_ranking_loss(a, b, torch.ones_like(a), margin=0.5, reduction="none")),
    Case("policy_gradient", "p: logprob[n]; a: real[n]", "policy_gradient(p, a)", N, lambda p, a: -p * a.detach()),
    Case("ppo_clip", "x: real[n]; a: real[n]", "ppo_clip(x / 2, a)", N, lambda x, a: ppo_clip(x / 2, a)),
    Case("value_clip", "x: real[n]; y: real[n]; z: real[n]", "value_clip(x, y, z)", N, value_clip),
    Case("grpo", "x: real[n, g]; r: real[n, g]", "grpo[g](x / 2, r)", ("n", "g"),
         lambda x, r: torch.stack([grpo(a / 2, b) for a, b in zip(x, r, strict=True)])),
    Case("kl_k3", "p: logprob[n]; q: logprob[n]", "kl_k3(p, q)", N, lambda p, q: torch.expm1(q - p) - (q - p)),
    Case("entropy_bonus", "x: logit[n, c] over c", "entropy_bonus(x)", N,
         lambda x: torch.distributions.Categorical(logits=x).entropy()),
    Case("log_odds", "p: prob[n]", "log_odds(p)", N, torch.logit),
    Case("log_odds_of_logs", "p: logprob[n]", "log_odds(p)", N, lambda p: p - torch.log(-torch.expm1(p))),
    Case("standardize", "x: real[n, g]", "standardize[g](x)", ("n", "g"),
         lambda x: (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True, correction=0)),
    Case("kl_k1", "p: logprob[n]; q: logprob[n]", "kl_k1(p, q)", N, lambda p, q: p - q),
    Case("kl_k2", "p: logprob[n]; q: logprob[n]", "kl_k2(p, q)", N, lambda p, q: F.mse_loss(p, q, reduction="none") / 2),
    Case("equal_rewards", "x: real[n, g]; r: real[n, g]", "x + grpo[g](x, r)", ("n", "g"), lambda x, r: x,
         given={"r": np.full((5, 4), 0.3)}),
    Case("apo_zero", FOUR, "apo_zero(pc, pr, rc, rr, 0.3)", N,
         lambda pc, pr, rc, rr: 1 - torch.sigmoid(0.3 * (pc - rc)) + torch.sigmoid(0.3 * (pr - rr))),
    Case("apo_down", FOUR, "apo_down(pc, pr, rc, rr, 0.3)", N,
         lambda pc, pr, rc, rr: torch.sigmoid(0.3 * (pc - rc)) + 1 - torch.sigmoid(0.3 * (pc - rc - pr + rr))),
    Case("sppo", FOUR, "sppo(pc, pr, rc, rr, 0.3)", N,
         lambda pc, pr, rc, rr: (pc - rc - 0.5 / 0.3) ** 2 + (pr - rr + 0.5 / 0.3) ** 2),
    Case("noise_contrastive_alignment", FOUR, "noise_contrastive_alignment(pc, pr, rc, rr, 0.3)", N,
         lambda pc, pr, rc, rr: -F.logsigmoid(0.3 * (pc - rc)) - F.logsigmoid(-0.3 * (pc - rc)) / 2
         - F.logsigmoid(-0.3 * (pr - rr)) / 2),
    Case("exo", FOUR, "exo(pc, pr, rc, rr, 0.3, 0.01)", N, lambda pc, pr, rc, rr: exo(0.3 * (pc - rc - pr + rr), 0.01)),
    Case("bco", "p: logprob[n]; q: logprob[n]; y: binary[n]", "bco(p, q, y, 0.5, 0.2)", N,
         lambda p, q, y: F.binary_cross_entropy_with_logits(0.5 * (p - q) - 0.2, y, reduction="none")),
    Case("discopop", FOUR, "discopop(pc, pr, rc, rr, 0.3, 0.1)", N,
         lambda pc, pr, rc, rr: discopop(0.3 * (pc - rc - pr + rr), 0.1)),
    Case("leave_one_out", "x: real[n, g]", "leave_one_out[g](x)", ("n", "g"),
         lambda x: x - (x.sum(1, keepdim=True) - x) / 3),
    Case("advantage_weighted", "p: logprob[n]; a: real[n]", "advantage_weighted(p, a, 0.7)", N,
         lambda p, a: -p * torch.exp(a / 0.7).detach()),
    Case("conservative_q", "q: real[n, c]; y: label[n] of c", "conservative_q[c](q, y)", N,
         lambda q, y: F.cross_entropy(q, y, reduction="none")),
    Case("bradley_terry_margin", "a: score[n]; b: score[n]; m: real[n]", "bradley_terry(a, b, m)", N,
         lambda a, b, m: F.softplus(b + m - a)),
    Case("simpo_smoothing", "a: score[n]; b: score[n]", "simpo(a, b, 1.5, 0.3, 0.2)", N, lambda a, b: F.binary_cross_entropy_with_logits(
        1.5 * (a - b) - 0.3, torch.full_like(a, 0.8), reduction="none")),
    Case("cpo_smoothing", "a: real[n]; b: real[n]", "cpo(a, b, 0.4, 0.2, 0.7)", N, lambda a, b: F.binary_cross_entropy_with_logits(
        0.4 * (a - b), torch.full_like(a, 0.8), reduction="none") - 0.7 * a),
    Case("alpha_dpo", FOUR, "alpha_dpo(pc, pr, rc, rr, 0.3, 0.4)", N, lambda *a: f_dpo(*a, lambda t: (t**-0.6 - 1) / -0.6)),
    Case("alpha_dpo_forward", FOUR, "alpha_dpo(pc, pr, rc, rr, 0.3, 0)", N, lambda *a: f_dpo(*a, lambda t: 1 - 1 / t)),
    Case("alpha_dpo_reverse", FOUR, "alpha_dpo(pc, pr, rc, rr, 0.3)", N, lambda *a: f_dpo(*a, torch.log)),
    Case("js_dpo", FOUR, "js_dpo(pc, pr, rc, rr, 0.3)", N, lambda *a: f_dpo(*a, lambda t: torch.log(2 * t / (1 + t)))),
    Case("aot", FOUR, "aot[n](pc, pr, rc, rr, 0.3, 0.1)", N, lambda pc, pr, rc, rr: F.binary_cross_entropy_with_logits(
        0.3 * (pc - pr - of_the_same_rank(rc - rr, pc - pr)), torch.full_like(pc, 0.9), reduction="none")),
    Case("aot_unpaired", FOUR, "aot_unpaired[n](pc, pr, rc, rr, 0.3)", N,
         lambda pc, pr, rc, rr: F.softplus(0.3 * (of_the_same_rank(pr - rr, pc - rc) - (pc - rc)))),
    Case("kto_given", "p: logprob[n]; q: logprob[n]; y: binary[n]; k: real[n]", "kto_given(p, q, y, k, 0.5)", N,
         lambda p, q, y, k: torch.sigmoid(0.5 * (2 * y - 1) * (F.relu(k).detach() - (p - q)))),
    Case("alphapo", "a: logprob[n]; b: logprob[n]", "alphapo(a, b, 0.4, 2, 0.3)", N,
         lambda a, b: F.softplus(0.3 - 2 * (torch.exp(b) ** -0.4 - torch.exp(a) ** -0.4) / 0.4)),
    Case("ppo_wider", "x: real[n]; a: real[n]", "ppo_clip(x / 2, a, 0.2, 0.3)", N,
         lambda x, a: -torch.minimum(torch.exp(x / 2) * a, torch.exp(x / 2).clamp(0.8, 1.5) * a)),
    Case("dual_clip", "x: real[n]; a: real[n]", "dual_clip(x, a, 0.2, 1.6)", N, lambda x, a: torch.where(
        a < 0, torch.minimum(ppo_clip(x, a), -1.6 * a), ppo_clip(x, a))),
    Case("cispo", "p: logprob[n]; x: real[n]; a: real[n]", "cispo(p, x, a, 1.5)", N,
         lambda p, x, a: -p * (torch.exp(x).clamp(max=1.5) * a).detach()),
    Case("sapo", "x: real[n]; a: real[n]", "sapo(x, a, 1.5, 2)", N, lambda x, a: torch.where(
        a > 0, -4 / 1.5 * torch.sigmoid(1.5 * torch.expm1(x)) * a, -2 * torch.sigmoid(2 * torch.expm1(x)) * a)),
    Case("gspo", "x: real[n, t]; a: real[n]", "gspo[t](x, a, 0.2)", N, lambda x, a: -torch.minimum(
        torch.exp(x.mean(1)) * a, torch.exp(x.mean(1)).clamp(0.8, 1.2001) * a)),
    Case("gmpo", "x: real[n, t]; a: real[n]", "gmpo[t](x, a, 0.4, 0.2)", N, lambda x, a: -a * torch.exp(torch.where(
        a[:, None] > 0, x.clamp(max=0.6), x.clamp(min=-0.4)).mean(1))),
    Case("dynamic_fine_tuning", "p: logprob[n]", "dynamic_fine_tuning(p)", N, lambda p: -p * torch.exp(p).detach()),
]  # fmt: skip

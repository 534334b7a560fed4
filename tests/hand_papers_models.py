"""Generative models, physics, graphs and embeddings by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from hand_papers import bce, log_normal, log_softmax, mean, paper, sigmoid, softmax, unit
from torch.nn import functional as f


@paper("min_snr", sizes={"timestep": 6, "batch": 3}, data={"t": np.array([5, 0, 3])})
def min_snr(i: Any) -> Any:
    ab = i.alpha_bar[i.t.long()][:, None, None]
    snr = ab / (1 - ab)
    v = ab.sqrt() * i.noise - (1 - ab).sqrt() * i.x0
    return (snr.clamp(max=5) / (snr + 1) * (i.v_hat - v) ** 2).mean()


@paper("edm")
def edm(i: Any) -> Any:
    sigma = i.ln_sigma.exp()[:, None]
    total = sigma**2 + 0.25
    denoised = 0.25 / total * (i.y + sigma * i.n) + 0.5 * sigma / total.sqrt() * i.raw
    return (total / (0.5 * sigma) ** 2 * (denoised - i.y) ** 2).mean()


@paper("rectified_flow")
def rectified_flow(i: Any) -> Any:
    z = torch.logit(i.t)
    density = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) / (i.t * (1 - i.t))
    return (density.detach() * ((i.velocity - i.noise + i.data) ** 2).flatten(1).mean(1)).mean()


@paper("improved_consistency", sizes={"level": 5, "batch": 3}, data={
    "sigma": np.array([0.1, 0.3, 0.7, 1.5, 4.0]), "i": np.array([3, 0, 2]),
})  # fmt: skip
def improved_consistency(i: Any) -> Any:
    c = 0.00054 * math.sqrt(i.student.shape[1])
    gap = torch.diff(i.sigma)[i.i.long()]
    return ((torch.sqrt(((i.student - i.teacher.detach()) ** 2).sum(1) + c**2) - c) / gap).mean()


@paper("wgan_gp", "critic")
def critic(i: Any) -> Any:
    penalty = ((i.slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    return (i.fake_score - i.real_score + 1e-3 * i.real_score**2).mean() + 10 * penalty


@paper("wgan_gp", "generator")
def generator(i: Any) -> Any:
    return -i.fake_score.mean()


@paper("ragan", "discriminator")
def relativistic(i: Any) -> Any:
    r, g = i.real_logit, i.fake_logit
    return bce(r - g.mean(), torch.ones_like(r)).mean() + bce(g - r.mean(), torch.zeros_like(g)).mean()


@paper("ragan", "generator")
def relativistic_generator(i: Any) -> Any:
    r, g = i.real_logit, i.fake_logit
    return bce(r - g.mean(), torch.zeros_like(r)).mean() + bce(g - r.mean(), torch.ones_like(g)).mean()


@paper("pix2pixhd")
def pix2pixhd(i: Any) -> Any:
    adversarial = sum(((x - 1) ** 2).mean() for x in i.fake_map)
    return adversarial + 10 * sum(
        f.l1_loss(b, a.detach()) for a, b in zip(i.real_feature, i.fake_feature, strict=True)
    )


def _square(x: Any) -> Any:
    return x * x


def _square_slope(g: Any, x: Any) -> tuple[Any]:
    return (2 * x * g,)


def _mean(x: Any) -> Any:
    return x.mean(-1)


def _mean_slope(g: Any, x: Any) -> tuple[Any]:
    return (np.broadcast_to(g[..., None] / x.shape[-1], x.shape),)


MAPS, JUDGES = ("to_a", "to_b"), ("judge_a", "judge_b")
PLAIN = {**dict.fromkeys(MAPS, _square), **dict.fromkeys(JUDGES, _mean)}
SLOPED = {**dict.fromkeys(MAPS, (_square, _square_slope)), **dict.fromkeys(JUDGES, (_mean, _mean_slope))}


@paper("cyclegan", externs={"numpy": SLOPED, "torch": PLAIN, "jax": PLAIN})
def cyclegan(i: Any) -> Any:
    total = 0.0
    for x in (i.a, i.b):
        total = (
            total
            + (((x**2).mean(1) - 1) ** 2).mean()
            + 10 * ((x**4 - x).abs().mean() + 0.5 * (x**2 - x).abs().mean())
        )
    return total


@paper("vqgan", sizes={"batch": 2, "dim": 3})
def vqgan(i: Any) -> Any:
    at = ((i.code[:, :, None] - i.codebook) ** 2).sum(-1).argmin(-1)
    quantized = i.codebook[at]
    feature = lambda x: x / x.norm(dim=-1, keepdim=True)  # noqa: E731
    lpips = sum(
        ((feature(a) - feature(b)) ** 2).sum(-1).mean()
        for a, b in zip(i.feature_real, i.feature_fake, strict=True)
    )
    book = ((i.code.detach() - quantized) ** 2).sum(-1).mean()
    commit = ((i.code - quantized.detach()) ** 2).sum(-1).mean()
    adaptive = (i.nll_grad_norm / (i.gan_grad_norm + 1e-4)).clamp(0, 1e4).detach()
    return (
        f.l1_loss(i.reconstruction, i.image)
        + lpips
        + book
        + 0.25 * commit
        - adaptive * 0.8 * i.fake_logit.mean()
    )


@paper("beta_tcvae", data={"dataset": 100})
def beta_tcvae(i: Any) -> Any:
    own = log_normal(i.z, i.mu, i.log_sigma.exp()).sum(1)
    pairs = log_normal(i.z[:, None], i.mu, i.log_sigma.exp())
    n = math.log(len(i.z) * 100)
    log_q = torch.logsumexp(pairs.sum(2), 1) - n
    product = (torch.logsumexp(pairs, 1) - n).sum(1)
    prior = log_normal(i.z, torch.zeros(()), torch.ones(())).sum(1)
    return (bce(i.decoded, i.x).sum(1) + own - log_q + 6 * (log_q - product) + product - prior).mean()


@paper("infovae", sizes={"d": 3, "batch": 4, "draw": 5})
def infovae(i: Any) -> Any:
    kernel = lambda a, b: torch.exp(-((a[:, None] - b) ** 2).sum(-1) / 9).mean()  # noqa: E731
    mmd = kernel(i.prior, i.prior) + kernel(i.z, i.z) - 2 * kernel(i.z, i.prior)
    return -log_normal(i.x, i.decoded, torch.ones(())).sum(1).mean() + 100 * mmd


@paper("iwae")
def iwae(i: Any) -> Any:
    log_q = log_normal(i.z, i.mean[:, None], torch.exp(i.log_var / 2)[:, None]).sum(-1)
    prior = log_normal(i.z, torch.zeros(()), torch.ones(())).sum(-1)
    log_w = -bce(i.logits, i.x[:, None]).sum(-1) + prior - log_q
    return -(torch.logsumexp(log_w, 1) - math.log(log_w.shape[1])).mean()


@paper("realnvp")
def realnvp(i: Any) -> Any:
    scales = sum(s.flatten(1).sum(1) for s in i.log_scale)
    y = sigmoid(i.pre_logit)
    flattened = (-torch.log(y * (1 - y)) + math.log(0.95)).flatten(1).sum(1)
    return -(scales + flattened + log_normal(i.z, torch.zeros(()), torch.ones(())).flatten(1).sum(1)).mean()


@paper("sliced_wasserstein", sizes={"batch": 4})
def sliced_wasserstein(i: Any) -> Any:
    theta = unit(i.direction).T
    apart = (i.z @ theta).sort(0).values - (i.prior @ theta).sort(0).values
    return ((i.x - i.recon) ** 2).sum(1).mean() + (apart**2).mean()


@paper("svgp", data={"dataset": 100})
def svgp(i: Any) -> Any:
    noise = i.log_noise.exp()
    expected = (log_normal(i.y, i.mean_f, noise.sqrt()) - i.var_f / (2 * noise)).mean()
    q = torch.distributions.Normal(i.m, i.log_s.exp())
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum()
    return -100 * expected + kl


@paper("pinn")
def pinn(i: Any) -> Any:
    residual = i.u_t + i.u * i.u_x - 0.01 / math.pi * i.u_xx
    start = i.u0 + torch.sin(math.pi * i.x0)
    return (
        ((i.lam_r * residual) ** 2).mean() + ((i.lam_0 * start) ** 2).mean() + (i.left**2 + i.right**2).mean()
    )


@paper("mdn_handwriting", sizes={"xy": 2})
def handwriting(i: Any) -> Any:
    sigma, rho = i.log_sigma.exp(), torch.tanh(i.rho_raw)
    cov = torch.diag_embed(sigma**2)
    off = rho * sigma.prod(-1)
    cov = cov + off[..., None, None] * torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    each = torch.distributions.MultivariateNormal(i.mu, cov).log_prob(i.stroke[:, :, None])
    mixed = torch.logsumexp(log_softmax(i.logit_pi) + each, -1)
    return mean(bce(i.end, i.lifted) - mixed, i.real_step)


@paper("vgae", sizes={"node": 4, "other": 4}, data={
    "adjacency": np.array([[1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 1, 0], [0, 1, 0, 1.0]]),
})  # fmt: skip
def vgae(i: Any) -> Any:
    z = i.mu + i.log_std.exp() * i.noise
    edges = i.adjacency.sum()
    weight = (16 - edges) / edges
    bits = f.binary_cross_entropy_with_logits(z @ z.T, i.adjacency, pos_weight=weight)
    q = torch.distributions.Normal(i.mu, i.log_std.exp())
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    return 16 / (2 * (16 - edges)) * bits + kl / 4


@paper("dgi", sizes={"dim": 3, "dim2": 3})
def dgi(i: Any) -> Any:
    wanted = i.w @ sigmoid(i.h.mean(0))
    return -(f.logsigmoid(i.h @ wanted).mean() + f.logsigmoid(-(i.shuffled @ wanted)).mean()) / 2


@paper("poincare", sizes={"node": 6, "edge": 3, "negative": 2}, data={
    "theta": lambda r: 0.35 * r.uniform(-1, 1, (6, 3)), "u": np.array([0, 1, 5]), "v": np.array([3, 2, 4]),
    "other": np.array([[1, 2], [4, 5], [0, 1]]),
})  # fmt: skip
def poincare(i: Any) -> Any:
    def distance(a: Any, b: Any) -> Any:
        inside = (1 - (a**2).sum(-1)) * (1 - (b**2).sum(-1))
        return torch.acosh(1 + 2 * ((a - b) ** 2).sum(-1) / inside)

    u = i.theta[i.u]
    near = distance(u, i.theta[i.v])
    far = distance(u[:, None], i.theta[i.other])
    return f.cross_entropy(-torch.cat([near[:, None], far], 1), torch.zeros(3, dtype=torch.long))


@paper("rotate")
def rotate(i: Any) -> Any:
    entity, turn = torch.complex(i.entity_re, i.entity_im), torch.polar(torch.ones_like(i.phase), i.phase)
    turned = entity[i.head] * turn[i.rel]
    near = (turned - entity[i.tail]).abs().sum(-1)
    far = (turned[:, None] - entity[i.corrupt]).abs().sum(-1)
    share = softmax(12 - far).detach()
    cost = f.softplus(near - 12) + (share * f.softplus(12 - far)).sum(1)
    return (i.subsampling * cost).sum() / i.subsampling.sum() / 2

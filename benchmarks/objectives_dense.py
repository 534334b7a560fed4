"""Objectives of one prediction for each place, at the sizes that they are trained at: the spec's formula in plain
PyTorch and JAX, and what a practitioner would write in PyTorch by hand."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import torch
import torch.nn.functional as F
from objective import Drawn, Objective, spec

# -- language model: cross-entropy with a mask and a z-loss


def model_written(z: Any, y: Any, keep: Any) -> Any:
    z, n = z.float(), keep.sum()
    p = torch.softmax(z, -1).gather(-1, y[:, None])[:, 0]
    penalty = torch.log(torch.exp(z).sum(-1)) ** 2
    return (torch.where(keep, -torch.log(p), 0).sum() + 1e-4 * torch.where(keep, penalty, 0).sum()) / n


def model_hand(z: Any, y: Any, keep: Any) -> Any:
    z, n = z.float(), keep.sum()
    nll = F.cross_entropy(z, y, reduction="none")
    return ((nll * keep).sum() + 1e-4 * (torch.logsumexp(z, -1) ** 2 * keep).sum()) / n


def model_jax(z: Any, y: Any, keep: Any) -> Any:
    z, n = z.astype(jnp.float32), keep.sum()
    p = jnp.take_along_axis(jax.nn.softmax(z, -1), y[:, None], -1)[:, 0]
    penalty = jnp.log(jnp.exp(z).sum(-1)) ** 2
    return (jnp.where(keep, -jnp.log(p), 0).sum() + 1e-4 * jnp.where(keep, penalty, 0).sum()) / n


def language_model(dtype: str, scale: float) -> Objective:
    rows, words = int(8192 * scale), 50304
    return Objective(
        f"language model, {dtype}",
        spec(
            "z : logit[token, word] over word; y : label[token] of word; keep : mask[token]",
            "mean[token where keep](-log(softmax[word](z))[word = y])"
            " + 1e-4 * mean[token where keep](logsumexp[word](z)^2)",
        ),
        {
            "z": Drawn("normal", (rows, words), dtype=dtype),
            "y": Drawn("label", (rows,), words),
            "keep": Drawn("coin", (rows,), 0.9, "bool"),
        },
        ("z",),
        model_written,
        model_hand,
        model_jax,
    )


# -- dense detection: sigmoid focal loss


def focal_written(z: Any, y: Any) -> Any:
    p = torch.sigmoid(z)
    hit = -0.25 * (1 - p) ** 2 * torch.log(p)
    miss = -0.75 * p**2 * torch.log(1 - p)
    return torch.where(y == 1, hit, miss).mean()


def focal_hand(z: Any, y: Any) -> Any:
    """As in torchvision."""
    p = torch.sigmoid(z)
    ce = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    p_t = p * y + (1 - p) * (1 - y)
    return ((0.25 * y + 0.75 * (1 - y)) * ce * (1 - p_t) ** 2).mean()


def focal_jax(z: Any, y: Any) -> Any:
    p = jax.nn.sigmoid(z)
    hit = -0.25 * (1 - p) ** 2 * jnp.log(p)
    miss = -0.75 * p**2 * jnp.log(1 - p)
    return jnp.where(y == 1, hit, miss).mean()


def focal(scale: float) -> Objective:
    shape = (8, int(76725 * scale), 80)
    return Objective(
        "focal, dense detection",
        spec(
            "z : logit[image, anchor, kind]; y : binary[image, anchor, kind]",
            "mean[image, anchor, kind](sigmoid_focal(z, y))",
        ),
        {"z": Drawn("normal", shape), "y": Drawn("coin", shape, 0.01)},
        ("z",),
        focal_written,
        focal_hand,
        focal_jax,
    )


# -- distillation


def distillation_written(z: Any, t: Any) -> Any:
    p, q = torch.softmax(t / 2, -1), torch.softmax(z / 2, -1)
    return 4 * (p * torch.log(p / q)).sum(-1).mean()


def distillation_hand(z: Any, t: Any) -> Any:
    p, q = F.log_softmax(t / 2, -1), F.log_softmax(z / 2, -1)
    return 4 * F.kl_div(q, p, reduction="batchmean", log_target=True)


def distillation_jax(z: Any, t: Any) -> Any:
    p, q = jax.nn.softmax(t / 2, -1), jax.nn.softmax(z / 2, -1)
    return 4 * (p * jnp.log(p / q)).sum(-1).mean()


def distillation(scale: float) -> Objective:
    shape = (int(4096 * scale), 32000)
    return Objective(
        "distillation, 32,000 words",
        spec(
            "z : logit[token, word] over word; t : logit[token, word] over word",
            "mean[token](distillation[word](z, stop(t)))",
        ),
        {"z": Drawn("normal", shape), "t": Drawn("normal", shape)},
        ("z",),
        distillation_written,
        distillation_hand,
        distillation_jax,
    )


# -- segmentation: soft Dice


def dice_torch(z: Any, y: Any) -> Any:
    p = torch.sigmoid(z)
    return (1 - (2 * (p * y).sum((2, 3)) + 1) / (p.sum((2, 3)) + y.sum((2, 3)) + 1)).mean()


def dice_jax(z: Any, y: Any) -> Any:
    p = jax.nn.sigmoid(z)
    return (1 - (2 * (p * y).sum((2, 3)) + 1) / (p.sum((2, 3)) + y.sum((2, 3)) + 1)).mean()


def dice(scale: float) -> Objective:
    shape = (int(16 * scale) or 1, 4, 512, 512)
    return Objective(
        "dice, 512 × 512",
        spec(
            "z : logit[image, kind, row, column]; y : binary[image, kind, row, column]",
            "mean[image, kind](dice[row, column](sigmoid(z), y))",
        ),
        {"z": Drawn("normal", shape), "y": Drawn("coin", shape, 0.2)},
        ("z",),
        dice_torch,
        dice_torch,
        dice_jax,
    )


# -- a variational autoencoder of pictures


def elbo_written(z: Any, y: Any, mean: Any, log_var: Any) -> Any:
    p = torch.sigmoid(z)
    coins = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).sum(1)
    return (coins + 0.5 * (mean**2 + torch.exp(log_var) - 1 - log_var).sum(1)).mean()


def elbo_hand(z: Any, y: Any, mean: Any, log_var: Any) -> Any:
    coins = F.binary_cross_entropy_with_logits(z, y, reduction="none").sum(1)
    return (coins + 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1)).mean()


def elbo_jax(z: Any, y: Any, mean: Any, log_var: Any) -> Any:
    p = jax.nn.sigmoid(z)
    coins = -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p)).sum(1)
    return (coins + 0.5 * (mean**2 + jnp.exp(log_var) - 1 - log_var).sum(1)).mean()


def elbo(scale: float) -> Objective:
    rows = int(1024 * scale)
    return Objective(
        "VAE, 3 × 64 × 64 pixels",
        spec(
            "z : logit[image, pixel]; y : prob[image, pixel]; m : real[image, latent]; v : real[image, latent]",
            "mean[image](sum[pixel](binary_cross_entropy(z, y)) + gaussian_kl[latent](m, v))",
        ),
        {
            "z": Drawn("normal", (rows, 12288)),
            "y": Drawn("uniform", (rows, 12288)),
            "m": Drawn("normal", (rows, 256)),
            "v": Drawn("normal", (rows, 256)),
        },
        ("z", "m", "v"),
        elbo_written,
        elbo_hand,
        elbo_jax,
    )


# -- a mixture density network


def mixture_written(a: Any, m: Any, w: Any, y: Any) -> Any:
    s = torch.exp(w)
    density = torch.exp(-0.5 * ((y[:, None] - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))
    return -torch.log((torch.softmax(a, -1) * density).sum(-1)).mean()


def mixture_hand(a: Any, m: Any, w: Any, y: Any) -> Any:
    logs = -0.5 * ((y[:, None] - m) * torch.exp(-w)) ** 2 - w - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(F.log_softmax(a, -1) + logs, -1).mean()


def mixture_jax(a: Any, m: Any, w: Any, y: Any) -> Any:
    s = jnp.exp(w)
    density = jnp.exp(-0.5 * ((y[:, None] - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))
    return -jnp.log((jax.nn.softmax(a, -1) * density).sum(-1)).mean()


def mixture(scale: float) -> Objective:
    shape = (int(262144 * scale), 32)
    return Objective(
        "mixture density, 32 peaks",
        spec(
            "a : logit[example, peak] over peak; m : real[example, peak]; w : real[example, peak]; y : real[example]",
            "mean[example](-log(sum[peak](softmax[peak](a) * exp(-nll(y ~ normal(m, exp(w)))))))",
        ),
        {**{name: Drawn("normal", shape) for name in "amw"}, "y": Drawn("normal", shape[:1])},
        ("a", "m", "w"),
        mixture_written,
        mixture_hand,
        mixture_jax,
    )

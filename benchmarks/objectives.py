"""Training objectives at the sizes that they are trained at, for ``speed.py``: a spec of losslang, the same formula in
plain PyTorch and JAX, and what a practitioner would write in PyTorch by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Drawn:
    """Random numbers: ``normal``, ``coin`` (1 with probability ``high``), ``label`` from ``low`` to below ``high``,
    ``uniform`` up to ``high``, or ``all``: ``high`` everywhere."""

    how: str
    shape: tuple[int, ...]
    high: float = 1.0
    dtype: str = "float32"
    low: int = 0


@dataclass(frozen=True)
class Objective:
    """``written`` and ``jax`` follow the spec's formula; ``hand`` is what one writes who knows the framework.

    Each takes the inputs in order. ``wrt``: the names of the inputs to differentiate by. ``looped``: a loop over
    an axis, whose steps torch.compile would all compile.
    """

    name: str
    spec: str
    inputs: dict[str, Drawn]
    wrt: tuple[str, ...]
    written: Callable[..., Any] | None
    hand: Callable[..., Any]
    jax: Callable[..., Any]
    looped: bool = False


def spec(inputs: str, minimize: str) -> str:
    lines = "".join(f"  input {each.strip()}\n" for each in inputs.split(";"))
    return f"loss timed\n{lines}  minimize {minimize}\n"


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


# -- contrastive: both directions of pictures and captions


def clip_written(u: Any, v: Any, s: Any) -> Any:
    cosine = (u / u.norm(dim=-1, keepdim=True)) @ (v / v.norm(dim=-1, keepdim=True)).T
    z = cosine * torch.exp(s)
    there, back = torch.softmax(z, 1).diagonal(), torch.softmax(z, 0).diagonal()
    return -(torch.log(there) + torch.log(back)).mean() / 2


def clip_hand(u: Any, v: Any, s: Any) -> Any:
    z = s.exp() * F.normalize(u, dim=-1) @ F.normalize(v, dim=-1).T
    at = torch.arange(len(z), device=z.device)
    return (F.cross_entropy(z, at) + F.cross_entropy(z.T, at)) / 2


def clip_jax(u: Any, v: Any, s: Any) -> Any:
    unit = [x / jnp.linalg.norm(x, axis=-1, keepdims=True) for x in (u, v)]
    z = unit[0] @ unit[1].T * jnp.exp(s)
    there, back = jnp.diagonal(jax.nn.softmax(z, 1)), jnp.diagonal(jax.nn.softmax(z, 0))
    return -(jnp.log(there) + jnp.log(back)).mean() / 2


def clip(scale: float) -> Objective:
    shape = (int(4096 * scale), 512)
    return Objective(
        "CLIP, 4096 pairs",
        spec(
            "u : embedding[pair, dim]; v : embedding[pair, dim]; s : parameter",
            "mean[pair](clip[pair, dim](u, v, exp(s)))",
        ),
        {"u": Drawn("normal", shape), "v": Drawn("normal", shape), "s": Drawn("all", (), 2.6)},
        ("u", "v", "s"),
        clip_written,
        clip_hand,
        clip_jax,
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


# -- preferences: DPO on the log-probabilities of tokens


def dpo_torch(c: Any, r: Any, ref_c: Any, ref_r: Any, keep_c: Any, keep_r: Any, squash: Any) -> Any:
    good = torch.where(keep_c, c - ref_c, 0).sum(1)
    bad = torch.where(keep_r, r - ref_r, 0).sum(1)
    return -squash(0.1 * (good - bad)).mean()


def dpo_jax(c: Any, r: Any, ref_c: Any, ref_r: Any, keep_c: Any, keep_r: Any) -> Any:
    good = jnp.where(keep_c, c - ref_c, 0).sum(1)
    bad = jnp.where(keep_r, r - ref_r, 0).sum(1)
    return -jnp.log(jax.nn.sigmoid(0.1 * (good - bad))).mean()


def dpo(scale: float) -> Objective:
    shape = (64, int(2048 * scale))
    names = ("c", "r", "ref_c", "ref_r")
    masks = {name: Drawn("coin", shape, 0.8, "bool") for name in ("keep_c", "keep_r")}
    return Objective(
        "DPO on token log-probabilities",
        spec(
            "; ".join(
                [f"{n} : real[pair, token]" for n in names] + [f"{n} : mask[pair, token]" for n in masks]
            ),
            "mean[pair](dpo(sum[token where keep_c](c), sum[token where keep_r](r),"
            " sum[token where keep_c](ref_c), sum[token where keep_r](ref_r)))",
        ),
        {**{name: Drawn("normal", shape) for name in names}, **masks},
        ("c", "r"),
        lambda *given: dpo_torch(*given, lambda x: torch.log(torch.sigmoid(x))),
        lambda *given: dpo_torch(*given, F.logsigmoid),
        dpo_jax,
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


# -- supervised contrastive learning


def classmates_written(u: Any, y: Any) -> Any:
    v = u / u.norm(dim=-1, keepdim=True)
    other = ~torch.eye(len(v), dtype=torch.bool, device=v.device)
    mates = (y[:, None] == y[None, :]) & other
    e = torch.where(other, torch.exp(v @ v.T / 0.1), 0)
    logs = torch.log(e / e.sum(1, keepdim=True))
    return -(torch.where(mates, logs, 0).sum(1) / mates.sum(1).clamp(min=1)).mean()


def classmates_hand(u: Any, y: Any) -> Any:
    v = F.normalize(u, dim=-1)
    own = torch.eye(len(v), dtype=torch.bool, device=v.device)
    mates = (y[:, None] == y[None, :]) & ~own
    logs = F.log_softmax((v @ v.T / 0.1).masked_fill(own, -math.inf), 1)
    return -(logs.masked_fill(~mates, 0).sum(1) / mates.sum(1).clamp(min=1)).mean()


def classmates_jax(u: Any, y: Any) -> Any:
    v = u / jnp.linalg.norm(u, axis=-1, keepdims=True)
    other = ~jnp.eye(len(v), dtype=bool)
    mates = (y[:, None] == y[None, :]) & other
    e = jnp.where(other, jnp.exp(v @ v.T / 0.1), 0)
    logs = jnp.log(jnp.where(other, e / e.sum(1, keepdims=True), 1))
    return -(jnp.where(mates, logs, 0).sum(1) / jnp.maximum(mates.sum(1), 1)).mean()


def classmates(scale: float) -> Objective:
    rows = int(4096 * scale)
    return Objective(
        "supervised contrastive, 4096 rows",
        spec(
            "u : embedding[row, dim]; y : label[row] of kind",
            "mean[row](supervised_contrastive[row, dim, kind](u, y))",
        ),
        {"u": Drawn("normal", (rows, 128)), "y": Drawn("label", (rows,), 100)},
        ("u",),
        classmates_written,
        classmates_hand,
        classmates_jax,
    )


# -- Barlow twins


def barlow_torch(u: Any, v: Any) -> Any:
    a, b = u - u.mean(0), v - v.mean(0)
    c = (a / a.norm(dim=0)).T @ (b / b.norm(dim=0))
    diagonal = c.diagonal()
    return ((1 - diagonal) ** 2).sum() + 5e-3 * ((c**2).sum() - (diagonal**2).sum())


def barlow_jax(u: Any, v: Any) -> Any:
    a, b = u - u.mean(0), v - v.mean(0)
    c = (a / jnp.linalg.norm(a, axis=0)).T @ (b / jnp.linalg.norm(b, axis=0))
    diagonal = jnp.diagonal(c)
    return ((1 - diagonal) ** 2).sum() + 5e-3 * ((c**2).sum() - (diagonal**2).sum())


def barlow(scale: float) -> Objective:
    shape = (2048, int(4096 * scale))
    return Objective(
        "Barlow twins, 4096 features",
        spec("u : embedding[row, dim]; v : embedding[row, dim]", "barlow_twins[row, dim](u, v)"),
        {"u": Drawn("normal", shape), "v": Drawn("normal", shape)},
        ("u", "v"),
        barlow_torch,
        barlow_torch,
        barlow_jax,
    )


# -- CTC, for which nobody writes out the sum over all paths


def ctc_hand(z: Any, y: Any, frames: Any, labels: Any) -> Any:
    logs = F.log_softmax(z, -1).transpose(0, 1)
    return F.ctc_loss(logs, y, frames, labels, reduction="none").mean()


def ctc_jax(z: Any, y: Any, frames: Any, labels: Any) -> Any:
    import optax

    late = jnp.arange(z.shape[1]) >= frames[:, None]
    missing = jnp.arange(y.shape[1]) >= labels[:, None]
    return optax.ctc_loss(z, late.astype(z.dtype), y, missing.astype(z.dtype)).mean()


def ctc(scale: float) -> Objective:
    rows, length, said = 16, int(300 * scale) or 8, int(40 * scale) or 2
    return Objective(
        "CTC, 300 frames",
        spec(
            "z : logit[row, time, kind] over kind; y : label[row, place] of kind; frames : count[row]; labels : count[row]",
            "mean[row](ctc[time, kind, place](log_softmax[kind](z), y, frames, labels))",
        ),
        {
            "z": Drawn("normal", (rows, length, 64)),
            "y": Drawn("label", (rows, said), 64, low=1),
            "frames": Drawn("all", (rows,), length, "int64"),
            "labels": Drawn("all", (rows,), said, "int64"),
        },
        ("z",),
        None,
        ctc_hand,
        ctc_jax,
        looped=True,
    )


def objectives(scale: float = 1.0) -> list[Objective]:
    """All of them; ``scale`` shrinks the longest axes."""
    return [
        language_model("float32", scale),
        language_model("bfloat16", scale),
        *(
            make(scale)
            for make in (focal, clip, distillation, dice, dpo, elbo, mixture, classmates, barlow, ctc)
        ),
    ]

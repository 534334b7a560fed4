"""Objectives that compare predictions with each other or follow them through time; see ``objectives_dense.py``."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import torch
import torch.nn.functional as F
from objective import Drawn, Objective, spec

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

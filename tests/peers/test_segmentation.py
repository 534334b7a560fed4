"""Losses of regions: MONAI's and Kornia's. Both have the classes after the batch; MONAI adds a small number above and below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from peers.harness import Row, beside

torch = pytest.importorskip("torch")
monai = pytest.importorskip("monai.losses")
kornia = pytest.importorskip("kornia.losses")

CHANNELS = "x: logit[n, k, h, w]; y: binary[n, k, h, w]"
SCENES = "x: logit[n, h, w, c] over c; y: label[n, h, w] of c"
SHARES = "let p = softmax[c](x)[c -> k] as prob, truth = (if y == c then 1 else 0)[c -> k] in "
REGION = "x: logit[n, h, w]; y: binary[n, h, w]"
BOXES = "x: real[n, b]; y: real[n, b]"
XY = "x: real[n, d]; y: real[n, d]"
N = ("n",)


def binary(name: str, **options: Any) -> Callable[..., Any]:
    return lambda x, y: getattr(monai, name)(sigmoid=True, **options)(x, y)


def scene(name: str, **options: Any) -> Callable[..., Any]:
    def reference(x: Any, y: Any) -> Any:
        loss = getattr(monai, name)(softmax=True, to_onehot_y=True, **options)
        return loss(x.permute(0, 3, 1, 2), y[:, None])

    return reference


def by_kornia(name: str, **options: Any) -> Callable[..., Any]:
    return lambda x, y: getattr(kornia, name)(x.permute(0, 3, 1, 2), y, **options)


def corners(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    low = rng.uniform(0, 2, (2, sizes["n"], 2))
    return dict(zip("xy", np.concatenate([low, low + rng.uniform(0.5, 2, low.shape)], -1), strict=True))


def all_classes(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    shape = sizes["n"], sizes["h"], sizes["w"]
    return {
        "y": rng.permuted(
            np.arange(np.prod(shape[1:])) % sizes["c"] + np.zeros((shape[0], 1), int), axis=1
        ).reshape(shape)
    }


ROWS = [
    Row("monai-DiceLoss", CHANNELS, "mean[n, k](dice[h, w](x, y, 1e-5))", binary("DiceLoss")),
    Row("monai-DiceLoss-batch", CHANNELS, "mean[k](dice[n, h, w](x, y, 1e-5))", binary("DiceLoss", batch=True)),
    Row("monai-DiceLoss-squared", CHANNELS, "sum[n, k](squared_dice[h, w](x, y, 1e-5))",
        binary("DiceLoss", squared_pred=True, reduction="sum")),
    Row("monai-DiceLoss-jaccard", CHANNELS, "mean[n, k](jaccard[h, w](x, y, 0.5))",
        binary("DiceLoss", jaccard=True, smooth_nr=1, smooth_dr=1)),
    Row("monai-DiceLoss-softmax", SCENES, SHARES + "mean[n, k](dice[h, w](p, truth, 1e-5))", scene("DiceLoss")),
    Row("monai-DiceLoss-foreground", SCENES, SHARES + "mean[n, k where k > 0](dice[h, w](p, truth, 1e-5))",
        scene("DiceLoss", include_background=False)),
    Row("monai-GeneralizedDiceLoss", SCENES, SHARES + "mean[n](generalized_dice[k, h, w](p, truth))",
        scene("GeneralizedDiceLoss", smooth_nr=0, smooth_dr=0), given=all_classes, tolerance=1e-6),
    Row("monai-DiceCELoss", SCENES, SHARES + "mean[n, k](dice[h, w](p, truth, 1e-5)) + mean[n, h, w](cross_entropy(x, y))",
        scene("DiceCELoss")),
    Row("monai-DiceFocalLoss", CHANNELS, "mean[n, k](dice[h, w](x, y, 1e-5)) + mean[n, k, h, w](binary_focal(x, y))",
        binary("DiceFocalLoss"), tolerance=1e-5),
    Row("monai-TverskyLoss", CHANNELS, "mean[n, k](tversky[h, w](x, y, 0.3, 0.7, 1e-5))",
        binary("TverskyLoss", alpha=0.3, beta=0.7)),
    Row("monai-FocalLoss", CHANNELS, "mean[n, k, h, w](binary_focal(x, y))", lambda x, y: monai.FocalLoss()(x, y),
        tolerance=1e-5),
    Row("monai-FocalLoss-alpha", CHANNELS, "mean[n, k, h, w](sigmoid_focal(x, y, 1.5, 0.3))",
        lambda x, y: monai.FocalLoss(gamma=1.5, alpha=0.3)(x, y), tolerance=1e-5),
    Row("monai-FocalLoss-softmax", SCENES, "mean[n, h, w](focal(x, y)) / size[c]",
        lambda x, y: monai.FocalLoss(use_softmax=True, to_onehot_y=True)(x.permute(0, 3, 1, 2), y[:, None]), tolerance=1e-5),
    Row("monai-BoxGIoULoss", BOXES, "mean[n](giou[b](x, y))", lambda x, y: monai.BoxGIoULoss()(x, y), given=corners,
        tolerance=1e-5),
    Row("monai-ContrastiveLoss", XY, "mean[n](nt_xent[n, d](x, y, 0.3))", lambda x, y: monai.ContrastiveLoss(0.3)(x, y),
        tolerance=1e-7),
    Row("kornia-dice_loss", SCENES, SHARES + "mean[n](dice[k, h, w](p, truth, 0))", by_kornia("dice_loss", eps=0.0),
        tolerance=1e-5),
    Row("kornia-dice_loss-macro", SCENES, SHARES + "mean[n, k](dice[h, w](p, truth, 0))",
        by_kornia("dice_loss", average="macro", eps=0.0), given=all_classes, tolerance=1e-5),
    Row("kornia-tversky_loss", SCENES, SHARES + "mean[n, k](tversky[h, w](p, truth, 0.3, 0.7, 0))",
        by_kornia("tversky_loss", alpha=0.3, beta=0.7, eps=0.0), given=all_classes, tolerance=1e-5),
    Row("kornia-focal_loss", SCENES, "focal(x, y, 1.5)",
        lambda x, y: by_kornia("focal_loss", alpha=None, gamma=1.5)(x, y).sum(1), ("n", "h", "w"), tolerance=1e-5),
    Row("kornia-binary_focal", CHANNELS, "binary_focal(x, y)",
        lambda x, y: kornia.binary_focal_loss_with_logits(x, y, alpha=None), ("n", "k", "h", "w"), tolerance=1e-5),
    Row("kornia-lovasz_hinge", REGION, "mean[n](lovasz_hinge[h, w](x, y))",
        lambda x, y: kornia.lovasz_hinge_loss(x[:, None], y)),
    Row("kornia-charbonnier", XY, "charbonnier(x, y, 1) - 1", lambda x, y: kornia.charbonnier_loss(x, y), ("n", "d")),
    Row("kornia-cauchy", XY, "cauchy(x, y)", lambda x, y: kornia.cauchy_loss(x, y), ("n", "d")),
    Row("kornia-geman_mcclure", XY, "geman_mcclure(x, y)", lambda x, y: kornia.geman_mcclure_loss(x, y), ("n", "d")),
    Row("kornia-welsch", XY, "welsch(x, y)", lambda x, y: kornia.welsch_loss(x, y), ("n", "d")),
    Row("kornia-total_variation", "x: real[n, h, w]", "total_variation[h, w](x)",
        lambda x: kornia.total_variation(x[:, None]).reshape(len(x)), N),
    Row("kornia-kl_div", "x: prob[n, k] over k; y: prob[n, k] over k", "mean[n](kl_divergence(y, x))",
        lambda x, y: kornia.kl_div_loss_2d(x[:, None, None], y[:, None, None]), tolerance=1e-6),
    Row("kornia-js_div", "x: prob[n, k] over k; y: prob[n, k] over k", "mean[n](js_divergence(x, y))",
        lambda x, y: kornia.js_div_loss_2d(x[:, None, None], y[:, None, None]), tolerance=1e-6),
]  # fmt: skip

test_segmentation = beside(ROWS)

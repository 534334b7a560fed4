"""Cases of `specs/library/signals.loss`: the papers' formulas by convolutions in PyTorch."""

from __future__ import annotations

import numpy as np
from parity import SIZES, Case, case
from torch import Tensor

from library_cases.peers import F, N, torch

PICTURES = "x: real[n, tall, broad]; y: real[n, tall, broad]"
SMALL = "x: real[n, h, w]; y: real[n, h, w]; k: weight[l]"
SOUNDS = "x: real[n, i]; y: real[n, i]"


def gaussian(sigma: float) -> Tensor:
    return torch.exp(-(torch.arange(-5, 6, dtype=torch.float64) ** 2) / (2 * sigma**2))


def patches(x: Tensor, sides: tuple[int, int]) -> Tensor:
    """All windows of an image, one in each row."""
    return F.unfold(x[:, None], sides).transpose(1, 2)


def factors(x: Tensor, y: Tensor, window: Tensor, span: float) -> tuple[Tensor, Tensor]:
    """Wang et al., 2004, equations 13 to 16: brightness and structure at every place where the window fits."""
    share = torch.outer(window, window).reshape(-1) / window.sum() ** 2
    x, y = (patches(each, (len(window), len(window))) for each in (x, y))
    m, k = ((share * each).sum(-1, keepdim=True) for each in (x, y))
    both = (share * (x - m) * (y - k)).sum(-1)
    spread = (share * (x - m) ** 2).sum(-1) + (share * (y - k) ** 2).sum(-1)
    m, k, near, close = m[..., 0], k[..., 0], (0.01 * span) ** 2, (0.03 * span) ** 2
    return (2 * m * k + near) / (m**2 + k**2 + near), (2 * both + close) / (spread + close)


def ssim(x: Tensor, y: Tensor, window: Tensor, span: float = 1) -> Tensor:
    luminance, structure = factors(x, y, window, span)
    return 1 - (luminance * structure).mean(-1)


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """Wang et al., 2003, with averages of 2 × 2 between the scales."""
    result = torch.ones(len(x), dtype=x.dtype)
    for scale, power in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        luminance, structure = factors(x, y, gaussian(1.5), 1)
        seen = structure * luminance if scale == 4 else structure
        result = result * F.relu(seen.mean(-1)) ** power
        x, y = (F.avg_pool2d(each[:, None], 2)[:, 0] for each in (x, y))
    return 1 - result


def smoothness(depth: Tensor, image: Tensor) -> Tensor:
    def along(axis: int) -> Tensor:
        return (depth.diff(dim=axis).abs() * torch.exp(-image.diff(dim=axis).abs().mean(1))).mean((1, 2))

    return along(-1) + along(-2)


def si_sdr(x: Tensor, y: Tensor) -> Tensor:
    """Le Roux et al., 2019, equation 2."""
    along = (x * y).sum(-1, keepdim=True) / (y**2).sum(-1, keepdim=True) * y
    return -10 * torch.log10((along**2).sum(-1) / ((x - along) ** 2).sum(-1))


def window(x: Tensor, weights: Tensor, spacing: int) -> Tensor:
    """Place by place; what is beyond the end has no weight."""
    places = [range(i, x.shape[1], spacing)[: len(weights)] for i in range(x.shape[1])]
    means = [(weights[: len(at)] * x[:, list(at)]).sum(1) / weights[: len(at)].sum() for at in places]
    return torch.stack(means, 1)


def covariance(x: Tensor, y: Tensor, weights: Tensor, spacing: int) -> Tensor:
    return window(x * y, weights, spacing) - window(x, weights, spacing) * window(y, weights, spacing)


def image_covariance(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    def blur(z: Tensor) -> Tensor:
        rows = torch.stack([window(each, weights, 1) for each in z])
        return torch.stack([window(each.T, weights, 1).T for each in rows])

    return blur(x * y) - blur(x) * blur(y)


def fits(expression: str) -> str:
    """The sum over the places where a window of two fits into an image."""
    return f"sum[h, w where h + 1 < size[h] and w + 1 < size[w]]({expression})"


def pictures() -> dict[str, np.ndarray]:
    """An image with detail of every size, and a noisy copy of it."""
    rng = np.random.default_rng(8)
    side = SIZES["vast"]
    image = np.add.outer(np.sin(np.arange(side) / 5), np.cos(np.arange(side) / 11)) / 4 + 0.5
    image = image[None] + 0.1 * rng.normal(size=(1, side, side))
    return {"x": image, "y": 0.9 * image + 0.05 * rng.normal(size=image.shape)}


CASES = [
    Case("windowed_mean", "x: real[n, i]; k: weight[l]", "windowed_mean[i, l](x, k, 2)", ("n", "i"),
         lambda x, k: window(x, k, 2)),
    Case("windowed_covariance", SOUNDS + "; k: weight[l]", "windowed_covariance[i, l](x, y, k, 2)", ("n", "i"),
         lambda x, y, k: covariance(x, y, k, 2)),
    Case("image_covariance", SMALL, "image_covariance[h, w, l](x, y, k)", ("n", "h", "w"), image_covariance),
    Case("luminance_similarity", SMALL.replace("[l]", "[s]"), fits("luminance_similarity[h, w, s](x, y, k, 2)"), N,
         lambda x, y, k: factors(x, y, k, 2)[0].sum(1)),
    Case("structure_similarity", SMALL.replace("[l]", "[s]"), fits("structure_similarity[h, w, s](x, y, k, 2)"), N,
         lambda x, y, k: factors(x, y, k, 2)[1].sum(1)),
    Case("window_fits", "x: real[n, h, w]; k: weight[s]", "sum[h, w where window_fits[h, w, s](k, 2)](x)", N,
         lambda x, k: x[:, :1, :2][:, ::2, ::2].sum((1, 2))),
    case("windowed_ssim", SMALL, "windowed_ssim[h, w, l](x, y, k, 2)", lambda x, y, k: ssim(x, y, k, 2)),
    case("ssim", PICTURES, "ssim[tall, broad](x, y)", lambda x, y: ssim(x, y, gaussian(1.5))),
    case("ssim_wide", PICTURES, "ssim[tall, broad](x, y, 255, 1e6)",
         lambda x, y: ssim(x, y, torch.ones(11, dtype=torch.float64), 255)),
    Case("ms_ssim", "x: real[one, vast, huge]; y: real[one, vast, huge]", "ms_ssim[vast, huge](x, y)", ("one",), ms_ssim,
         given=pictures()),
    case("psnr", "x: real[n, d]; y: real[n, d]", "psnr[d](x, y, 255)",
         lambda x, y: 10 * torch.log10(255**2 / ((x - y) ** 2).mean(-1))),
    case("edge_aware_smoothness", "x: real[n, h, w]; y: real[n, c, h, w]", "edge_aware_smoothness[h, w, c](x, y)", smoothness),
    case("snr", SOUNDS, "snr[i](x, y)", lambda x, y: -10 * torch.log10((y**2).sum(-1) / ((x - y) ** 2).sum(-1))),
    case("si_sdr", SOUNDS, "si_sdr[i](x, y)", si_sdr),
]  # fmt: skip

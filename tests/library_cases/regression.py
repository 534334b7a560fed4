"""Cases of `specs/library/regression.loss`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from parity import Case, case

from library_cases.peers import XY, D, F, metrics, optax, special, torch


def _barron(r: Any, shape: Any) -> Any:
    """Barron (2019), equation 8 and its limits."""
    if not torch.is_tensor(shape) and shape == 2:
        return r**2 / 2
    if not torch.is_tensor(shape) and shape == 0:
        return torch.log1p(r**2 / 2)
    b = abs(shape - 2)
    return b / shape * ((r**2 / b + 1) ** (shape / 2) - 1)


CASES = [
    case("squared_error", XY, "squared_error(x, y)", lambda x, y: F.mse_loss(x, y, reduction="none")),
    case("half_squared_error", XY, "half_squared_error(x, y)", optax.losses.l2_loss, library="jax"),
    case("absolute_error", XY, "absolute_error(x, y)", lambda x, y: F.l1_loss(x, y, reduction="none")),
    case("huber", XY, "huber(x, y, 0.7)", lambda x, y: F.huber_loss(x, y, delta=0.7, reduction="none")),
    case("huber_optax", XY, "huber(x, y, 1.3)", lambda x, y: optax.losses.huber_loss(x, y, delta=1.3), library="jax"),
    case("smooth_l1", XY, "smooth_l1(x, y, 0.6)", lambda x, y: F.smooth_l1_loss(x, y, beta=0.6, reduction="none")),
    case("log_cosh", XY, "log_cosh(x, y)", optax.losses.log_cosh, library="jax"),
    case(
        "quantile", XY, "quantile(x, y, 0.2)", library="numpy",
        reference=lambda x, y: [metrics.mean_pinball_loss([b], [a], alpha=0.2) for a, b in zip(x, y, strict=True)],
    ),
    case("pseudo_huber", XY, "pseudo_huber(x, y, 0.7)", lambda x, y: special.pseudo_huber(0.7, x - y),
         library="numpy"),
    case("charbonnier", XY, "charbonnier(x, y, 0.3)", lambda x, y: torch.hypot(x - y, torch.tensor(0.3).double())),
    case("cauchy", XY, "cauchy(x, y, 0.8)", lambda x, y: torch.log1p(((x - y) / 0.8) ** 2 / 2)),
    case("welsch", XY, "welsch(x, y, 0.8)", lambda x, y: -torch.expm1(-(((x - y) / 0.8) ** 2) / 2)),
    case("epsilon_insensitive", XY, "epsilon_insensitive(x, y, 0.4)", lambda x, y: F.relu((x - y).abs() - 0.4)),
    case(
        "squared_log_error", "x: positive[n]; y: weight[n]", "squared_log_error(x, y)", library="numpy",
        reference=lambda x, y: [metrics.mean_squared_log_error([b], [a]) for a, b in zip(x, y, strict=True)],
    ),
    case(
        "absolute_percentage_error", XY, "absolute_percentage_error(x, y)", library="numpy",
        reference=lambda x, y: [
            metrics.mean_absolute_percentage_error([b], [a]) for a, b in zip(x, y, strict=True)
        ],
    ),
    *[
        case(
            f"tweedie_{power}", "x: positive[n]; y: positive[n]", f"tweedie(x, y, {power})", library="numpy",
            reference=lambda x, y, power=power: [
                metrics.mean_tweedie_deviance([b], [a], power=power) for a, b in zip(x, y, strict=True)
            ],
        )
        for power in (-1, 0, 1, 1.5, 2, 3)
    ],
    case("poisson_nll", "x: real[n]; y: count[n]", "poisson_nll(x, y)",
         lambda x, y: F.poisson_nll_loss(x, y, reduction="none")),
    case("poisson_rate_nll", "x: positive[n]; y: count[n]", "poisson_rate_nll(x, y)",
         lambda x, y: F.poisson_nll_loss(x, y, log_input=False, eps=0, reduction="none")),
    case("gaussian_nll", "x: real[n]; v: positive[n]; y: real[n]", "gaussian_nll(x, v, y)",
         lambda x, v, y: F.gaussian_nll_loss(x, y, v, eps=0, reduction="none"), only=("x",)),
    case("gaussian_nll_variance", "x: real[n]; v: positive[n]; y: real[n]",
         "gaussian_nll(x, v, y) + log(2 * pi) / 2", lambda x, v, y: -D.Normal(x, v.sqrt()).log_prob(y)),
    case("laplace_nll", "x: real[n]; s: positive[n]; y: real[n]", "laplace_nll(x, s, y)",
         lambda x, s, y: -D.Laplace(x, s).log_prob(y)),
    case("student_t_nll", "x: real[n]; s: positive[n]; f: positive[n]; y: real[n]", "student_t_nll(x, s, f, y)",
         lambda x, s, f, y: -D.StudentT(f, x, s).log_prob(y)),
    case("cosine_distance", "x: embedding[n, d]; y: embedding[n, d]", "cosine_distance[d](x, y)",
         lambda x, y: optax.losses.cosine_distance(x, y), library="jax"),
    Case("huber_delta", "x: real[n]", "huber_delta[n](x)", (), lambda x: 1.345 * np.median(abs(x - np.median(x))) / 0.6745, library="numpy"),
    Case("pearson_distance", XY, "pearson_distance[n](x, y)", (), lambda x, y: 1 - torch.corrcoef(torch.stack([x, y]))[0, 1]),
    Case("r_squared", XY, "r_squared[n](x, y)", (), lambda x, y: metrics.r2_score(y, x), library="numpy"),
    case("expectile", XY, "expectile(x, y, 0.8)", lambda x, y: torch.where(y > x, 0.8, 0.2) * (y - x) ** 2),
    case("squared_epsilon_insensitive", XY, "squared_epsilon_insensitive(x, y, 0.4)",
         lambda x, y: F.relu((x - y).abs() - 0.4) ** 2),
    case("symmetric_percentage", XY, "symmetric_absolute_percentage_error(x, y)",
         lambda x, y: 2 * (x - y).abs() / (x.abs() + y.abs())),
    case("geman_mcclure", XY, "geman_mcclure(x, y, 0.8)", lambda x, y: 2 * ((x - y) / 0.8) ** 2 / (((x - y) / 0.8) ** 2 + 4)),
    case("tukey_biweight", XY, "tukey_biweight(x, y, 1.5)", lambda x, y: torch.where(
        (x - y).abs() <= 1.5, 0.375 * (1 - (1 - ((x - y) / 1.5) ** 2) ** 3), 0.375)),
    case("fair", XY, "fair(x, y, 0.8)", lambda x, y: 0.64 * ((x - y).abs() / 0.8 - torch.log1p((x - y).abs() / 0.8))),
    *[
        case(f"general_robust_{shape}", XY, f"general_robust(x, y, {shape}, 0.8)",
             lambda x, y, shape=shape: _barron((x - y) / 0.8, shape))
        for shape in (2, 1, 0, -2, 1.5, -3.5)
    ],
    case("general_robust_limit", XY, "general_robust(x, y, -inf, 0.8)",
         lambda x, y: -torch.expm1(-(((x - y) / 0.8) ** 2) / 2)),
    case("general_robust_shape", XY + "; a: positive[n]", "general_robust(x, y, a)", lambda x, y, a: _barron(x - y, a)),
    case("wing", XY, "wing(x, y, 1.5, 0.5)", lambda x, y: torch.where(
        (x - y).abs() < 1.5, 1.5 * torch.log1p((x - y).abs() / 0.5), (x - y).abs() - 1.5 + 1.5 * math.log(4.0))),
    case("poisson_deviance", "x: positive[n]; y: positive[n]", "poisson_deviance(x, y)", library="numpy",
         reference=lambda x, y: [metrics.mean_poisson_deviance([b], [a]) for a, b in zip(x, y, strict=True)]),
    case("gamma_deviance", "x: positive[n]; y: positive[n]", "gamma_deviance(x, y)", library="numpy",
         reference=lambda x, y: [metrics.mean_gamma_deviance([b], [a]) for a, b in zip(x, y, strict=True)]),
    case("expected_gaussian_nll", "x: real[n]; v: positive[n]; w: positive[n]; y: real[n]", "expected_gaussian_nll(x, v, w, y)",
         lambda x, v, w, y: _expectation(lambda f: F.gaussian_nll_loss(f, y, w, eps=0, reduction="none"), x, v)),
    case("beta_gaussian_nll", "x: real[n]; v: positive[n]; y: real[n]", "beta_gaussian_nll(x, v, y, 0.7)",
         lambda x, v, y: v.detach() ** 0.7 * (v.log() + (x - y) ** 2 / v) / 2),
    case("interval_score", "a: real[n]; w: positive[n]; y: real[n]", "interval_score(a, a + w, y, 0.8)",
         lambda a, w, y: w + 10 * (F.relu(a - y) + F.relu(y - a - w))),
    Case("scale_invariant_log", "x: positive[n, m]; y: positive[n, m]", "scale_invariant_log[m](x, y, 0.85)", ("n",),
         lambda x, y: ((x / y).log() ** 2).mean(1) - 0.85 * (x / y).log().mean(1) ** 2),
    case("quantile_huber", XY, "quantile_huber(x, y, 0.8, 0.7)",
         lambda x, y: torch.where(y < x, 0.2, 0.8) * F.huber_loss(x, y, delta=0.7, reduction="none") / 0.7),
    case("exact", "x: real[n]", "absolute_percentage_error(x, x) + charbonnier(x, x) + quantile(x, x, 0.3) + huber(x, x)",
         lambda x: 0 * x + 1e-3),
    case("at_the_kink", "x: real[n]", "huber(x + 1, x) + smooth_l1(x + 0.5, x, 0.5)", lambda x: 0 * x + 0.5 + 0.25),
    Case("concordance", XY, "concordance[n](x, y)", (), lambda x, y: 1 - 2 * ((x - x.mean()) * (y - y.mean())).mean()
         / (x.var(correction=0) + y.var(correction=0) + (x.mean() - y.mean()) ** 2)),
    Case("root_mean_squared_error", XY, "root_mean_squared_error[n](x, y)", (), lambda x, y: F.mse_loss(x, y).sqrt()),
    case("linex", XY, "linex(x, y, -0.7)", lambda x, y: torch.expm1(-0.7 * (x - y)) + 0.7 * (x - y)),
]  # fmt: skip


def _expectation(function: Callable[[Any], Any], mean: Any, variance: Any) -> Any:
    """Of a function of a normal number, by a quadrature that is exact for polynomials."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    return sum(
        w * function(mean + z * variance.sqrt()) for z, w in zip(nodes, weights / weights.sum(), strict=True)
    )

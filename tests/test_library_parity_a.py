"""The library against its peers: values and gradients in float64 on random inputs.

Covers regression, classification, probability and regularizers. A case names the inputs, an
expression of the language and what PyTorch, Optax, SciPy or scikit-learn compute for the same
arrays. Where conventions differ, the case says so by its own arithmetic, and docs/conventions.md in words.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import losslang

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")
metrics = pytest.importorskip("sklearn.metrics")
scipy_spatial = pytest.importorskip("scipy.spatial.distance")
scipy_special = pytest.importorskip("scipy.special")
scipy_stats = pytest.importorskip("scipy.stats")

from torch import distributions as D  # noqa: E402
from torch.nn import functional as F  # noqa: E402

SIZES = {"n": 7, "c": 4, "d": 3, "k": 3, "m": 5}
TOLERANCE = 1e-8
#: Kinds whose inputs are differentiated on both sides.
FLOATING = ("real", "positive", "logit", "prob", "logprob", "score", "embedding", "parameter")

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """``inputs``: declarations separated by semicolons; ``expression``: over n, or a scalar.

    ``peer`` takes the arrays by name (of ``library``) and gives one number for each n, or a scalar.
    ``only``: the inputs to differentiate, where the peer cannot differentiate all. A ``numpy`` peer gives none.
    """

    id: str
    inputs: str
    expression: str
    peer: Callable[..., Any]
    library: str = "torch"
    only: tuple[str, ...] = ()

    @property
    def declarations(self) -> list[tuple[str, str]]:
        pairs = (part.split(":", 1) for part in self.inputs.split(";"))
        return [(name.strip(), kind.strip()) for name, kind in pairs]


def _draw(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Random values of a kind written as ``name[axes] over axis``."""
    name, axes = re.match(r"(\w+)(?:\[([^\]]*)\])?", kind).groups()  # type: ignore[union-attr]
    names = [a.strip() for a in (axes or "").split(",") if a.strip()]
    shape = tuple(SIZES[a] for a in names)
    over = kind.split(" over ")[1].strip() if " over " in kind else None
    if name in ("prob", "logprob"):
        if over is None:
            p = rng.uniform(0.05, 0.95, shape)
        else:
            assert names[-1] == over, "the classes come last"
            p = rng.dirichlet(np.ones(SIZES[over]) * 2, shape[:-1])
        return np.log(p) if name == "logprob" else p
    draws: dict[str, Callable[[], np.ndarray]] = {
        "positive": lambda: np.exp(rng.normal(0.0, 0.7, shape)),
        "weight": lambda: rng.uniform(0.0, 2.0, shape),
        "binary": lambda: rng.integers(0, 2, shape).astype(float),
        "sign": lambda: rng.choice([-1.0, 1.0], shape),
        "count": lambda: rng.poisson(2.0, shape).astype(float),
        "label": lambda: rng.integers(
            0, SIZES[kind.split(" of ")[1].strip()] if " of " in kind else 2, shape
        ),
    }
    return draws.get(name, lambda: 1.5 * rng.normal(size=shape))()


def _bernoulli(p: Any) -> Any:
    return D.Bernoulli(probs=p)


def case(id: str, inputs: str, expression: str, peer: Callable[..., Any], **more: Any) -> Case:
    return Case(id, inputs, expression, peer, **more)


XY = "x: real[n]; y: real[n]"
LOGIT_SIGN = "x: logit[n]; y: sign[n]"
CLASSES = "x: logit[n, c] over c; y: label[n] of c"
TWO = "p: prob[n, c] over c; q: prob[n, c] over c"


def _hot(y: Any) -> Any:
    return F.one_hot(y, SIZES["c"]).double()


REGRESSION = [
    case("squared_error", XY, "squared_error(x, y)", lambda x, y: F.mse_loss(x, y, reduction="none")),
    case("half_squared_error", XY, "half_squared_error(x, y)", optax.losses.l2_loss, library="jax"),
    case("absolute_error", XY, "absolute_error(x, y)", lambda x, y: F.l1_loss(x, y, reduction="none")),
    case("huber", XY, "huber(x, y, 0.7)", lambda x, y: F.huber_loss(x, y, delta=0.7, reduction="none")),
    case("huber_optax", XY, "huber(x, y, 1.3)", lambda x, y: optax.losses.huber_loss(x, y, delta=1.3), library="jax"),
    case("smooth_l1", XY, "smooth_l1(x, y, 0.6)", lambda x, y: F.smooth_l1_loss(x, y, beta=0.6, reduction="none")),
    case("log_cosh", XY, "log_cosh(x, y)", optax.losses.log_cosh, library="jax"),
    case(
        "quantile", XY, "quantile(x, y, 0.2)", library="numpy",
        peer=lambda x, y: [metrics.mean_pinball_loss([b], [a], alpha=0.2) for a, b in zip(x, y, strict=True)],
    ),
    case("pseudo_huber", XY, "pseudo_huber(x, y, 0.7)", lambda x, y: scipy_special.pseudo_huber(0.7, x - y),
         library="numpy"),
    case("charbonnier", XY, "charbonnier(x, y, 0.3)", lambda x, y: torch.hypot(x - y, torch.tensor(0.3).double())),
    case("cauchy", XY, "cauchy(x, y, 0.8)", lambda x, y: torch.log1p(((x - y) / 0.8) ** 2 / 2)),
    case("welsch", XY, "welsch(x, y, 0.8)", lambda x, y: -torch.expm1(-(((x - y) / 0.8) ** 2) / 2)),
    case("epsilon_insensitive", XY, "epsilon_insensitive(x, y, 0.4)", lambda x, y: F.relu((x - y).abs() - 0.4)),
    case(
        "squared_log_error", "x: positive[n]; y: weight[n]", "squared_log_error(x, y)", library="numpy",
        peer=lambda x, y: [metrics.mean_squared_log_error([b], [a]) for a, b in zip(x, y, strict=True)],
    ),
    case(
        "absolute_percentage_error", XY, "absolute_percentage_error(x, y)", library="numpy",
        peer=lambda x, y: [
            metrics.mean_absolute_percentage_error([b], [a]) for a, b in zip(x, y, strict=True)
        ],
    ),
    *[
        case(
            f"tweedie_{power}", "x: positive[n]; y: positive[n]", f"tweedie(x, y, {power})", library="numpy",
            peer=lambda x, y, power=power: [
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
    case("cox", "x: real[n]; t: real[n]; e: binary[n]", "cox[n](x, t, e)", lambda x, t, e: _cox(x, t, e),
         only=("x",)),
    case("huber_delta", "x: real[n]", "huber_delta[n](x)", library="numpy",
         peer=lambda x: 1.345 * np.median(abs(x - np.median(x))) / 0.6745),
    case("pearson_distance", XY, "pearson_distance[n](x, y)", lambda x, y: 1 - torch.corrcoef(torch.stack([x, y]))[0, 1]),
    case("r_squared", XY, "r_squared[n](x, y)", lambda x, y: metrics.r2_score(y, x), library="numpy"),
]  # fmt: skip

CLASSIFICATION = [
    case("bce_logit", "x: logit[n]; y: binary[n]", "binary_cross_entropy(x, y)",
         lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none")),
    case("bce_soft", "x: logit[n]; y: prob[n]", "binary_cross_entropy(x, y)",
         lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none"), only=("x",)),
    case("bce_weight", "x: logit[n]; y: binary[n]", "binary_cross_entropy(x, y, 2.5)",
         lambda x, y: F.binary_cross_entropy_with_logits(
             x, y, pos_weight=torch.tensor(2.5).double(), reduction="none")),
    case("bce_prob", "x: prob[n]; y: binary[n]", "binary_cross_entropy(x, y)",
         lambda x, y: F.binary_cross_entropy(x, y, reduction="none")),
    case("bce_logprob", "x: logprob[n]; y: binary[n]", "binary_cross_entropy(x, y)",
         lambda x, y: F.binary_cross_entropy(x.exp(), y, reduction="none")),
    case("ce_logit", CLASSES, "cross_entropy(x, y)", lambda x, y: F.cross_entropy(x, y, reduction="none")),
    case("ce_smooth", CLASSES, "cross_entropy(x, y, 0.1)",
         lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1, reduction="none")),
    case("ce_prob", "x: prob[n, c] over c; y: label[n] of c", "cross_entropy(x, y)",
         lambda x, y: F.nll_loss(x.log(), y, reduction="none")),
    case("nll", "x: logprob[n, c] over c; y: label[n] of c", "negative_log_likelihood(x, y)",
         lambda x, y: F.nll_loss(x, y, reduction="none")),
    case("weighted_ce", CLASSES + "; w: weight[c]", "weighted_cross_entropy(x, y, w)",
         lambda x, y, w: F.cross_entropy(x, y, weight=w, reduction="none")),
    case("soft_ce", "x: logit[n, c] over c; y: prob[n, c] over c", "soft_cross_entropy(x, y)",
         lambda x, y: F.cross_entropy(x, y, reduction="none"), only=("x",)),
    case("soft_ce_optax", "x: logit[n, c] over c; y: prob[n, c] over c", "soft_cross_entropy(x, y)",
         optax.losses.softmax_cross_entropy, library="jax"),
    case("sigmoid_focal", "x: logit[n]; y: binary[n]", "sigmoid_focal(x, y, 1.5, 0.3)",
         lambda x, y: optax.losses.sigmoid_focal_loss(x, y, alpha=0.3, gamma=1.5), library="jax", only=("x",)),
    case("binary_focal", "x: logit[n]; y: binary[n]", "binary_focal(x, y)",
         lambda x, y: optax.losses.sigmoid_focal_loss(x, y), library="jax", only=("x",)),
    case("hinge", LOGIT_SIGN, "hinge(x, y)", optax.losses.hinge_loss, library="jax", only=("x",)),
    case("squared_hinge", LOGIT_SIGN, "squared_hinge(x, y)", lambda x, y: F.relu(1 - x * y) ** 2),
    case("perceptron", LOGIT_SIGN, "perceptron(x, y)", optax.losses.perceptron_loss, library="jax", only=("x",)),
    case("soft_margin", LOGIT_SIGN, "soft_margin(x, y)", lambda x, y: F.soft_margin_loss(x, y, reduction="none")),
    case("exponential", LOGIT_SIGN, "exponential(x, y)", lambda x, y: torch.exp(-x * y)),
    case("modified_huber", LOGIT_SIGN, "modified_huber(x, y)",
         lambda x, y: torch.where(x * y >= -1, F.relu(1 - x * y) ** 2, -4 * x * y)),
    case("binary_sparsemax", LOGIT_SIGN, "binary_sparsemax(x, y)",
         lambda x, y: optax.losses.sparsemax_loss(x, y > 0), library="jax", only=("x",)),
    case("hinge_embedding", "x: positive[n]; y: sign[n]", "hinge_embedding(x, y, 1.2)",
         lambda x, y: F.hinge_embedding_loss(x, y, margin=1.2, reduction="none")),
    case("multiclass_hinge", CLASSES, "multiclass_hinge(x, y)",
         lambda x, y: F.multi_margin_loss(x, y, reduction="none")),
    case("multiclass_hinge_squared", CLASSES, "multiclass_hinge(x, y, 0.8, 2)",
         lambda x, y: F.multi_margin_loss(x, y, p=2, margin=0.8, reduction="none")),
    case("crammer_singer", CLASSES, "crammer_singer(x, y)", optax.losses.multiclass_hinge_loss, library="jax"),
    case("multiclass_perceptron", CLASSES, "multiclass_perceptron(x, y)",
         optax.losses.multiclass_perceptron_loss, library="jax"),
    case("multilabel_soft_margin", "x: logit[n, c]; y: binary[n, c]", "multilabel_soft_margin[c](x, y)",
         lambda x, y: F.multilabel_soft_margin_loss(x, y, reduction="none")),
    case("multilabel_margin", "x: real[n, c]; y: binary[n, c]", "multilabel_margin[c](x, y)",
         lambda x, y: F.multilabel_margin_loss(x, _packed_labels(y), reduction="none")),
    case("poly", CLASSES, "poly_cross_entropy(x, y, 1.5)",
         lambda x, y: optax.losses.poly_loss_cross_entropy(x, jax.nn.one_hot(y, SIZES["c"]), epsilon=1.5),
         library="jax"),
    case("smooth_labels", "x: logit[n, c] over c; y: prob[n, c] over c", "soft_cross_entropy(x, smooth_labels(y, 0.2))",
         lambda x, y: optax.losses.softmax_cross_entropy(x, optax.losses.smooth_labels(y, 0.2)), library="jax"),
    case("sparsemax_loss", CLASSES, "sparsemax_loss(x, y)", optax.losses.multiclass_sparsemax_loss, library="jax"),
    case("focal", CLASSES, "focal(x, y, 2)",
         lambda x, y: (1 - x.softmax(-1).gather(-1, y[:, None])[:, 0]) ** 2 * F.cross_entropy(x, y, reduction="none")),
    case("brier", CLASSES, "brier(x, y)", lambda x, y: ((x.softmax(-1) - _hot(y)) ** 2).sum(-1)),
    case("asymmetric", "x: logit[n]; y: binary[n]", "asymmetric(x, y)", lambda x, y: _asymmetric(x, y)),
    case("ordinal", "x: logit[n, k]; y: count[n]", "ordinal[k](x, y)",
         lambda x, y: F.binary_cross_entropy_with_logits(
             x, (torch.arange(SIZES["k"]) < y[:, None]).double(), reduction="none").sum(-1)),
    case("logit_adjusted", CLASSES + "; p: prob[c] over c", "logit_adjusted_cross_entropy(x, y, p, 1.5)",
         lambda x, y, p: F.cross_entropy(x + 1.5 * p.log(), y, reduction="none")),
    case("one_versus_rest", "x: logit[n, c]; y: label[n] of c", "one_versus_rest(x, y)",
         lambda x, y: F.binary_cross_entropy_with_logits(x, _hot(y), reduction="none").sum(-1)),
]  # fmt: skip

LOCATION = "m: real[n]; s: positive[n]; x: real[n]"
DENSITIES = [
    case("normal", LOCATION, "nll(x ~ normal(m, s))", lambda m, s, x: -D.Normal(m, s).log_prob(x)),
    case("log_normal", "m: real[n]; s: positive[n]; x: positive[n]", "nll(x ~ log_normal(m, s))",
         lambda m, s, x: -D.LogNormal(m, s).log_prob(x)),
    case("half_normal", "s: positive[n]; x: positive[n]", "nll(x ~ half_normal(s))",
         lambda s, x: -D.HalfNormal(s).log_prob(x)),
    case("laplace", LOCATION, "nll(x ~ laplace(m, s))", lambda m, s, x: -D.Laplace(m, s).log_prob(x)),
    case("student_t", LOCATION + "; f: positive[n]", "nll(x ~ student_t(m, s, f))",
         lambda m, s, x, f: -D.StudentT(f, m, s).log_prob(x)),
    case("cauchy_dist", LOCATION, "nll(x ~ cauchy(m, s))", lambda m, s, x: -D.Cauchy(m, s).log_prob(x)),
    case("gumbel", LOCATION, "nll(x ~ gumbel(m, s))", lambda m, s, x: -D.Gumbel(m, s).log_prob(x)),
    case("logistic", LOCATION, "nll(x ~ logistic(m, s))",
         lambda m, s, x: (x - m) / s + s.log() + 2 * F.softplus(-(x - m) / s)),
    case("bernoulli", "p: prob[n]; x: binary[n]", "nll(x ~ bernoulli(p))", lambda p, x: -_bernoulli(p).log_prob(x)),
    case("categorical", CLASSES, "nll(y ~ categorical(x))", lambda x, y: -D.Categorical(logits=x).log_prob(y)),
    case("poisson", "r: positive[n]; x: count[n]", "nll(x ~ poisson(r))", lambda r, x: -D.Poisson(r).log_prob(x)),
    case("negative_binomial", "m: positive[n]; a: positive[n]; x: count[n]", "nll(x ~ negative_binomial(m, a))",
         lambda m, a, x: -D.NegativeBinomial(1 / a, logits=(m * a).log()).log_prob(x)),
    case("binomial", "p: prob[n]; x: binary[n]", "nll(x ~ binomial(5, p))",
         lambda p, x: -D.Binomial(5, p).log_prob(x)),
    case("geometric", "p: prob[n]; x: count[n]", "nll(x ~ geometric(p))", lambda p, x: -D.Geometric(p).log_prob(x)),
    case("multinomial", "p: prob[n, c] over c; x: count[n, c]", "nll(x ~ multinomial(p))",
         lambda p, x: -(torch.lgamma(x.sum(-1) + 1) - torch.lgamma(x + 1).sum(-1) + (x * p.log()).sum(-1))),
    case("exponential_dist", "r: positive[n]; x: positive[n]", "nll(x ~ exponential(r))",
         lambda r, x: -D.Exponential(r).log_prob(x)),
    case("gamma", "a: positive[n]; b: positive[n]; x: positive[n]", "nll(x ~ gamma(a, b))",
         lambda a, b, x: -D.Gamma(a, b).log_prob(x)),
    case("inverse_gamma", "a: positive[n]; b: positive[n]; x: positive[n]", "nll(x ~ inverse_gamma(a, b))",
         lambda a, b, x: -D.InverseGamma(a, b).log_prob(x)),
    case("chi_squared", "f: positive[n]; x: positive[n]", "nll(x ~ chi_squared(f))",
         lambda f, x: -D.Chi2(f).log_prob(x)),
    case("weibull", "k: positive[n]; s: positive[n]; x: positive[n]", "nll(x ~ weibull(k, s))",
         lambda k, s, x: -D.Weibull(s, k).log_prob(x)),
    case("pareto", "a: positive[n]; x: positive[n]", "nll(x + 1 ~ pareto(1, a))",
         lambda a, x: -D.Pareto(torch.ones(()).double(), a).log_prob(x + 1)),
    case("beta", "a: positive[n]; b: positive[n]; x: prob[n]", "nll(x ~ beta(a, b))",
         lambda a, b, x: -D.Beta(a, b).log_prob(x)),
    case("dirichlet", "a: positive[n, c]; x: prob[n, c] over c", "nll(x ~ dirichlet(a))",
         lambda a, x: -D.Dirichlet(a, validate_args=False).log_prob(x)),
    case("von_mises", LOCATION, "nll(x ~ von_mises(m, s))",
         lambda m, s, x: -scipy_stats.vonmises.logpdf(x, s, loc=m), library="numpy"),
    case("uniform", "m: real[n]; w: positive[n]; u: prob[n]", "nll(m + u * w ~ uniform(m, m + w))",
         lambda m, w, u: -D.Uniform(m, m + w).log_prob(m + u * w)),
    case("mixture", "w: logit[n, k] over k; m: real[n, k]; s: positive[n, k]; x: real[n]",
         "-logsumexp[k](log(softmax[k](w)) - nll(x ~ normal(m, s)))",
         lambda w, m, s, x: -D.MixtureSameFamily(D.Categorical(logits=w), D.Normal(m, s)).log_prob(x)),
]  # fmt: skip

FOUR = "a: positive[n]; b: positive[n]; e: positive[n]; f: positive[n]"
SHIFTED = "a: real[n]; b: positive[n]; e: real[n]; f: positive[n]"


def _closed(name: str, left: Any, right: Any, inputs: str) -> Case:
    """A registered pair of PyTorch's, both with two parameters in the same order as here."""
    first, _, second = name.partition("|")
    return case(f"kl_{first}_{second or first}", inputs, f"kl({first}(a, b), {second or first}(e, f))",
                lambda a, b, e, f: D.kl_divergence(left(a, b), right(e, f)))  # fmt: skip


DIVERGENCES = [
    _closed("normal", D.Normal, D.Normal, SHIFTED),
    _closed("log_normal", D.LogNormal, D.LogNormal, SHIFTED),
    _closed("laplace", D.Laplace, D.Laplace, SHIFTED),
    _closed("gumbel", D.Gumbel, D.Gumbel, SHIFTED),
    _closed("normal|laplace", D.Normal, D.Laplace, SHIFTED),
    _closed("laplace|normal", D.Laplace, D.Normal, SHIFTED),
    _closed("gamma", D.Gamma, D.Gamma, FOUR),
    _closed("beta", D.Beta, D.Beta, FOUR),
    case("kl_half_normal", "a: positive[n]; e: positive[n]", "kl(half_normal(a), half_normal(e))",
         lambda a, e: D.kl_divergence(D.HalfNormal(a), D.HalfNormal(e))),
    case("kl_bernoulli", "a: prob[n]; e: prob[n]", "kl(bernoulli(a), bernoulli(e))",
         lambda a, e: D.kl_divergence(_bernoulli(a), _bernoulli(e))),
    case("kl_geometric", "a: prob[n]; e: prob[n]", "kl(geometric(a), geometric(e))",
         lambda a, e: D.kl_divergence(D.Geometric(a), D.Geometric(e))),
    case("kl_poisson", "a: positive[n]; e: positive[n]", "kl(poisson(a), poisson(e))",
         lambda a, e: D.kl_divergence(D.Poisson(a), D.Poisson(e))),
    case("kl_exponential", "a: positive[n]; e: positive[n]", "kl(exponential(a), exponential(e))",
         lambda a, e: D.kl_divergence(D.Exponential(a), D.Exponential(e))),
    case("kl_exponential_gamma", "a: positive[n]; e: positive[n]; f: positive[n]", "kl(exponential(a), gamma(e, f))",
         lambda a, e, f: D.kl_divergence(D.Exponential(a), D.Gamma(e, f))),
    case("kl_gamma_exponential", "a: positive[n]; b: positive[n]; e: positive[n]", "kl(gamma(a, b), exponential(e))",
         lambda a, b, e: D.kl_divergence(D.Gamma(a, b), D.Exponential(e))),
    case("kl_chi_squared", "a: positive[n]; e: positive[n]", "kl(chi_squared(a), chi_squared(e))",
         lambda a, e: D.kl_divergence(D.Chi2(a), D.Chi2(e))),
    case("kl_pareto", "u: positive[n]; b: positive[n]; f: positive[n]", "kl(pareto(1 + u, b), pareto(1, f))",
         lambda u, b, f: D.kl_divergence(D.Pareto(1 + u, b), D.Pareto(torch.ones(()).double(), f))),
    case("kl_uniform", "m: real[n]; w: positive[n]", "kl(uniform(m, m + w), uniform(m - 1, m + w + 2))",
         lambda m, w: D.kl_divergence(D.Uniform(m, m + w), D.Uniform(m - 1, m + w + 2))),
    case("kl_dirichlet", "a: positive[n, c]; e: positive[n, c]", "kl(dirichlet[c](a), dirichlet[c](e))",
         lambda a, e: D.kl_divergence(D.Dirichlet(a), D.Dirichlet(e))),
    case("kl_categorical", "p: logit[n, c] over c; q: logit[n, c] over c", "kl(categorical(p), categorical(q))",
         lambda p, q: D.kl_divergence(D.Categorical(logits=p), D.Categorical(logits=q))),
    case("kl_divergence", TWO, "kl_divergence(p, q)",
         lambda p, q: F.kl_div(q.log(), p, reduction="none").sum(-1)),
    case("kl_optax", "p: prob[n, c] over c; q: logprob[n, c] over c", "kl_divergence(p, q)",
         lambda p, q: optax.losses.kl_divergence(q, p), library="jax"),
    case("reverse_kl", TWO, "reverse_kl(p, q)", lambda p, q: F.kl_div(p.log(), q, reduction="none").sum(-1)),
    case("generalized_kl", "p: positive[n, c]; q: positive[n, c]", "generalized_kl[c](p, q)",
         lambda p, q: optax.losses.generalized_kl_divergence(jax.numpy.log(q), p), library="jax"),
    case("js_divergence", TWO, "js_divergence(p, q)",
         lambda p, q: scipy_spatial.jensenshannon(p, q, axis=-1) ** 2, library="numpy"),
    case("gaussian_kl", "m: real[n, d]; v: real[n, d]", "gaussian_kl[d](m, v)",
         lambda m, v: D.kl_divergence(D.Normal(m, (v / 2).exp()), D.Normal(0.0, 1.0)).sum(-1)),
    case("entropy", "p: logit[n, c] over c", "entropy(p)", lambda p: D.Categorical(logits=p).entropy()),
    case("binary_entropy", "p: logit[n]", "binary_entropy(p)", lambda p: D.Bernoulli(logits=p).entropy()),
    case("wasserstein", TWO, "wasserstein(p, q)", library="numpy",
         peer=lambda p, q: [
             scipy_stats.wasserstein_distance(range(SIZES["c"]), range(SIZES["c"]), a, b)
             for a, b in zip(p, q, strict=True)
         ]),
    case("distillation", "x: logit[n, c] over c; t: logit[n, c] over c", "distillation(x, t, 3)",
         lambda x, t: 9 * F.kl_div((x / 3).log_softmax(-1), (t / 3).softmax(-1), reduction="none").sum(-1)),
    case("crps_ensemble", "x: real[n, m]; y: real[n]", "crps_ensemble[m](x, y)", library="numpy",
         peer=lambda x, y: abs(x - y[:, None]).mean(-1) - abs(x[:, :, None] - x[:, None]).mean((-1, -2)) / 2),
]  # fmt: skip

REGULARIZERS = [
    case("l1", "x: parameter[n, d]", "l1(x)", lambda x: torch.linalg.vector_norm(x, 1)),
    case("l2", "x: parameter[n, d]", "l2(x)", lambda x: torch.linalg.vector_norm(x) ** 2),
    case("elastic_net", "x: parameter[n, d]", "elastic_net(x, 0.3, 0.2)",
         lambda x: 0.3 * x.abs().sum() + 0.2 * (x**2).sum()),
    case("group_lasso", "x: parameter[n, d]", "group_lasso[d](x)", lambda x: torch.linalg.vector_norm(x, dim=-1)),
    case("orthogonality", "x: parameter[n, d]", "orthogonality[n, d](x)",
         lambda x: ((x.T @ x - torch.eye(SIZES["d"])) ** 2).sum()),
    case("total_variation", "x: real[n, d]", "total_variation(x)",
         lambda x: x.diff(dim=0).abs().sum() + x.diff(dim=1).abs().sum()),
    case("smoothness", "x: real[n, d]", "smoothness(x)",
         lambda x: (x.diff(dim=0) ** 2).sum() + (x.diff(dim=1) ** 2).sum()),
    case("z_loss", "x: logit[n, c] over c", "z_loss(x)", lambda x: x.logsumexp(-1) ** 2),
    case("load_balancing", "x: logit[n, c] over c", "load_balancing[n, c](x)",
         lambda x: SIZES["c"] * (_hot(x.argmax(-1)).mean(0) * x.softmax(-1).mean(0)).sum()),
    case("decorrelation", "x: real[n, d]", "decorrelation[n, d](x)", lambda x: _decorrelation(x)),
    case("temporal_activity", "x: real[n]", "temporal_activity[n](x)", lambda x: (x.diff() ** 2).mean()),
]  # fmt: skip

CASES = [*REGRESSION, *CLASSIFICATION, *DENSITIES, *DIVERGENCES, *REGULARIZERS]


def _packed_labels(y: Any) -> Any:
    """Torch's list of present labels, ended by -1."""
    rows = [[int(i) for i in row.nonzero()] for row in y]
    return torch.tensor([row + [-1] * (SIZES["c"] - len(row)) for row in rows])


def _asymmetric(x: Any, y: Any) -> Any:
    p, m = x.sigmoid(), (x.sigmoid() - 0.05).clamp(min=0)
    return torch.where(y == 1, -(1 - p) * p.log(), -(m**4) * (1 - m).log())


def _cox(x: Any, t: Any, e: Any) -> Any:
    at_risk = (t[None] >= t[:, None]).double().log()
    return e * ((x[None] + at_risk).logsumexp(-1) - x)


def _decorrelation(x: Any) -> Any:
    covariance = torch.cov(x.T, correction=0)
    return ((covariance**2).sum() - (covariance.diagonal() ** 2).sum()) / 2


def _compiled(test: Case, scalar: bool) -> Any:
    lines = [f"  input {name} : {kind}" for name, kind in test.declarations]
    if scalar:
        lines += [f"  minimize {test.expression}"]
    else:
        lines += ["  input each_weight : weight[n]", f"  minimize sum[n](each_weight * ({test.expression}))"]
    return losslang.compile("loss case\n" + "\n".join(lines), backend="numpy")


def _differentiated(test: Case) -> tuple[str, ...]:
    return test.only or tuple(name for name, kind in test.declarations if kind.startswith(FLOATING))


def _peer_gradients(test: Case, arrays: Arrays, weights: np.ndarray) -> tuple[float, Arrays, bool]:
    """The peer's value, its gradients by name (none for libraries that give none), and whether it is a scalar."""
    if test.library == "numpy":
        result = np.asarray(test.peer(**arrays))
        return float((weights * result).sum() if result.ndim else result), {}, result.ndim == 0
    names = _differentiated(test)
    if test.library == "torch":
        tensors = {k: torch.tensor(v, requires_grad=k in names) for k, v in arrays.items()}
        result = test.peer(**tensors)
        total = (torch.tensor(weights) * result).sum() if result.ndim else result
        gradients = torch.autograd.grad(total, [tensors[k] for k in names], materialize_grads=True)
        return (
            float(total.detach()),
            {k: g.numpy() for k, g in zip(names, gradients, strict=True)},
            result.ndim == 0,
        )

    def objective(chosen: Arrays) -> Any:
        result = test.peer(*{**arrays, **chosen}.values())
        return (weights * result).sum()

    value, gradients = jax.value_and_grad(objective)({k: jax.numpy.asarray(arrays[k]) for k in names})
    return float(value), {k: np.asarray(g) for k, g in gradients.items()}, False


@pytest.fixture(autouse=True)
def _double_precision() -> Any:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("test", CASES, ids=lambda test: test.id)
def test_parity(test: Case) -> None:
    _compare(test)


def test_a_wrong_constant_would_be_seen() -> None:
    """The comparison can fail: huber with another delta is not torch's huber."""
    peer = next(test.peer for test in CASES if test.id == "huber")
    with pytest.raises(AssertionError):
        _compare(case("huber_off", XY, "huber(x, y, 0.75)", peer))


def _compare(test: Case) -> None:
    rng = np.random.default_rng(zlib.crc32(test.id.encode()))
    arrays = {name: _draw(kind, rng) for name, kind in test.declarations}
    weights = rng.uniform(0.5, 2.0, SIZES["n"])
    expected, gradients, scalar = _peer_gradients(test, arrays, weights)
    fn = _compiled(test, scalar)
    given = arrays if scalar else {**arrays, "each_weight": weights}
    if not gradients:
        np.testing.assert_allclose(fn(**given).total, expected, rtol=TOLERANCE)
        return
    out, found = fn.value_and_grad(wrt=tuple(gradients))(**given)
    np.testing.assert_allclose(out.total, expected, rtol=TOLERANCE)
    for name, gradient in gradients.items():
        size = TOLERANCE * max(1.0, float(abs(gradient).max()))
        np.testing.assert_allclose(found[name], gradient, rtol=TOLERANCE, atol=size, err_msg=name)

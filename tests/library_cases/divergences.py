"""Cases of the divergences, scores and adversarial losses of `specs/library/probability.loss`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from parity import SIZES, Case, case, each

from library_cases.peers import CLASSES, PAIR, TWO, D, F, jax, optax, spatial, special, stats, torch

FOUR = "a: positive[n]; b: positive[n]; e: positive[n]; f: positive[n]"
SHIFTED = "a: real[n]; b: positive[n]; e: real[n]; f: positive[n]"


def _closed(name: str, left: Any, right: Any, inputs: str) -> Case:
    """A registered pair of PyTorch's, both with two parameters in the same order as here."""
    first, _, second = name.partition("|")
    return case(f"kl_{first}_{second or first}", inputs, f"kl({first}(a, b), {second or first}(e, f))",
                lambda a, b, e, f: D.kl_divergence(left(a, b), right(e, f)))  # fmt: skip


LOGITS = "p: logit[n, c] over c; q: logit[n, c] over c"
GAN = "a: logit[n]; b: logit[n]"


def _kl_weibull(k: Any, s: Any, k2: Any, s2: Any) -> Any:
    """E[log p - log q] with E log x = log s - γ / k and E x^a = s^a Γ(1 + a / k)."""
    mean_log = s.log() - np.euler_gamma / k
    first = k.log() - k * s.log() + (k - 1) * mean_log - 1
    second = k2.log() - k2 * s2.log() + (k2 - 1) * mean_log - (s / s2) ** k2 * torch.lgamma(1 + k2 / k).exp()
    return first - second


def _crps(m: Any, s: Any, y: Any) -> Any:
    """Gneiting and others (2005), equation 5."""
    z, unit = (y - m) / s, D.Normal(torch.zeros(()).double(), 1.0)
    return s * (z * (2 * unit.cdf(z) - 1) + 2 * unit.log_prob(z).exp() - math.pi**-0.5)


def _mmd(x: Any, y: Any, width: float) -> Any:
    def kernel(a: Any, b: Any) -> Any:
        return torch.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / (2 * width**2)).mean()

    return kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)


THREE = "a: positive[n]; b: positive[n]; e: positive[n]"


def _generalized_js(student: Any, teacher: Any, beta: float) -> Any:
    """Agarwal and others (2024), equation 1."""
    p, q = teacher.softmax(-1), student.softmax(-1)
    mixed = (beta * p + (1 - beta) * q).log()
    return (beta * p * (p.log() - mixed) + (1 - beta) * q * (q.log() - mixed)).sum(-1)


CASES = [
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
         lambda a, e: D.kl_divergence(D.Bernoulli(probs=a), D.Bernoulli(probs=e))),
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
    case("js_divergence", LOGITS, "js_divergence(p, q)", library="numpy", reference=lambda p, q: spatial.jensenshannon(
        special.softmax(p, axis=-1), special.softmax(q, axis=-1), axis=-1) ** 2),
    case("gaussian_kl", "m: real[n, d]; v: real[n, d]", "gaussian_kl[d](m, v)",
         lambda m, v: D.kl_divergence(D.Normal(m, (v / 2).exp()), D.Normal(0.0, 1.0)).sum(-1)),
    case("entropy", "p: logit[n, c] over c", "entropy(p)", lambda p: D.Categorical(logits=p).entropy()),
    case("binary_entropy", "p: logit[n]", "binary_entropy(p)", lambda p: D.Bernoulli(logits=p).entropy()),
    case("wasserstein", LOGITS, "wasserstein(p, q)", library="numpy", reference=each(lambda p, q: stats.wasserstein_distance(
        range(SIZES["c"]), range(SIZES["c"]), special.softmax(p), special.softmax(q)))),
    case("distillation", "x: logit[n, c] over c; t: logit[n, c] over c", "distillation(x, t, 3)",
         lambda x, t: 9 * F.kl_div((x / 3).log_softmax(-1), (t / 3).softmax(-1), reduction="none").sum(-1)),
    case("crps_ensemble", "x: real[n, m]; y: real[n]", "crps_ensemble[m](x, y)", library="numpy",
         reference=lambda x, y: abs(x - y[:, None]).mean(-1) - abs(x[:, :, None] - x[:, None]).mean((-1, -2)) / 2),
    case("kl_cauchy", SHIFTED, "kl(cauchy(a, b), cauchy(e, f))", lambda a, b, e, f: D.kl_divergence(
        D.Cauchy(a, b), D.Cauchy(e, f))),
    case("kl_inverse_gamma", FOUR, "kl(inverse_gamma(a, b), inverse_gamma(e, f))",
         lambda a, b, e, f: D.kl_divergence(D.Gamma(a, b), D.Gamma(e, f))),
    case("kl_weibull", FOUR, "kl(weibull(a, b), weibull(e, f))", lambda a, b, e, f: _kl_weibull(a, b, e, f)),
    case("kl_von_mises", SHIFTED, "kl(von_mises(a, b), von_mises(e, f))", library="numpy",
         reference=lambda a, b, e, f: np.log(special.i0(f) / special.i0(b))
         + special.i1(b) / special.i0(b) * (b - f * np.cos(a - e))),
    case("jeffreys", LOGITS, "jeffreys_divergence(p, q)", lambda p, q: (
        (p.softmax(-1) - q.softmax(-1)) * (p.log_softmax(-1) - q.log_softmax(-1))).sum(-1)),
    case("itakura_saito", "p: positive[n]; q: positive[n]", "itakura_saito(p, q)", lambda p, q: p / q - (p / q).log() - 1),
    case("renyi", LOGITS, "renyi_divergence(p, q, 0.7)",
         lambda p, q: ((p.softmax(-1) ** 0.7 * q.softmax(-1) ** 0.3).sum(-1)).log() / -0.3),
    case("renyi_order", LOGITS + "; a: positive[n]", "renyi_divergence(p, q, a)", lambda p, q, a: (
        (p.softmax(-1) ** a[:, None] * q.softmax(-1) ** (1 - a[:, None])).sum(-1)).log() / (a - 1)),
    case("squared_hellinger", LOGITS, "squared_hellinger(p, q)",
         lambda p, q: 1 - (p.softmax(-1) * q.softmax(-1)).sqrt().sum(-1)),
    case("total_variation_distance", LOGITS, "total_variation_distance(p, q)",
         lambda p, q: F.l1_loss(p.softmax(-1), q.softmax(-1), reduction="none").sum(-1) / 2),
    case("wasserstein_squared", LOGITS, "wasserstein(p, q, 2)",
         lambda p, q: ((p.softmax(-1) - q.softmax(-1)).cumsum(-1) ** 2).sum(-1)),
    case("ranked_probability_score", CLASSES, "ranked_probability_score(x, y)", lambda x, y: (
        (x.softmax(-1).cumsum(-1) - F.one_hot(y, SIZES["c"]).cumsum(-1)) ** 2).sum(-1)),
    case("crps_normal", "m: real[n]; s: positive[n]; y: real[n]", "crps_normal(m, s, y)", lambda m, s, y: _crps(m, s, y)),
    Case("maximum_mean_discrepancy", PAIR, "maximum_mean_discrepancy[n, d](u, v, 1.3)", (), lambda u, v: _mmd(u, v, 1.3)),
    case("free_bits", "m: real[n, d]; v: real[n, d]", "free_bits[d](m, v, 0.4)",
         lambda m, v: D.kl_divergence(D.Normal(m, (v / 2).exp()), D.Normal(0.0, 1.0)).clamp(min=0.4).sum(-1)),
    case("gan_discriminator", GAN, "gan_discriminator(a, b)", lambda a, b: F.binary_cross_entropy_with_logits(
        a, 0 * a + 1, reduction="none") + F.binary_cross_entropy_with_logits(b, 0 * b, reduction="none")),
    case("gan_generator", "b: logit[n]", "gan_generator(b)", lambda b: -F.logsigmoid(b)),
    case("least_squares_discriminator", "a: score[n]; b: score[n]", "least_squares_discriminator(a, b)",
         lambda a, b: ((a - 1) ** 2 + b**2) / 2),
    case("hinge_discriminator", GAN, "hinge_discriminator(a, b)", lambda a, b: F.relu(1 - a) + F.relu(1 + b)),
    case("wasserstein_critic", "a: score[n]; b: score[n]", "wasserstein_critic(a, b)", lambda a, b: b - a),
    case("wasserstein_generator", "b: score[n]", "wasserstein_generator(b)", lambda b: -b),
    case("certain_of_one", TWO, "kl_divergence(p, q) + entropy(p)", lambda p, q: -(p * q.log()).sum(-1),
         only=("q",), given={"p": np.eye(4)[[0, 3, 1, 1, 2]]}),
    _closed("gumbel|normal", D.Gumbel, D.Normal, SHIFTED),
    _closed("normal|gumbel", D.Normal, D.Gumbel, SHIFTED),
    _closed("gamma|normal", D.Gamma, D.Normal, FOUR),
    _closed("gamma|gumbel", D.Gamma, D.Gumbel, FOUR),
    _closed("beta|normal", D.Beta, D.Normal, FOUR),
    _closed("beta|gamma", D.Beta, D.Gamma, FOUR),
    case("kl_beta_exponential", THREE, "kl(beta(a, b), exponential(e))",
         lambda a, b, e: D.kl_divergence(D.Beta(a, b), D.Exponential(e))),
    case("kl_exponential_normal", THREE, "kl(exponential(a), normal(b, e))",
         lambda a, b, e: D.kl_divergence(D.Exponential(a), D.Normal(b, e))),
    case("kl_exponential_gumbel", THREE, "kl(exponential(a), gumbel(b, e))",
         lambda a, b, e: D.kl_divergence(D.Exponential(a), D.Gumbel(b, e))),
    case("kl_uniform_normal", FOUR, "kl(uniform(a, a + b), normal(e, f))",
         lambda a, b, e, f: D.kl_divergence(D.Uniform(a, a + b), D.Normal(e, f))),
    case("kl_uniform_exponential", THREE, "kl(uniform(a, a + b), exponential(e))",
         lambda a, b, e: D.kl_divergence(D.Uniform(a, a + b), D.Exponential(e))),
    case("kl_bernoulli_poisson", "a: prob[n]; e: positive[n]", "kl(bernoulli(a), poisson(e))",
         lambda a, e: D.kl_divergence(D.Bernoulli(probs=a), D.Poisson(e))),
    case("kl_binomial", "a: prob[n]; e: prob[n]", "kl(binomial(5, a), binomial(5, e))",
         lambda a, e: D.kl_divergence(D.Binomial(5, a), D.Binomial(5, e))),
    case("generalized_js", LOGITS, "generalized_js(p, q, 0.3)", lambda p, q: _generalized_js(p, q, 0.3)),
    case("vector_quantization", PAIR, "vector_quantization[d](u, v, 0.4)", lambda u, v: (
        (u.detach() - v) ** 2 + 0.4 * (u - v.detach()) ** 2).sum(-1)),
    case("least_squares_generator", "b: score[n]", "least_squares_generator(b)", lambda b: (b - 1) ** 2 / 2),
    case("relativistic_discriminator", "a: score[n]; b: score[n]", "relativistic_discriminator(a, b)",
         lambda a, b: -F.logsigmoid(a - b)),
    case("gradient_penalty", "x: real[n, d]", "gradient_penalty[d](x, 0.8)",
         lambda x: (torch.linalg.vector_norm(x, dim=-1) - 0.8) ** 2),
]  # fmt: skip

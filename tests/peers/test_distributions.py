"""NumPyro's log-densities and divergences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from peers.harness import Row, beside

jax = pytest.importorskip("jax")
numpyro = pytest.importorskip("numpyro.distributions")

REAL = "x: real[n]; a: real[n]; b: positive[n]"
POSITIVE = "x: positive[n]; a: positive[n]; b: positive[n]"
EVENT = "x: prob[n]; a: positive[n]; b: positive[n]"
N = ("n",)


def density(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *parameters: -make(*parameters).log_prob(x)


def nll(id: str, inputs: str, distribution: str, make: Callable[..., Any], **more: Any) -> Row:
    return Row(id, inputs, f"nll(x ~ {distribution})", density(make), N, library="jax", **more)


def kl(id: str, inputs: str, left: str, right: str, make: Callable[..., Any], **more: Any) -> Row:
    return Row(
        id,
        inputs,
        f"kl({left}, {right})",
        lambda *a: numpyro.kl_divergence(*make(*a)),
        N,
        library="jax",
        **more,
    )


FOUR = "a: positive[n]; b: positive[n]; c: positive[n]; d: positive[n]"
NORMALS = "a: real[n]; b: positive[n]; c: real[n]; d: positive[n]"

ROWS = [
    nll("Normal", REAL, "normal(a, b)", numpyro.Normal),
    nll("LogNormal", "x: positive[n]; a: real[n]; b: positive[n]", "log_normal(a, b)", numpyro.LogNormal),
    nll("Laplace", REAL, "laplace(a, b)", numpyro.Laplace),
    nll("Cauchy", REAL, "cauchy(a, b)", numpyro.Cauchy),
    nll("Logistic", REAL, "logistic(a, b)", numpyro.Logistic),
    nll("Gumbel", REAL, "gumbel(a, b)", numpyro.Gumbel),
    nll("StudentT", REAL + "; f: positive[n]", "student_t(a, b, f)", lambda a, b, f: numpyro.StudentT(f, a, b)),
    nll("Gamma", POSITIVE, "gamma(a, b)", numpyro.Gamma),
    nll("InverseGamma", POSITIVE, "inverse_gamma(a, b)", numpyro.InverseGamma),
    nll("Weibull", POSITIVE, "weibull(a, b)", lambda a, b: numpyro.Weibull(b, a)),
    nll("Exponential", "x: positive[n]; a: positive[n]", "exponential(a)", numpyro.Exponential),
    nll("HalfNormal", "x: positive[n]; a: positive[n]", "half_normal(a)", numpyro.HalfNormal),
    nll("HalfCauchy", "x: positive[n]; a: positive[n]", "half_cauchy(a)", numpyro.HalfCauchy),
    nll("Chi2", "x: positive[n]; a: positive[n]", "chi_squared(a)", numpyro.Chi2),
    nll("Beta", EVENT, "beta(a, b)", numpyro.Beta),
    nll("Kumaraswamy", EVENT, "kumaraswamy(a, b)", numpyro.Kumaraswamy),
    nll("AsymmetricLaplace", REAL + "; q: prob[n]", "asymmetric_laplace(a, b, q)",
        lambda a, b, q: numpyro.AsymmetricLaplaceQuantile(a, b / 1.0, q)),
    nll("VonMises", REAL, "von_mises(a, b)", numpyro.VonMises, tolerance=1e-6),
    nll("Poisson", "x: count[n]; a: positive[n]", "poisson(a)", numpyro.Poisson),
    nll("NegativeBinomial2", "x: count[n]; a: positive[n]; b: positive[n]", "negative_binomial(a, b)",
        lambda a, b: numpyro.NegativeBinomial2(a, 1 / b)),
    nll("Geometric", "x: count[n]; a: prob[n]", "geometric(a)", numpyro.GeometricProbs),
    nll("Geometric-logits", "x: count[n]; a: logit[n]", "geometric(a)", lambda a: numpyro.GeometricLogits(a)),
    nll("Bernoulli", "x: binary[n]; a: logit[n]", "bernoulli(a)", lambda a: numpyro.BernoulliLogits(a)),
    nll("Categorical", "x: label[n] of k; a: logit[n, k] over k", "categorical(a)",
        lambda a: numpyro.CategoricalLogits(a)),
    nll("Dirichlet", "x: prob[n, k] over k; a: positive[n, k]", "dirichlet[k](a)", numpyro.Dirichlet, only=("a",)),
    nll("BetaBinomial", "x: count[n]; m: count[n]; a: positive[n]; b: positive[n]", "beta_binomial(m, a, b)",
        lambda m, a, b: numpyro.BetaBinomial(a, b, m), given=lambda rng, sizes: {
            "m": (m := rng.integers(1, 9, sizes["n"])), "x": rng.integers(0, m + 1)}, tolerance=1e-5),  # its logarithm of the beta function has six digits
    nll("ZeroInflatedPoisson", "x: count[n]; a: positive[n]; q: prob[n]", "zero_inflated_poisson(a, q)",
        lambda a, q: numpyro.ZeroInflatedPoisson(q, a)),
    nll("Pareto", "x: positive[n]; a: positive[n]; b: positive[n]", "pareto(a, b)", numpyro.Pareto,
        given=lambda rng, sizes: {"a": (a := rng.uniform(0.5, 1, sizes["n"])), "x": a + rng.uniform(0.1, 1, sizes["n"])}),
    kl("kl-normal", NORMALS, "normal(a, b)", "normal(c, d)", lambda a, b, c, d: (numpyro.Normal(a, b), numpyro.Normal(c, d))),
    kl("kl-gamma", FOUR, "gamma(a, b)", "gamma(c, d)", lambda a, b, c, d: (numpyro.Gamma(a, b), numpyro.Gamma(c, d))),
    kl("kl-beta", FOUR, "beta(a, b)", "beta(c, d)", lambda a, b, c, d: (numpyro.Beta(a, b), numpyro.Beta(c, d))),
    kl("kl-dirichlet", "a: positive[n, k]; b: positive[n, k]", "dirichlet[k](a)", "dirichlet[k](b)",
       lambda a, b: (numpyro.Dirichlet(a), numpyro.Dirichlet(b))),
]  # fmt: skip

test_distributions = beside(ROWS)

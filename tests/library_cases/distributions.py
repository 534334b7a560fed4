"""Cases of the distributions of `specs/library/probability.loss`."""

from __future__ import annotations

from parity import case, each
from torch import Tensor

from library_cases.peers import CLASSES, D, F, stats, torch

LOCATION = "m: real[n]; s: positive[n]; x: real[n]"
CASES = [
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
    case("bernoulli", "p: prob[n]; x: binary[n]", "nll(x ~ bernoulli(p))", lambda p, x: -D.Bernoulli(probs=p).log_prob(x)),
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
         lambda m, s, x: -stats.vonmises.logpdf(x, s, loc=m), library="numpy"),
    case("uniform", "m: real[n]; w: positive[n]; u: prob[n]", "nll(m + u * w ~ uniform(m, m + w))",
         lambda m, w, u: -D.Uniform(m, m + w).log_prob(m + u * w)),
    case("mixture", "w: logit[n, k] over k; m: real[n, k]; s: positive[n, k]; x: real[n]",
         "-logsumexp[k](log(softmax[k](w)) - nll(x ~ normal(m, s)))",
         lambda w, m, s, x: -D.MixtureSameFamily(D.Categorical(logits=w), D.Normal(m, s)).log_prob(x)),
    case("asymmetric_laplace", LOCATION + "; q: prob[n]", "nll(x ~ asymmetric_laplace(m, s, q))", lambda m, s, x, q: -(
        (q * (1 - q) / s).log() - torch.maximum(q * (x - m), (q - 1) * (x - m)) / s)),
    case("zero_inflated_poisson", "r: positive[n]; q: prob[n]; x: count[n]", "nll(x ~ zero_inflated_poisson(r, q))",
         lambda r, q, x: -torch.where(x == 0, (q + (1 - q) * torch.exp(-r)).log(),
                                      (1 - q).log() + D.Poisson(r).log_prob(x)), given={"x": [0, 2, 0, 1, 5]}),
    case("half_cauchy", "s: positive[n]; x: positive[n]", "nll(x ~ half_cauchy(s))", lambda s, x: -D.HalfCauchy(s).log_prob(x)),
    case("inverse_gaussian", "m: positive[n]; s: positive[n]; x: positive[n]", "nll(x ~ inverse_gaussian(m, s))",
         lambda m, s, x: -stats.invgauss.logpdf(x, m / s, scale=s), library="numpy"),
    case("rayleigh", "s: positive[n]; x: positive[n]", "nll(x ~ rayleigh(s))",
         lambda s, x: -stats.rayleigh.logpdf(x, scale=s), library="numpy"),
    case("log_logistic", "s: positive[n]; k: positive[n]; x: positive[n]", "nll(x ~ log_logistic(s, k))",
         lambda s, k, x: -stats.fisk.logpdf(x, k, scale=s), library="numpy"),
    case("kumaraswamy", "a: positive[n]; b: positive[n]; x: prob[n]", "nll(x ~ kumaraswamy(a, b))",
         lambda a, b, x: -D.Kumaraswamy(a, b).log_prob(x)),
    case("logit_normal", "m: real[n]; s: positive[n]; x: prob[n]", "nll(x ~ logit_normal(m, s))",
         lambda m, s, x: -D.Normal(m, s).log_prob(torch.logit(x)) + (x * (1 - x)).log()),
    case("generalized_normal", LOCATION + "; q: positive[n]", "nll(x ~ generalized_normal(m, s, 1 + q))",
         lambda m, s, x, q: -stats.gennorm.logpdf(x, 1 + q, loc=m, scale=s), library="numpy"),
    case("beta_binomial", "a: positive[n]; b: positive[n]; x: binary[n]", "nll(x ~ beta_binomial(5, a, b))",
         lambda a, b, x: -stats.betabinom.logpmf(x, 5, a, b), library="numpy"),
    case("continuous_bernoulli", "p: prob[n]; x: prob[n]", "nll(x ~ continuous_bernoulli(p))",
         lambda p, x: -D.ContinuousBernoulli(p, lims=(0.4999, 0.5001)).log_prob(x)),
    case("continuous_bernoulli_logits", "p: logit[n]; x: prob[n]", "nll(x ~ continuous_bernoulli(p))",
         lambda p, x: -D.ContinuousBernoulli(logits=p, lims=(0.4999, 0.5001)).log_prob(x)),
    case("relaxed_bernoulli", "p: logit[n]; t: positive[n]; x: prob[n]", "nll(x ~ relaxed_bernoulli(p, t))",
         lambda p, t, x: -torch.stack([D.RelaxedBernoulli(t[i], logits=p[i]).log_prob(x[i]) for i in range(len(x))])),
    case("ordered_logistic", "m: real[n]; k: real[k]; y: count[n]", "nll(y ~ ordered_logistic[k](m, cumsum[k](exp(k))))",
         lambda m, k, y: _ordered(m, k.exp().cumsum(0), y), given={"y": [0, 1, 3, 2, 1]}),
    case("discretized_logistic", "m: real[n]; s: positive[n]; x: real[n]", "nll(x ~ discretized_logistic(m, s, 0.5, -1, 1))",
         lambda m, s, x: -torch.log(_beyond(x + 0.25, m, s, x < 1, 1.0) - _beyond(x - 0.25, m, s, x > -1, 0.0)),
         given={"x": [-1, 0.5, 1, 0, -0.5]}, only=("m", "s")),
    case("dirichlet_multinomial", "a: positive[n, c]; x: count[n, c]", "nll(x ~ dirichlet_multinomial[c](a))",
         each(lambda a, x: -stats.dirichlet_multinomial.logpmf(x.astype(int), a, int(x.sum()))), library="numpy"),
    case("zero_inflated_negative_binomial", "m: positive[n]; a: positive[n]; q: prob[n]; x: count[n]",
         "nll(x ~ zero_inflated_negative_binomial(m, a, q))", lambda m, a, q, x: -torch.log(
             q * (x == 0) + (1 - q) * D.NegativeBinomial(1 / a, logits=(m * a).log()).log_prob(x).exp()),
         given={"x": [0, 2, 0, 1, 5]}),
    case("skew_normal", LOCATION + "; a: real[n]", "nll(x ~ skew_normal(m, s, a))",
         lambda m, s, x, a: -stats.skewnorm.logpdf(x, a, loc=m, scale=s), library="numpy"),
    case("gompertz", "c: positive[n]; b: positive[n]; x: positive[n]", "nll(x ~ gompertz(c, b))",
         lambda c, b, x: -stats.gompertz.logpdf(x, c, scale=1 / b), library="numpy"),
    case("generalized_pareto", "s: positive[n]; c: real[n]; x: positive[n]", "nll(x ~ generalized_pareto(s, c / 10))",
         lambda s, c, x: -stats.genpareto.logpdf(x, c / 10, scale=s), library="numpy"),
    case("generalized_pareto_exponential", "s: positive[n]; x: positive[n]", "nll(x ~ generalized_pareto(s, 0))",
         lambda s, x: -D.Exponential(1 / s).log_prob(x)),
]  # fmt: skip


def _ordered(m: Tensor, cuts: Tensor, y: Tensor) -> Tensor:
    """McCullagh, 1980: the difference of two neighbouring cumulative chances."""
    below = torch.cat([torch.zeros(len(m), 1), torch.sigmoid(cuts - m[:, None]), torch.ones(len(m), 1)], 1)
    return -torch.log(below.diff(dim=1).gather(1, y.long()[:, None])[:, 0])


def _beyond(edge: Tensor, m: Tensor, s: Tensor, inside: Tensor, otherwise: float) -> Tensor:
    return torch.where(inside, torch.sigmoid((edge - m) / s), otherwise)

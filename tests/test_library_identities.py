"""One loss is another in disguise: values and gradients of both sides, on random inputs."""

from __future__ import annotations

import numpy as np
import pytest
from parity import Case, close

import losslang

LISTS = "u: embedding[n, d]; v: embedding[n, d]; w: embedding[n, j, d]"
TWO = "p: logit[n, c] over c; q: logit[n, c] over c"
IDENTITIES = {
    "InfoNCE is sampled softmax": (LISTS, "info_nce_negatives[j, d](u, v, w, 0.3)",
        "sampled_softmax[j](cosine[d](u, v), cosine[d](u, w), 0 * cosine[d](u, w), 0.3)"),
    "InfoNCE is cross-entropy": ("u: embedding[n, d]; v: embedding[n, d]", "info_nce[n, d](u, v, 0.3)",
        "cross_entropy[o](cosine[d](u, v[n -> o]) / 0.3 as logit over o, n as label of o)"),
    "BCE is cross-entropy of two classes": ("z: logit[n]; y: binary[n]", "binary_cross_entropy(z, y)",
        "cross_entropy([0 * z, z] along c as logit over c, (if y == 1 then 1 else 0) as label of c)"),
    "BCE is the logistic loss": ("z: logit[n]; y: sign[n]", "binary_cross_entropy(z, if y > 0 then 1 else 0)",
        "soft_margin(z, y)"),
    "H(p, q) = H(p) + KL": (TWO, "soft_cross_entropy(q, softmax[c](p))", "entropy(p) + kl_divergence(p, q)"),
    "cross-entropy is a likelihood": ("z: logit[n, c] over c; y: label[n] of c", "cross_entropy(z, y)",
        "nll(y ~ categorical(z))"),
    "BCE is a likelihood": ("z: logit[n]; y: binary[n]", "binary_cross_entropy(z, y)", "nll(y ~ bernoulli(z))"),
    "normal noise is squared error": ("x: real[n]; y: real[n]", "squared_error(x, y) / 2 + log(2 * pi) / 2",
        "nll(y ~ normal(x, 1))"),
    "Laplace noise is absolute error": ("x: real[n]; y: real[n]", "absolute_error(x, y) + log(2)",
        "nll(y ~ laplace(x, 1))"),
    "a normal prior is L2": ("x: parameter[n, d]", "0.5 * l2[d](x) / 4 + 3 * (log(2) + log(2 * pi) / 2)",
        "sum[d](nll(x ~ normal(0, 2)))"),
    "a Laplace prior is L1": ("x: parameter[n, d]", "l1[d](x) / 2 + 3 * log(4)", "sum[d](nll(x ~ laplace(0, 2)))"),
    "quantile at 1/2 is half the absolute error": ("x: real[n]; y: real[n]", "quantile(x, y, 0.5)",
        "absolute_error(x, y) / 2"),
    "expectile at 1/2 is half the squared error": ("x: real[n]; y: real[n]", "expectile(x, y, 0.5)",
        "half_squared_error(x, y)"),
    "a wide huber is half the squared error": ("x: real[n]; y: real[n]", "huber(x, y, 100)", "half_squared_error(x, y)"),
    "a narrow huber is the absolute error": ("x: real[n]; y: real[n]", "huber(x, y, 1e-13) / 1e-13", "absolute_error(x, y)"),
    "two classes make a sigmoid": ("z: real[n]; w: real[n]", "softmax[c]([w, z] along c)[c = 1]", "sigmoid(z - w)"),
    "focal without focus is cross-entropy": ("z: logit[n, c] over c; y: label[n] of c", "focal(z, y, 0)",
        "cross_entropy(z, y)"),
    "balanced focal without focus is half of BCE": ("z: logit[n]; y: binary[n]", "sigmoid_focal(z, y, 0, 0.5)",
        "binary_cross_entropy(z, y) / 2"),
    "BPR is Bradley-Terry": ("a: score[n]; b: score[n]", "bpr(a, b)", "bradley_terry(a, b)"),
    "DPO is BPR of implicit rewards": ("a: logprob[n]; b: logprob[n]; c: logprob[n]; d: logprob[n]",
        "dpo(a, b, c, d, 0.3)", "bpr(0.3 * (a - c), 0.3 * (b - d))"),
    "two listed items are a pair": ("a: score[n]; b: score[n]", "list_mle[i]([a, b] along i, [1, 0] along i)", "bpr(a, b)"),
    "dice is Tversky at 1/2": ("p: prob[n, d]; y: binary[n, d]", "dice[d](p, y, 2)", "tversky[d](p, y, 0.5, 0.5, 1)"),
    "jaccard is Tversky at 1": ("p: prob[n, d]; y: binary[n, d]", "jaccard[d](p, y)", "tversky[d](p, y, 1, 1, 1)"),
    "the KL of a VAE is that of normals": ("m: real[n, d]; v: real[n, d]", "gaussian_kl[d](m, v)",
        "sum[d](kl(normal(m, exp(v / 2)), normal(0, 1)))"),
    "alignment is twice the cosine's distance": ("u: embedding[n, d]; v: embedding[n, d]",
        "alignment[d](normalize[d](u), normalize[d](v))", "2 * cosine_distance[d](u, v)"),
    "GKD at 1/2 is Jensen-Shannon": (TWO, "generalized_js(p, q)", "js_divergence(p, q)"),
}  # fmt: skip


@pytest.mark.parametrize("name", IDENTITIES)
def test_both_sides_agree(name: str) -> None:
    inputs, left, right = IDENTITIES[name]
    sides = [Case(name, inputs, expression, ("n",), np.asarray) for expression in (left, right)]
    results = []
    for side in sides:
        wrt = side.differentiated
        results.append(losslang.compile(side.spec).value_and_grad(wrt=wrt)(**side.arrays))
    (first, slopes), (second, wanted) = results
    close(first.reports["rows"], second.reports["rows"], 1e-12)
    for key, slope in wanted.items():
        close(slopes[key], slope, 1e-10, key)
        assert np.abs(slope).max() > 0

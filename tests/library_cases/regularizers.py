"""Cases of `specs/library/regularizers.loss`."""

from __future__ import annotations

from typing import Any

import numpy as np
from parity import SIZES, Case, case

from library_cases.classification import one_hot
from library_cases.peers import D, F, torch

CASES = [
    Case("l1", "x: parameter[n, d]", "l1(x)", (), lambda x: torch.linalg.vector_norm(x, 1)),
    Case("l2", "x: parameter[n, d]", "l2(x)", (), lambda x: torch.linalg.vector_norm(x) ** 2),
    Case("elastic_net", "x: parameter[n, d]", "elastic_net(x, 0.3, 0.2)", (), lambda x: 0.3 * x.abs().sum() + 0.2 * (x**2).sum()),
    case("group_lasso", "x: parameter[n, d]", "group_lasso[d](x)", lambda x: torch.linalg.vector_norm(x, dim=-1)),
    Case("orthogonality", "x: parameter[n, d]", "orthogonality[n, d](x)", (), lambda x: ((x.T @ x - torch.eye(SIZES["d"])) ** 2).sum()),
    Case("total_variation", "x: real[n, d]", "total_variation(x)", (), lambda x: x.diff(dim=0).abs().sum() + x.diff(dim=1).abs().sum()),
    Case("smoothness", "x: real[n, d]", "smoothness(x)", (), lambda x: (x.diff(dim=0) ** 2).sum() + (x.diff(dim=1) ** 2).sum()),
    case("z_loss", "x: logit[n, c] over c", "z_loss(x)", lambda x: x.logsumexp(-1) ** 2),
    Case("load_balancing", "x: logit[n, c] over c", "load_balancing[n, c](x)", (), lambda x: SIZES["c"] * (one_hot(x.argmax(-1)).mean(0) * x.softmax(-1).mean(0)).sum()),
    Case("decorrelation", "x: real[n, d]", "decorrelation[n, d](x)", (), lambda x: _decorrelation(x)),
    Case("temporal_activity", "x: real[n]", "temporal_activity[n](x)", (), lambda x: (x.diff() ** 2).mean()),
    Case("l2_distance", "x: parameter[n, d]; y: parameter[n, d]", "l2_distance(x, y)", (),
         lambda x, y: F.mse_loss(x, y, reduction="sum")),
    Case("elastic_weight_consolidation", "x: parameter[n, d]; y: parameter[n, d]; w: weight[n, d]",
         "elastic_weight_consolidation(x, y, w)", (), lambda x, y, w: (w * (x - y) ** 2).sum() / 2),
    Case("hoyer", "x: parameter[n, d]", "hoyer(x)", (), lambda x: x.abs().sum() ** 2 / (x**2).sum()),
    Case("graph_smoothness", "x: real[n, d]; w: weight[n, m]", "graph_smoothness[n, m, d](x, w)", (),
         lambda x, w: torch.trace(x.T @ (torch.diag(w.sum(1) + w.sum(0)) / 2 - (w + w.T) / 2) @ x)),
    Case("confidence_penalty", "x: logit[n, c] over c", "confidence_penalty(x)", ("n",),
         lambda x: -D.Categorical(logits=x).entropy()),
    Case("importance_balancing", "x: logit[n, c] over c", "importance_balancing[n, c](softmax[c](x))", (),
         lambda x: x.softmax(-1).sum(0).var(correction=0) / x.softmax(-1).sum(0).mean() ** 2),
    Case("activity", "x: real[n, d]", "activity(x)", (), lambda x: (x**2).mean()),
    case("sparsity", "p: prob[n]", "sparsity(p, 0.1)", lambda p: D.kl_divergence(D.Bernoulli(probs=0 * p + 0.1), D.Bernoulli(probs=p))),
    Case("nonnegativity", "x: real[n, d]", "nonnegativity(x)", (), lambda x: (F.relu(-x) ** 2).sum()),
    case("max_norm", "x: real[n, d]", "max_norm[d](x, 1.2)", lambda x: F.relu(torch.linalg.vector_norm(x, dim=-1) - 1.2) ** 2),
    case("minimax_concave", "x: real[n]", "minimax_concave(x, 0.5, 2)", lambda x: torch.where(
        x.abs() <= 1, 0.5 * x.abs() - x**2 / 4, 0.25)),
    case("zero_vectors", "x: parameter[n, d]", "group_lasso[d](x) + max_norm[d](x)", lambda x: 0 * x.sum(-1),
         given={"x": np.zeros((5, 3))}),
]  # fmt: skip


def _decorrelation(x: Any) -> Any:
    covariance = torch.cov(x.T, correction=0)
    return ((covariance**2).sum() - (covariance.diagonal() ** 2).sum()) / 2

"""Cases of `specs/library/survival.loss`."""

from __future__ import annotations

from typing import Any

import torch
from parity import case
from torch import Tensor

from library_cases.peers import D, stats
from library_cases.rows import rows, total

INTERVALS = "x: logit[n, c] over c; y: label[n] of c; e: binary[n]"
TIMES = "a: positive[n]; b: positive[n]; t: positive[n]; e: binary[n]"


def cox(x: Tensor, t: Tensor, e: Tensor) -> Tensor:
    at_risk = (t[None] >= t[:, None]).double().log()
    return e * ((x[None] + at_risk).logsumexp(-1) - x)


def discrete_hazard(x: Tensor, y: Tensor, e: Tensor) -> Tensor:
    """Gensheimer and Narasimhan, 2019: survive the earlier intervals, then strike or not."""
    h = torch.sigmoid(x)

    def row(i: int) -> Tensor:
        survived = total(torch.log(1 - h[i, k]) for k in range(y[i]))
        return -survived - torch.log(h[i, y[i]] if e[i] else 1 - h[i, y[i]])

    return rows(len(y), row)


def discrete_survival(x: Tensor, y: Tensor, e: Tensor) -> Tensor:
    p = torch.softmax(x, -1)
    return rows(len(y), lambda i: -torch.log(p[i, y[i]] if e[i] else p[i, y[i] + 1 :].sum()))


def survival_ranking(x: Tensor, y: Tensor, e: Tensor) -> Tensor:
    """Lee et al., 2018, equation 6, for one kind of event."""
    by = torch.softmax(x, -1).cumsum(-1)

    def row(i: int) -> Tensor:
        later = [j for j in range(len(y)) if e[i] and y[j] > y[i]]
        return total(torch.exp(-(by[i, y[i]] - by[j, y[i]]) / 0.5) for j in later)

    return rows(len(y), row)


def censored(density: Any, survives: Any) -> Any:
    return lambda *a: torch.where(a[-1] == 1, density(*a[:-1]), survives(*a[:-1]))


def log_normal(m: Any, s: Any, t: Any, e: Any) -> Any:
    known, unknown = stats.lognorm.logpdf(t, s, scale=torch.e**m), stats.lognorm.logsf(t, s, scale=torch.e**m)
    return -(e * known + (1 - e) * unknown)


def tobit(m: Any, s: Any, y: Any) -> Any:
    seen = y > 0.25
    return -(seen * stats.norm.logpdf(y, m, s) + ~seen * stats.norm.logcdf(0.25, m, s))


CASES = [
    case("cox", "x: real[n]; t: real[n]; e: binary[n]", "cox[n](x, t, e)", cox, only=("x",)),
    case("discrete_hazard", "x: logit[n, c]; y: label[n] of c; e: binary[n]", "discrete_hazard[c](x, y, e)", discrete_hazard),
    case("discrete_survival", INTERVALS, "discrete_survival(x, y, e)", discrete_survival,
         given={"y": [0, 1, 3, 2, 0], "e": [1, 0, 1, 0, 0]}),
    case("survival_ranking", INTERVALS, "survival_ranking[n, c](x, y, e, 0.5)", survival_ranking,
         given={"y": [0, 1, 3, 2, 0], "e": [1, 0, 1, 1, 1]}),
    case("weibull_survival", TIMES, "weibull_survival(a, b, t, e)", censored(
        lambda a, b, t: -D.Weibull(b, a).log_prob(t), lambda a, b, t: (t / b) ** a)),
    case("log_normal_survival", TIMES.replace("a: positive", "a: real"), "log_normal_survival(a, b, t, e)", log_normal,
         library="numpy"),
    case("log_logistic_survival", TIMES, "log_logistic_survival(a, b, t, e)", censored(
        lambda a, b, t: -torch.log((b / a) * (t / a) ** (b - 1) / (1 + (t / a) ** b) ** 2),
        lambda a, b, t: torch.log(1 + (t / a) ** b))),
    case("tobit", "m: real[n]; s: positive[n]; y: real[n]", "tobit(m, s, y, 0.25)", tobit, library="numpy",
         given={"y": [0.25, 1.5, 0.25, 0.7, 0.25]}, only=("m", "s")),
]  # fmt: skip

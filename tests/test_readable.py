"""The gradients that ``losslang explain`` prints are the gradients, and are short."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from backend_runs import run

from losslang import model as m
from losslang.cli.gradients import derivatives, gradients, sample
from losslang.differentiate import gradient
from losslang.lowered import LoweredInput
from losslang.parse import library
from losslang.rewrite import finish, rewrite


def entries() -> Iterator[m.Def | m.Dist]:
    for _, file in library.all_files():
        yield from (s for s in file.statements if isinstance(s, m.Def | m.Dist))


def drawn(given: LoweredInput, rng: np.random.Generator) -> np.ndarray:
    """Four values along every axis, of the kind."""
    leaf, kind = given.leaves[0].node, given.kind
    axes = leaf.attr[1]
    shape = (4,) * len(axes)
    if leaf.elem != "real":
        return rng.integers(0, 4 if leaf.elem == "int" else 2, shape)
    if kind.name == "prob":
        p = rng.uniform(0.1, 0.9, shape)
        return p / p.sum(axes.index(kind.over), keepdims=True) if kind.over else p
    kinds = {
        "positive": lambda: np.exp(rng.normal(size=shape) / 2),
        "logprob": lambda: -np.exp(rng.normal(size=shape) / 2),
        "binary": lambda: rng.integers(0, 2, shape),
        "sign": lambda: rng.choice([-1, 1], shape),
        "count": lambda: rng.integers(1, 4, shape),
    }
    kinds["weight"] = kinds["positive"]
    return np.asarray(kinds.get(kind.name, lambda: rng.normal(size=shape))(), float)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: f"{type(entry).__name__} {entry.name}")
def test_what_is_printed_is_the_gradient(entry: m.Def | m.Dist) -> None:
    lowered = sample(entry)
    shown = derivatives(entry, lowered)
    if not shown:
        return
    inputs = {given.name: given for given in lowered.inputs}
    nodes = [inputs[name].leaves[0].node for name in shown]
    true = rewrite(gradient(rewrite([lowered.reports[0].node])[0], nodes))
    rng = np.random.default_rng(3)
    arrays = {given.leaves[0].node.attr[0]: drawn(given, rng) for given in lowered.inputs}
    with np.errstate(all="ignore"):
        found, wanted = (run("numpy", finish(roots), arrays) for roots in (list(shown.values()), true))
    for name, value, expected in zip(shown, found, wanted, strict=True):
        value = np.broadcast_to(value, expected.shape)
        np.testing.assert_allclose(value, expected, rtol=1e-7, atol=1e-9, err_msg=name)


@pytest.mark.parametrize(
    ("name", "argument", "expected"),
    [
        ("squared_error", "target", "−∂/∂prediction"),
        ("normal", "scale", "(mean − x)² / scale³ − 1 / scale"),
        ("cross_entropy", "p", "softmax_c(p) + {smoothing − 1 if c = y; else 0} − smoothing / |c|"),
        ("entropy", "p", "softmax_c(p)·(Σ_c p·softmax_c(p) − p)"),
        ("kl_divergence", "p", "softmax_c(p)·(p − Σ_c softmax_c(p)·(p − q) − q)"),
        ("kl_divergence", "q", "softmax_c(q) − softmax_c(p)"),
        ("softmax_ranking", "scores", "(Σ_i relevance)·softmax_i(scores) − relevance"),
        ("beta_binomial", "a", "{ψ(a + b) + ψ(a + x) − ψ(a) − ψ(total + a + b) if x ≤ total; else 0}"),
        ("center", "z", "z − centers[c = y]"),
        ("modified_huber", "score", "{−(4·y) if −1 > score·y; −(2·y·max(0, 1 − score·y)) if 0 < 1 − score·y; else 0}"),
        ("group_lasso", "x", "x / ‖x‖_d"),
        ("dice", "y", "{(smooth + 2·(Σ_region y·σ(p))) / a² − 2·σ(p) / a if 0 < a; else 0}  where a = smooth + Σ_region σ(p) + Σ_region y"),
    ],
)  # fmt: skip
def test_as_a_textbook_has_it(name: str, argument: str, expected: str) -> None:
    entry = library.definition(name) or library.distribution(name)
    assert entry is not None
    assert gradients(entry)[argument] == expected

"""Sums over paths of states through time, and the library's losses made of them, against enumeration."""

from __future__ import annotations

import importlib.util
import itertools
from typing import Any

import numpy as np
import pytest
from placing import DEVICE, on_host

import losslang

BACKENDS = [b for b in ("numpy", "torch", "jax") if importlib.util.find_spec(b)]
INF = float("inf")
RNG = np.random.default_rng(11)

CHAIN = """
loss chain
input start : real[n, s]
input steps : real[n, t, i, s]
input kept : mask[n, t]
minimize sum[n where any[s](total > -inf)](logsumexp[s](total))
let total = log_chain[t, i, s where kept](start, steps)[t = size[t] - 1]
"""
CTC = """
loss alignment
input z : logit[n, t, c] over c
input y : label[n, s] of c
input frames : count[n]
input labels : count[n]
report each = ctc[t, c, s](log_softmax[c](z), y, frames, labels)
minimize sum[n where each < inf](each)
"""
CRF = """
loss tagging
input e : real[n, t, c]
input moves : parameter[d, c]
input y : label[n, t] of c ignoring -1
minimize sum[n](crf[t, c, d](e, moves, y))
"""
TRANSDUCER = """
loss alignment
input z : logit[n, t, u, c] over c
input y : label[n, u] of c
input frames : count[n]
input labels : count[n]
minimize sum[n](transducer[t, u, c](log_softmax[c](z), y, frames, labels))
"""


def slopes(text: str, backend: str, inputs: dict[str, Any], wrt: list[str]) -> tuple[Any, dict[str, Any]]:
    """The output and gradients, in float64, as NumPy arrays."""
    loss = losslang.compile(text, backend=backend)
    if backend == "torch":
        import torch

        given = {k: torch.as_tensor(v) for k, v in inputs.items()}
    elif backend == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
        given = {k: jax.numpy.asarray(v) for k, v in inputs.items()}
    else:
        given = inputs
    output, gradients = loss.value_and_grad(wrt)(**given)
    return output, {k: on_host(g) for k, g in gradients.items()}


def logsumexp(values: Any) -> float:
    return float(np.logaddexp.reduce(np.asarray(list(values), dtype=float)))


def differences(function: Any, x: np.ndarray) -> np.ndarray:
    """Central differences at every finite place; 0 elsewhere."""
    out = np.zeros_like(x)
    for place in zip(*np.nonzero(np.isfinite(x)), strict=True):
        there = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * 1e-5
            there.append(function(moved))
        out[place] = (there[0] - there[1]) / 2e-5
    return out


def chains(start: np.ndarray, steps: np.ndarray, kept: np.ndarray) -> float:
    total = 0.0
    for n in range(len(start)):
        times = np.flatnonzero(kept[n])
        ways = []
        for path in itertools.product(range(start.shape[1]), repeat=len(times) + 1):
            parts = [steps[n, t, path[k], path[k + 1]] for k, t in enumerate(times)]
            ways.append(start[n, path[0]] + sum(parts))
        value = logsumexp(ways)
        total += value if value > -INF else 0.0
    return total


@pytest.mark.parametrize("backend", BACKENDS)
def test_chains_against_enumeration(backend: str) -> None:
    start, steps = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 4, 3, 3))
    kept = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=bool)
    start[0, 1] = -INF
    steps[0, 1, :, 2] = -INF
    steps[1, 2, 0, 0] = -INF
    steps[3, 2] = -INF
    dirty = np.where(kept[:, :, None, None], steps, np.nan)
    output, found = slopes(CHAIN, backend, {"start": start, "steps": dirty, "kept": kept}, ["start", "steps"])
    assert float(output.total) == pytest.approx(chains(start, steps, kept), abs=1e-12)
    np.testing.assert_allclose(
        found["start"], differences(lambda x: chains(x, steps, kept), start), atol=1e-8
    )
    np.testing.assert_allclose(
        found["steps"], differences(lambda x: chains(start, x, kept), steps), atol=1e-8
    )
    assert not found["start"][3].any() and not found["steps"][3].any()


def alignments(z: np.ndarray, target: list[int]) -> float:
    logs = z - np.logaddexp.reduce(z, axis=-1, keepdims=True)
    ways = [-INF]
    for path in itertools.product(range(z.shape[1]), repeat=len(z)):
        merged = [k for k, _ in itertools.groupby(path)]
        if [k for k in merged if k != 0] == target:
            ways.append(sum(logs[t, k] for t, k in enumerate(path)))
    return -logsumexp(ways)


FRAMES = np.array([5, 5, 3, 4, 1, 2, 0])
LABELS = np.array([3, 2, 2, 0, 1, 2, 0])
TARGETS = np.array([[1, 1, 2], [1, 2, 9], [2, 1, -4], [7, 7, 7], [2, 9, 9], [1, 1, 9], [5, 5, 5]])


@pytest.mark.parametrize("backend", BACKENDS)
def test_ctc_against_enumeration(backend: str) -> None:
    z = RNG.normal(size=(7, 5, 3))
    clean = z.copy()
    for n, frames in enumerate(FRAMES):
        z[n, frames:] = np.nan
    output, found = slopes(CTC, backend, {"z": z, "y": TARGETS, "frames": FRAMES, "labels": LABELS}, ["z"])

    def cost(n: int, row: np.ndarray) -> float:
        return alignments(row[: FRAMES[n]], list(TARGETS[n, : LABELS[n]]))

    wanted = [cost(n, clean[n]) for n in range(7)]
    assert wanted[5] == INF and wanted[6] == 0.0
    np.testing.assert_allclose(on_host(output.reports["each"]), wanted, atol=1e-10)
    assert np.isfinite(found["z"]).all()
    for n in range(7):
        want = 0.0 if n == 5 else differences(lambda row, n=n: cost(n, row), clean[n])
        np.testing.assert_allclose(found["z"][n], want, atol=1e-8)


@pytest.mark.parametrize("backend", BACKENDS)
def test_ctc_against_torch(backend: str) -> None:
    torch = pytest.importorskip("torch")
    z = RNG.normal(size=(6, 12, 5)) * 3
    y = RNG.integers(1, 5, (6, 4))
    frames, labels = np.array([12, 9, 10, 8, 11, 7]), np.array([4, 4, 3, 2, 1, 0])
    y[0] = 3
    x = torch.tensor(z, requires_grad=True)
    logs = torch.log_softmax(x, -1).transpose(0, 1)
    lengths = torch.tensor(frames), torch.tensor(labels)
    reference = torch.nn.functional.ctc_loss(logs, torch.tensor(y), *lengths, reduction="none")
    (slope,) = torch.autograd.grad(reference.sum(), x)
    output, found = slopes(CTC, backend, {"z": z, "y": y, "frames": frames, "labels": labels}, ["z"])
    np.testing.assert_allclose(on_host(output.reports["each"]), on_host(reference), rtol=0, atol=1e-8)
    np.testing.assert_allclose(found["z"], on_host(slope), rtol=0, atol=1e-8)


def test_ctc_of_many_frames_in_float32() -> None:
    torch = pytest.importorskip("torch")
    z = torch.randn(2, 300, 6, generator=torch.Generator(DEVICE).manual_seed(3)) * 30
    y, frames, labels = (
        torch.tensor([[1, 2, 2, 4], [3, 3, 3, 5]]),
        torch.tensor([300, 250]),
        torch.tensor([4, 3]),
    )
    loss = losslang.compile(CTC, backend="torch")
    results = [loss.value_and_grad("z")(z=x, y=y, frames=frames, labels=labels) for x in (z, z.double())]
    assert float(results[0][0].total) == pytest.approx(float(results[1][0].total), rel=1e-6)
    assert torch.isfinite(results[0][1]["z"]).all()
    np.testing.assert_allclose(on_host(results[0][1]["z"]), on_host(results[1][1]["z"]), atol=2e-2)


def tagging(e: np.ndarray, moves: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for n in range(len(e)):
        real = range(int((y[n] >= 0).sum()))

        def score(path: Any, n: int = n, real: range = real) -> float:
            first = sum(e[n, t, path[t]] for t in real)
            return float(first + sum(moves[path[t - 1], path[t]] for t in real if t))

        total += logsumexp(map(score, itertools.product(range(e.shape[2]), repeat=len(real)))) - score(y[n])
    return total


@pytest.mark.parametrize("backend", BACKENDS)
def test_crf_against_enumeration(backend: str) -> None:
    e, moves = RNG.normal(size=(3, 4, 3)), RNG.normal(size=(3, 3))
    y = np.array([[0, 1, 2, 1], [2, 2, -1, -1], [1, -1, -1, -1]])
    dirty = np.where((y >= 0)[:, :, None], e, np.nan)
    output, found = slopes(CRF, backend, {"e": dirty, "moves": moves, "y": y}, ["e", "moves"])
    assert float(output.total) == pytest.approx(tagging(e, moves, y), abs=1e-12)
    np.testing.assert_allclose(found["e"], differences(lambda x: tagging(x, moves, y), e), atol=1e-8)
    np.testing.assert_allclose(found["moves"], differences(lambda x: tagging(e, x, y), moves), atol=1e-8)


def emissions(z: np.ndarray, target: list[int]) -> float:
    """Every order of the target's labels and the blanks that leave each frame."""
    logs = z - np.logaddexp.reduce(z, axis=-1, keepdims=True)
    ways = []
    for when in itertools.combinations_with_replacement(range(len(z)), len(target)):
        said = sum(logs[t, u, target[u]] for u, t in enumerate(when))
        ways.append(said + sum(logs[t, sum(w <= t for w in when), 0] for t in range(len(z))))
    return -logsumexp(ways)


@pytest.mark.parametrize("backend", BACKENDS)
def test_transducer_against_enumeration(backend: str) -> None:
    z = RNG.normal(size=(3, 4, 3, 3))
    y = np.array([[1, 2, 9], [2, 9, 9], [9, 9, 9]])
    frames, labels = np.array([4, 3, 1]), np.array([2, 1, 0])
    clean = z.copy()
    for n in range(3):
        z[n, frames[n] :] = np.nan
        z[n, :, labels[n] + 1 :] = np.nan

    def cost(x: np.ndarray) -> float:
        return sum(emissions(x[n, : frames[n]], list(y[n, : labels[n]])) for n in range(3))

    output, found = slopes(TRANSDUCER, backend, {"z": z, "y": y, "frames": frames, "labels": labels}, ["z"])
    assert float(output.total) == pytest.approx(cost(clean), abs=1e-12)
    np.testing.assert_allclose(found["z"], differences(cost, clean), atol=1e-8)


@pytest.mark.skipif("torch" not in BACKENDS, reason="needs PyTorch")
def test_second_derivatives() -> None:
    import torch

    loss = losslang.compile(CRF, backend="torch")
    e, moves = torch.tensor(RNG.normal(size=(2, 4, 3))), torch.tensor(RNG.normal(size=(3, 3)))
    y = torch.tensor([[0, 1, 2, 1], [2, 0, -1, -1]])

    def total(e: Any, moves: Any) -> Any:
        return loss(e=e, moves=moves, y=y).total

    leaves = (e.requires_grad_(), moves.requires_grad_())
    assert torch.autograd.gradcheck(total, leaves)
    assert torch.autograd.gradgradcheck(total, leaves)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("log_chain[t, i, s](x)", "LL114"),
        ("log_chain(x, m)", "LL213"),
        ("log_chain[t, s](x, m)", "LL213"),
        ("log_chain[t, i, s](x, x)", "LL204"),
        ("log_chain[t, i, s](m, m)", "LL204"),
        ("log_chain[t, i, s where i != s](x, m)", "LL212"),
    ],
)
def test_refusals(expression: str, code: str) -> None:
    text = f"loss l\ninput x : real[s]\ninput m : real[t, i, s]\nminimize sum[*]({expression})\n"
    assert code in [d.code for d in losslang.check(text)]


def test_states_must_be_equally_many() -> None:
    text = (
        "loss l\ninput x : real[s]\ninput m : real[t, i, s]\nminimize sum[t, s](log_chain[t, i, s](x, m))\n"
    )
    loss = losslang.compile(text, backend="numpy")
    with pytest.raises(losslang.InputError, match="equally long"):
        loss(x=np.zeros(3), m=np.zeros((2, 4, 3)))

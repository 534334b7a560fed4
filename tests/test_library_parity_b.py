"""Contrastive, ranking, preference, segmentation, sequence, signal and survival losses beside their peers, on every backend."""

from __future__ import annotations

import numpy as np
import pytest
from library_cases import contrastive, metrics, preference, ranking, segmentation, sequence, signals, survival
from library_cases.peers import LISTS, PAIR, L, N
from library_cases.segmentation import MASKS
from parity import BACKENDS, SIZES, Case, close, compare

import losslang

CASES = [
    *contrastive.CASES, *ranking.CASES, *metrics.CASES, *preference.CASES, *segmentation.CASES, *sequence.CASES,
    *signals.CASES, *survival.CASES,
]  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("test", CASES, ids=lambda test: test.id)
def test_parity(test: Case, backend: str) -> None:
    compare(test, backend, CASES)


def values(expression: str, inputs: str, rows: tuple[str, ...], **arrays: np.ndarray) -> np.ndarray:
    spec = Case("", inputs, expression, rows, lambda: None).spec
    weighing = {"each_weight": np.ones([SIZES[axis] for axis in rows])} if rows else {}
    return np.asarray(losslang.compile(spec)(**arrays, **weighing).reports["rows"])


def test_optax_has_the_same_contrastive_ranking_and_dice_losses() -> None:
    optax, jax = pytest.importorskip("optax"), pytest.importorskip("jax")
    rng = np.random.default_rng(11)
    u, v = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    s, r = rng.normal(size=(3, 6)), rng.integers(0, 4, (3, 6)).astype(float)
    p, y = rng.uniform(size=(5, 3, 4)), rng.integers(0, 2, (5, 3, 4)).astype(float)
    with jax.enable_x64(True):
        labels = jax.numpy.arange(10) % 5
        both = optax.losses.ntxent(jax.numpy.concatenate([u, v]), labels, temperature=0.5)
        ranking = optax.losses.ranking_softmax_loss(
            jax.numpy.asarray(s), jax.numpy.asarray(r), reduce_fn=None
        )
        logits = np.log(p / (1 - p)).reshape(5, -1, 1)
        dice = optax.losses.binary_dice_loss(logits, y.reshape(5, -1, 1))
        both, ranking, dice = float(both), np.asarray(ranking), np.asarray(dice)
    assert values("nt_xent[n, d](u, v)", PAIR, N, u=u, v=v).mean() == pytest.approx(both, rel=1e-9)
    close(values("softmax_ranking[i](s, r)", LISTS, L, s=s, r=r), ranking)
    close(values("dice[h, w](p, y, 2)", MASKS, N, p=p, y=y).mean(), dice.mean())


def test_scikit_learn_has_the_same_metrics() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(12)
    s, r = rng.normal(size=(3, 6)), rng.integers(0, 3, (3, 6)).astype(float)
    r[:, :2] = [0.0, 2.0]
    gain = 2**r - 1
    ndcg = [metrics.ndcg_score(gain[at : at + 1], s[at : at + 1], k=4) for at in range(3)]
    close(values("ndcg[i](s, r, 4)", LISTS, L, s=s, r=r), np.array(ndcg))
    auc = [metrics.roc_auc_score(r[at] > 0, s[at]) for at in range(3)]
    close(values("auc[i](s, r)", LISTS, L, s=s, r=r), np.array(auc))
    precision = [metrics.average_precision_score(r[at] > 0, s[at]) for at in range(3)]
    close(values("average_precision[i](s, r)", LISTS, L, s=s, r=r), np.array(precision))

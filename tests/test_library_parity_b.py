"""Contrastive, ranking, preference, segmentation and sequence losses against their peers, in float64.

Each case is an expression of the language, evaluated on random inputs, and a reference: PyTorch, Optax or
scikit-learn where they have the loss, else the formula of the paper written out in ``references_b``.
Values are compared row by row, gradients through a random weighing of the rows.
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
F = torch.nn.functional

import references_b as R  # noqa: E402

SIZES = {"n": 5, "d": 3, "c": 4, "l": 3, "i": 6, "j": 4, "k": 3, "g": 4, "t": 4, "b": 4, "h": 3, "w": 4}
TOLERANCE = 1e-8
FLOATING = ("real", "positive", "logit", "prob", "logprob", "score", "embedding", "parameter")


@dataclass(frozen=True)
class Case:
    """``inputs``: declarations separated by semicolons; ``rows``: the axes of the result.

    ``reference`` takes the inputs as tensors, in order. ``smooth`` is false for metrics, which have no gradient.
    """

    id: str
    inputs: str
    expression: str
    rows: tuple[str, ...]
    reference: Callable[..., Any]
    smooth: bool = True

    @property
    def declarations(self) -> list[tuple[str, str]]:
        pairs = (part.split(":", 1) for part in self.inputs.split(";"))
        return [(name.strip(), kind.strip()) for name, kind in pairs]

    @property
    def spec(self) -> str:
        axes = ", ".join(self.rows)
        inputs = [f"input {name} : {kind}" for name, kind in self.declarations]
        value = f"let value = {self.expression}"
        if not self.rows:
            return "\n".join(
                ["loss probe", *inputs, value, "term out = value", "report rows = value", "minimize out"]
            )
        weigh = f"input weighing : weight[{axes}]"
        term = f"term out = sum[{axes}](weighing * value)"
        return "\n".join(["loss probe", *inputs, weigh, value, term, "report rows = value", "minimize out"])


def draw(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Random values of a kind as it is written in a declaration."""
    name, axes = re.match(r"(\w+)(?:\[([^\]]*)\])?", kind).groups()  # type: ignore[union-attr]
    names = [axis.strip() for axis in (axes or "").split(",") if axis.strip()]
    shape = tuple(SIZES[axis] for axis in names)
    if name == "label":
        return rng.integers(0, SIZES[kind.split(" of ")[1].split()[0]], shape)
    if name == "prob" and " over " in kind:
        return rng.dirichlet(np.full(shape[-1], 2.0), shape[:-1])
    draws: dict[str, Callable[[], np.ndarray]] = {
        "positive": lambda: rng.uniform(0.5, 2.0, shape),
        "prob": lambda: rng.uniform(0.05, 0.95, shape),
        "logprob": lambda: -rng.uniform(0.05, 3.0, shape),
        "binary": lambda: rng.integers(0, 2, shape).astype(float),
        "sign": lambda: rng.choice([-1.0, 1.0], shape),
        "count": lambda: rng.integers(0, 4, shape).astype(float),
    }
    return draws.get(name, lambda: rng.normal(size=shape))()


def boxes(rng: np.random.Generator) -> np.ndarray:
    corner = rng.uniform(0.0, 2.0, (SIZES["n"], 2))
    return np.concatenate([corner, corner + rng.uniform(0.5, 3.0, corner.shape)], axis=1)


def each(function: Callable[..., Any], *, rows: str = "n", **more: Any) -> Callable[..., Any]:
    """``function`` row by row."""

    def reference(*arrays: Any) -> Any:
        return torch.stack([function(*(a[at] for a in arrays), **more) for at in range(SIZES[rows])])

    return reference


PAIR = "u: embedding[n, d]; v: embedding[n, d]"
LABELLED = "z: embedding[n, d]; y: label[n] of k"
TRIPLET = "a: embedding[n, d]; p: embedding[n, d]; q: embedding[n, d]"
LISTS = "s: score[l, i]; r: count[l, i]"
N, L = ("n",), ("l",)


def torch_triplet(a: Any, p: Any, q: Any) -> Any:
    return F.triplet_margin_loss(a, p, q, eps=0.0, reduction="none")


def clip_both(u: Any, v: Any) -> Any:
    return R.clip(u, v, 7.0)


CONTRASTIVE = [
    Case("contrastive_pair", PAIR + "; y: binary[n]", "contrastive_pair[d](u, v, y, 1.5)", N,
         lambda u, v, y: R.contrastive_pair(u, v, y, 1.5)),
    Case("triplet", TRIPLET, "triplet[d](a, p, q, 2)", N, lambda a, p, q: R.triplet(a, p, q, 2.0)),
    Case("triplet_margin", TRIPLET, "triplet_margin[d](a, p, q)", N, torch_triplet),
    Case("cosine_embedding", PAIR + "; y: sign[n]", "cosine_embedding[d](u, v, y, 0.2)", N,
         lambda u, v, y: F.cosine_embedding_loss(u, v, y, margin=0.2, reduction="none")),
    Case("info_nce", PAIR, "info_nce[n, d](u, v)", N, R.info_nce),
    Case("info_nce_negatives", "u: embedding[n, d]; v: embedding[n, d]; w: embedding[n, k, d]",
         "info_nce_negatives[k, d](u, v, w, 0.3)", N, lambda u, v, w: R.info_nce_negatives(u, v, w, 0.3)),
    Case("clip", PAIR, "clip[n, d](u, v, 7)", N, clip_both),
    Case("nt_xent", PAIR, "nt_xent[n, d](u, v)", N, R.nt_xent),
    Case("supervised_contrastive", LABELLED, "supervised_contrastive[n, d](z, y)", N, R.supervised_contrastive),
    Case("sigmoid_contrastive", PAIR, "sigmoid_contrastive[n, d](u, v)", N, R.sigmoid_contrastive),
    Case("decoupled_contrastive", PAIR, "decoupled_contrastive[n, d](u, v)", N, R.decoupled_contrastive),
    Case("n_pair", PAIR, "n_pair[n, d](u, v)", N, R.n_pair),
    Case("multi_similarity", LABELLED, "multi_similarity[n, d](z, y)", N, R.multi_similarity),
    Case("circle", LABELLED, "circle[n, d](z, y, 0.25, 8)", N, lambda z, y: R.circle(z, y, 0.25, 8.0)),
    Case("arcface", "a: real[n, c]; y: label[n] of c", "arcface[c](tanh(a), y, 0.3, 16)", N,
         lambda a, y: R.arcface(torch.tanh(a), y, 0.3, 16.0)),
    Case("cosface", "a: real[n, c]; y: label[n] of c", "cosface[c](tanh(a), y)", N,
         lambda a, y: R.cosface(torch.tanh(a), y)),
    Case("proxy_nca", "z: embedding[n, d]; p: embedding[c, d]; y: label[n] of c", "proxy_nca[c, d](z, p, y)", N,
         lambda z, p, y: R.proxy_nca(z, p, y)),
    Case("proxy_anchor", "z: embedding[n, d]; p: embedding[c, d]; y: label[n] of c", "proxy_anchor[n, c, d](z, p, y)",
         (), lambda z, p, y: R.proxy_anchor(z, p, y)),
    Case("center", "z: embedding[n, d]; p: embedding[c, d]; y: label[n] of c", "center[c, d](z, p, y)", N,
         lambda z, p, y: F.mse_loss(z, p[y], reduction="none").sum(1) / 2),
    Case("batch_hard_triplet", LABELLED, "batch_hard_triplet[n, d](z, y)", N, R.batch_hard_triplet),
    Case("barlow_twins", PAIR, "barlow_twins[n, d](u, v)", (), R.barlow_twins),
    Case("vicreg", PAIR, "vicreg[n, d](u, v)", (), R.vicreg),
    Case("simsiam", PAIR, "simsiam[d](u, v)", N, lambda u, v: -F.cosine_similarity(u, v.detach())),
    Case("byol", PAIR, "byol[d](u, v)", N,
         lambda u, v: F.mse_loss(F.normalize(u), F.normalize(v).detach(), reduction="none").sum(1)),
    Case("alignment", PAIR, "alignment[d](u, v)", N, lambda u, v: F.pairwise_distance(u, v, eps=0.0) ** 2),
    Case("uniformity", "z: embedding[n, d]", "uniformity[n, d](z)", (), lambda z: R.uniformity(z)),
]  # fmt: skip

RANKING = [
    Case("margin_ranking", "a: score[n]; b: score[n]; y: sign[n]", "margin_ranking(a, b, y, 0.3)", N,
         lambda a, b, y: F.margin_ranking_loss(a, b, y, margin=0.3, reduction="none")),
    Case("bpr", "a: score[n]; b: score[n]", "bpr(a, b)", N, lambda a, b: -F.logsigmoid(a - b)),
    Case("ranknet", LISTS, "ranknet[i](s, r)", L, each(R.ranknet, rows="l")),
    Case("pairwise_hinge", LISTS, "pairwise_hinge[i](s, r)", L, each(R.pairwise_hinge, rows="l")),
    Case("lambda_rank", LISTS, "lambda_rank[i](s, r)", L, each(R.lambda_rank, rows="l")),
    Case("lambda_rank_at_3", LISTS, "lambda_rank[i](s, r, 3)", L, each(R.lambda_rank, rows="l", k=3)),
    Case("list_net", LISTS, "list_net[i](s, r)", L, each(R.list_net, rows="l")),
    Case("list_mle", LISTS, "list_mle[i](s, r)", L, each(R.list_mle, rows="l")),
    Case("softmax_ranking", LISTS, "softmax_ranking[i](s, r)", L, each(R.softmax_ranking, rows="l")),
    Case("approx_ndcg", LISTS, "approx_ndcg[i](s, r)", L, each(R.approx_ndcg, rows="l")),
    Case("sampled_softmax", "p: score[n]; q: score[n, j]; f: logprob[n, j]", "sampled_softmax[j](p, q, f, 0.7)", N,
         each(R.sampled_softmax, temperature=0.7)),
    Case("matrix_factorization", "p: parameter[n, d]; q: parameter[c, d]; r: real[n, c]",
         "matrix_factorization[d](p, q, r)", ("n", "c"), lambda p, q, r: (p @ q.T - r) ** 2),
    Case("weighted_matrix_factorization", "p: parameter[n, d]; q: parameter[c, d]; r: binary[n, c]; m: weight[n, c]",
         "weighted_matrix_factorization[d](p, q, r, m * m)", ("n", "c"),
         lambda p, q, r, m: m**2 * (p @ q.T - r) ** 2),
    Case("direct_au", PAIR, "direct_au[n, d](u, v, 0.5)", (), lambda u, v: R.direct_au(u, v, 0.5)),
    Case("multinomial_nll", "x: logit[n, i] over i; y: count[n, i]", "multinomial_nll(x, y)", N,
         lambda x, y: -(y * F.log_softmax(x, 1)).sum(1)),
    Case("top1", "p: score[n]; q: score[n, j]", "top1[j](p, q)", N, each(R.top1)),
    Case("top1_max", "p: score[n]; q: score[n, j]", "top1_max[j](p, q)", N, each(R.top1_max)),
    Case("bpr_max", "p: score[n]; q: score[n, j]", "bpr_max[j](p, q, 0.4)", N, each(R.bpr_max, regularization=0.4)),
    Case("cosine_contrastive", "u: embedding[n, d]; v: embedding[n, d]; w: embedding[n, j, d]",
         "cosine_contrastive[j, d](u, v, w, 0.3, 2)", N, each(R.cosine_contrastive, margin=0.3, weight=2.0)),
    Case("rlmrec_contrastive", PAIR, "rlmrec_contrastive[n, d](u, v)", N, R.info_nce),
    Case("rlmrec_generative", PAIR, "rlmrec_generative[d](u, v)", N, lambda u, v: 1 - F.cosine_similarity(u, v)),
]  # fmt: skip

METRICS = [
    Case("accuracy", "x: logit[n, c] over c; y: label[n] of c", "accuracy(x, y)", N,
         lambda x, y: (x.argmax(1) == y).double(), smooth=False),
    Case("ndcg", LISTS, "ndcg[i](s, r, 3)", L, each(R.ndcg, rows="l", k=3), smooth=False),
    Case("recall", LISTS, "recall[i](s, r, 3)", L, each(R.recall, rows="l", k=3), smooth=False),
    Case("precision", LISTS, "precision[i](s, r, 3)", L, each(R.precision, rows="l", k=3), smooth=False),
    Case("hit_rate", LISTS, "hit_rate[i](s, r, 1)", L, each(R.hit_rate, rows="l", k=1), smooth=False),
    Case("mean_reciprocal_rank", LISTS, "mean_reciprocal_rank[i](s, r)", L,
         each(R.mean_reciprocal_rank, rows="l"), smooth=False),
    Case("average_precision", LISTS, "average_precision[i](s, r)", L,
         each(R.average_precision, rows="l"), smooth=False),
]  # fmt: skip

FOUR = "pc: logprob[n]; pr: logprob[n]; rc: logprob[n]; rr: logprob[n]"
PREFERENCE = [
    Case("bradley_terry", "a: score[n]; b: score[n]", "bradley_terry(a, b)", N, lambda a, b: F.softplus(b - a)),
    Case("dpo", FOUR, "dpo(pc, pr, rc, rr, 0.3, 0.1)", N,
         lambda *a: R.dpo(*a, beta=0.3, smoothing=0.1)),
    Case("robust_dpo", FOUR, "robust_dpo(pc, pr, rc, rr, 0.3, 0.2)", N,
         lambda *a: (0.8 * R.dpo(*a, beta=0.3) - 0.2 * R.dpo(*a, beta=-0.3)) / 0.6),
    Case("ipo", FOUR, "ipo(pc, pr, rc, rr, 0.3)", N, lambda *a: R.ipo(*a, beta=0.3)),
    Case("kto", "p: logprob[n]; q: logprob[n]; y: binary[n]", "kto[n](p, q, y, 0.5)", N,
         lambda p, q, y: R.kto(p, q, y, 0.5)),
    Case("orpo", "a: logprob[n]; b: logprob[n]", "orpo(a, b, 0.7)", N, lambda a, b: R.orpo(a, b, 0.7)),
    Case("simpo", "a: logprob[n]; b: logprob[n]", "simpo(a, b)", N,
         lambda a, b: -F.logsigmoid(2 * (a - b) - 0.5)),
    Case("cpo", "a: logprob[n]; b: logprob[n]", "cpo(a, b)", N, lambda a, b: -F.logsigmoid(0.1 * (a - b)) - a),
    Case("slic", "a: logprob[n]; b: logprob[n]", "slic(a, b, 0.5)", N,
         lambda a, b: F.margin_ranking_loss(a, b, torch.ones_like(a), margin=0.5, reduction="none")),
    Case("policy_gradient", "p: logprob[n]; a: real[n]", "policy_gradient(p, a)", N, lambda p, a: -p * a.detach()),
    Case("ppo_clip", "x: real[n]; a: real[n]", "ppo_clip(x / 2, a)", N, lambda x, a: R.ppo_clip(x / 2, a)),
    Case("value_clip", "x: real[n]; y: real[n]; z: real[n]", "value_clip(x, y, z)", N, R.value_clip),
    Case("grpo", "x: real[n, g]; r: real[n, g]", "grpo[g](x / 2, r)", ("n", "g"),
         lambda x, r: torch.stack([R.grpo(a / 2, b) for a, b in zip(x, r, strict=True)])),
    Case("kl_k3", "p: logprob[n]; q: logprob[n]", "kl_k3(p, q)", N, lambda p, q: torch.expm1(q - p) - (q - p)),
    Case("entropy_bonus", "x: logit[n, c] over c", "entropy_bonus(x)", N,
         lambda x: torch.distributions.Categorical(logits=x).entropy()),
]  # fmt: skip

MASKS = "p: prob[n, h, w]; y: binary[n, h, w]"
BOXES = "p: real[n, b]; q: real[n, b]"
SEGMENTATION = [
    Case("dice", MASKS, "dice[h, w](p, y)", N, each(R.dice)),
    Case("dice_of_logits", "p: logit[n, h, w]; y: binary[n, h, w]", "dice[h, w](p, y, 0.1)", N,
         lambda p, y: each(R.dice, smooth=0.1)(torch.sigmoid(p), y)),
    Case("jaccard", MASKS, "jaccard[h, w](p, y)", N, each(R.jaccard)),
    Case("tversky", MASKS, "tversky[h, w](p, y, 0.3, 0.7)", N, each(R.tversky, alpha=0.3, beta=0.7)),
    Case("focal_tversky", MASKS, "focal_tversky[h, w](p, y)", N, lambda p, y: each(R.tversky)(p, y) ** 0.75),
    Case("generalized_dice", "p: prob[n, h, w]; y: binary[n, h, w]", "generalized_dice[h, w](p, y)", N,
         each(R.generalized_dice)),
    Case("lovasz_hinge", "p: logit[n, h, w]; y: binary[n, h, w]", "lovasz_hinge[h, w](p, y)", N, each(R.lovasz_hinge)),
    *(Case(name, BOXES, f"{name}[b](p, q)", N, each(getattr(R, name))) for name in ("iou", "giou", "diou", "ciou")),
]  # fmt: skip

SEQUENCE = [
    Case("sequence_nll", "x: logit[n, t, c] over c; y: label[n, t] of c", "sequence_nll[t, c](x, y)", N,
         lambda x, y: F.cross_entropy(x.transpose(1, 2), y, reduction="none").sum(1)),
    Case("perplexity", "x: logit[n, t, c] over c; y: label[n, t] of c", "perplexity[t, c](x, y)", N,
         lambda x, y: torch.exp(F.cross_entropy(x.transpose(1, 2), y, reduction="none").mean(1))),
    Case("unlikelihood", "x: logit[n, c] over c; y: label[n] of c", "unlikelihood(x, y)", N,
         lambda x, y: -torch.log(1 - torch.softmax(x, 1).gather(1, y[:, None])[:, 0])),
]  # fmt: skip

CASES = [*CONTRASTIVE, *RANKING, *METRICS, *PREFERENCE, *SEGMENTATION, *SEQUENCE]


def arrays_of(case: Case) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(zlib.crc32(case.id.encode()))
    if case.inputs == BOXES:
        arrays = {"p": boxes(rng), "q": boxes(rng)}
    else:
        arrays = {name: draw(kind, rng) for name, kind in case.declarations}
    if case.rows:
        arrays["weighing"] = rng.uniform(0.5, 1.5, tuple(SIZES[axis] for axis in case.rows))
    return arrays


def referred(case: Case, arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The reference's rows, and the gradients of their weighed sum."""
    floating = [name for name, kind in case.declarations if kind.startswith(FLOATING)]
    tensors = {name: torch.tensor(arrays[name]) for name, _ in case.declarations}
    for name in floating:
        tensors[name].requires_grad_()
    rows = case.reference(*tensors.values())
    if not case.smooth:
        return rows.detach().numpy(), {}
    weighing = torch.tensor(arrays["weighing"]) if case.rows else torch.ones((), dtype=torch.float64)
    wanted = torch.autograd.grad(
        (weighing * rows).sum(), [tensors[name] for name in floating], allow_unused=True
    )
    gradients = {
        name: np.zeros(arrays[name].shape) if found is None else found.numpy()
        for name, found in zip(floating, wanted, strict=True)
    }
    return rows.detach().numpy(), gradients


def close(found: Any, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(
        np.asarray(found), wanted, rtol=TOLERANCE, atol=TOLERANCE * max(1.0, np.abs(wanted).max())
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_numpy_agrees_with_the_reference(case: Case) -> None:
    arrays = arrays_of(case)
    rows, gradients = referred(case, arrays)
    fn = losslang.compile(case.spec)
    if not case.smooth:
        close(fn(**arrays).reports["rows"], rows)
        return
    out, found = fn.value_and_grad(wrt=tuple(gradients))(**arrays)
    close(out.reports["rows"], rows)
    assert any(np.abs(g).max() > 0 for g in gradients.values())
    for name, wanted in gradients.items():
        close(found[name], wanted)


@pytest.mark.parametrize("case", [case for case in CASES if case.smooth], ids=lambda case: case.id)
def test_torch_agrees_with_the_reference(case: Case) -> None:
    arrays = arrays_of(case)
    rows, gradients = referred(case, arrays)
    tensors = {name: torch.tensor(array, requires_grad=name in gradients) for name, array in arrays.items()}
    out = losslang.compile(case.spec, backend="torch")(**tensors)
    close(out.reports["rows"].detach(), rows)
    out.total.backward()
    for name, wanted in gradients.items():
        found = tensors[name].grad
        close(np.zeros(wanted.shape) if found is None else found.numpy(), wanted)


def values(expression: str, inputs: str, rows: tuple[str, ...], **arrays: np.ndarray) -> np.ndarray:
    spec = Case("", inputs, expression, rows, lambda: None).spec
    weighing = {"weighing": np.ones([SIZES[axis] for axis in rows])} if rows else {}
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

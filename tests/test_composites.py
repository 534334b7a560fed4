"""Every whole spec of ``specs/`` does what it is for: a few optimizer steps with NumPy gradients reach the goal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losslang

SPECS = Path(losslang.__file__).resolve().parent.parent / "specs"
Arrays = dict[str, Any]


#: For each compiled loss, how to compile it without rewriting.
PLAIN: dict[int, Callable[[], Any]] = {}


def compiled(name: str, loss: str | None = None, **options: Any) -> Any:
    fn = losslang.compile(SPECS / f"{name}.loss", loss=loss, **options)
    PLAIN[id(fn)] = lambda: losslang.compile(SPECS / f"{name}.loss", loss=loss, rewrite=False, **options)
    return fn


def agree_with_the_formula(fn: Any, arrays: Arrays, wrt: tuple[str, ...], **more: Any) -> None:
    """On ordinary inputs the stable form and the formula as written have the same value and gradients."""
    out, gradients = fn.value_and_grad(wrt=wrt)(**arrays, **more)
    plain, wanted = PLAIN[id(fn)]().value_and_grad(wrt=wrt)(**arrays, **more)
    assert out.total == pytest.approx(float(plain.total), rel=1e-9, abs=1e-9)
    for name in wrt:
        np.testing.assert_allclose(gradients[name], wanted[name], rtol=1e-7, atol=1e-9, err_msg=name)


def descend(
    fn: Any, arrays: Arrays, wrt: tuple[str, ...], steps: int = 200, rate: float = 0.05, **more: Any
) -> tuple[Any, Arrays]:
    """Adam on the inputs named in ``wrt``; gives the last output and the inputs as they ended."""
    arrays = {name: np.array(a, dtype=float) if name in wrt else a for name, a in arrays.items()}
    agree_with_the_formula(fn, arrays, wrt, **more)
    step = fn.value_and_grad(wrt=wrt)
    first = {name: np.zeros_like(arrays[name]) for name in wrt}
    second = {name: np.zeros_like(arrays[name]) for name in wrt}
    for count in range(1, steps + 1):
        _, gradients = step(**arrays, **more)
        for name in wrt:
            g = gradients[name]
            assert np.isfinite(g).all()
            first[name] = 0.9 * first[name] + 0.1 * g
            second[name] = 0.99 * second[name] + 0.01 * g**2
            root = np.sqrt(second[name] / (1 - 0.99**count)) + 1e-9
            arrays[name] = arrays[name] - rate * first[name] / (1 - 0.9**count) / root
    return fn(**arrays, **more), arrays


def gradients_of(fn: Any, arrays: Arrays, *wrt: str, **more: Any) -> Mapping[str, np.ndarray]:
    return fn.value_and_grad(wrt=wrt)(**arrays, **more)[1]


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def nearest(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """For each row of u, the row of v that points most like it."""
    return np.argmax(unit(u) @ unit(v).T, axis=1)


def log_softmax(x: np.ndarray) -> np.ndarray:
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.loss")), ids=lambda path: path.stem)
def test_a_whole_spec_is_without_errors_and_warnings(path: Path) -> None:
    assert [str(each) for each in losslang.check(path)] == []


# ---------------------------------------------------------------------------- regression


def test_an_outlier_hardly_moves_a_robust_fit(rng: np.random.Generator) -> None:
    x = np.linspace(-1, 1, 20)
    target = 3 * x + 0.01 * rng.normal(size=20)
    target[4] = 50.0
    fn = compiled("regression_with_outliers")
    slope = 0.0
    for _ in range(300):
        _, gradients = fn.value_and_grad(wrt=("prediction",))(prediction=slope * x, target=target)
        slope -= gradients["prediction"] @ x
    assert abs(slope - 3) < 0.3
    out = fn(prediction=slope * x, target=target)
    assert out.reports["outliers"] == pytest.approx(1 / 20)
    assert 0 < out.reports["suggested_delta"] < 1


def test_quantile_bands_cover_what_they_promise(rng: np.random.Generator) -> None:
    target = rng.exponential(size=400)
    fn = compiled("quantile_bands")
    level = np.array([1.0, 0.5, 0.0])  # starts crossed

    for _ in range(800):
        prediction = np.broadcast_to(level, (400, 3))
        level = level - 0.5 * fn.value_and_grad(wrt=("prediction",))(prediction=prediction, target=target)[1][
            "prediction"
        ].sum(0)
    out = fn(prediction=np.broadcast_to(level, (400, 3)), target=target)
    np.testing.assert_allclose(out.reports["coverage"], [0.1, 0.5, 0.9], atol=0.02)
    assert out.terms["crossing"] == 0


def test_a_mixture_finds_both_peaks(rng: np.random.Generator) -> None:
    target = np.concatenate([rng.normal(-5, 0.3, 50), rng.normal(5, 0.3, 50)])
    fn = compiled("mixture_density_network")
    share, centre, log_width = np.zeros(2), np.array([-2.0, 3.0]), np.zeros(2)
    for _ in range(600):
        arrays = {name: np.broadcast_to(a, (100, 2)) for name, a in
                  (("share", share), ("centre", centre), ("log_width", log_width))}  # fmt: skip
        g = gradients_of(fn, {**arrays, "target": target}, "share", "centre", "log_width")
        share, centre = share - 0.5 * g["share"].sum(0), centre - 0.1 * g["centre"].sum(0)
        log_width = log_width - 0.1 * g["log_width"].sum(0)
    np.testing.assert_allclose(centre, [-5, 5], atol=0.2)
    np.testing.assert_allclose(np.exp(log_width), 0.3, atol=0.1)
    far = fn(
        share=np.zeros((1, 2)), centre=np.zeros((1, 2)), log_width=np.zeros((1, 2)), target=np.array([60.0])
    )
    assert far.total == pytest.approx(1800 + np.log(2 * np.pi) / 2)  # exp(−1800) is not 0


def test_noise_levels_settle_at_the_losses_they_weigh(rng: np.random.Generator) -> None:
    arrays = {
        "depth": np.zeros((2, 3, 3)), "true_depth": np.full((2, 3, 3), 3.0), "measured": rng.random((2, 3, 3)) > 0.3,
        "logits": rng.normal(size=(2, 3, 3, 4)), "what": rng.integers(0, 4, (2, 3, 3)), "s": np.zeros(2),
    }  # fmt: skip
    arrays["what"][0, 0, 0] = 255
    out, end = descend(compiled("uncertainty_weighting"), arrays, ("s",), steps=600)
    np.testing.assert_allclose(np.exp(end["s"]), [9.0, 2 * out.terms["classify"]], rtol=1e-3)
    np.testing.assert_allclose(out.reports["noise"][0], 3.0, rtol=1e-3)
    assert sum(out.weighted.values()) == pytest.approx(float(out.total))


# ---------------------------------------------------------------------------- sequences and classes


def test_a_language_model_learns_real_tokens_only(rng: np.random.Generator) -> None:
    arrays = {"logits": rng.normal(size=(2, 4, 6)), "tokens": rng.integers(0, 6, (2, 4)),
              "real": np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)}  # fmt: skip
    out, end = descend(compiled("language_model"), arrays, ("logits",))
    assert (end["logits"].argmax(-1) == arrays["tokens"])[arrays["real"]].all()
    np.testing.assert_array_equal(end["logits"][~arrays["real"]], arrays["logits"][~arrays["real"]])
    assert out.terms["nll"] < 0.05


def test_a_masked_sequence_ignores_its_sentinel(rng: np.random.Generator) -> None:
    targets = np.array([[2, 0, -100], [1, -100, -100], [-100, -100, -100]])
    logits = rng.normal(size=(3, 3, 4))
    fn = compiled("masked_sequence")
    surprise = -log_softmax(logits)
    picked = [surprise[0, 0, 2], surprise[0, 1, 0], surprise[1, 0, 1]]
    out = fn(logits=logits, targets=targets)
    assert out.total == pytest.approx(np.mean(picked))
    assert out.reports["per_sequence"] == pytest.approx((np.mean(picked[:2]) + picked[2]) / 2)
    assert out.reports["predicted"] == 3
    garbage = np.where((targets == -100)[..., None], np.nan, logits)
    assert fn(logits=garbage, targets=targets).total == out.total
    out, _ = descend(fn, {"logits": logits, "targets": targets}, ("logits",))
    assert out.total < 0.05


def test_a_student_follows_its_teacher(rng: np.random.Generator) -> None:
    teacher = rng.normal(size=(5, 4))
    arrays = {"student": np.zeros((5, 4)), "teacher": teacher, "truth": teacher.argmin(1)}
    out, end = descend(compiled("distillation", hyper={"share": 1.0}), arrays, ("student",))
    np.testing.assert_allclose(log_softmax(end["student"]), log_softmax(teacher), atol=0.01)
    assert out.reports["agreement"] == 1 and out.reports["accuracy"] == 0
    assert not gradients_of(compiled("distillation"), arrays, "teacher")["teacher"].any()


def test_routers_spread_their_load(rng: np.random.Generator) -> None:
    router = 0.1 * rng.normal(size=(2, 2, 8, 4))
    router[..., 0] += 0.15  # most tokens prefer the first expert
    real = np.ones((2, 8), bool)
    real[1, 5:] = False
    arrays = {
        "logits": rng.normal(size=(2, 8, 5)),
        "tokens": rng.integers(0, 5, (2, 8)),
        "router": router,
        "real": real,
    }
    fn = compiled("switch_transformer", hyper={"balance_weight": 1.0, "z_weight": 0.0})
    before = fn(**arrays).terms["balance"]
    out, end = descend(fn, arrays, ("router",), steps=100, rate=0.01)
    assert out.terms["balance"] < before
    np.testing.assert_array_equal(end["router"][:, ~real], router[:, ~real])


# ---------------------------------------------------------------------------- detection


def test_a_detector_finds_its_few_objects(rng: np.random.Generator) -> None:
    truth = np.zeros((2, 30, 3))
    truth[0, 4, 1] = truth[1, 7, 2] = 1
    judged = np.ones((2, 30), bool)
    judged[0, 5] = False
    low = rng.uniform(0, 5, (2, 30, 2))
    arrays = {"logits": np.full((2, 30, 3), -1.0), "truth": truth, "judged": judged,
              "box": np.concatenate([low, low + 2], -1), "true_box": np.concatenate([low + 1, low + 3.5], -1)}  # fmt: skip
    fn = compiled("imbalanced_detection")
    out, end = descend(fn, arrays, ("logits", "box"), steps=300)
    assert ((end["logits"] > 0) == (truth == 1))[judged].all()
    assert out.terms["locate"] < 0.05 and out.reports["objects"] == 2
    assert (end["logits"][0, 5] == -1).all()
    assert (end["box"][0, 0] == arrays["box"][0, 0]).all()


def test_the_heads_of_mask_rcnn_learn_where_they_should(rng: np.random.Generator) -> None:
    what = np.array([[0, 2, 1]])
    arrays = {
        "proposal": np.zeros((1, 6)), "holds": np.array([[1, 0, 0, 1, 0, 0]]),
        "drawn": np.array([[1, 1, 1, 1, 0, 0]], bool), "proposal_box": rng.normal(size=(1, 6, 4)),
        "proposal_target": rng.normal(size=(1, 6, 4)), "logits": np.zeros((1, 3, 3)), "what": what,
        "box": rng.normal(size=(1, 3, 3, 4)), "box_target": rng.normal(size=(1, 3, 4)),
        "outline": np.zeros((1, 3, 3, 2, 2)), "pixels": rng.integers(0, 2, (1, 3, 2, 2)),
    }  # fmt: skip
    wrt = ("proposal", "proposal_box", "logits", "box", "outline")
    out, end = descend(compiled("mask_rcnn"), arrays, wrt, steps=300)
    assert all(value < 0.05 for value in out.terms.values())
    moved = np.abs(end["box"] - arrays["box"]).sum(-1) > 0
    assert moved.tolist() == [[[False, False, False], [False, False, True], [False, True, False]]]
    assert (end["proposal"][0, 4:] == 0).all()
    assert out.reports["objects"] == 2


# ---------------------------------------------------------------------------- recommendation


def test_matrix_factorization_completes_a_table(rng: np.random.Generator) -> None:
    truth = np.outer([1.0, 2.0, 3.0, 0.0], [1.0, 0.5, 2.0])
    who, what = np.nonzero(np.array([[1, 1, 0], [1, 1, 1], [1, 0, 1], [0, 0, 0]]))
    arrays = {"users": 0.5 + 0.1 * rng.normal(size=(4, 1)), "items": 0.5 + 0.1 * rng.normal(size=(3, 1)),
              "who": who, "what": what, "rating": truth[who, what]}  # fmt: skip
    out, end = descend(
        compiled("matrix_factorization", hyper={"decay": 0.0}), arrays, ("users", "items"), steps=500
    )
    predicted = end["users"] @ end["items"].T
    assert out.reports["rmse"] < 0.01
    assert abs(predicted[0, 2] - 2.0) < 0.1 and abs(predicted[2, 1] - 1.5) < 0.1  # never rated
    assert end["users"][3] == arrays["users"][3]  # rated nothing, so nothing is learned and nothing decays


def test_wrmf_ranks_chosen_items_first(rng: np.random.Generator) -> None:
    clicks = np.array([[3, 1, 0, 0], [2, 4, 0, 0], [0, 0, 1, 2]])
    arrays = {
        "users": 0.1 * rng.normal(size=(3, 2)),
        "items": 0.1 * rng.normal(size=(4, 2)),
        "clicks": clicks,
    }
    _, end = descend(compiled("wrmf"), arrays, ("users", "items"))
    scores = end["users"] @ end["items"].T
    assert scores[clicks > 0].min() > 0.8 and scores[clicks == 0].max() < 0.3


def test_lightgcn_puts_chosen_items_above_others(rng: np.random.Generator) -> None:
    arrays = {name: rng.normal(size=(6, 3)) for name in
              ("user", "chosen", "other", "user_base", "chosen_base", "other_base")}  # fmt: skip
    out, end = descend(compiled("lightgcn"), arrays, ("user", "chosen", "other", "user_base"), rate=0.02)
    assert out.reports["right_order"] == 1 and out.terms["rank"] < 0.1
    assert np.abs(end["user_base"]).sum() < np.abs(arrays["user_base"]).sum()


def test_sgl_ranks_and_recognizes(rng: np.random.Generator) -> None:
    arrays = {"positive": rng.normal(size=4), "negative": rng.normal(size=(4, 3)),
              "view1": rng.normal(size=(6, 4)), "view2": rng.normal(size=(6, 4)), "table": rng.normal(size=(5, 4))}  # fmt: skip
    out, end = descend(compiled("sgl"), arrays, tuple(arrays))
    assert (end["positive"][:, None] > end["negative"]).all()
    assert (nearest(end["view1"], end["view2"]) == np.arange(6)).all()
    assert sum(out.weighted.values()) == pytest.approx(float(out.total))


def test_direct_au_aligns_without_collapse(rng: np.random.Generator) -> None:
    names = ("user_embedding", "item_embedding")
    arrays = {name: 1 + 0.1 * rng.normal(size=(6, 3)) for name in names}  # one point, nearly
    out, end = descend(compiled("direct_au"), arrays, tuple(arrays))
    assert (nearest(end["user_embedding"], end["item_embedding"]) == np.arange(6)).all()
    assert out.terms["align"] < 0.05 and out.terms["uniform"] < -2


@pytest.mark.parametrize("loss", ["rlmrec", "rlmrec_generative"])
def test_rlmrec_ties_behaviour_to_text(loss: str, rng: np.random.Generator) -> None:
    arrays = {"positive": rng.normal(size=5), "negative": rng.normal(size=5), "nodes": rng.normal(size=(6, 4)),
              "text": rng.normal(size=(6, 4)), "table": rng.normal(size=(3, 4))}  # fmt: skip
    if loss == "rlmrec_generative":
        arrays["masked"] = np.array([1, 1, 1, 1, 0, 0], bool)
    out, end = descend(compiled("rlmrec", loss), arrays, ("positive", "nodes"), steps=300)
    assert (end["positive"] > end["negative"]).all()
    assert (nearest(end["nodes"], end["text"])[:4] == np.arange(4)).all()
    assert out.total < 1


def test_neumf_answers_and_keeps_embeddings_short(rng: np.random.Generator) -> None:
    model = {"user_embedding.weight": rng.normal(size=(3, 2)), "tower.weight": rng.normal(size=(2, 2))}
    arrays = {"score": rng.normal(size=8), "clicked": rng.integers(0, 2, 8), "model": model}
    fn = compiled("neumf")
    assert fn(**arrays).terms["reg"] == pytest.approx((model["user_embedding.weight"] ** 2).sum())
    gradients = gradients_of(fn, arrays, "model")["model"]
    np.testing.assert_allclose(gradients["user_embedding.weight"], 2e-6 * model["user_embedding.weight"])
    assert not gradients["tower.weight"].any()
    out, _ = descend(fn, arrays, ("score",))
    assert out.reports["right"] == 1


def test_sasrec_predicts_what_comes_next(rng: np.random.Generator) -> None:
    following = np.array([[1, 2, 3], [4, 0, -1]])
    arrays = {"state": rng.normal(size=(2, 3, 4)), "items": rng.normal(size=(5, 4)), "next": following}
    real = following >= 0
    _, pairs = descend(
        compiled("sasrec", "sasrec"), {**arrays, "sampled": (following + 1) % 5}, ("state", "items")
    )
    _, full = descend(compiled("sasrec", "sasrec_full"), arrays, ("state", "items"))
    for end in (pairs, full):
        assert (end["state"][~real] == arrays["state"][~real]).all()
    scores = full["state"] @ full["items"].T
    assert (scores.argmax(-1) == following)[real].all()
    scores = pairs["state"] @ pairs["items"].T
    rows, moments = np.nonzero(real)
    assert (scores[rows, moments, following[real]] > scores[rows, moments, ((following + 1) % 5)[real]]).all()


def test_a_vae_anneals_its_prior(rng: np.random.Generator) -> None:
    arrays = {"clicks": rng.poisson(1.0, (4, 6)), "logits": rng.normal(size=(4, 6)),
              "mean": rng.normal(size=(4, 3)), "log_var": rng.normal(size=(4, 3))}  # fmt: skip
    fn = compiled("beta_vae")
    assert fn(**arrays, step=0).weighted["kl"] == 0
    late = fn(**arrays, step=10**9)
    assert late.weighted["kl"] == pytest.approx(0.2 * float(late.terms["kl"]))
    wanted = np.mean(0.5 * (arrays["mean"] ** 2 + np.exp(arrays["log_var"]) - 1 - arrays["log_var"]).sum(1))
    assert late.terms["kl"] == pytest.approx(wanted)
    assert late.reports["active_units"] == 3
    out, end = descend(fn, arrays, ("logits", "mean", "log_var"), steps=300, step=10**9)
    assert out.terms["kl"] < 0.01 and out.reports["active_units"] == 0  # nothing needs the latents here
    shares = arrays["clicks"] / arrays["clicks"].sum(1, keepdims=True)
    np.testing.assert_allclose(np.exp(log_softmax(end["logits"])), shares, atol=0.02)


# ---------------------------------------------------------------------------- contrastive


def test_simclr_recognizes_other_views(rng: np.random.Generator) -> None:
    arrays = {"view1": rng.normal(size=(6, 4)), "view2": rng.normal(size=(6, 4))}
    fn = compiled("simclr")
    before = fn(**arrays).reports["agreement"]
    out, end = descend(fn, arrays, ("view1", "view2"))
    assert (nearest(end["view1"], end["view2"]) == np.arange(6)).all()
    assert out.reports["agreement"] < 0.2 * before


def test_clip_finds_captions(rng: np.random.Generator) -> None:
    arrays = {
        "image": rng.normal(size=(6, 4)),
        "caption": rng.normal(size=(6, 4)),
        "log_scale": np.log(1 / 0.07),
    }
    fn = compiled("clip")
    out, _ = descend(fn, arrays, ("image", "caption", "log_scale"))
    assert out.reports["found"] == 1 and out.total < 0.01
    assert fn(**{**arrays, "log_scale": 50.0}).reports["temperature"] == pytest.approx(0.01)


def test_classmates_gather(rng: np.random.Generator) -> None:
    y = np.array([0, 0, 1, 1, 1, 2])
    arrays = {"z": rng.normal(size=(6, 4)), "y": y}
    out, end = descend(compiled("supervised_contrastive"), arrays, ("z",))
    similarity = unit(end["z"]) @ unit(end["z"]).T - 2 * np.eye(6)
    assert (y[similarity.argmax(1)] == y)[:5].all()
    assert out.reports["anchors"] == 5


# ---------------------------------------------------------------------------- preferences and policies


def test_preferences_are_learned(rng: np.random.Generator) -> None:
    arrays = {name: -rng.uniform(5, 20, 6) for name in
              ("policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected")}  # fmt: skip
    wrt = ("policy_chosen", "policy_rejected")
    out, _ = descend(compiled("dpo", "dpo"), arrays, wrt, steps=400, rate=0.1)
    assert out.reports["accuracy"] == 1 and out.reports["margin"] > 1
    _, end = descend(compiled("dpo", "ipo"), arrays, wrt, steps=600, rate=0.1)
    gap = (end["policy_chosen"] - end["reference_chosen"]) - (
        end["policy_rejected"] - end["reference_rejected"]
    )
    np.testing.assert_allclose(gap, 5.0, atol=0.05)
    cautious = compiled("dpo", "conservative_dpo")(**arrays).total
    assert cautious == pytest.approx(float(compiled("dpo", "dpo")(**arrays, smoothing=0.1).total))


def test_ppo_raises_good_actions_within_its_range(rng: np.random.Generator) -> None:
    logits = rng.normal(size=(6, 3))
    taken = rng.integers(0, 3, 6)
    old = log_softmax(logits)[np.arange(6), taken]
    advantage = np.array([1.0, -1.0, 2.0, -2.0, 0.5, -0.5])
    arrays = {"logits": logits, "taken": taken, "old_log_prob": old, "advantage": advantage,
              "value": np.zeros(6), "old_value": np.zeros(6), "returns": np.ones(6)}  # fmt: skip
    whole = compiled("ppo")
    agree_with_the_formula(whole, arrays, ("logits", "value"))
    fn = compiled("ppo", hyper={"entropy_weight": 0.0})
    _, end = descend(fn, arrays, ("logits", "value"), steps=30, rate=0.02)
    ratio = np.exp(log_softmax(end["logits"])[np.arange(6), taken] - old)
    assert (ratio[advantage > 0] > 1.1).all() and (ratio[advantage < 0] < 0.9).all()
    raised = log_softmax(logits)
    raised[np.arange(6), taken] = old + np.where(advantage > 0, 1.0, -1.0)  # far outside, on the good side
    far = {**arrays, "old_log_prob": old - np.where(advantage > 0, 1.0, -1.0)}
    assert not gradients_of(fn, far, "logits")["logits"].any()
    assert end["value"].min() > 0.2
    assert fn(**far).reports["clipped"] == 1


def _groups(rng: np.random.Generator) -> Arrays:
    old = -rng.uniform(0.5, 2.0, (2, 4, 3))
    real = np.ones((2, 4, 3), bool)
    real[0, 1, 1:] = False
    reward = np.array([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]])  # the second question teaches nothing
    return {"log_prob": old.copy(), "old_log_prob": old, "reward": reward, "real": real}


@pytest.mark.parametrize("loss", ["grpo", "bnpo", "dr_grpo", "dapo", "gspo"])
def test_rewarded_answers_become_likelier(loss: str, rng: np.random.Generator) -> None:
    arrays = _groups(rng)
    if loss == "grpo":
        arrays["reference"] = arrays["old_log_prob"]
    fn = compiled("grpo", loss)
    agree_with_the_formula(fn, arrays, ("log_prob",))
    g = gradients_of(fn, arrays, "log_prob")["log_prob"]
    good = arrays["reward"][0] == 1
    assert (g[0][good] < 0).all() and (g[0][~good][arrays["real"][0][~good]] > 0).all()
    assert not g[1].any() and not g[~arrays["real"]].any()
    garbage = {**arrays, "log_prob": np.where(arrays["real"], arrays["log_prob"], np.nan)}
    assert fn(**garbage).total == fn(**arrays).total


def test_the_variants_of_grpo_differ_in_what_is_averaged(rng: np.random.Generator) -> None:
    arrays = _groups(rng)
    arrays["log_prob"] = arrays["old_log_prob"] + 0.1 * rng.normal(size=(2, 4, 3))
    real, ratio = arrays["real"], np.exp(arrays["log_prob"] - arrays["old_log_prob"])
    centred = arrays["reward"] - arrays["reward"].mean(1, keepdims=True)
    spread = arrays["reward"].std(1, keepdims=True)
    scaled = np.where(spread > 0, centred / np.where(spread > 0, spread, 1), 0)

    def surrogate(advantage: np.ndarray, low: float, high: float) -> np.ndarray:
        a = advantage[..., None]
        return np.where(real, -np.minimum(ratio * a, np.clip(ratio, 1 - low, 1 + high) * a), 0)

    plain, wide = surrogate(scaled, 0.2, 0.2), surrogate(scaled, 0.2, 0.28)
    whole = np.exp(np.where(real, np.log(ratio), 0).sum(2) / real.sum(2))
    gspo = -np.minimum(whole * scaled, np.clip(whole, 1 - 3e-4, 1 + 3e-4) * scaled)
    wanted: dict[str, Callable[[], float]] = {
        "grpo": lambda: (plain.sum(2) / real.sum(2)).mean(),
        "bnpo": lambda: plain.sum() / real.sum(),
        "dr_grpo": lambda: surrogate(centred, 0.2, 0.2).sum() / 1024 / 8,
        "dapo": lambda: wide.sum() / real.sum(),
        "gspo": lambda: gspo.mean(),
    }
    for loss, value in wanted.items():
        more = {"reference": arrays["log_prob"]} if loss == "grpo" else {}
        assert compiled("grpo", loss)(**arrays, **more).terms["policy"] == pytest.approx(value())

"""The losses of TRL's trainers, run by the trainers' own methods on log-probabilities that are given.

A trainer's loss is a method that asks a model for log-probabilities and logs what it finds. Here the model answers
with the row's inputs, and the trainer is an object that holds the options and forgets what is logged.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

from peers.harness import Row, beside

torch = pytest.importorskip("torch")
trl = pytest.importorskip("trl")
cpo = pytest.importorskip("trl.experimental.cpo")
orpo = pytest.importorskip("trl.experimental.orpo")
gkd = pytest.importorskip("trl.experimental.gkd")
gmpo = pytest.importorskip("trl.experimental.gmpo")

FOUR = "pc: real[n]; pr: real[n]; rc: real[n]; rr: real[n]"
LONG = FOUR + "; a: count[n]; b: count[n]"
ALL = "(pc, pr, rc, rr, 0.3)"
LOGPS = ("pc", "pr", "rc", "rr")
GROUPS = "p: real[n, t]; old: real[n, t]; a: real[n]; length: count[n]"
REAL = "t < length"


def trainer(**options: Any) -> Any:
    """Gives the options, and takes whatever is logged; what is gathered is one process's own."""
    self = MagicMock()
    self.accelerator.gather_for_metrics.side_effect = lambda x: x
    self.accelerator.gather.side_effect = lambda x: x
    self.accelerator.reduce.side_effect = lambda x, reduction: x
    self.accelerator.num_processes = 1
    self.accelerator.device = torch.device("cpu")
    quiet = {
        "aux_loss_enabled": False,
        "_total_train_tokens": 0,
        "_tp_size": 1,
        "_entropy_bonus_enabled": False,
    }
    for name, value in {**quiet, **options}.items():
        setattr(self, name, value)
    return self


def outputs(log_probs: Any) -> Any:
    none = torch.zeros_like(log_probs)
    return SimpleNamespace(log_probs=log_probs, entropy=none, mean_logits=none, is_top1=none > 0)


def lengths(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    return {name: rng.integers(1, 5, sizes["n"]) for name in ("a", "b")}


def within(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    shape = sizes["n"], sizes["t"]
    return {
        "p": -rng.exponential(size=shape), "old": -rng.exponential(size=shape),
        "length": rng.integers(1, sizes["t"] + 1, sizes["n"]),
    }  # fmt: skip


def negative(rng: np.random.Generator, sizes: Any) -> dict[str, Any]:
    return {name: -0.1 - rng.exponential(size=sizes["n"]) for name in ("a", "b")}


def dpo(kind: str, **options: Any) -> Callable[..., Any]:
    chosen = {
        "loss_types": [kind], "loss_weights": [1.0], "beta": 0.3, "label_smoothing": 0.0, "ld_alpha": None,
        "f_divergence_type": "reverse_kl", "use_weighting": False, "precompute_ref_logps": True, **options,
    }  # fmt: skip

    def reference(pc: Any, pr: Any, rc: Any, rr: Any, a: Any = None, b: Any = None) -> Any:
        ones = torch.ones(len(pc)) * 3
        sizes = torch.cat([ones if a is None else a, ones if b is None else b])
        width = int(sizes.max())
        real = torch.arange(width + 1) < (sizes + 1)[:, None]
        per_token = (torch.cat([pc, pr]) / sizes)[:, None] * real[:, 1:]
        mask = real.long() * (torch.arange(width + 1) > 0)
        inputs = {
            "completion_mask": mask, "ref_chosen_logps": rc, "ref_rejected_logps": rr, "attention_mask": real,
            "input_ids": torch.zeros(real.shape, dtype=torch.long),
        }  # fmt: skip
        return trl.DPOTrainer._compute_loss(trainer(**chosen), lambda **_: outputs(per_token), inputs, False)

    return reference


def kto(**options: Any) -> Callable[..., Any]:
    chosen = {
        "loss_type": "kto", "beta": 0.3, "desirable_weight": 1.0, "undesirable_weight": 1.0, "calculate_KL": True,
        "precompute_ref_logps": True, **options,
    }  # fmt: skip

    def reference(p: Any, q: Any, y: Any, other: Any, frozen: Any) -> Any:
        self = trainer(**chosen)
        self._compute_kl_logps.side_effect = lambda *_: other
        mask = torch.ones(len(p), 2, dtype=torch.long)
        inputs = {
            "label": y > 0, "completion_mask": mask, "input_ids": mask, "attention_mask": mask, "ref_logps": q,
            "ref_KL_logps": frozen,
        }  # fmt: skip
        return trl.KTOTrainer._compute_loss(self, lambda **_: outputs(p[:, None]), inputs, False)

    return reference


def grpo(kind: str, owner: Any = None, **options: Any) -> Callable[..., Any]:
    args = {
        "delta": None, "use_bias_correction_kl": False, "steps_per_generation": 1, "sapo_temperature_pos": 1.0,
        "sapo_temperature_neg": 1.05,
    }  # fmt: skip
    chosen = {
        "loss_type": kind, "beta": 0.0, "epsilon_low": 0.2, "epsilon_high": 0.28, "top_entropy_quantile": 1.0,
        "off_policy_mask_threshold": None, "importance_sampling_level": "token", "use_vllm": False,
        "current_gradient_accumulation_steps": 1, "max_completion_length": 8,
    }  # fmt: skip
    args |= {name: value for name, value in options.items() if name in args}
    chosen |= {name: value for name, value in options.items() if name not in args}

    def reference(p: Any, old: Any, a: Any, length: Any, frozen: Any = None) -> Any:
        self = trainer(args=SimpleNamespace(**args), **chosen)
        self._get_per_token_logps_and_entropies.return_value = (p, torch.zeros_like(p), None)
        mask = (torch.arange(p.shape[1]) < length[:, None]).double()
        ids = torch.zeros(p.shape, dtype=torch.long)
        inputs = {
            "prompt_ids": ids, "prompt_mask": ids, "completion_ids": ids, "completion_mask": mask, "advantages": a,
            "old_per_token_logps": old, "ref_per_token_logps": frozen, "num_items_in_batch": mask.sum(),
        }  # fmt: skip
        return (owner or trl.GRPOTrainer)._compute_loss(self, None, inputs)

    return reference


def cpo_loss(kind: str, **options: Any) -> Callable[..., Any]:
    chosen = {
        "loss_type": kind,
        "beta": 0.3,
        "label_smoothing": 0.0,
        "alpha": 0.0,
        "simpo_gamma": 0.5,
        **options,
    }
    return lambda a, b: cpo.CPOTrainer.cpo_loss(trainer(**chosen), a, b)[0]


def rewards(margin: bool = False, centre: float | None = None) -> Callable[..., Any]:
    def reference(a: Any, b: Any, m: Any = None) -> Any:
        model = MagicMock(return_value=SimpleNamespace(logits=torch.cat([a, b])[:, None]))
        inputs = {"attention_mask": torch.ones(len(a), 2)} | ({"margin": m} if margin else {})
        self = trainer(args=SimpleNamespace(center_rewards_coefficient=centre))
        return trl.RewardTrainer.compute_loss(self, model, inputs)

    return reference


PER_TOKEN = "let ratio = p - old in mean[n](mean[t where t < length]({loss}))"

ROWS = [
    Row("dpo-sigmoid", FOUR, f"mean[n](dpo{ALL})", dpo("sigmoid")),
    Row("dpo-robust", FOUR, "mean[n](robust_dpo(pc, pr, rc, rr, 0.3, 0.2))", dpo("robust", label_smoothing=0.2)),
    Row("dpo-hinge", FOUR, "mean[n](slic(0.3 * (pc - rc), 0.3 * (pr - rr)))", dpo("hinge")),
    Row("dpo-ipo", LONG, "mean[n](ipo(pc / a, pr / b, rc / a, rr / b, 0.3))", dpo("ipo"), only=LOGPS, given=lengths),
    Row("dpo-exo_pair", FOUR, "mean[n](exo(pc, pr, rc, rr, 0.3, 0.015625))", dpo("exo_pair", label_smoothing=0.015625),
        tolerance=1e-7),
    Row("dpo-nca_pair", FOUR, f"mean[n](noise_contrastive_alignment{ALL})", dpo("nca_pair")),
    Row("dpo-bco_pair", FOUR, "mean[n](bco(pc, rc, 1, 0.3) + bco(pr, rr, 0, 0.3))", dpo("bco_pair")),
    Row("dpo-sppo_hard", FOUR, f"mean[n](sppo{ALL})", dpo("sppo_hard")),
    Row("dpo-aot", FOUR, "mean[n](aot[n](pc, pr, rc, rr, 0.3, 0.1))", dpo("aot", label_smoothing=0.1)),
    Row("dpo-aot_unpaired", FOUR, "mean[n](aot_unpaired[n](pc, pr, rc, rr, 0.3, 0.1))",
        dpo("aot_unpaired", label_smoothing=0.1)),
    Row("dpo-apo_zero", FOUR, f"mean[n](apo_zero{ALL})", dpo("apo_zero")),
    Row("dpo-apo_down", FOUR, f"mean[n](apo_down{ALL})", dpo("apo_down")),
    Row("dpo-discopop", FOUR, "mean[n](discopop(pc, pr, rc, rr, 0.3, 0.05))",
        dpo("discopop", args=SimpleNamespace(discopop_tau=0.05))),
    Row("dpo-sft", LONG, "sum[n](-pc) / sum[n](a)", dpo("sft"), only=LOGPS, given=lengths),
    Row("dpo-sigmoid_norm", LONG, "mean[n](dpo(pc / a, pr / b, rc / a, rr / b, 0.3))", dpo("sigmoid_norm"), only=LOGPS,
        given=lengths),
    Row("dpo-forward_kl", FOUR, "mean[n](alpha_dpo(pc, pr, rc, rr, 0.3, 0))",
        dpo("sigmoid", f_divergence_type="forward_kl")),
    Row("dpo-js", FOUR, f"mean[n](js_dpo{ALL})", dpo("sigmoid", f_divergence_type="js_divergence")),
    Row("dpo-mixture", FOUR, "mean[n](0.7 * dpo(pc, pr, rc, rr, 0.3) + 0.2 * bco(pc, rc, 1, 0.3) + 0.2 * bco(pr, rr, 0, 0.3))",
        dpo("", loss_types=["sigmoid", "bco_pair"], loss_weights=[0.7, 0.2])),
    Row("kto", "p: real[n]; q: real[n]; y: binary[n]; other: real[n]; frozen: real[n]",
        "mean[n](kto_given(p, q, y, mean[n](other - frozen), 0.3))", kto(),
        only=("p", "q")),
    Row("kto-weights", "p: real[n]; q: real[n]; y: binary[n]; other: real[n]; frozen: real[n]",
        "mean[n]((if y == 1 then 1.5 else 0.5) * kto_given(p, q, y, mean[n](other - frozen), 0.3))",
        kto(desirable_weight=1.5, undesirable_weight=0.5), only=("p", "q")),
    Row("kto-apo_zero_unpaired", "p: real[n]; q: real[n]; y: binary[n]; other: real[n]; frozen: real[n]",
        "mean[n](if y == 1 then 1 - sigmoid(0.3 * (p - q)) else sigmoid(0.3 * (p - q))) + 0 * sum[n](other + frozen)",
        kto(loss_type="apo_zero_unpaired", calculate_KL=False), only=("p", "q")),
    Row("reward", "a: score[n]; b: score[n]", "mean[n](bradley_terry(a, b))", rewards()),
    Row("reward-margin", "a: score[n]; b: score[n]; m: real[n]", "mean[n](bradley_terry(a, b, m))", rewards(margin=True)),
    Row("reward-centred", "a: score[n]; b: score[n]", "mean[n](bradley_terry(a, b)) + 0.01 * mean[n]((a + b)^2)",
        rewards(centre=0.01)),
    Row("cpo", "a: real[n]; b: real[n]", "cpo(a, b, 0.3, weight = 0)", cpo_loss("sigmoid"), ("n",)),
    Row("cpo-smoothing", "a: real[n]; b: real[n]", "cpo(a, b, 0.3, 0.1) + a", cpo_loss("sigmoid", label_smoothing=0.1), ("n",)),
    Row("cpo-hinge", "a: real[n]; b: real[n]", "slic(0.3 * a, 0.3 * b)", cpo_loss("hinge"), ("n",)),
    Row("cpo-ipo", "a: real[n]; b: real[n]", "ipo(a, b, 0, 0, 0.3)", cpo_loss("ipo"), ("n",)),
    Row("simpo", "a: real[n]; b: real[n]", "simpo(a, b)", cpo_loss("simpo", beta=2.0), ("n",)),
    Row("simpo-smoothing", "a: real[n]; b: real[n]", "simpo(a, b, 2.5, 0.7, 0.2)",
        cpo_loss("simpo", beta=2.5, simpo_gamma=0.7, label_smoothing=0.2), ("n",)),
    Row("alphapo", "a: real[n]; b: real[n]", "alphapo(a, b)", cpo_loss("simpo", beta=2.5, alpha=0.25), ("n",),
        given=negative),
    Row("orpo", "a: logprob[n]; b: logprob[n]", "orpo(a, b, 0.2) + a",
        lambda a, b: -orpo.ORPOTrainer.odds_ratio_loss(trainer(beta=0.2), a, b)[0], ("n",), tolerance=1e-5),
    Row("gkd", "s: logit[n, t, c] over c; q: logit[n, t, c] over c", "mean[n](sum[t](generalized_js[c](s, q, 0.3)))",
        lambda s, q: gkd.GKDTrainer.generalized_jsd_loss(s, q, beta=0.3)),
    Row("gkd-kl", "s: logit[n, t, c] over c; q: logit[n, t, c] over c; length: count[n]",
        "let near = softmax[c](s / 2), far = softmax[c](q / 2) in mean[n, t where t < length](generalized_js[c](near, far, 0))",
        lambda s, q, length: gkd.GKDTrainer.generalized_jsd_loss(
            s, q, labels=torch.where(torch.arange(s.shape[1]) < length[:, None], 0, -100), beta=0, temperature=2.0),
        given=lambda rng, sizes: {"length": rng.integers(1, sizes["t"] + 1, sizes["n"])}),
    Row("grpo", GROUPS, PER_TOKEN.format(loss="ppo_clip(ratio, a, 0.2, 0.08)"), grpo("grpo"), only=("p",), given=within),
    Row("grpo-symmetric-kl", GROUPS + "; frozen: real[n, t]",
        PER_TOKEN.format(loss="ppo_clip(ratio, a) + 0.04 * kl_k3(p, frozen)"), grpo("grpo", epsilon_high=0.2, beta=0.04),
        only=("p",), given=within),
    Row("grpo-two-sided", GROUPS, PER_TOKEN.format(loss="dual_clip(ratio, a, 0.2, 1.5, 0.08)"), grpo("grpo", delta=1.5),
        only=("p",), given=within),
    Row("bnpo", GROUPS, "let ratio = p - old in mean[n, t where t < length](ppo_clip(ratio, a, 0.2, 0.08))", grpo("bnpo"),
        only=("p",), given=within),
    Row("dr_grpo", GROUPS, "let ratio = p - old in mean[n](sum[t where t < length](ppo_clip(ratio, a, 0.2, 0.08))) / 8",
        grpo("dr_grpo"), only=("p",), given=within),
    Row("dapo", GROUPS, "let ratio = p - old in mean[n, t where t < length](ppo_clip(ratio, a, 0.2, 0.08))", grpo("dapo"),
        only=("p",), given=within),
    Row("cispo", GROUPS, "mean[n, t where t < length](cispo(p, p - old, a, 1.5))", grpo("cispo", epsilon_high=1.5),
        only=("p",), given=within),
    Row("sapo", GROUPS, PER_TOKEN.format(loss="sapo(ratio, a, 1.5, 1.25)"), grpo("sapo", sapo_temperature_pos=1.5, sapo_temperature_neg=1.25), only=("p",), given=within),
    Row("gspo", GROUPS, "mean[n](gspo[t where t < length](p - old, a, 0.2, 0.08))",
        grpo("grpo", importance_sampling_level="sequence"), only=("p",), given=within),
    Row("luspo", GROUPS, "mean[n](length * gspo[t where t < length](p - old, a, 0.2, 0.08))",
        grpo("luspo", importance_sampling_level="sequence"), only=("p",), given=within),
    Row("gmpo", GROUPS, "mean[n](gmpo[t where t < length](p - old, a, 0.2, 0.08))", grpo("grpo", gmpo.GMPOTrainer),
        only=("p",), given=within),
]  # fmt: skip

test_trl = beside(ROWS)

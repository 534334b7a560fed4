"""A sample of what ``library_probes.py`` tries on every entry; and that what is unstable is caught there."""

from __future__ import annotations

import pytest
from library_probes import Probe, entries, probes, title

from losslang.verify import verify

SAMPLE = (
    "binary_cross_entropy", "cross_entropy", "sparsemax_loss", "class_balanced_weight", "info_nce", "fair", "huber",
    "kl_divergence", "student_t", "lambda_rank", "ndcg", "dice", "ctc", "transducer", "l2",
    "unlikelihood", "negative_binomial", "arcface", "standardize", "kl exponential,gumbel",
)  # fmt: skip
UNSTABLE = ("binary_cross_entropy logit", "cross_entropy logit", "class_balanced_weight", "softmax_ranking")
CASES = 10


def probes_of(name: str) -> list[Probe]:
    return [probe for definition in entries() if title(definition) == name for probe in probes(definition)]


@pytest.fixture(scope="module")
def every() -> dict[str, Probe]:
    return {probe.name: probe for definition in entries() for probe in probes(definition)}


def test_every_entry_has_a_probe(every: dict[str, Probe]) -> None:
    assert len({probe.text for probe in every.values()}) > 500
    assert all(any(name.split(" ")[0] in probe for probe in every) for name in SAMPLE)


@pytest.mark.parametrize("name", SAMPLE)
def test_entries_hold_in_their_first_form(name: str) -> None:
    first = probes_of(name)[0]
    report = verify(first.text, backends=["numpy"], count=CASES, budget=10)
    assert report.passed, report.failures()


@pytest.mark.parametrize(
    "name", ["cross_entropy", "info_nce", "dice", "list_net", "generalized_cross_entropy"]
)
def test_masks_of_entries_are_tried(name: str) -> None:
    masked = probes_of(name)[-1]
    assert masked.name.endswith("masked")
    report = verify(masked.text, backends=["numpy"], count=1, budget=10)
    assert [f.status for f in report.findings if f.guarantee == 3] == ["passed"]


@pytest.mark.parametrize("name", UNSTABLE)
def test_as_written_they_do_not_hold(name: str, every: dict[str, Probe]) -> None:
    report = verify(every[name].text, backends=["numpy"], count=CASES, budget=10, rewrite=False)
    assert any(f.guarantee in (1, 2) for f in report.failures())

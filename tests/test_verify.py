"""Verification: sound losses pass, and each guarantee really catches what breaks it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from losslang import checker
from losslang.ir import Graph, Node
from losslang.kinds import BOOLEAN, REAL, Kind
from losslang.lowered import Leaf, LoweredInput, LoweredLoss, LoweredTerm
from losslang.spec import Spec
from losslang.verify import Case, Finding, Report, verify
from losslang.verify import run as verify_run
from losslang.verify.inputs import REGIMES, make
from losslang.verify.judge import compare
from losslang.verify.masks import masked_places
from losslang.verify.reference import Expected, Reference
from losslang.verify.shrink import shrink
from losslang.verify.split import cut

LOGIT = Kind("logit")
KINDS = {"real": REAL, "logit": LOGIT, "mask": BOOLEAN}


def loss(graph: Graph, term: Node, **inputs: tuple[str, Node]) -> LoweredLoss:
    """A loss of one term; inputs as (kind, node)."""
    declared = tuple(
        LoweredInput(name, KINDS[kind], node.attr[1], (Leaf(None, node, node.attr[1]),))
        for name, (kind, node) in inputs.items()
    )
    one = graph.const(1.0)
    return LoweredLoss("tried", graph, declared, (), (LoweredTerm("t", term, one),), None, term, ())


def logistic(stable: bool = False) -> LoweredLoss:
    g = Graph()
    x = g.input("x", ("batch",), "real")
    surprise = g.apply("softplus", -x) if stable else -g.apply("log", g.apply("sigmoid", x))
    return loss(g, g.reduce("sum", surprise, ["batch"]), x=("logit", x))


def masked_mean(broken: bool = False) -> LoweredLoss:
    g = Graph()
    x = g.input("x", ("batch",), "real")
    kept = g.input("kept", ("batch",), "bool")
    square = x * x
    chosen = g.real(kept) * square if broken else g.select(kept, square, 0.0)
    count = g.apply("maximum", g.reduce("count", kept, ["batch"]), 1)
    return loss(g, g.reduce("sum", chosen, ["batch"]) / count, x=("real", x), kept=("mask", kept))


def finding(report: Report, guarantee: int, axis: str | None = None) -> Finding:
    (found,) = [f for f in report.findings if f.guarantee == guarantee and f.axis == axis]
    return found


def tried(lowered: LoweredLoss, **options: Any) -> Report:
    return verify(lowered, backends=["numpy"], count=10, **options)


def test_a_stable_loss_passes() -> None:
    report = tried(logistic(stable=True), rewrite=False)
    assert report.passed, report.failures()
    assert {f.guarantee for f in report.findings} == {1, 2, 3, 4, 5, 6}
    assert finding(report, 2).cases == 10
    assert finding(report, 4, "batch").status == "passed"
    assert finding(report, 5).status == "not_applicable"


def test_rewriting_makes_the_naive_formula_pass() -> None:
    report = tried(logistic())
    assert report.passed, report.failures()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_unstable_formula_is_caught_and_shrunk(seed: int) -> None:
    report = tried(logistic(), rewrite=False, seed=seed)
    assert not report.passed
    failed = [f for f in report.failures() if f.guarantee in (1, 2)]
    assert failed
    worst = failed[0].worst
    assert worst is not None
    assert len(worst.inputs["x"]) == 1


def test_what_multiplies_by_a_mask_is_not_masked() -> None:
    assert finding(tried(masked_mean()), 3).status == "passed"
    assert finding(tried(masked_mean(broken=True)), 3).status == "not_applicable"


def test_garbage_that_leaks_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    leaky = masked_mean(broken=True)
    from losslang import compiler

    original = compiler.from_lowered
    monkeypatch.setattr(compiler, "from_lowered", lambda low, *a, **k: original(leaky, *a, **k))
    found = finding(verify(masked_mean(), backends=["numpy"], count=1), 3)
    assert found.status == "failed"
    assert found.worst is not None and found.worst.case


def test_terms_that_do_not_add_up_are_caught() -> None:
    sound = logistic(stable=True)
    g = sound.graph
    wrong = replace(sound, terms=(LoweredTerm("t", sound.total, g.const(1.5)),))
    assert finding(tried(wrong), 6).status == "failed"


def test_backends_that_differ_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class Skewed(verify_run.Subject):
        def run(self, case: Case) -> Any:
            results = super().run(case)
            return replace(results, values={k: v * 1.001 for k, v in results.values.items()})

    subjects = iter((verify_run.Subject, Skewed))
    monkeypatch.setattr(verify_run, "Subject", lambda *a: next(subjects, verify_run.Subject)(*a))
    report = verify(logistic(stable=True), backends=["numpy", "numpy"], count=2)
    assert any(f.guarantee == 5 and f.status == "failed" for f in report.findings)


def test_a_crash_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(self: Any, case: Case) -> Any:
        raise RuntimeError("out of order")

    monkeypatch.setattr(verify_run.Subject, "run", crash)
    found = finding(verify(logistic(), backends=["numpy"], count=1), 1)
    assert found.status == "failed" and "out of order" in found.reason


def test_the_report_is_json_and_repeats_with_its_seed() -> None:
    first, second = (tried(logistic(), rewrite=False, seed=3).to_json() for _ in range(2))
    for report in (first, second):
        json.dumps(report, allow_nan=False)
        del report["seconds"]
    assert first == second
    assert first["seed"] == 3 and first["passed"] is False


def test_progress_is_told() -> None:
    seen: list[tuple[int, int, str]] = []
    verify(logistic(stable=True), backends=["numpy"], count=3, progress=lambda *s: seen.append(s))
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.parametrize(
    ("op", "why"), [("softmax", "softmax"), ("cumsum", "running"), ("argsort", "sorted"), ("max", "max")]
)
def test_axes_that_do_not_split_say_why(op: str, why: str) -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    along = g.reduce(op, x, "i") if op == "max" else g.real(g.along(op, x, "i")) * x
    total = along if op == "max" else g.reduce("sum", along, "i")
    reason = cut(loss(g, total, x=("real", x)), "i")
    assert isinstance(reason, str) and why in reason


def test_centering_does_not_split_and_unused_axes_do_not_matter() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    y = g.input("y", ("j",), "real")
    mean = g.reduce("sum", x, "i") / g.size("i")
    lowered = loss(g, g.reduce("sum", (x - mean) ** g.const(2.0), "i"), x=("real", x), y=("real", y))
    reason = cut(lowered, "i")
    assert isinstance(reason, str) and "again" in reason
    assert cut(lowered, "j") is None


def test_masked_places_are_found() -> None:
    lowered = masked_mean()
    case = make(lowered, np.random.default_rng(1), "ordinary", "float32")
    kept = case.arrays["kept"]
    case = case.with_leaf(lowered, "kept", np.arange(kept.size) == 0)
    assert masked_places(lowered, case)["x"].tolist() == [False] + [True] * (kept.size - 1)


def test_what_a_comparison_looks_at_is_not_masked() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    above = g.real(g.apply("lt", 5.0, x))
    lowered = loss(g, g.reduce("sum", above, "i"), x=("real", x))
    assert masked_places(lowered, make(lowered, np.random.default_rng(0), "ordinary", "float32")) == {}


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_inputs_keep_the_promise_of_their_kind(regime: str, dtype: str) -> None:
    g = Graph()
    kinds = {
        "p": Kind("prob"), "q": Kind("prob", over="c"), "l": Kind("logprob", over="c"), "s": Kind("sign"),
        "w": Kind("weight"), "v": Kind("positive"), "n": Kind("count"), "y": Kind("label", of="c", ignoring=-1),
    }  # fmt: skip
    inputs = tuple(
        LoweredInput(
            n, k, ("b", "c"), (Leaf(None, g.input(n, ("b", "c"), "int" if n == "y" else "real"), ("b", "c")),)
        )
        for n, k in kinds.items()
    )
    zero = g.const(0.0)
    lowered = LoweredLoss("kinds", g, inputs, (), (), None, zero, ())
    case = make(lowered, np.random.default_rng(7), regime, dtype)
    a = {k: np.asarray(v, dtype=np.float64) for k, v in case.arrays.items()}
    assert all(np.isfinite(v).all() for v in a.values())
    assert case.arrays["p"].dtype == dtype and case.arrays["y"].dtype == np.int64
    assert ((a["p"] >= 0) & (a["p"] <= 1)).all()
    slack = 3e-3 if dtype == "float16" else 1e-6
    assert np.allclose(a["q"].sum(1), 1, atol=slack) and (a["q"] >= 0).all()
    assert (a["l"] <= 0).all()
    assert set(a["s"].flat) <= {-1.0, 1.0}
    assert (a["w"] >= 0).all() and (a["v"] > 0).all()
    assert (a["n"] == np.floor(a["n"])).all() and (a["n"] >= 0).all()
    assert ((a["y"] >= -1) & (a["y"] < case.sizes["c"])).all()


def expected(*values: float) -> Expected:
    array = np.array(values)
    return Expected(array, np.ones(array.shape, dtype=bool), np.zeros(array.shape))


@pytest.mark.parametrize(
    ("got", "true", "good", "finite"),
    [
        (1.0, 1.000001, True, True),
        (1.0, 1.001, False, True),
        (np.nan, 1.0, False, False),
        (np.inf, 1.0, False, False),
        (np.inf, 1e60, True, True),
        (np.inf, np.inf, True, True),
        (5.0, np.inf, False, True),
        (0.0, 1e-42, True, True),
        (np.nan, np.nan, True, True),
    ],
)
def test_judgements_of_single_numbers(got: float, true: float, good: bool, finite: bool) -> None:
    with np.errstate(over="ignore"):
        mark = compare("x", np.array([got], np.float32), expected(true), 1e-5, None)
    assert (mark.good, mark.finite) == (good, finite)


def test_undecided_is_neither_right_nor_wrong() -> None:
    unknown = Expected(np.array([1.0]), np.array([False]), np.zeros(1))
    mark = compare("x", np.array([7.0], np.float32), unknown, 1e-5, None)
    assert mark.good and mark.undecided == 1


@pytest.mark.parametrize(("got", "good"), [(5e-11, True), (1e-6, False)])
def test_what_cancels_to_nothing_in_float64_may_leave_a_trace(got: float, good: bool) -> None:
    assert compare("x", np.array([got]), expected(0.0), 1e-4, None).good is good


def test_where_the_total_is_infinite_an_infinite_gradient_is_right_and_nan_is_not() -> None:
    open_end = Expected(np.zeros(1), np.ones(1, dtype=bool), np.full(1, np.inf))
    assert compare("x", np.array([np.inf]), open_end, 1e-4, None).finite
    assert not compare("x", np.array([np.nan]), open_end, 1e-4, None).finite


def test_log_probabilities_are_as_exact_as_what_they_add_up_to() -> None:
    spec = """
        loss apart
          input p : logprob[c] over c
          term t = abs(sum[c](exp(p)) - 1)
          minimize t
        """
    p = np.array([np.log(0.25), np.log(0.75)], np.float32)
    reference = Reference(verify_run.elaborated(spec, None), Case("one", "float32", {"p": p}, {}, {"c": 2}))
    eps = float(np.finfo(np.float32).eps)
    assert float(reference.value_movement["total"]) > 0.4 * eps


def test_the_last_place_of_the_inputs_is_granted() -> None:
    g = Graph()
    x = g.input("x", (), "real")
    lowered = loss(g, x - 9999.0, x=("real", x))
    case = Case("one", "float32", {"x": np.float32(1e4)}, {}, {})
    moved = Reference(lowered, case).value_movement["total"]
    assert moved == pytest.approx(float(np.spacing(np.float32(1e4))), rel=1e-6)


def test_shrinking_keeps_the_failure() -> None:
    lowered = masked_mean()
    case = make(lowered, np.random.default_rng(5), "large", "float32")
    fails = lambda c: bool(np.any(np.abs(c.arrays["x"]) > 10))  # noqa: E731
    case = case.with_leaf(lowered, "x", np.full_like(case.arrays["x"], 33.5))
    small = shrink(lowered, case, fails, 2.0)
    assert fails(small)
    assert small.arrays["x"].shape == (1,) and small.arrays["kept"].shape == (1,)


def test_a_spec_in_text() -> None:
    report = verify(
        """
        loss words
          input logits : logit[batch, vocab] over vocab
          input y      : label[batch] of vocab ignoring -100
          term nll = mean[batch where valid(y)](cross_entropy(logits, y))
          minimize nll
        """,
        backends=["numpy"],
        count=10,
    )
    assert report.passed, report.failures()
    assert finding(report, 3).status == "passed"
    assert finding(report, 4, "batch").status == "passed"
    assert "softmax" in finding(report, 4, "vocab").reason


def test_a_sum_that_is_cut_may_have_a_renamed_axis() -> None:
    report = verify(
        """
        loss apart
          input draw : embedding[m, dim]
          term spread = sum[m, k](norm[dim](draw - draw[m -> k]))
          minimize spread
        """,
        backends=["numpy"],
        count=3,
    )
    assert finding(report, 4, "dim").status == "passed"
    assert finding(report, 4, "m").status == "not_applicable"


def masked_in(text: str, **arrays: Any) -> dict[str, list[Any]]:
    """The places of a loss that are masked out, for these inputs."""
    lowered = verify_run.elaborated(text, None)
    case = make(lowered, np.random.default_rng(0), "ordinary", "float32")
    sizes = dict(case.sizes)
    for each in lowered.inputs:
        sizes |= zip(each.axes, np.shape(arrays[each.name]), strict=True)
    case = Case("given", "float32", arrays, case.hypers, sizes)
    return {name: places.tolist() for name, places in masked_places(lowered, case).items()}


def test_a_row_that_nobody_picks_is_not_masked() -> None:
    quantized = """
        loss quantized
          input code     : embedding[entry, dim]
          input encoding : embedding[n, dim]
          let nearest = argmin[entry](distance[dim](encoding, code))
          term gap = mean[n](sum[dim]((encoding - code[entry = nearest])^2))
          minimize gap
        """
    code, encoding = np.array([[0, 1], [5, 5]], np.float32), np.ones((2, 2), np.float32)
    assert masked_in(quantized, code=code, encoding=encoding) == {}
    looked_up = """
        loss looked_up
          input table : parameter[word, dim]
          input word_ : label[n] of word ignoring -1
          term size = sum[n where valid(word_)](sum[dim](table[word = word_]^2))
          minimize size
        """
    assert masked_in(looked_up, table=code, word_=np.array([0, 0])) == {}


def test_what_makes_no_difference_by_chance_is_not_masked() -> None:
    brier = """
        loss scored
          input p : prob[n, c] over c
          input y : label[n] of c
          term score = mean[n](brier(p, y))
          minimize score
        """
    # A wrong label costs a right guess 1, and saves a wrong one 1.
    assert masked_in(brier, p=np.array([[0, 1], [0, 1]], np.float32), y=np.array([1, 0])) == {}
    margin = """
        loss parted
          input score : real[n, c]
          input y     : binary[n, c]
          term gap = mean[n](multilabel_margin[c](score, y))
          minimize gap
        """
    # Without a class to compare with no score matters, but which class that is does.
    assert "y" not in masked_in(margin, score=np.array([[0, 9]], np.float32), y=np.array([[1.0, 1.0]]))


def test_what_a_ranking_leaves_out_is_masked() -> None:
    ranked = """
        loss largest_first
          input x    : real[n]
          input kept : mask[n]
          let place = rank[n where kept](x)
          term t = sum[n where kept](x / place)
          minimize t
        """
    x, kept = np.array([3, 1, 2], np.float32), np.array([True, False, True])
    assert masked_in(ranked, x=x, kept=kept) == {"x": [False, True, False]}


@pytest.mark.parametrize(("term", "x"), [("x / x", 0.0), ("log(x) + log(-x)", 0.0), ("x^2 / (x - x)", 1.0)])
def test_where_a_value_is_undefined_or_infinite_so_is_its_gradient(term: str, x: float) -> None:
    lowered = verify_run.elaborated(
        f"loss odd\n input x : real[i]\n term t = sum[i]({term})\n minimize t", None
    )
    case = Case("one", "float32", {"x": np.array([x], np.float32)}, {}, {"i": 1})
    reference = Reference(lowered, case)
    assert not np.isfinite(reference.values["total"].values)
    slope = reference.gradients["x", None]
    assert np.isnan(slope.values).all() or np.isinf(slope.radius).all()


FITS = {
    "merged": (
        "axis cell = 6",
        "input x : real[high, wide]\n input y : real[cell]",
        "sum[cell](x[(high, wide) -> cell] * y)",
        lambda n: n["high"] * n["wide"] == n["cell"] == 6,
    ),
    "as long as merged": (
        "",
        "input x : real[high, wide]\n input y : real[cell]",
        "sum[cell](x[(high, wide) -> cell] * y)",
        lambda n: n["high"] * n["wide"] == n["cell"],
    ),
    "picked": ("", "input x : real[n, c]", "sum[n](x[c = 7])", lambda n: n["c"] >= 8),
    "fixed": ("axis c = 5", "input x : real[n, c]", "sum[n, c](x)", lambda n: n["c"] == 5),
    "renamed": (
        "",
        "input x : real[a]\n input y : real[b]",
        "sum[a](x * y[b -> a])",
        lambda n: n["a"] == n["b"],
    ),
}


@pytest.mark.parametrize("name", FITS)
def test_lengths_fit_together(name: str) -> None:
    axes, inputs, term, fit = FITS[name]
    text = f"{axes}\nloss sized\n {inputs}\n term t = {term}\n minimize t"
    lowered = verify_run.elaborated(text, None)
    for regime, turn in [(r, t) for r in ("ordinary", "single") for t in range(4)]:
        assert fit(make(lowered, np.random.default_rng(turn), regime, "float32", turn).sizes)
    assert verify(text, backends=["numpy"], count=4).passed


@pytest.mark.parametrize(
    ("axes", "inputs", "term", "told"),
    [
        (
            "axis a = 2\naxis b = 3",
            "input x : real[a]\n input y : real[b]",
            "sum[a](x * y[b -> a])",
            "equally long",
        ),
        (
            "axis cell = 7\naxis high = 2",
            "input x : real[high, wide]\n input y : real[cell]",
            "sum[cell](x[(high, wide) -> cell] * y)",
            "never be as many",
        ),
    ],
)
def test_where_no_lengths_fit_nothing_is_decided(axes: str, inputs: str, term: str, told: str) -> None:
    report = verify(f"{axes}\nloss sized\n {inputs}\n term t = {term}\n minimize t", backends=["numpy"])
    assert report.findings and all(f.status == "undecided" and told in f.reason for f in report.findings)


def test_a_truth_that_cannot_be_computed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any, **more: Any) -> Any:
        raise ArithmeticError("no such number")

    monkeypatch.setattr("losslang.verify.reference.truth", broken)
    monkeypatch.setattr("losslang.verify.masks.evaluate", broken)
    report = verify(masked_mean(), backends=["numpy"], count=2)
    for guarantee in (2, 3):
        found = finding(report, guarantee)
        assert found.status == "undecided" and "no such number" in found.reason


def test_moves_that_cancel_by_chance_do_not_hide_how_far_inputs_carry() -> None:
    g = Graph()
    x, y = (g.input(name, (), "real") for name in "xy")
    lowered = loss(g, g.apply("exp", x - y), x=("real", x), y=("real", y))
    case = Case("one", "float32", {"x": np.float32(1e4), "y": np.float32(9999.0)}, {}, {})
    reference = Reference(lowered, case)
    few, many = reference.value_movements("total")
    step = float(np.spacing(np.float32(1e4)))
    assert many >= few
    assert float(many) == pytest.approx(float(np.e) * np.expm1(2 * step), rel=0.05)


@pytest.mark.parametrize("regime", REGIMES)
def test_counts_that_pick_find_a_place(regime: str) -> None:
    text = "loss t\ninput z : real[n, c]\ninput i : count[n]\nminimize mean[n](z[c = i])"
    lowered = checker.elaborate(Spec.load(text), "t")
    for turn in range(4):
        case = make(lowered, np.random.default_rng(turn), regime, "float32", turn)
        assert (case.arrays["i"] < case.arrays["z"].shape[1]).all()

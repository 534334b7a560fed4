"""What somebody writes who knows the reference of the language, and once was refused or told nothing useful."""

from __future__ import annotations

import numpy as np
import pytest

import losslang


def run(text: str, **inputs: object) -> float:
    assert losslang.check(text) == []
    return float(losslang.compile(text)(**inputs).total)


def test_a_definition_inside_a_loss_that_is_not_finished() -> None:
    text = "loss a\ninput x : real[n]\ndef twice(x) = 2 * x\nterm t = mean[n](twice(x))\nminimize t"
    assert run(text, x=np.ones(2)) == 2


def test_a_statement_after_the_definition_that_ended_a_loss() -> None:
    text = "loss a\ninput x : real[n]\nminimize mean[n](x)\ndef twice(x) = 2 * x\nterm t = 1"
    (found,) = [d for d in losslang.check(text) if d.code == "LL118"]
    assert "`a` has ended" in found.message and "move the definition above" in found.help


def test_accents_above_letters() -> None:
    text = "loss a\ninput α̃ : real[n]\nlet x̂ = α̃ + 1\nminimize mean[n](x̂)"
    assert run(text, α̃=np.zeros(2)) == 1


def test_a_count_beside_a_position_picks() -> None:
    text = (
        "loss seasonal\ninput y : real[t]\ninput k : count\nhyper lag : count = 1\n"
        "minimize sum[t where t >= lag + k](abs(y - y[t = t - lag - k]))"
    )
    assert run(text, y=np.array([1.0, 2.0, 4.0, 8.0]), k=1) == 9


PICKED = """loss best
input z : logit[n, cand, t, v] over v
input y : label[n, cand, t] of v ignoring -100
input r : real[n, cand]
let nll = cross_entropy(z, y)
let best = argmax[cand](r)
"""


@pytest.mark.parametrize("mask", ["valid(y[cand = best])", "valid(y)[cand = best]"])
def test_ignored_labels_follow_a_pick(mask: str) -> None:
    text = f"{PICKED}minimize sum[n, t where {mask}](nll[cand = best])"
    y = np.array([[[0, -100], [-100, 1]]])
    assert run(text, z=np.zeros((1, 2, 2, 2)), y=y, r=np.array([[0.0, 1.0]])) == pytest.approx(np.log(2))


def test_ignored_labels_elsewhere_are_no_excuse() -> None:
    text = f"{PICKED}minimize sum[n, t where valid(y[cand = 0])](nll[cand = best])"
    assert [d.code for d in losslang.check(text)] == ["LL211"]


def test_an_axis_that_a_definition_makes_has_the_callers_name() -> None:
    text = (
        "def gram[n, d, e](x: real[n, d]) = dot[n](x, x[d -> e])\n"
        "def ends[c, b](x: real[c]) = [x[c = 0], x[c = 1] + 1] along b\n"
        "def both[n, d, k](x: real[n, d]) = gram[n, d, k](x) * 2\n"
        "loss a\ninput x : real[n, i]\ninput y : real[n, j]\n"
        "minimize sum[i, k where i != k](both[n, i, k](x)) + sum[j, l](gram[n, j, l](y))"
        " + sum[n, q](ends[i, q](x))"
    )
    x, y = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    assert run(text, x=x, y=y) == 2 * 2 * 2 + 49 + 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hyper m = 1", "`m : real = …`"),
        ("input z : logit[n, a, b] over (a, b)", "softmax[a, b]"),
        ("dist d[](k: positive) at t: real = -t", "leave them out"),
        ("def f[n](x: real[n], y: real[m]) = sum[n](x)", "write `def f[…, m](…)`"),
        (
            "loss a\ninput z : logit[n, p]\ninput y : binary[n, p]\nminimize mean[n](dice(z, y))",
            "write `dice[axis](…)`",
        ),
        (
            "loss a\ninput w : weight[n, e]\ninput f : real[m, e]\nminimize sum[n, m, e](w * f)",
            "`dot[axis](a, b)`",
        ),
        (
            "loss a\ninput w : mask[k, e]\ninput f : real[e]\nminimize sum[k](sum[e where w](f))",
            "multiply by the mask and sum",
        ),
        ("loss a\ninput w : weight[n]\nterm t = mean[n](w)\nminimize t", "`real` or `positive`"),
        (
            "loss a\ninput z : real[n]\nminimize mean[n](log_cosh(z, z) * huber(z, z, size[n]))",
            "a whole number, which may be 0",
        ),
    ],
)
def test_what_a_refusal_teaches(text: str, words: str) -> None:
    assert any(words in d.message + d.help for d in losslang.check(text)), losslang.check(text)


@pytest.mark.parametrize("factor", ["1", "abs(at - at[s -> u])"])
def test_a_plain_factor_of_0_in_a_renamed_product_has_a_derivative(factor: str) -> None:
    """The distortion of mip-NeRF 360: pairs of T (1 - exp(-τ)), where τ may be 0."""
    text = (
        "loss distortion\ninput σ : weight[s]\ninput δ : positive[s]\ninput at : real[s]\nlet τ = σ * δ\n"
        "let w = exp(-(cumsum[s](τ) - τ)) * (1 - exp(-τ))\n"
        f"minimize sum[s, u](w * w[s -> u] * {factor})"
    )
    fn = losslang.compile(text)
    inputs = {"σ": np.array([0, 0.2, 0.0]), "δ": np.array([0.5, 0.4, 0.3]), "at": np.array([1, 1.3, 1.5])}
    _, gradients = fn.value_and_grad(wrt=("σ", "δ"))(**inputs)
    for name in ("σ", "δ"):
        for place in range(3):
            ends = []
            for step in (1e-5, -1e-5):
                moved = inputs[name].copy()
                moved[place] += step
                ends.append(float(fn(**{**inputs, name: moved}).total))
            slope = (ends[0] - ends[1]) / 2e-5
            assert gradients[name][place] == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_counts_and_whole_numbers_pick() -> None:
    text = (
        "loss levels\ninput sigma : positive[level]\ninput i : count[n]\nhyper skip : count = 1\n"
        "minimize sum[n](sigma[level = min(2 * i + 1, size[level] - 1)] - sigma[level = skip]"
        " - sigma[level = if i > 0 then i - 1 else 0])"
    )
    assert run(text, sigma=np.array([1.0, 2.0, 4.0, 8.0, 16.0]), i=np.array([0, 1, 3])) == 26 - 6 - 6


def test_half_a_count_picks_nothing() -> None:
    text = "loss levels\ninput x : real[level]\ninput i : count[n]\nminimize sum[n](x[level = i / 2])"
    assert [d.code for d in losslang.check(text)] == ["LL209"]


def test_a_bilinear_form_pairs_nothing_by_accident() -> None:
    text = (
        "loss form\ninput x : real[n, d]\ninput w : real[d, e]\ninput y : real[n, e]\n"
        "minimize sum[n](sum[d, e](x * w * y))"
    )
    x, w, y = np.ones((2, 3)), np.arange(6.0).reshape(3, 2), np.array([[1.0, 2.0], [3.0, 4.0]])
    assert run(text, x=x, w=w, y=y) == np.einsum("nd,de,ne", x, w, y)
    apart = text.replace("(x * w * y)", "(x * y)").replace("input w : real[d, e]\n", "")
    assert [d.code for d in losslang.check(apart)] == ["LL203"]


def test_the_first_place_where_something_holds() -> None:
    text = (
        "loss first\ninput x : real[n, t]\ninput p : prob[n, t]\n"
        "let at = min[t where x > 0](t)\nlet expected = mean[t by p](t + 1)\n"
        "minimize sum[n](x[t = at] * expected)"
    )
    x, p = np.array([[-1.0, 2.0, 3.0], [4.0, 5.0, -6.0]]), np.array([[0.5, 0.5, 0.0], [0.25, 0.0, 0.25]])
    assert run(text, x=x, p=p) == 2 * 1.5 + 4 * 2


@pytest.mark.parametrize(
    "share",
    [
        "a / (a + b)",
        "a / sum[n](a)",
        "min(a, b) / max(a, b)",
        "a * min(a, b) / ((a + 1) * b)",
        "a^2 / (a^2 + c^2)",
    ],
)
def test_what_is_a_share_by_its_form_is_a_probability(share: str) -> None:
    inputs = (
        "loss part\ninput z : logit[n]\ninput a : positive[n]\ninput b : positive[n]\ninput c : real[n]\n"
    )
    text = f"{inputs}minimize sum[n](binary_cross_entropy(z, {share}) + log(1 - {share}) + c * b)"
    a, b, c = np.array([1.0, 2.0]), np.array([3.0, 1.5]), np.array([0.5, 1.0])
    assert np.isfinite(run(text, z=np.zeros(2), a=a, b=b, c=c))


@pytest.mark.parametrize(
    "ratio", ["a / (a + c)", "max(a, b) / a", "a / sum[n where a > 1](a)", "a * b / (a + b)"]
)
def test_what_may_exceed_one_is_no_probability(ratio: str) -> None:
    text = (
        "loss part\ninput z : logit[n]\ninput a : positive[n]\ninput b : positive[n]\ninput c : real[n]\n"
        f"minimize sum[n](binary_cross_entropy(z, {ratio}) + b * c)"
    )
    assert [d.code for d in losslang.check(text)] == ["LL201"]


def test_what_lacks_to_the_largest_is_not_negative() -> None:
    text = (
        "loss lag\ninput x : real[n]\ninput y : real[n]\ninput w : weight[n]\ninput v : weight[n]\n"
        "minimize sum[n](log(max[n](x) - x + 1) + sqrt(max(x, y) - min(x, y)) + sqrt(w + v - min(w, v)))"
    )
    x, y, w = np.array([1.0, 3.0]), np.array([2.0, 2.0]), np.array([4.0, 9.0])
    assert run(text, x=x, y=y, w=w, v=w) == pytest.approx(np.log(3) + 2 + 5)


def test_no_slope_where_an_arc_begins() -> None:
    text = "loss arc\ninput x : real[d]\ninput y : real[d]\nminimize acosh(max(dot[d](x, y), 1))"
    _, gradients = losslang.compile(text).value_and_grad()(x=np.array([1.0, 0.0]), y=np.array([1.0, 0.0]))
    assert gradients["x"].tolist() == [0, 0]


TWO_SAMPLES = "loss two\ninput x : real[n, d]\ninput y : real[m, d]\n"


@pytest.mark.parametrize(
    "rest",
    [
        "term t = mean[n, o](dot[d](x, x[n -> o])) - mean[m, o](dot[d](y, y[m -> o]))\nminimize t",
        "let a = dot[d](x, x[n -> o])\nlet b = dot[d](y, y[m -> o])\nterm t = mean[n, o](a) - mean[m, o](b)\n"
        "report sims = b\nminimize t",
        "term t = (let s = dot[d](x, x[n -> o]) in mean[n, o](s))\n"
        "term u = (let s2 = dot[d](y, y[m -> o]) in mean[m, o](s2))\nminimize t - u",
        "let a = mean[n, o](dot[d](x, x[n -> o]))\nlet b = mean[m, o where o >= 0](dot[d](y, y[m -> o]))\nminimize a - b",
    ],
)
def test_one_new_name_for_axes_of_different_lengths(rest: str) -> None:
    x, y = np.arange(6.0).reshape(3, 2), np.arange(8.0).reshape(4, 2)
    assert run(TWO_SAMPLES + rest, x=x, y=y) == pytest.approx((x @ x.T).mean() - (y @ y.T).mean())


def test_literals_of_different_lengths_along_one_name() -> None:
    text = "loss lit\ninput x : real[n]\nlet p = [1, 2] along k\nlet q = [1, 2, 3] along k\n"
    assert run(f"{text}minimize sum[n](x) * sum[k](p) + sum[k](q)", x=np.ones(1)) == 9
    (found,) = [d for d in losslang.check(f"{text}minimize sum[n](x) * sum[k](p * q)") if d.is_error]
    assert found.code == "LL214"


def test_one_new_name_that_a_value_connects_stays_one_axis() -> None:
    text = f"{TWO_SAMPLES}let a = dot[d](x, x[n -> o])\nlet b = dot[d](y, y[m -> o])\nminimize sum[n, m, o](a * b)"
    x = np.arange(4.0).reshape(2, 2)
    assert run(text, x=x, y=x) == np.einsum("no,mo->", x @ x.T, x @ x.T)
    with pytest.raises(losslang.InputError, match="equally long"):
        losslang.compile(text)(x=x, y=np.ones((3, 2)))


@pytest.mark.parametrize("word", ["dist", "loss", "term", "input", "report", "rule", "extern", "kl"])
def test_words_that_begin_statements_name_things(word: str) -> None:
    text = (
        f"loss {word}\ninput {word} : real[n]\nlet twice = {word}\n  * 2 + {word}\nreport last = {word}\n"
        f"dist flat(a: positive) at x: real = -log(a)\nterm fit = sum[n](twice - {word})\nminimize fit"
    )
    assert run(text, **{word: np.ones(2)}) == 4


def test_a_statement_is_no_value_that_was_left_out() -> None:
    found = losslang.check("loss a\ninput x : real[n]\nlet y =\nterm t = sum[n](x)\nminimize t")
    assert [d.code for d in found] == ["LL006"]


def test_a_matrix_of_classes_by_classes() -> None:
    text = "loss pairs\ninput m : real[state, next]\ninput y : label[n] of state\nminimize sum[n](m[state = y, next = y{}])"
    (found,) = losslang.check(text.format(""))
    assert found.code == "LL209" and "`y as label of next`" in found.help
    assert run(text.format(" as label of next"), m=np.eye(3) * 2, y=np.array([0, 2])) == 4


def test_an_axis_that_a_definition_with_a_pack_makes() -> None:
    text = (
        "def gram[c, e, *p](x: real[c, *p]) = sum[*p](x * x[c -> e]) / size[c]\n"
        "loss style\ninput x : real[c, *place] each layer\ninput y : real[d, row, column]\n"
        "term s = sum[layer](sum[c, e](gram[c, e, *place](x)^2))\nterm t = sum[d, e](gram[d, e, row, column](y)^2)\n"
        "minimize s + t"
    )
    x, y = np.arange(12.0).reshape(2, 3, 2), np.arange(8.0).reshape(2, 2, 2)
    square = lambda v: ((v.reshape(2, -1) @ v.reshape(2, -1).T / 2) ** 2).sum()  # noqa: E731
    assert run(text, x={"a": x, "b": x[:, :1]}, y=y) == pytest.approx(
        square(x) + square(x[:, :1]) + square(y)
    )


@pytest.mark.parametrize("gram", ["sum[*p](x * x[c -> e])", "gram[c, e, *p](x)"])
def test_feature_maps_of_different_depth(gram: str) -> None:
    text = (
        "def gram[c, e, *p](x: real[c, *p]) = sum[*p](x * x[c -> e])\n"
        f"loss style\ninput x : real[n, c, *p] each layer\nlet g = {gram}\nminimize sum[layer](mean[n](sum[c, e](g^2)))"
    )
    x = {"a": np.arange(24.0).reshape(2, 3, 4), "b": np.arange(12.0).reshape(2, 2, 3)}
    wanted = sum((np.einsum("ncp,nep->nce", v, v) ** 2).sum((1, 2)).mean() for v in x.values())
    assert run(text, x=x) == pytest.approx(wanted)

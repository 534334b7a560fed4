"""Values and gradients in the corners: small losses with known answers, far out, close together or ruled out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import losslang

INF = np.inf


def _run(
    body: str, arrays: dict[str, Any], wrt: tuple[str, ...] | None = None
) -> tuple[float, dict[str, Any]]:
    loss = losslang.compile("loss t\n" + body, backend="numpy")
    out, gradients = loss.value_and_grad(**({} if wrt is None else {"wrt": wrt}))(**arrays)
    return float(out.total), gradients


def _holds(found: Any, expected: Any, relative: float = 1e-4) -> None:
    np.testing.assert_allclose(np.asarray(found, np.float64), expected, rtol=relative, atol=1e-37)


LOGITS = "input p : logit[n, c] over c\ninput q : logit[n, c] over c\n"


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("-sum[c](softmax[c](p) * log(softmax[c](p)))", 0.5822031088882179),
        ("kl_divergence[c](p, q)", 0.4621171572600098),
        ("js_divergence[c](p, q)", 0.11094407167172732),
        ("soft_cross_entropy[c](q, softmax[c](p))", 1.0443202661482278),
    ],
)
def test_classes_ruled_out_by_a_logit_of_minus_infinity_add_nothing(formula: str, value: float) -> None:
    p, q = np.array([[1.0, 2.0, -INF]]), np.array([[3.0, 2.0, -INF]])
    arrays = {"p": p, "q": q} if "q" in formula else {"p": p}
    body = (LOGITS if "q" in formula else LOGITS.splitlines()[0] + "\n") + f"minimize sum[n]({formula})"
    found, gradients = _run(body, arrays)
    _holds(found, value, 1e-12)
    for each in gradients.values():
        assert np.isfinite(each).all()
        assert each[0, 2] == 0


def test_one_less_a_picked_part_of_a_softmax() -> None:
    body = "input z : logit[n, c] over c\ninput y : label[n] of c\n"
    arrays = {"z": np.float32([[300, -300, 0], [1000, 0, 0]]), "y": np.array([0, 0])}
    value, gradients = _run(body + "minimize sum[n](-log(1 - softmax[c](z)[c = y]))", arrays)
    _holds(value, 300 + 1000 - np.log(2.0), 1e-6)
    _holds(gradients["z"], [[1, 0, -1], [1, -0.5, -0.5]])
    let = "let p = softmax[c](z)[c = y]\n"
    value, gradients = _run(body + let + "minimize sum[n](log(p / (1 - p)))", arrays)
    _holds(gradients["z"], [[1, 0, -1], [1, -0.5, -0.5]])


def test_a_softmax_over_the_kept_keeps_what_is_missing_to_one() -> None:
    body = "input z : logit[n, c] over c\ninput m : mask[n, c]\n"
    formula = "minimize sum[n](-log(exp(z[c = 0]) / sum[c where m](exp(z))))"
    arrays = {"z": np.float32([[20, 0, 0]]), "m": np.array([[True, False, True]])}
    value, gradients = _run(body + formula, arrays)
    _holds(value, 2.061153620314381e-9, 1e-5)
    _holds(gradients["z"], [[-2.06115362e-9, 0, 2.06115362e-9]])


def test_any_of_many_unlikely_events() -> None:
    body = "input z : logit[n, c]\nminimize sum[n](-log(1 - prod[c](1 - sigmoid(z))))"
    value, gradients = _run(body, {"z": np.float32([[-10000, -10000, -9999]])})
    _holds(value, 9998.448555286068, 1e-6)
    _holds(gradients["z"], [[-0.21194156, -0.21194156, -0.57611688]])


@pytest.mark.parametrize(
    ("formula", "value", "slope"),
    [
        ("log(sinh(x))", 1000 - np.log(2.0), 1.0),
        ("log(exp(x) - 1)", 1000.0, 1.0),
        ("log(exp(x) - exp(3))", 1000.0, 1.0),
        ("log(exp(x) - exp(x - 1))", 1000 + np.log1p(-np.exp(-1.0)), 1.0),
    ],
)
def test_logarithms_of_differences_of_what_overflows(formula: str, value: float, slope: float) -> None:
    found, gradients = _run(f"input x : real[n]\nminimize sum[n]({formula})", {"x": np.float32([1000])})
    _holds(found, value, 1e-6)
    _holds(gradients["x"], [slope])


def test_heavy_tails_at_a_tiny_scale() -> None:
    names = "input m : real[n]\ninput s : positive[n]\ninput x : real[n]\n"
    arrays = {"m": np.float32([0]), "s": np.float32([1e-30]), "x": np.float32([1])}
    for law in ("cauchy(m, s)", "student_t(m, s, 1)"):
        value, gradients = _run(names + f"minimize sum[n](nll(x ~ {law}))", arrays)
        _holds(value, 70.22228, 1e-5)
        _holds(gradients["x"], [2.0])
        _holds(gradients["s"], [-1e30])


@pytest.mark.parametrize("formula", ["laplace(m, s)", "gumbel(m, s)", "logistic(m, s)", "normal(m, s)"])
def test_a_tiny_scale_has_its_derivative(formula: str) -> None:
    names = "input m : real[n]\ninput s : positive[n]\ninput x : real[n]\n"
    arrays = {"m": np.float32([1]), "s": np.float32([1e-30]), "x": np.float32([1])}
    _, gradients = _run(names + f"minimize sum[n](nll(x ~ {formula}))", arrays)
    _holds(gradients["s"], [1e30])


def test_masked_differences_of_products() -> None:
    body = """input z : logit[n]
input y : binary[n]
input m : mask[n]
minimize sum[n where m](sigmoid(z)) + sum[n where m](y) - sum[n where m](sigmoid(z) * y)"""
    arrays = {"z": np.array([1.0, 2.0]), "y": np.array([0.0, 1.0]), "m": np.array([True, False])}
    value, gradients = _run(body, arrays, ("z",))
    _holds(value, 1 / (1 + np.exp(-1.0)), 1e-12)
    _holds(gradients["z"], [0.19661193324148185, 0], 1e-12)


def test_two_ways_to_one_softmax() -> None:
    body = """input z : logit[n, c] over c
input y : label[n] of c
input o : real[n]
input a : real[n]
let lp = log(softmax[c](z))[c = y]
term u = mean[n](exp(lp - o) * a)
term t = mean[n](entropy_bonus(z))
minimize u - 0.01 * t"""
    arrays = {"z": np.array([[0, -0.26]]), "y": np.array([1]), "o": np.array([-1.07]), "a": np.array([0.0])}
    _, gradients = _run(body, arrays, ("z",))
    _holds(gradients["z"], [[0.00063914, -0.00063914]])


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("log(1 + ((1e-4 - 0.0) / 1.0)^2 / 2)", 4.9999999875e-9),
        ("0 * log(0 / 2.0)", 0.0),
        ("-log(exp(1000) / (exp(1000) + exp(-1000)))", 0.0),
    ],
)
def test_numbers_alone(formula: str, value: float) -> None:
    found, _ = _run(f"input x : real\nminimize {formula} + 0 * x", {"x": np.float64(1)})
    _holds(found, value, 1e-15)


def test_verification_ends_where_the_truth_needs_more_digits_than_time_allows() -> None:
    from losslang.verify import verify

    body = "input a : prob[n]\ninput e : prob[n]\nminimize sum[n](kl(geometric(a), geometric(e)))"
    report = verify("loss t\n" + body, backends=["numpy"], budget=1.0)
    assert report.seconds < 15


def test_a_factor_of_zero_is_no_mask() -> None:
    from losslang.verify import verify

    body = "input p : prob[n, c] over c\ninput x : count[n, c]\nminimize sum[n](nll(x ~ multinomial(p)))"
    report = verify("loss t\n" + body, backends=["numpy"], budget=2.0, count=3)
    (finding,) = (f for f in report.findings if f.guarantee == 3)
    assert finding.status == "not_applicable"


def test_a_variance_by_moments_does_not_cancel() -> None:
    body = "input z : real[n, c]\nminimize sum[n](mean[c](z^2) - mean[c](z)^2)"
    value, gradients = _run(body, {"z": np.float32([[-10000, -10000, -9999]])})
    _holds(value, 2 / 9, 1e-5)
    _holds(gradients["z"], [[-2 / 9, -2 / 9, 4 / 9]])


def test_a_certain_prediction_less_what_came() -> None:
    body = "input x : logit[n]\ninput y : binary[n]\nminimize sum[n]((sigmoid(x) - y)^2)"
    value, gradients = _run(body, {"x": np.float32([17]), "y": np.float32([1])}, ("x",))
    _holds(value, 1.7139082896325385e-15)
    _holds(gradients["x"], [-3.4278164373556116e-15])
    body = "input z : logit[n, c] over c\ninput y : label[n] of c\n"
    brier = "minimize sum[n](sum[c]((softmax[c](z) - (if c == y then 1 else 0))^2))"
    value, _ = _run(body + brier, {"z": np.float32([[0, -20, -40]]), "y": np.array([0])})
    _holds(value, 8.496708493070156e-18)


@pytest.mark.parametrize("error", ["(x - m)^2", "abs(x - m)"])
def test_no_error_at_a_scale_that_overflows_is_no_loss(error: str) -> None:
    body = "input x : real[n]\ninput m : real[n]\ninput s : real[k]\n"
    arrays = {"x": np.float32([1]), "m": np.float32([1]), "s": np.float32([-1e4])}
    value, gradients = _run(body + f"minimize sum[k](exp(-s) * mean[n]({error}) + s)", arrays)
    assert value == -1e4
    _holds(gradients["x"], [0])
    _holds(gradients["s"], [1])


def test_spread_of_nearly_uniform_parts() -> None:
    z = np.float32([[1e-4, 0, -1e-4]])
    gini = "minimize sum[n](1 - sum[c](softmax[c](z)^2))"
    _, gradients = _run("input z : logit[n, c] over c\n" + gini, {"z": z})
    np.testing.assert_allclose(gradients["z"], [[-2.22233327e-05, 2.2222221e-09, 2.22211104e-05]], atol=1e-11)


@pytest.mark.parametrize("definition", ["fair(x, 0, s)", "wing(x, 0, 10, s)"])
def test_a_log1p_of_a_ratio_has_its_slope_where_the_ratio_is_0(definition: str) -> None:
    """Kept as logarithms where it would overflow, but a residual of 0 has no logarithm to go through."""
    spec = f"""
      loss l
        input x : real[i]
        hyper s : positive > 0 = 2
        term t = sum[i]({definition})
        minimize t
    """
    x = np.array([0.0, 1e-4, -1.0], np.float32)
    _, found = losslang.compile(spec).value_and_grad()(x=x)
    u = np.abs(np.float64(x)) / 2
    slope = 2 * u / (1 + u) if definition.startswith("fair") else 5 / (1 + u)
    assert np.allclose(found["x"], np.sign(x) * slope, rtol=1e-5, atol=0)


def test_one_less_the_first_parts_of_a_softmax_is_what_comes_after_them() -> None:
    z = np.array([[0.0, -40.0, -50.0, -45.0]])
    after = np.exp(z)[:, ::-1].cumsum(1)[:, ::-1][:, 1:] / np.exp(z).sum()
    formula = "1 - cumsum[c](softmax[c](z))"
    text = f"input z : logit[n, c] over c\nreport left = {formula}\nterm t = sum[n, c](({formula})^0.5)\nminimize t"
    fn = losslang.compile(f"loss t\n{text}")
    out, gradients = fn.value_and_grad()(z=z)
    _holds(out.reports["left"], np.append(after, [[0.0]], 1), 1e-12)
    step = 1e-5 * np.eye(4)
    moved = [[float(fn(z=z + sign * s).total) for sign in (1, -1)] for s in step]
    _holds(gradients["z"][0], np.array([(up - down) / 2e-5 for up, down in moved]), 1e-6)


def test_entropy_over_the_kept_of_close_logits_has_its_slope() -> None:
    """p (log p + H) of two classes a difference d apart is d/4: logarithms of 1/2 cancel."""
    z = np.array([[1e-4, 3.0, 0.0]], np.float32)
    here = np.array([[True, False, True]])
    body = "input z : logit[n, c] over c\ninput here : mask[n, c]\nterm t = mean[n](entropy[c where here](z))\nminimize t"
    _, gradients = _run(body, {"z": z, "here": here})
    d = float(z[0, 0])
    _holds(gradients["z"], [[-d / 4, 0.0, d / 4]])

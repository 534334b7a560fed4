"""What ``losslang explain`` derives: gradients as formulas, relatives, certificates."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner, Result

import losslang
from losslang import compiler
from losslang.cli import explain_certificate
from losslang.cli.gradients import gradients, sample
from losslang.cli.main import cli
from losslang.cli.relatives import relatives
from losslang.differentiate import gradient
from losslang.format import format_expression
from losslang.ir import Graph
from losslang.parse import library
from losslang.render import formula, graphs
from losslang.rewrite import rewrite
from losslang.verify import certify


def derived(name: str) -> dict[str, str]:
    definition = library.definition(name) or library.distribution(name)
    assert definition is not None
    return gradients(definition)


@pytest.mark.parametrize(
    ("name", "argument", "expected"),
    [
        ("squared_error", "prediction", "2·(prediction − target)"),
        ("log_cosh", "prediction", "tanh(prediction − target)"),
        ("binary_cross_entropy", "p", "σ(p)·(1 − y) − y·positive_weight·σ(−p)"),
        ("cross_entropy", "p", "softmax_c(p)"),
        ("normal", "mean", "(x − mean) / scale"),
        ("l2", "x", "2·x"),
        ("bpr", "negative", "−∂/∂positive"),
        ("scale_invariant_log", "prediction", "/ prediction"),
        ("squared_log_error", "prediction", "log(prediction + 1)"),
        ("group_lasso", "x", "‖x‖_d"),
    ],
)
def test_gradients_as_formulas(name: str, argument: str, expected: str) -> None:
    assert expected in derived(name)[argument]


def test_hyperparameters_labels_and_what_nothing_flows_to_have_no_gradient() -> None:
    assert list(derived("huber")) == ["prediction", "target"]
    assert list(derived("cross_entropy")) == ["p"]
    assert list(derived("cox")) == ["risk"]
    assert derived("accuracy") == {}


@pytest.mark.parametrize(
    "name", ["huber", "gaussian_nll", "poisson_deviance", "soft_margin", "pairwise_hinge"]
)
def test_a_printed_gradient_is_the_gradient(name: str) -> None:
    """The formula, read back as a spec, computes what the compiled gradient does."""
    definition = library.definition(name)
    assert definition is not None
    lowered = sample(definition)
    first = lowered.inputs[0]
    [value] = rewrite([lowered.reports[0].node])
    [slope] = rewrite(gradient(value, [first.leaves[0].node]))
    shown = graphs.expression(slope, {each.name for each in lowered.inputs})
    assert shown is not None
    kinds = {
        each.name: f"{each.kind}{list(each.axes) if each.axes else ''}".replace("'", "")
        for each in lowered.inputs
    }
    inputs = "".join(f"  input {name} : {kind}\n" for name, kind in kinds.items())
    along = (
        f"[{', '.join(definition_axes)}]" if (definition_axes := [a.name for a in definition.axes]) else ""
    )
    call = f"{name}{along}({', '.join(kinds)})"
    total = f"sum[{', '.join(lowered.reports[0].axes)}]({call})" if lowered.reports[0].axes else call
    text = f"loss t\n{inputs}  term v = {total}\n  report slope = {format_expression(shown)}\n  minimize v\n"
    fn = losslang.compile(text, backend="numpy")
    rng = np.random.default_rng(0)
    given = {e.name: np.asarray(np.exp(rng.normal(size=(3,) * len(e.axes)))) for e in lowered.inputs}
    given |= {each.name: np.ones(()) for each in lowered.inputs if each.kind.name == "sign"}
    out, slopes = fn.value_and_grad(wrt=(first.name,))(**given)
    np.testing.assert_allclose(out.reports["slope"], slopes[first.name], rtol=1e-12)


def test_shared_parts_get_names_that_nothing_else_has() -> None:
    g = Graph()
    a, x = g.input("a", ("b",), "real"), g.input("x", ("b",), "real")
    part = g.apply("exp", g.apply("sin", a * x + 3.0))
    shared = part / (part + 1.0) * part
    shown = graphs.expression(shared, {"a", "x"})
    assert shown is not None
    assert formula.unicode(shown) == "g / (g + 1)·g  where g = exp(sin(a·x + 3))"


def test_copies_of_axes_and_scales_of_norms_are_not_shown() -> None:
    g = Graph()
    x = g.input("x", ("n", "d"), "real")
    copy = g.fresh_axis("n")
    y = g.input("y", ("n",), "int")
    picked = graphs.expression(g.gather(g.rename(x, "n", copy), y, copy))
    assert picked is not None and formula.unicode(picked) == "x[n = y]"
    scale = g.reduce("max", g.apply("abs", x), ("d",))
    norm = scale * g.apply("sqrt", g.reduce("sum", (x / scale) ** 2.0, ("d",)))
    shown = graphs.expression(norm)
    assert shown is not None and formula.unicode(shown) == "‖x‖_d"


def test_what_is_too_long_to_read_is_not_written() -> None:
    g = Graph()
    x = g.input("x", (), "real")
    long = x
    for k in range(graphs.MOST_OPERATIONS + 1):
        long = g.apply("sin", long + float(k))
    assert graphs.expression(long) is None and graphs.operations(long) > graphs.MOST_OPERATIONS


def test_relatives_call_each_other_or_share_a_family() -> None:
    huber = relatives("huber")
    assert {"smooth_l1", "quantile_huber"} <= set(huber.called_by) and huber.calls == ()
    assert "smooth_l1" in huber.family and "beta" not in huber.family
    assert relatives("smooth_l1").calls == ("huber",)
    assert {"cauchy", "welsch"} <= set(relatives("geman_mcclure").family)
    assert relatives("ppo_clip").calls == (), "the operation `clip` is meant, not the loss"


def test_explain_a_name_shows_gradient_and_relatives() -> None:
    told = explain("binary_cross_entropy").stdout
    assert "gradient, derived by the compiler and shortened for reading, for p given as logits" in told
    assert "∂/∂p  σ(p)·(1 − y) − y·positive_weight·σ(−p)" in told
    assert "  called by  " in told and "  relatives  " in told


# -- certificates -------------------------------------------------------------------------------------

SPEC = """loss pair
  input logits : logit[n, c] over c
  input y      : label[n] of c
  input w      : parameter[d]
  hyper decay  : real >= 0 = 0.1
  term nll = mean[n](-log(softmax[c](logits))[c = y])
  term reg = sum[d](w^2) * decay
  minimize nll + reg
"""


def explain(*args: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["explain", *args], input=input, catch_exceptions=False)


def test_a_certificate_tells_domain_types_errors_and_rules() -> None:
    found = certify(SPEC, budget=0)
    assert found.holds and [term.term for term in found.terms] == ["nll", "reg"]
    nll, reg = found.terms
    assert [each.name for each in nll.domain] == ["logits", "y"]
    assert [each.name for each in reg.domain] == ["w", "decay"]
    assert [(each.dtype, each.cases) for each in nll.tested] == [
        ("float32", 1),
        ("float16", 1),
        ("float64", 1),
    ]
    assert {"log_probability"} <= {rule.name for rule in nll.rules} and reg.rules == ()
    assert all(0 < each.value.relative < 1e-5 for each in nll.tested)
    assert "3 cases" not in found.claim and "6 cases" in found.claim and "not a proof" in found.claim


def test_a_certificate_covers_every_regime_and_hyperparameters_off_their_default() -> None:
    _, reg = certify(SPEC, budget=60).terms
    assert [each.cases for each in reg.tested] == [20, 20, 20]
    tried = {each.name: each.tried for each in reg.domain}
    assert tried["w"]["float32"] == (-1e4, 1e4) and tried["w"]["float16"] == (-65504, 65504)
    low, high = tried["decay"]["float32"]
    assert low == pytest.approx(0.1) and high > 0.11
    assert certify(SPEC, budget=60) == certify(SPEC, budget=60), "the same seed finds the same"


def test_a_certificate_of_formulas_as_written_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    stable = compiler.from_lowered
    monkeypatch.setattr(
        compiler, "from_lowered", lambda lowered, backend: stable(lowered, backend, rewrite=False)
    )
    found = certify(SPEC, budget=60)
    nll, reg = found.terms
    assert not found.holds and not nll.holds and reg.holds
    assert any("too far from the truth" in each for tested in nll.tested for each in tested.failures)
    assert "FAILED" in explain_certificate.text(found) and "it does not hold" in found.claim


def test_explain_prints_certificates() -> None:
    told = explain("-", "--certificate", "--budget", "0", input=SPEC)
    assert told.exit_code == 0
    for part in (
        "loss pair (seed 0)\n", "term nll\n", "logits  logit[n, c] over c, tried from ", "y       label[n] of c, tried ",
        "    float16, 1 case  value ", "log_probability  1 ×  a probability", "not a proof",
    ):  # fmt: skip
        assert part in told.stdout, part
    [data] = json.loads(explain("-", "--certificate", "--budget", "0", "--format", "json", input=SPEC).stdout)
    assert data["holds"] and [t["term"] for t in data["terms"]] == ["nll", "reg"]
    assert data["terms"][0]["types"][0]["value"]["relative_error"] < 1e-5


def test_axes_of_array_hyperparameters_have_the_length_of_their_default() -> None:
    text = """loss bands
  input x : real[n, q]
  input y : real[n]
  hyper level : prob[q] = [0.1, 0.5, 0.9] along q
  term t = mean[n, q](quantile(x, y, level))
  minimize t
"""
    assert certify(text, budget=60).holds


def test_an_extern_cannot_be_certified() -> None:
    text = "extern f(x: real) : real\nloss a\n  input x : real[n]\n  term t = mean[n](f(x))\n  minimize t\n"
    told = explain("-", "--certificate", input=text)
    assert told.exit_code == 1 and "Nothing was tested: of the extern `f`" in told.stdout


@pytest.mark.parametrize("args", [("huber", "--certificate"), ("huber", "--format", "json")])
def test_certificates_are_for_specs(args: tuple[str, ...]) -> None:
    result = explain(*args)
    assert result.exit_code == 2 and "--certificate" in result.stderr

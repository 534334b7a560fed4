"""What the checker refuses and warns of: the code, the line, and the helpful part of the message."""

from __future__ import annotations

import pytest

import losslang

HEAD = """loss case
input x : real[n]
input r : real[k]
input y : label[n] of c
input yy : label[n] of c ignoring -100
input z : logit[n, c] over c
input p : prob[n]
input q : prob[n, c] over c
input m : mask[n]
input mk : mask[k]
input b : binary[n]
input s : sign[n]
input w : weight[n]
input a : embedding[n, d]
hyper h : real in [0, 1] = 0.5
"""
LINE = HEAD.count("\n") + 1
IGNORED = {"LL301", "LL302", "LL310"}

#: An expression of a term, the code expected on its line, and words of the message or help.
TERMS = [
    # names
    ("mean[n](xx)", "LL101", "did you mean `x`"),
    ("mean[n](hubber(x, x))", "LL102", "did you mean `huber`"),
    ("mean[n](x(2))", "LL102", "a value here, not a function"),
    ("mean[n](normal(0, 1))", "LL102", "nll(y ~ normal"),
    ("mean[nn](x)", "LL103", "did you mean `n`"),
    ("mean[zzz](x)", "LL103", "axes in scope"),
    ("mean[n, n](x)", "LL103", "named twice"),
    ("mean[*q](x)", "LL103", "no pack"),
    ("mean[n](x as reel)", "LL104", "did you mean `real`"),
    ("mean[n](x as bernoulli)", "LL217", "`logit`"),
    ("mean[n](nll(x ~ gaussian(0, 1)))", "LL105", "no distribution"),
    ("mean[n](x ~ normal(0, 1))", "LL105", "inside `nll`"),
    ("mean[n](kl(x, x))", "LL105", "two named distributions"),
    ("mean[n](huber(x))", "LL114", "needs `target`"),
    ("mean[n](cross_entropy(y, z))", "LL201", "order of the arguments: `cross_entropy(p, y, smoothing)`"),
    ("mean[n](cross_entropy(b as logit, b))", "LL201", "this is a `logit`"),
    ("mean[n, c](log(z))", "LL307", "log(softmax[c](x))"),
    ("mean[n](log(x as logit))", "LL307", "log(sigmoid(x))"),
    ("mean[n](huber(x, x, dleta = 2))", "LL114", "did you mean `delta`"),
    ("mean[n](huber(x, x, 1, 2))", "LL114", "takes 3 arguments"),
    ("mean[n](huber(x, x, target = x))", "LL114", "given twice"),
    ("mean[n](exp[n](x))", "LL114", "takes no axes"),
    ("mean[n](x, x)", "LL114", "one argument"),
    ("var[n](x, dof=1)", "LL114", "no option"),
    ("mean[n](huber[n](x, x))", "LL114", "takes no axes"),
    # kinds: every refusal of section 4
    ("mean[n](x + y)", "LL202", "not a number"),
    ("mean[n](y)", "LL202", "not a number"),
    ("mean[n](squared_error(y, x))", "LL202", "not a number"),
    ("mean[n](y == 1.5)", "LL202", "whole numbers"),
    ("mean[n](bpr(x, x) * binary_cross_entropy(x, b))", "LL201", "as logit"),
    ("mean[n](p as logit)", "LL201", "give the logits themselves"),
    ("mean[n](cross_entropy(x, y))", "LL201", "distribution over `c`"),
    ("mean[n](binary_cross_entropy(p, x))", "LL201", "sigmoid"),
    ("mean[n](binary_cross_entropy(0.7, b))", "LL201", "as prob"),
    ("mean[n](binary_cross_entropy(p, s))", "LL201", "declare the input `binary`"),
    ("mean[n](hinge(x, b))", "LL201", "2 * y - 1"),
    ("mean[n](huber(x, x, x))", "LL201", "softplus"),
    ("mean[n](huber(x, x, 0))", "LL201", "the number 0"),
    ("mean[n](cross_entropy(z, b))", "LL201", "label"),
    ("mean[n](sigmoid_focal(z, b))", "LL201", "about one event"),
    ("mean[n](valid(x))", "LL201", "for labels"),
    ("mean[n where valid(y)](x)", "LL201", "ignoring"),
    ("mean[n](1.5 as prob)", "LL201", "is no `prob`"),
    ("mean[n where w](x)", "LL210", "comparison or a mask"),
    ("mean[n where b](x)", "LL210", "y == 1"),
    ("mean[n](if x then 1 else 2)", "LL210", "comparison"),
    ("mean[n](x) and 1", "LL210", "true or false"),
    # axes
    ("mean[n, k](x * r)", "LL203", "rename an axis"),
    ("mean[n, k](x + r)", "LL203", "rename an axis"),
    ("mean[n, k](max(x, r))", "LL203", "rename an axis"),
    ("mean[n](squared_error(x, r))", "LL203", "in `squared_error`"),
    ("mean[k](x)", "LL204", "has (n)"),
    ("softmax[k](x)", "LL204", "has (n)"),
    ("mean[n](dot[d](a, x))", "LL204", "this argument has (n)"),
    ("mean[n](x[c = y])", "LL204", "has (n)"),
    ("x", "LL205", "mean[n]"),
    ("mean[n](info_nce(a, a))", "LL206", "info_nce[n, d]"),
    ("mean[n](info_nce[n](a, a))", "LL206", "info_nce[n, d]"),
    ("mean[n](info_nce[n, d](a, x))", "LL207", "needs the axis `d`"),
    ("mean[n](x as logit over c)", "LL207", "no axis `c`"),
    ("mean[n](x[c -> j])", "LL208", "has (n)"),
    ("mean[n](z[n -> c])", "LL208", "already"),
    ("mean[n](z[c = x])", "LL209", "floor"),
    ("mean[n](z[c = -1])", "LL209", "size[c] - 1"),
    ("mean[n](z[c = 1.5])", "LL209", "whole number"),
    ("mean[n](z[c = 1, c = 2])", "LL209", "picked twice"),
    ("mean[d](a[n = y])", "LL209", "label of `c`"),
    ("mean[n](cross_entropy(z, yy))", "LL211", "where valid(yy)"),
    ("mean[n where mk](x)", "LL212", "the axis (k)"),
    ("mean[n by r](abs(x))", "LL220", "weight"),
    ("mean[n by x](x)", "LL220", "declare it `weight`"),
    ("mean(x)", "LL213", "mean[axis]"),
    ("sum[n by w](x)", "LL213", "by"),
    ("cumsum[n, c](z)[n = 0, c = 0]", "LL213", "exactly one axis"),
    ("sum[t]([1, 2] along t) + sum[t]([1, 2, 3] along t)", "LL214", "2 places"),
    ("sum[t, u]([[1, 2], [3]] along (t, u))", "LL219", "differ in length"),
    ("sum[t]([[1, 2], [3, 4]] along t)", "LL219", "each level"),
    # domains
    ("mean[n](log(-exp(x)))", "LL237", "always negative"),
    ("mean[n](sqrt(-1 - x^2))", "LL237", "always negative"),
    ("mean[n]((-1 - x^2)^0.5)", "LL237", "abs"),
    ("mean[n](x / 0)", "LL238", "division by zero"),
    # warnings
    ("mean[n](log(x))", "LL307", "positive"),
    ("mean[n](softmax[c](q)[c = y])", "LL308", "already"),
    ("mean[n](sigmoid(p))", "LL308", "already"),
    ("mean[n](m * x)", "LL309", "where mask"),
    ("mean[n](x / h)", "LL311", "contains 0"),
    ("mean[n](stop(x))", "LL306", "report"),
    ("mean[n](y == 1)", "LL306", "no gradient"),
    ("mean[n](log(1e-10 + sigmoid(x)))", "LL313", "biases"),
    ("mean[n](log(q[c = y] + 1e-8))", "LL313", "itself"),
    ("mean[n](log(max(p, 1e-8)))", "LL313", "itself"),
    ("mean[n](log(clip(p, 1e-7, 1)))", "LL313", "itself"),
]


@pytest.mark.parametrize(("expression", "code", "words"), TERMS, ids=[t[0] for t in TERMS])
def test_term(expression, code, words):
    found = losslang.check(f"{HEAD}term t = {expression}\nminimize t")
    fitting = [d for d in found if d.code == code]
    assert fitting, [str(d) for d in found]
    assert fitting[0].line == LINE
    assert words in fitting[0].message + " " + fitting[0].help
    others = {d.code for d in found if d.is_error} - {code}
    assert not others


#: A whole file, the code, its line and words of the message or help.
FILES = [
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)", "LL230", 1, "minimize"),
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t\nminimize t", "LL231", 5, "one `minimize`"),
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)\nterm u = sum[n](x)\nminimize t * u", "LL232", 5, "product"),
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize exp(t)", "LL232", 4, "term"),
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize x * t", "LL233", 4, "one number"),
    ("loss a\ninput x : real[n]\nhyper h : real > 0 = 0\nterm t = mean[n](x)\nminimize h * t", "LL234", 3, "> 0"),
    ("loss a\ninput x : real[n]\nhyper h : real in [0, 1) = 1\nterm t = mean[n](x)\nminimize h * t", "LL234", 3, "[0, 1)"),
    ("loss a\ninput x : real[n]\nhyper h : real >= 0 = linear(-1, 1, over=5)\nterm t = mean[n](x)\nminimize h * t", "LL234", 3, "-1"),
    ("loss a\ninput x : real[n]\nhyper h : real = linear(0, 1, over=0)\nterm t = mean[n](x)\nminimize h * t", "LL234", 3, "over=1000"),
    ("loss a\ninput x : real[n]\nhyper h : real = exponential(0, 1, over=9)\nterm t = mean[n](x)\nminimize h * t", "LL234", 3, "neither 0"),
    ("loss a\ninput x : real[n]\nhyper h : real\nterm t = mean[n](x)\nminimize h * t", "LL235", 3, "default"),
    ("loss a\ninput x : real[n]\nhyper h : real = x\nterm t = mean[n](x)\nminimize h * t", "LL236", 3, "number"),
    ("loss a\ninput x : real[n]\nhyper h : real[q] = [1, 2] along z\nterm t = mean[n](x)\nminimize sum[q](h) * t", "LL219", 3, "along q"),
    ("loss a\ninput x : real[n]\ninput x : real[n]\nterm t = mean[n](x)\nminimize t", "LL106", 3, "twice"),
    ("loss a\ninput x : real[n]\nterm x = mean[n](x)\nminimize x", "LL106", 3, "twice"),
    ("loss a\ninput x : real[n]\ninput step : real\nterm t = mean[n](x * step)\nminimize t", "LL112", 3, "another name"),
    ("loss a\ninput x : real[n]\nlet u = v\nlet v = u\nterm t = mean[n](x) * u\nminimize t", "LL116", 3, "circle"),
    ("def f(x) = f(x)\nloss a\ninput x : real[n]\nterm t = mean[n](f(x))\nminimize t", "LL110", 1, "itself"),
    ("def f(x) = g(x)\ndef g(x) = f(x)\nloss a\ninput x : real[n]\nterm t = mean[n](f(x))\nminimize t", "LL110", 1, "itself"),
    ("def f(x) = nowhere * x\nloss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t", "LL101", 1, "nowhere"),
    ("def f(x) = x\ndef f(x) = x\nloss a\ninput x : real[n]\nterm t = mean[n](f(x))\nminimize t", "LL106", 2, "twice"),
    ("loss a\ninput x : real[n]\nminimize x", "LL205", 3, "mean[n]"),
    ("term t = 1", "LL118", 1, "loss NAME"),
    ("rule r(x: real) : log(exp(x)) => x", "LL111", 1, "def"),
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t\nloss b = c with h = 1", "LL113", 5, "no loss"),
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t\nloss b = a with h = 1", "LL115", 5, "hyperparameter"),
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t\nloss a\nminimize 1", "LL106", 5, "two losses"),
    ("loss a\ninput y : label[n]\nminimize 1", "LL218", 2, "label of"),
    ("loss a\ninput z : logit[n] over c\nminimize sum[n](z)", "LL218", 2, "no axis `c`"),
    ("loss a\ninput z : logit[n, class] over clas\nminimize 1", "LL218", 2, "did you mean `class`"),
    ("loss a\ninput z : real[n] over n\nminimize sum[n](z)", "LL218", 2, "no `over`"),
    ("loss a\ninput z : real[n] ignoring 3\nminimize sum[n](z)", "LL218", 2, "label"),
    ("loss a\ninput z : rael[n]\nminimize 1", "LL104", 2, "did you mean `real`"),
    ("loss a\naxis c = 3\ninput z : real[n, c]\nminimize sum[n](z[c = 3])", "LL215", 4, "0 to 2"),
    ("loss a\naxis c = (u, v)\ninput z : real[n, c]\nminimize sum[n](z[c = vv])", "LL101", 4, "did you mean `v`"),
    ("loss a\ninput y : label[n] of c\nreport u = size[c]\nminimize 1", "LL216", 1, "axis c = SIZE"),
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)\nterm u = sum[n](x)\nminimize t", "LL304", 4, "report"),
    ("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize 0 * t", "LL305", 4, "weight"),
    ("loss a\ninput x : real[n]\ninput u : real[n]\nterm t = mean[n](x)\nminimize t", "LL301", 3, "`u`"),
    ("loss a\ninput x : real[n]\ninput u : mask[n]\nterm t = mean[n](x)\nminimize t", "LL310", 3, "where u"),
    ("loss a\ninput x : real[n]\nhyper u : real = 1\nterm t = mean[n](x)\nminimize t", "LL302", 3, "`u`"),
    ("loss a\ninput x : real[n]\nlet u = x\nterm t = mean[n](x)\nminimize t", "LL303", 3, "`u`"),
    ("loss a\ninput n : real[n]\nterm t = mean[n](n)\nminimize t", "LL312", 3, "value"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "line", "words"), FILES, ids=[f"{f[1]}-{i}" for i, f in enumerate(FILES)]
)
def test_file(text, code, line, words):
    found = losslang.check(text)
    fitting = [d for d in found if d.code == code]
    assert fitting, [str(d) for d in found]
    assert fitting[0].line == line
    assert words in fitting[0].message + " " + fitting[0].help


def test_every_problem_is_reported():
    """One call shows all that is wrong, in order of place."""
    text = """loss many
input x : real[n]
input y : lable[n] of c
hyper h : real > 0 = -1
term a = mean[n](hubber(x, z))
term b = mean[m](x) + mean[n](x + undefined)
minimize a * b
"""
    found = losslang.check(text)
    errors = [(d.line, d.code) for d in found if d.is_error]
    assert [line for line, _ in errors] == sorted(line for line, _ in errors)
    assert {(3, "LL104"), (4, "LL234"), (5, "LL102"), (6, "LL103"), (6, "LL101"), (7, "LL232")} <= set(errors)


@pytest.mark.parametrize("objective", ["minimize nl", "minimize nl + ratio", ""])
def test_terms_are_not_called_unused_where_the_objective_is_not_known(objective):
    text = f"loss a\ninput x : real[n]\nterm nll = mean[n](x^2)\nterm other = mean[n](abs(x))\n{objective}"
    assert not {"LL304", "LL301"} & {d.code for d in losslang.check(text)}


QUIET = [
    "mean[n, o where o != n]((x - x[n -> o])^2)",
    "mean[n](cross_entropy(z, y))",
    "mean[n where valid(yy)](cross_entropy(z, yy))",
    "mean[n where valid(yy) and m](cross_entropy(z, yy))",
    "mean[n](if valid(yy) then cross_entropy(z, yy) else 0)",
    "mean[n](binary_cross_entropy(p, b))",
    "mean[n](binary_cross_entropy(p, m))",
    "mean[n](hinge(x, s))",
    "mean[n by w](x^2)",
    "mean[n](log(1 + x^2))",
    "mean[n](log(abs(x) + 1))",
    "mean[n](x > 0) + mean[n](x)",
    "mean[n](h * x)",
    "mean[n](1 / log2(2 + n) * x)",
    "mean[n](huber(x, w, exp(h)))",
    "mean[n](softplus(z[c = y]))",
    "mean[n](kl_divergence(q, z))",
]


@pytest.mark.parametrize("expression", QUIET)
def test_good_terms_are_silent(expression):
    found = losslang.check(f"{HEAD}term t = {expression}\nminimize t")
    assert [str(d) for d in found if d.code not in IGNORED] == []


@pytest.mark.parametrize(
    ("guarded", "plain"),
    [
        ("log(1e-10 + sigmoid(x))", "log(sigmoid(x))"),
        ("log(sigmoid(x) + 1e-10)", "log(sigmoid(x))"),
        ("log(max(1e-8, p))", "log(p)"),
        ("log(clip(p, 1e-7, 1 - 1e-7))", "log(p)"),
    ],
)
def test_the_fix_of_a_guard_leaves_the_plain_logarithm(guarded, plain):
    line = f"term t = mean[n](-{guarded})"
    found = [d for d in losslang.check(f"{HEAD}{line}\nminimize t") if d.code == "LL313"]
    assert len(found) == 1
    for edit in sorted(found[0].fix.edits, key=lambda e: e.span, reverse=True):
        assert edit.span.line == edit.span.end_line == LINE
        line = line[: edit.span.column - 1] + edit.replacement + line[edit.span.end_column - 1 :]
    assert line == f"term t = mean[n](-{plain})"

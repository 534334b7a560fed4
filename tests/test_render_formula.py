"""Formulas: an expression, and how it reads in Unicode and in LaTeX."""

from __future__ import annotations

import pytest

from losslang import model as m
from losslang.parse import library, parse
from losslang.render import docfields
from losslang.render.formula import latex, unicode


def expression(text: str) -> m.Expression:
    """The expression, read as the body of a definition."""
    file, problems = parse(f"def f(x) = {text}")
    assert file is not None and problems == []
    definition = file.statements[0]
    assert isinstance(definition, m.Def)
    return definition.body


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x", "x"),
        ("beta * x", "β·x"),
        ("2 * (a + b) - c", "2·(a + b) − c"),
        ("a - (b - c)", "a − (b − c)"),
        ("a - -b", "a − (−b)"),
        ("-x^2", "−x²"),
        ("(-x)^2", "(−x)²"),
        ("x^-0.5", "x^(−0.5)"),
        ("x^n", "x^n"),
        ("x^(n + 1)", "x^(n + 1)"),
        ("2^x^y", "2^(x^y)"),
        ("a / (b * c)", "a / (b·c)"),
        ("a / b / c", "a / b / c"),
        ("x % 2", "x mod 2"),
        ("sum[c](x * y)", "Σ_c x·y"),
        ("sum[c](x) * y", "(Σ_c x)·y"),
        ("y * sum[c](x)", "y·(Σ_c x)"),
        ("sum[c](x) + y", "Σ_c x + y"),
        ("sum[c](x + y)", "Σ_c (x + y)"),
        ("-log(sum[c](exp(z)))", "−log(Σ_c exp(z))"),
        ("-sum[c](x)", "−Σ_c x"),
        ("mean[batch, time where real](x)", "mean_[batch, time : real] x"),
        ("mean[batch by w](x)", "mean_[batch by w] x"),
        ("prod[a, b](x)", "Π_[a, b] x"),
        ("sigmoid(x)", "σ(x)"),
        ("abs(x - y)", "|x − y|"),
        ("sqrt(x)", "√x"),
        ("sqrt(x + 1)", "√(x + 1)"),
        ("norm[d](x)", "‖x‖_d"),
        ("distance[d](u, v)", "‖u − v‖_d"),
        ("dot[d](u, v)", "⟨u, v⟩_d"),
        ("size[batch]", "|batch|"),
        ("floor(x)", "⌊x⌋"),
        ("softmax[other](x)[other = n]", "softmax_other(x)[other = n]"),
        ("x[n -> other]", "x[n→other]"),
        ("x[(h, w) -> pixel]", "x[(h, w)→pixel]"),
        ("if x < 0 then -x else x", "{−x if x < 0; else x}"),
        ("if a then 1 else if b then 2 else 3", "{1 if a; 2 if b; else 3}"),
        ("let r = x - y in r^2", "r²  where r = x − y"),
        ("1 + (let r = x in r)", "1 + (r  where r = x)"),
        ("let a = x in let b = a in b", "b  where a = x, b = a"),
        ("a <= b and not c != d or e", "a ≤ b ∧ ¬(c ≠ d) ∨ e"),
        ("(a or b) and c", "(a ∨ b) ∧ c"),
        ("max[c](x)", "max_c x"),
        ("max(x, 0)", "max(x, 0)"),
        ("huber(x, y, delta = 2)", "huber(x, y, δ = 2)"),
        ("kl(normal(mu, sigma), normal(0, 1))", "kl(normal(μ, σ) ‖ normal(0, 1))"),
        ("nll(y ~ normal(mu, 1))", "nll(y ∼ normal(μ, 1))"),
        ("[1, 2] along k", "[1, 2]"),
        ("(x as logit) + 1", "x + 1"),
        ("each[i in *axes](sum[i](x))", "Σ_[i ∈ axes] Σ_i x"),
        ("inf * pi", "∞·π"),
    ],
)  # fmt: skip
def test_unicode(text: str, shown: str) -> None:
    assert unicode(expression(text)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a * b", r"a \cdot b"),
        ("(a + b) / 2", r"\frac{a + b}{2}"),
        ("a / b / c", r"\frac{\frac{a}{b}}{c}"),
        ("x^(n + 1)", "{x}^{n + 1}"),
        ("sum[c](x * y)", r"\sum_{\mathrm{c}} x".replace(r"\mathrm{c}", "c") + r" \cdot y"),
        ("beta", r"\beta"),
        ("z_weight", r"\mathrm{z\_weight}"),
        ("s1", "s_{1}"),
        ("λ", r"\lambda"),
        ("abs(x)", r"\left| x \right|"),
        ("sqrt(x + 1)", r"\sqrt{x + 1}"),
        ("softmax[c](x)", r"\operatorname{softmax}_{c}\left(x\right)"),
        ("log(x)", r"\log\left(x\right)"),
        ("if x < 0 then 1 else 2", r"\begin{cases} 1 & \text{if } x < 0 \\ 2 & \text{otherwise} \end{cases}"),
        ("let r = x in r", r"r \quad \text{where } r = x"),
        ("x[c = y]", "{x}_{c = y}"),
        ("a <= b", r"a \leq b"),
    ],
)  # fmt: skip
def test_latex(text: str, shown: str) -> None:
    assert latex(expression(text)) == shown


def test_every_definition_of_the_library_can_be_shown() -> None:
    for _, file in library.all_files():
        for statement in file.statements:
            if isinstance(statement, (m.Def, m.Dist)):
                source = latex(statement.body)
                assert unicode(statement.body) and source.count("{") == source.count("}"), statement.name


def test_documentation_is_taken_apart() -> None:
    doc = docfields.read("What it is.\nMore of it.\n  source: A (2001),\n   a paper\n  tags: one, two words")
    assert (doc.headline, doc.summary) == ("What it is.", "What it is.\nMore of it.")
    assert doc.fields == {"source": "A (2001), a paper", "tags": "one, two words"}
    assert doc.tags == ("one", "two words")


def test_documentation_without_fields() -> None:
    assert docfields.read(None) == docfields.Doc("", {})
    assert docfields.read("As in note: this is no field.").fields == {}

"""Text to model to text, and model to JSON and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_parse import SPECS, SYNTAX, read, value

from losslang import model as m
from losslang.errors import SpecError
from losslang.format import format_expression, format_file, format_text
from losslang.parse import parse


def stable(text: str) -> str:
    file = read(text)
    printed = format_file(file)
    again = read(printed)
    assert again.statements == file.statements
    assert sorted(c.text for c in again.comments) == sorted(c.text for c in file.comments)
    assert format_file(again) == printed
    return printed


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_shipped_files_round_trip(path: Path) -> None:
    text = path.read_text("utf-8")
    printed = stable(text)
    assert printed == text or path.parent.name == "rules", (
        "losslang fmt specs/library specs/tasks specs/*.loss"
    )


def test_every_form_round_trips() -> None:
    stable(SYNTAX)
    stable("\n".join(f"{'#' if i % 3 == 0 else ''}let x{i} = 1 # {i}" for i in range(20)))


def test_json_keeps_everything() -> None:
    file = read(SYNTAX)
    back = m.File.model_validate_json(file.model_dump_json())
    assert back == file
    assert [s.span for s in back.statements] == [s.span for s in file.statements]
    assert format_file(back) == format_file(file)
    assert "Loss" in m.File.model_json_schema()["$defs"]


def test_layout() -> None:
    messy = """# top
loss a "doc" input logits:logit[batch,c] over c  "what"
input y : label[batch] of c
# weights
hyper smoothing:real in[0,1)=0.0  # how much
hyper z : real>=0 = 1e-4
term nll=mean[batch where valid(y)]( cross_entropy(logits,y,smoothing) )
term z_loss=mean[batch](logsumexp[c](logits)^2) minimize nll+(z*z_loss)
"""
    assert (
        stable(messy)
        == """# top
loss a
  "doc"

  input logits : logit[batch, c] over c  "what"
  input y      : label[batch] of c

  # weights
  hyper smoothing : real in [0, 1) = 0.0  # how much
  hyper z         : real >= 0      = 1e-4

  term nll    = mean[batch where valid(y)](cross_entropy(logits, y, smoothing))
  term z_loss = mean[batch](logsumexp[c](logits)^2)

  minimize nll + z * z_loss
"""
    )


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((a))", "a"),
        ("(a*b)+c", "a * b + c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a-b)-c", "(a - b) - c"),
        ("-(x^2)", "-x^2"),
        ("(-x)^2", "(-x)^2"),
        ("(x^2)^3", "(x^2)^3"),
        ("x^(2^3)", "x^2^3"),
        ("(x as prob)[c = 1]", "(x as prob)[c = 1]"),
        ("1 - (if a then b else c)", "1 - (if a then b else c)"),
        ("not (a and b)", "not (a and b)"),
        ("(a<b)==c", "(a < b) == c"),
        ("([1,2]along c)[c=0]", "([1, 2] along c)[c = 0]"),
    ],
)
def test_parentheses_are_the_needed_ones(text: str, printed: str) -> None:
    assert format_expression(value(text)) == printed
    assert value(printed) == value(text)


def test_broken_text_is_not_formatted() -> None:
    with pytest.raises(SpecError):
        format_text("term x = ")


def _build(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(children, children)
    return st.one_of(
        two.flatmap(
            lambda p: st.sampled_from(["+", "-", "*", "/", "^", "<", "and", "or"]).map(
                lambda o: f"({p[0]}) {o} ({p[1]})"
            )
        ),
        children.map(lambda c: f"-({c})"),
        children.map(lambda c: f"not ({c})"),
        children.map(lambda c: f"({c})[a = ({c})]"),
        children.map(lambda c: f"({c}) as prob over c"),
        children.map(lambda c: f'([({c}), 1] along a) matching "x"'),
        two.map(lambda p: f"if ({p[0]}) then ({p[1]}) else ({p[0]})"),
        two.map(lambda p: f"let a = ({p[0]}) in ({p[1]})"),
        two.map(lambda p: f"mean[b where ({p[0]}) by ({p[1]})](({p[0]}), k = ({p[1]}))"),
        two.map(lambda p: f"({p[0]}) ~ ({p[1]})"),
    )


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.sampled_from(["x", "1", "f(x)", "x[c = y]"]), _build, max_leaves=8))
def test_any_expression_round_trips(text: str) -> None:
    _, problems = parse(f"let it = {text}")
    if problems:
        assert {d.code for d in problems} == {"LL039"}
        return
    node = value(text)
    assert value(format_expression(node)) == node

"""Bad texts: each mistake gives its code, nothing raises or hangs, and what is whole is kept."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_parse import SPECS, SYNTAX

from losslang import model as m
from losslang.codes import CODES
from losslang.parse import LARGEST_FILE, decode, library, parse
from losslang.parse.mistakes import table
from losslang.parse.parser import parser

EXAMPLES = [(row["code"], text) for row in table().values() for text in row["examples"]]


def codes(text: str) -> list[str]:
    return [d.code for d in parse(text)[1]]


@pytest.mark.parametrize(("code", "text"), EXAMPLES, ids=[f"{c}-{t[:30]}" for c, t in EXAMPLES])
def test_examples_of_the_table(code: str, text: str) -> None:
    _, problems = parse(text, "a.loss")
    assert {d.code for d in problems} - {"LL042"} <= {code} if code != "LL042" else code in codes(text)
    for d in problems:
        assert d.path == "a.loss" and d.help and d.message and d.span.line >= 1
        assert not any(
            name in d.message + d.help for name in parser().tables.symbols if name.isupper() and len(name) > 3
        )


def test_a_repaired_or_skipped_statement_leaves_the_others() -> None:
    file, problems = parse(
        "imput a : real\nterm b = a +\nlet c = a ** 2\nterm d = (a\nminimize b + d)\nlet e = 1"
    )
    assert [d.code for d in problems] == ["LL003", "LL006", "LL015", "LL008", "LL009"]
    assert file is not None
    kept = [(type(s).__name__, getattr(s, "name", "")) for s in file.statements]
    assert kept == [("Input", "a"), ("LetStatement", "c"), ("Minimize", ""), ("LetStatement", "e")]
    assert file.statements[1].value == parse("let c = a^2")[0].statements[0].value  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "inner",
    [
        "({})",
        "f({})",
        "-{}",
        "not {}",
        "2^{}",
        "if a then b else {}",
        "let a = 1 in {}",
        "{}[a = 0]",
        "f(1 + {})",
    ],
)
def test_nesting_is_bounded(inner: str) -> None:
    def nested(depth: int) -> str:
        before, after = inner.split("{}")
        return f"term x = {before * depth}a{after * depth}"

    assert codes(nested(100)) == []
    assert codes(nested(101)) == ["LL039"]
    assert "LL039" in codes(nested(5000))


@pytest.mark.parametrize("joint", [" + ", " * ", " and ", " or ", " - f(a) + "])
def test_chains_do_not_nest(joint: str) -> None:
    assert codes("term x = " + joint.join(["a"] * 2000)) == []


@pytest.mark.parametrize(
    "piece", ["(", '"', '"\\', "1_", "λ", "let ", "each[", "\0", "²", "$", "a ", "input x : ", "term x = 1\n"]
)
def test_a_megabyte_of_anything_ends_soon(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    start = time.process_time()
    file, problems = parse(text)
    assert time.process_time() - start < 20
    assert file is not None and (problems or piece.startswith("term"))


def test_sizes_and_bytes() -> None:
    assert parse("#" * LARGEST_FILE)[1] == []
    assert [d.code for d in parse("#" * (LARGEST_FILE + 1))[1]] == ["LL040"]
    assert [d.code for d in parse("#λ" * (LARGEST_FILE // 3 + 1))[1]] == ["LL040"]
    refused = decode(b"let x = 1\nlet \xff = 2")
    assert not isinstance(refused, str)
    assert (refused.code, refused.line, refused.column) == ("LL041", 2, 5)


@pytest.mark.parametrize(
    "row", [r for r in CODES.values() if r.code < "LL09" and r.bad], ids=lambda r: r.code
)
def test_rows_of_the_table_of_codes(row) -> None:  # type: ignore[no-untyped-def]
    assert row.code in codes(row.bad)
    assert codes(row.good) == []


def test_hints_name_the_meant_word() -> None:
    helps = {text: parse(text)[1][0].help for text in ("trem x = 1", "let x = a && b", "maximize x")}
    assert helps == {
        "trem x = 1": "did you mean `term`?",
        "let x = a && b": "write `and`",
        "maximize x": "did you mean `minimize`?",
    }


def _sane(text: str) -> None:
    file, problems = parse(text)
    assert file is not None
    assert all(d.code in CODES and d.severity == "error" for d in problems)
    lines = text.count("\n") + text.count("\r") + 1
    assert all(1 <= d.span.line <= lines for d in problems)
    assert len(problems) <= 40


@pytest.mark.parametrize("seed", range(4))
def test_mutations_of_specs(seed: int) -> None:
    """A token dropped, doubled, exchanged or put elsewhere gives a diagnostic or another spec."""
    rng = random.Random(seed)
    for text in [SYNTAX, *(p.read_text("utf-8")[:1500] for p in SPECS)]:
        tokens, _, _ = parser().lexer.tokens(text)
        for _ in range(12):
            words = tokens.texts[:]
            at, other = rng.randrange(len(words)), rng.randrange(len(words))
            change = rng.randrange(4)
            if change == 0:
                del words[at]
            elif change == 1:
                words.insert(at, words[at])
            elif change == 2:
                words[at], words[other] = words[other], words[at]
            else:
                words.insert(at, words[other])
            _sane(" ".join(words))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    _sane(text)


WORDS = [
    *parser().tables.words,
    "x",
    "y",
    "f",
    "1",
    "2.5",
    '"s"',
    *"()[]+-*/%^=:,~<>",
    "->",
    "=>",
    "==",
    "!=",
    "<=",
    "\n",
    "#c\n",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_words(words: list[str]) -> None:
    _sane(" ".join(words))


def test_library_is_not_touched_by_broken_specs() -> None:
    assert isinstance(library.definition("huber"), m.Def)

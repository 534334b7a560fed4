"""The grammar, its tables, what the parser reads and where it says that things stand."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from losslang import model as m
from losslang.parse import decode, library, parse, tables
from losslang.parse.parser import Parser
from losslang.source import Span

DATA = Path(__file__).parent / "data"
SYNTAX = (DATA / "syntax.loss").read_text("utf-8")
SPECS = sorted(library.FOLDER.rglob("*.loss"))


def read(text: str) -> m.File:
    file, problems = parse(text)
    assert not problems, "\n".join(map(str, problems))
    assert file is not None
    return file


def value(text: str) -> m.Expression:
    statement = read(f"let it = {text}").statements[0]
    assert isinstance(statement, m.LetStatement)
    return statement.value


def test_grammar_has_no_collisions() -> None:
    pytest.importorskip("interegular")
    from lark import Lark

    Lark(tables.GRAMMAR.read_text("utf-8"), parser="lalr", strict=True, maybe_placeholders=True)


def test_tables_are_fresh() -> None:
    stored = json.loads(tables.TABLES.read_text("utf-8"))
    assert stored == json.loads(json.dumps(tables.compute())), "run `python -m losslang.parse`"


def test_stale_tables_are_computed_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stale = tmp_path / "tables.json"
    stale.write_text('{"grammar": "of another day"}', "utf-8")
    monkeypatch.setattr(tables, "TABLES", stale)
    statements, _, problems = Parser(tables.load()).parse("let x = 1")
    assert not problems and len(statements) == 1


def test_every_rule_is_used() -> None:
    used: set[str | None] = set()
    parser = Parser(tables.load())
    for i, (symbol, length, build, template, plain) in enumerate(parser.rules):
        if build is not None:
            name = parser.tables.rules[i][2]

            def spy(problems, c, span, build=build, name=name):  # type: ignore[no-untyped-def]
                used.add(name)
                return build(problems, c, span)

            parser.rules[i] = (symbol, length, build if name.startswith("__") else spy, template, plain)  # type: ignore[union-attr]
    _, _, problems = parser.parse(SYNTAX + "def g[c](x) = f[c by x where x](x)\ndist h(a) at x = x\n")
    named = {build for _, _, build, _ in parser.tables.rules if build and not build.startswith("__")}
    assert not problems
    assert named - used == set()


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_shipped_files_parse(path: Path) -> None:
    file, problems = parse(path.read_text("utf-8"), str(path))
    assert not problems
    assert file is not None and file.statements


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("-x^2", "-(x^2)"),
        ("x^-0.5", "x^(-0.5)"),
        ("a^b^c", "a^(b^c)"),
        ("a * -b", "a * (-b)"),
        ("a - -b", "a - (-b)"),
        ("a + b * c % d", "a + ((b * c % d))"),
        ("not a < b and c or d", "((not (a < b)) and c) or d"),
        ("-f[n](x)[n = y]", "-((f[n](x))[n = y])"),
        ("key[n -> o][d = 0]^2", "((key[n -> o])[d = 0])^2"),
        ("a + b as prob", "(a + b) as prob"),
        ("if a then b else c + d", "if a then b else (c + d)"),
        ("let a = 1, b = a in a + b", "let a = (1), b = (a) in (a + b)"),
        ("y ~ normal(a + 1, s)", "(y) ~ (normal((a + 1), s))"),
    ],
)
def test_precedence(short: str, full: str) -> None:
    assert value(short) == value(full)


def test_chains_are_flat_and_parentheses_keep_their_grouping() -> None:
    chain = value("a + b - c")
    assert isinstance(chain, m.Chain) and [link.op for link in chain.rest] == ["+", "-"]
    assert value("a + (b - c)") != chain
    assert value("(a and b) and c") != value("a and b and c")


def test_calls_and_picks_are_told_apart() -> None:
    call = value("mean[batch, *r where m by w](x, y = 2)")
    assert isinstance(call, m.Call) and call.along is not None
    assert [(a.name, a.pack) for a in call.along.axes] == [("batch", False), ("r", True)]
    assert call.along.where == value("m") and call.along.by == value("w")
    assert call.kwargs == (m.KeywordArgument.make(name="y", value=value("2")),)
    index = value("x[(h, w) -> pixel, c = y]")
    assert isinstance(index, m.Index)
    assert index.items[0] == m.Rename.make(axes=("h", "w"), to="pixel")
    assert value("size[batch]") == m.Call.make(
        function="size", along=m.Where.make(axes=(m.AxisRef.make(name="batch"),))
    )


@pytest.mark.parametrize(
    "word", sorted({*json.loads(tables.TABLES.read_text("utf-8"))["words"]} - tables.RESERVED)
)
def test_words_that_are_not_reserved_name_anything(word: str) -> None:
    file = read(
        """
        input W : real[W, b] each W
        term W = mean[W, b where W by W](W + W[W = W][W -> W] + (let W = W in W))
        def W[W](W: W = 1) = W(W, W = W)
        axis W = (W)
        """.replace("W", word)
    )
    assert len(file.statements) == 4


def test_names_are_normalized_and_greek_is_welcome() -> None:
    assert value("ﬁt + λ + µ") == value("fit + λ + μ")
    assert read("ｉｎｐｕｔ x : real") == read("input x : real")


def test_numbers() -> None:
    texts = {
        "200_000": 200_000,
        "1e-4": 1e-4,
        "0.5": 0.5,
        ".5": 0.5,
        "5.": 5.0,
        "007": 7,
        "1_0.0_1e1_0": 10.01e10,
    }
    for text, number in texts.items():
        node = value(text)
        assert isinstance(node, m.Number)
        assert (node.value, type(node.value), node.text) == (number, type(number), text)


def test_documentation_is_dedented() -> None:
    loss = read('loss a\n  "One.\n   Two \\"quoted\\".\n     Three."').statements[0]
    assert isinstance(loss, m.Loss)
    assert loss.doc == 'One.\nTwo "quoted".\n  Three.'


def test_statements_belong_to_the_loss_before_them() -> None:
    file = read(
        "input a : real\nloss x minimize a\ncheck 1 == 1\nterm b = a\ndef f(x) = x\nlet c = 1\nloss y = x with a = 1"
    )
    assert [type(s).__name__ for s in file.statements] == [
        "Input",
        "Loss",
        "Check",
        "Def",
        "LetStatement",
        "Variant",
    ]
    loss = file.statements[1]
    assert isinstance(loss, m.Loss) and [type(s).__name__ for s in loss.body] == ["Minimize", "Term"]


def test_spans_are_those_of_the_text() -> None:
    file = read('# a comment\nlet x = (a +\n  log(b))^2 "doc"\n')
    statement = file.statements[0]
    assert isinstance(statement, m.LetStatement)
    power = statement.value
    assert isinstance(power, m.Power) and isinstance(power.base, m.Chain)
    assert statement.span == Span(2, 1, 3, 18)
    assert power.span == Span(2, 9, 3, 12)
    assert power.base.span == Span(2, 10, 3, 9)
    assert power.base.rest[0].operand.span == Span(3, 3, 3, 9)
    assert file.comments[0].span == Span(1, 1, 1, 12)


def test_line_ends_and_byte_order_mark() -> None:
    plain = read("let x = 1\nlet y = 2\n")
    other = read("\ufefflet x = 1\r\nlet y = 2\r")
    assert plain == other
    assert [s.span for s in plain.statements] == [s.span for s in other.statements]
    assert decode("\ufefflet x = λ".encode()) == "let x = λ"


def test_library_definitions_are_those_of_the_files() -> None:
    for _, file in library.all_files():
        for statement in file.statements:
            if isinstance(statement, m.Def):
                found: m.Node | None = library.definition(statement.name)
            elif isinstance(statement, m.Dist):
                found = library.distribution(statement.name)
            elif isinstance(statement, m.Kl):
                found = library.divergence(statement.left, statement.right)
            else:
                assert isinstance(statement, m.Check)
                continue
            assert found == statement
            assert found is not None and found.span == statement.span
    assert library.definition("no such thing") is None
    assert library.checks("huber")
    assert library.where("huber")[2].name == "regression.loss"  # type: ignore[index]


def test_small_specs_parse_quickly() -> None:
    text = SYNTAX[SYNTAX.index("loss whole") :][:600].rsplit("\n", 2)[0]
    parse(text)
    start = time.process_time()
    for _ in range(50):
        parse(text)
    assert (time.process_time() - start) / 50 < 0.006  # 3 ms are asked for; machines differ


def test_codes_of_mistakes_match_the_table_of_codes() -> None:
    from losslang.codes import CODES
    from losslang.parse.mistakes import table

    for row in table().values():
        assert CODES[row["code"]].name == row["id"]
        assert re.fullmatch("LL0\\d\\d", row["code"])

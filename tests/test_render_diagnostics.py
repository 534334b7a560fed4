"""The four output formats of diagnostics, on diagnostics made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from losslang.diagnostics import Diagnostic, Edit, Fix, Related
from losslang.render import github, sarif, text
from losslang.render import json as json_format
from losslang.render.sources import Sources
from losslang.source import NOWHERE, Span

SPEC = "loss a\n  term t = mean[batch](weight * logits)\n  minimize t\n"
AXES = Diagnostic(
    code="LL201",
    severity="error",
    message="`logits` still has the axis `class`",
    span=Span(2, 12, 2, 39),
    help="write mean[batch, class]",
    path="a.loss",
)
UNUSED = Diagnostic("LL304", "warning", "nothing uses `w`", NOWHERE, path="a.loss")


def shown(diagnostic: Diagnostic, source: str = SPEC, color: bool = False) -> str:
    return text.render([diagnostic], Sources({diagnostic.path: source}), color)


def test_text_underlines_the_place() -> None:
    assert shown(AXES) == (
        "a.loss:2:12: error[LL201]: `logits` still has the axis `class`\n"
        "    |\n"
        "  2 |   term t = mean[batch](weight * logits)\n"
        "    |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  help: write mean[batch, class]\n"
    )


def test_text_without_a_place_has_no_snippet() -> None:
    assert shown(UNUSED) == "a.loss: warning[LL304]: nothing uses `w`\n"


def test_text_of_nothing_is_empty() -> None:
    assert text.render([], Sources()) == ""


def test_text_of_a_spec_without_file() -> None:
    told = Diagnostic("LL001", "error", "a bracket is not closed", Span(1, 6, 1, 7))
    assert shown(told, "loss a").splitlines()[0] == "<text>:1:6: error[LL001]: a bracket is not closed"


def test_text_shows_related_places_and_fixes() -> None:
    told = Diagnostic(
        "LL106", "error", "`a` is defined twice", Span(3, 3, 3, 11), path="a.loss",
        related=(Related("first defined here", Span(1, 6, 1, 7)),),
        fix=Fix("rename it", (Edit(Span(3, 3, 3, 4), "b"),)),
    )  # fmt: skip
    lines = shown(told).splitlines()
    assert "  a.loss:1:6: note: first defined here" in lines
    assert "  1 | loss a" in lines
    assert lines[-1] == "  fix: rename it (review it: values may change)"


@pytest.mark.parametrize(
    ("line", "span", "marks"),
    [
        ("ab", Span(1, 3, 1, 3), "  ^"),  # at the end of the line
        ("ab", Span(1, 9, 1, 12), "  ^"),  # beyond it: the file has changed since
        ("损失 x", Span(1, 4, 1, 5), "     ^"),  # wide letters take two cells
        ("\tx", Span(1, 2, 1, 3), "    ^"),  # a tab is shown as blanks
        ("λ\u0301 x", Span(1, 4, 1, 5), "  ^"),  # a combining accent takes none
        ("ab\ncd", Span(1, 2, 2, 3), " ^"),  # a place over several lines: to the end of its first
    ],
)
def test_marks_stand_under_their_place(line: str, span: Span, marks: str) -> None:
    told = Diagnostic("LL001", "error", "m", span, path="a.loss")
    assert shown(told, line).splitlines()[3].removeprefix("    | ") == marks


def test_text_of_a_long_line_is_cut_around_the_place() -> None:
    told = Diagnostic("LL001", "error", "m", Span(1, 5001, 1, 5004), path="a.loss")
    lines = shown(told, "x" * 5000 + "bad" + "y" * 5000).splitlines()
    assert len(lines[2]) < 200
    at = lines[3].index("^")
    assert lines[2][at : at + 3] == "bad"
    assert lines[3].count("^") == 3


def test_text_disarms_control_characters() -> None:
    told = Diagnostic("LL003", "error", "a control \x1b[31m character", Span(1, 1, 1, 3), path="a\n.loss")
    out = shown(told, "\u202ea\x1b[2J")
    assert "\x1b" not in out and "\u202e" not in out
    assert "<U+202E>a<U+001B>[2J" in out
    assert "a<U+000A>.loss:1:1" in out


def test_color_only_when_asked_for() -> None:
    assert "\x1b[1;31merror[LL201]\x1b[0m" in shown(AXES, color=True)
    assert "\x1b" not in shown(AXES)


def test_summary_counts() -> None:
    assert text.summary([AXES, UNUSED, UNUSED], 3) == "1 error and 2 warnings in 3 files"
    assert text.summary([], 1) == "no problems in 1 file"


def test_sources_that_cannot_be_read_have_no_lines(tmp_path: Path) -> None:
    assert Sources().line(str(tmp_path), 1) is None
    assert Sources().line(str(tmp_path / "missing.loss"), 1) is None
    assert Sources().line("a\0b", 1) is None
    (tmp_path / "a.loss").write_bytes(b"\xef\xbb\xbfloss a\r\nx\n")
    assert Sources().line(str(tmp_path / "a.loss"), 1) == "loss a"


def test_json_has_every_field() -> None:
    told = Diagnostic(
        "LL106", "error", "m", Span(3, 3, 3, 11), "h", "a.loss",
        (Related("r", Span(1, 6, 1, 7)),), Fix("t", (Edit(Span(3, 3, 3, 4), "b"),), True),
    )  # fmt: skip
    [first, second] = json.loads(json_format.render([told, UNUSED]))
    assert first == {
        "code": "LL106", "severity": "error", "message": "m", "path": "a.loss", "help": "h",
        "line": 3, "column": 3, "end_line": 3, "end_column": 11,
        "related": [{"label": "r", "path": "a.loss", "line": 1, "column": 6, "end_line": 1, "end_column": 7}],
        "fix": {"title": "t", "safe": True, "edits": [
            {"line": 3, "column": 3, "end_line": 3, "end_column": 4, "replacement": "b"}]},
    }  # fmt: skip
    assert (second["line"], second["fix"], second["related"]) == (0, None, [])


def test_json_of_nothing_is_an_empty_list() -> None:
    assert json.loads(json_format.render([])) == []


def test_github_commands_escape_what_they_must() -> None:
    told = Diagnostic("LL001", "error", "50% of\nthem", Span(1, 2, 1, 3), "a, b: c", "a,b:c.loss")
    assert github.render([told]) == (
        "::error file=a%2Cb%3Ac.loss,title=LL001,line=1,col=2,endLine=1,endColumn=3"
        "::50%25 of%0Athem%0Ahelp: a, b: c\n"
    )
    assert github.render([UNUSED]) == "::warning file=a.loss,title=LL304::nothing uses `w`\n"


def test_sarif_is_a_log_with_rules_and_results() -> None:
    related = Diagnostic(
        "LL106", "error", "m", Span(3, 3, 3, 11), path="/specs dir/a.loss", related=(Related("r", Span(1, 6, 1, 7)),),
        fix=Fix("t", (Edit(Span(3, 3, 3, 4), "b"),)),
    )  # fmt: skip
    log = json.loads(sarif.render([related, UNUSED, UNUSED], {"LL106": "defined twice"}, "1.2"))
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    assert run["tool"]["driver"]["rules"] == [
        {"id": "LL106", "shortDescription": {"text": "defined twice"}},
        {"id": "LL304", "shortDescription": {"text": "LL304"}},
    ]
    first, second, third = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "file:///specs%20dir/a.loss"
    assert place["region"] == {"startLine": 3, "startColumn": 3, "endLine": 3, "endColumn": 11}
    assert first["relatedLocations"][0]["message"] == {"text": "r"}
    change = first["fixes"][0]["artifactChanges"][0]
    assert change["replacements"][0]["insertedContent"] == {"text": "b"}
    assert second == third and second["ruleIndex"] == 1
    assert second["level"] == "warning" and "region" not in second["locations"][0]["physicalLocation"]

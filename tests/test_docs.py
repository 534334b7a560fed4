"""The documentation: its specs are clean, its links lead somewhere, its generated page is up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import losslang
from losslang.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, kind: str) -> list[str]:
    return [text for info, text in FENCE.findall(page.read_text(encoding="utf-8")) if info == kind]


SPECS = [(page.name, at, text) for page in PAGES for at, text in enumerate(blocks(page, "losslang"))]


def test_there_are_specs_in_the_reference() -> None:
    assert sum(name == "language.md" for name, _, _ in SPECS) >= 5


@pytest.mark.parametrize(("name", "at", "text"), SPECS, ids=[f"{name}-{at}" for name, at, _ in SPECS])
def test_specs_in_the_documentation_are_clean(name: str, at: int, text: str) -> None:
    assert [str(d) for d in losslang.check(text)] == []


@pytest.mark.parametrize(("name", "at", "text"), SPECS, ids=[f"{name}-{at}" for name, at, _ in SPECS])
def test_worked_examples_in_the_documentation_hold(name: str, at: int, text: str) -> None:
    from losslang.spec import Spec
    from losslang.worked import Worked

    outcomes = list(Worked(Spec.load(text).file, None).run("numpy"))
    assert len(outcomes) == text.count("\ncheck ")
    assert [o for o in outcomes if not o.passed] == []


@pytest.mark.parametrize("text", blocks(DOCS / "language.md", "python"))
def test_code_in_the_reference_runs(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(text, "language.md", "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in heads}, target


def test_the_page_of_diagnostics_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr or "run: python docs/generate.py"


def test_the_command_line_page_knows_every_command_and_option() -> None:
    import click

    told = (DOCS / "cli.md").read_text(encoding="utf-8")
    with click.Context(cli) as context:
        for name in COMMANDS:
            assert f"losslang {name}" in told
            command = cli.get_command(context, name)
            assert command is not None
            for parameter in command.params:
                long = [o for o in parameter.opts if o.startswith("--")]
                assert not long or f"`{long[0]}" in told or f"{long[0]} " in told, f"{name} {long}"


def test_examples_of_codes_hold() -> None:
    """Every bad example gives its code, every good one does not."""
    from losslang.codes import CODES

    for row in CODES.values():
        if row.bad:
            assert row.code in {d.code for d in losslang.check(row.bad + "\n")}, row.code
        if row.good:
            assert row.code not in {d.code for d in losslang.check(row.good + "\n")}, row.code

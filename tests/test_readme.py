"""README.md is true: its specs check, its code runs, its transcripts are what the commands print.

``python tests/test_readme.py`` writes the transcripts anew.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import losslang
from losslang.cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[tuple[str, str]]:
    """The rest of the info string and the text of every block of this kind."""
    found = FENCE.findall(README.read_text(encoding="utf-8"))
    return [(info.removeprefix(kind).strip(), text) for info, text in found if info.split(" ")[0] == kind]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the README's specs and the checkout's folders."""
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepare(folder: Path) -> None:
    for name, text in blocks("losslang"):
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("docs", "specs"):
        (folder / name).symlink_to(ROOT / name)


def output(command: str) -> str:
    """What a losslang command prints, both streams in order."""
    return (
        CliRunner().invoke(cli, shlex.split(command)[1:], catch_exceptions=False, prog_name="losslang").output
    )


def transcripts() -> Iterator[tuple[str, str]]:
    for _, text in blocks("console"):
        first, _, rest = text.partition("\n")
        yield first.removeprefix("$ "), rest


def test_the_first_spec_is_clean(workplace: Path) -> None:
    assert losslang.check(workplace / "digits.loss") == []


def test_the_first_spec_is_ten_lines() -> None:
    [(name, text), _] = blocks("losslang")
    assert name == "digits.loss" and len(text.splitlines()) == 10


@pytest.mark.parametrize("at", range(len(blocks("python"))))
def test_code_runs(at: int, workplace: Path) -> None:
    exec(compile(blocks("python")[at][1], f"README block {at}", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(("command", "expected"), list(transcripts()))
def test_transcripts(command: str, expected: str, workplace: Path) -> None:
    assert output(command) == expected


def test_the_code_shown_is_generated(workplace: Path) -> None:
    source = losslang.compile(workplace / "digits.loss").source
    [(_, shown)] = blocks("text")
    assert [line for line in shown.splitlines() if line not in source] == []


@pytest.mark.parametrize(
    "command",
    [
        line.split("#")[0].strip()
        for _, text in blocks("sh")
        for line in text.splitlines()
        if line.startswith("losslang")
    ],
)
def test_commands_succeed(command: str, workplace: Path) -> None:
    quick = ["--budget", "1", "--backend", "numpy"] if " verify " in command else []
    result = CliRunner().invoke(cli, [*shlex.split(command)[1:], *quick], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_install_commands_name_what_exists() -> None:
    installs = [text for _, text in blocks("sh") if "pip install" in text]
    first, second = installs
    assert "pip install . " in first and "losslang run" in first
    words = first.split()
    assert (ROOT / words[words.index("run") + 1]).is_file() and (ROOT / words[-1]).is_file()
    assert '-e ".[test]"' in second and second.strip().endswith("pytest")


def test_links_lead_somewhere() -> None:
    prose = re.sub(r"`[^`]*`", "", FENCE.sub("", README.read_text(encoding="utf-8")))
    targets = re.findall(r"\]\(([^)#]+)", prose)
    assert targets and [t for t in targets if not (ROOT / t).exists()] == []


def rewrite() -> None:
    """Put what the commands print now into the transcripts."""
    import tempfile

    text = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        os.chdir(folder)
        for command, old in transcripts():
            text = text.replace(f"$ {command}\n{old}```", f"$ {command}\n{output(command)}```")
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(rewrite())

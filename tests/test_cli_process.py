"""The command line as a process: what a start imports and takes, pipes that close, terminals without Unicode."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DIGITS = str(ROOT / "docs" / "examples" / "digits.loss")
MAIN = [sys.executable, "-m", "losslang.cli.main"]


def loaded_after(*args: str) -> set[str]:
    """The top-level modules in memory after a command, and the command's success."""
    code = (
        "import sys\n"
        "from losslang.cli.main import cli\n"
        f"status = cli(args={list(args)!r}, prog_name='losslang', standalone_mode=False)\n"
        "sys.stderr.write('\\nLOADED ' + ' '.join(sorted({m.split('.')[0] for m in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rsplit("LOADED ", 1)[1].split())


@pytest.mark.parametrize(
    "args",
    [
        ("check", DIGITS),
        ("fmt", "--check", DIGITS),
        ("schema",),
        ("list",),
        ("new",),
        ("new", "ranking"),
        ("explain", "LL001"),
    ],
)
def test_light_commands_import_no_array_library(args: tuple[str, ...]) -> None:
    assert loaded_after(*args) & {"torch", "jax", "matplotlib", "numpy", "rich", "lark", "scipy"} == set()


@pytest.mark.parametrize(
    "args",
    [("explain", DIGITS), ("compile", DIGITS, "--backend", "torch"), ("test", DIGITS, "--backend", "numpy")],
)
def test_no_command_imports_a_framework_it_does_not_run(args: tuple[str, ...]) -> None:
    assert loaded_after(*args) & {"torch", "jax", "matplotlib", "scipy"} == set()


def test_a_cold_check_is_quick() -> None:
    """Five times the promise leaves room for a loaded machine; an import of an array library does not fit."""
    best = 10.0
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([*MAIN, "check", DIGITS], capture_output=True, check=True)
        best = min(best, time.perf_counter() - start)
    assert best < 2.0


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    process = subprocess.Popen([*MAIN, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.wait(timeout=60)
    assert "Traceback" not in errors


def test_a_terminal_without_unicode_is_no_error() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = subprocess.run([*MAIN, "explain", "huber"], env=environment, capture_output=True)
    assert done.returncode == 0 and b"{r\xb2 / 2 if |r| ? ?;" in done.stdout


def test_output_to_a_file_has_no_colour(tmp_path: Path) -> None:
    (tmp_path / "a.loss").write_text("loss a\n minimize x\n", encoding="utf-8")
    done = subprocess.run([*MAIN, "check", "a.loss"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 1 and b"\x1b" not in done.stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal, which this system lacks")
def test_a_terminal_gets_colour_unless_switched_off(tmp_path: Path) -> None:
    (tmp_path / "a.loss").write_text("loss a\n minimize x\n", encoding="utf-8")

    def on_terminal(**extra: str) -> bytes:
        leader, follower = os.openpty()
        environment = {**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm", **extra}
        process = subprocess.Popen(
            [*MAIN, "check", "a.loss"],
            cwd=tmp_path,
            stdout=follower,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        process.wait(timeout=60)
        os.close(follower)
        told = os.read(leader, 65536)
        os.close(leader)
        return told

    assert b"\x1b[1;31merror[" in on_terminal()
    assert b"\x1b" not in on_terminal(NO_COLOR="1")


def test_an_interrupt_is_no_traceback() -> None:
    process = subprocess.Popen(
        [*MAIN, "check", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(1.0)
    process.send_signal(2)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0 and b"Traceback" not in errors

"""A wheel, unpacked elsewhere, holds everything: the code, the grammar, the specs, the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKED = ("pyproject.toml", "README.md", "LICENSE", "losslang", "backends", "grammar", "specs")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an installed wheel would be."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")
    for name in PACKED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=unwanted)
        else:
            shutil.copy(ROOT / name, source / name)
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(built)!r})"
    done = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "would be ignored" not in done.stderr, "a folder with data is missing from `packages`"
    [wheel] = built.glob("*.whl")
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run(installed: Path, cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """A Python process that sees the unpacked wheel before anything else, outside the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *args], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


def test_everything_shipped_is_in_the_wheel(installed: Path) -> None:
    for room in ("grammar", "specs"):
        shipped = {
            p.relative_to(ROOT) for s in ("*.loss", "*.lark", "*.json") for p in (ROOT / room).rglob(s)
        }
        missing = [str(p) for p in sorted(shipped) if not (installed / "losslang" / p).is_file()]
        assert shipped and missing == []
    modules = {p.relative_to(ROOT) for p in (ROOT / "losslang").rglob("*.py")}
    assert [str(p) for p in sorted(modules) if not (installed / p).is_file()] == []


def test_the_wheel_brings_no_other_top_level_package(installed: Path) -> None:
    tops = {p.name for p in installed.iterdir() if not p.name.endswith(".dist-info")}
    assert tops == {"losslang"}


def test_the_wheel_compiles_a_loss(installed: Path, tmp_path: Path) -> None:
    code = (
        "import losslang, sys\n"
        f"assert losslang.__file__.startswith({str(installed)!r}), losslang.__file__\n"
        "import losslang.backends\n"
        f"assert losslang.backends.__file__.startswith({str(installed)!r}), losslang.backends.__file__\n"
        "fn = losslang.compile('loss a\\n input x: real[n]\\n term t = mean[n](huber(x, 0))\\n minimize t')\n"
        "print(float(fn(x=[0.5, 0.5]).total))\n"
    )
    done = run(installed, tmp_path, "-c", code)
    assert (done.returncode, done.stdout) == (0, "0.125\n"), done.stderr


def test_the_command_line_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    made = run(installed, tmp_path, "-m", "losslang.cli.main", "new", "classification", "-o", "a.loss")
    assert made.returncode == 0, made.stderr
    checked = run(installed, tmp_path, "-m", "losslang.cli.main", "check", "a.loss")
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stderr
    [scripts] = installed.glob("*.dist-info/entry_points.txt")
    assert "losslang = losslang.cli.main:main" in scripts.read_text(encoding="utf-8")

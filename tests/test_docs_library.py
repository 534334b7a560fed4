"""The reference of the library: its pages are as the generator writes them, and what they show is there."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from losslang.cli.gradients import sample
from losslang.parse import library

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "library"


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_library", FOLDER.parent / "generate_library.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


generator = _generator()
PAGES = generator.pages()


def test_pages_are_up_to_date() -> None:
    assert generator.stale() == [], "run: python docs/generate_library.py"


def test_every_entry_has_its_place() -> None:
    names = library.names()
    for name in names["def"] + names["dist"]:
        entry = library.where(name) or library.where(name, "dist")
        assert entry is not None
        assert f"\n## {name}\n" in PAGES[f"{entry.path.stem}.md"]
        assert f"({entry.path.stem}.md#{name})" in PAGES["index.md"]
    for page, text in PAGES.items():
        heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert len(heads) == len(set(heads)), page


def test_plots_are_those_that_the_pages_show() -> None:
    shown = {name for text in PAGES.values() for name in re.findall(r"\]\(plots/([^)]*)\)", text)}
    there = {path.name: path for path in (FOLDER / "plots").glob("*")}
    assert shown == set(there), "run: python docs/plot_library.py"
    assert len(shown) > 50
    for path in there.values():
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert max(path.stat().st_size for path in there.values()) < 15_000
    assert sum(path.stat().st_size for path in there.values()) < 6_000 * len(there)


def test_plots_show_something_that_varies() -> None:
    """A flat line says that the other arguments stand where the entry is 0: give them another place."""
    flat = set()
    for path in (FOLDER / "plots").glob("*.svg"):
        curve = re.search(r'<path d="(M [^"]*)"[^>]*stroke: #1f77b4', path.read_text("utf-8"))
        assert curve is not None, path
        if len(set(re.findall(r"[ML] [\d.]+ ([\d.]+)", curve[1]))) < 2:
            flat.add(path.stem)
    assert flat == {"dist_uniform"}


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_lead_to_entries(page: str) -> None:
    for name, anchor in re.findall(r"\]\((\w+\.md)?#(\w+)\)", PAGES[page]):
        assert f"\n## {anchor}\n" in PAGES[name or page], (name, anchor)


def test_formulas_use_what_renderers_of_markdown_know() -> None:
    text = "".join(PAGES.values())
    assert r"\operatorname" not in text
    assert len(re.findall(r"^\$\$$", text, re.MULTILINE)) % 2 == 0


@pytest.mark.parametrize("page", sorted(set(PAGES) - {"index.md"}))
def test_every_entry_can_be_sampled(page: str) -> None:
    """What plots and ``losslang explain`` start from: the entry at inputs of its parameters' kinds."""
    [file] = [file for group, file in library.all_files() if f"{group}.md" == page]
    for statement in file.statements:
        if statement.type in ("def", "dist"):
            lowered = sample(statement)
            assert len(lowered.reports) == 1, statement.name

"""The shipped definitions and rules, parsed one at a time and only when something asks for them.

The library is much larger than what one spec uses of it. A scan for the words that begin a
statement at the start of a line (the layout of every shipped file; a test holds them to it) finds
where each definition stands, in about a millisecond for all files; parsing waits until its name is
asked for. Everything is remembered for the life of the process.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import NamedTuple

import losslang.specs
from losslang.model import Check, Def, Dist, File, Kl, Node, Rule
from losslang.parse import parse
from losslang.parse.parser import parser

FOLDER = Path(losslang.specs.__file__).parent

_STATEMENT = re.compile(r"^(def|dist|kl|rule|check|extern|axis|import|loss)\b[ \t]*(\w*)", re.MULTILINE)
_PAIR = re.compile(r"kl\s+(\w+)[^)]*\)\s*,\s*(\w+)")


class Entry(NamedTuple):
    """Where a definition stands: its file, the part of its text, the line that it begins on."""

    kind: str
    name: str
    path: Path
    text: str
    line: int


class Index:
    """The definitions of a folder of spec files, by kind and name (``left,right`` for a kl)."""

    def __init__(self, folder: Path) -> None:
        self.entries: dict[tuple[str, str], Entry] = {}
        for path in sorted(folder.glob("*.loss")):
            for entry in _scan(path):
                self.entries.setdefault((entry.kind, entry.name), entry)

    def names(self, kind: str) -> list[str]:
        return [name for k, name in self.entries if k == kind]

    def node(self, kind: str, name: str) -> Node | None:
        """The definition, parsed now; None if there is none of that name."""
        entry = self.entries.get((kind, name))
        if entry is None:
            return None
        statements, _, problems = parser().parse(entry.text, entry.line)
        return None if problems or not statements else statements[0]


def _scan(path: Path) -> list[Entry]:
    text = path.read_text("utf-8")
    found = list(_STATEMENT.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    entries = []
    line, seen = 1, 0
    for match, end in zip(found, ends, strict=True):
        kind, name = match.groups()
        line += text.count("\n", seen, match.start())
        seen = match.start()
        if kind == "check":
            continue
        part = text[seen:end]
        if kind == "kl" and (pair := _PAIR.match(part)):
            name = ",".join(pair.groups())
        entries.append(Entry(kind, name, path, part, line))
    return entries


@functools.cache
def index(folder: str = "library") -> Index:
    """What ``specs/library`` (or another folder of ``specs``) defines."""
    return Index(FOLDER / folder)


@functools.cache
def definition(name: str) -> Def | None:
    """The library's function of that name."""
    node = index().node("def", name)
    return node if isinstance(node, Def) else None


@functools.cache
def distribution(name: str) -> Dist | None:
    """The library's distribution of that name."""
    node = index().node("dist", name)
    return node if isinstance(node, Dist) else None


@functools.cache
def divergence(left: str, right: str) -> Kl | None:
    """The library's closed form of KL(left, right)."""
    node = index().node("kl", f"{left},{right}")
    return node if isinstance(node, Kl) else None


def names() -> dict[str, list[str]]:
    """The names of all functions (``def``) and distributions (``dist``), in the order of the files."""
    return {kind: index().names(kind) for kind in ("def", "dist")}


def divergences() -> list[tuple[str, str]]:
    """The pairs of distributions whose KL divergence has a closed form."""
    return [(left, right) for left, _, right in (n.partition(",") for n in index().names("kl"))]


def where(name: str, kind: str = "def") -> Entry | None:
    """The place and text of a definition (``kind`` is def, dist or kl)."""
    return index().entries.get((kind, name))


def paths(folder: str = "library") -> list[Path]:
    """The shipped files, in order."""
    return sorted((FOLDER / folder).glob("*.loss"))


@functools.cache
def file(path: Path) -> File:
    """A whole shipped file.

    Raises:
        ValueError: the file has syntax errors, which the tests rule out.
    """
    found, problems = parse(path.read_text("utf-8"), str(path))
    if problems or found is None:
        raise ValueError("\n".join(map(str, problems)))
    return found


def all_files(folder: str = "library") -> list[tuple[str, File]]:
    """Every file of the library with its name, such as ``("regression", File(…))``."""
    return [(path.stem, file(path)) for path in paths(folder)]


def checks_of(path: Path) -> list[Check]:
    """The worked examples of a shipped file."""
    return [s for s in file(path).statements if isinstance(s, Check)]


@functools.cache
def checks(name: str) -> tuple[Check, ...]:
    """The worked examples that follow the definition of this name."""
    entry = where(name) or where(name, "dist")
    if entry is None:
        return ()
    out: list[Check] = []
    inside = False
    for statement in file(entry.path).statements:
        if isinstance(statement, Def | Dist | Kl):
            inside = not isinstance(statement, Kl) and statement.name == name
        elif inside and isinstance(statement, Check):
            out.append(statement)
    return tuple(out)


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Every rewrite rule of ``specs/rules``, in the order of the files."""
    return tuple(s for _, f in all_files("rules") for s in f.statements if isinstance(s, Rule))

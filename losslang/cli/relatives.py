"""What in the library belongs together: what calls what, and what names what as its family."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from losslang.ops import OPS
from losslang.parse import library
from losslang.render import docfields

_DOC = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_CALL = re.compile(r"(\w+)\s*([\[(])")
_WORD = re.compile(r"(?<![\w-])\w+(?![\w-])")
_PARAMETER = re.compile(r"[(,]\s*(\w+):")


@dataclass(frozen=True)
class Relatives:
    """Names of the library, in its order. ``family``: those that one family text names with the entry."""

    calls: tuple[str, ...] = ()
    called_by: tuple[str, ...] = ()
    family: tuple[str, ...] = ()

    def shown(self) -> dict[str, str]:
        """By label, what there is."""
        fields = {"calls": self.calls, "called by": self.called_by, "relatives": self.family}
        return {label: ", ".join(names) for label, names in fields.items() if names}


def relatives(name: str, kind: str = "def") -> Relatives:
    """The relatives of a definition (``kind`` is def or dist)."""
    calls, families = _links()
    key = (kind, name)
    family = {other for members in families.values() if name in members for other in members} - {name}
    family |= families.get(key, frozenset()) - {name}
    ordered = list(dict.fromkeys(each for _, each in calls))
    callers = {each for (_, each), called in calls.items() if name in called} if kind == "def" else set()
    return Relatives(
        tuple(each for each in ordered if each in calls.get(key, ())),
        tuple(each for each in ordered if each in callers),
        tuple(each for each in ordered if each in family),
    )


@functools.cache
def _links() -> tuple[dict[tuple[str, str], frozenset[str]], dict[tuple[str, str], frozenset[str]]]:
    """What each entry calls, and whom its family text names, itself included. Read off the texts: parsing
    the whole library takes longer than a page about one entry may."""
    entries = {key: entry for key, entry in library.index().entries.items() if key[0] in ("def", "dist")}
    known = {name for _, name in entries}
    # A family text that says "beta" means a parameter, not the distribution of that name.
    parameters = {each for entry in entries.values() for each in _PARAMETER.findall(_head(entry.text))}
    calls, families = {}, {}
    for (kind, name), entry in entries.items():
        doc = _DOC.search(entry.text)
        body = entry.text[doc.end() :] if doc else entry.text.partition("=")[2]
        calls[kind, name] = frozenset(_called(body) & known - {name})
        family = docfields.read(doc[1] if doc else "").fields.get("family", "")
        named = set(_WORD.findall(family)) & known - parameters
        families[kind, name] = frozenset(named | {name}) if named else frozenset()
    return calls, families


def _head(text: str) -> str:
    """A definition up to its text or its body."""
    return re.split(r'"|\n', text, maxsplit=1)[0]


def _called(body: str) -> set[str]:
    """The functions that a text calls. A name that is an operation too is meant where it has axes."""
    return {name for name, bracket in _CALL.findall(body) if bracket == "[" or name not in OPS}

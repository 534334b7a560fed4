"""Characters as a terminal shows them: how wide they are, and which of them must not reach it."""

from __future__ import annotations

import unicodedata

#: Cc controls, Cf invisible formatting (bidirectional marks, zero-width), Zl/Zp separators, lone surrogates.
_UNSAFE = ("Cc", "Cf", "Zl", "Zp", "Cs")
_TAB = "    "


def visible(text: str) -> str:
    """``text`` on one line, tabs as blanks, and every character that could disturb a terminal named."""
    return "".join(_shown(c) for c in text)


def width(text: str) -> int:
    """The number of terminal cells that ``visible(text)`` takes."""
    return sum(_cells(c) for c in visible(text))


def _shown(character: str) -> str:
    if character == "\t":
        return _TAB
    if unicodedata.category(character) in _UNSAFE:
        return f"<U+{ord(character):04X}>"
    return character


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

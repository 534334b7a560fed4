"""Text to tokens, with their places. Never fails: what is wrong becomes a problem and a best guess."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from losslang.model import Comment
from losslang.parse.build import MOST_PROBLEMS, Problem
from losslang.parse.tables import Tables
from losslang.source import Span

Place = tuple[int, int]

#: Characters that cannot be seen, or that change how the text around them looks.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

#: Signs of other notations: what to read instead, and the help. The first that fits counts.
_FOREIGN = {
    "&&": "and", "||": "or", "**": "^", "&": "and", "|": "or", "!": "not", "−": "-", "–": "-", "×": "*", "·": "*",
    "⋅": "*", "∗": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "→": "->", "⇒": "=>", "∧": "and", "∨": "or",
    "¬": "not", "∈": "in", ":=": "=", "===": "==", "!==": "!=", "<>": "!=", "=<": "<=", "∼": "~", "“": '"', "”": '"',
    "//": "/", "+=": "=", "{": "(", "}": ")",
}  # fmt: skip
_ROOTS = {"²": "^2", "³": "^3", "½": "0.5", "√": "sqrt(…)", "∑": "sum[axis](…)", "Σ": "sum[axis](…)", "∏": "prod[axis](…)",
          "∞": "inf", "'": '"', "’": '"', "‘": '"', "`": "", ".": "", ";": "", "\\": "", "@": "dot[axis](a, b)",
          "$": "", "?": ""}  # fmt: skip


class Tokens(NamedTuple):
    """Parallel lists, one entry a token; the last is ``$END``. Kinds are symbols of the tables."""

    kinds: list[int]
    texts: list[str]
    starts: list[Place]
    ends: list[Place]


class Lexer:
    """The scanner for one set of tables."""

    def __init__(self, tables: Tables) -> None:
        number = {name: i for i, name in enumerate(tables.symbols[: tables.terminals])}
        self.number = number
        self.words = {word: number[name] for word, name in tables.words.items()}
        self.signs = {
            sign: number[name]
            for name, pattern in tables.patterns
            if name not in tables.ignored
            for sign in _signs(pattern)
        }
        self.name, self.string, self.literal = number["NAME"], number["STRING"], number["NUMBER"]
        ahead = [f"(?P<{n}>{p})" for n, p in tables.patterns if n in ("EACH_OF", "NUMBER", "STRING", "NAME")]
        rest = [re.escape(s) for s in sorted(self.signs, key=len, reverse=True)]
        foreign = [
            re.escape(s) + ("(?!=)" if s == "!" else "") for s in sorted(_FOREIGN, key=len, reverse=True)
        ]
        self.scan = re.compile(
            "|".join(
                [
                    r"[ \t]*(?:(?P<NEWLINE>\n)",
                    *ahead,
                    "(?P<COMMENT>#[^\n]*)",
                    f"(?P<FOREIGN>{'|'.join(foreign)})",
                    f"(?P<SIGN>{'|'.join(rest)})",
                    "(?P<END>\\Z)",
                    "(?P<OTHER>(?P<ONE>.)(?P=ONE)*))",
                ]
            ),
            re.DOTALL,
        ).match
        self.each = number["EACH_OF"]

    def tokens(self, text: str, line: int = 1) -> tuple[Tokens, list[Comment], list[Problem]]:
        """The tokens of a text whose first line has this number."""
        kinds: list[int] = []
        texts: list[str] = []
        starts: list[Place] = []
        ends: list[Place] = []
        comments: list[Comment] = []
        problems: list[Problem] = []
        signs, words, name, scan = self.signs, self.words, self.name, self.scan
        position, line_start = 0, -1  # columns count from 1
        while True:
            match = scan(text, position)
            assert match is not None
            group = match.lastgroup
            position = match.end()
            if group == "NEWLINE":
                line += 1
                line_start = position - 1
                continue
            assert group is not None
            first = match.start(group)
            found = text[first:position]
            begin = (line, first - line_start)
            if group == "NAME":
                if not found.isascii():
                    found = _normalized(found, Span(*begin, line, position - line_start), problems)
                kinds.append(words.get(found, name))
            elif group == "SIGN":
                kinds.append(signs[found])
            elif group == "NUMBER":
                following = text[position : position + 1]
                if following and (following.isalnum() or following in "_."):
                    position = self._spoilt_number(text, first, line, line_start, problems)
                kinds.append(self.literal)
            elif group == "STRING":
                kinds.append(self.string)
                breaks = found.count("\n")
                if breaks:
                    line += breaks
                    line_start = first + found.rfind("\n")
            elif group == "COMMENT":
                span = Span(*begin, line, position - line_start)
                comments.append(Comment.make(span=span, text=found[1:].removeprefix(" ").rstrip()))
                continue
            elif group == "EACH_OF":
                kinds.append(self.each)
            elif group == "END":
                kinds.append(0)
                texts.append("")
                starts.append(begin)
                ends.append(begin)
                return Tokens(kinds, texts, starts, ends), comments, problems
            else:
                span = Span(*begin, line, position - line_start)
                if len(problems) > MOST_PROBLEMS:
                    text, position = "", 0  # enough: the text ends here
                    continue
                if group == "FOREIGN":
                    found = self._foreign(found, span, problems)
                elif found == '"':
                    position = self._open_string(text, first, span, problems)
                    found = text[first:position] + '"'
                else:
                    self._unknown(found, span, problems)
                    continue
                if found not in signs and found not in words and found[0] != '"':
                    continue
                kinds.append(
                    self.string if found[0] == '"' else signs[found] if found in signs else words[found]
                )
            texts.append(found)
            starts.append(begin)
            ends.append((line, position - line_start))

    def _foreign(self, found: str, span: Span, problems: list[Problem]) -> str:
        instead = _FOREIGN[found]
        problems.append(("foreign-sign", span, {"text": found, "instead": instead}))
        return instead

    def _open_string(self, text: str, first: int, span: Span, problems: list[Problem]) -> int:
        """A string that nothing closes is taken to end with its line."""
        problems.append(("open-string", span, {}))
        end = text.find("\n", first)
        return len(text) if end < 0 else end

    def _unknown(self, found: str, span: Span, problems: list[Problem]) -> None:
        if problems and problems[-1][0] == "unknown-character" and problems[-1][1][2:] == span[:2]:
            row, before, data = problems[-1]
            data = {**data, "text": data["text"][:40] + found}
            problems[-1] = (row, before.to(span), data)
            return
        instead = _ROOTS.get(found[0])
        row = "unknown-character" if not instead else "foreign-character"
        problems.append((row, span, {"text": found[:40], "instead": instead or ""}))

    def _spoilt_number(
        self, text: str, first: int, line: int, line_start: int, problems: list[Problem]
    ) -> int:
        match = re.compile(r"[\w.]+").match(text, first)
        assert match is not None
        found = match.group()
        parts = re.match(r"([\d_.]+)([^\W\d]\w*)$", found)
        span = Span(line, first - line_start, line, match.end() - line_start)
        if parts and not re.match(r"[xXoObB]\d|[eE]\d*$", parts.group(2)):
            data = {"number": parts.group(1)[:40], "name": parts.group(2)[:40]}
            problems.append(("number-beside-name", span, data))
        else:
            problems.append(("malformed-number", span, {"text": found[:40]}))
        return match.end()


def clean(text: str) -> tuple[str, list[Problem]]:
    """The text with unix line ends, without its byte-order mark and unseen characters."""
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _FORBIDDEN.search(text) is None:
        return text, []
    problems: list[Problem] = []
    line, line_start = 1, -1
    position = 0
    for match in _FORBIDDEN.finditer(text):
        line += text.count("\n", position, match.start())
        line_start = text.rfind("\n", 0, match.start())
        position = match.start()
        column = match.start() - line_start
        problems.append(("unseen-character", Span(line, column, line, column + 1), _character(match.group())))
        if len(problems) == 20:
            break
    return _FORBIDDEN.sub(" ", text), problems


def _character(c: str) -> dict[str, str]:
    return {"code": f"U+{ord(c):04X}", "name": unicodedata.name(c, "a control character").lower()}


def _normalized(found: str, span: Span, problems: list[Problem]) -> str:
    text = unicodedata.normalize("NFKC", found)
    for c in found:
        if c in _ROOTS or (unicodedata.category(c) == "No"):
            problems.append(
                (
                    "foreign-character",
                    span,
                    {"text": c, "instead": _ROOTS.get(c) or unicodedata.normalize("NFKC", c)},
                )
            )
            return "".join(c for c in text if c.isascii() and c.isalnum()) or "_"
    if not text.isidentifier():
        problems.append(("unknown-character", span, {"text": found[:40], "instead": ""}))
        return "_"
    return text


def _signs(pattern: str) -> list[str]:
    """The signs of a terminal without letters: ``\\->`` or ``(?:<=|<)``."""
    if pattern.startswith("(?:") and "[" not in pattern:
        return [re.sub(r"\\(.)", r"\1", p) for p in pattern[3:-1].split("|")]
    plain = re.sub(r"\\(.)", r"\1", pattern)
    return [plain] if len(plain) <= 2 and not plain[0].isalnum() else []

"""Text to model: ``parse`` never fails; what is wrong with a text comes back as diagnostics."""

from __future__ import annotations

from losslang.diagnostics import Diagnostic
from losslang.model import File
from losslang.parse import build
from losslang.parse.lexer import clean
from losslang.parse.mistakes import diagnostic
from losslang.parse.parser import parser
from losslang.source import Span

#: Files are at most this many bytes.
LARGEST_FILE = 1_000_000

__all__ = ["LARGEST_FILE", "decode", "parse"]


def parse(text: str, path: str | None = None) -> tuple[File | None, list[Diagnostic]]:
    """The model of a spec's text, and what is wrong with its syntax.

    After a mistake the file holds every statement that could be read; it is None only if the text
    is too large to be looked at. ``path`` goes into the diagnostics.
    """
    if len(text) > LARGEST_FILE or len(text.encode("utf-8", "surrogatepass")) > LARGEST_FILE:
        return None, [diagnostic(("file-too-large", Span(1, 1, 1, 1), {}), path)]
    text, problems = clean(text)
    statements, comments, more = parser().parse(text)
    problems += more
    diagnostics = _diagnostics(problems, path) if problems else []
    return build.file(statements, comments), diagnostics


def _diagnostics(problems: list[build.Problem], path: str | None) -> list[Diagnostic]:
    """In the order of the text, each once, and not more than anyone reads."""
    once = {(row, span[:2]): (row, span, data) for row, span, data in reversed(problems)}
    ordered = sorted(once.values(), key=lambda p: p[1])
    if len(problems) >= build.MOST_PROBLEMS:
        ordered = ordered[: build.MOST_PROBLEMS]
        ordered.append(("too-many", ordered[-1][1], {}))
    return [diagnostic(p, path) for p in ordered]


def decode(data: bytes, path: str | None = None) -> str | Diagnostic:
    """The text of a file's bytes, which must be UTF-8 (a byte-order mark is fine)."""
    if len(data) > LARGEST_FILE:
        return diagnostic(("file-too-large", Span(1, 1, 1, 1), {}), path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        span = Span(line, column, line, column + 1)
        return diagnostic(("not-utf8", span, {"offset": str(error.start)}), path)

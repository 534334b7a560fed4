"""Diagnostics for a person: where, what, the line itself with the place underlined, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from losslang.diagnostics import Diagnostic, Related
from losslang.render.characters import visible, width
from losslang.render.sources import Sources
from losslang.source import Span

_STYLES = {"error": "1;31", "warning": "1;33", "help": "1;36", "frame": "34", "strong": "1"}
_CUT = 160  # cells of a source line that are shown around the place


def render(diagnostics: Sequence[Diagnostic], sources: Sources, color: bool = False) -> str:
    """One block for each diagnostic, separated by empty lines; empty for none."""
    return "\n".join(_block(d, sources, color) for d in diagnostics)


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """``2 errors and 1 warning in 3 files``."""
    errors = sum(d.is_error for d in diagnostics)
    warnings = len(diagnostics) - errors
    found = [_many(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n]
    checked = _many(files, "file")
    return f"{' and '.join(found)} in {checked}" if found else f"no problems in {checked}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _block(diagnostic: Diagnostic, sources: Sources, color: bool) -> str:
    paint = _Painter(color)
    kind = paint(f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity)
    place = _place(diagnostic.path, diagnostic.span)
    lines = [f"{paint(place, 'strong')}: {kind}: {_wrapped(diagnostic.message)}"]
    lines += _snippet(diagnostic.path, diagnostic.span, sources, paint, diagnostic.severity)
    for related in diagnostic.related:
        lines += _related(related, diagnostic.path, sources, paint)
    if diagnostic.help:
        lines.append(f"  {paint('help', 'help')}: {_wrapped(diagnostic.help)}")
    if diagnostic.fix is not None:
        safety = "safe" if diagnostic.fix.safe else "review it: values may change"
        lines.append(f"  {paint('fix', 'help')}: {_wrapped(diagnostic.fix.title)} ({safety})")
    return "\n".join(lines) + "\n"


def _related(related: Related, home: str | None, sources: Sources, paint: _Painter) -> list[str]:
    path = related.path or home
    head = f"  {_place(path, related.span)}: {paint('note', 'help')}: {_wrapped(related.label)}"
    return [head, *_snippet(path, related.span, sources, paint, "help")]


def _place(path: str | None, span: Span) -> str:
    name = visible(path) if path is not None else "<text>"
    return f"{name}:{span.line}:{span.column}" if span.line else name


def _wrapped(message: str) -> str:
    """Further lines of a message stand under its first one."""
    return "\n    ".join(visible(line) for line in message.split("\n"))


def _snippet(path: str | None, span: Span, sources: Sources, paint: _Painter, style: str) -> list[str]:
    line = sources.line(path, span.line) if span.line else None
    if line is None:
        return []
    start = min(max(span.column - 1, 0), len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    end = min(max(end, start), len(line))
    shown, start, end, more = _window(line, start, end)
    gutter = " " * len(str(span.line))
    blank, marks = " " * width(shown[:start]), "^" * max(width(shown[start:end]), 1)
    more += " …" if span.end_line > span.line else ""
    bar = paint("|", "frame")
    return [
        f"  {gutter} {bar}",
        f"  {paint(str(span.line), 'frame')} {bar} {visible(shown).rstrip()}{more}",
        f"  {gutter} {bar} {blank}{paint(marks, style)}",
    ]


def _window(line: str, start: int, end: int) -> tuple[str, int, int, str]:
    """The part of an overlong line that holds the place, with the place's columns in that part."""
    if len(line) <= _CUT:
        return line, start, end, ""
    first = max(0, min(start - _CUT // 4, len(line) - _CUT))
    last = first + _CUT
    head = "… " if first else ""
    shift = len(head) - first
    return head + line[first:last], start + shift, min(end, last) + shift, " …" if last < len(line) else ""


class _Painter:
    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color else text

"""The texts that diagnostics point into, read when a snippet is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class Sources:
    """Lines of source files by path; ``known`` holds texts that no file has (stdin, a string).

    A file that cannot be read has no lines: a report must not fail over its decoration.
    """

    def __init__(self, known: Mapping[str | None, str] | None = None) -> None:
        self._lines: dict[str | None, list[str]] = {
            path: _split(text) for path, text in (known or {}).items()
        }

    def line(self, path: str | None, number: int) -> str | None:
        """Line ``number`` (from 1) of ``path``, without its end; None where there is none."""
        if path not in self._lines:
            self._lines[path] = _read(path)
        lines = self._lines[path]
        return lines[number - 1] if 1 <= number <= len(lines) else None


def _read(path: str | None) -> list[str]:
    if path is None:
        return []
    try:
        return _split(Path(path).read_bytes().decode("utf-8-sig", errors="replace"))
    except (OSError, ValueError):
        return []


def _split(text: str) -> list[str]:
    # Not splitlines(): it also breaks at characters that do not end a line of a spec.
    return text.replace("\r\n", "\n").split("\n")

"""The specs that PATH arguments stand for: files, the ``.loss`` files of folders, and stdin."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from losslang.cli.failures import Usage

if TYPE_CHECKING:
    from losslang.spec import Spec

STDIN = "-"


def expand(paths: Sequence[str]) -> list[str]:
    """Every file once, in the order given, those of a folder by name; ``-`` stays.

    Raises Usage for a path that does not exist or a folder without specs.
    """
    found: dict[str, None] = {}
    for path in paths:
        for file in _files(path):
            found.setdefault(file)
    return list(found)


def _files(path: str) -> Iterator[str]:
    if path == STDIN:
        yield path
        return
    try:
        is_folder, exists = os.path.isdir(path), os.path.exists(path)
    except ValueError:  # a NUL character
        is_folder = exists = False
    if is_folder:
        inside = sorted(str(p) for p in Path(path).rglob("*.loss") if p.is_file() and not _hidden(p, path))
        if not inside:
            raise Usage(f"no .loss files in {path!r}")
        yield from inside
    elif exists:
        yield path
    else:
        raise Usage(f"no such file or folder: {path!r}")


def _hidden(file: Path, root: str) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def read_spec(target: str) -> Spec:
    """The spec of a file or of stdin, with its problems."""
    from losslang.spec import Spec

    if target != STDIN:
        return Spec.read(Path(target))
    return Spec.read(read_stdin())


def read_stdin() -> bytes:
    """All of standard input."""
    return sys.stdin.buffer.read()


def load_spec(target: str) -> Spec:
    """The spec of a file or of stdin.

    Raises SpecError where it has errors, Usage where there is no such file.
    """
    from losslang.errors import SpecError

    if target != STDIN and os.path.isdir(target):
        raise Usage(f"{target!r} is a folder: name one of its files")
    [file] = expand([target])
    spec = read_spec(file)
    if spec.errors:
        raise SpecError(spec.diagnostics)
    return spec

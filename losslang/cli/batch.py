"""Reading a batch from an ``.npz`` file: arrays by the names of a loss's inputs."""

from __future__ import annotations

import zipfile
import zlib
from typing import Any

from losslang.cli.failures import Problem, Usage, describe

#: A member of a collection: ``theta/encoder.weight``.
MEMBER = "/"


def read(path: str) -> dict[str, Any]:
    """Every entry of an ``.npz`` file. Raises Usage for a file that is none, Problem for what it holds."""
    import numpy as np

    try:
        file = np.load(path, allow_pickle=False)
    except OSError as error:
        raise Usage(describe(error)) from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise Usage(f"{path!r} is not an .npz file: write one with numpy.savez") from error
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise Usage(f"{path!r} holds one array without a name: write an .npz file with numpy.savez")
    with file:
        return {name: _entry(file, name, path) for name in file.files}


def _entry(file: Any, name: str, path: str) -> Any:
    try:
        value = file[name]
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        if "pickle" in str(error).lower():
            raise Problem(
                f"`{name}` in {path!r} holds Python objects, not numbers: save it as an array"
            ) from error
        raise Problem(f"`{name}` in {path!r} cannot be read: {error}") from error
    if not hasattr(value, "dtype"):
        raise Problem(f"`{name}` in {path!r} is not an array")
    if value.dtype.kind not in "biuf":
        raise Problem(f"`{name}` in {path!r} holds {value.dtype}, not numbers")
    return value


def chosen(entries: dict[str, Any], inputs: list[str], collections: list[str], path: str) -> dict[str, Any]:
    """The entries that the inputs need; a collection is made of its members. Raises Problem for missing ones."""
    batch: dict[str, Any] = {}
    for name in inputs:
        members = {
            key.removeprefix(name + MEMBER): v for key, v in entries.items() if key.startswith(name + MEMBER)
        }
        if name in entries:
            batch[name] = {"0": entries[name]} if name in collections else entries[name]
        elif name in collections and members:
            batch[name] = members
    missing = [name for name in inputs if name not in batch]
    if missing:
        have = ", ".join(f"`{name}`" for name in entries) or "nothing"
        raise Problem(f"{path!r} lacks {', '.join(f'`{name}`' for name in missing)}; it holds {have}")
    return batch


def unused(entries: dict[str, Any], inputs: list[str]) -> list[str]:
    """Entries that no input takes."""
    return [name for name in entries if name.split(MEMBER)[0] not in inputs]

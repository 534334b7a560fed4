"""Options of the form ``--hyper NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Sequence

from losslang.cli.failures import Usage


def numbers(settings: Sequence[str], option: str) -> dict[str, float]:
    """``["a=1", "b=2e-3"]`` as numbers by name. Raises Usage for anything else."""
    found: dict[str, float] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        try:
            found[name] = float(text)
        except ValueError:
            name = ""
        if not equals or not name:
            raise Usage(f"{option} takes NAME=NUMBER, not {setting!r}")
    return found

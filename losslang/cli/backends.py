"""The options ``--backend`` and ``--device``."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import click

BACKENDS = ("numpy", "torch", "jax")


def backend_option(default: str | None = None, help: str = "") -> Callable[[Any], Any]:
    """``--backend B``, where B is one that losslang knows."""
    return click.option(
        "--backend",
        "-b",
        type=click.Choice(BACKENDS),
        default=default,
        show_default=default is not None,
        help=help,
    )


def device_option() -> Callable[[Any], Any]:
    """``--device D``, for the backends that have several."""
    return click.option(
        "--device",
        metavar="NAME",
        help="Where PyTorch and JAX compute: cpu, cuda, cuda:1, …; by default where they would.",
    )


def installed() -> list[str]:
    """The backends whose library can be imported, found without importing it."""
    return [name for name in BACKENDS if importlib.util.find_spec(name) is not None]

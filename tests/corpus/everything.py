"""All entries, from every file of the corpus."""

from __future__ import annotations

from . import disguises, engineering, moved, reals, sigmoids, softmaxes, textbook  # noqa: F401
from .entries import ENTRIES

__all__ = ["ENTRIES"]

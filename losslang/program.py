"""What a backend is asked to write: functions from arrays to arrays, as graphs."""

from __future__ import annotations

from dataclasses import dataclass

from losslang.ir import Node


@dataclass(frozen=True)
class Parameter:
    """An array argument. ``node`` is its ``input`` node (None for one that the function ignores);
    ``axes`` is the order of its dimensions. Real arrays come in the computing type, integers as
    int64 (int32 under JAX without x64), booleans as bool."""

    name: str
    node: Node | None
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """A returned array, its dimensions in the order of ``axes``."""

    node: Node
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    """``def name(*parameters, real)``: ``real`` is the computing type; returns a tuple of the results."""

    name: str
    parameters: tuple[Parameter, ...]
    results: tuple[Result, ...]
    doc: str = ""

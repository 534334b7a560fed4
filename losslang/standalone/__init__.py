"""A compiled loss as a module of its own, which needs its backend and not losslang.

The emitted functions take arrays in a fixed order and a computing type. What is written around
them here gives them names, defaults, schedules and checks of shapes, and makes the total
differentiable by the framework.
"""

from __future__ import annotations

from losslang.standalone.writer import module_text

__all__ = ["module_text"]

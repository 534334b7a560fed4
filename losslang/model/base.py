"""The common base of all syntax nodes."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from losslang.source import NOWHERE, Span


class Node(BaseModel):
    """A frozen piece of syntax. Two nodes are equal when they say the same, wherever they stand."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    span: Span = NOWHERE

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """Build a node from parts that are right by construction, as the parser's are.

        Skips validation: building the validators of all node classes takes longer than a whole
        check may, and only models that come from outside (JSON) need them.
        """
        node = cls.__new__(cls)
        defaults = _defaults(cls)
        object.__setattr__(node, "__dict__", {**defaults, **fields})
        object.__setattr__(node, "__pydantic_fields_set__", set(fields))
        object.__setattr__(node, "__pydantic_extra__", None)
        object.__setattr__(node, "__pydantic_private__", None)
        return node

    def _content(self) -> tuple[Any, ...]:
        return tuple(value for name, value in self.__dict__.items() if name != "span")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return type(self) is type(other) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash((type(self), self._content()))


_DEFAULTS: dict[type[Node], dict[str, Any]] = {}


def _defaults(cls: type[Node]) -> dict[str, Any]:
    if cls not in _DEFAULTS:
        fields = cls.__pydantic_fields__
        _DEFAULTS[cls] = {name: None if f.is_required() else f.default for name, f in fields.items()}
    return _DEFAULTS[cls]

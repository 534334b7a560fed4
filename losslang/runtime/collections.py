"""Collections of model tensors: flattened to (key, tensor) pairs, gradients put back in the same shape.

Mappings, sequences and any nesting of them; a PyTorch module stands for its named parameters. The key
of a nested member is its path joined with ".", as PyTorch names parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from losslang.errors import InputError
from losslang.runtime.words import type_name


def members(value: Any, name: str, is_array: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    """The arrays of a collection with their keys, in the collection's order."""
    found: list[tuple[str, Any]] = []
    _collect(_opened(value), "", name, is_array, found)
    if not found:
        raise InputError(f"`{name}` holds no tensors", name)
    if len({key for key, _ in found}) < len(found):
        raise InputError(f"two members of `{name}` have the same key: keys are paths joined with '.'", name)
    return found


def mirrored(value: Any, gradients: Mapping[str, Any], is_array: Callable[[Any], bool]) -> Any:
    """The gradients in the shape of the collection; None at members that are not floating."""
    return _rebuild(_opened(value), "", gradients, is_array)


def _opened(value: Any) -> Any:
    """A module as the mapping of its parameters; everything else as it is."""
    named = getattr(value, "named_parameters", None)
    return dict(named()) if callable(named) else value


def _items(value: Any) -> list[tuple[str, Any]] | None:
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(str(position), item) for position, item in enumerate(value)]
    return None


def _collect(
    value: Any, path: str, name: str, is_array: Callable[[Any], bool], found: list[tuple[str, Any]]
) -> None:
    if is_array(value):
        found.append((path or "0", value))
        return
    items = _items(value)
    if items is None:
        where = f'`{name}["{path}"]`' if path else f"`{name}`"
        raise InputError(
            f"{where} should be a mapping, a sequence or a module of tensors, not {type_name(value)}", name
        )
    for key, item in items:
        _collect(_opened(item), f"{path}.{key}" if path else key, name, is_array, found)


def _rebuild(value: Any, path: str, gradients: Mapping[str, Any], is_array: Callable[[Any], bool]) -> Any:
    if is_array(value):
        return gradients.get(path or "0")
    items = _items(value) or []
    inner = {
        key: _rebuild(_opened(item), f"{path}.{key}" if path else key, gradients, is_array)
        for key, item in items
    }
    if isinstance(value, Mapping):
        return dict(zip(value, inner.values(), strict=True))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*inner.values())
    return type(value)(inner.values()) if type(value) in (list, tuple) else list(inner.values())

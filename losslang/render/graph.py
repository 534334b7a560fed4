"""A graph as a listing: one line a node, arguments before their users, numbered as they appear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losslang.ir import Node, walk


def listing(results: Mapping[str, Node]) -> str:
    """Every node that the results need, then the results by name.

    Numbers are those of the listing, so equal graphs have equal texts.
    """
    nodes = list(walk(results.values()))
    numbers = {node: at for at, node in enumerate(nodes)}
    lines = [_line(node, numbers) for node in nodes]
    lines += [f"{name} = %{numbers[node]}" for name, node in results.items()]
    return "\n".join(lines) + "\n"


def _line(node: Node, numbers: Mapping[Node, int]) -> str:
    arguments = ", ".join(f"%{numbers[a]}" for a in node.args)
    axes = f" [{', '.join(sorted(node.axes))}]" if node.axes else ""
    return f"%{numbers[node]} = {node.op}{_attribute(node.attr)}({arguments}) : {node.elem}{axes}"


def _attribute(attr: Any) -> str:
    if attr is None:
        return ""
    shown = ", ".join(sorted(attr)) if isinstance(attr, frozenset) else attr
    return f"{{{shown}}}"

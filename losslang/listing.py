"""A graph as text, one node a line."""

from __future__ import annotations

from collections.abc import Sequence

from losslang.ir import Node, walk


def listed(roots: Sequence[Node], names: Sequence[str]) -> str:
    """Every node that the roots need, arguments first, and then the roots by their names."""
    numbers: dict[Node, int] = {}
    lines = []
    for node in walk(roots):
        arguments = ", ".join(f"%{numbers[arg]}" for arg in node.args)
        attr = f" {_attribute(node)}" if node.attr is not None else ""
        axes = f"[{', '.join(sorted(node.axes))}]" if node.axes else ""
        lines.append(f"%{len(numbers)} = {node.op}{attr}({arguments}) : {node.elem}{axes}")
        numbers[node] = len(numbers)
    return "\n".join([*lines, *(f"{n}: %{numbers[r]}" for n, r in zip(names, roots, strict=False)), ""])


def _attribute(node: Node) -> str:
    if isinstance(node.attr, frozenset):
        return f"[{', '.join(sorted(node.attr))}]"
    if node.op in ("input", "extern"):
        return str(node.attr[0])
    return str(node.attr)

"""A formula of the corpus, as written, in the plain operations of a framework.

The graph that the checker makes of a formula is written out node by node, before anything rewrites it:
``log(1 + exp(x))`` becomes ``torch.log(1.0 + torch.exp(x))``. The framework differentiates the result
itself. Dimensions stand in one order (``i`` first, then the other axes by name) for every array.

Two meanings of the language that a plain formula lacks are granted where an input is a probability, which may
be exactly 0 or 1: its logarithm at 0 is that of the smallest normal number, and 0 times it is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from losslang.ir import Graph, Node, walk
from losslang.lowered import LoweredLoss

TINY = 2.0**-126

#: ``lib`` is the framework's namespace; the rest is what ``benchmarks.frameworks`` names.
COMMON = {
    **{op: f"lib.{op}({{0}})" for op in ("exp", "log", "log1p", "sqrt", "abs", "sin", "cos", "sinh", "cosh", "tanh")},
    "neg": "(-{0})", "div": "({0} / {1})", "maximum": "lib.maximum({0}, {1})", "minimum": "lib.minimum({0}, {1})",
    "select": "lib.where({0}, {1}, {2})", "lt": "({0} < {1})", "le": "({0} <= {1})", "prod": "{0}.prod(axis={axis})",
    "clip": "lib.minimum(lib.maximum({0}, {1}), {2})", "sum": "{0}.sum(axis={axes})", "max": "lib.amax({0}, axis={axis})",
    "normal_cdf": "normal_cdf({0})", "erf": "erf({0})", "erfc": "erfc({0})",
    "sigmoid": "sigmoid({0})", "softplus": "softplus({0})", "softmax": "softmax({0}, {axis})", "lgamma": "lgamma({0})",
    "stop": "stop({0})", "to_real": "real({0})", "permute": "{0}.transpose({order})",
    "eq": "({0} == {1})", "ne": "({0} != {1})", "asin": "lib.arcsin({0})", "acos": "lib.arccos({0})", "atanh": "lib.arctanh({0})",
}  # fmt: skip
TABLES = {
    "torch": COMMON | {"permute": "{0}.permute({order})"},
    "jax": COMMON,
    "pytensor": COMMON
    | {"eq": "lib.eq({0}, {1})", "ne": "lib.neq({0}, {1})", "max": "lib.max({0}, axis={axis})"},
}


@dataclass(frozen=True)
class Plain:
    """``source`` defines ``formula(*names)``, which returns the total and the value at every point."""

    names: tuple[str, ...]
    wrt: tuple[str, ...]
    source: str


def translate(lowered: LoweredLoss, wrt: tuple[str, ...], framework: str) -> Plain:
    """The formula in ``framework``: ``torch``, ``jax`` or ``pytensor``."""
    value, total = lowered.reports[0].node, lowered.terms[0].node
    names = tuple(i.name for i in lowered.inputs)
    writer = _Writer(TABLES[framework], lowered.graph)
    lines = [f"    v{n.id} = {writer.written(n)}" for n in walk([value, total])]
    text = [f"def formula({', '.join(names)}):", *lines, f"    return v{total.id}, v{value.id}"]
    return Plain(names, wrt, "\n".join(text) + "\n")


def _order(axes: frozenset[str]) -> list[str]:
    return sorted(axes, key=lambda a: (a != "i", a))


class _Writer:
    def __init__(self, table: dict[str, str], graph: Graph) -> None:
        self.table = table
        self.graph = graph

    def written(self, node: Node) -> str:
        special: Callable[[Node], str] | None = getattr(self, f"_{node.op}", None)
        if special is not None:
            return special(node)
        if node.op in ("sum", "prod", "max", "softmax"):
            axes = [_order(node.args[0].axes).index(a) for a in node.attr]
            assert node.op == "sum" or len(axes) == 1
            return self.table[node.op].format(f"v{node.args[0].id}", axis=axes[0], axes=tuple(sorted(axes)))
        return self.table[node.op].format(*self._aligned(node.args, node.axes))

    def _aligned(self, args: tuple[Node, ...], axes: frozenset[str]) -> list[str]:
        return [self._placed(a, axes) for a in args]

    def _placed(self, node: Node, axes: frozenset[str]) -> str:
        """``node`` with a dimension of length 1 for each of the axes that it lacks."""
        if not node.axes or node.axes == axes:
            return f"v{node.id}"
        return f"v{node.id}[{', '.join(':' if a in node.axes else 'None' for a in _order(axes))}]"

    def _input(self, node: Node) -> str:
        return str(node.attr[0])

    def _const(self, node: Node) -> str:
        return f"const({node.attr!r})"

    def _length(self, axis: str) -> int:
        root = self.graph.size_root(axis)
        size = root if not isinstance(root, str) else self.graph.axis_sizes[root]
        return size.size

    def _size(self, node: Node) -> str:
        return f"const({self._length(node.attr)})"

    def _index(self, node: Node) -> str:
        return f"lib.arange({self._length(node.attr)})"

    def _add(self, node: Node) -> str:
        """``a + (-b)`` is the ``a - b`` that was written."""
        plus = [a for a in node.args if a.op != "neg"]
        minus = [a.args[0] for a in node.args if a.op == "neg"]
        if not plus:
            return " + ".join(self._aligned(node.args, node.axes))
        text = " + ".join(self._aligned(tuple(plus), node.axes))
        return text + "".join(f" - {self._placed(a, node.axes)}" for a in minus)

    def _mul(self, node: Node) -> str:
        return " * ".join(self._aligned(node.args, node.axes))

    def _pow(self, node: Node) -> str:
        base, exponent = node.args
        if exponent.op == "const":
            return f"v{base.id} ** {exponent.attr!r}"
        return " ** ".join(self._aligned(node.args, node.axes))

    def _contract(self, node: Node) -> str:
        both = node.args[0].axes | node.args[1].axes
        axes = tuple(sorted(_order(both).index(a) for a in node.attr))
        return f"({' * '.join(self._aligned(node.args, both))}).sum(axis={axes})"

    def _rename(self, node: Node) -> str:
        old, new = node.attr
        before = [new if a == old else a for a in _order(node.args[0].axes)]
        order = tuple(before.index(a) for a in _order(node.axes))
        if order == tuple(range(len(order))):
            return f"v{node.args[0].id}"
        return self.table["permute"].format(f"v{node.args[0].id}", order=order)

    def _gather(self, node: Node) -> str:
        x, at = node.args
        if at.op == "const":
            return f"v{x.id}[{', '.join(str(at.attr) if a == node.attr else ':' for a in _order(x.axes))}]"
        index = [
            self._placed(at, node.axes) if a == node.attr else self._positions(a, x, node.axes)
            for a in _order(x.axes)
        ]
        return f"v{x.id}[{', '.join(index)}]"

    def _positions(self, axis: str, x: Node, axes: frozenset[str]) -> str:
        shape = ", ".join(":" if a == axis else "None" for a in _order(axes))
        return f"lib.arange(v{x.id}.shape[{_order(x.axes).index(axis)}])[{shape}]"

    def _stack(self, node: Node) -> str:
        rest = node.axes - {node.attr}
        return f"stack([{', '.join(self._aligned(node.args, rest))}], {_order(node.axes).index(node.attr)})"

    def _log_saturated(self, node: Node) -> str:
        x = f"v{node.args[0].id}"
        return (
            f"lib.log({x} + lib.where({self._zero(x)}, const({TINY}), const(0.0)))"
            if _of_prob(node)
            else f"lib.log({x})"
        )

    def _silence(self, node: Node) -> str:
        x, y = self._aligned(node.args, node.axes)
        silent = f"{self._zero(x)} & lib.isinf({y})"
        return f"{x} * lib.where({silent}, const(0.0), {y})" if _of_prob(node) else f"{x} * {y}"

    def _zero(self, x: str) -> str:
        return self.table["eq"].format(x, "const(0.0)")


def _of_prob(node: Node) -> bool:
    """Whether an input goes in that may be exactly 0 and at most 1."""
    declared = node.graph.declared
    inputs = (declared[n] for n in walk([node]) if n.op == "input" and n in declared)
    return any(k.low == 0 and k.high == 1 for k in inputs)

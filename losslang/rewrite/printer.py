"""Nodes as formulas in the notation of the language, for traces and dumps."""

from __future__ import annotations

from losslang.ir import Node

_LIMIT = 400
_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<="}


def formula(node: Node) -> str:
    """``node`` as text; long formulas end in dots."""
    text = _Printer().show(node, 0)
    return text if len(text) <= _LIMIT else text[: _LIMIT - 1] + "…"


class _Printer:
    def __init__(self) -> None:
        self.budget = 120

    def show(self, node: Node, outer: int) -> str:
        self.budget -= 1
        if self.budget < 0:
            return "…"
        text, strength = self.form(node)
        return f"({text})" if strength < outer else text

    def form(self, node: Node) -> tuple[str, int]:
        writer = getattr(self, f"op_{node.op}", None)
        if writer is not None:
            result: tuple[str, int] = writer(node)
            return result
        if node.op in _COMPARE:
            a, b = (self.show(x, _SUM) for x in node.args)
            return f"{a} {_COMPARE[node.op]} {b}", 0
        along = ""
        if isinstance(node.attr, frozenset):
            along = f"[{', '.join(sorted(_plain(a) for a in node.attr))}]"
        elif isinstance(node.attr, str):
            along = f"[{_plain(node.attr)}]"
        return f"{node.op}{along}({', '.join(self.show(a, 0) for a in node.args)})", _ATOM

    def op_const(self, node: Node) -> tuple[str, int]:
        value = node.attr
        text = str(value).lower() if isinstance(value, bool) else f"{value:g}"
        return text, _ATOM if not isinstance(value, bool) and value >= 0 else _PRODUCT

    def op_limit(self, node: Node) -> tuple[str, int]:
        return node.attr, _ATOM

    def op_input(self, node: Node) -> tuple[str, int]:
        return node.attr[0], _ATOM

    def op_index(self, node: Node) -> tuple[str, int]:
        return _plain(node.attr), _ATOM

    def op_size(self, node: Node) -> tuple[str, int]:
        return f"size[{_plain(node.attr)}]", _ATOM

    def op_add(self, node: Node) -> tuple[str, int]:
        text = self.show(node.args[0], _SUM)
        for arg in node.args[1:]:
            if arg.op == "neg":
                text += f" - {self.show(arg.args[0], _PRODUCT)}"
            else:
                text += f" + {self.show(arg, _SUM)}"
        return text, _SUM

    def op_neg(self, node: Node) -> tuple[str, int]:
        return f"-{self.show(node.args[0], _PRODUCT)}", _PRODUCT

    def op_mul(self, node: Node) -> tuple[str, int]:
        return " * ".join(self.show(a, _PRODUCT) for a in node.args), _PRODUCT

    def op_silence(self, node: Node) -> tuple[str, int]:
        return self.op_mul(node)

    def op_div(self, node: Node) -> tuple[str, int]:
        return f"{self.show(node.args[0], _PRODUCT)} / {self.show(node.args[1], _POWER)}", _PRODUCT

    def op_pow(self, node: Node) -> tuple[str, int]:
        return f"{self.show(node.args[0], _ATOM)}^{self.show(node.args[1], _ATOM)}", _POWER

    def op_select(self, node: Node) -> tuple[str, int]:
        c, a, b = (self.show(x, 0) for x in node.args)
        return f"if {c} then {a} else {b}", 0

    def op_computed_as(self, node: Node) -> tuple[str, int]:
        return self.form(node.args[1])

    def op_log_saturated(self, node: Node) -> tuple[str, int]:
        return f"log({self.show(node.args[0], 0)})", _ATOM

    def op_to_real(self, node: Node) -> tuple[str, int]:
        return self.form(node.args[0])

    def op_broadcast(self, node: Node) -> tuple[str, int]:
        return self.form(node.args[0])

    def op_contract(self, node: Node) -> tuple[str, int]:
        a, b = (self.show(x, 0) for x in node.args)
        return f"dot[{', '.join(sorted(_plain(x) for x in node.attr))}]({a}, {b})", _ATOM

    def op_gather(self, node: Node) -> tuple[str, int]:
        return f"{self.show(node.args[0], _ATOM)}[{_plain(node.attr)} = {self.show(node.args[1], 0)}]", _ATOM

    def op_rename(self, node: Node) -> tuple[str, int]:
        old, new = node.attr
        return f"{self.show(node.args[0], _ATOM)}[{_plain(old)} -> {_plain(new)}]", _ATOM

    def op_merge(self, node: Node) -> tuple[str, int]:
        old, new = node.attr
        return f"{self.show(node.args[0], _ATOM)}[({', '.join(map(_plain, old))}) -> {_plain(new)}]", _ATOM

    def op_stack(self, node: Node) -> tuple[str, int]:
        return f"[{', '.join(self.show(a, 0) for a in node.args)}] along {_plain(node.attr)}", _ATOM


def _plain(axis: str) -> str:
    return axis.split("~")[0]

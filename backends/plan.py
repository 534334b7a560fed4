"""What to fuse before emission: products that are summed at once, and picks out of a softmax.

A product whose array would be larger than any of its factors is never formed when only a sum of it
is needed: the sum becomes a contraction. A place picked out of a softmax or log-softmax that is not
needed as a whole is computed from the picked logit alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from losslang.ir import Node, walk


@dataclass(frozen=True)
class Product:
    """A sum of the product of ``factors``, times the ``scalars``, over what the node lacks."""

    factors: tuple[Node, ...]
    scalars: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Pick:
    """One place of the softmax or log_softmax ``whole`` along ``axis``, which it normalizes."""

    whole: Node
    axis: str


Step = Product | Pick


class Plan:
    """``steps`` says how the fused nodes are computed, ``order`` what is computed at all."""

    def __init__(self, roots: Sequence[Node]) -> None:
        nodes = list(walk(roots))
        users: dict[Node, list[Node]] = {}
        for node in nodes:
            for arg in node.args:
                users.setdefault(arg, []).append(node)
        self._users = users
        self._roots = set(roots)
        self.steps: dict[Node, Step] = {}
        for node in nodes:
            step = self._fuse(node)
            if step is not None:
                self.steps[node] = step
        self.order = self._needed(roots)
        self.uses = Counter(arg for node in self.order for arg in self.inputs(node))
        self.uses.update(roots)

    def inputs(self, node: Node) -> tuple[Node, ...]:
        """What the computation of ``node`` reads."""
        step = self.steps.get(node)
        if isinstance(step, Product):
            return step.scalars + step.factors
        if isinstance(step, Pick):
            return (*step.whole.args, node.args[1])
        if node.op == "computed_as":
            return node.args[1:]
        return node.args

    def _needed(self, roots: Sequence[Node]) -> list[Node]:
        order: list[Node] = []
        seen: set[Node] = set()
        stack = [(root, False) for root in reversed(roots)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((a, False) for a in reversed(self.inputs(node)) if a not in seen)
        return order

    def _single(self, node: Node) -> bool:
        return len(self._users.get(node, ())) == 1 and node not in self._roots

    def _fuse(self, node: Node) -> Step | None:
        if node.op == "gather":
            return self._pick(node)
        if node.elem != "real":
            return None
        if node.op == "sum" and node.args[0].op == "mul" and node.args[0].elem == "real":
            return self._product(node, [node.args[0]])
        if node.op == "contract":
            return self._product(node, list(node.args)) or Product(node.args)
        return None

    def _product(self, node: Node, parts: list[Node]) -> Product | None:
        """Opens products that nothing else needs; None where that would not save an array."""
        opened, leaves = False, []
        todo = list(reversed(parts))
        while todo:
            part = todo.pop()
            if part.op == "mul" and part.elem == "real" and self._single(part) and _grows(part):
                opened = True
                todo.extend(reversed(part.args))
            else:
                leaves.append(part)
        if not opened:
            return None
        factors = tuple(leaf for leaf in leaves if leaf.axes)
        return Product(factors, tuple(leaf for leaf in leaves if not leaf.axes))

    def _pick(self, node: Node) -> Pick | None:
        """Seen through the renaming of the picked axis that a pick usually comes with."""
        whole, axis = _through_rename(node)
        if whole.op not in ("softmax", "log_softmax") or whole in self._roots:
            return None
        if axis not in whole.attr or axis in node.args[1].axes:
            return None
        return Pick(whole, axis) if all(self._picks(user, whole) for user in self._users[whole]) else None

    def _picks(self, user: Node, whole: Node) -> bool:
        """Whether ``user`` only picks from ``whole``, so that it is not needed as a whole."""
        if user.op == "rename":
            return user not in self._roots and all(
                u.op == "gather" and u.args[0] is user and u.attr == user.attr[1] and self._picks(u, whole)
                for u in self._users.get(user, ())
            )
        source, axis = _through_rename(user)
        if source is not whole or axis not in whole.attr:
            return False
        return whole not in user.args[1:] and axis not in user.args[1].axes


def _through_rename(gather: Node) -> tuple[Node, str]:
    """What a gather picks from and along which of its axes, before that axis was renamed."""
    if gather.op != "gather":
        return gather, ""
    source = gather.args[0]
    if source.op == "rename" and source.attr[1] == gather.attr:
        return source.args[0], source.attr[0]
    return source, gather.attr


def _grows(product: Node) -> bool:
    return all(arg.axes != product.axes for arg in product.args)

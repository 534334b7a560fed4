"""Matching patterns against nodes, modulo association, commutation, signs and constants.

A pattern is a graph of its own whose inputs are the variables; it has been settled like any other
graph, so that it meets settled nodes in their own shape. Sums and products are compared in normal
form. A match is a dictionary from variable to node, and from ``[axis]`` to a set of axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from losslang.interval import Interval
from losslang.ir import Node, peel
from losslang.ranges import interval_of
from losslang.rewrite.forms import (
    Linear,
    Monomial,
    build_sum,
    number,
    scaled,
    shared_linear,
    shared_monomial,
)

Match = dict[str, Any]
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Variables:
    """The variables of a rule: the interval each must lie in, and the names that stand for axes."""

    intervals: Mapping[str, Interval]
    axes: frozenset[str]


class Matcher:
    """Matches one rule's pattern. ``axes`` of the match are kept under ``[name]``."""

    def __init__(self, variables: Variables, loose: bool = False, partly: bool = False) -> None:
        """``loose``: what is left of a product may divide by factors that it lacks; ``partly``: if it has one."""
        self.variables = variables
        self.loose = loose
        self.partly = partly

    def matches(self, pattern: Node, node: Node, found: Match) -> Iterator[Match]:
        """Every way in which ``pattern`` is ``node``, given what is already bound."""
        pattern, node = plain(pattern), plain(node)
        if pattern.op == "input":
            yield from self._variable(pattern.attr[0], node, found)
        elif number(pattern) is not None:
            value = number(node)
            if value is not None and _close(value, number(pattern) or 0.0):
                yield found
        elif pattern.op in ("add", "neg"):
            if node.elem == "real":
                yield from self._sum(shared_linear(pattern), shared_linear(node), found, node)
        elif pattern.op == "pow" and number(pattern.args[1]) is None:  # a variable exponent: no product
            if node.op == "pow":
                yield from self._same(pattern, node, found)
        elif pattern.op in ("mul", "div", "pow"):
            yield from self._product(pattern, node, found)
        elif pattern.op == node.op:
            yield from self._same(pattern, node, found)

    def _variable(self, name: str, node: Node, found: Match) -> Iterator[Match]:
        bound = found.get(name)
        if bound is not None:
            if bound is node:
                yield found
            return
        wanted = self.variables.intervals[name]
        if node.elem == "real" and interval_of(node).within(wanted):
            yield {**found, name: node}

    def _same(self, pattern: Node, node: Node, found: Match) -> Iterator[Match]:
        axes = self._axes(pattern, node, found)
        if axes is None or len(pattern.args) != len(node.args):
            return
        yield from self._arguments(pattern.args, node.args, axes)
        if pattern.op in ("logaddexp", "hypot", "maximum", "minimum", "contract"):
            yield from self._arguments(pattern.args, node.args[::-1], axes)

    def _arguments(
        self, patterns: tuple[Node, ...], nodes: tuple[Node, ...], found: Match
    ) -> Iterator[Match]:
        if not patterns:
            yield found
            return
        for match in self.matches(patterns[0], nodes[0], found):
            yield from self._arguments(patterns[1:], nodes[1:], match)

    def _axes(self, pattern: Node, node: Node, found: Match) -> Match | None:
        """The axes a reduction works along; a pattern's one axis stands for all of the node's."""
        if pattern.op == "size":
            name, axes = pattern.attr, frozenset((node.attr,))
        elif isinstance(pattern.attr, frozenset):
            (name,), axes = pattern.attr, node.attr
        else:
            return found if pattern.attr == node.attr else None
        key = f"[{name}]"
        bound = found.get(key)
        if bound is None:
            return {**found, key: axes}
        return found if bound == axes else None

    # -- sums -----------------------------------------------------------------------------------

    def _sum(self, pattern: Linear, form: Linear, found: Match, like: Node) -> Iterator[Match]:
        """All of ``form``; a variable that is left over takes what is left over."""
        fixed = [t for t in pattern.terms if t.op != "input"]
        if len(fixed) > len(form.terms) or any(all(_differs(t, term) for term in form.terms) for t in fixed):
            return
        free = [t for t in pattern.terms if t.op == "input" and t.attr[0] not in found]
        rest = {t: c for t, c in pattern.terms.items() if t not in free}
        for match, left in self._terms(
            list(rest.items()), Linear(dict(form.terms), form.constant - pattern.constant), found
        ):
            if not free:
                if left.size == 0 or (not left.terms and _close(left.constant, 0.0)):
                    yield match
            elif len(free) == 1 and left.terms:
                scale = pattern.terms[free[0]]
                node = build_sum(
                    like.graph, Linear({t: c / scale for t, c in left.terms.items()}, left.constant / scale)
                )
                yield from self._variable(free[0].attr[0], node, match)
            elif len(free) == 1 and left.constant:
                yield from self._variable(
                    free[0].attr[0], like.graph.const(left.constant / pattern.terms[free[0]]), match
                )
            elif len(left.terms) == len(free) and left.constant == 0:
                yield from self._permuted(free, pattern, left, match)

    def _permuted(self, free: list[Node], pattern: Linear, left: Linear, found: Match) -> Iterator[Match]:
        if not free:
            yield found
            return
        for term, coefficient in left.terms.items():
            scale = coefficient / pattern.terms[free[0]]
            rest = Linear({t: c for t, c in left.terms.items() if t is not term})
            for match in self._variable(free[0].attr[0], scaled(term, scale), found):
                yield from self._permuted(free[1:], pattern, rest, match)

    def _terms(
        self, patterns: list[tuple[Node, float]], form: Linear, found: Match
    ) -> Iterator[tuple[Match, Linear]]:
        if not patterns:
            yield found, form
            return
        (first, scale), rest = patterns[0], patterns[1:]
        if first.op == "input":
            bound = shared_linear(found[first.attr[0]])
            if contains(form, bound, scale):
                yield from self._terms(rest, form.plus(bound, -scale), found)
            return
        for term, coefficient in list(form.terms.items()):
            if not _close(coefficient, scale) or _differs(first, term):
                continue
            left = Linear({t: c for t, c in form.terms.items() if t is not term}, form.constant)
            for match in self.matches(first, term, found):
                yield from self._terms(rest, left, match)

    # -- products -------------------------------------------------------------------------------

    def _product(self, pattern: Node, node: Node, found: Match) -> Iterator[Match]:
        wanted, form = shared_monomial(pattern), shared_monomial(node)
        if len(wanted.factors) == 1 and wanted.coefficient != 1:
            ((only, power),) = wanted.factors.items()
            if only.op == "input" and power == 1 and only.attr[0] not in found:
                yield from self._variable(only.attr[0], _scaled(node, 1 / wanted.coefficient), found)
                return
        if not _close(wanted.coefficient, form.coefficient):
            return
        for match, left in self.factors(list(wanted.factors.items()), form, found):
            if not left.factors:
                yield match

    def factors(
        self, patterns: list[tuple[Node, float]], form: Monomial, found: Match
    ) -> Iterator[tuple[Match, Monomial]]:
        """Every way to find the factors in ``form``, with what is left of it."""
        if not patterns:
            yield found, form
            return
        patterns = sorted(patterns, key=lambda item: item[0].op == "input")
        (first, power), rest = patterns[0], patterns[1:]
        if first.op == "input" and first.attr[0] in found:
            bound = shared_monomial(found[first.attr[0]])
            left = dict(form.factors)
            shared = False
            for factor, inner in bound.factors.items():
                has, needs = left.get(factor, 0.0), inner * power
                there = has * needs > 0 and abs(has) >= abs(needs)
                shared = shared or there
                if not self.loose and not self.partly and not there:
                    return
                left[factor] = has - needs
                if left[factor] == 0:
                    del left[factor]
            if self.partly and not shared:
                return
            yield from self.factors(rest, Monomial(form.coefficient / bound.coefficient**power, left), found)
            return
        for factor, has in list(form.factors.items()):
            if has * power <= 0 or abs(has) < abs(power) or _differs(first, factor):
                continue
            left = {f: p for f, p in form.factors.items() if f is not factor}
            if has != power:
                left[factor] = has - power
            for match in self.matches(first, factor, found):
                yield from self.factors(rest, Monomial(form.coefficient, left), match)


#: Patterns of other ops are nodes of the very same op.
MANIFOLD = frozenset({"input", "const", "add", "neg", "mul", "div", "pow"})


def _differs(pattern: Node, node: Node) -> bool:
    """Whether a glance at the ops is enough to see that nothing matches."""
    op = plain(pattern).op
    return op not in MANIFOLD and op != plain(node).op


def _scaled(node: Node, factor: float) -> Node:
    form = shared_linear(node)
    return build_sum(
        node.graph, Linear({t: factor * c for t, c in form.terms.items()}, factor * form.constant)
    )


def contains(form: Linear, part: Linear, scale: float) -> bool:
    """Whether ``form`` holds ``scale`` times all of ``part``."""
    terms = all(_close(form.terms.get(t, 0.0), scale * c) for t, c in part.terms.items())
    return terms and (not part.constant or _close(form.constant, scale * part.constant)) and part.size > 0


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= _TOLERANCE * max(abs(a), abs(b))


def plain(node: Node) -> Node:
    node = peel(node)
    while node.op in ("computed_as", "to_real") and node.args[0].elem == "real":
        node = peel(node.args[0])
    return node

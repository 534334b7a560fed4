"""Which nodes of a function are evaluated in double precision: what :mod:`suspicion` says, put together."""

from __future__ import annotations

from collections.abc import Sequence

from losslang.ir import Node, evaluated, peel, walk
from losslang.ops import OPS
from losslang.rewrite.forms import linear, monomial, number
from losslang.rewrite.printer import formula
from losslang.rewrite.suspicion import Suspicion, is_matrix_product
from losslang.rewrite.trace import Firing


def doubtful_nodes(values: Sequence[Node], roots: Sequence[Node]) -> set[Node]:
    """The nodes below ``roots`` that are evaluated in double precision.

    ``values`` are the results of the loss, ``roots`` these or gradients of them. Whatever is made of an input that
    takes part in doubtful arithmetic is widened, gradients included, unless a product of matrices stands below.
    """
    judge = Suspicion()
    affected = _affected(judge, values, roots)
    if not affected:
        return set()
    found = {n for n in walk(roots) if n.elem == "real" and judge.leaves(n) & affected}
    found = {n for n in found if not judge.beyond_reach(n)}
    return found | _numbers_below(found, judge)


def doubts(values: Sequence[Node]) -> list[Firing]:
    """What of the results is evaluated in double precision because it may lose digits, for people to read."""
    judge = Suspicion()
    passed_over = _inside_formulas(values) | _sums_of_results(values)
    found = []
    for node in walk(values, below=evaluated):
        if node not in passed_over and not judge.beyond_reach(node) and judge.doubtful(node):
            places = tuple(node.graph.origins.get(node, ()))
            found.append(
                Firing(
                    "double_precision",
                    formula(node),
                    "the same in double precision",
                    places,
                    "in float32 its terms may cancel or leave the range",
                )
            )
    return found


def _affected(judge: Suspicion, values: Sequence[Node], roots: Sequence[Node]) -> int:
    """The inputs that take part in doubtful arithmetic, as a set of bits.

    A meaning that is computed by a formula, and a quotient, are no doubt by themselves: they say where sums of
    gradients may cancel.
    """
    passed_over = _inside_formulas(values) | _sums_of_results(values)
    known = set(walk(values))
    of_values = set(walk(values, below=evaluated))
    # What enters a product of matrices has its derivative from behind it, out of reach.
    entering = set(walk(a for n in known if is_matrix_product(n) for a in n.args))
    affected = hints = 0
    for node in walk(values):
        if node in passed_over or judge.beyond_reach(node):
            continue
        doubtful = judge.doubtful(node)
        if doubtful and node in of_values:
            affected |= judge.leaves(node)
        elif doubtful or (node not in entering and judge.singular(node)):
            hints |= judge.leaves(node)
    of_gradients = set(walk(roots, below=evaluated)) - _inside_formulas(roots)
    for node in walk(roots):
        if node in known or node not in of_gradients or judge.beyond_reach(node):
            continue
        if judge.leaves_range(node) or (judge.leaves(node) & (affected | hints) and judge.doubtful(node)):
            affected |= judge.leaves(node)
    return affected


def _numbers_below(found: set[Node], judge: Suspicion) -> set[Node]:
    """What is made of numbers alone and read by what is widened."""
    numbers: set[Node] = set()
    stack = [a for n in found for a in n.args]
    while stack:
        node = stack.pop()
        if (
            node.elem == "real"
            and OPS[node.op].family != "leaf"
            and not judge.leaves(node)
            and node not in numbers
        ):
            numbers.add(node)
            stack.extend(node.args)
    return numbers


def _inside_formulas(roots: Sequence[Node]) -> set[Node]:
    """What stands in formulas only: they were made with care."""
    meanings: list[Node] = []
    formulas: list[Node] = []
    for node in walk(roots):
        if node.op == "computed_as":
            meanings.append(node.args[0])
            formulas.append(node.args[1])
    return set(walk(formulas)) - set(walk(meanings))


def _sums_of_results(values: Sequence[Node]) -> set[Node]:
    """Sums of terms that are results themselves: their weights say how they are to be weighed."""
    whole = {peel(v) for v in values}
    found = set()
    for node in whole:
        if node.op == "add" and all(_is_result(t, whole) for t in linear(node).terms):
            found.add(node)
    return found


def _is_result(term: Node, results: set[Node]) -> bool:
    if term in results:
        return True
    factors = [peel(f) for f in monomial(term).factors]
    return any(f in results for f in factors) or number(term) is not None

"""Which values may lose digits however well they are written: sums that may cancel, logarithms of what may be
near 1, angles of what may be near the end of the range.

Rules and representations know the cancellations that somebody thought of; this judges what they leave. A
sum is safe if of the terms that may cancel all but one have an input of their own that they are a multiple
of: then the error of the sum is no larger than what one unit in the last place of that input moves it.
"""

from __future__ import annotations

from collections.abc import Iterable

from losslang.ir import Node, peel
from losslang.rewrite.forms import linear, monomial, nonzero, number, range_of, vast
from losslang.rewrite.gathering import MOST_EXPONENT

#: What passes values through, or is linear in them.
_PASSES = frozenset({"neg", "broadcast", "rename", "merge", "unmerge", "stop", "gather", "sum", "cumsum", "reverse_cumsum",
                     "abs", "scatter_add", "to_real"})  # fmt: skip
_ANY = frozenset({"select", "stack", "max", "min", "maximum", "minimum", "clip", "sqrt"})
_PLAIN = _PASSES | {"add", "mul", "div", "contract", "select", "stack", "max", "min", "input", "const", "index", "size", "limit"}  # fmt: skip
_NEAR_THE_EDGE = frozenset({"acos", "asin", "acosh", "atanh", "sin", "cos", "tan"})
_COMPRESSING = frozenset({"log", "log1p", "sqrt", "div", "hypot"})
#: What is computed by loops of its own, in a precision of its own.
LOOPS = frozenset({"extern", "decay_scan"})


class Suspicion:
    """Judges the nodes of one graph; remembers what it found."""

    def __init__(self) -> None:
        self._bits: dict[Node, int] = {}
        self._leaves: dict[Node, int] = {}
        self._own: dict[Node, int] = {}
        self._plain: dict[Node, bool] = {}
        self._matrix: dict[Node, bool] = {}
        self._degrees: dict[Node, float] = {}

    def leaves(self, node: Node) -> int:
        """The inputs that ``node`` depends on, as a set of bits."""
        found = self._leaves.get(node)
        if found is None:
            found = 0
            if node.op == "input" and node.elem == "real":
                found = self._bits.setdefault(node, 1 << len(self._bits))
            for arg in node.args[:1] if node.op in ("gather", "computed_as") else node.args:
                found |= self.leaves(arg)
            self._leaves[node] = found
        return found

    def multiples(self, node: Node) -> int:
        """The inputs of which ``node`` is a multiple, or a sum of multiples."""
        found = self._own.get(node)
        if found is None:
            self._own[node] = 0
            found = self._own[node] = self._multiples(node)
        return found

    def _multiples(self, node: Node) -> int:
        if node.op == "input":
            return self.leaves(node)
        if node.op in _PASSES:
            return self.multiples(node.args[0])
        if node.op == "computed_as":
            return self.multiples(node.args[0])
        if node.op in ("mul", "contract", "silence"):
            return _union(self.multiples(a) for a in node.args)
        if node.op == "div":
            above, below = node.args
            return (self.multiples(above) & ~self.leaves(below)) | (
                self.multiples(below) & ~self.leaves(above)
            )
        if node.op == "pow":
            exponent = number(node.args[1])
            return self.multiples(node.args[0]) if exponent is not None and abs(exponent) >= 0.25 else 0
        if node.op == "add":
            parts = [self.multiples(a) for a in node.args]
            return _union(parts) if all(parts) else 0
        if node.op == "hypot":
            parts = [self.multiples(a) for a in node.args]
            return _union(parts) if all(parts) else 0
        if node.op in _ANY:
            return _union(self.multiples(a) for a in node.args if a.elem == "real")
        return 0

    def plain(self, node: Node) -> bool:
        """Whether ``node`` is made of inputs by products, sums and choices alone."""
        found = self._plain.get(node)
        if found is None:
            found = node.op in _PLAIN and all(self.plain(a) for a in node.args if a.elem == "real")
            self._plain[node] = found
        return found

    def beyond_reach(self, node: Node) -> bool:
        """Whether a product of matrices or a loop stands below: too much to widen."""
        found = self._matrix.get(node)
        if found is None:
            found = (
                node.op in LOOPS or is_matrix_product(node) or any(self.beyond_reach(a) for a in node.args)
            )
            self._matrix[node] = found
        return found

    def doubtful(self, node: Node) -> bool:
        """Whether ``node`` may lose digits that its inputs would allow."""
        if node.elem != "real" or not self.leaves(node):
            return False
        if node.op == "add":
            return self._may_cancel(node)
        if node.op == "log_chain":
            return True  # long sums of logarithms, of which differences count
        if self.leaves_range(node):
            return True
        inside = peel(node.args[0]) if node.args else node
        if node.op == "exp":
            # It may overflow where its derivative does not: that of what stands inside may be small.
            return range_of(inside).high > MOST_EXPONENT and not self.plain(inside)
        if node.op == "log":
            reach = range_of(inside)
            return not self.multiples(inside) and not self.plain(inside) and reach.low < 1 <= reach.high
        if node.op in _NEAR_THE_EDGE:
            return not self.multiples(inside)
        if node.op == "logaddexp" and any(linear(a).constant for a in node.args):
            return True
        if node.op in ("logsumexp", "logaddexp"):
            return not all(self.plain(a) for a in node.args)
        return self._weighs_shares(node)

    def _weighs_shares(self, node: Node) -> bool:
        """Whether logarithms of shares are weighed by computed shares of something else: the gradient is a
        difference of shares."""
        if node.op not in ("mul", "contract", "silence"):
            return False
        parts = [peel(a) for a in node.args]
        logs = [a for a in parts if "log_softmax" in self._made_by(a)]
        shares = [a for a in parts if "softmax" in self._made_by(a)]
        return any(not self.leaves(a) & self.leaves(b) for a in logs for b in shares)

    def _made_by(self, node: Node) -> set[str]:
        """The op of ``node``, through choices among and moves of its values."""
        if node.op == "select":
            return _any_op(self._made_by(peel(a)) for a in node.args[1:])
        if node.op in _PASSES or node.op == "computed_as":
            return self._made_by(peel(node.args[0]))
        return {node.op}

    def leaves_range(self, node: Node) -> bool:
        """Whether what ``node`` reads may over- or underflow although ``node`` itself does not."""
        if node.op in _COMPRESSING or (node.op == "pow" and not _whole(node.args[1])):
            if node.op == "div" and not self.leaves(node.args[1]):
                return False
            return max(self.degree(a) for a in node.args) >= 2
        return False

    def degree(self, node: Node) -> float:
        """How often inputs of any size are multiplied with each other; other inputs are moderate."""
        found = self._degrees.get(node)
        if found is None:
            self._degrees[node] = 0.0
            found = self._degrees[node] = self._degree(node)
        return found

    def _degree(self, node: Node) -> float:
        if node.elem != "real":
            return 0.0
        if node.op == "input":
            return 1.0 if vast(node) else 0.25 if node.axes else 0.0
        if node.op in ("mul", "div", "contract", "silence"):
            return sum(self.degree(a) for a in node.args)
        if node.op == "pow":
            exponent = number(node.args[1])
            return self.degree(node.args[0]) * (2.0 if exponent is None else abs(exponent))
        if node.op == "sqrt":
            return self.degree(node.args[0]) / 2
        if node.op in _PASSES or node.op in _ANY or node.op in ("add", "hypot"):
            return max(self.degree(a) for a in node.args)
        return self.degree(node.args[0]) if node.op == "computed_as" else 0.0

    def _may_cancel(self, node: Node) -> bool:
        form = linear(node)
        parts = [(t, c) for t, c in form.terms.items()]
        signs = {_sign(t, c) for t, c in parts} | (
            {1 if form.constant > 0 else -1} if form.constant else set()
        )
        if signs in ({1}, {-1}) or len(parts) + bool(form.constant) < 2:
            return False
        lacking = int(form.constant != 0)
        for term, _ in parts:
            others = _union(self.leaves(t) for t, _ in parts if t is not term)
            if (self.leaves(term) and not self.multiples(term) & ~others) or (
                not self.leaves(term) and term.op not in ("index", "size")
            ):
                lacking += 1
        return lacking > 1

    def singular(self, node: Node) -> bool:
        """Whether ``node`` is a quotient of two that are made of the same inputs: its derivative is a difference."""
        if node.op not in ("mul", "div", "silence") or node.elem != "real" or not self.leaves(node):
            return False
        factors = dict.fromkeys(map(peel, node.args), 1.0) if node.op == "silence" else monomial(node).factors
        if len(factors) < 2:
            return False
        for factor, power in factors.items():
            if power > 0 and not self._has_pole(factor):
                continue
            others = [f for f in factors if f is not factor and self.leaves(f) & self.leaves(factor)]
            if others and not (factor.op == "input" and all(self.plain(f) for f in others)):
                return True
        return False

    def _has_pole(self, node: Node) -> bool:
        """Whether ``node`` is a sum with a quotient whose lower part may vanish."""
        if node.op != "add":
            return False
        return any(
            p < 0 and self.leaves(f) and _may_vanish(f)
            for t in linear(node).terms
            for f, p in monomial(t).factors.items()
        )


def _may_vanish(node: Node) -> bool:
    reach = range_of(node)
    return not (reach.low > 0 or reach.high < 0) and (not nonzero(node) or node.op == "input")


def _sign(term: Node, coefficient: float) -> int:
    reach = range_of(term)
    if reach.nonnegative:
        return 1 if coefficient > 0 else -1
    if reach.nonpositive:
        return -1 if coefficient > 0 else 1
    return 0


def _whole(exponent: Node) -> bool:
    value = number(exponent)
    return value is not None and value == int(value)


def _any_op(parts: Iterable[set[str]]) -> set[str]:
    return set().union(*parts)


def _union(parts: Iterable[int]) -> int:
    found = 0
    for each in parts:
        found |= each
    return found


def is_matrix_product(node: Node) -> bool:
    """A contraction whose factors each have axes that the other lacks."""
    if node.op == "contract":
        a, b = (peel(x) for x in node.args)
        return bool(a.axes - b.axes) and bool(b.axes - a.axes)
    if node.op == "sum" and peel(node.args[0]).op == "mul":
        parts = [peel(x).axes for x in peel(node.args[0]).args if peel(x).axes]
        return len(parts) == 2 and bool(parts[0] - parts[1]) and bool(parts[1] - parts[0])
    return False

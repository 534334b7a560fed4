"""Derivatives of what is made of exp(k·log(w) + rest) in a w that may be exactly 0.

Through the logarithm they would be 0/0 there. So what flows to w flows past the logarithm: k·w^(k-1)·exp(rest)
times the rest of the chain. The same for a product of many that is carried as a sum of logarithms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from losslang.cotangent import Cotangent, full, is_number, keep_where, negation, onto, times
from losslang.ir import Node, peel
from losslang.pullbacks import PULLBACKS
from losslang.ranges import interval_of
from losslang.rewrite.forms import Linear, build_sum, linear, nonzero

Flow = Iterator[tuple[Node, Cotangent]]
Past = Callable[[Node], Node]

#: A quotient by a smaller weight may leave float32.
_TINY = 1e-30
_NOTHING = float("-inf")
_MOVES = ("gather", "rename", "merge", "unmerge", "broadcast")


def past_logarithms(node: Node, c: Cotangent) -> list[tuple[Node, Cotangent]] | None:
    """What flows to the parts of the exponents that ``node`` is made of; None where plain rules will do."""
    if node.op not in _CHAINS or not any(_mentions(x) for x in node.args):
        return None
    flow: list[tuple[Node, Cotangent]] = []
    for x in node.args:
        slope, past = _CHAINS[node.op](node, c, x)
        flow += _Chain(slope, past, node.axes | x.axes).to(x)
    return flow


@dataclass(frozen=True)
class _Chain:
    """What flows to an exponent over ``axes``: ``slope``. ``past(logs)`` is its value times exp(logs - exponent),
    without a division by what may be 0.
    """

    slope: Cotangent
    past: Past
    axes: frozenset[str]

    def to(self, x: Node) -> Flow:
        """To each part of the exponent ``x``, or past its logarithms."""
        x = peel(x)
        if x.op == "select":
            condition, then, other = x.args
            for branch, chosen in ((then, condition), (other, negation(condition))):
                if branch.op != "const":
                    yield from _Chain(keep_where(self.slope, chosen), self.past, self.axes).to(branch)
            return
        parts = list(_parts(x))
        for part in parts:
            rest = build_sum(x.graph, _sum_of([p for p in parts if p is not part], linear(x).constant))
            if part.weight is not None:
                yield part.target, part.back(self.over(part.weight, part.power, rest), self.axes)
            elif part.power == 1 and not part.moves and self.enters(part.target):
                yield from self.into(part.target, rest)
            else:
                yield part.target, part.back(self.scaled(part.power), self.axes)

    def enters(self, term: Node) -> bool:
        inside = _inside(term)
        return inside is not None and not inside & self.axes

    def into(self, term: Node, rest: Node) -> Flow:
        """To what ``term`` is the logarithm of a sum or of a product of, beside ``rest`` in the exponent."""
        product = _Product.of(term)
        if product is not None:
            slope = full(self.slope, product.over)
            slope = slope if product.kept is None else keep_where(slope, product.kept)
            others = rest + product.others()
            yield from _Chain(slope, lambda logs: self.past(others + logs), self.axes | product.over).to(
                product.logs
            )
            return
        for x in term.args:
            slope, _ = _CHAINS[term.op](term, self.slope, x)
            yield from _Chain(slope, lambda logs: self.past(rest + logs), self.axes | x.axes).to(x)

    def scaled(self, power: float) -> Cotangent:
        return self.slope if power == 1 else Cotangent(self.slope.value * power, self.slope.kept)

    def over(self, weight: Node, power: float, rest: Node) -> Cotangent:
        """To a weight of which the exponent has ``power`` times the logarithm beside ``rest``."""
        g = weight.graph
        share = self.scaled(power)
        if power == 0.5:
            share = keep_where(share, g.apply("ne", weight, 0.0))  # a root has derivative 0 at 0
        usual = times(share, 1.0 / g.apply("maximum", weight, _TINY))
        assert usual is not None
        tiny = self.past(rest)
        if power != 1:
            tiny = power * tiny * g.apply("pow", weight, power - 1.0)
        value = g.select(g.apply("lt", _TINY, weight), usual.value, tiny)
        return Cotangent(value) if share.kept is None else keep_where(Cotangent(value), share.kept)


# -- what exponents stand in ----------------------------------------------------------------------


def _elementwise(
    slope: Callable[[Node, Node], Node], past: Callable[[Node, Node, Node], Node]
) -> Callable[[Node, Cotangent, Node], tuple[Cotangent, Past]]:
    def chain(node: Node, c: Cotangent, x: Node) -> tuple[Cotangent, Past]:
        part = times(c, slope(node, x))
        assert part is not None
        return (part, lambda logs: c.value * past(node, x, logs))

    return chain


def _sigmoid(x: Node) -> Node:
    return x.graph.apply("sigmoid", x)


def _exp(x: Node) -> Node:
    return x.graph.apply("exp", x)


def _logaddexp_slope(node: Node, x: Node) -> Node:
    a, b = node.args
    return _sigmoid(a - b if x is a else b - a)


def _logsumexp(node: Node, c: Cotangent, x: Node) -> tuple[Cotangent, Past]:
    (slope,) = PULLBACKS["logsumexp"](node, c)
    assert slope is not None
    return (full(slope, x.axes), lambda logs: c.value * _exp(logs - node))


def _softmax(node: Node, c: Cotangent, x: Node) -> tuple[Cotangent, Past]:
    """A part moves by itself times how far its cotangent lies above the mean."""
    g, over = node.graph, node.attr
    (slope,) = PULLBACKS["softmax"](node, c)
    if slope is None:
        return (Cotangent(g.broadcast(g.const(0.0), x.axes)), lambda logs: g.const(0.0))
    ct, total = g.broadcast(c.value, node.axes), g.reduce("logsumexp", x, over)
    return (slope, lambda logs: (ct - g.reduce("sum", node * ct, over)) * _exp(logs - total))


def _log_softmax(node: Node, c: Cotangent, x: Node) -> tuple[Cotangent, Past]:
    g, over = node.graph, node.attr
    (slope,) = PULLBACKS["log_softmax"](node, c)
    assert slope is not None
    ct, total = g.broadcast(c.value, node.axes), g.reduce("logsumexp", x, over)

    def past(logs: Node) -> Node:
        own = g.select(g.apply("eq", ct, 0.0), 0.0, ct * _exp(logs - x))
        return own - g.reduce("sum", ct, over) * _exp(logs - total)

    return (slope, past)


_CHAINS: dict[str, Callable[[Node, Cotangent, Node], tuple[Cotangent, Past]]] = {
    "exp": _elementwise(lambda node, x: node, lambda node, x, logs: _exp(logs)),
    "softplus": _elementwise(lambda node, x: _sigmoid(x), lambda node, x, logs: _exp(logs) * _sigmoid(-x)),
    "sigmoid": _elementwise(
        lambda node, x: node * _sigmoid(-x), lambda node, x, logs: _exp(logs) * _sigmoid(-x) * _sigmoid(-x)
    ),
    "expm1": _elementwise(lambda node, x: _exp(x), lambda node, x, logs: _exp(logs)),
    "log1mexp": _elementwise(
        lambda node, x: -1.0 / x.graph.apply("expm1", -x),
        lambda node, x, logs: _exp(logs) / x.graph.apply("expm1", x),
    ),
    "logaddexp": _elementwise(_logaddexp_slope, lambda node, x, logs: _exp(logs - node)),
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}


# -- where weights stand in an exponent -----------------------------------------------------------


def _mentions(x: Node) -> bool:
    """Whether the logarithm of what may be 0 is a term of the exponent ``x``."""
    known = x.graph.weighted
    if x not in known:
        known[x] = _finds(peel(x))
    return known[x]


def _finds(x: Node) -> bool:
    if x.op == "select":
        return any(_mentions(a) for a in x.args[1:])
    return any(
        _is_log_of_weight(inner)
        or (power == 1 and _inside(term) is not None)
        or (inner is not term and inner.op in ("add", "neg", "mul") and _mentions(inner))
        for term, power in linear(x).terms.items()
        for inner in (_stripped(term)[0],)
    )


def _inside(term: Node) -> frozenset[str] | None:
    """The axes that only the inside of a logarithm of a sum or of a product has, if weights stand there."""
    if (product := _Product.of(term)) is not None:
        return product.over
    if term.op in ("logaddexp", "logsumexp") and any(_mentions(x) for x in term.args):
        return frozenset().union(*(x.axes for x in term.args)) - term.axes
    return None


def _is_log_of_weight(term: Node) -> bool:
    """Whether ``term`` is log(w) or log(1 + w) of what may be exactly 0."""
    if term.op == "log" and term.attr is None:
        return not nonzero(term.args[0])
    return term.op == "log1p" and interval_of(term.args[0]).low <= -1


def _stripped(term: Node) -> tuple[Node, tuple[Node, ...]]:
    """A term before its elements were moved, and the moves, the last first."""
    moves: list[Node] = []
    while term.op in _MOVES:
        moves.append(term)
        term = term.args[0]
    return term, tuple(moves)


@dataclass(frozen=True)
class _Part:
    """``power`` times ``value`` in an exponent: ``target`` moved, or the logarithm of ``weight``, which is so."""

    power: float
    value: Node
    target: Node
    moves: tuple[Node, ...]
    weight: Node | None = None

    def back(self, c: Cotangent, axes: frozenset[str]) -> Cotangent:
        """What flows to the moved part over ``axes``, before the moves."""
        for move in self.moves:
            (part, *_) = PULLBACKS[move.op](move, onto(c, axes | move.axes, move.axes))
            assert part is not None
            c, axes = part, move.args[0].axes
        return onto(c, axes | self.target.axes, self.target.axes)


def _parts(x: Node, moves: tuple[Node, ...] = (), scale: float = 1.0) -> Iterator[_Part]:
    form = linear(x)
    if moves and form.constant:
        constant = x.graph.const(form.constant)
        yield _Part(scale, _moved(constant, moves), constant, moves)
    for term, coefficient in form.terms.items():
        power = scale * coefficient
        inner, own = _stripped(term)
        if _is_log_of_weight(inner):
            steps, w = (*moves, *own), inner.args[0]
            weight = _moved(w if inner.op == "log" else 1.0 + w, steps)
            yield _Part(power, _moved(term, moves), w, steps, weight)
        elif own and inner.op in ("add", "neg", "mul") and _mentions(inner):
            yield from _parts(inner, (*moves, *own), power)
        else:
            yield _Part(power, _moved(term, moves), term, moves)


def _sum_of(parts: list[_Part], constant: float) -> Linear:
    total = Linear({}, constant)
    for part in parts:
        total.add(part.value, part.power)
    return total


def _moved(x: Node, moves: tuple[Node, ...]) -> Node:
    for move in reversed(moves):
        g = move.graph
        x = g.make(move.op, (g.broadcast(x, move.args[0].axes), *move.args[1:]), move.attr)
    return x


@dataclass(frozen=True)
class _Product:
    """A term that is the sum along axes of ``logs``, where ``kept`` holds: the logarithm of a product."""

    over: frozenset[str]
    logs: Node
    kept: Node | None

    @staticmethod
    def of(term: Node) -> _Product | None:
        if term.op != "sum":
            return None
        inner, kept = peel(term.args[0]), None
        if inner.op == "select" and is_number(inner.args[2], 0):
            kept, inner = inner.args[0], peel(inner.args[1])
        if inner.op == "select" or not any(_is_log_of_weight(t) for t in linear(inner).terms):
            return None
        return _Product(term.attr, inner, kept)

    def others(self) -> Node:
        """The sum over the other places, by how many places hold a 0."""
        g = self.logs.graph
        logs = g.broadcast(self.logs if self.kept is None else g.select(self.kept, self.logs, 0.0), self.over)
        zero = g.apply("eq", logs, _NOTHING)
        zeros = g.reduce("count", zero, self.over)
        left = g.reduce("sum", g.select(zero, 0.0, logs), self.over)
        alone = g.select(g.apply("eq", zeros, 1), left, _NOTHING)
        return g.select(zero, alone, g.select(g.apply("eq", zeros, 0), left - logs, _NOTHING))

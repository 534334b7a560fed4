"""Rules as data: read from ``specs/rules/*.loss``, compiled to patterns, tried on settled nodes.

A rule whose pattern is a sum is looked for among the terms of a sum, up to a common factor; one
whose pattern is a product among the factors of a product; any other at nodes of its op.
``computed(E)`` as the replacement means: E is evaluated, but differentiated is the pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from losslang import model as m
from losslang.interval import EVERYTHING, Interval
from losslang.ir import Graph, Node
from losslang.kinds import INTERVALS
from losslang.parse import parse
from losslang.ranges import interval_of
from losslang.rewrite.adapter import Adapter, plain_make
from losslang.rewrite.engine import Engine
from losslang.rewrite.forms import (
    Linear,
    Monomial,
    build_product,
    build_sum,
    linear,
    monomial,
    opened,
    shared_monomial,
)
from losslang.rewrite.matcher import MANIFOLD, Match, Matcher, Variables, contains, plain


@dataclass(frozen=True)
class CompiledRule:
    """``terms``: (pattern, coefficient) of a sum with ``constant``; ``factors`` of a product; else ``root``."""

    name: str
    reason: str
    source: m.Rule
    variables: Variables
    shape: str
    root: Node
    form: Linear
    orders: Orders
    closed_orders: Orders
    value_only: bool

    @cached_property
    def matcher(self) -> Matcher:
        return Matcher(self.variables, loose=self.shape == "sum", partly=self.shape == "product")


Signature = frozenset[str]


@dataclass(frozen=True)
class Orders:
    """A sum to look for: the orders in which its terms are tried, and what each term is made of."""

    orders: tuple[tuple[tuple[Node, float], ...], ...]
    constant: float
    needs: tuple[Signature, ...]

    def fits(self, held: list[Signature], size: int) -> bool:
        """Whether every term could be among terms that are made so, and there are enough of them."""
        if size < len(self.needs) + (self.constant != 0):
            return False
        return all(any(need <= has for has in held) for need in self.needs)


def orders_of(form: Linear) -> Orders:
    terms = sorted(form.terms.items(), key=lambda item: (item[0].op == "input", -_weight(item[0])))
    orders = [tuple(terms)]
    if len(terms) > 1 and terms[1][0].op == terms[0][0].op:
        orders.append((terms[1], terms[0], *terms[2:]))
    return Orders(tuple(orders), form.constant, tuple(signatures(form, pattern=True)))


def signatures(form: Linear, pattern: bool = False) -> list[Signature]:
    """The ops of the factors of every term; of a pattern, without those that a match may divide by."""
    result: list[Signature] = []
    for term in form.terms:
        factors = [(plain(f).op, p) for f, p in shared_monomial(term).factors.items()]
        if not pattern:
            result.append(frozenset(op for op, _ in factors))
            continue
        anchors = frozenset(op for op, _ in factors if op not in ("input", "const", "add"))
        result.append(anchors if len(form.terms) == 1 or len(anchors) < 2 else frozenset())
    return result


def _weight(node: Node) -> int:
    return 1 + sum(_weight(a) for a in node.args)


def rule_sources() -> list[m.Rule]:
    """Every rule of the shipped files, in order."""
    folder = resources.files("losslang.specs.rules")
    rules: list[m.Rule] = []
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.name.endswith(".loss"):
            file, problems = parse(entry.read_text(encoding="utf-8"), entry.name)
            if file is None or problems:
                raise ValueError(f"{entry.name}: {problems[0]}")
            rules += [s for s in file.statements if isinstance(s, m.Rule)]
    return rules


@cache
def compiled_rules() -> tuple[CompiledRule, ...]:
    return tuple(compile_rule(source) for source in rule_sources())


def interval_of_param(param: m.Param) -> Interval:
    return INTERVALS.get(param.kind.name, EVERYTHING) if param.kind is not None else EVERYTHING


def pattern_graph(source: m.Rule) -> tuple[Graph, dict[str, Node], dict[str, frozenset[str]]]:
    """A graph with an input for each parameter of a rule."""
    graph = Graph()
    names: dict[str, Node] = {}
    for param in source.params:
        axes = [a.name for a in (param.kind.axes or ())] if param.kind is not None else []
        names[param.name] = graph.input(param.name, axes, "real", interval_of_param(param))
    return graph, names, {a.name: frozenset((a.name,)) for a in source.axes}


def _settled(graph: Graph, raw: Node) -> Node:
    """A pattern in the shape in which nodes are met; the factors of a product are settled one by one."""
    engine = Engine(graph, rules=False)
    if raw.op not in ("mul", "div"):
        return engine.run([raw])[0]
    form = monomial(raw)
    settled = engine.run(list(form.factors))
    product = Monomial(form.coefficient, dict(zip(settled, form.factors.values(), strict=True)))
    return build_product(graph, product)


def compile_rule(source: m.Rule) -> CompiledRule:
    graph, names, axes = pattern_graph(source)
    raw = Adapter(graph, plain_make(graph), names, axes).build(source.pattern)
    root = _settled(graph, raw)
    variables = Variables({p.name: interval_of_param(p) for p in source.params}, frozenset(axes))
    replacement = source.replacement
    value_only = replacement.type == "call" and replacement.function == "computed"
    shape = "sum" if root.op in ("add", "neg") else "product" if root.op in ("mul", "div", "pow") else "node"
    if shape == "node" and root.op == "exp" and root.args[0].op == "add":
        shape, form = "exponent", linear(root.args[0])
    else:
        form = opened(linear(root))
    return CompiledRule(
        source.name,
        source.doc or "",
        source,
        variables,
        shape,
        root,
        form,
        orders_of(form),
        orders_of(linear(root)),
        value_only,
    )


@cache
def _by_shape() -> dict[str, tuple[CompiledRule, ...]]:
    table: dict[str, list[CompiledRule]] = {}
    for rule in compiled_rules():
        key = rule.shape if rule.shape != "node" else rule.root.op
        table.setdefault(key, []).append(rule)
    return {key: tuple(rules) for key, rules in table.items()}


# -- trying them ----------------------------------------------------------------------------------


def sum_rules(engine: Engine, form: Linear, node: Node) -> bool:
    """Apply the first rule that finds its terms in ``form``."""
    if not engine.rules:
        return False
    apart = opened(form)
    together, split = signatures(form), signatures(apart)
    size, size_apart = form.size, apart.size
    for rule in _by_shape().get("sum", ()):
        if rule.closed_orders.fits(together, size) and _sum_rule(
            engine, rule, rule.closed_orders, form, form
        ):
            return True
        if rule.orders.fits(split, size_apart) and _sum_rule(engine, rule, rule.orders, form, apart):
            return True
    return False


def _sum_rule(engine: Engine, rule: CompiledRule, orders: Orders, form: Linear, whole: Linear) -> bool:
    for match, used, factor, scale in _in_sum(rule, orders, whole, engine):
        new = _instance(engine, rule, match)
        if new is None:
            continue
        if factor.factors:
            new = engine.mul(build_product(engine.graph, Monomial(1.0, factor.factors)), new)
        before = build_sum(engine.graph, used)
        engine.fired(rule.name, before, new if scale == 1 else engine.graph.const(scale) * new, rule.reason)
        rest = _reopened(form, whole, used).plus(used, -1.0)
        merged = rest.plus(linear(new), scale)
        form.terms, form.constant = merged.terms, merged.constant
        return True
    return False


def _reopened(form: Linear, whole: Linear, used: Linear) -> Linear:
    """``form`` with only those differences taken apart that a rule has used."""
    if whole is form:
        return form
    result = Linear({}, form.constant)
    for term, coefficient in form.terms.items():
        parts = opened(Linear({term: 1.0}))
        apart = not parts.terms.keys().isdisjoint(used.terms) or (parts.constant and used.constant)
        result = result.plus(parts if apart else Linear({term: 1.0}), coefficient)
    return result


def _in_sum(
    rule: CompiledRule, orders: Orders, form: Linear, engine: Engine
) -> Iterator[tuple[Match, Linear, Monomial, float]]:
    """Every place of a rule's sum in a sum: the match, the terms used, their common factor and scale."""
    for order in orders.orders:
        yield from _in_order(rule, order, orders.constant, form, engine)


def _in_order(
    rule: CompiledRule, terms: tuple[tuple[Node, float], ...], constant: float, form: Linear, engine: Engine
) -> Iterator[tuple[Match, Linear, Monomial, float]]:
    anchor, coefficient = terms[0]
    wanted = shared_monomial(anchor)
    needs = _fixed_ops(anchor)
    matcher = rule.matcher
    for term, has in list(form.terms.items()):
        held = shared_monomial(term)
        if needs and not needs <= {plain(factor).op for factor in held.factors}:
            continue
        for match, left in matcher.factors(list(wanted.factors.items()), held, {}):
            scale = has * left.coefficient / wanted.coefficient / coefficient
            factor = Monomial(1.0, left.factors)
            used = Linear({term: has})
            for found, total in _others(engine, matcher, terms[1:], form, factor, scale, match, used):
                if not constant:
                    yield found, total, factor, scale
                elif (more := _with_constant(engine, form, total, factor, scale * constant)) is not None:
                    yield found, more, factor, scale


@cache
def _fixed_ops(pattern: Node) -> frozenset[str]:
    """The ops that the factors of whatever matches a pattern's must have among them."""
    return frozenset(plain(factor).op for factor in monomial(pattern).factors) - MANIFOLD


def _with_constant(
    engine: Engine, form: Linear, used: Linear, factor: Monomial, constant: float
) -> Linear | None:
    part = linear(build_product(engine.graph, Monomial(constant, factor.factors)))
    return used.plus(part) if contains(form, part, 1.0) else None


def _others(
    engine: Engine, matcher: Matcher, terms: tuple[tuple[Node, float], ...], form: Linear, factor: Monomial, scale: float,
    found: Match, used: Linear,
) -> Iterator[tuple[Match, Linear]]:  # fmt: skip
    if not terms:
        yield found, used
        return
    (pattern, coefficient), rest = terms[0], terms[1:]
    if _bound(pattern, found):
        inner = _substitute(engine, pattern, found)
        if factor.factors:
            product = monomial(inner)
            for each, power in factor.factors.items():
                product.multiply(each, power)
            inner = build_product(engine.graph, product)
        part = linear(inner)
        if contains(form.plus(used, -1.0), part, scale * coefficient):
            yield from _others(
                engine, matcher, rest, form, factor, scale, found, used.plus(part, scale * coefficient)
            )
        return
    wanted = shared_monomial(pattern)
    for term, has in list(form.terms.items()):
        if term in used.terms:
            continue
        held = shared_monomial(term)
        for match, left in matcher.factors(list(wanted.factors.items()), held, found):
            other = has * left.coefficient / wanted.coefficient / coefficient
            if abs(other - scale) > 1e-9 * abs(scale) or left.factors != factor.factors:
                continue
            yield from _others(
                engine, matcher, rest, form, factor, scale, match, used.plus(Linear({term: has}))
            )


def _bound(pattern: Node, found: Match) -> bool:
    if pattern.op == "input":
        return pattern.attr[0] in found
    return all(_bound(a, found) for a in pattern.args)


def _substitute(engine: Engine, pattern: Node, found: Match) -> Node:
    """A pattern with its variables replaced, settled without rules."""
    if pattern.op == "input":
        bound: Node = found[pattern.attr[0]]
        return bound
    if pattern.op == "computed_as":
        return _substitute(engine, pattern.args[0], found)
    args = [_substitute(engine, a, found) for a in pattern.args]
    attr = pattern.attr
    if isinstance(attr, frozenset):
        attr = _found_axes(found, attr)
        args = [engine.graph.broadcast(a, attr) if pattern.op != "contract" else a for a in args]
    elif pattern.op == "size":
        axes = sorted(_found_axes(found, frozenset((attr,))))
        sizes = [engine.graph.size(a) for a in axes]
        return sizes[0] if len(sizes) == 1 else engine.graph.apply("mul", *sizes)
    return engine.make(pattern.op, *args, attr=attr)


def _found_axes(found: Match, axes: frozenset[str]) -> frozenset[str]:
    names: set[str] = set()
    for axis in axes:
        marker = found.get(f"[{axis}]")
        names |= marker if marker is not None else {axis}
    return frozenset(names)


def product_rules(engine: Engine, form: Monomial) -> Node | None:
    """What the first rule that finds its factors makes of a product."""
    if not engine.rules:
        return None
    for rule in _by_shape().get("product", ()):
        wanted = shared_monomial(rule.root)
        for match, left in rule.matcher.factors(list(wanted.factors.items()), form, {}):
            new = _instance(engine, rule, match)
            if new is None:
                continue
            before = build_product(engine.graph, form)
            left.coefficient /= wanted.coefficient
            for each, power in monomial(new).factors.items():
                left.multiply(each, power)
            left.coefficient *= monomial(new).coefficient
            return engine.fired(rule.name, before, engine.product_of(left), rule.reason)
    return None


def exponent_rules(engine: Engine, form: Linear) -> Node | None:
    """exp of a sum that holds the exponent of a rule: what the rule says times exp of the rest."""
    if not engine.rules:
        return None
    for rule in _by_shape().get("exponent", ()):
        for match, used, factor, scale in _in_sum(rule, rule.orders, form, engine):
            new = _instance(engine, rule, match)
            if new is None or factor.factors or abs(scale - 1) > 1e-9:
                continue
            rest = form.plus(used, -1.0)
            after = engine.mul(new, engine.make("exp", build_sum(engine.graph, rest))) if rest.size else new
            return engine.fired(
                rule.name, engine.graph.apply("exp", build_sum(engine.graph, used)), after, rule.reason
            )
    return None


def node_rules(engine: Engine, node: Node) -> Node | None:
    if not engine.rules:
        return None
    for rule in _by_shape().get(node.op, ()):
        for match in rule.matcher.matches(rule.root, node, {}):
            new = _instance(engine, rule, match)
            if new is not None and new is not node:
                return engine.fired(rule.name, node, new, rule.reason)
    return None


def _instance(engine: Engine, rule: CompiledRule, match: Match) -> Node | None:
    """The replacement, if the rule's condition is provable of what was found."""
    graph = engine.graph
    axes = {a: _found_axes(match, frozenset((a,))) for a in rule.variables.axes}
    plain = Adapter(graph, plain_make(graph), match, axes)
    if rule.source.when is not None and not _provable(plain, rule.source.when):
        return None
    if not rule.value_only:
        return Adapter(graph, engine.make, match, axes).build(rule.source.replacement)
    assert isinstance(rule.source.replacement, m.Call)
    meaning = plain.build(rule.source.pattern)
    formula = plain.build(rule.source.replacement.args[0])
    return engine.computed(meaning, formula)


def _provable(adapter: Adapter, condition: m.Expression) -> bool:
    """Comparisons that hold for every number of the intervals of their sides."""
    if condition.type == "and":
        return all(_provable(adapter, each) for each in condition.operands)
    if condition.type != "compare":
        raise ValueError(f"a rule's condition cannot be {condition.type}")
    gap = adapter.build(condition.left) - adapter.build(condition.right)
    inside = interval_of(gap)
    return {
        ">": inside.positive, ">=": inside.nonnegative, "<": inside.negative, "<=": inside.nonpositive,
        "==": inside.low == inside.high == 0, "!=": inside.positive or inside.negative,
    }[condition.op]  # fmt: skip

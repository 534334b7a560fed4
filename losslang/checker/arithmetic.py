"""Chains, powers, comparisons, logic and choice: how operands meet, and the kind of the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from losslang import model as m
from losslang.checker.conversion import as_boolean, as_real
from losslang.checker.scope import Context, Scope, shown, shown_axes
from losslang.checker.values import Collection, Meaning, Value, derived, merged_facts, truth_of
from losslang.interval import Interval
from losslang.ir import Node
from losslang.kinds import BOOLEAN, INDEX, POSITIVE_KIND, PROB, REAL, WEIGHT, Kind
from losslang.ranges import interval_of
from losslang.source import Span


def require_aligned(context: Context, values: Sequence[Value], span: Span) -> None:
    """Refuse an outer product that no rename, index or literal asked for."""
    for i, a in enumerate(values):
        for b in values[i + 1 :]:
            only_a, only_b = a.axes - b.axes, b.axes - a.axes
            if not only_a or not only_b:
                continue
            if (only_a & a.introduced) or (only_b & b.introduced):
                continue
            if all(any({left, right} <= c.axes for c in values) for left in only_a for right in only_b):
                continue
            if _mapped_over(context, only_a, only_b):
                continue
            shared = a.axes & b.axes
            contracted = (
                f"; to sum products along {shown_axes(shared)}, use `dot[axis](a, b)`" if shared else ""
            )
            raise context.fail(
                "LL203",
                f"these have axes {shown_axes(a.axes)} and {shown_axes(b.axes)}: "
                "combining them would pair everything with everything",
                span,
                f"reduce or pick along {shown_axes(only_a)} or {shown_axes(only_b)}; "
                f"if every pair is meant, rename an axis to say so, as in "
                f"`(…)[{shown(min(only_a))} -> other]`{contracted}",
            )


def _mapped_over(context: Context, left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether a definition works along one side's axes while the other side's only ride along.

    Its text then means one number against an axis, and riding repeats that for each of many numbers.
    """
    return any(
        (left <= own and not right & own) or (right <= own and not left & own) for own in context.own_axes
    )


def map_members(
    context: Context, meanings: Sequence[Meaning], span: Span, function: Callable[[list[Value]], Value]
) -> Meaning:
    """Apply an elementwise function; collections combine member by member."""
    collections = [x for x in meanings if isinstance(x, Collection)]
    if not collections:
        return function([x for x in meanings if isinstance(x, Value)])
    first = collections[0]
    keys = [key for key, _ in first.members]
    for other in collections[1:]:
        if [key for key, _ in other.members] != keys:
            raise context.fail(
                "LL222", "these collections have different members", span,
                "combine collections with the same members; select them with `matching`",
            )  # fmt: skip
    meanings = [_like(context, x, first, span) if isinstance(x, Collection) else x for x in meanings]
    members = []
    for index, key in enumerate(keys):
        row = [x.members[index][1] if isinstance(x, Collection) else x for x in meanings]
        members.append((key, function(row)))
    return Collection(first.axis, tuple(members), _all_views(collections))


def _all_views(collections: Sequence[Collection]) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]:
    """What names mean for each member, as any of the collections has it: a rename gives one of them a further name."""
    seen = [c.views for c in collections if c.views]
    return tuple(
        tuple({name: own for view in row for name, own in view}.items()) for row in zip(*seen, strict=True)
    )


def _like(context: Context, other: Collection, first: Collection, span: Span) -> Collection:
    """A collection whose members lie along the axes of another's members, first along first."""
    if other.axis == first.axis or any(other.views) or any(first.views):
        return other
    members = []
    for (key, value), (_, model) in zip(other.members, first.members, strict=True):
        own, wanted = _member_axes(other, key, value), _member_axes(first, key, model)
        if own and wanted and len(own) != len(wanted):
            raise context.fail(
                "LL222", f"`{key}` has {len(wanted)} axes in one of these collections, {len(own)} in another", span,
                "combine collections whose members have the same shapes",
            )  # fmt: skip
        node = value.node
        for index, axis in enumerate(own):
            target = wanted[index] if wanted else f"{_prefix(first, key)}{index}"
            context.equal_sizes.append((target, axis))
            node = context.graph.rename(node, axis, target)
        members.append((key, value.with_node(node)))
    return Collection(first.axis, tuple(members), first.views)


def _prefix(collection: Collection, key: str) -> str:
    return f"{collection.axis.removesuffix('~members')}.{key}."


def _member_axes(collection: Collection, key: str, value: Value) -> list[str]:
    """The axes that a member has of its own, in the order of its array."""
    prefix = _prefix(collection, key)
    own = [a for a in value.axes if a.startswith(prefix) and a.removeprefix(prefix).isdecimal()]
    return sorted(own, key=lambda a: int(a.removeprefix(prefix)))


# -- kinds of results -----------------------------------------------------------------------------


def by_range(interval: Interval) -> Kind:
    """The kind of arithmetic whose only claim is what its range proves."""
    if interval.positive:
        return POSITIVE_KIND
    return WEIGHT if interval.nonnegative else REAL


def _common_over(values: Sequence[Value]) -> str | None:
    overs = {v.kind.over for v in values}
    return overs.pop() if len(overs) == 1 else None


def sum_kind(values: Sequence[Value], signs: Sequence[int], node: Node) -> Kind:
    """The kind of a signed sum."""
    kinds = {v.kind.name for v in values}
    if node.elem == "int":
        return INDEX
    if len(values) == 2 and signs == [1, -1] and values[0].constant == 1.0 and values[1].kind.name == "prob":
        return PROB
    logits = [v for v in values if v.kind.name == "logit"]
    if logits:
        over = _common_over(logits)
        if kinds == {"logit"}:
            return Kind("logit", over)
        rest = [v for v in values if v.kind.name != "logit"]
        if over is not None and all(over not in v.axes for v in rest):
            return Kind("logit", over)
        return Kind("logit") if over is None and kinds <= {"logit", "real", "score"} else REAL
    if kinds == {"logprob"} and all(s > 0 for s in signs):
        return Kind("logprob", None)
    if kinds <= {"score"}:
        return Kind("score")
    if kinds <= {"embedding"}:
        return Kind("embedding")
    return by_range(interval_of(node))


def product_kind(values: Sequence[Value], divided: Sequence[bool], node: Node) -> Kind:
    if node.elem == "int":
        return INDEX
    kinds = [v.kind.name for v in values]
    if all(k in ("prob", "binary") for k in kinds) and not any(divided) and "prob" in kinds:
        return PROB
    logits = [i for i, k in enumerate(kinds) if k == "logit"]
    if len(logits) == 1 and not divided[logits[0]]:
        rest = [v for i, v in enumerate(values) if i != logits[0]]
        if all(v.interval.positive for v in rest):
            return values[logits[0]].kind
    return by_range(interval_of(node))


def joined_kind(values: Sequence[Value], node: Node) -> Kind:
    """The kind of a choice between values."""
    kinds = {v.kind.name for v in values if v.constant is None} or {v.kind.name for v in values}
    if node.elem == "bool":
        return BOOLEAN
    if node.elem == "int":
        return values[0].kind if len(kinds) == 1 else INDEX
    promised = [v for v in values if v.constant is not None]
    if len(kinds) == 1:
        name = next(iter(kinds))
        like = next(v for v in values if v.kind.name == name)
        if all(_fits(v, name) for v in promised):
            return Kind(name, _common_over([v for v in values if v.kind.name == name]), like.kind.of)
    return by_range(interval_of(node))


def _fits(constant: Value, name: str) -> bool:
    return Value(constant.node, Kind(name)).interval.contains(constant.constant or 0.0)


# -- chains ---------------------------------------------------------------------------------------


def chain(context: Context, scope: Scope, node: m.Chain) -> Meaning:
    """Parentheses around a part of a chain of the same kind do not change which axes may meet."""
    leaves = _leaves(node)
    meanings = context.eval_all(scope, leaves)

    def whole(values: list[Value]) -> Value:
        require_aligned(context, values, node.span)
        return _chained(context, node, iter(values))

    return map_members(context, meanings, node.span, whole)


def _operands(node: m.Chain) -> list[m.Expression]:
    return [node.first, *(link.operand for link in node.rest)]


def _continues(node: m.Chain, operand: m.Expression) -> bool:
    """Whether an operand in parentheses is a part of the same sum, or of the same product."""
    if not isinstance(operand, m.Chain):
        return False
    ops = {link.op for link in (*node.rest, *operand.rest)}
    return ops <= {"+", "-"} or ops <= {"*", "/"}


def _leaves(node: m.Chain) -> list[m.Expression]:
    found: list[m.Expression] = []
    for operand in _operands(node):
        if isinstance(operand, m.Chain) and _continues(node, operand):
            found += _leaves(operand)
        else:
            found.append(operand)
    return found


def _chained(context: Context, node: m.Chain, leaves: Iterator[Value]) -> Value:
    operands = _operands(node)
    values = [
        _chained(context, operand, leaves)
        if isinstance(operand, m.Chain) and _continues(node, operand)
        else next(leaves)
        for operand in operands
    ]
    spans = [operand.span for operand in operands]
    ops = [link.op for link in node.rest]
    if ops[0] in ("+", "-"):
        return add(context, values, [1, *(1 if op == "+" else -1 for op in ops)], spans)
    return multiply(context, values, ops, spans)


def _numbers(context: Context, values: list[Value], spans: Sequence[Span]) -> list[Value]:
    """All as reals, unless all are integers (positions and sizes, and counts beside them), which stay so."""
    whole = [v.node.elem == "int" and v.kind.name != "label" for v in values]
    if all(whole):
        return values
    if any(v.kind == INDEX and v.constant is None for v in values) and all(
        w or v.kind.name == "count" for v, w in zip(values, whole, strict=True)
    ):
        return [v if w else _whole(context, v) for v, w in zip(values, whole, strict=True)]
    return [as_real(context, v, span) for v, span in zip(values, spans, strict=True)]


def _whole(context: Context, count: Value) -> Value:
    node = context.graph.apply("to_int", count.node)
    return Value(node, INDEX, count.spoilt, count.introduced, False, count.ordered)


def add(context: Context, values: list[Value], signs: list[int], spans: Sequence[Span]) -> Value:
    """A signed sum of operands that may meet."""
    values = _numbers(context, values, spans)
    graph = context.graph
    parts = [v.node if s > 0 else graph.apply("neg", v.node) for v, s in zip(values, signs, strict=True)]
    node = graph.apply("add", *parts)
    logarithmic = any(v.logarithmic for v in values)
    return derived(node, sum_kind(values, signs, node), values, logarithmic)


def multiply(context: Context, values: list[Value], ops: Sequence[str], spans: Sequence[Span]) -> Value:
    """A chain of * / %, from the left; runs of * and / are gathered so that factors meet."""
    whole = all(v.node.elem == "int" and v.kind.name != "label" for v in values) and "/" not in ops
    if not whole:
        values = [as_real(context, v, s) for v, s in zip(values, spans, strict=True)]
    run, divided = [values[0]], [False]
    for value, op, at in zip(values[1:], ops, spans[1:], strict=True):
        if op == "%":
            left = _product(context, run, divided)
            node = context.graph.apply("mod", left.node, value.node)
            run, divided = (
                [derived(node, INDEX if whole else by_range(interval_of(node)), [left, value])],
                [False],
            )
            continue
        if op == "/":
            _judge_divisor(context, value, at)
        run.append(value)
        divided.append(op == "/")
    return _product(context, run, divided)


def _judge_divisor(context: Context, value: Value, span: Span) -> None:
    if value.constant == 0:
        raise context.fail(
            "LL238", "division by zero", span, "divide by something that is not the constant 0"
        )
    if (
        value.node.op == "input"
        and not value.axes
        and value.interval.contains(0.0)
        and value.node in context.hyper_nodes
    ):
        context.reporter.add(
            "LL311",
            f"this divides by `{value.node.attr[0]}`, whose range contains 0",
            span,
            "give the hyperparameter a range that leaves 0 out, such as `real > 0`",
        )


def _product(context: Context, values: list[Value], divided: list[bool]) -> Value:
    if len(values) == 1:
        return values[0]
    graph = context.graph
    logs = [v for v, d in zip(values, divided, strict=True) if v.logarithmic and not d]
    others = [(v, d) for v, d in zip(values, divided, strict=True) if not (v.logarithmic and not d)]
    silenceable = any(not d and v.interval.contains(0.0) and not v.constant for v, d in others)
    if logs and silenceable:
        outer = _plain_product(context, [v for v, _ in others], [d for _, d in others])
        inner = _plain_product(context, logs, [False] * len(logs))
        node = graph.apply("silence", outer, inner)
    else:
        node = _plain_product(context, values, divided)
    kind = product_kind(values, divided, node)
    result = derived(node, kind, values, logarithmic=bool(logs))
    times_mask = any(v.times_mask for v in values)
    return Value(
        result.node,
        result.kind,
        result.spoilt,
        result.introduced,
        result.logarithmic,
        result.ordered,
        times_mask,
    )


def _plain_product(context: Context, values: list[Value], divided: list[bool]) -> Node:
    graph = context.graph
    above = [v.node for v, d in zip(values, divided, strict=True) if not d]
    below = [v.node for v, d in zip(values, divided, strict=True) if d]
    top = graph.apply("mul", *above) if len(above) > 1 else above[0] if above else graph.const(1.0)
    if not below:
        return top
    bottom = graph.apply("mul", *below) if len(below) > 1 else below[0]
    return graph.apply("div", top, bottom)


# -- the rest -------------------------------------------------------------------------------------


def negate(context: Context, scope: Scope, node: m.Unary) -> Meaning:
    def one(values: list[Value]) -> Value:
        value = _numbers(context, values, [node.operand.span])[0]
        result = context.graph.apply("neg", value.node)
        if value.node.op == "const":
            result = context.graph.const(-value.node.attr)
        kind = value.kind if value.kind.name in ("logit", "score", "embedding", "sign") else None
        if kind is None:
            kind = INDEX if result.elem == "int" else by_range(interval_of(result))
        return derived(result, kind, [value], value.logarithmic)

    return map_members(context, [context.eval(scope, node.operand)], node.span, one)


def power(context: Context, scope: Scope, node: m.Power) -> Meaning:
    meanings = context.eval_all(scope, [node.base, node.exponent])

    def one(values: list[Value]) -> Value:
        base = as_real(context, values[0], node.base.span)
        exponent = as_real(context, values[1], node.exponent.span)
        require_aligned(context, [base, exponent], node.span)
        constant = exponent.constant
        at = context.graph.const(constant) if constant is not None else exponent.node
        if base.interval.negative and constant is not None and not float(constant).is_integer():
            raise context.fail(
                "LL237",
                f"a negative number has no power {constant:g}",
                node.span,
                "take the power of `abs(x)`",
            )
        result = context.graph.apply("pow", base.node, at)
        kind = by_range(interval_of(result))
        if base.kind.name == "prob" and exponent.interval.nonnegative:
            kind = PROB
        return derived(result, kind, [base, exponent])

    return map_members(context, meanings, node.span, one)


_SWAPPED = {">": "lt", ">=": "le", "<": "lt", "<=": "le", "==": "eq", "!=": "ne"}


def compare(context: Context, scope: Scope, node: m.Compare) -> Meaning:
    meanings = context.eval_all(scope, [node.left, node.right])

    def one(values: list[Value]) -> Value:
        left, right = _comparable(context, values, node)
        a, b = (right.node, left.node) if node.op in (">", ">=") else (left.node, right.node)
        result = context.graph.apply(_SWAPPED[node.op], a, b)
        _, introduced, ordered = merged_facts([left, right])
        apart = (
            (left.axes - right.axes) | (right.axes - left.axes) if left.axes and right.axes else frozenset()
        )
        return Value(result, BOOLEAN, frozenset(), introduced | apart, False, ordered)

    return map_members(context, meanings, node.span, one)


def _comparable(context: Context, values: list[Value], node: m.Compare) -> tuple[Value, Value]:
    left, right = values
    names = {left.kind.name, right.kind.name}
    if "label" in names:
        other = right if left.kind.name == "label" else left
        whole = other.constant is not None and float(other.constant).is_integer()
        if other.node.elem == "int" or whole or other.kind.name == "count":
            if other.node.op == "const":
                fixed = Value(context.graph.const(int(other.node.attr)), INDEX)
                return (left, fixed) if other is right else (fixed, right)
            return left, right
        raise context.fail(
            "LL202", f"a label can be compared with labels, indices and whole numbers, not with a `{other.kind}`",
            node.span, "compare it with a class number, an axis index or another label",
        )  # fmt: skip
    if left.node.elem == right.node.elem == "bool":
        return left, right
    if left.node.elem == right.node.elem == "int":
        return left, right
    return as_real(context, left, node.left.span), as_real(context, right, node.right.span)


def logic(context: Context, scope: Scope, node: m.And | m.Or) -> Meaning:
    word = "and" if isinstance(node, m.And) else "or"
    meanings = context.eval_all(scope, list(node.operands))

    def one(values: list[Value]) -> Value:
        parts = [
            as_boolean(context, v, e.span, f"what `{word}` joins")
            for v, e in zip(values, node.operands, strict=True)
        ]
        require_aligned(context, parts, node.span)
        return derived(context.graph.apply(word, *(p.node for p in parts)), BOOLEAN, parts)

    return map_members(context, meanings, node.span, one)


def negation(context: Context, scope: Scope, node: m.Not) -> Meaning:
    def one(values: list[Value]) -> Value:
        value = as_boolean(context, values[0], node.operand.span, "what `not` turns around")
        return derived(context.graph.apply("not", value.node), BOOLEAN, [value])

    return map_members(context, [context.eval(scope, node.operand)], node.span, one)


def choose(context: Context, scope: Scope, node: m.If) -> Meaning:
    if scope.inside is not None:
        taken = _taken_branch(context, scope, node)
        if taken is not None:
            return context.eval(scope, taken)
    meanings = context.eval_all(scope, [node.condition, node.then, node.otherwise])

    def one(values: list[Value]) -> Value:
        condition = as_boolean(context, values[0], node.condition.span, "the condition of `if`")
        return select(context, condition, values[1], values[2], node)

    return map_members(context, meanings, node.span, one)


def _taken_branch(context: Context, scope: Scope, node: m.If) -> m.Expression | None:
    """The branch that a call's constants choose: limit cases of a definition need not make sense elsewhere."""
    condition = context.eval(scope, node.condition)
    truth = truth_of(condition.node) if isinstance(condition, Value) else None
    return None if truth is None else node.then if truth else node.otherwise


def select(context: Context, condition: Value, then: Value, otherwise: Value, node: m.If) -> Value:
    then, otherwise = _same_element(context, then, otherwise, node)
    require_aligned(context, [condition, then, otherwise], node.span)
    result = context.graph.select(condition.node, then.node, otherwise.node)
    value = derived(result, joined_kind([then, otherwise], result), [condition, then, otherwise])
    spoilt = frozenset(y for y in then.spoilt if not guards(condition.node, y)) | otherwise.spoilt
    both_logs = then.logarithmic or otherwise.logarithmic
    return Value(result, value.kind, spoilt, value.introduced, both_logs, value.ordered)


def _same_element(context: Context, then: Value, otherwise: Value, node: m.If) -> tuple[Value, Value]:
    if then.node.elem == otherwise.node.elem:
        return then, otherwise
    return as_real(context, then, node.then.span), as_real(context, otherwise, node.otherwise.span)


def guards(mask: Node, label: Node) -> bool:
    """Whether ``mask`` holds only where ``label`` is not its ignored value."""
    if mask.op == "and":
        return any(guards(part, label) for part in mask.args)
    if mask.op in ("gather", "rename") and (mask.op, mask.attr) == (label.op, label.attr):
        return mask.args[1:] == label.args[1:] and guards(mask.args[0], label.args[0])
    return mask.op == "ne" and label in mask.args and any(a.op == "const" for a in mask.args)

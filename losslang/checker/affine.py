"""`minimize`: a sum of weights times terms."""

from __future__ import annotations

from dataclasses import dataclass, field

from losslang import model as m
from losslang.checker.arithmetic import add, select
from losslang.checker.conversion import as_boolean, as_real, single
from losslang.checker.report import Failed
from losslang.checker.scope import Context, Scope, shown, shown_axes
from losslang.checker.values import Value
from losslang.checker.walking import children
from losslang.kinds import REAL
from losslang.source import Span


@dataclass
class Affine:
    """``weights`` by term; ``offset`` is the part without terms."""

    weights: dict[str, Value] = field(default_factory=dict)
    offset: Value | None = None


@dataclass
class AffineReader:
    """Reads an objective. ``terms`` are the names of terms, ``lets`` the expressions of lets."""

    context: Context
    scope: Scope
    terms: frozenset[str]
    lets: dict[str, m.Expression]

    def read(self, node: m.Expression) -> Affine:
        if not self.mentions(node):
            return Affine(offset=self._offset(node))
        if isinstance(node, m.Name):
            if node.id in self.terms:
                return Affine({node.id: self._one()})
            return self.read(self.lets[node.id])
        if isinstance(node, m.Unary):
            return self._scaled(
                self.read(node.operand), Value(self.context.graph.const(-1.0), REAL), node.span
            )
        if isinstance(node, m.Chain):
            return self._sum(node) if node.rest[0].op in ("+", "-") else self._product(node)
        if isinstance(node, m.If) and not self.mentions(node.condition):
            return self._choice(node)
        raise self._refuse(node.span)

    def mentions(self, node: m.Node, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a term stands in the expression, directly or behind a let."""
        stack: list[m.Node] = [node]
        while stack:
            each = stack.pop()
            if isinstance(each, m.Name):
                if each.id in self.terms:
                    return True
                if (
                    each.id in self.lets
                    and each.id not in seen
                    and self.mentions(self.lets[each.id], seen | {each.id})
                ):
                    return True
            if (
                isinstance(each, m.Pick)
                and isinstance(each.at, m.Name)
                and self.scope.is_place(each.axis, each.at.id)
            ):
                continue
            stack.extend(children(each))
        return False

    def _refuse(self, span: Span) -> Exception:
        return self.context.fail(
            "LL232", "an objective is a sum of weights times terms, and this is not", span,
            "move what is nonlinear into a `term`, and weigh the terms with expressions that contain none",
        )  # fmt: skip

    def _one(self) -> Value:
        return Value(self.context.graph.const(1.0), REAL)

    def _offset(self, node: m.Expression) -> Value:
        """A part of the objective without terms."""
        context = self.context
        value = as_real(context, single(context, context.eval(self.scope, node), node.span), node.span)
        if value.axes:
            raise context.fail(
                "LL205", f"what is minimized is one number, this has {shown_axes(value.axes)}", node.span,
                f"say how to average: `mean[{', '.join(sorted(shown(a) for a in value.axes))}](…)`",
            )  # fmt: skip
        return value

    def _scalar(self, node: m.Expression) -> Value:
        context = self.context
        value = as_real(context, single(context, context.eval(self.scope, node), node.span), node.span)
        if value.axes:
            raise context.fail(
                "LL233", f"a weight is one number, this one has {shown_axes(value.axes)}", node.span,
                "reduce it, or pick one entry as in `w[task = 0]`",
            )  # fmt: skip
        return value

    def _scaled(self, affine: Affine, factor: Value, span: Span, divide: bool = False) -> Affine:
        graph = self.context.graph

        def scale(value: Value) -> Value:
            if divide:
                return value.with_node(value.node / factor.node, REAL)
            if value.constant == 1.0:
                return factor
            if value.constant is not None and factor.constant is not None:
                return Value(graph.const(value.constant * factor.constant), REAL)
            return value.with_node(graph.apply("mul", value.node, factor.node), REAL)

        weights = {name: scale(weight) for name, weight in affine.weights.items()}
        return Affine(weights, None if affine.offset is None else scale(affine.offset))

    def _plus(self, a: Affine, b: Affine, span: Span) -> Affine:
        result = Affine(dict(a.weights), a.offset)
        for name, weight in b.weights.items():
            known = result.weights.get(name)
            result.weights[name] = (
                weight if known is None else add(self.context, [known, weight], [1, 1], [span, span])
            )
        if b.offset is not None:
            result.offset = (
                b.offset
                if a.offset is None
                else add(self.context, [a.offset, b.offset], [1, 1], [span, span])
            )
        return result

    def _sum(self, node: m.Chain) -> Affine:
        result = Affine()
        failed = False
        for op, operand in [("+", node.first), *((link.op, link.operand) for link in node.rest)]:
            try:
                part = self.read(operand)
                if op == "-":
                    part = self._scaled(part, Value(self.context.graph.const(-1.0), REAL), operand.span)
                result = self._plus(result, part, operand.span)
            except Failed:
                failed = True
        if failed:
            raise Failed
        return result

    def _product(self, node: m.Chain) -> Affine:
        operands = [("*", node.first), *((link.op, link.operand) for link in node.rest)]
        with_terms = [(op, e) for op, e in operands if self.mentions(e)]
        if len(with_terms) > 1:
            raise self.context.fail(
                "LL232", "this multiplies terms with each other, and an objective is a sum of weights times terms",
                node.span, "make the product a `term` of its own",
            )  # fmt: skip
        if with_terms[0][0] == "/" or any(op == "%" for op, _ in operands):
            raise self._refuse(node.span)
        result = self.read(with_terms[0][1])
        for op, operand in operands:
            if operand is not with_terms[0][1]:
                factor = self._scalar(operand)
                if op == "/" and factor.constant == 0:
                    raise self.context.fail(
                        "LL238", "division by zero", operand.span, "divide by something else"
                    )
                result = self._scaled(result, factor, node.span, divide=op == "/")
        return result

    def _choice(self, node: m.If) -> Affine:
        context = self.context
        condition = single(context, context.eval(self.scope, node.condition), node.condition.span)
        condition = as_boolean(context, condition, node.condition.span, "the condition of `if`")
        then, otherwise = self.read(node.then), self.read(node.otherwise)
        zero = Value(context.graph.const(0.0), REAL)

        def choose(a: Value | None, b: Value | None) -> Value:
            return select(context, condition, a or zero, b or zero, node)

        names = dict.fromkeys((*then.weights, *otherwise.weights))
        weights = {n: choose(then.weights.get(n), otherwise.weights.get(n)) for n in names}
        offset = choose(then.offset, otherwise.offset) if then.offset or otherwise.offset else None
        return Affine(weights, offset)

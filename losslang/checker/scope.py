"""What the names in an expression stand for, and the state of one elaboration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from losslang import model as m
from losslang.checker.modules import Module
from losslang.checker.report import Failed, Reporter
from losslang.checker.suggest import closest, listing
from losslang.checker.values import Meaning, Value
from losslang.ir import Graph, Node
from losslang.lowered import Signature
from losslang.source import Span

Lookup = Callable[[str], Meaning | None]


def _nothing(name: str) -> Meaning | None:
    return None


def _never(name: str) -> bool:
    return False


@dataclass
class Scope:
    """``axes`` maps the names of axes in the text to those of the graph; ``local`` are the names that
    renames and literals of the text introduce, mapped when first introduced in a fresh copy of a def.
    ``lookup`` finds values that are elaborated on demand (the lets of a loss), ``is_index`` says which
    of those are whole numbers."""

    module: Module
    values: dict[str, Meaning] = field(default_factory=dict)
    axes: dict[str, str] = field(default_factory=dict)
    packs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lookup: Lookup = _nothing
    value_names: Callable[[], list[str]] = list
    is_index: Callable[[str], bool] = _never
    inside: str | None = None

    def with_values(self, **values: Meaning) -> Scope:
        return replace(self, values={**self.values, **values})

    def with_axis(self, name: str, axis: str) -> Scope:
        return replace(self, axes={**self.axes, name: axis})

    def find(self, name: str) -> Meaning | None:
        found = self.values.get(name)
        return found if found is not None else self.lookup(name)

    def is_place(self, axis: str, name: str) -> bool:
        """Whether ``name`` in ``[axis = name]`` is a place of the axis: a value of that name must be an index."""
        if name not in self.places.get(axis, ()):
            return False
        value = self.values.get(name)
        return not (
            self.is_index(name) if value is None else isinstance(value, Value) and value.node.elem == "int"
        )

    def known_values(self) -> list[str]:
        return [*self.values, *self.value_names()]


@dataclass
class Context:
    """One elaboration: the graph being built and everything found on the way.

    ``restrictions`` maps an axis of the graph to the mask that a call's ``where`` put on it.
    ``calls`` are the definitions being inlined, to refuse recursion; ``own_axes`` are the axes that
    each of them works along, all others ride along. ``used`` are names of values that were looked up.
    ``given_axes`` are those of inputs and hyperparameters, whose lengths come with the call.
    """

    graph: Graph
    reporter: Reporter
    signature: Signature | None = None
    restrictions: dict[str, Node] = field(default_factory=dict)
    calls: list[object] = field(default_factory=list)
    own_axes: list[frozenset[str]] = field(default_factory=list)
    fixed: dict[str, int] = field(default_factory=dict)
    constant_picks: list[tuple[str, int]] = field(default_factory=list)
    equal_sizes: list[tuple[str, str]] = field(default_factory=list)
    hyper_nodes: set[Node] = field(default_factory=set)
    index_axes: frozenset[str] = frozenset()
    shared_axes: frozenset[str] = frozenset()
    given_axes: set[str] = field(default_factory=set)
    inlined: dict[object, Meaning | None] = field(default_factory=dict)
    _local_axes: dict[tuple[str, int, tuple[str, ...]], str] = field(default_factory=dict)

    def eval(self, scope: Scope, expression: m.Expression) -> Meaning:
        """The meaning of an expression; raises Failed after reporting what is wrong."""
        from losslang.checker.expressions import evaluate

        return evaluate(self, scope, expression)

    def eval_all(self, scope: Scope, expressions: list[m.Expression]) -> list[Meaning]:
        """All of them, so that every problem is reported, not only the first."""
        results: list[Meaning] = []
        failed = False
        for expression in expressions:
            try:
                results.append(self.eval(scope, expression))
            except Failed:
                failed = True
        if failed:
            raise Failed
        return results

    def local_axis(self, name: str, depth: int, around: tuple[str, ...]) -> str:
        """The graph's name for an axis that an inlined definition introduces.

        Calls nested in each other never share one; calls side by side along the same axes do, so
        that what they have in common is computed once.
        """
        key = (name, depth, around)
        if key not in self._local_axes:
            self._local_axes[key] = f"{name}~{len(self._local_axes) + 1}"
        return self._local_axes[key]

    def fail(self, code: str, message: str, span: Span, help: str = "") -> Failed:
        return self.reporter.fail(code, message, span, help)

    @contextmanager
    def restricting(self, masks: dict[str, Node]) -> Iterator[None]:
        outer = self.restrictions
        self.restrictions = {**outer, **masks}
        try:
            yield
        finally:
            self.restrictions = outer


def resolve_axis(context: Context, scope: Scope, name: str, span: Span) -> str:
    """The graph's axis that ``name`` stands for."""
    found = scope.axes.get(name)
    if found is None:
        guess = closest(name, scope.axes)
        hint = f"did you mean `{guess}`?" if guess else f"axes in scope: {listing(scope.axes)}"
        if scope.inside and context.calls:
            hint = f"the definition does not name it: write `def {scope.inside}[…, {name}](…)`"
            hint += f", unless `{guess}` is meant" if guess else ""
        raise context.fail("LL103", f"there is no axis `{name}` here", span, hint)
    return found


def resolve_axes(
    context: Context, scope: Scope, refs: tuple[m.AxisRef, ...], everything: frozenset[str]
) -> list[str]:
    """The graph's axes of a bracket; ``[*]`` stands for ``everything``."""
    axes: list[str] = []
    for ref in refs:
        if not ref.pack:
            axes.append(resolve_axis(context, scope, ref.name, ref.span))
        elif not ref.name:
            axes.extend(sorted(everything))
        elif ref.name in scope.packs:
            axes.extend(scope.packs[ref.name])
        else:
            hint = f"packs in scope: {listing('*' + p for p in scope.packs)}"
            raise context.fail("LL103", f"there is no pack of axes `*{ref.name}` here", ref.span, hint)
    for index, axis in enumerate(axes):
        if axis in axes[:index]:
            raise context.fail(
                "LL103", f"axis `{shown(axis)}` is named twice", refs[0].span, "name each axis once"
            )
    return axes


def shown(axis: str) -> str:
    """An axis of the graph as the user knows it."""
    return axis.split("~")[0]


def shown_axes(axes: frozenset[str] | set[str] | list[str]) -> str:
    names = sorted(shown(a) for a in axes)
    return f"({', '.join(names)})" if names else "no axes"

"""Functions of one fused graph: the value, the value with gradients, and the pullbacks.

Each is a graph first (rewritten for stability, differentiated, rewritten again), then a text, then a
function; all of that when it is first asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from losslang.backends import emit
from losslang.backends import load as load_source
from losslang.differentiate import gradient, pullback
from losslang.ir import Graph, Node
from losslang.program import Function, Parameter, Result
from losslang.runtime.kernels import Adapted, Kernel, Layout, Slot

Axes = tuple[str, ...]


class Part:
    """See ``losslang.runtime.kernels.Part`` for what the functions take and return.

    ``roots`` are the results, as the layout says, and ``axes`` the order of their dimensions.
    """

    def __init__(
        self, parameters: Sequence[Parameter], slots: Sequence[Slot], roots: Sequence[Node], axes: Sequence[Axes],
        layout: Layout, backend: str, rewrite: bool,
    ) -> None:  # fmt: skip
        self.slots = tuple(slots)
        self.layout = layout
        self.adapted = Adapted()
        self.parameters = tuple(parameters)
        self.roots = list(roots)
        self.lock = threading.RLock()
        self.functions: dict[tuple[Any, ...], Kernel] = {}
        self.firings: list[Any] = []
        self._axes = list(axes)
        self._backend = backend
        self._rewrite = rewrite
        self._stable: list[Node] | None = None
        self._settled: dict[Node, Node] = {}

    # -- what the runtime asks for ------------------------------------------------------------------

    def value(self) -> Kernel:
        key = ("value",)
        return self.functions.get(key) or self._built(key, self.value_function)

    def value_and_gradient(self, wrt: tuple[int, ...]) -> Kernel:
        key = ("gradient", wrt)
        return self.functions.get(key) or self._built(key, lambda: self.gradient_function(wrt))

    def pullback(self, wrt: tuple[int, ...], results: tuple[int, ...]) -> Kernel:
        key = ("pullback", wrt, results)
        return self.functions.get(key) or self._built(key, lambda: self.pullback_function(wrt, results))

    def second(self, wrt: tuple[int, ...], results: tuple[int, ...], targets: tuple[int, ...]) -> Kernel:
        key = ("second", wrt, results, targets)
        return self.functions.get(key) or self._built(
            key, lambda: self.second_function(wrt, results, targets)
        )

    # -- graphs -------------------------------------------------------------------------------------

    def stable(self) -> list[Node]:
        """The results after rewriting."""
        with self.lock:
            if self._stable is None:
                self._stable = self._rewritten(self.roots)
            return self._stable

    def doubts(self) -> list[Any]:
        """What of the results is evaluated in double precision, as rewrites are listed."""
        from losslang.rewrite import doubts

        return doubts(self.stable()) if self._rewrite else []

    def value_function(self, name: str = "value") -> Function:
        return self._function(name, self.parameters, self.stable(), (), "The results.")

    def gradient_function(self, wrt: tuple[int, ...], name: str = "value_and_gradient") -> Function:
        """The results and the total's gradients, sharing what they have in common."""
        stable = self.stable()
        gradients = gradient(stable[self.layout.total], [self._leaf(at) for at in wrt])
        roots = self._rewritten([*stable, *gradients])
        names = ", ".join(dict.fromkeys(self.slots[at].name for at in wrt))
        doc = f"The results, then the total's gradients with respect to {names}."
        return self._function(name, self.parameters, roots, wrt, doc)

    def pullback_function(self, wrt: tuple[int, ...], results: tuple[int, ...]) -> Function:
        """Gradients of the sum of cotangent times result."""
        cotangents, gradients = self._pulled(wrt, results)
        doc = "Gradients of the results' sum, each times its cotangent."
        return self._function("pullback", (*self.parameters, *cotangents), gradients, wrt, doc, values=False)

    def second_function(
        self, wrt: tuple[int, ...], results: tuple[int, ...], targets: tuple[int, ...]
    ) -> Function:
        """The pullback of the pullback: with respect to ``targets``, then to its cotangents."""
        cotangents, gradients = self._pulled(wrt, results)
        graph = self._graph
        directions, products = [], [graph.const(0.0)]
        for at, slope in zip(wrt, gradients, strict=True):
            slot = self.slots[at]
            node = graph.input(f"direction~{at}", slot.axes, "real")
            directions.append(Parameter(f"direction_{at}", node, slot.axes))
            products.append(graph.reduce("sum", graph.apply("mul", slope, node), slot.axes))
        leaves = [self._leaf(at) for at in targets] + [each.node for each in cotangents if each.node]
        curvature = self._rewritten(gradient(graph.apply("add", *products), leaves))
        axes = [self.slots[at].axes for at in targets] + [each.axes for each in cotangents]
        found = tuple(Result(node, along) for node, along in zip(curvature, axes, strict=True))
        doc = "Gradients of the sum of the pullback's gradients, each times its direction."
        return Function("second", (*self.parameters, *cotangents, *directions), found, doc)

    @property
    def _graph(self) -> Graph:
        return self.roots[0].graph

    def _pulled(self, wrt: tuple[int, ...], results: tuple[int, ...]) -> tuple[list[Parameter], list[Node]]:
        """The cotangents of some results as parameters, and the gradients that they give."""
        graph, stable = self._graph, self.stable()
        cotangents = []
        for at in results:
            node = graph.input(f"cotangent~{at}", self._axes[at], "real")
            cotangents.append(Parameter(f"cotangent_{at}", node, self._axes[at]))
        outputs = [graph.broadcast(stable[at], self._axes[at]) for at in results]
        seeds = [each.node for each in cotangents if each.node is not None]
        return cotangents, self._rewritten(pullback(outputs, seeds, [self._leaf(at) for at in wrt]))

    def _leaf(self, at: int) -> Node:
        node = self.parameters[at].node
        assert node is not None
        return node

    def _rewritten(self, roots: Sequence[Node]) -> list[Node]:
        if not self._rewrite:
            return list(roots)
        from losslang.rewrite import rewrite
        from losslang.rewrite.trace import Trace

        trace = Trace()
        stable = rewrite(roots, trace=trace, settled=self._settled)
        self.firings += trace.firings
        return stable

    # -- code -----------------------------------------------------------------------------------------

    def _function(
        self,
        name: str,
        parameters: Sequence[Parameter],
        roots: Sequence[Node],
        wrt: tuple[int, ...],
        doc: str,
        values: bool = True,
    ) -> Function:
        from losslang.rewrite import finish, guarded

        roots = finish(roots, self.stable() if self._rewrite else None)
        if self._rewrite and values and wrt:
            count = len(roots) - len(wrt)
            roots = [*roots[:count], *guarded(roots[self.layout.total], roots[count:])]
        axes = [*(self._axes if values else []), *(self.slots[at].axes for at in wrt)]
        results = tuple(Result(root, along) for root, along in zip(roots, axes, strict=True))
        return Function(name, tuple(parameters), results, doc)

    def _built(self, key: tuple[Any, ...], make: Callable[[], Function]) -> Kernel:
        with self.lock:
            if key not in self.functions:
                function = make()
                self.functions[key] = load_source(emit([function], self._backend), self._backend)[
                    function.name
                ]
            return self.functions[key]

"""From a spec to a callable: the one module that knows every stage, in order.

    text → Spec → elaborate → rewrite → differentiate → rewrite → emit → load → CompiledLoss

``dump`` shows what any stage hands to the next.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from losslang.backends import emit
from losslang.backends import load as load_source
from losslang.demand import demanded
from losslang.diagnostics import Diagnostic
from losslang.differentiate import gradient
from losslang.errors import InputError, MissingBackend
from losslang.ir import Node, walk
from losslang.kinds import DIFFERENTIABLE
from losslang.lowered import LoweredLoss, Signature
from losslang.program import Function, Parameter, Result
from losslang.runtime.adapter import Adapter
from losslang.runtime.binding import UNDECIDING
from losslang.runtime.kernels import Adapted, Kernel, Layout, Slot
from losslang.runtime.loss import CompiledLoss, Recipe
from losslang.runtime.words import did_you_mean

if TYPE_CHECKING:
    from losslang.spec import Spec

BACKENDS = ("numpy", "torch", "jax")
SCHEDULES = ("auto", "plain")
STAGES = ("model", "graph", "rewritten", "gradients", "source")


def load(source: Any) -> Spec:
    """A spec from a path, a text, or the JSON form as a mapping.

    Raises:
        SpecError: with every problem that was found.
    """
    from losslang.spec import Spec

    return Spec.load(source)


def check(source: Any) -> list[Diagnostic]:
    """Every problem of a spec, given as ``load`` takes it. Never raises on a bad spec."""
    from losslang.spec import Spec

    return list(Spec.read(source).diagnostics)


def compile(
    source: str | os.PathLike[str] | Spec,
    backend: str = "numpy",
    loss: str | None = None,
    hyper: Mapping[str, Any] | None = None,
    schedule: str = "auto",
    rewrite: bool = True,
    externs: Mapping[str, Any] | None = None,
) -> CompiledLoss:
    """A loss as a callable for ``backend``: ``numpy``, ``torch`` or ``jax``.

    ``source`` is a path, a text or a loaded spec; ``loss`` picks one of several losses in a file;
    ``hyper`` overrides defaults; ``schedule="plain"`` turns streaming off; ``rewrite=False`` leaves
    formulas as they were written (for study: such a loss overflows where its formula does);
    ``externs`` supplies the functions that the spec declares ``extern``.

    Raises:
        SpecError: the spec makes no sense.
        InputError: an unknown backend, loss or hyperparameter, or one outside its range.
        MissingBackend: the backend's library is not installed.
    """
    adapter = _adapter(backend)
    if schedule not in SCHEDULES:
        raise InputError(f"there is no schedule `{schedule}`; {did_you_mean(schedule, SCHEDULES)}")
    spec = load(source)
    loss = spec.choose(loss)
    options: dict[str, Any] = {
        "backend": backend,
        "loss": loss,
        "hyper": dict(hyper or {}),
        "schedule": schedule,
    }
    options |= {"source": spec, "rewrite": rewrite, "externs": dict(externs) if externs else None}
    lowered = spec.elaborate(loss)

    def program(signature: Signature | None) -> Program:
        special = lowered if signature is None else spec.elaborate(loss, signature)
        return Program(special, backend, rewrite, externs)

    return CompiledLoss(lowered, backend, adapter, program, hyper or {}, Recipe(compile, options))


def from_lowered(
    lowered: LoweredLoss, backend: str = "numpy", hyper: Mapping[str, Any] | None = None, rewrite: bool = True
) -> CompiledLoss:
    """A loss that was checked elsewhere, as a callable. It cannot depend on a signature."""
    options = {"lowered": lowered, "backend": backend, "hyper": dict(hyper or {}), "rewrite": rewrite}

    def program(signature: Signature | None) -> Program:
        return Program(lowered, backend, rewrite)

    recipe = Recipe(from_lowered, options)
    return CompiledLoss(lowered, backend, _adapter(backend), program, hyper or {}, recipe)


def _adapter(backend: str) -> Adapter:
    if backend not in BACKENDS:
        raise InputError(f"there is no backend `{backend}`; {did_you_mean(str(backend), BACKENDS)}")
    if importlib.util.find_spec(backend) is None:
        raise MissingBackend(f'{backend} is not installed: pip install "losslang[{backend}]"')
    if backend == "torch":
        from losslang.runtime.torch_adapter import TorchAdapter

        return TorchAdapter()
    if backend == "jax":
        from losslang.runtime.jax_adapter import JaxAdapter

        return JaxAdapter()
    from losslang.runtime.numpy_adapter import NumpyAdapter

    return NumpyAdapter()


def dump(
    source: Any,
    stage: str,
    backend: str = "numpy",
    loss: str | None = None,
    signature: Signature | None = None,
) -> str:
    """What a stage hands to the next, as text: one of ``STAGES``.

    ``model`` is JSON; ``graph`` (as checked), ``rewritten`` and ``gradients`` list one node a line;
    ``source`` is the generated code. A loss over any number of axes needs a ``signature`` for all but
    the first.

    Raises:
        SpecError: the spec makes no sense.
        InputError: there is no such stage.
    """
    if stage not in STAGES:
        raise InputError(f"there is no stage `{stage}`; {did_you_mean(stage, STAGES)}")
    spec = load(source)
    if stage == "model":
        return spec.to_json()
    program = Program(spec.elaborate(loss, signature), backend, True)
    if stage == "source":
        return program.source
    return program.listing(stage)


class Program:
    """The functions of one loss at one signature, each written and loaded when it is first asked for.

    See ``losslang.runtime.kernels.Program`` for what they take and return.
    """

    def __init__(
        self, lowered: LoweredLoss, backend: str, rewrite: bool, externs: Mapping[str, Any] | None = None
    ) -> None:
        self.lowered = lowered
        self.backend = backend
        self.slots, self._parameters = _slots(lowered)
        self.layout, self._outputs = _layout(lowered)
        _refuse_externs(self._outputs)
        self.adapted = Adapted()
        self._rewrite = rewrite
        self._externs = externs
        self._firings: list[Any] = []
        self._lock = threading.RLock()
        self._stable: list[Node] | None = None
        self._functions: dict[tuple[Any, ...], Kernel] = {}
        self._source: str | None = None
        self.picks: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self.default_wrt = tuple(
            at
            for at, slot in enumerate(self.slots)
            if slot.elem == "real" and not slot.hyper and slot.kind.name in DIFFERENTIABLE
        )

    # -- what the runtime asks for ------------------------------------------------------------------

    def value(self) -> Kernel:
        key = ("value",)
        return self._functions.get(key) or self._built(key, self.value_function, self.backend)

    def value_and_gradient(self, wrt: tuple[int, ...]) -> Kernel:
        key = ("gradient", wrt)
        return self._functions.get(key) or self._built(key, lambda: self.gradient_function(wrt), self.backend)

    def pullback(self, wrt: tuple[int, ...], results: tuple[int, ...]) -> Kernel:
        key = ("pullback", wrt, results)
        return self._functions.get(key) or self._built(
            key, lambda: self.pullback_function(wrt, results), self.backend
        )

    def second(self, wrt: tuple[int, ...], results: tuple[int, ...], targets: tuple[int, ...]) -> Kernel:
        key = ("second", wrt, results, targets)
        return self._functions.get(key) or self._built(
            key, lambda: self.second_function(wrt, results, targets), self.backend
        )

    def demands(self) -> Kernel:
        key = ("demands",)
        return self._functions.get(key) or self._built(key, self.demand_function, "numpy")

    @property
    def source(self) -> str:
        """The value and the default gradients as one module. Where one of them was loaded before, from a
        module of its own, that function's text was the same."""
        with self._lock:
            if self._source is None:
                functions = [self.value_function()]
                if self.default_wrt:
                    functions.append(self.gradient_function(self.default_wrt))
                self._source = emit(functions, self.backend)
                loaded = load_source(self._source, self.backend)
                self._functions.setdefault(("gradient", self.default_wrt), loaded[functions[-1].name])
                self._functions.setdefault(("value",), loaded["value"])
            return self._source

    @property
    def substitutions(self) -> tuple[Any, ...]:
        with self._lock:
            self.stable()
            return tuple(self._firings)

    # -- stages ---------------------------------------------------------------------------------------

    def stable(self) -> list[Node]:
        """The results after rewriting."""
        with self._lock:
            if self._stable is None:
                self._stable = self._rewritten(self._outputs)
            return self._stable

    def value_function(self) -> Function:
        return self._function("value", self._parameters, self.stable(), (), self.lowered.doc)

    def gradient_function(self, wrt: tuple[int, ...], name: str = "value_and_gradient") -> Function:
        """The results and the total's gradients, sharing what they have in common."""
        stable = self.stable()
        gradients = gradient(stable[self.layout.total], [self._leaf(at) for at in wrt])
        roots = self._rewritten([*stable, *gradients])
        names = ", ".join(self.slots[at].shown for at in wrt)
        doc = f"The results, then the total's gradients with respect to {names}."
        return self._function(name, self._parameters, roots, wrt, doc)

    def pullback_function(self, wrt: tuple[int, ...], results: tuple[int, ...]) -> Function:
        """Gradients of the sum of cotangent times result."""
        cotangents, gradients = self._pulled(wrt, results)
        doc = "Gradients of the results' sum, each times its cotangent."
        parameters = [*self._parameters, *cotangents]
        return self._function("pullback", parameters, gradients, wrt, doc, values=False)

    def second_function(
        self, wrt: tuple[int, ...], results: tuple[int, ...], targets: tuple[int, ...]
    ) -> Function:
        """The pullback of the pullback: with respect to ``targets``, then to its cotangents."""
        graph = self.lowered.graph
        cotangents, gradients = self._pulled(wrt, results)
        directions, products = [], [graph.const(0.0)]
        for at, slope in zip(wrt, gradients, strict=True):
            slot = self.slots[at]
            node = graph.input(f"direction~{at}", slot.axes, "real")
            directions.append(Parameter(f"direction_{at}", node, slot.axes))
            products.append(graph.reduce("sum", graph.apply("mul", slope, node), slot.axes))
        leaves = [self._leaf(at) for at in targets] + [each.node for each in cotangents if each.node]
        curvature = self._rewritten(gradient(graph.apply("add", *products), leaves))
        axes = [self.slots[at].axes for at in targets] + [()] * len(cotangents)
        found = tuple(Result(node, along) for node, along in zip(curvature, axes, strict=True))
        doc = "Gradients of the sum of the pullback's gradients, each times its direction."
        return Function("second", (*self._parameters, *cotangents, *directions), found, doc)

    def _pulled(self, wrt: tuple[int, ...], results: tuple[int, ...]) -> tuple[list[Parameter], list[Node]]:
        """The cotangents of some results as parameters, and the gradients that they give."""
        graph, stable = self.lowered.graph, self.stable()
        nodes = [graph.input(f"cotangent~{at}", (), "real") for at in results]
        weighted = [graph.apply("mul", ct, stable[at]) for ct, at in zip(nodes, results, strict=True)]
        output = weighted[0] if len(weighted) == 1 else graph.apply("add", *weighted)
        gradients = self._rewritten(gradient(output, [self._leaf(at) for at in wrt]))
        return [
            Parameter(f"cotangent_{at}", node, ()) for at, node in zip(results, nodes, strict=True)
        ], gradients

    def demand_function(self) -> Function:
        """Which places of every input, and of every pick's index, the results depend on."""
        leaves = [self._leaf(at) for at in range(len(self.slots))]
        masks, picks = demanded(self._outputs, leaves)
        results = [Result(mask, slot.axes) for mask, slot in zip(masks, self.slots, strict=True)]
        self.picks = tuple((pick.attr, tuple(sorted(pick.args[1].axes))) for pick, _ in picks)
        for (pick, needed), (_, axes) in zip(picks, self.picks, strict=True):
            results += [Result(pick.args[1], axes), Result(needed, axes)]
            results.append(Result(self.lowered.graph.size(pick.attr), ()))
        return Function("demands", tuple(self._parameters), tuple(results))

    def listing(self, stage: str) -> str:
        """The graph at a stage, one node a line, results named at the end."""
        if stage == "gradients":
            roots = [each.node for each in self.gradient_function(self.default_wrt).results]
        else:
            roots = self._outputs if stage == "graph" else self.stable()
        names = self._result_names() + [f"gradient {self.slots[at].shown}" for at in self.default_wrt]
        numbers: dict[Node, int] = {}
        lines = []
        for node in walk(roots):
            arguments = ", ".join(f"%{numbers[arg]}" for arg in node.args)
            attr = f" {_attribute(node)}" if node.attr is not None else ""
            axes = f"[{', '.join(sorted(node.axes))}]" if node.axes else ""
            lines.append(f"%{len(numbers)} = {node.op}{attr}({arguments}) : {node.elem}{axes}")
            numbers[node] = len(numbers)
        return "\n".join([*lines, *(f"{n}: %{numbers[r]}" for n, r in zip(names, roots, strict=False)), ""])

    def _result_names(self) -> list[str]:
        layout = self.layout
        found = {at: f"weighted {name}" for name, at in layout.weighted}
        found |= {at: f"term {name}" for name, at in layout.terms}
        found |= {at: f"report {name}" for name, at in layout.reports}
        found[layout.total] = "total"
        return [found[at] for at in range(layout.count)]

    # -- machinery --------------------------------------------------------------------------------------

    def _leaf(self, at: int) -> Node:
        node = self._parameters[at].node
        assert node is not None
        return node

    def _rewritten(self, roots: Sequence[Node]) -> list[Node]:
        if not self._rewrite:
            return list(roots)
        from losslang.rewrite import rewrite
        from losslang.rewrite.trace import Trace

        trace = Trace()
        stable = rewrite(roots, trace=trace)
        self._firings += trace.firings
        return stable

    def _function(
        self,
        name: str,
        parameters: Sequence[Parameter],
        roots: Sequence[Node],
        wrt: tuple[int, ...],
        doc: str,
        values: bool = True,
    ) -> Function:
        from losslang.rewrite import finish

        reports = [report.axes for report in self.lowered.reports]
        roots = finish(roots)
        axes: list[tuple[str, ...]] = [()] * self.layout.scalars + reports if values else []
        axes += [self.slots[at].axes for at in wrt]
        return Function(
            name, tuple(parameters), tuple(Result(r, a) for r, a in zip(roots, axes, strict=True)), doc
        )

    def _built(self, key: tuple[Any, ...], make: Callable[[], Function], backend: str) -> Kernel:
        with self._lock:
            if key not in self._functions:
                function = make()
                self._functions[key] = load_source(emit([function], backend), backend)[function.name]
            return self._functions[key]


def _refuse_externs(outputs: Sequence[Node]) -> None:
    """Functions of the host are checked like any others, but code is not yet cut at them."""
    names = sorted({str(node.attr[0]) for node in walk(outputs) if node.op == "extern"})
    if names:
        raise InputError(f"the loss uses the extern `{names[0]}`, which cannot be compiled yet", names[0])


def _attribute(node: Node) -> str:
    if isinstance(node.attr, frozenset):
        return f"[{', '.join(sorted(node.attr))}]"
    if node.op == "input":
        return str(node.attr[0])
    return str(node.attr)


def _slots(lowered: LoweredLoss) -> tuple[tuple[Slot, ...], list[Parameter]]:
    slots, parameters = [], []
    for each in lowered.inputs:
        for leaf in each.leaves:
            decides = each.kind.name not in UNDECIDING
            slots.append(Slot(each.name, leaf.key, leaf.axes, leaf.node.elem, each.kind, False, decides))
            name = each.name if leaf.key is None else f"{each.name}.{leaf.key}"
            parameters.append(Parameter(name, leaf.node, leaf.axes))
    for hyper in lowered.hypers:
        slots.append(Slot(hyper.name, None, hyper.axes, hyper.node.elem, hyper.kind, True, False))
        parameters.append(Parameter(hyper.name, hyper.node, hyper.axes))
    return tuple(slots), parameters


def _layout(lowered: LoweredLoss) -> tuple[Layout, list[Node]]:
    """Results without repetition: equal scalars are one result under several names."""
    graph = lowered.graph
    roots: list[Node] = []
    places: dict[Node, int] = {}

    def scalar(node: Node) -> int:
        node = graph.real(node)
        if node not in places:
            places[node] = len(roots)
            roots.append(node)
        return places[node]

    total = scalar(lowered.total)
    terms = tuple((each.name, scalar(each.node)) for each in lowered.terms)
    weighted = [
        (each.name, scalar(graph.apply("mul", each.weight, each.node)))
        for each in lowered.terms
        if each.weight is not None
    ]
    if lowered.offset is not None:
        weighted.append(("offset", scalar(lowered.offset)))
    scalars = len(roots)
    reports = tuple((each.name, scalars + at) for at, each in enumerate(lowered.reports))
    roots += [each.node for each in lowered.reports]
    return Layout(total, terms, tuple(weighted), reports, scalars, len(roots)), roots

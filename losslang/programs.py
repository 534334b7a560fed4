"""A checked loss at one signature as what the runtime needs: its arguments, its calls of the host, and the
functions of what lies between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from losslang.backends import emit
from losslang.backends import load as load_source
from losslang.cut import Call, Cut, reached
from losslang.demand import demanded
from losslang.errors import InputError
from losslang.ir import Node
from losslang.kinds import DIFFERENTIABLE, REAL
from losslang.listing import listed
from losslang.lowered import LoweredLoss
from losslang.parts import Part
from losslang.program import Function, Parameter, Result
from losslang.runtime.binding import UNDECIDING
from losslang.runtime.externs import Host
from losslang.runtime.kernels import HostCall, Kernel, Layout, Slot


class Program:
    """See ``losslang.runtime.kernels.Program``. Nothing is written or loaded before it is asked for."""

    def __init__(
        self, lowered: LoweredLoss, backend: str, rewrite: bool, externs: Mapping[str, Host] | None = None
    ) -> None:
        self.lowered = lowered
        self.backend = backend
        slots, parameters = _slots(lowered)
        self.slots = tuple(slots)
        self.layout, self._outputs = _layout(lowered)
        self._cut = Cut(self._outputs)
        self._rewrite = rewrite
        self._lock = threading.RLock()
        self._source: str | None = None
        self._demands: Kernel | None = None
        self.picks: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self._flowing = _flowing(self._cut, self.layout.scalars)
        self._before: list[Part] = []
        self.calls = tuple(
            self._host_call(call, externs or {}, slots, parameters) for call in self._cut.calls
        )
        axes: list[tuple[str, ...]] = [()] * self.layout.scalars + [each.axes for each in lowered.reports]
        self.fused = Part(parameters, slots, self._cut.roots, axes, self.layout, backend, rewrite)
        self.default_wrt = tuple(
            at
            for at, slot in enumerate(self.slots)
            if slot.elem == "real" and not slot.hyper and slot.kind.name in DIFFERENTIABLE
        )

    def _host_call(
        self, call: Call, externs: Mapping[str, Host], slots: list[Slot], parameters: list[Parameter]
    ) -> HostCall:
        """The call, its result added to the slots and parameters of whatever comes after."""
        reals = [at for at, each in enumerate(call.arguments) if each.elem == "real"]
        others = [at for at in range(len(call.arguments)) if at not in reals]
        order = tuple((reals + others).index(at) for at in range(len(call.arguments)))
        layout = Layout(-1, (), (), (), len(reals), len(order))
        arguments = Part(
            parameters,
            slots,
            [call.arguments[at] for at in reals + others],
            [call.layouts[at] for at in reals + others],
            layout,
            self.backend,
            self._rewrite,
        )
        self._before.append(arguments)
        known = reached(call.arguments)
        reads = tuple(at for at, each in enumerate(parameters) if each.node in known)
        slot = Slot(f"{call.name}(…)", None, call.layout, call.result.elem, REAL, False, False)
        slots.append(slot)
        parameters.append(Parameter(call.name, call.result, call.layout))
        host = externs.get(call.name)
        function = host.function if host else _absent(call.name)
        vjp = host.vjp if host else None
        return HostCall(call.name, function, vjp, arguments, order, slot, call.result in self._flowing, reads)

    # -- what the runtime asks for ------------------------------------------------------------------

    def demands(self) -> Kernel:
        with self._lock:
            if self._demands is None:
                self._demands = load_source(emit([self.demand_function()], "numpy"), "numpy")["demands"]
            return self._demands

    @property
    def source(self) -> str:
        """The value and the default gradients as one module, before them what the host is given. Where one of
        them was loaded before, from a module of its own, that function's text was the same."""
        with self._lock:
            if self._source is None:
                functions = [self.value_function()]
                if self.default_wrt:
                    functions.append(self.gradient_function(self.default_wrt))
                before = [
                    part.value_function(f"arguments_of_{call.name}_{at}")
                    for at, (part, call) in enumerate(zip(self._before, self.calls, strict=True), 1)
                    if call.order
                ]
                self._source = emit(before + functions, self.backend)
                loaded = load_source(self._source, self.backend)
                kept = self.fused.functions
                kept.setdefault(("gradient", self.default_wrt), loaded[functions[-1].name])
                kept.setdefault(("value",), loaded["value"])
            return self._source

    @property
    def substitutions(self) -> tuple[Any, ...]:
        found: list[Any] = []
        for part in (*self._before, self.fused):
            with part.lock:
                part.stable()
                found += [*part.firings, *part.doubts()]
        return tuple(found)

    # -- stages ---------------------------------------------------------------------------------------

    def value_function(self, name: str = "value") -> Function:
        return self.fused.value_function(name)

    def gradient_function(self, wrt: tuple[int, ...], name: str = "value_and_gradient") -> Function:
        return self.fused.gradient_function(wrt, name)

    def demand_function(self) -> Function:
        """Which places of every input, and of every pick's index, the results depend on. What only the host
        could tell counts as not needed."""
        graph, parameters = self.lowered.graph, self.fused.parameters[: len(self.slots)]
        leaves = [each.node for each in parameters if each.node is not None]
        masks, picks = demanded(self._outputs, leaves)
        if self.calls:
            nothing, known = graph.const(False), self._cut.knowable
            masks = [mask if known(mask) else graph.broadcast(nothing, mask.axes) for mask in masks]
            picks = [
                (pick, where)
                for pick, where in picks
                if known(pick.args[1]) and known(where) and known(graph.size(pick.attr))
            ]
        results = [Result(mask, slot.axes) for mask, slot in zip(masks, self.slots, strict=True)]
        self.picks = tuple((pick.attr, tuple(sorted(pick.args[1].axes))) for pick, _ in picks)
        for (pick, needed), (_, axes) in zip(picks, self.picks, strict=True):
            results += [Result(pick.args[1], axes), Result(needed, axes)]
            results.append(Result(graph.size(pick.attr), ()))
        return Function("demands", parameters, tuple(results))

    def listing(self, stage: str) -> str:
        """The graph at a stage, one node a line, results named at the end."""
        if stage == "gradients":
            roots = [each.node for each in self.gradient_function(self.default_wrt).results]
        else:
            roots = self._outputs if stage == "graph" else self.fused.stable()
        names = self._result_names() + [f"gradient {self.slots[at].shown}" for at in self.default_wrt]
        return listed(roots, names)

    def _result_names(self) -> list[str]:
        layout = self.layout
        found = {at: f"weighted {name}" for name, at in layout.weighted}
        found |= {at: f"term {name}" for name, at in layout.terms}
        found |= {at: f"report {name}" for name, at in layout.reports}
        found[layout.total] = "total"
        return [found[at] for at in range(layout.count)]


def _flowing(cut: Cut, scalars: int) -> set[Node]:
    """The nodes with respect to which a scalar of the loss may have a derivative, through the host too."""
    found = reached(cut.roots[:scalars])
    for call in reversed(cut.calls):
        if call.result in found:
            found |= reached(call.arguments)
    return found


def _absent(name: str) -> Callable[..., Any]:
    def absent(*arguments: Any) -> Any:
        raise InputError(f"the loss calls the extern `{name}`, for which no function was given", name)

    return absent


def _slots(lowered: LoweredLoss) -> tuple[list[Slot], list[Parameter]]:
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
    return slots, parameters


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

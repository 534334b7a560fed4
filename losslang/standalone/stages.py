"""The stages of the compiler on one loss, as text."""

from __future__ import annotations

from dataclasses import dataclass, field

from losslang.compiler import Program
from losslang.errors import InputError
from losslang.ir import Node
from losslang.lowered import LoweredLoss, Signature
from losslang.program import Function
from losslang.render import graph
from losslang.spec import Spec
from losslang.standalone.writer import module_text, refuse_collections


@dataclass(frozen=True)
class Options:
    """How to compile. ``signature`` is needed where a loss takes any number of axes."""

    backend: str = "numpy"
    loss: str | None = None
    overrides: dict[str, float] = field(default_factory=dict)
    signature: Signature | None = None
    rewrite: bool = True


def module(spec: Spec, options: Options) -> str:
    """The module of its own. Raises SpecError and InputError."""
    lowered = _lowered(spec, options)
    return module_text(lowered, options.backend, options.overrides, options.rewrite, spec.path or "")


def show(spec: Spec, options: Options, stage: str) -> str:
    """What ``stage`` (model, graph, rewritten, gradients, source) hands to the next one."""
    if stage == "model":
        return spec.to_json() + "\n"
    lowered = _lowered(spec, options)
    if stage == "graph":
        return graph.listing(_outputs(lowered))
    program = Program(lowered, options.backend, options.rewrite)
    if stage == "source":
        return program.source
    if stage == "rewritten" or not program.default_wrt:
        return graph.listing(_results(program.value_function(), program, ()))
    return graph.listing(_results(program.gradient_function(program.default_wrt), program, program.default_wrt))


def _lowered(spec: Spec, options: Options) -> LoweredLoss:
    lowered = spec.elaborate(options.loss, options.signature)
    if lowered.needs_signature and options.signature is None:
        refuse_collections(lowered)
        packs = [axis[1:] or each.name for each in lowered.inputs for axis in each.axes if axis.startswith("*")]
        names = " ".join(f"--rank {name}=2" for name in dict.fromkeys(packs))
        raise InputError(f"`{lowered.name}` takes any number of axes: say how many, as in {names}")
    return lowered


def _outputs(lowered: LoweredLoss) -> dict[str, Node]:
    named = {f"term {each.name}": each.node for each in lowered.terms}
    named |= {f"report {each.name}": each.node for each in lowered.reports}
    return {**named, "total": lowered.total}


def _results(function: Function, program: Program, wrt: tuple[int, ...]) -> dict[str, Node]:
    """The results of a function by name; equal ones are one result under its first name."""
    layout = program.layout
    names = {layout.total: "total"}
    for what, places in (("term", layout.terms), ("weighted", layout.weighted), ("report", layout.reports)):
        for name, at in places:
            names.setdefault(at, f"{what} {name}")
    names |= {layout.count + i: f"gradient {program.slots[at].shown}" for i, at in enumerate(wrt)}
    return {names[at]: result.node for at, result in enumerate(function.results)}

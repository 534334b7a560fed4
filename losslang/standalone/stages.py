"""The stages of the compiler on one loss, as text."""

from __future__ import annotations

from dataclasses import dataclass, field

from losslang.errors import InputError
from losslang.lowered import LoweredLoss, Signature
from losslang.programs import Program
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
    program = Program(_lowered(spec, options), options.backend, options.rewrite)
    return program.source if stage == "source" else program.listing(stage)


def _lowered(spec: Spec, options: Options) -> LoweredLoss:
    lowered = spec.elaborate(options.loss, options.signature)
    if lowered.needs_signature and options.signature is None:
        refuse_collections(lowered)
        packs = [
            axis[1:] or each.name for each in lowered.inputs for axis in each.axes if axis.startswith("*")
        ]
        names = " ".join(f"--rank {name}=2" for name in dict.fromkeys(packs))
        raise InputError(f"`{lowered.name}` takes any number of axes: say how many, as in {names}")
    return lowered

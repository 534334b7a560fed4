"""From a spec to a callable: the one module that knows every stage, in order.

    text → Spec → elaborate → rewrite → differentiate → rewrite → emit → load → CompiledLoss

``dump`` shows what any stage hands to the next.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from losslang.diagnostics import Diagnostic
from losslang.errors import InputError, MissingBackend
from losslang.lowered import LoweredLoss, Signature
from losslang.programs import Program
from losslang.runtime.adapter import Adapter
from losslang.runtime.externs import called_by, hosts
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
    ``externs`` supplies the functions that the spec declares ``extern``: ``{"name": fn}``, or on NumPy
    ``{"name": (fn, vjp)}`` where ``vjp(cotangent, *arguments)`` returns the cotangents of the arguments (None
    for one without). ``fn`` takes and returns arrays of the backend, the axes that ride along leading in the
    order of the inputs, those that the spec declares following; it is called each time, so that what it
    closes over trains.

    Raises:
        SpecError: the spec makes no sense.
        InputError: an unknown backend, loss, hyperparameter or extern, a hyperparameter outside its range, an
            extern without function.
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
    declared = [each.name for each in spec.file.statements if each.type == "extern"]
    host = hosts(externs or {}, backend, called_by(lowered), declared, lowered.name)

    def program(signature: Signature | None) -> Program:
        special = lowered if signature is None else spec.elaborate(loss, signature)
        return Program(special, backend, rewrite, host)

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

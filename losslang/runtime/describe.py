"""What a compiled loss tells ``help`` and ``inspect`` about itself."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import Any

from losslang.lowered import LoweredLoss, Schedule
from losslang.runtime import schedules
from losslang.runtime.results import Output


def declared(kind: Any, axes: Sequence[str]) -> str:
    """``logit[batch, vocab] over vocab``."""
    name, *rest = str(kind).split(" ", 1)
    along = f"[{', '.join(axes)}]" if axes else ""
    return " ".join([name + along, *rest])


def signature_of_call(lowered: LoweredLoss, defaults: Mapping[str, Any]) -> inspect.Signature:
    """For ``help``. Names that Python reserves can only be passed in a dict: they show as ``**others``."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    names = [each.name for each in lowered.inputs]
    options: dict[str, Any] = {
        name: schedules.text(value) if isinstance(value, Schedule) else value
        for name, value in defaults.items()
    }
    if any(isinstance(value, Schedule) for value in defaults.values()):
        options["step"] = None
    options["validate"] = False
    reserved = [name for name in (*names, *options) if not name.isidentifier() or iskeyword(name)]
    found = []
    for at, name in enumerate(names):
        by_position = not any(other in reserved for other in names[:at])
        form = inspect.Parameter.POSITIONAL_OR_KEYWORD if by_position else keyword
        if name not in reserved:
            found.append(inspect.Parameter(name, form))
    found += [
        inspect.Parameter(name, keyword, default=value)
        for name, value in options.items()
        if name not in reserved
    ]
    if reserved:
        found.append(inspect.Parameter("others", inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(found, return_annotation=Output)


def documentation(lowered: LoweredLoss, inputs: Mapping[str, str], defaults: Mapping[str, Any]) -> str:
    """What the loss says of itself, of its inputs and of its hyperparameters."""
    docs = {each.name: each.doc for each in lowered.inputs}
    docs |= {each.name: each.doc for each in lowered.hypers}
    lines = [lowered.doc or f"The loss {lowered.name}.", ""]
    if inputs:
        lines += ["Inputs:"] + [_line(name, declared, docs[name]) for name, declared in inputs.items()]
    if defaults:
        lines += ["Hyperparameters:"]
        lines += [_line(name, f"{value} by default", docs[name]) for name, value in defaults.items()]
    return "\n".join(lines)


def _line(name: str, declared: str, doc: str) -> str:
    return f"    {name}: {declared}{f' — {doc}' if doc else ''}"

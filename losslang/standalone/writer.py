"""Writing the module: the functions that the compiler emits, and the text that makes them usable."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from losslang import __version__
from losslang.backends import emit
from losslang.errors import InputError
from losslang.lowered import LoweredInput, LoweredLoss, Schedule
from losslang.programs import Program
from losslang.runtime.externs import called_by
from losslang.runtime.hypers import overridden, range_text
from losslang.runtime.schedules import text as schedule_text
from losslang.standalone import templates


def module_text(
    lowered: LoweredLoss, backend: str, overrides: dict[str, float] | None = None, rewrite: bool = True, origin: str = ""
) -> str:  # fmt: skip
    """The source of a module with ``value`` and ``value_and_grad`` of one loss.

    ``origin`` names the spec in the module's docstring. Raises InputError for a loss that takes a
    collection, whose members only a call can tell, for one that calls the host, and for overrides outside their
    ranges.
    """
    refuse_collections(lowered)
    refuse_externs(lowered)
    return _Writer(lowered, backend, overrides or {}, rewrite, origin).text()


def refuse_collections(lowered: LoweredLoss) -> None:
    """Raises InputError for a loss with a ``parameters`` input."""
    for each in lowered.inputs:
        if each.collection:
            raise InputError(
                f"`{each.name}` is a collection, whose members only a call can tell: use losslang.compile, or "
                "declare the tensors as inputs of their own",
                each.name,
            )


def refuse_externs(lowered: LoweredLoss) -> None:
    """Raises InputError for a loss that calls a function of the host."""
    for each in called_by(lowered):
        raise InputError(
            f"`{lowered.name}` calls the extern `{each.name}`, which a module of its own does not have: use "
            f'losslang.compile(…, externs={{"{each.name}": fn}})',
            each.name,
        )


class _Writer:
    def __init__(
        self, lowered: LoweredLoss, backend: str, overrides: dict[str, float], rewrite: bool, origin: str
    ) -> None:
        self.lowered = lowered
        self.backend = backend
        self.origin = origin
        self.program = Program(lowered, backend, rewrite)
        self.hypers = overridden(lowered.hypers, overrides, lowered.name)
        self.wrt = self.program.default_wrt
        self.scheduled = any(isinstance(value, Schedule) for value in self.hypers.values())

    def text(self) -> str:
        functions = [replace(self.program.value_function(), name="compute", doc="")]
        if self.wrt:
            functions.append(
                replace(self.program.gradient_function(self.wrt), name="compute_with_gradients", doc="")
            )
        emitted = _without_header(emit(functions, self.backend))
        parts = [self._docstring(), templates.IMPORTS[self.backend], self._constants()]
        parts += [self._value(), self._gradient() if self.wrt else ""]
        parts += [templates.COMMON, templates.GRADIENTS if self.wrt else "", templates.BACKEND[self.backend]]
        parts += [templates.TOTAL[self.backend] if self.wrt else templates.PLAIN, _body(emitted)]
        return "\n\n".join(part.strip("\n") + "\n" for part in parts if part.strip())

    # -- the public face --------------------------------------------------------------------------

    def _docstring(self) -> str:
        made = f"Made by losslang {__version__}" + (f" from {self.origin}" if self.origin else "")
        lines = [f"The loss {self.lowered.name}."]
        return _quoted([*lines, "", f"{made}. Needs {self.backend} only."], "")

    def _value(self) -> str:
        lines = [f"The loss {self.lowered.name}.", ""]
        for each in self.lowered.inputs:
            lines.append(f"{each.name}: {_declared(each)}")
        for hyper in self.lowered.hypers:
            lines.append(f"{hyper.name}: {self._told(hyper)}")
        lines += [
            "",
            "Returns a dict: `total`, the scalar to minimize; `terms`, `weighted` and `reports` by name.",
        ]
        return self._function("value", lines, "_named(_evaluate(arrays, real))")

    def _told(self, hyper: Any) -> str:
        default = self.hypers[hyper.name]
        schedule = f", {schedule_text(default)} by default" if isinstance(default, Schedule) else ""
        return range_text(hyper.interval) + schedule

    def _gradient(self) -> str:
        names = ", ".join(self.program.slots[at].name for at in self.wrt)
        doc = [f"What `value` returns, and a dict of the total's gradients with respect to {names}."]
        result = "_named(results), _gradients(inputs, results)"
        return self._function(
            "value_and_grad", doc, result, "    results = compute_with_gradients(*arrays, real)\n"
        )

    def _function(self, name: str, doc: Sequence[str], result: str, before: str = "") -> str:
        inputs = [each.name for each in self.lowered.inputs]
        options = [f"{_argument(hyper)}={_literal(value)}" for hyper, value in self.hypers.items()]
        options += ["step=None"] if self.scheduled else []
        arguments = ", ".join([*map(_argument, inputs), *(["*", *options] if options else [])])
        given = ", ".join(f'"{each}": {_argument(each)}' for each in inputs)
        tuned = ", ".join(f'"{each}": {_argument(each)}' for each in self.hypers)
        step = "step" if self.scheduled else "None"
        return (
            f"def {name}({arguments}):\n{_quoted(doc, '    ')}\n"
            f"    inputs = {{{given}}}\n"
            f"    arrays, real = _bind(inputs, {{{tuned}}}, {step})\n"
            f"{before}    return {result}\n"
        )

    # -- what the common text reads ------------------------------------------------------------------

    def _constants(self) -> str:
        layout, slots = self.program.layout, self.program.slots
        inputs = {slot.name: (slot.axes, slot.elem, slot.decides) for slot in slots if not slot.hyper}
        told = [
            ("_INPUTS", inputs, "axes, element class, whether float64 here makes the computing type float64"),
            ("_HYPERS", tuple(self.hypers), ""),
            ("_SIZES", dict(self.lowered.fixed), "of the axes that the spec fixes"),
            ("_TOTAL", layout.total, "places among the results, here and below"),
            ("_TERMS", dict(layout.terms), ""),
            ("_WEIGHTED", dict(layout.weighted), ""),
            ("_REPORTS", dict(layout.reports), ""),
            ("_COUNT", layout.count, "of the results; gradients follow"),
            ("_WRT", tuple(slots[at].name for at in self.wrt), "inputs with a gradient"),
            ("_WRT_AT", self.wrt, "their places among the arguments"),
        ]
        return "\n".join(_assignment(*each) for each in told) + "\n"


def _argument(name: str) -> str:
    """The name of an argument; one that Python reserves, or that starts like the module's own, gets an underscore."""
    return f"{name}_" if keyword.iskeyword(name) or name.startswith("_") else name


def _declared(each: LoweredInput) -> str:
    """``logit[batch, vocab] over vocab``."""
    axes = each.leaves[0].axes
    name, space, rest = str(each.kind).partition(" ")
    return f"{name}[{', '.join(axes)}]{space}{rest}" if axes else str(each.kind)


def _assignment(name: str, value: Any, comment: str) -> str:
    shown = repr(value)
    if isinstance(value, dict) and len(shown) > 80:
        shown = "{\n" + "".join(f"    {key!r}: {each!r},\n" for key, each in value.items()) + "}"
    above = f"# {name}: {comment}\n" if comment else ""
    return f"{above}{name} = {shown}"


def _literal(value: Any) -> str:
    if isinstance(value, Schedule):
        return repr((value.form, value.start, value.end, value.steps))
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


def _quoted(lines: Sequence[str], indent: str) -> str:
    """A docstring of these lines."""
    text = f"\n{indent}".join(line.replace("\\", "\\\\").replace('"""', "'''") for line in lines)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    closing = f"\n{indent}" if len(lines) > 1 or text.endswith('"') else ""
    return f'{indent}"""{text}{closing}"""'


def _without_header(emitted: str) -> list[str]:
    return [line for line in emitted.split("\n") if not line.startswith("# Generated by losslang")]


def _body(lines: Sequence[str]) -> str:
    return "\n".join(line for line in lines if not line.startswith(("import ", "from ")))

"""The compiled loss: what ``losslang.compile`` returns."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from losslang.errors import InputError
from losslang.kinds import DIFFERENTIABLE
from losslang.lowered import LoweredLoss, Schedule, Signature
from losslang.runtime import binding, hypers, schedules
from losslang.runtime.adapter import Adapter, plain_shape
from losslang.runtime.describe import declared, documentation, signature_of_call
from losslang.runtime.kernels import Adapted, Program
from losslang.runtime.results import Output
from losslang.runtime.words import did_you_mean

MAX_SPECIALISATIONS = 64


class Recipe:
    """How a compiled loss came about; enough to make it again in another process."""

    def __init__(self, build: Callable[..., CompiledLoss], options: dict[str, Any]) -> None:
        self.build = build
        self.options = options

    def __call__(self) -> CompiledLoss:
        return self.build(**self.options)


class CompiledLoss:
    """A loss as a function of arrays.

    Call it with the inputs by name, or in declared order; hyperparameters by name; ``step=`` where one
    follows a schedule; ``validate=True`` to check values against kinds too. Returns an
    :class:`~losslang.runtime.results.Output`.

    ``name``, ``doc``, ``backend``; ``inputs`` and ``hypers`` map names to what was declared and to the
    defaults; ``terms`` and ``reports`` are the names in order.

    Raises:
        InputError: a wrong, missing or misshapen input, a hyperparameter outside its range.
    """

    def __init__(
        self,
        lowered: LoweredLoss,
        backend: str,
        adapter: Adapter,
        program: Callable[[Signature | None], Program],
        overrides: Mapping[str, Any],
        recipe: Recipe,
    ) -> None:
        self.name = lowered.name
        self.doc = lowered.doc
        self.backend = backend
        self.inputs = {each.name: declared(each.kind, each.axes) for each in lowered.inputs}
        self.terms = tuple(each.name for each in lowered.terms)
        self.reports = tuple(each.name for each in lowered.reports)
        self._defaults = hypers.overridden(lowered.hypers, overrides, lowered.name)
        self._lowered = lowered
        self._adapter = adapter
        self._make_program = program
        self._recipe = recipe
        self._lock = threading.RLock()
        self._names: OrderedDict[Signature, str] = OrderedDict()
        self._special = Adapted()
        self._serial = 0
        self._need = adapter.opaque(self._specialise)
        self._input_names = tuple(self.inputs)
        self._collections = {each.name: each.kind for each in lowered.inputs if each.collection}
        self._hypers = {each.name: each for each in lowered.hypers}
        if not lowered.needs_signature:
            self._only = self._new_program(None)
        self.__doc__ = documentation(lowered, self.inputs, self.hypers)
        self.__name__ = self.name
        self.__signature__ = signature_of_call(lowered, self._defaults)

    # -- calling ----------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Output:
        program, raw, _ = self._bind(args, kwargs)
        return self._adapter.call(program, raw)

    def value_and_grad(
        self, wrt: str | Sequence[str] | None = None
    ) -> Callable[..., tuple[Output, dict[str, Any]]]:
        """A function like this one that returns the output and the total's gradients by input name.

        ``wrt`` names floating inputs or hyperparameters; by default all inputs of a kind that a model can
        produce. A gradient has its input's type and shape, and mirrors a collection. The output and the
        gradients are plain arrays: nothing is recorded for further differentiation.

        Raises:
            InputError: a name that is no input, or an input without gradient.
        """
        names = None if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
        for name in names or ():
            self._check_differentiable(name)
        return functools.partial(self._value_and_grad, names)

    def _value_and_grad(
        self, wrt: tuple[str, ...] | None, /, *args: Any, **kwargs: Any
    ) -> tuple[Output, dict[str, Any]]:
        program, raw, given = self._bind(args, kwargs)
        positions = self._positions(program, raw, wrt)
        output, gradients = self._adapter.value_and_gradient(program, raw, positions)
        found: dict[str, Any] = {}
        members: dict[str, dict[str, Any]] = {}
        for at, gradient in zip(positions, gradients, strict=True):
            slot = program.slots[at]
            if slot.key is None:
                found[slot.name] = gradient
            else:
                members.setdefault(slot.name, {})[slot.key] = gradient
        for name, kind in self._collections.items():
            if name in wrt if wrt is not None else kind.name in DIFFERENTIABLE:
                found[name] = self._adapter.mirrored(given[name], members.get(name, {}))
        order = wrt if wrt is not None else tuple(name for name in self._input_names if name in found)
        return output, {name: found[name] for name in order}

    # -- reading ----------------------------------------------------------------------------------

    @property
    def hypers(self) -> dict[str, Any]:
        """The hyperparameters and their defaults: numbers, nested tuples, or a schedule as text."""
        return {
            name: schedules.text(value) if isinstance(value, Schedule) else value
            for name, value in self._defaults.items()
        }

    @property
    def source(self) -> str:
        """The generated code that runs. For a loss over any number of axes, that of the last call."""
        return self._latest().source

    @property
    def substitutions(self) -> tuple[Any, ...]:
        """What was rewritten for stability: rule, place, before, after."""
        return self._latest().substitutions

    def __repr__(self) -> str:
        arguments = ", ".join(
            [*self._input_names, *(f"{name}={value}" for name, value in self.hypers.items())]
        )
        return f"<loss {self.name}({arguments}) for {self.backend}>"

    def __reduce__(self) -> tuple[Recipe, tuple[()]]:
        return self._recipe, ()

    def __copy__(self) -> CompiledLoss:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> CompiledLoss:
        return self  # nothing about a compiled loss can be changed

    # -- binding ----------------------------------------------------------------------------------

    def _bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Program, list[Any], dict[str, Any]]:
        """The program for this call and its raw arguments, checked."""
        given = binding.named(self._input_names, args, kwargs, self.name)
        binding.check_names(self._input_names, self._hypers, given, self.name)  # type: ignore[arg-type]
        adapter = self._adapter
        collections = {name: adapter.members(given[name], name) for name in self._collections}
        program = self._program(given, collections)
        members = {name: dict(items) for name, items in collections.items()}
        raw: list[Any] = []
        for slot in program.slots:
            if slot.hyper:
                raw.append(self._hyper_value(slot, given))
            else:
                value = given[slot.name] if slot.key is None else members[slot.name][slot.key]
                raw.append(adapter.accept(slot, value))
        binding.check_axes(program.lowered, program.slots, [plain_shape(value) for value in raw])
        if given.get("validate", False):
            from losslang.runtime.validation import validate

            validate(program, raw, self._hypers, adapter)
        return program, raw, given

    def _hyper_value(self, slot: Any, given: dict[str, Any]) -> Any:
        hyper = self._hypers[slot.name]
        if slot.name not in given:
            return hypers.default_at_step(
                hyper,
                self._defaults[slot.name],
                self._adapter.step(given.get("step")),
                self._adapter.scheduled,
            )
        value = given[slot.name]
        if hypers.is_plain(value):
            checked = hypers.checked(hyper, value)
            if isinstance(checked, Schedule):
                return hypers.default_at_step(
                    hyper, checked, self._adapter.step(given.get("step")), self._adapter.scheduled
                )
            return checked
        return self._adapter.accept(slot, value)

    def _program(self, given: Mapping[str, Any], collections: Mapping[str, Any]) -> Program:
        if not self._lowered.needs_signature:
            return self._only
        signature = binding.signature_of(self._lowered.inputs, _Shapes(given), collections)
        program: Program = getattr(self._special, self._need(signature.ranks, signature.members))
        return program

    def _specialise(self, ranks: Any, members: Any) -> str:
        """The attribute of ``_special`` that holds the program for a signature; makes it if need be."""
        signature = Signature(ranks, members)
        with self._lock:
            name = self._names.get(signature)
            if name is None:
                self._serial += 1
                name = f"program{self._serial}"
                setattr(self._special, name, self._new_program(signature))
                self._names[signature] = name
                if len(self._names) > MAX_SPECIALISATIONS:
                    delattr(self._special, self._names.popitem(last=False)[1])
            self._names.move_to_end(signature)
            return name

    def _new_program(self, signature: Signature | None) -> Program:
        program = self._make_program(signature)
        self._adapter.adopt(program)
        return program

    def _latest(self) -> Program:
        if not self._lowered.needs_signature:
            return self._only
        with self._lock:
            if not self._names:
                raise InputError(
                    f"`{self.name}` takes inputs with any number of axes or members: its code exists once it "
                    "has been called"
                )
            program: Program = getattr(self._special, next(reversed(self._names.values())))
            return program

    # -- gradients --------------------------------------------------------------------------------

    def _check_differentiable(self, name: str) -> None:
        known = [*self._input_names, *self._hypers]
        if name not in known:
            raise InputError(
                f"`{self.name}` has no input or hyperparameter `{name}`; {did_you_mean(name, known)}", name
            )
        kinds = {each.name: each.kind for each in self._lowered.inputs}
        kinds |= {each.name: each.kind for each in self._lowered.hypers}
        kind = kinds[name]
        if kind.name in ("label", "mask"):
            raise InputError(f"`{name}` is a {kind}, which has no gradient", name)

    def _positions(
        self, program: Program, raw: Sequence[Any], wrt: tuple[str, ...] | None
    ) -> tuple[int, ...]:
        """The slots to differentiate: those of ``wrt``, or all that a model can produce."""
        found = []
        for at, slot in enumerate(program.slots):
            wanted = (
                slot.name in wrt if wrt is not None else not slot.hyper and slot.kind.name in DIFFERENTIABLE
            )
            if not wanted or slot.elem != "real":
                continue
            if self._adapter.is_floating(raw[at]):
                found.append(at)
            elif wrt is not None and slot.key is None:
                raise InputError(
                    f"`{slot.shown}` holds integers, which have no gradient: give it as floats", slot.name
                )
        return tuple(found)


class _Shapes(dict[str, Any]):
    """Inputs with a shape, made of lists where a backend takes lists."""

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if hasattr(value, "shape"):
            return value
        import numpy as np

        return np.asarray(value)

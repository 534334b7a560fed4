"""What ``losslang run`` tells of a loss on a batch: terms, shares, gradients, reports, and what looks wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from losslang.cli import batch

if TYPE_CHECKING:
    from losslang.runtime.loss import CompiledLoss
    from losslang.spec import Spec

#: A term that makes up more than this share of the objective's size drowns the others.
DOMINATES = 0.95


@dataclass(frozen=True)
class Term:
    """A term; ``share`` of the sum of all weighted terms' sizes; gradient norms by input, of the weighted term."""

    name: str
    value: float | None
    weight: float | None
    weighted: float | None
    share: float | None
    gradients: list[float | None]


@dataclass(frozen=True)
class Report:
    """A report, or its mean, least and greatest entry where it has axes."""

    name: str
    shape: tuple[int, ...]
    mean: float | None
    low: float | None
    high: float | None

    def row(self) -> list[str]:
        """The cells of the report's line in a table."""
        from losslang.cli.tables import number

        if not self.shape:
            return [self.name, "", number(self.mean), "", ""]
        return [
            self.name,
            "×".join(map(str, self.shape)),
            number(self.mean),
            number(self.low),
            number(self.high),
        ]


@dataclass
class Measured:
    """A loss on a batch. ``gradients`` are norms of the total's, by input."""

    loss: str
    backend: str
    total: float
    terms: list[Term]
    gradients: dict[str, float]
    reports: list[Report]
    warnings: list[str] = field(default_factory=list)

    def as_object(self) -> dict[str, Any]:
        """Plain data; a number that JSON cannot hold is a string."""
        plain: dict[str, Any] = _finite(asdict(self))
        return plain


def measure(
    spec: Spec,
    loss: str | None,
    entries: dict[str, Any],
    path: str,
    overrides: dict[str, float],
    backend: str,
    device: str | None,
) -> Measured:
    """Evaluate a loss of ``spec`` on the entries of the file at ``path``.

    Raises InputError, SpecError, MissingBackend as compiling and calling do; Problem for missing entries.
    """
    from losslang.compiler import compile
    from losslang.devices import converter

    fn = compile(spec, backend=backend, loss=loss)
    collections = [name for name, kind in fn.inputs.items() if kind.startswith("parameters")]
    given = batch.chosen(entries, list(fn.inputs), collections, path)
    make = converter(backend, device)
    arguments = {name: _converted(value, make) for name, value in given.items()} | overrides
    out, gradients = fn.value_and_grad()(**arguments)
    out_numbers = {name: _number(value) for name, value in out.weighted.items()}
    size = sum(abs(value) for value in out_numbers.values())
    norms = {name: _norm(gradient) for name, gradient in gradients.items()}
    by_term = _gradients_by_term(fn, arguments, list(gradients))
    terms = [
        _term(name, out.terms.get(name), out_numbers.get(name), size, by_term.get(name, []), len(norms))
        for name in [*fn.terms, *(["offset"] if "offset" in out.weighted else [])]
    ]
    reports = [_report(name, value) for name, value in out.reports.items()]
    measured = Measured(fn.name, backend, _number(out.total), terms, norms, reports)
    ignored = batch.unused(entries, list(fn.inputs))
    measured.warnings += [f"no input takes `{name}` of {path!r}" for name in ignored]
    measured.warnings += _concerns(measured, fn, given)
    if not _is_finite(measured.total):
        measured.warnings += _wrong_values(fn, arguments)
    return measured


def _gradients_by_term(
    fn: CompiledLoss, arguments: dict[str, Any], wrt: list[str]
) -> dict[str, list[float | None]]:
    """Norms of the gradients of every weighted term alone: each is compiled as an objective of its own."""
    from losslang.compiler import from_lowered

    lowered = fn._bind((), dict(arguments))[0].lowered
    found: dict[str, list[float | None]] = {}
    for term in lowered.terms:
        if term.weight is not None and wrt:
            weighted = lowered.graph.apply("mul", term.weight, lowered.graph.real(term.node))
            alone = replace(lowered, total=weighted, offset=None, terms=(), reports=())
            _, gradients = from_lowered(alone, fn.backend).value_and_grad(wrt)(**arguments)
            found[term.name] = [_norm(gradients[name]) for name in wrt]
    return found


def _term(
    name: str, raw: Any, weighted: float | None, size: float, gradients: list[float | None], columns: int
) -> Term:
    value = None if raw is None else _number(raw)
    weight = weighted / value if weighted is not None and value else None
    share = abs(weighted) / size if weighted is not None and size > 0 else None
    return Term(name, value, weight, weighted, share, gradients or [None] * columns)


def _concerns(measured: Measured, fn: CompiledLoss, given: dict[str, Any]) -> list[str]:
    """What a practitioner would want to be told about this batch."""
    told = []
    if not _is_finite(measured.total):
        told.append(f"the total is {measured.total}")
    used = [t for t in measured.terms if t.weighted is not None and t.name != "offset"]
    for term in used:
        if len(used) > 1 and term.share is not None and term.share > DOMINATES:
            told.append(f"`{term.name}` is {term.share:.1%} of the objective: the other terms hardly count")
        if term.gradients and all(norm == 0 for norm in term.gradients):
            told.append(f"`{term.name}` has no gradient here with respect to any input")
    for name, kind in fn.inputs.items():
        if kind.startswith("mask") and not _any(given[name]):
            told.append(f"the mask `{name}` keeps nothing")
    return told


def _wrong_values(fn: CompiledLoss, arguments: dict[str, Any]) -> list[str]:
    """The first value that is not of its kind, such as a label out of range."""
    from losslang.errors import InputError

    try:
        fn(**arguments, validate=True)
    except InputError as error:
        return [str(error)]
    return []


# -- arrays of any backend as plain numbers -------------------------------------------------------------


def _converted(value: Any, make: Callable[[Any], Any]) -> Any:
    return {key: make(member) for key, member in value.items()} if isinstance(value, dict) else make(value)


def _number(value: Any) -> float:
    return float(value)


def _flat(value: Any) -> Any:
    """All numbers of an array or a collection as one vector of doubles."""
    import numpy as np

    if isinstance(value, dict):
        parts = [_flat(member) for member in value.values()]
        return np.concatenate(parts) if parts else np.zeros(0)
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.asarray(value, dtype=np.float64).reshape(-1)


def _norm(value: Any) -> float:
    import numpy as np

    return float(np.linalg.norm(_flat(value)))


def _any(value: Any) -> bool:
    return bool(_flat(value).any())


def _report(name: str, value: Any) -> Report:
    flat, shape = _flat(value), tuple(int(n) for n in value.shape)
    if not flat.size:
        return Report(name, shape, None, None, None)
    return Report(name, shape, float(flat.mean()), float(flat.min()), float(flat.max()))


def _is_finite(value: float) -> bool:
    import math

    return math.isfinite(value)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not _is_finite(value) else value

"""A certificate for every term of a loss: where it was tried, in which types, and the worst that was found.

It says what testing found and is no proof. The cases and the judge are those of ``losslang.verify``
(finite and accurate, on NumPy); here each term is its own objective, so that what is found belongs to it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from losslang.ir import Node, walk
from losslang.kinds import Kind
from losslang.lowered import LoweredLoss, LoweredTerm
from losslang.verify.inputs import REGIMES, Array, Case, make
from losslang.verify.judge import GRADIENT_TOLERANCE, SMALL, VALUE_TOLERANCE, Mark, marks
from losslang.verify.lengths import Unsatisfiable
from losslang.verify.reference import Expected, Reference, gradient_leaves
from losslang.verify.report import plain
from losslang.verify.run import DTYPES, elaborated
from losslang.verify.subject import Results, Subject

#: Rounds through every regime and type: the second has other sizes, and hyperparameters off their defaults.
TURNS = (0, 2)
#: However short the time, each type is tried.
LEAST_CASES = len(DTYPES)


@dataclass(frozen=True)
class Error:
    """An error relative to the largest true number of its array (or to 2⁻¹⁰, where that is larger)."""

    relative: float = 0.0
    place: str = ""
    case: str = ""


@dataclass(frozen=True)
class Tested:
    """What was found in one type. ``excused``: results beyond the plain tolerance, but no further off than the
    last digit of the inputs moves the truth, or one of several subgradients at a kink. ``undecided``: numbers
    whose truth no precision could tell."""

    dtype: str
    cases: int = 0
    value: Error = Error()
    gradient: Error = Error()
    excused: int = 0
    undecided: int = 0
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Domain:
    """An input or hyperparameter of a term: its kind, and the least and largest number tried, by type."""

    name: str
    kind: Kind
    axes: tuple[str, ...]
    tried: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Rule:
    """A rewrite, how often it fired for the term's value and gradients, and why it is stabler."""

    name: str
    count: int
    reason: str


@dataclass(frozen=True)
class TermCertificate:
    term: str
    domain: tuple[Domain, ...]
    tested: tuple[Tested, ...]
    rules: tuple[Rule, ...]

    @property
    def cases(self) -> int:
        return sum(each.cases for each in self.tested)

    @property
    def holds(self) -> bool:
        return not any(each.failures for each in self.tested)


@dataclass(frozen=True)
class Certificate:
    """``untestable`` says why a loss could not be tried (an extern, of which no formula is known)."""

    loss: str
    seed: int
    terms: tuple[TermCertificate, ...]
    untestable: str = ""

    @property
    def holds(self) -> bool:
        return not self.untestable and all(each.holds for each in self.terms)

    @property
    def cases(self) -> int:
        return sum(each.cases for each in self.terms)

    @property
    def claim(self) -> str:
        """What the numbers are worth, in a sentence."""
        if self.untestable:
            return self.untestable
        safe = (
            "value and gradient were finite and accurate in all of them" if self.holds else "it does not hold"
        )
        return f"Found by testing {self.cases} cases against high precision on numpy, not a proof: {safe}."

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, with infinities as strings."""
        return {
            "loss": self.loss,
            "holds": self.holds,
            "claim": self.claim,
            "seed": self.seed,
            "terms": [_term_json(each) for each in self.terms],
        }


def certify(spec: Any, loss: str | None = None, seed: int = 0, budget: float = 10.0) -> Certificate:
    """Try every term of a loss on inputs made from ``seed``.

    Args:
        spec: a path, a text, or a loaded spec.
        loss: which loss of the file; may be left out where there is one.
        seed: of the inputs.
        budget: about how many seconds to spend on all terms; the cases that it cuts off are the last ones.

    Raises:
        SpecError: the spec makes no sense.
    """
    lowered = elaborated(spec, loss)
    outside = sorted({n.attr[0] for n in walk([lowered.total]) if n.op == "extern"})
    if outside:
        reason = f"Nothing was tested: of the extern `{outside[0]}` the spec does not say what it computes."
        return Certificate(lowered.name, seed, (), reason)
    try:
        make(lowered, np.random.default_rng(seed), REGIMES[0], DTYPES[0])
    except Unsatisfiable as error:
        return Certificate(lowered.name, seed, (), f"Nothing was tested: no inputs fit it: {error}.")
    end = time.monotonic() + budget
    found = []
    for at, term in enumerate(lowered.terms):
        now = time.monotonic()
        found.append(_certified(lowered, term, seed, now + (end - now) / (len(lowered.terms) - at)))
    return Certificate(lowered.name, seed, tuple(found))


def _certified(lowered: LoweredLoss, term: LoweredTerm, seed: int, end: float) -> TermCertificate:
    from losslang.compiler import from_lowered

    alone = _alone(lowered, term)
    subject = Subject("numpy", from_lowered(alone, "numpy"))
    ledgers = {dtype: _Ledger() for dtype in DTYPES}
    for tried, case in enumerate(_cases(alone, seed)):
        if tried >= LEAST_CASES and time.monotonic() > end:
            break
        ledgers[case.dtype].see(alone, subject, case)
    needed = set(walk([term.node]))
    return TermCertificate(
        term.name,
        tuple(_domains(alone, needed, ledgers)),
        tuple(ledger.tested(dtype) for dtype, ledger in ledgers.items() if ledger.cases),
        tuple(_rules(alone, needed)),
    )


def _alone(lowered: LoweredLoss, term: LoweredTerm) -> LoweredLoss:
    """The loss that is one term of another."""
    only = replace(term, weight=lowered.graph.const(1.0))
    return replace(lowered, terms=(only,), total=term.node, offset=None, reports=())


def _cases(lowered: LoweredLoss, seed: int) -> Iterator[Case]:
    """Types change fastest, so that a short budget still sees all of them."""
    rng = np.random.default_rng(seed)
    for turn, regime, dtype in product(TURNS, REGIMES, DTYPES):
        yield make(lowered, rng, regime, dtype, turn)


# -- what was found ------------------------------------------------------------------------------------


@dataclass
class _Ledger:
    """What was seen in one type."""

    cases: int = 0
    value: Error = Error()
    gradient: Error = Error()
    excused: int = 0
    undecided: int = 0
    failures: list[str] = field(default_factory=list)
    tried: dict[str, tuple[float, float]] = field(default_factory=dict)

    def see(self, lowered: LoweredLoss, subject: Subject, case: Case) -> None:
        self.cases += 1
        for name, array in case.leaves(lowered).items():
            self._extend(name, array)
        try:
            results = subject.run(case)
        except Exception as error:
            self.failures.append(f"{type(error).__name__} in case {case.name}: {error}")
            return
        reference = Reference(lowered, case)
        for mark, off, allowed in _judged(reference, results):
            self._mark(case, mark, off, allowed)

    def _extend(self, name: str, array: Array) -> None:
        numbers = np.asarray(array, np.float64)
        if numbers.size:
            low, high = self.tried.get(name, (np.inf, -np.inf))
            self.tried[name] = (min(low, float(numbers.min())), max(high, float(numbers.max())))

    def _mark(self, case: Case, mark: Mark, error: float, allowed: float) -> None:
        self.undecided += mark.undecided
        if not mark.good:
            kind = "too far from the truth" if mark.finite else "not finite"
            told = f"{mark.place} is {mark.got:.9g}, the truth {mark.expected:.9g}"
            self.failures.append(f"{kind} in case {case.name}: {told}")
        elif error > allowed:
            self.excused += 1
            return
        if mark.place.startswith("gradient"):
            if error > self.gradient.relative:
                self.gradient = Error(error, mark.place.split("[")[0], case.name)
        elif error > self.value.relative:
            self.value = Error(error, "value", case.name)

    def tested(self, dtype: str) -> Tested:
        return Tested(
            dtype, self.cases, self.value, self.gradient, self.excused, self.undecided, tuple(self.failures)
        )


def _judged(reference: Reference, results: Results) -> Iterator[tuple[Mark, float, float]]:
    """Each array with its mark, its relative error, and the error beyond which it needed an excuse."""
    names = list(reference.values)
    keys = list(reference.gradients)
    found = list(marks(reference, results))
    for name, mark in zip(names, found[: len(names)], strict=True):
        if name == "total":
            yield mark, *_relative(results.values[name], reference.values[name], VALUE_TOLERANCE)
    for key, mark in zip(keys, found[len(names) :], strict=True):
        yield mark, *_relative(results.gradients[key], reference.gradients[key], GRADIENT_TOLERANCE)


def _relative(got: Array, expected: Expected, tolerance: float) -> tuple[float, float]:
    """The largest error over the largest true number, and what the tolerance alone allows it to be."""
    precise = np.asarray(got, np.float64)
    truth = np.broadcast_to(expected.values, precise.shape)
    limits = np.finfo(got.dtype)
    counts = (
        expected.decided & np.isfinite(truth) & np.isfinite(precise) & (np.abs(truth) <= float(limits.max))
    )
    allowed = 2 * (tolerance + 4 * float(limits.eps))
    if not counts.any():
        return 0.0, allowed
    largest = max(float(np.abs(truth[counts]).max()), SMALL)
    return float(np.abs(precise[counts] - truth[counts]).max()) / largest, allowed


# -- what the term is made of --------------------------------------------------------------------------


def _domains(lowered: LoweredLoss, needed: set[Node], ledgers: Mapping[str, _Ledger]) -> Iterator[Domain]:
    """The inputs that the term depends on, then its hyperparameters."""
    for each in lowered.inputs:
        names = [leaf.node.attr[0] for leaf in each.leaves if leaf.node in needed]
        if names:
            yield Domain(each.name, each.kind, each.axes, _tried(names, ledgers))
    for hyper in lowered.hypers:
        if hyper.node in needed:
            yield Domain(hyper.name, hyper.kind, hyper.axes, _tried([hyper.node.attr[0]], ledgers))


def _tried(names: list[str], ledgers: Mapping[str, _Ledger]) -> dict[str, tuple[float, float]]:
    """The range of the arrays of those names together, by type."""
    found = {}
    for dtype, ledger in ledgers.items():
        ranges = [ledger.tried[name] for name in names if name in ledger.tried]
        if ranges:
            found[dtype] = (min(low for low, _ in ranges), max(high for _, high in ranges))
    return found


def _rules(lowered: LoweredLoss, needed: set[Node]) -> list[Rule]:
    """The rewrites of the term's value and gradients, in the order in which they first fired."""
    from losslang.differentiate import gradient
    from losslang.rewrite import Trace, rewrite

    trace = Trace()
    [value] = rewrite([lowered.total], trace)
    leaves = [node for node, _ in gradient_leaves(lowered).values() if node in needed]
    rewrite([value, *gradient(value, leaves)], trace)
    counts: dict[str, int] = {}
    for each in trace.firings:
        counts[each.rule] = counts.get(each.rule, 0) + 1
    reasons = {each.rule: each.reason for each in reversed(trace.firings)}
    return [Rule(name, count, reasons[name]) for name, count in counts.items()]


# -- as data -------------------------------------------------------------------------------------------


def _term_json(term: TermCertificate) -> dict[str, Any]:
    return {
        "term": term.term,
        "holds": term.holds,
        "cases": term.cases,
        "domain": [_domain_json(each) for each in term.domain],
        "types": [_tested_json(each) for each in term.tested],
        "rules": [{"name": r.name, "count": r.count, "reason": r.reason} for r in term.rules],
    }


def _domain_json(domain: Domain) -> dict[str, Any]:
    tried = {dtype: plain(list(ends)) for dtype, ends in domain.tried.items()}
    return {"name": domain.name, "kind": str(domain.kind), "axes": list(domain.axes), "tried": tried}


def _tested_json(tested: Tested) -> dict[str, Any]:
    return {
        "type": tested.dtype,
        "cases": tested.cases,
        "value": _error_json(tested.value),
        "gradient": _error_json(tested.gradient),
        "excused": tested.excused,
        "undecided": tested.undecided,
        "failures": list(tested.failures),
    }


def _error_json(error: Error) -> dict[str, Any]:
    return {"relative_error": error.relative, "place": error.place or None, "case": error.case or None}

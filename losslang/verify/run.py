"""Verification of one loss, guarantee by guarantee."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losslang.ir import walk
from losslang.lowered import LoweredLoss, Signature
from losslang.truth import until
from losslang.verify import masks, split
from losslang.verify.inputs import REGIMES, Case, cases, make
from losslang.verify.judge import GRADIENT_TOLERANCE, VALUE_TOLERANCE, Mark, compare, marks
from losslang.verify.lengths import Unsatisfiable
from losslang.verify.reference import Expected, Reference
from losslang.verify.report import GUARANTEES, Finding, Report, Status, Worst
from losslang.verify.shrink import shrink
from losslang.verify.subject import Results, Subject, installed

Progress = Callable[[int, int, str], None]
DTYPES = ("float32", "float16", "float64")
DEFAULT_CASES = 30
MASK_REGIMES = ("ordinary", "extreme", "edges", "all masked")
SHRINK_SECONDS = 2.0


@dataclass
class _Ledger:
    """What was seen of one guarantee on one backend. ``puzzle``: why a truth could not be computed."""

    cases: int = 0
    undecided: int = 0
    decided: int = 0
    worst: Mark | None = None
    case: Case | None = None
    error: str | None = None
    puzzle: str | None = None

    def see(self, case: Case, found: Iterable[Mark]) -> None:
        self.cases += 1
        for mark in found:
            self.undecided += mark.undecided
            self.decided += 1
            if self.worst is None or mark.excess > self.worst.excess:
                self.worst, self.case = mark, case

    def crash(self, case: Case, error: Exception) -> None:
        self.cases += 1
        if self.error is None:
            self.error, self.case = f"{type(error).__name__}: {error}", case

    @property
    def failed(self) -> bool:
        return self.error is not None or (self.worst is not None and not self.worst.good)


@dataclass
class _Session:
    lowered: LoweredLoss
    subjects: list[Subject]
    seed: int
    start: float
    end: float
    progress: Progress | None
    steps: int
    done: int = 0
    findings: list[Finding] = field(default_factory=list)

    def step(self, text: str) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(min(self.done, self.steps), self.steps, text)

    def beyond(self, share: float) -> bool:
        """Whether this share of the time is spent."""
        return time.monotonic() > self.start + share * (self.end - self.start)

    @property
    def shrinking(self) -> float:
        """Seconds that making one failure small may take."""
        return SHRINK_SECONDS if not self.beyond(0.7) else SHRINK_SECONDS / 4


def verify(
    spec: Any,
    backends: Sequence[str] | None = None,
    loss: str | None = None,
    seed: int = 0,
    budget: float = 20.0,
    progress: Progress | None = None,
    *,
    count: int = DEFAULT_CASES,
    rewrite: bool = True,
    device: str | None = None,
) -> Report:
    """Test the six guarantees of a loss.

    Args:
        spec: a path, a text, a loaded spec, or a ``LoweredLoss``.
        backends: which to test; by default all that are installed.
        loss: which loss of the file; may be left out where there is one.
        seed: of the inputs; the same seed makes the same ones.
        budget: about how many seconds to spend; the cases that it cuts off are the last ones, and numbers
            whose precision it does not let grow enough count as undecided.
        progress: called as ``progress(done, total, what)`` after each step.
        count: how many cases to try.
        rewrite: False judges the formulas as they were written.
        device: where PyTorch and JAX compute, as PyTorch names it; by default where they would.

    Raises:
        SpecError: the spec makes no sense.
        InputError: an unknown backend, device or loss; MissingBackend: one that is not installed.
    """
    start = time.monotonic()
    lowered, compile_one = _prepared(spec, loss, rewrite)
    outside = sorted({n.attr[0] for n in walk([lowered.total]) if n.op == "extern"})
    if outside:
        reason = f"it calls the extern `{outside[0]}`, of which the formula does not say what it computes"
        return _unknowable(lowered, reason, seed, tuple(backends or installed()))
    try:
        make(lowered, np.random.default_rng(seed), REGIMES[0], DTYPES[0])
    except Unsatisfiable as error:
        return _unknowable(lowered, f"no inputs fit it: {error}", seed, tuple(backends or installed()))
    subjects = [Subject(b, compile_one(b), device) for b in (backends or installed())]
    steps = count + len(MASK_REGIMES) + len(_axes(lowered))
    session = _Session(lowered, subjects, seed, start, start + budget, progress, steps)
    with until(session.end):
        tried = _values(session, count)
        _masked(session)
        _splittable(session, rewrite)
    session.findings.sort(key=lambda f: (f.guarantee, f.axis or "", f.backend))
    names = tuple(s.backend for s in subjects)
    return Report(lowered.name, seed, names, tuple(session.findings), tried, time.monotonic() - start)


def _unknowable(lowered: LoweredLoss, reason: str, seed: int, backends: tuple[str, ...]) -> Report:
    """Nothing is judged, and why."""
    findings = tuple(Finding(g, b, "undecided", reason) for g in GUARANTEES for b in backends)
    return Report(lowered.name, seed, backends, findings, 0, 0.0)


def _prepared(spec: Any, loss: str | None, rewrite: bool) -> tuple[LoweredLoss, Callable[[str], Any]]:
    from losslang import compiler

    if isinstance(spec, LoweredLoss):
        return spec, lambda backend: compiler.from_lowered(spec, backend, rewrite=rewrite)
    loaded = compiler.load(spec)
    return elaborated(loaded, loss), lambda backend: compiler.compile(loaded, backend, loss, rewrite=rewrite)


def elaborated(spec: Any, loss: str | None) -> LoweredLoss:
    """The loss of a spec at the signature that it is tested with."""
    from losslang import compiler
    from losslang.checker import elaborate

    loaded = compiler.load(spec)
    lowered = elaborate(loaded, loss)
    return elaborate(loaded, loss, _signature(lowered)) if lowered.needs_signature else lowered


def _signature(lowered: LoweredLoss) -> Signature:
    """Two axes for every pack, and a small network for every collection."""
    ranks: dict[str, int] = {}
    members = []
    for each in lowered.inputs:
        for axis in each.axes:
            if axis.startswith("*"):
                ranks[axis[1:] or each.name] = 2
        if each.collection:
            members.append((each.name, (("layer.weight", 2), ("layer.bias", 1), ("norm.weight", 1))))
    return Signature(tuple(ranks.items()), tuple(members))


# -- finite, accurate, same, accounted --------------------------------------------------------------


def _values(session: _Session, count: int) -> int:
    ledgers = {(g, s.backend): _Ledger() for g in (1, 2, 5, 6) for s in session.subjects}
    made = cases(session.lowered, np.random.default_rng(session.seed), DTYPES)
    tried = 0
    for case in made:
        if tried == count or (tried >= 3 and session.beyond(0.6)):
            break
        tried += 1
        session.step(f"case {case.name} ({case.dtype})")
        reference = Reference(session.lowered, case)
        first: Results | None = None
        for subject in session.subjects:
            if not subject.accepts(case.dtype):
                continue
            try:
                results = subject.run(case)
            except Exception as error:
                ledgers[1, subject.backend].crash(case, error)
                continue
            try:
                found = list(marks(reference, results))
            except Exception as error:  # of the judge: says nothing of the loss, and the user must know
                ledgers[2, subject.backend].puzzle = _untold(error)
                continue
            ledgers[1, subject.backend].see(case, [_finite(m) for m in found])
            ledgers[2, subject.backend].see(case, [m for m in found if m.finite])
            ledgers[6, subject.backend].see(case, _accounted(results))
            if first is None:
                first = results
            else:
                ledgers[5, subject.backend].see(case, _same(reference, first, results))
    session.done = count
    for subject in session.subjects:
        _close_values(session, subject, ledgers)
    return tried


def _untold(error: Exception) -> str:
    return f"the formula as written could not be evaluated ({type(error).__name__}: {error})"


def _finite(mark: Mark) -> Mark:
    excess = float("inf") if not mark.finite else 0.0
    return Mark(
        mark.place, mark.got, mark.expected, mark.error, mark.allowed, excess, mark.finite, mark.undecided
    )


def _accounted(results: Results) -> list[Mark]:
    parts = [float(v) for k, v in results.values.items() if k.startswith("weighted ")]
    total = float(results.values["total"])
    whole, size = sum(parts), sum(abs(p) for p in parts)
    eps = float(np.finfo(results.values["total"].dtype).eps)
    if not np.isfinite([*parts, total]).all():
        return []
    allowed = 4 * eps * (len(parts) + 1) * size + 1e-37
    error = abs(total - whole)
    return [Mark("total", total, whole, error, allowed, error / allowed, True, 0)]


def _same(reference: Reference, first: Results, second: Results) -> Iterable[Mark]:
    for name, value in second.values.items():
        truth = reference.values[name]
        mark = _against(name, value, first.values[name], truth, VALUE_TOLERANCE, None)
        if not mark.good:
            *_, moved = reference.value_movements(name)
            mark = _against(name, value, first.values[name], truth, VALUE_TOLERANCE, moved)
        yield mark
    for key, value in second.gradients.items():
        place, truth = f"gradient of {key[0]}", reference.gradients[key]
        other = first.gradients[key]
        mark = _against(place, value, other, truth, GRADIENT_TOLERANCE, None)
        if not mark.good:
            *_, moved = reference.gradient_movements(key)
            balls = reference.subgradients[key]
            mark = _against(place, value, other, truth, GRADIENT_TOLERANCE, moved + balls.radius)
        yield mark


def _against(place: str, got: Any, other: Any, truth: Expected, relative: float, moved: Any) -> Mark:
    """The difference of two backends; where the truth is undefined nothing is asked."""
    value = np.asarray(other, dtype=np.float64)
    defined = truth.decided & ~np.isnan(truth.values)
    return compare(place, got, Expected(value, defined, np.zeros(value.shape)), 2 * relative, moved)


def _close_values(session: _Session, subject: Subject, ledgers: dict[tuple[int, str], _Ledger]) -> None:
    name = subject.backend

    def judged(case: Case) -> list[Mark]:
        return list(marks(Reference(session.lowered, case), subject.run(case)))

    def crashes(case: Case) -> bool:
        try:
            subject.run(case)
        except Exception as error:
            return not isinstance(error, ValueError)
        return False

    finite = ledgers[1, name]
    pick: Callable[[Case], list[Mark]] = lambda c: [_finite(m) for m in judged(c)]  # noqa: E731
    if finite.error is not None and finite.case is not None:
        small = shrink(session.lowered, finite.case, crashes, session.shrinking)
        worst = Worst(
            small.name, "call", float("nan"), float("nan"), float("nan"), 0.0, small.dtype, small.to_json()
        )
        session.findings.append(Finding(1, name, "failed", finite.error, worst, cases=finite.cases))
    else:
        session.findings.append(
            _finding(session, 1, name, finite, pick, "NaN or infinity where the truth is finite")
        )
    accurate: Callable[[Case], list[Mark]] = lambda c: [m for m in judged(c) if m.finite]  # noqa: E731
    session.findings.append(_finding(session, 2, name, ledgers[2, name], accurate, "too far from the truth"))
    session.findings.append(
        _finding(
            session,
            6,
            name,
            ledgers[6, name],
            lambda c: _accounted(subject.run(c)),
            "weighted terms do not add up",
        )
    )
    same = ledgers[5, name]
    if subject is session.subjects[0]:
        if len(session.subjects) == 1:
            session.findings.append(Finding(5, name, "not_applicable", "only one backend was tested"))
        return
    first = session.subjects[0]

    def both(case: Case) -> list[Mark]:
        return list(_same(Reference(session.lowered, case), first.run(case), subject.run(case)))

    session.findings.append(_finding(session, 5, name, same, both, f"differs from {first.backend}"))


def _finding(
    session: _Session,
    guarantee: int,
    backend: str,
    ledger: _Ledger,
    judge: Callable[[Case], list[Mark]],
    wrong: str,
) -> Finding:
    counted: dict[str, Any] = {"cases": ledger.cases, "undecided": ledger.undecided}
    if ledger.cases == 0:
        return Finding(guarantee, backend, "undecided", ledger.puzzle or "no case could be tried", **counted)
    case, mark = ledger.case, ledger.worst
    if ledger.failed and case is not None and mark is not None:
        fails = lambda c: any(not m.good for m in judge(c))  # noqa: E731
        small = shrink(session.lowered, case, fails, session.shrinking)
        if small is not case:
            case, mark = small, max(judge(small), key=lambda m: m.excess)
        reason = f"{mark.place} is {mark.got:.9g}, the truth {mark.expected:.9g}: {wrong}"
        if guarantee == 5:
            reason = f"{mark.place} is {mark.got:.9g}, elsewhere {mark.expected:.9g}: {wrong}"
        return Finding(guarantee, backend, "failed", reason, _worst(case, mark), **counted)
    if ledger.puzzle is not None:
        return Finding(guarantee, backend, "undecided", ledger.puzzle, **counted)
    status: Status = "undecided" if ledger.decided == 0 and ledger.undecided else "passed"
    reason = f"{ledger.cases} cases"
    if ledger.undecided:
        reason += f"; undecided at the highest precision: {ledger.undecided}"
    worst = _worst(case, mark) if case is not None and mark is not None else None
    return Finding(guarantee, backend, status, reason, worst, **counted)


def _worst(case: Case, mark: Mark) -> Worst:
    return Worst(
        case.name, mark.place, mark.got, mark.expected, mark.error, mark.allowed, case.dtype, case.to_json()
    )


# -- masked ---------------------------------------------------------------------------------------------


def _masked(session: _Session) -> None:
    rng = np.random.default_rng(session.seed + 1)
    ledgers = {s.backend: _Ledger() for s in session.subjects}
    puzzle: str | None = None
    for turn, regime in enumerate(MASK_REGIMES):
        session.step(f"masks: {regime}")
        if turn and session.beyond(0.85):
            break
        case = make(session.lowered, rng, regime, "float32", turn)
        try:
            places = masks.masked_places(session.lowered, case)
        except Exception as error:
            puzzle = _untold(error)
            continue
        if not places:
            continue
        for subject in session.subjects:
            try:
                before = subject.run(case)
            except Exception:
                continue
            for k in range(2):
                bad = masks.spoiled(session.lowered, case, places, turn + k)
                try:
                    ledgers[subject.backend].see(bad, _unchanged(before, subject.run(bad)))
                except Exception as error:
                    ledgers[subject.backend].crash(bad, error)
    for backend, ledger in ledgers.items():
        if puzzle is not None and not ledger.failed:
            finding = Finding(3, backend, "undecided", puzzle, cases=ledger.cases)
        elif ledger.cases == 0:
            finding = Finding(
                3, backend, "not_applicable", "nothing is masked out in the inputs that were tried"
            )
        elif ledger.error is not None:
            finding = Finding(3, backend, "failed", ledger.error, cases=ledger.cases)
        elif ledger.failed and ledger.worst is not None and ledger.case is not None:
            m = ledger.worst
            reason = (
                f"{m.place} becomes {m.got:.9g}, was {m.expected:.9g}, by what stands in masked-out places"
            )
            finding = Finding(3, backend, "failed", reason, _worst(ledger.case, m), cases=ledger.cases)
        else:
            finding = Finding(3, backend, "passed", f"{ledger.cases} cases with garbage", cases=ledger.cases)
        session.findings.append(finding)


def _unchanged(before: Results, after: Results) -> list[Mark]:
    found = []
    pairs = [(k, before.values[k], v) for k, v in after.values.items()]
    pairs += [(f"gradient of {k[0]}", before.gradients[k], v) for k, v in after.gradients.items()]
    for place, old, new in pairs:
        old64 = np.asarray(old, dtype=np.float64)
        still = np.where(np.isnan(old64), np.nan, old64)
        expected = Expected(still, np.ones(still.shape, dtype=bool), np.zeros(still.shape))
        # What is 0 but for rounding (standardized rewards add up to that) may be another such number.
        rounding = float(np.finfo(np.float32).eps)
        found.append(compare(place, new, expected, 1e-6, None, floor=rounding))
    return found


# -- splittable -----------------------------------------------------------------------------------------


def _axes(lowered: LoweredLoss) -> list[str]:
    found = {a: None for each in lowered.inputs for leaf in each.leaves for a in leaf.axes}
    return [a for a in found if a not in lowered.fixed]


def _splittable(session: _Session, rewrite: bool) -> None:
    from losslang import compiler

    lowered = session.lowered
    rng = np.random.default_rng(session.seed + 2)
    case = make(lowered, rng, "ordinary", "float64")
    single = make(lowered, np.random.default_rng(session.seed + 2), "ordinary", "float32")
    for axis in _axes(lowered):
        session.step(f"split along {axis}")
        parts = split.cut(lowered, axis)
        if parts is None or isinstance(parts, str):
            reason = parts or "the total does not depend on it"
            session.findings.append(Finding(4, "", "not_applicable", reason, axis=axis))
            continue
        if case.sizes[axis] < 2:
            session.findings.append(Finding(4, "", "not_applicable", "its size is fixed at 1", axis=axis))
            continue
        for subject in session.subjects:
            chosen = case if subject.accepts("float64") else single

            def pieces(loss: LoweredLoss, like: Subject = subject) -> Subject:
                return Subject(
                    like.backend, compiler.from_lowered(loss, like.backend, rewrite=rewrite), like.device
                )

            ledger = _Ledger()
            try:
                ledger.see(chosen, split.check_split(lowered, parts, axis, chosen, subject, pieces))
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                session.findings.append(Finding(4, subject.backend, "failed", reason, axis=axis, cases=1))
                continue
            worst = _worst(chosen, ledger.worst) if ledger.worst is not None else None
            if ledger.failed and ledger.worst is not None:
                m = ledger.worst
                reason = f"{m.place} is {m.got:.9g}, the pieces combine to {m.expected:.9g}"
                finding = Finding(4, subject.backend, "failed", reason, worst, axis, 1)
            else:
                sums = f"{len(parts.sums)} sum{'s' if len(parts.sums) > 1 else ''}"
                reason = f"two pieces make the whole, by {sums}"
                finding = Finding(4, subject.backend, "passed", reason, worst, axis, 1)
            session.findings.append(finding)

"""``losslang verify`` on every entry of the library.

Each entry is wrapped in specs that are made from its signature: parameters become inputs that ride along an
axis ``row``, those with a default become hyperparameters, and the result is averaged. From the top of the
checkout:

    python tests/library_probes.py --backend numpy            # all entries, about twenty minutes
    python tests/library_probes.py --budget 10 huber ctc      # some
    python tests/library_probes.py --show huber               # the specs that are tried
    python tests/library_probes.py --jobs 16 --backend torch --device cuda

It prints one line for every spec and fails where a guarantee does.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import losslang
from losslang import model as m
from losslang.format import format_expression
from losslang.parse import library
from losslang.verify import Report, verify

#: What stands for the axes of a pack.
PACK = ("high", "wide")
#: The forms that a parameter of an abstract kind is tried in.
FORMS = {"bernoulli": ("logit", "prob"), "categorical": ("logit", "prob", "logprob")}
Definition = m.Def | m.Dist | m.Kl


@dataclass(frozen=True)
class Probe:
    """A spec of one loss around an entry; ``name`` tells the entry and the form of its arguments."""

    name: str
    text: str


def entries() -> Iterator[Definition]:
    """Every definition, distribution and divergence of the library, in the order of the files."""
    for _, file in library.all_files():
        yield from (s for s in file.statements if isinstance(s, Definition))


def title(definition: Definition) -> str:
    if isinstance(definition, m.Kl):
        return f"kl {definition.left},{definition.right}"
    return definition.name


def probes(definition: Definition) -> Iterator[Probe]:
    """The specs for an entry: one for every form of its abstract parameters, and one under masks."""
    forms = [form for kind, forms in FORMS.items() if kind in _kinds(definition) for form in forms]
    for form in dict.fromkeys(forms or [""]):
        yield _probe(definition, form)
    if isinstance(definition, m.Def):
        yield _probe(definition, forms[0] if forms else "", masked=True)


def _params(definition: Definition) -> list[m.Param]:
    if isinstance(definition, m.Def):
        return list(definition.params)
    if isinstance(definition, m.Dist):
        return [definition.at, *definition.params]
    sides = []
    for side, name in (("p", definition.left), ("q", definition.right)):
        dist = library.distribution(name)
        assert dist is not None
        sides += [each.model_copy(update={"name": f"{side}_{each.name}"}) for each in dist.params]
    return sides


def _kinds(definition: Definition) -> list[str]:
    return [param.kind.name for param in _params(definition) if param.kind is not None]


def _probe(definition: Definition, form: str, masked: bool = False) -> Probe:
    params = [param for param in _params(definition) if not _endless(param)]
    declared = "\n".join(_declared(param, form, _nowhere(definition)) for param in params)
    kept = next(iter(_axes(definition)), None) if masked else None
    if masked:
        declared += "\n  input kept : mask[row]"
        if kept is not None:
            declared += f"\n  input here : mask[row, {kept}]"
    call = _call(definition, kept)
    head = f"loss probe\n{declared}\n"
    axes, along = _result(f"{head}  report out = {call}\n  term none = 0\n  minimize none"), _axes(definition)
    if along and set(along) <= set(axes):
        call = " * ".join(
            [f"({call})", *(f"(1 + {axis})" for axis in along)]
        )  # what adds up to a constant has no gradient
    over = f"{', '.join(axes)}{' where kept' if masked else ''}"
    text = f"{head}  term out = {f'mean[{over}]({call})' if axes else call}\n  minimize out\n"
    return Probe(" ".join(filter(None, (title(definition), form, "masked" if masked else ""))), text)


def _result(text: str) -> tuple[str, ...]:
    """The axes of the report of a spec."""
    (report,) = losslang.load(text).elaborate().reports
    return report.axes


def _axes(definition: Definition) -> list[str]:
    if isinstance(definition, m.Kl):
        return [axis.name for axis in definition.left_axes]
    return _unpacked(definition.axes)


def _unpacked(axes: tuple[m.AxisRef, ...]) -> list[str]:
    return [name for axis in axes for name in (PACK if axis.pack else (axis.name,))]


def _endless(param: m.Param) -> bool:
    """Whether its default is infinity, which no hyperparameter can be."""
    return isinstance(param.default, m.Name) and param.default.id == "inf"


def _nowhere(definition: Definition) -> list[str]:
    """The axes that no parameter names: all of them have those."""
    named = set()
    for param in _params(definition):
        if param.kind is not None:
            named |= {*_unpacked(param.kind.axes or ()), param.kind.over, param.kind.of}
    return [axis for axis in _axes(definition) if axis not in named]


def _declared(param: m.Param, form: str, more: list[str]) -> str:
    kind = param.kind or m.KindExpr(span=param.span, name="real")
    name = kind.name
    if name in FORMS:
        name = form if form in FORMS[name] else "logit"
    suffix = "".join((f" over {kind.over}" if kind.over else "", f" of {kind.of}" if kind.of else ""))
    if param.default is not None:
        bound = {"positive": "> 0", "weight": ">= 0", "prob": "in [0, 1]"}.get(kind.name, "")
        return f"  hyper a_{param.name} : {name} {bound} = {format_expression(param.default)}"
    axes = ["row", *_unpacked(kind.axes or ()), *more]
    if kind.over is not None and kind.over not in axes:
        axes.append(kind.over)
    return f"  input a_{param.name} : {name}[{', '.join(axes)}]{suffix}"


def _call(definition: Definition, kept: str | None) -> str:
    along = ", ".join(_axes(definition))
    brackets = f"[{along}{' where here' if kept else ''}]" if along else ""
    names = [f"a_{param.name}" for param in _params(definition) if not _endless(param)]
    if isinstance(definition, m.Def):
        return f"{definition.name}{brackets}({', '.join(names)})"
    if isinstance(definition, m.Dist):
        return f"nll({names[0]} ~ {definition.name}{brackets}({', '.join(names[1:])}))"
    left = [name for name in names if name.startswith("a_p_")]
    right = [name for name in names if name.startswith("a_q_")]
    sides = (
        f"{d}{brackets}({', '.join(side)})"
        for d, side in ((definition.left, left), (definition.right, right))
    )
    return f"kl({', '.join(sides)})"


def told(report: Report) -> str:
    """What became of a probe, in a word: the least good thing that can be said."""
    for status in ("failed", "undecided"):
        if any(finding.status == status for finding in report.findings):
            return status
    numbers = sum(finding.undecided for finding in report.findings if finding.guarantee == 2)
    return f"passed but for {numbers} undecided" if numbers else "passed"


def main() -> int:
    options = argparse.ArgumentParser(description="losslang verify on every entry of the library.")
    options.add_argument("names", nargs="*", help="of entries; all by default")
    options.add_argument("--backend", action="append", help="by default numpy")
    options.add_argument("--budget", type=float, default=5.0, help="seconds for each spec")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--device", help="where PyTorch and JAX compute")
    options.add_argument("--jobs", type=int, default=1, help="how many processes work at it")
    options.add_argument("--show", action="store_true", help="print the specs and try nothing")
    given = options.parse_args()
    chosen = [d for d in entries() if not given.names or title(d) in given.names]
    tried = [probe for definition in chosen for probe in probes(definition)]
    if given.show:
        print("\n".join(f"# {probe.name}\n{probe.text}" for probe in tried))
        return 0
    judge = functools.partial(judged, given.backend or ["numpy"], given.seed, given.budget, given.device)
    failed = 0
    with _mapping(given.jobs) as spread:
        for passed, lines in spread(judge, tried):
            failed += not passed
            print("\n".join(lines), flush=True)
    print(f"{failed} of {len(tried)} failed")
    return 1 if failed else 0


def judged(
    backends: list[str], seed: int, budget: float, device: str | None, probe: Probe
) -> tuple[bool, list[str]]:
    """Whether a probe passed, and the lines that tell of it."""
    report = verify(probe.text, backends, seed=seed, budget=budget, device=device)
    lines = [f"{probe.name}: {told(report)} ({report.cases} cases, {report.seconds:.1f} s)"]
    for finding in report.failures():
        place = f"{finding.backend} {finding.name} {finding.axis or ''}".strip()
        case = f" [{finding.worst.case}, {finding.worst.dtype}]" if finding.worst is not None else ""
        lines.append(f"    {place}: {finding.reason}{case}")
    return report.passed, lines


@contextmanager
def _mapping(jobs: int) -> Iterator[Callable[..., Any]]:
    """``map`` over so many processes, which start anew: frameworks do not survive a fork."""
    if jobs == 1:
        yield map
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield pool.imap_unordered


if __name__ == "__main__":
    sys.exit(main())

"""The public interface, as catalogue.py has it: signatures, calls in every form, conventions by their values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from catalogue import COMPOSITES, DISTRIBUTIONS, FUNCTIONS
from library_probes import PACK
from parity import BACKENDS, draw

import losslang
from losslang import model as m
from losslang.format import format_expression
from losslang.parse import library, parse
from losslang.worked import Worked

SPECS = Path(__file__).parent.parent / "specs"
DATA = Path(__file__).parent / "data"
Definition = m.Def | m.Dist


def promised(text: str) -> list[m.Def]:
    """The signatures of a paragraph, read by the language's own parser."""
    file, problems = parse("\n".join(f"def {line} = 0" for line in text.split("\n") if line))
    assert file is not None and not problems
    return [statement for statement in file.statements if isinstance(statement, m.Def)]


def shipped(kind: str, name: str) -> Definition:
    found = library.definition(name) if kind == "def" else library.distribution(name)
    assert found is not None, f"the library has no {name}"
    return found


ENTRIES = [("def", stub) for stub in promised(FUNCTIONS)] + [
    ("dist", stub) for stub in promised(DISTRIBUTIONS)
]
GROUPS = {group[0].name: ("def", group) for group in map(promised, FUNCTIONS.strip().split("\n\n"))}
GROUPS["distributions"] = ("dist", promised(DISTRIBUTIONS))


@pytest.mark.parametrize(("kind", "stub"), ENTRIES, ids=lambda value: getattr(value, "name", None))
def test_signature(kind: str, stub: m.Def) -> None:
    found = shipped(kind, stub.name)
    told = [axis.name for axis in found.axes if axis.name not in {a.name for a in stub.axes}]
    assert [(a.name, a.pack) for a in found.axes][: len(stub.axes)] == [(a.name, a.pack) for a in stub.axes]
    assert not told or stub.axes, f"the axes {told} would have to be named"
    promises = [(p.name, number(p.default)) for p in stub.params]
    assert [(p.name, number(p.default)) for p in found.params][: len(promises)] == promises
    assert all(p.default is not None for p in found.params[len(promises) :])


def number(default: m.Expression | None) -> float | None:
    """What a default comes to: numbers, signs, and `4 / 3`."""
    if default is None:
        return None
    text = format_expression(default)
    if "/" in text:
        above, below = text.split("/")
        return float(above) / float(below)
    return float(text)


# ---------------------------------------------------------------------------- calls


def declared(owner: m.Def, param: m.Param) -> str:
    """An input for a parameter; it rides along ``row`` unless it has to tell an axis that is not named."""
    kind = param.kind or m.KindExpr(span=param.span, name="real")
    name = "logit" if kind.name in ("bernoulli", "categorical") else kind.name
    axes = [part for axis in kind.axes or () for part in (PACK if axis.pack else (axis.name,))]
    if kind.over and kind.over not in axes:
        axes.append(kind.over)
    suffix = "".join((f" over {kind.over}" if kind.over else "", f" of {kind.of}" if kind.of else ""))
    named = {axis.name for axis in owner.axes} | set(PACK)
    riding = ["row"] if set(axes) <= named else []
    return f"{owner.name}_{param.name} : {name}[{', '.join(riding + axes)}]{suffix}"


def forms(kind: str, stub: m.Def) -> dict[str, str]:
    """Ways to write the same call: defaults left out, everything by name, defaults as promised."""
    axes = [part for axis in stub.axes for part in (PACK if axis.pack else (axis.name,))]
    head = f"{stub.name}[{', '.join(axes)}]" if axes else stub.name
    needed = {p.name: f"{stub.name}_{p.name}" for p in stub.params if p.default is None}
    defaults = {p.name: format_expression(p.default) for p in stub.params if p.default is not None}
    calls = {
        "short": ", ".join(needed.values()),
        "named": ", ".join(f"{name} = {value}" for name, value in reversed(needed.items())),
        "full": ", ".join([*needed.values(), *defaults.values()]),
        "named_full": ", ".join(f"{name} = {value}" for name, value in (defaults | needed).items()),
    }
    at = getattr(shipped(kind, stub.name), "at", None)
    call = f"{head}({{}})" if at is None else f"nll({stub.name}_{at.name} ~ {head}({{}}))"
    return {form: call.format(arguments) for form, arguments in calls.items()}


def given(arrays: dict[str, np.ndarray], backend: str) -> dict[str, object]:
    return {name: torch.as_tensor(a) if backend == "torch" else a for name, a in arrays.items()}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("group", GROUPS)
def test_calls(group: str, backend: str) -> None:
    kind, stubs = GROUPS[group]
    rng = np.random.default_rng(5)
    lines, arrays, calls = ["loss calls"], {}, {}
    for stub in stubs:
        found = shipped(kind, stub.name)
        params = [p for p in found.params if p.default is None]
        for param in [*params, found.at] if isinstance(found, m.Dist) else params:
            line = declared(stub, param)
            name, of = line.split(" : ")
            lines.append(f"  input {line}")
            arrays[name] = rng.integers(1, 3, 3) if of == "count[row]" else draw(of, rng)
        calls |= {f"{stub.name}_{form}": call for form, call in forms(kind, stub).items()}
    lines += [f"  report out_{name} = {call}" for name, call in calls.items()]
    spec = "\n".join([*lines, "  term none = 0", "  minimize none"])
    reports = losslang.compile(spec, backend=backend)(**given(arrays, backend)).reports
    for stub in stubs:
        short = np.asarray(reports[f"out_{stub.name}_short"])
        assert np.isfinite(short).all(), stub.name
        for form in forms(kind, stub):
            assert np.array_equal(np.asarray(reports[f"out_{stub.name}_{form}"]), short), (stub.name, form)


# ---------------------------------------------------------------------------- whole losses


@pytest.mark.parametrize("name", COMPOSITES)
def test_whole_losses(name: str) -> None:
    file, problems = parse((SPECS / f"{name}.loss").read_text("utf-8"))
    assert file is not None and not problems
    found = [statement.name for statement in file.statements if isinstance(statement, m.Loss | m.Variant)]
    assert found == list(COMPOSITES[name] or (name,))


# ---------------------------------------------------------------------------- numbers


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["conventions", "worked_numbers"])
def test_numbers(name: str, backend: str) -> None:
    file, problems = parse((DATA / f"{name}.loss").read_text("utf-8"))
    assert file is not None and not problems
    for outcome in Worked(file, name).run(backend):
        assert outcome.passed, f"{name}:{outcome.statement.span.line}: {outcome.problem or outcome.found}"


def test_the_curvature_of_cross_entropy() -> None:
    """diag(p) − p pᵀ, positive semidefinite."""
    jax = pytest.importorskip("jax")
    spec = """loss one
      input z : logit[c] over c
      input y : label of c
      term surprise = cross_entropy(z, y)
      minimize surprise"""
    fn = losslang.compile(spec, backend="jax")
    z = np.array([0.3, -1.2, 2.0, 0.0])
    p = np.exp(z) / np.exp(z).sum()
    with jax.enable_x64(True):
        curvature = jax.hessian(lambda z: fn(z=z, y=jax.numpy.asarray(2)).total)(jax.numpy.asarray(z))
    np.testing.assert_allclose(curvature, np.diag(p) - np.outer(p, p), atol=1e-12)

"""What the library is compared with: an expression of the language on one side, a reference on the other.

A case is evaluated with its gradients on every backend, in float64. The reference is a peer's own
function (PyTorch, Optax, SciPy, scikit-learn) where there is one, else the paper's formula written out. It is
differentiated by its framework, or by central differences where it is NumPy.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from placing import on_host

import losslang

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")

BACKENDS = ("numpy", "torch", "jax")
SIZES = {
    "n": 5, "d": 3, "c": 4, "l": 3, "i": 6, "j": 4, "k": 3, "g": 4, "t": 4, "b": 4, "h": 3, "w": 4, "m": 5, "u": 3,
    "s": 2, "one": 1, "row": 3, "r": 3, "e": 4, "high": 2, "wide": 3, "previous": 4,
    "tall": 12, "broad": 13, "vast": 176, "huge": 176,
}  # fmt: skip
TOLERANCE = 1e-8
#: Central differences of fourth order with a step of 1e-3 have ten digits or more; kinks are not that near.
DIFFERENCES = 2e-7
STEP = 1e-3
#: Kinds whose inputs are differentiated on both sides.
FLOATING = ("real", "positive", "logit", "prob", "logprob", "score", "embedding", "parameter")
#: How many cases JAX compiles at once: a compiler's start costs more than a case.
TOGETHER = 20

Arrays = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Case:
    """``inputs``: declarations separated by semicolons.

    ``rows``: the axes of the result. ``reference`` takes the arrays in order, as ``library`` has them, and gives
    the rows.
    ``only``: the inputs to differentiate, where the reference cannot differentiate all. ``smooth`` is false for
    metrics, which have no gradient. ``given`` are arrays that must not be random, or that are drawn in a way of
    their own. ``tolerance`` is wider where the reference itself is less exact.
    """

    id: str
    inputs: str
    expression: str
    rows: tuple[str, ...]
    reference: Callable[..., Any]
    library: str = "torch"
    only: tuple[str, ...] = ()
    smooth: bool = True
    given: Arrays | Callable[[np.random.Generator, Mapping[str, int]], Arrays] | None = None
    sizes: Mapping[str, int] = field(default_factory=lambda: SIZES)
    tolerance: float = TOLERANCE

    @property
    def declarations(self) -> list[tuple[str, str]]:
        pairs = (part.split(":", 1) for part in self.inputs.split(";"))
        return [(name.strip(), kind.strip()) for name, kind in pairs]

    @property
    def differentiated(self) -> tuple[str, ...]:
        if not self.smooth:
            return ()
        return self.only or tuple(name for name, kind in self.declarations if kind.startswith(FLOATING))

    @property
    def spec(self) -> str:
        axes = ", ".join(self.rows)
        inputs = [f"input {name} : {kind}" for name, kind in self.declarations]
        weigh = [f"input each_weight : weight[{axes}]"] if self.rows else []
        total = f"sum[{axes}](each_weight * value)" if self.rows else "value"
        value = [f"let value = {self.expression}", "report rows = value"]
        return "\n".join(["loss probe", *inputs, *weigh, *value, f"term total = {total}", "minimize total"])

    @functools.cached_property
    def arrays(self) -> Arrays:
        rng = np.random.default_rng(zlib.crc32(self.id.encode()))
        drawn = {name: draw(kind, rng, self.sizes) for name, kind in self.declarations}
        if self.rows:
            drawn["each_weight"] = rng.uniform(0.5, 2.0, tuple(self.sizes[axis] for axis in self.rows))
        given = self.given(rng, self.sizes) if callable(self.given) else self.given or {}
        return {**drawn, **{name: np.asarray(value, drawn[name].dtype) for name, value in given.items()}}


def case(id: str, inputs: str, expression: str, reference: Callable[..., Any], **more: Any) -> Case:
    """A case with one number for each n, as most are."""
    return Case(id, inputs, expression, more.pop("rows", ("n",)), reference, **more)


def each(function: Callable[..., Any], *, rows: str = "n", **more: Any) -> Callable[..., Any]:
    """``function`` row by row."""

    def reference(*arrays: Any) -> Any:
        results = [function(*(a[at] for a in arrays), **more) for at in range(SIZES[rows])]
        return torch.stack(results) if torch.is_tensor(results[0]) else np.stack(results)

    return reference


def draw(kind: str, rng: np.random.Generator, sizes: Mapping[str, int] = SIZES) -> np.ndarray:
    """Random values of a kind written as ``name[axes] over axis``."""
    name, axes = re.match(r"(\w+)(?:\[([^\]]*)\])?", kind).groups()  # type: ignore[union-attr]
    names = [axis.strip() for axis in (axes or "").split(",") if axis.strip()]
    shape = tuple(sizes[axis] for axis in names)
    over = kind.split(" over ")[1].strip() if " over " in kind else None
    if name in ("prob", "logprob"):
        if over is None:
            p = rng.uniform(0.05, 0.95, shape)
        else:
            assert names[-1] == over, "the classes come last"
            p = rng.dirichlet(np.full(sizes[over], 2.0), shape[:-1])
        return np.log(p) if name == "logprob" else p
    draws: dict[str, Callable[[], np.ndarray]] = {
        "positive": lambda: np.exp(rng.normal(0.0, 0.6, shape)),
        "weight": lambda: rng.uniform(0.0, 2.0, shape),
        "binary": lambda: rng.integers(0, 2, shape).astype(float),
        "mask": lambda: rng.integers(0, 2, shape).astype(bool),
        "sign": lambda: rng.choice([-1.0, 1.0], shape),
        "count": lambda: rng.poisson(2.0, shape).astype(float),
        "label": lambda: rng.integers(0, sizes[kind.split(" of ")[1].split()[0]], shape),
    }
    return draws.get(name, lambda: 1.3 * rng.normal(size=shape))()


# ---------------------------------------------------------------------------- the reference


@functools.cache
def expected(case: Case) -> tuple[np.ndarray, Arrays]:
    """The reference's rows, and the gradients of their weighed sum by name."""
    arrays = {name: case.arrays[name] for name, _ in case.declarations}
    weights = case.arrays.get("each_weight", 1.0)
    return _LIBRARIES[case.library](case, arrays, weights)


def _of_torch(case: Case, arrays: Arrays, weights: Any) -> tuple[np.ndarray, Arrays]:
    names = case.differentiated
    tensors = {k: torch.tensor(v, requires_grad=k in names) for k, v in arrays.items()}
    rows = case.reference(*tensors.values())
    if not names:
        return on_host(rows), {}
    total = (torch.as_tensor(weights) * rows).sum()
    gradients = torch.autograd.grad(total, [tensors[k] for k in names], materialize_grads=True)
    return on_host(rows), {k: on_host(g) for k, g in zip(names, gradients, strict=True)}


def _of_jax(case: Case, arrays: Arrays, weights: Any) -> tuple[np.ndarray, Arrays]:
    def total(chosen: Arrays) -> Any:
        rows = case.reference(*{**arrays, **chosen}.values())
        return (weights * rows).sum(), rows

    with jax.enable_x64(True):
        chosen = {k: jax.numpy.asarray(arrays[k]) for k in case.differentiated}
        gradients, rows = jax.grad(total, has_aux=True)(chosen)
        return np.asarray(rows), {k: np.asarray(g) for k, g in gradients.items()}


def _of_numpy(case: Case, arrays: Arrays, weights: Any) -> tuple[np.ndarray, Arrays]:
    def rows(chosen: Arrays) -> np.ndarray:
        return np.asarray(case.reference(*{**arrays, **chosen}.values()), dtype=float)

    def slope(name: str, place: tuple[int, ...]) -> float:
        slopes = 0.0
        for steps, weight in ((1, 8.0), (2, -1.0)):
            for sign in (1, -1):
                moved = np.array(arrays[name], dtype=float)
                moved[place] += sign * steps * STEP
                slopes += sign * weight * float((weights * rows({name: moved})).sum())
        return slopes / (12 * STEP)

    gradients = {}
    for name in case.differentiated:
        shape = np.shape(arrays[name])
        gradients[name] = np.array([slope(name, at) for at in np.ndindex(*shape)]).reshape(shape)
    return rows({}), gradients


_LIBRARIES = {"torch": _of_torch, "jax": _of_jax, "numpy": _of_numpy}


# ---------------------------------------------------------------------------- the compiled expression


def found(case: Case, backend: str, cases: Sequence[Case]) -> tuple[np.ndarray, Arrays]:
    """The rows and gradients that a backend computes; ``cases`` are compiled with it where that is quicker."""
    if backend == "jax":
        at = cases.index(case) // TOGETHER * TOGETHER
        return _under_jax(tuple(cases[at : at + TOGETHER]))[case.id]
    fn = _compiled(case.spec, backend)
    if backend == "numpy":
        return _differentiated(case, fn, case.arrays)
    names = case.differentiated
    tensors = {k: torch.tensor(v, requires_grad=k in names) for k, v in case.arrays.items()}
    out = fn(**tensors)
    if names:
        out.total.backward()
    gradients = {k: tensors[k].grad for k in names}
    return on_host(out.reports["rows"]), {
        k: np.zeros(tensors[k].shape) if g is None else on_host(g) for k, g in gradients.items()
    }


@functools.cache
def _compiled(spec: str, backend: str) -> Any:
    return losslang.compile(spec, backend=backend)


@functools.cache
def _under_jax(cases: tuple[Case, ...]) -> dict[str, tuple[np.ndarray, Arrays]]:
    compiled = [_compiled(case.spec, "jax") for case in cases]

    # Quick to compile rather than to run: the operations are the same.
    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def run(arrays: list[Arrays]) -> list[Any]:
        return [_differentiated(*each) for each in zip(cases, compiled, arrays, strict=True)]

    with jax.enable_x64(True):
        results = run([case.arrays for case in cases])
    return {case.id: result for case, result in zip(cases, results, strict=True)}


def _differentiated(case: Case, fn: Any, arrays: Arrays) -> tuple[Any, Arrays]:
    if not case.differentiated:
        return fn(**arrays).reports["rows"], {}
    out, gradients = fn.value_and_grad(wrt=case.differentiated)(**arrays)
    return out.reports["rows"], gradients


# ---------------------------------------------------------------------------- the comparison


def compare(case: Case, backend: str, cases: Sequence[Case]) -> None:
    rows, gradients = expected(case)
    assert np.shape(rows) == tuple(case.sizes[axis] for axis in case.rows)
    assert gradients or not case.smooth
    values, slopes = found(case, backend, cases)
    close(values, rows, case.tolerance, "rows")
    slack = max(case.tolerance, DIFFERENCES) if case.library == "numpy" else case.tolerance
    for name, wanted in gradients.items():
        close(slopes[name], wanted, slack, name)


def close(values: Any, wanted: Any, tolerance: float = TOLERANCE, name: str = "") -> None:
    size = max(1.0, float(np.abs(wanted)[np.isfinite(wanted)].max(initial=0.0)))
    np.testing.assert_allclose(
        np.asarray(values), wanted, rtol=tolerance, atol=tolerance * size, err_msg=name
    )

"""Published objectives, each written from its paper by a reader of the reference, equal their formulas by hand.

The folder papers/ holds the texts. Totals and gradients of NumPy, PyTorch and (for every eighth, unless
LOSSLANG_ALL_OBJECTIVES is set) JAX are held against PyTorch's autograd of the formula written out by hand.
"""

from __future__ import annotations

import importlib.util
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")


import hand_papers_further  # noqa: E402, F401
import hand_papers_learning  # noqa: E402, F401
import hand_papers_models  # noqa: E402, F401
import hand_papers_people  # noqa: E402, F401
import hand_papers_reinforcement  # noqa: E402, F401
import hand_papers_vision  # noqa: E402, F401
from hand_papers import PAPERS, STEP, Paper  # noqa: E402

import losslang  # noqa: E402
from losslang import checker  # noqa: E402
from losslang.lowered import LoweredInput, LoweredLoss, Schedule  # noqa: E402
from losslang.spec import Spec  # noqa: E402

FOLDER = Path(__file__).parent / "papers"
FILES = sorted(FOLDER.glob("*.loss"))
CASES = sorted(PAPERS)
EVERY = 1 if os.environ.get("LOSSLANG_ALL_OBJECTIVES") else 8
SIZES = (3, 4, 2, 5)


def values(kind: Any, shape: tuple[int, ...], axes: tuple[str, ...], sizes: dict[str, int], rng: Any) -> Any:
    """Ordinary values of a kind."""
    name = kind.name
    if name in ("positive", "weight"):
        return np.exp(rng.normal(size=shape) / 2)
    if name in ("prob", "logprob"):
        if kind.over:
            p = np.exp(rng.normal(size=shape))
            p = p / p.sum(axes.index(kind.over), keepdims=True)
        else:
            p = rng.uniform(0.05, 0.95, shape)
        return np.log(p) if name == "logprob" else p
    if name == "label":
        y = rng.integers(0, sizes[kind.of], shape)
        return y if kind.ignoring is None else np.where(rng.random(shape) < 0.3, kind.ignoring, y)
    if name in ("binary", "mask"):
        held = rng.random(shape) < 0.6
        return held if name == "mask" else held.astype(float)
    if name == "count":
        return rng.integers(1, 4, shape)
    return rng.normal(size=shape)


def inputs(lowered: LoweredLoss, made: Paper) -> dict[str, Any]:
    """Values for every input; packs have two axes, collections two members."""
    sizes = {**lowered.fixed, **made.sizes}
    rng = np.random.default_rng(zlib.crc32(lowered.name.encode()))

    def value(each: LoweredInput, axes: tuple[str, ...]) -> Any:
        for axis in (*axes, *filter(None, [each.kind.of])):
            sizes.setdefault(axis, SIZES[len(sizes) % len(SIZES)])
        return values(each.kind, tuple(sizes[a] for a in axes), axes, sizes, rng)

    found: dict[str, Any] = {}
    for each in lowered.inputs:
        if each.name in made.data:
            given = made.data[each.name]
            found[each.name] = given(rng) if callable(given) else given
        elif each.collection:
            found[each.name] = {str(leaf.key): value(each, leaf.axes) for leaf in each.leaves}
        else:
            found[each.name] = value(each, each.leaves[0].axes)
    return found


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    return {k: mapped(function, v) for k, v in value.items()} if isinstance(value, dict) else function(value)


def flat(value: Any) -> list[Any]:
    return [x for key in sorted(value) for x in flat(value[key])] if isinstance(value, dict) else [value]


def tensor(x: Any) -> Any:
    return torch.from_numpy(np.array(x))


def by_hand(made: Paper, arrays: dict[str, Any], wanted: Iterable[str]) -> tuple[float, dict[str, Any]]:
    """The total and its gradients by autograd."""
    given = {k: mapped(tensor, v) for k, v in arrays.items()}
    for name in wanted:
        mapped(lambda x: x.requires_grad_(), given[name])
    seen = {k: list(v.values()) if isinstance(v, dict) else v for k, v in given.items()}
    with torch.enable_grad():
        total = made.total(SimpleNamespace(**seen))
    if total.requires_grad:
        total.backward()
    slope = lambda x: np.zeros(x.shape) if x.grad is None else x.grad.numpy()  # noqa: E731
    return float(total.detach()), {name: mapped(slope, given[name]) for name in wanted}


def compiled(
    fn: Any, arrays: dict[str, Any], backend: str, options: dict[str, Any]
) -> tuple[float, dict[str, Any]]:
    if backend == "jax":
        import jax

        with jax.enable_x64(True):
            out, gradients = fn.value_and_grad()(**arrays, **options)
            return float(out.total), mapped(np.asarray, gradients)
    given = arrays if backend == "numpy" else {k: mapped(tensor, v) for k, v in arrays.items()}
    out, gradients = fn.value_and_grad()(**given, **options)
    return float(out.total), mapped(np.asarray, gradients)


@pytest.fixture(autouse=True)
def in_double_precision() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def test_none_is_left_out() -> None:
    specs = {path.stem: Spec.load(path) for path in FILES}
    assert len(specs) > 110
    losses = {
        (file, loss if len(spec.losses()) > 1 else "")
        for file, spec in specs.items()
        for loss in spec.losses()
    }
    assert losses == set(PAPERS)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_nothing_to_complain_about(path: Path) -> None:
    assert losslang.check(path) == []


@pytest.mark.parametrize(("file", "loss"), CASES, ids=["-".join(filter(None, case)) for case in CASES])
def test_equals_the_formula_by_hand(file: str, loss: str) -> None:
    spec, made = Spec.load(FOLDER / f"{file}.loss"), PAPERS[file, loss]
    name = loss or spec.losses()[0]
    lowered = checker.elaborate(spec, name)
    arrays = inputs(lowered, made)
    options = {"step": STEP} if any(isinstance(h.default, Schedule) for h in lowered.hypers) else {}
    hand: tuple[float, dict[str, Any]] | None = None
    for backend in ("numpy", "torch", "jax"):
        if not importlib.util.find_spec(backend) or (backend == "jax" and CASES.index((file, loss)) % EVERY):
            continue
        fn = losslang.compile(spec, backend=backend, loss=name, externs=made.externs.get(backend))
        total, gradients = compiled(fn, arrays, backend, options)
        hand = hand or by_hand(made, arrays, gradients)
        assert np.isfinite(hand[0])
        assert total == pytest.approx(hand[0], rel=1e-9, abs=1e-11), backend
        for wrt, gradient in gradients.items():
            for got, want in zip(flat(gradient), flat(hand[1][wrt]), strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-10, err_msg=f"{backend} {wrt}")

"""The examples beside the documentation: three frameworks, one curve; data that is small and whole."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import losslang

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
STEPS = 12


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """train_digits.py as a module."""
    found = importlib.util.spec_from_file_location("train_digits", EXAMPLES / "train_digits.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_three_frameworks_give_one_curve(example: ModuleType) -> None:
    pixels, digit = example.data()
    curves = [
        train(pixels, digit, STEPS) for train in (example.with_numpy, example.with_torch, example.with_jax)
    ]
    assert all(len(curve) == STEPS for curve in curves)
    for curve in curves[1:]:
        np.testing.assert_allclose(curve, curves[0], rtol=0, atol=1e-5)


def test_training_lowers_the_loss(example: ModuleType) -> None:
    curve = example.with_numpy(*example.data(), 40)
    assert curve[0] == pytest.approx(np.log(10), abs=0.1)
    assert curve[-1] < 0.8 and all(b < a for a, b in pairwise(curve))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.npz")), ids=lambda p: p.name)
def test_data_is_small(path: Path) -> None:
    assert path.stat().st_size < 200_000
    with np.load(path) as file:
        assert all(np.isfinite(file[name]).all() for name in file.files)


@pytest.mark.parametrize(
    ("spec", "data", "report", "value"),
    [
        ("digits.loss", "classifier.npz", "right", 0.9213),
        ("../../specs/tasks/quantiles.loss", "diabetes.npz", "covered", 0.8258),
        ("../../specs/tasks/star-ratings.loss", "factors.npz", "rmse", 2.6824),
    ],
)
def test_data_fits_its_spec(spec: str, data: str, report: str, value: float) -> None:
    with np.load(EXAMPLES / data) as file:
        inputs = {name: file[name] for name in file.files}
    out = losslang.compile(EXAMPLES / spec)(**inputs, validate=True)
    assert float(out.reports[report]) == pytest.approx(value, abs=1e-3)

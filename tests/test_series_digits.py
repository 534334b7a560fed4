"""Where a series stands for a difference that cancels, it has the digits of float64 up to the place where it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import losslang

mp = pytest.importorskip("mpmath")

#: On both sides of where the series end; not so near 0 that the rounding of 1 + x counts.
AWAY = np.concatenate([np.linspace(-0.9, 0.9, 60), [0.2499, 0.2501, -0.2499, -0.2501, 0.4999, -0.4999]])
CASES: dict[str, Callable[[Any], Any]] = {
    "kl_k3(0 * x, x)": lambda x: mp.expm1(x) - x,
    "linex(x, 0)": lambda x: mp.expm1(x) - x,
    "itakura_saito(1 + x, 1)": lambda x: x - mp.log1p(x),
    "poisson_deviance(1, 1 + x)": lambda x: 2 * ((1 + x) * mp.log1p(x) - x),
    "kl(poisson(1), poisson(1 + x))": lambda x: x - mp.log1p(x),
    "fair(x, 0, 1)": lambda x: abs(x) - mp.log1p(abs(x)),
}


@pytest.mark.parametrize("expression", CASES)
def test_all_digits(expression: str) -> None:
    spec = f"loss l\ninput x : real[n]\nreport rows = {expression}\nterm t = sum[n](x)\nminimize t"
    spec = spec.replace("1 + x", "(1 + x as positive)")
    found = losslang.compile(spec)(x=AWAY).reports["rows"]
    with mp.workdps(40):
        wanted = [float(CASES[expression](mp.mpf(float(x)))) for x in AWAY]
    np.testing.assert_allclose(found, wanted, rtol=2e-13)

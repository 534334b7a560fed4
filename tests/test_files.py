"""Files with several losses: what they share, variants, array hyperparameters, schedules."""

from __future__ import annotations

import numpy as np
import pytest

import losslang

TEXT = """
input x : real[n]
input p : real[n, q]
axis coord = (x1, y1)
hyper beta : real in [0, 1] = linear(0, 0.2, over=100)
hyper level : prob[q] = [0.1, 0.5, 0.9] along q
let shared = x * 2
loss a
  input y : real[n]
  input box : real[n, coord]
  term t = mean[n](abs(shared - y))
  term u = mean[n](box[coord = y1])
  minimize t + beta * u + 3
loss b = a with beta = 0.5
loss c
  term t = sum[n](shared)
  minimize t
loss d
  term t = mean[n, q](quantile(p, x, level))
  minimize t
"""
x, y, box = np.arange(4.0), np.ones(4), np.ones((4, 2))


def compiled(name, **options):
    return losslang.compile(TEXT, loss=name, **options)


def test_a_loss_takes_only_what_it_uses_of_what_is_shared():
    assert losslang.check(TEXT) == []
    assert list(compiled("c").inputs) == ["x"]
    assert not compiled("c").hypers
    assert compiled("c")(x).total == 12
    assert list(compiled("d").inputs) == ["x", "p"]


def test_schedules_overrides_and_variants():
    a = compiled("a")
    assert a(x, y, box, step=50).total == pytest.approx(5.6)
    assert a(x, y, box, step=-7).weighted["u"] == 0
    assert a(x, y, box, step=10**6).weighted["u"] == pytest.approx(0.2)
    assert a(x, y, box, beta=0.3).weighted["u"] == pytest.approx(0.3)
    assert compiled("b")(x, y, box).weighted["u"] == pytest.approx(0.5)
    assert compiled("b")(x, y, box).weighted["offset"] == 3
    with pytest.raises(losslang.InputError, match="step"):
        a(x, y, box)
    with pytest.raises(losslang.InputError, match="beta"):
        a(x, y, box, beta=2)


def test_the_default_of_an_array_does_not_fix_its_axis():
    d = compiled("d")
    two = np.zeros((4, 2))
    with pytest.raises(losslang.InputError, match="q"):
        d(x, two)
    want = np.mean([np.maximum(t * x, (t - 1) * x) for t in (0.2, 0.8)])
    assert d(x, two, level=[0.2, 0.8]).total == pytest.approx(want)
    assert compiled("d", hyper={"level": [0.2, 0.8]})(x, two).total == pytest.approx(want)


def test_one_of_several_losses_must_be_chosen():
    with pytest.raises(losslang.SpecError, match="several losses"):
        losslang.compile(TEXT)
    with pytest.raises((losslang.SpecError, losslang.InputError), match="no loss"):
        compiled("zz")

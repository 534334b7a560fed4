"""Every rule of ``specs/rules`` is proved by its own row: both sides agree, derivatives too; the right one computes
well in float32 and the left one does not; what is nearly its pattern is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from rule_near_misses import near_misses
from rule_proofs import (
    RULES,
    as_written,
    benign_points,
    floats,
    known,
    missed,
    points,
    run,
    sides,
    sides_of,
    stable,
    true,
    used,
)

from losslang.ir import walk
from losslang.rewrite import Trace, finish, rewrite, rules
from losslang.truth import truth

#: Steps on the way to a form that is better: alone their left side is as good as the right one. Each with a formula
#: that comes out wrong without it.
STEPS = {
    "half_erfc": "log(erfc(x) / 2)",  # the logarithm of a normal distribution function is known
    "complement_of_mixture": "1 - t * tanh(a) - (1 - t) * tanh(b)",  # parts whose complements are known
    "complement_of_average": "log(1 - sum[c](softmax[c](z) * sigmoid(z)))",  # the same
    "odd_size_tanh": "log(abs(tanh(x)))",  # the logarithm of tanh of a positive number is known
    "odd_size_erf": "log(1 - abs(erf(x)))",  # and the complement of erf
    "hyperbolic_pythagoras": "log(sinh(x)^2 + 1)",  # cosh has a logarithm that does not overflow
}

#: What values and derivatives may be wrong by wherever they are, and why.
FLOORS = {
    "tail_less_line": (2.0**-52, 0.0),  # its 1/sqrt(pi) is a double, as that of a derivative
    "max_less_logsumexp": (0.0, 2.0**-23),  # of three equal parts: 1/3 - 1/3, in float32
    "complement_of_average": (0.0, 2.0**-23),  # differences of complements near 1, in float32
    "hellinger_of_softmaxes": (0.0, 2.0**-52),  # differences of probabilities near 1, in double precision
    "kl_of_softmaxes": (0.0, 2.0**-52),
    "js_of_softmaxes": (0.0, 2.0**-52),
}

#: Near misses that hold the pattern all the same: times a number, or with a number added.
MULTIPLES = {
    ("half_erfc", "2 is 2.75 (1)"),
    ("reciprocal_of_ratio", "1 is 1.5 (1)"),
    ("share_of_reciprocal", "1 is 1.5 (1)"),
    ("slope_of_expm1", "1 is 1.5 (1)"),
    ("less_more_than_share", "1 is 1.5 (2)"),
}


@pytest.mark.parametrize("name", RULES)
def test_both_sides_agree_and_so_do_their_derivatives(name: str) -> None:
    found = list(zip(known(name, "left"), known(name, "right"), strict=True))
    for part, (left, right) in enumerate(found[:1] if sides(name).computed else found):
        both = np.isfinite(left) & np.isfinite(right)
        rows = both.reshape(len(both), -1).all(1)
        assert rows.sum() >= 100
        floor = FLOORS.get(name, (0.0, 0.0))[part > 0]
        zero = both & (left == 0)
        assert np.all(np.abs(right[zero]) < 1e-11)
        np.testing.assert_allclose(right[both & ~zero], left[both & ~zero], rtol=1e-10, atol=1e-36 + floor)


@pytest.mark.parametrize("name", RULES)
def test_the_rule_fires_on_its_pattern(name: str) -> None:
    trace = Trace()
    rewrite([sides(name).left], trace)
    assert name in {f.rule for f in trace.firings}


@pytest.mark.parametrize("name", RULES)
def test_value_and_derivatives_of_the_result_are_right_in_float32(name: str) -> None:
    s, at = sides(name), points(name)
    found = missed(s, at, known(name, "left"), run(stable(s), s.inputs, at), FLOORS.get(name, (0.0, 0.0)))
    assert not found, f"{len(found)} of {len(next(iter(at.values())))}: {found[:3]}"


@pytest.mark.parametrize("name", [n for n in RULES if n not in STEPS])
def test_the_pattern_as_written_really_fails(name: str) -> None:
    s, at = sides(name), points(name)
    assert missed(s, at, known(name, "left"), run(as_written(s), s.inputs, at), most=20)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_missed_in_the_formula_that_needs_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    formula, at = used(name, STEPS[name]), points(name)
    s = sides_of(formula)
    exact = true(s.left, s.inputs, at)
    with_it = missed(s, at, exact, run(stable(s), s.inputs, at), most=40)
    every = rules._by_shape()
    others = {shape: tuple(r for r in table if r.name != name) for shape, table in every.items()}
    monkeypatch.setattr(rules, "_by_shape", lambda: others)
    s = sides_of(formula)
    without = missed(s, at, exact, run(stable(s), s.inputs, at), most=40)
    assert not with_it and without


@pytest.mark.parametrize("name", RULES)
def test_rewritten_and_as_written_agree_at_benign_points(name: str) -> None:
    s, at = sides(name), benign_points(name)
    better, plain = run(stable(s), s.inputs, at, np.float64), run(as_written(s), s.inputs, at, np.float64)
    for new, old in zip(better, plain, strict=True):
        assert np.isfinite(old).all()
        np.testing.assert_allclose(new, old, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_near_misses_are_left_alone_and_keep_their_value(name: str) -> None:
    s, at = sides(name), benign_points(name)
    tried = near_misses(s.left, s.inputs)
    assert tried
    roots, inputs = [], {}
    for near in tried:
        trace = Trace()
        (root,) = rewrite([near.root], trace)
        roots.append(finish([root], [root])[0])
        inputs |= {n.attr[0]: n for n in walk([near.root]) if n.op == "input"}
        assert (name in {f.rule for f in trace.firings}) == ((name, near.change) in MULTIPLES), near.change
    # A fresh variable has the numbers of the one that it stands for, in another order.
    arrays = {key: at[key.split("_")[-1]][:: -1 if key.startswith("other") else 1].copy() for key in inputs}
    exact = truth([near.root for near in tried], arrays, max_digits=400)
    for near, of, got in zip(tried, exact, run(roots, inputs, arrays, np.float64), strict=True):
        value = floats(of, near.root)
        there = np.isfinite(value)
        np.testing.assert_allclose(got[there], value[there], rtol=1e-10, atol=1e-12, err_msg=near.change)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_a_reason(name: str) -> None:
    assert RULES[name].doc and len(RULES[name].doc or "") > 15

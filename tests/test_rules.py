"""Every rule of ``specs/rules`` is proved by its own row: both sides agree, the right one computes well."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from losslang import backends
from losslang import model as m
from losslang.interval import Interval
from losslang.ir import Graph, Node
from losslang.program import Function, Parameter, Result
from losslang.rewrite import Trace, finish, rewrite
from losslang.rewrite.adapter import Adapter, plain_make
from losslang.rewrite.rules import interval_of_param, pattern_graph, rule_sources
from losslang.truth import truth

RULES = {rule.name: rule for rule in rule_sources()}
POINTS, WIDTH = 120, 3
#: Their left side is as good as the right one: they are steps on the way to a form that is better.
STEPS = {"inverse_hyperbolic_tangent", "log_beta", "reciprocal_of_ratio", "sigmoid_product", "tanh_quotient", "half_erfc", "complement_of_mixture", "opposite_expm1", "exp_over_expm1",
         "hyperbolic_pythagoras", "square_of_root_difference", "odd_size_tanh", "odd_size_erf", "exponential_over_cosh",
         "complement_of_average", "log_odds_of_quotient", "share_of_reciprocal"}  # fmt: skip
#: Their left side is fine as a value; its derivative is a difference of quotients.
SINGULAR = {r for r in RULES if r.endswith(("_over_argument", "_over_factor", "over_expm1", "over_sine"))} - {
    "exp_over_expm1"
}
#: They are about a difference of which the first must be the larger.
ORDERED = {"log_of_sigmoid_difference", "log_of_normal_difference", "log_odds_of_quotient"}

#: Where a rule's variables are drawn from, if not everywhere: (offset, scale).
DRAWN = {"inverse_hyperbolic_tangent": (0.0, 0.01), "one_plus_erf": (0.0, 2.0), "variance": (100.0, 1e-2),
         "covariance": (100.0, 1e-2), "number_less_log": (1.0, 1e-3),
         "mills_less_line": (-60.0, 20.0), "erfcx_less_constant": (60.0, 20.0), "log_of_square_sum": (1e21, 1e20), "log_of_normal_difference": (0.0, 3.0), "log_of_sigmoid_difference": (0.0, 30.0),
         "expected_excess": (-4.0, 2.0), "scaled_tail": (5.0, 2.0), "scaled_normal_tail": (8.0, 3.0), "angle_over_sine": (0.99, 0.003)}  # fmt: skip

Arrays = dict[str, NDArray[np.float32]]


@cache
def sides(name: str) -> tuple[Graph, dict[str, Node], Node, Node]:
    """A rule's variables with a batch axis ``i``, its pattern and the value of its replacement, as written."""
    source = RULES[name]
    plain, names, axes = pattern_graph(source)
    del plain
    graph = Graph()
    inputs = {
        p.name: graph.input(p.name, ("i", *sorted(names[p.name].axes)), "real", interval_of_param(p))
        for p in source.params
    }
    build = Adapter(graph, plain_make(graph), inputs, axes)
    replacement = source.replacement
    if isinstance(replacement, m.Call) and replacement.function == "computed":
        replacement = replacement.args[0]
    left, right = build.build(source.pattern), build.build(replacement)
    return graph, inputs, graph.broadcast(left, {"i"}), graph.broadcast(right, {"i"})


def points(name: str) -> Arrays:
    """Ordinary and extreme numbers of each variable's kind; every other point has them close to each other."""
    _, inputs, _, _ = sides(name)
    random = np.random.default_rng(3)
    arrays: Arrays = {}
    first: NDArray[np.float64] | None = None
    for key, node in inputs.items():
        shape = (POINTS, WIDTH) if len(node.axes) > 1 else (POINTS,)
        interval = interval_of_param(next(p for p in RULES[name].params if p.name == key))
        drawn = _drawn(random, interval, shape)
        if name in DRAWN:
            offset, scale = DRAWN[name]
            arrays[key] = (offset + scale * np.clip(random.normal(size=shape), -3, 3)).astype(np.float32)
            continue
        if first is not None and first.shape == shape:
            close = first * (1 + random.choice([1e-3, 1e-5, 1e-6], shape))
            drawn[::2] = close[::2] if interval.contains(float(close.min())) else drawn[::2]
        first = drawn if first is None else first
        arrays[key] = drawn.astype(np.float32)
    if name in ORDERED:
        first, second = arrays
        arrays = {first: np.maximum(*arrays.values()), second: np.minimum(*arrays.values())}
    return arrays


def _drawn(random: np.random.Generator, interval: Interval, shape: tuple[int, ...]) -> NDArray[np.float64]:
    scales = np.array([1e-6, 1e-3, 0.05, 0.3, 1.0, 3.0, 10.0, 30.0])
    size = np.abs(random.normal(size=shape)) * random.choice(scales, shape) + 1e-9
    if interval.is_probability:
        return random.random(shape)
    return size if interval.nonnegative else size * random.choice([-1.0, 1.0], shape)


def computed(name: str, root: Node, arrays: Arrays) -> NDArray[np.float64]:
    _, inputs, _, _ = sides(name)
    axes = {key: node.attr[1] for key, node in inputs.items()}
    order = ("i", *sorted(root.axes - {"i"}))
    function = Function(
        "f", tuple(Parameter(k, n, axes[k]) for k, n in inputs.items()), (Result(root, order),)
    )
    run = backends.load(backends.emit([function], "numpy"), "numpy")["f"]
    with np.errstate(all="ignore"):
        (value,) = run(*arrays.values(), np.float32)
    return np.asarray(value, dtype=np.float64)


def wrong(name: str, root: Node, arrays: Arrays) -> float:
    """The share of points at which ``root`` in float32 is further from the truth than rounding explains."""
    _, _, left, _ = sides(name)
    order = ("i", *sorted(left.axes - {"i"}))

    def at(changed: Arrays) -> NDArray[np.float64]:
        (found,) = truth([left], changed)
        return found.floats(order)

    true = at(arrays)
    slack = np.zeros_like(true)
    for key in arrays:
        moved = np.nextafter(arrays[key], np.float32(0))
        with np.errstate(all="ignore"):
            gap = np.abs(at({**arrays, key: moved}) - true)
        slack += np.where(np.isfinite(gap), gap, 0.0)
    got = computed(name, root, arrays)
    with np.errstate(all="ignore"):
        right = np.abs(got - true) <= 1e-5 * np.abs(true) + 2 * slack + 2.0**-126
    unknown = ~np.isfinite(true) | (np.abs(true) > 3e38)
    return float(1 - (right | unknown).mean())


@pytest.mark.parametrize("name", RULES)
def test_both_sides_agree(name: str) -> None:
    _, _, left, right = sides(name)
    order = ("i", *sorted(left.axes - {"i"}))
    a, b = (t.floats(order) for t in truth([left, right], points(name)))
    known = np.isfinite(a) & np.isfinite(b)
    assert known.mean() > 0.8
    np.testing.assert_allclose(np.broadcast_to(b, a.shape)[known], a[known], rtol=1e-5, atol=1e-300)


@pytest.mark.parametrize("name", RULES)
def test_the_rule_fires_on_its_pattern_and_the_result_computes_well(name: str) -> None:
    _, _, left, _ = sides(name)
    trace = Trace()
    (better,) = rewrite([left], trace)
    arrays = points(name)
    assert name in {f.rule for f in trace.firings}
    assert wrong(name, finish([better])[0], arrays) <= 0.05


@pytest.mark.parametrize("name", [n for n in RULES if n not in STEPS | SINGULAR])
def test_the_pattern_as_written_really_fails(name: str) -> None:
    _, _, left, _ = sides(name)
    assert wrong(name, left, points(name)) > 0.02


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_a_reason(name: str) -> None:
    assert RULES[name].doc and len(RULES[name].doc or "") > 15

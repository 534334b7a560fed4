"""Reverse mode: what is masked out never reaches a gradient, and the conventions at kinks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backend_runs import BACKENDS, run

import losslang
from losslang.differentiate import gradient, pullback
from losslang.ir import AxisSize, Graph, Node, walk

INF, NAN = math.inf, math.nan
GARBAGE = (NAN, INF, -INF, 0.0, 1e300)


def total(g: Graph, x: Node) -> Node:
    return g.reduce("sum", x, x.axes)


def after_log(g: Graph, x: Node, m: Node) -> Node:
    return g.select(m, g.apply("log", x), 0.0)


def after_a_chain(g: Graph, x: Node, m: Node) -> Node:
    deep = g.apply("sqrt", g.apply("exp", 1.0 / (x * x)) + g.apply("lgamma", x))
    return g.select(m, g.apply("log1p", deep * x), 0.0)


def in_two_branches(g: Graph, x: Node, m: Node) -> Node:
    return g.select(m, g.apply("log", x), 0.0) + g.select(g.apply("not", m), 0.0, x * x)


def in_a_masked_softmax(g: Graph, x: Node, m: Node) -> Node:
    soft = g.along("softmax", g.select(m, g.apply("log", x), -INF), "c")
    return g.apply("silence", soft, g.along("log_softmax", g.select(m, g.apply("log", x), -INF), "c"))


def in_a_masked_logsumexp(g: Graph, x: Node, m: Node) -> Node:
    lse = g.reduce("logsumexp", g.select(m, 1.0 / x, -INF), "c")
    return g.select(g.reduce("any", m, "c"), lse, 0.0)


def behind_a_reduction(g: Graph, x: Node, m: Node) -> Node:
    """Whole rows are garbage: what is masked is what was reduced from them."""
    row = g.reduce("any", m, "c")
    kept = g.select(m, x, 0.0)
    return g.select(row, g.apply("log", g.reduce("sum", kept, "c")), 0.0)


def behind_a_row(g: Graph, x: Node, m: Node) -> Node:
    """The mask is of rows, applied after a softmax over them."""
    rows = g.apply("not", g.reduce("any", g.apply("not", m), "c"))
    return g.select(rows, g.gather(g.along("log_softmax", x, "c"), g.const(0), "c"), 0.0)


def behind_a_contraction(g: Graph, x: Node, m: Node) -> Node:
    rows = g.apply("not", g.reduce("any", g.apply("not", m), "c"))
    g.axis_sizes["o"] = AxisSize("same", ("r",))
    pairs = g.apply("and", rows, g.rename(rows, "r", "o"))
    similarity = g.contract(x, g.rename(x, "r", "o"), "c")
    return g.select(pairs, g.apply("tanh", similarity), 0.0)


def behind_a_product(g: Graph, x: Node, m: Node) -> Node:
    rows = g.apply("not", g.reduce("any", g.apply("not", m), "c"))
    return g.select(rows, g.reduce("prod", x, "c"), 0.0)


def behind_a_scan(g: Graph, x: Node, m: Node) -> Node:
    return g.select(m, g.along("cumsum", g.select(m, g.apply("log", x), 0.0), "c"), 0.0)


def behind_a_cumlogsumexp(g: Graph, x: Node, m: Node) -> Node:
    return g.select(m, g.along("cumlogsumexp", g.select(m, g.apply("log", x), -INF), "c"), 0.0)


def behind_a_sort(g: Graph, x: Node, m: Node) -> Node:
    safe = g.select(m, g.apply("log", x), INF)
    g.axis_sizes["c2"] = AxisSize("same", ("c",))
    ordered = g.gather(g.rename(safe, "c", "c2"), g.along("argsort", safe, "c"), "c2")
    few = g.apply("lt", g.index("c"), g.reduce("count", m, "c"))
    return g.select(few, ordered, 0.0)


def behind_a_pick(g: Graph, x: Node, m: Node) -> Node:
    """Only the first kept place of a row is picked, out of something singular."""
    at = g.along("argmax", g.real(m), "c")
    return g.select(g.reduce("any", m, "c"), g.gather(g.apply("log", x), at, "c"), 0.0)


def behind_a_maximum(g: Graph, x: Node, m: Node) -> Node:
    return g.reduce("max", g.select(m, 1.0 / x, -1.0), "c")


def behind_a_variance(g: Graph, x: Node, m: Node) -> Node:
    count = g.real(g.apply("maximum", g.reduce("count", m, "c"), 1))
    mean = g.reduce("sum", g.select(m, x, 0.0), "c") / count
    square = (x - mean) * (x - mean)
    return g.apply("sqrt", g.reduce("sum", g.select(m, square, 0.0), "c") / count)


MASKED: list[Callable[[Graph, Node, Node], Node]] = [
    after_log, after_a_chain, in_two_branches, in_a_masked_softmax, in_a_masked_logsumexp, behind_a_reduction,
    behind_a_row, behind_a_contraction, behind_a_product, behind_a_scan, behind_a_cumlogsumexp, behind_a_sort,
    behind_a_pick, behind_a_maximum, behind_a_variance,
]  # fmt: skip
MASK = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], bool)


@pytest.mark.parametrize("backend", BACKENDS)
def test_garbage_in_masked_places_changes_nothing(backend: str) -> None:
    """NaN, infinities, zeros and huge numbers where the mask is false, through every kind of op."""
    g = Graph()
    x, m = g.input("x", ("r", "c"), "real"), g.input("m", ("r", "c"), "bool")
    outputs = [total(g, f(g, x, m)) for f in MASKED]
    nodes = [n for o in outputs for n in (o, gradient(o, [x])[0])]
    base = np.random.default_rng(3).uniform(0.5, 2.0, size=MASK.shape)
    clean = run(backend, nodes, {"x": np.where(MASK, base, 1.0), "m": MASK}, jit=True)
    assert all(np.isfinite(v).all() for v in clean)
    for garbage in GARBAGE:
        dirty = run(backend, nodes, {"x": np.where(MASK, base, garbage), "m": MASK}, jit=True)
        for i, (want, got) in enumerate(zip(clean, dirty, strict=True)):
            name = MASKED[i // 2].__name__
            assert np.allclose(got, want, rtol=1e-13, atol=0.0), (name, garbage, got, want)
            assert i % 2 == 0 or not got.T[~MASK].any(), (name, garbage)


@pytest.mark.parametrize("backend", BACKENDS)
def test_kinks(backend: str) -> None:
    g = Graph()
    x, y = g.input("x", ("i",), "real"), g.input("y", ("i",), "real")
    norm = g.apply("sqrt", g.reduce("sum", x * x, "i"))
    cases: list[tuple[Node, list[float]]] = [
        (g.apply("abs", x), [0.0, 1.0, -1.0]),
        (g.apply("sqrt", x * x), [0.0, 1.0, -1.0]),
        (g.apply("maximum", 0.0, x), [0.0, 1.0, 0.0]),
        (g.apply("maximum", x, y), [0.5, 1.0, 0.5]),
        (g.apply("minimum", x, y), [0.5, 0.0, 0.5]),
        (g.apply("clip", x, 0.0, 2.0), [1.0, 1.0, 0.0]),
        (g.apply("hypot", x, x), [0.0, math.sqrt(2), -math.sqrt(2)]),
        (norm, [0.0, 2 / math.sqrt(8), -2 / math.sqrt(8)]),
        (g.reduce("max", g.apply("abs", x), "i"), [0.0, 0.5, -0.5]),
        (g.apply("stop", x) * x, [0.0, 2.0, -2.0]),
        (g.apply("floor", x) * x, [0.0, 2.0, -2.0]),
    ]
    slopes = [gradient(output, [x])[0] for output, _ in cases]
    values = run(backend, slopes, {"x": [0.0, 2.0, -2.0], "y": [0.0, 1.0, -2.0]}, jit=True)
    for (output, want), value in zip(cases, values, strict=True):
        assert np.allclose(value, want), output
    (at_zero,) = run(backend, [gradient(norm, [x])[0]], {"x": [0.0] * 3, "y": [0.0] * 3})
    assert at_zero.tolist() == [0.0] * 3


def test_losers_of_a_choice_pass_nothing_on() -> None:
    """A hinge or a clip over something singular: the derivative is 0, not 0 times infinity."""
    g = Graph()
    x = g.input("x", ("i",), "real")
    reciprocal = 1.0 / x
    chosen = [
        g.apply("minimum", reciprocal, 5.0), g.apply("maximum", g.apply("log", x), -5.0),
        g.apply("clip", reciprocal, -1.0, 1.0), g.reduce("max", -reciprocal, "i"),
    ]  # fmt: skip
    values = run("numpy", [gradient(c, [x])[0] for c in chosen], {"x": [0.0, 2.0]})
    assert all(np.isfinite(v).all() and v[0] == 0.0 for v in values)


def test_products_with_zeros() -> None:
    g = Graph()
    x = g.input("x", ("r", "c"), "real")
    (slope,) = gradient(g.reduce("prod", x, "c"), [x])
    (value,) = run(
        "numpy", [g.rename(slope, "r", "a")], {"x": [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 0.0, 4.0]]}
    )
    assert value.tolist() == [[12.0, 8.0, 6.0], [0.0, 8.0, 0.0], [0.0, 0.0, 0.0]]


def test_axes_of_gradients() -> None:
    """Exactly those of what is differentiated, also where nothing flows or the same flows everywhere."""
    g = Graph()
    x, y, s = g.input("x", ("a", "b"), "real"), g.input("y", ("b",), "real"), g.input("s", (), "real")
    unused = g.input("unused", ("a",), "real")
    output = total(g, x) * 2.0 + total(g, y * s)
    slopes = gradient(output, [x, y, s, unused])
    assert [n.axes for n in slopes] == [n.axes for n in (x, y, s, unused)]
    inputs = {"x": np.ones((2, 3)), "y": [1.0, 2.0, 3.0], "s": 4.0, "unused": [1.0, 1.0]}
    values = run("numpy", slopes, inputs)
    assert values[0].tolist() == [[2.0] * 3] * 2 and values[1].tolist() == [4.0] * 3
    assert values[2] == 6.0 and values[3].tolist() == [0.0, 0.0]


def test_seeds_and_several_outputs() -> None:
    g = Graph()
    x, seed = g.input("x", ("i",), "real"), g.input("seed", ("i",), "real")
    first, second = g.apply("exp", x), x * x
    (slope,) = pullback([first, second], [seed, g.const(3.0)], [x])
    (value,) = run("numpy", [slope], {"x": [0.0, 1.0], "seed": [2.0, 5.0]})
    assert np.allclose(value, [2.0, 5.0 * math.e + 6.0])
    (inner,) = gradient(first, [x], seed)
    assert np.allclose(run("numpy", [inner], {"x": [0.0, 1.0], "seed": [2.0, 5.0]})[0], [2.0, 5.0 * math.e])


def test_no_work_for_trivial_factors() -> None:
    g = Graph()
    x, m = g.input("x", ("i",), "real"), g.input("m", ("i",), "bool")
    (slope,) = gradient(total(g, g.select(m, -(x + 1.0), 0.0)), [x])
    ops = [n.op for n in walk([slope])]
    assert "mul" not in ops and "add" not in ops


def test_gradients_differentiate_again() -> None:
    """The gradient is a graph like any other: second derivatives are as clean as first ones."""
    g = Graph()
    x, m = g.input("x", ("i",), "real"), g.input("m", ("i",), "bool")
    inner = g.select(m, x * g.apply("log", x), 0.0)
    (slope,) = gradient(total(g, inner), [x])
    (curvature,) = gradient(total(g, slope), [x])
    (value,) = run("numpy", [curvature], {"x": [2.0, 0.0, NAN], "m": [True, False, False]})
    assert value.tolist() == [0.5, 0.0, 0.0]


def random_graph(seed: int) -> tuple[Graph, Node, list[Node], dict[str, Any]]:
    """Thirty random ops over random axes, kept in a range where nothing overflows."""
    rng = np.random.default_rng(seed)
    g = Graph()
    sizes = {"a": 2, "b": 3, "c": 2}
    leaves = [
        g.input(f"x{i}", tuple(rng.permutation(list(sizes))[: rng.integers(0, 4)]), "real") for i in range(4)
    ]
    pool: list[Node] = list(leaves)
    for _ in range(30):
        pool.append(random_op(g, rng, pool))
    output = total(g, g.apply("add", *(total(g, g.apply("tanh", n)) for n in pool[-6:])))
    inputs = {n.attr[0]: rng.normal(size=[sizes[a] for a in n.attr[1]]) for n in leaves}
    return g, output, leaves, inputs


def random_op(g: Graph, rng: np.random.Generator, pool: list[Node]) -> Node:
    x, y = (pool[i] for i in rng.integers(0, len(pool), 2))
    kind = rng.integers(0, 6)
    axes = sorted(x.axes)
    some = [axis for axis in axes if rng.uniform() < 0.6] or axes[:1]
    if kind == 0 and some:
        return g.apply("tanh", g.reduce(str(rng.choice(["sum", "max", "logsumexp", "prod"])), x, some))
    if kind == 1 and some:
        op = str(rng.choice(["softmax", "log_softmax", "cumsum", "cumlogsumexp"]))
        along = some if "softmax" in op else some[:1]
        return g.apply("sin", g.along(op, x, along))
    if kind == 2 and some and x.axes & y.axes:
        return g.apply("tanh", g.contract(x, y, sorted(x.axes & y.axes)[:1]))
    if kind == 3:
        return g.select(g.apply("lt", x, y), g.apply("exp", -g.apply("abs", x)), g.apply("sin", y))
    if kind == 4:
        return g.apply(str(rng.choice(["sigmoid", "softplus", "atan", "erf", "normal_cdf"])), x - y)
    return g.apply(str(rng.choice(["maximum", "minimum", "hypot", "logaddexp", "add", "mul"])), x, y)


@pytest.mark.parametrize("seed", range(5))
def test_random_graphs_agree_on_every_backend(seed: int) -> None:
    """And the gradient agrees with central differences."""
    _, output, leaves, inputs = random_graph(seed)
    nodes = [output, *gradient(output, leaves)]
    first, *others = (run(backend, nodes, inputs, jit=True) for backend in BACKENDS)
    for other in others:
        for a, b in zip(first, other, strict=True):
            assert np.allclose(a, b, rtol=1e-10, atol=1e-11)
    for leaf, slope in zip(leaves, first[1:], strict=True):
        order = [leaf.attr[1].index(a) for a in sorted(leaf.axes)]
        direction = np.random.default_rng(seed).normal(size=inputs[leaf.attr[0]].shape)
        ends = [
            run("numpy", [output], {**inputs, leaf.attr[0]: inputs[leaf.attr[0]] + step * direction})[0]
            for step in (1e-5, -1e-5)
        ]
        want = (ends[0] - ends[1]) / 2e-5
        assert np.allclose(np.sum(slope * direction.transpose(order)), want, rtol=1e-6, atol=1e-8), leaf


def test_distributions_that_nearly_agree_have_accurate_small_gradients() -> None:
    """Softmaxes less softmaxes, and logarithms whose totals cancel: eps of them is more than the whole gradient."""
    z = np.array([[0.0, 0.0, 0.0], [0.0, -1e4, 0.0]], np.float32)
    w = np.array([[-8e-5, -2e-3, -6e-4], [0.0, 1e4, -1.25]], np.float32)
    spec = """
      loss near
        input p : logit[i, c] over c
        input q : logit[i, c] over c
        term t = sum[i](kl_divergence(p, q))
        minimize t
    """
    _, found = losslang.compile(spec).value_and_grad()(p=z, q=w)
    a, b = np.float64(z), np.float64(w)
    share = [np.exp(x - x.max(1, keepdims=True)) for x in (a, b)]
    share = [x / x.sum(1, keepdims=True) for x in share]
    gap = a - b
    to_p = share[0] * (gap - (share[0] * gap).sum(1, keepdims=True))
    assert np.allclose(found["q"], share[1] - share[0], rtol=1e-5, atol=1e-12)
    assert np.allclose(found["p"], to_p, rtol=1e-4, atol=1e-9)

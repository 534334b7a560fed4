"""High-precision values: every op against mpmath or by hand, and the search for enough digits."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp
from truth_tables import BINARY, UNARY

from losslang.ir import AxisSize, Graph, Node
from losslang.ops import OPS
from losslang.truth import evaluate, truth


def close(value: Any, expected: Any, digits: int = 28) -> bool:
    with mp.workdps(60):
        return bool(abs(value - expected) <= mp.mpf(10) ** -digits * max(abs(expected), mp.mpf(10) ** -30))


@pytest.mark.parametrize("name", UNARY)
def test_unary_functions_have_thirty_digits(name: str) -> None:
    expected, points = UNARY[name]
    g = Graph()
    node = g.apply(name, g.input("x", ("i",), "real"))
    (result,) = evaluate([node], {"x": np.array(points)}, digits=30)
    with mp.workdps(60):
        wanted = [expected(mp.mpf(p)) for p in points]
    assert result.axes == ("i",)
    for value, want, at in zip(result.values, wanted, points, strict=True):
        assert close(value, want), (name, at, value, want)


@pytest.mark.parametrize("name", BINARY)
def test_binary_functions_have_thirty_digits(name: str) -> None:
    expected, points = BINARY[name]
    g = Graph()
    node = g.apply(name, g.input("a", ("i",), "real"), g.input("b", ("i",), "real"))
    columns = np.array(points)
    (result,) = evaluate([node], {"a": columns[:, 0], "b": columns[:, 1]}, digits=30)
    with mp.workdps(60):
        wanted = [expected(mp.mpf(a), mp.mpf(b)) for a, b in points]
    for value, want in zip(result.values, wanted, strict=True):
        assert close(value, want), (name, value, want)


def test_polygamma_of_any_order() -> None:
    g = Graph()
    x = g.input("x", (), "real")
    nodes = [g.apply("polygamma", x, attr=n) for n in (1, 2, 3)]
    for n, result in zip((1, 2, 3), evaluate(nodes, {"x": 2.75}), strict=True):
        assert close(result.values[()], mp.psi(n, mp.mpf(2.75)), 14)


def test_every_op_is_implemented() -> None:
    from losslang.truth.values import ELEMENTWISE, STRUCTURE

    assert set(OPS) <= set(ELEMENTWISE) | set(STRUCTURE)


def run(node: Node, sizes: dict[str, int] | None = None, **inputs: Any) -> Any:
    (result,) = evaluate([node], inputs, sizes)
    return result.floats(sorted(node.axes))


X = np.array([[3.0, -1.0, 2.0], [0.5, 0.5, 7.0]])


def test_reductions() -> None:
    g = Graph()
    x = g.input("x", ("b", "c"), "real")
    assert np.allclose(run(g.reduce("sum", x, "c"), x=X), X.sum(1))
    assert np.allclose(run(g.reduce("sum", x, "bc"), x=X), X.sum())
    assert np.allclose(run(g.reduce("prod", x, "c"), x=X), X.prod(1))
    assert np.allclose(run(g.reduce("max", x, "b"), x=X), X.max(0))
    assert np.allclose(run(g.reduce("min", x, "bc"), x=X), X.min())
    assert np.allclose(run(g.reduce("logsumexp", x, "c"), x=X), np.log(np.exp(X).sum(1)))
    assert list(run(g.reduce("argmax", x, "c"), x=X)) == [0, 2]
    assert list(run(g.reduce("argmin", x, "c"), x=X)) == [1, 0]
    positive = g.apply("lt", 0.0, x)
    assert list(run(g.reduce("count", positive, "c"), x=X)) == [2, 3]
    assert list(run(g.reduce("any", positive, "b"), x=X)) == [1, 1, 1]
    assert list(run(g.reduce("all", positive, "b"), x=X)) == [1, 0, 1]


def test_reductions_of_nothing() -> None:
    g = Graph()
    x = g.input("x", ("c",), "real")
    empty = np.zeros(0)
    assert run(g.reduce("sum", x, "c"), x=empty) == 0
    assert run(g.reduce("prod", x, "c"), x=empty) == 1
    assert run(g.reduce("max", x, "c"), x=empty) == -math.inf
    assert run(g.reduce("min", x, "c"), x=empty) == math.inf
    assert run(g.reduce("logsumexp", x, "c"), x=empty) == -math.inf


def test_softmax_with_dropped_entries() -> None:
    g = Graph()
    x = g.input("x", ("b", "c"), "real")
    values = np.array([[1.0, -np.inf, 2.0], [-np.inf, -np.inf, -np.inf]])
    shares = np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum()
    assert np.allclose(run(g.along("softmax", x, "c"), x=values), [[shares[0], 0, shares[1]], [0, 0, 0]])
    logs = run(g.along("log_softmax", x, "c"), x=values)
    assert np.allclose(np.exp(logs), [[shares[0], 0, shares[1]], [0, 0, 0]])
    assert run(g.reduce("logsumexp", x, "c"), x=values)[1] == -math.inf


def test_softmax_of_equal_sums() -> None:
    g = Graph()
    x = g.input("x", ("c",), "real")
    moved = x + 1.0  # equal numbers of a computation may be one object
    assert np.allclose(run(g.along("log_softmax", moved, "c"), x=np.zeros(3)), -math.log(3))
    assert np.allclose(run(g.along("softmax", moved, "c"), x=np.zeros(3)), 1 / 3)


def test_scans_and_order() -> None:
    g = Graph()
    x = g.input("x", ("b", "c"), "real")
    d = g.input("d", ("c",), "real")
    assert np.allclose(run(g.along("cumsum", x, "c"), x=X), X.cumsum(1))
    assert np.allclose(run(g.along("reverse_cumsum", x, "c"), x=X), X[:, ::-1].cumsum(1)[:, ::-1])
    assert np.allclose(run(g.along("cumlogsumexp", x, "c"), x=X), np.log(np.exp(X).cumsum(1)))
    assert np.array_equal(run(g.along("argsort", x, "c"), x=X), np.argsort(X, 1, kind="stable"))
    decay = np.array([-1.0, -0.5, -9.0])
    tail = X[:, 2]
    middle = X[:, 1] + np.exp(-0.5) * tail
    first = X[:, 0] + np.exp(-1.0) * middle
    scanned = run(g.make("decay_scan", (x, d), frozenset("c")), x=X, d=decay)
    assert np.allclose(scanned, np.stack([first, middle, tail], 1))


def test_structure() -> None:
    g = Graph()
    x = g.input("x", ("b", "c"), "real")
    y = g.input("y", ("d", "c"), "real")
    Y = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]])
    assert np.allclose(run(g.contract(x, y, "c"), x=X, y=Y), X @ Y.T)
    assert np.allclose(run(g.contract(x, y, "bd"), x=X, y=Y), X.sum(0) * Y.sum(0))
    g.axis_sizes["z"] = AxisSize("same", ("b",))
    assert np.allclose(run(g.rename(x, "b", "z"), x=X), X.T)
    g.axis_sizes["flat"] = AxisSize("merged", ("c", "b"))
    flat = g.merge(x, ("c", "b"), "flat")
    assert np.allclose(run(flat, x=X), X.T.reshape(-1))
    assert np.allclose(run(g.make("unmerge", (flat,), (("c", "b"), "flat")), x=X), X)
    assert np.allclose(run(g.stack([x, g.const(2.0)], "s"), {"s": 2}, x=X)[..., 1], 2.0)
    assert np.allclose(run(g.broadcast(g.const(1.5), ("b",)), {"b": 4}), [1.5] * 4)
    assert list(run(g.index("b"), {"b": 3})) == [0, 1, 2]
    assert run(g.size("b"), {"b": 3}) == 3


def test_gather_and_scatter() -> None:
    g = Graph()
    x = g.input("x", ("b", "c"), "real")
    at = g.input("at", ("b",), "int")
    picked = run(g.gather(x, at, "c"), x=X, at=np.array([2, 5]))
    assert picked[0] == 2.0 and math.isnan(picked[1])
    free = g.input("free", ("k",), "int")
    assert np.allclose(run(g.gather(x, free, "c"), x=X, free=np.array([2, 0, 0, 1])), X[:, [2, 0, 0, 1]])
    assert run(g.gather(at, g.const(7), "b"), at=np.array([1, 2])) == 0
    summed = g.make("scatter_add", (x, at), ("c2", ("c",)))
    expected = np.zeros((3, 4))
    expected[:, 3] = X[0]
    assert np.allclose(run(summed, {"c2": 4}, x=X, at=np.array([3, -1])), expected)


def test_integers_stay_exact() -> None:
    g = Graph()
    n = g.input("n", ("i",), "int")
    big = 2**62 - 1
    (result,) = evaluate([g.apply("add", g.apply("mul", n, 4), 1)], {"n": np.array([big, -3])})
    assert list(result.values) == [4 * big + 1, -11]
    assert list(run(g.apply("mod", n, 3), n=np.array([-1, 7]))) == [2, 1]
    assert list(run(g.apply("floor", g.real(n) / 2.0), n=np.array([-1, 7]))) == [-1, 3]


def test_selection_ignores_what_it_does_not_take() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    kept = g.select(g.apply("lt", x, 1.0), x, 0.0)
    assert run(g.reduce("sum", kept, "i"), x=np.array([0.5, np.nan, np.inf])) == 0.5
    assert run(g.apply("silence", g.const(0.0), g.apply("log", g.const(0.0)))) == 0.0


def test_ends_of_the_line() -> None:
    g = Graph()
    x = g.input("x", (), "real")
    assert run(1.0 / x, x=0.0) == math.inf
    assert run(g.apply("log", x), x=0.0) == -math.inf
    assert math.isnan(run(x / x, x=0.0))
    assert math.isnan(run(g.apply("log", x), x=-1.0))
    assert run(g.apply("exp", x), x=-math.inf) == 0.0


def test_saturation_follows_the_computing_type() -> None:
    g = Graph()
    x = g.input("p", (), "real")
    node = g.apply("log_saturated", x)
    for computing, tiny in (("float32", 2.0**-126), ("float64", 2.0**-1022)):
        (result,) = evaluate(
            [
                node,
            ],
            {"p": 0.0},
            computing=computing,
        )
        assert float(result.values[()]) == pytest.approx(math.log(tiny))
        (limit,) = evaluate([g.limit("tiny")], {}, computing=computing)
        assert float(limit.values[()]) == tiny
    (small,) = evaluate([node], {"p": 1e-44})
    assert float(small.values[()]) == pytest.approx(math.log(1e-44))


@pytest.mark.parametrize("log", ["log", "log_saturated"])
@pytest.mark.parametrize("far", [40.0, 1e4, 65504.0])
def test_what_is_next_to_1_needs_no_digits(log: str, far: float) -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    rest = g.apply(log, 1.0 - g.apply("sigmoid", x))
    share = g.apply(log, g.apply("sigmoid", x))
    (first, second) = truth([rest, share], {"x": np.array([far, -far])})
    assert first.certain and first.digits < 100 and second.certain
    assert float(first.array.values[0]) == -far
    with mpmath.workdps(60):
        assert mpmath.almosteq(first.array.values[1], -mpmath.exp(-far), 1e-25)
        assert mpmath.almosteq(second.array.values[0], -mpmath.exp(-far), 1e-25)


@pytest.mark.parametrize(
    ("op", "rest"),
    [("tanh", "2 / (exp(2 * x) + 1)"), ("erf", "erfc(x)"), ("normal_cdf", "erfc(x / sqrt(2)) / 2")],
)
def test_what_functions_leave_to_1(op: str, rest: str) -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    one_less = 1.0 - g.apply(op, x)
    (found,) = truth(
        [g.apply("log", one_less * one_less / g.apply(op, x))], {"x": np.array([9.0, 30.0, 200.0])}
    )
    assert found.certain and found.digits < 100
    for at, value in zip((9.0, 30.0, 200.0), found.array.values, strict=True):
        with mpmath.workdps(60):
            left = eval(
                rest, vars(mpmath.mp) | {n: getattr(mpmath, n) for n in ("exp", "erfc", "sqrt")} | {"x": at}
            )
            assert mpmath.almosteq(value, mpmath.log(left**2 / (1 - left)), 1e-25)


def test_cancellation_of_thousands_of_digits() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    grown = g.apply("exp", x)
    node = g.apply("log", (grown + 2.0) - grown)
    (result,) = truth([node], {"x": np.array([1e4, 40.0, -1e4], np.float32)})
    assert result.certain
    assert result.digits > 4343
    assert np.allclose(result.floats(), np.log(2.0), rtol=1e-12)
    (low,) = truth([node], {"x": np.array([1e4], np.float32)}, max_digits=1000)
    assert not low.certain


def test_exact_zeros_need_no_digits() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    (result,) = truth([g.apply("log", x - x * 1.0)], {"x": np.array([0.1, 1e30, 1e-30])})
    assert result.certain and result.digits < 100
    assert np.all(result.floats() == -np.inf)


def test_equal_results_of_different_roundings_are_ties() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    root = g.apply("sqrt", x)
    same = g.apply("eq", root * root, x)
    (result,) = truth([same], {"x": np.array([2.0, 3.0, 4.0])})
    assert result.certain and result.assumed
    assert list(result.array.values) == [True, True, True]


def test_sorting_ties_by_position() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    (result,) = truth([g.along("argsort", g.apply("exp", x), "i")], {"x": np.array([1.0, 0.5, 1.0, 0.5])})
    assert result.certain
    assert list(result.array.values) == [1, 3, 0, 2]


def test_numbers_below_the_type_need_no_digits() -> None:
    g = Graph()
    x = g.input("x", ("c",), "real")
    (result,) = truth([g.along("softmax", x, "c")], {"x": np.array([0.0, 5e3, 1e4])})
    assert result.certain and result.digits < 100
    assert mpmath.isfinite(result.array.values[0])


def test_missing_or_misshapen_inputs() -> None:
    g = Graph()
    x = g.input("x", ("b", "c"), "real")
    with pytest.raises(ValueError, match="no value"):
        evaluate([x], {})
    with pytest.raises(ValueError, match="dimensions"):
        evaluate([x], {"x": np.zeros(3)})
    y = g.input("y", ("b",), "real")
    with pytest.raises(ValueError, match="length"):
        evaluate([x + y], {"x": np.zeros((2, 3)), "y": np.zeros(5)})


def test_running_sums_of_whole_numbers_are_whole_numbers() -> None:
    g = Graph()
    x = g.input("x", ("i",), "int")
    running = g.along("cumsum", x, "i")
    (result,) = truth([running + 1], {"x": np.array([1, 2, 3])})
    assert [int(v) for v in result.array.values] == [2, 4, 7]


def test_the_logarithm_of_1_and_more_than_any_sum_of_digits_can_hold() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    (result,) = evaluate([g.apply("log1p", g.apply("exp", x))], {"x": np.array([1e30], np.float32)})
    assert float(result.values[0]) == float(np.float32(1e30))

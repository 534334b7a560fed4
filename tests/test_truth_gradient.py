"""High-precision derivatives: every op against differences, and the conventions of the corners."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp
from truth_tables import BINARY, UNARY

from losslang.ir import AxisSize, Graph, Node
from losslang.truth import evaluate, truth_gradient

X = np.array([[3.0, -1.0, 2.0], [0.5, 0.25, 7.0]])
Y = np.array([[0.5, -2.0, 1.5], [-0.3, 0.7, 1.1]])
FLAT = ("eq", "ne", "lt", "le", "and", "or", "not", "floor", "sign", "stop", "count", "any", "all")


def numeric(output: Node, name: str, inputs: dict[str, Any]) -> Any:
    """Central differences with 60 digits of the sum of ``output`` for each element of an input."""
    with mp.workdps(70):
        step = mp.mpf(10) ** -20
        base = np.array(inputs[name], dtype=float)
        out = np.empty(base.shape, dtype=object)
        for place in np.ndindex(base.shape):
            ends = []
            for sign in (1, -1):
                moved = np.vectorize(mp.mpf, otypes=[object])(base)
                moved[place] += sign * step
                (value,) = evaluate([output], {**inputs, name: moved}, digits=65)
                ends.append(sum(value.values.flat, mp.mpf(0)))
            out[place] = float((ends[0] - ends[1]) / (2 * step))
        return out.astype(float)


def agrees(output: Node, inputs: dict[str, Any]) -> None:
    leaves = {n.attr[0]: n for n in output.graph.nodes if n.op == "input" and n.elem == "real"}
    gradients = truth_gradient(output, list(leaves.values()), inputs, computing="float64")
    for (name, leaf), got in zip(leaves.items(), gradients, strict=True):
        assert got.certain, (output, name)
        assert np.allclose(got.floats(leaf.attr[1]), numeric(output, name, inputs), rtol=1e-14, atol=1e-18), (
            name
        )


@pytest.mark.parametrize("name", [n for n in UNARY if n not in FLAT])
def test_derivatives_of_unary_functions(name: str) -> None:
    kinks = {"abs": (0.0,), "sqrt": (0.0,), "acosh": (1.0,)}.get(name, ())
    points = np.array(
        [p for p in UNARY[name][1] if (p not in kinks and abs(p) > 1e-6) or (p == 0 and p not in kinks)]
    )
    g = Graph()
    agrees(g.apply(name, g.input("x", ("i",), "real")), {"x": points})


@pytest.mark.parametrize("name", BINARY)
def test_derivatives_of_binary_functions(name: str) -> None:
    points = np.array([p for p in BINARY[name][1] if p[0] > 0 and p[0] != p[1]])
    g = Graph()
    node = g.apply(name, g.input("a", ("i",), "real"), g.input("b", ("i",), "real"))
    agrees(node, {"a": points[:, 0], "b": points[:, 1]})


AXES: dict[str, Callable[[Graph, Node, Node], Node]] = {
    "sum": lambda g, x, y: g.reduce("sum", x, "c") ** g.const(2.0),
    "prod": lambda g, x, y: g.reduce("prod", x, "bc"),
    "max": lambda g, x, y: g.reduce("max", x, "c") * g.reduce("max", y, "b"),
    "min": lambda g, x, y: g.reduce("min", x * y, "c"),
    "logsumexp": lambda g, x, y: g.reduce("logsumexp", x * y, "c"),
    "softmax": lambda g, x, y: g.along("softmax", x, "c") * y,
    "softmax of two axes": lambda g, x, y: g.along("softmax", x, "bc") * y,
    "log_softmax": lambda g, x, y: g.along("log_softmax", x, "c") * y,
    "cumsum": lambda g, x, y: g.along("cumsum", x, "c") * y,
    "reverse_cumsum": lambda g, x, y: g.along("reverse_cumsum", x, "c") * y,
    "cumlogsumexp": lambda g, x, y: g.along("cumlogsumexp", x, "c") * y,
    "decay_scan": lambda g, x, y: g.make("decay_scan", (x, -(y * y)), frozenset("c")) * x,
    "log_chain": lambda g, x, y: (
        g.make("log_chain", (g.reduce("sum", y, "b"), x * g.rename(y, "c", "d")), ("b", "d", "c")) * x
    ),
    "chain_sum": lambda g, x, y: (
        g.make("chain_sum", (x, x * g.rename(y, "c", "d")), ("b", "d", "c", False)) * y
    ),
    "chain_sum, backward": lambda g, x, y: (
        g.make("chain_sum", (x, x * g.rename(y, "c", "d")), ("b", "d", "c", True)) * y
    ),
    "contract": lambda g, x, y: g.contract(x, g.rename(y, "b", "d"), "c") ** g.const(2.0),
    "outer contract": lambda g, x, y: g.contract(x * x, g.rename(y, "b", "d"), "bd") * x,
    "broadcast": lambda g, x, y: g.broadcast(g.reduce("sum", x, "c"), "c") * y,
    "rename": lambda g, x, y: g.rename(x, "b", "d") * y,
    "merge": lambda g, x, y: g.merge(x * y, ("c", "b"), "flat") ** g.const(3.0),
    "stack": lambda g, x, y: g.reduce("logsumexp", g.stack([x, y, x * y], "s"), "s"),
    "sort": lambda g, x, y: (
        g.gather(x, g.rename(g.along("argsort", x, "c"), "c", "d"), "c") * g.real(g.index("d"))
    ),
    "scatter": lambda g, x, y: g.make("scatter_add", (x * y, g.index("c")), ("d", ("b",))) ** g.const(2.0),
    "select": lambda g, x, y: g.select(g.apply("lt", x, y), x * y, y / x),
    "clip": lambda g, x, y: g.apply("clip", x, -0.75, y),
    "polygamma": lambda g, x, y: g.apply("polygamma", x * x + 1.0, attr=2),
    "many factors": lambda g, x, y: g.apply("mul", x, y, x, g.const(0.5)),
}


SQUARE = ("sort", "scatter", "log_chain", "chain_sum", "chain_sum, backward")


@pytest.mark.parametrize("name", AXES)
def test_derivatives_along_axes(name: str) -> None:
    g = Graph()
    g.axis_sizes["d"] = AxisSize("same", ("c",) if name in SQUARE else ("b",))
    g.axis_sizes["flat"] = AxisSize("merged", ("c", "b"))
    g.axis_sizes["s"] = AxisSize("fixed", size=3)
    node = AXES[name](g, g.input("x", ("b", "c"), "real"), g.input("y", ("b", "c"), "real"))
    agrees(node, {"x": X, "y": Y})


def slopes(node: Node, subgradients: bool = False, **inputs: Any) -> list[Any]:
    leaves = [n for n in node.graph.nodes if n.op == "input" and n.elem == "real"]
    results = truth_gradient(node, leaves, inputs, subgradients=subgradients)
    if not subgradients:
        assert all(r.certain for r in results)
        return [r.floats(leaf.attr[1]).tolist() for r, leaf in zip(results, leaves, strict=True)]
    return [
        [(float(v), float(r)) for v, r in zip(t.array.values.flat, t.radius.flat, strict=True)]
        for t in results
    ]


def test_kinks_follow_the_conventions() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    at = np.array([-1.0, 0.0, 2.0])
    assert slopes(g.apply("abs", x), x=at) == [[-1, 0, 1]]
    assert slopes(g.apply("maximum", g.const(0.0), x), x=at) == [[0, 0, 1]]
    assert slopes(g.apply("clip", x, 0.0, 2.0), x=at) == [[0, 1, 1]]
    assert slopes(g.apply("sqrt", x * x), x=at) == [[-1, 0, 1]]
    ends = np.array([-1.0, 1.0])
    assert slopes(g.apply("acos", x), x=ends) == slopes(g.apply("asin", x), x=ends) == [[0, 0]]
    assert slopes(g.apply("acosh", x), x=np.array([1.0])) == [[0]]
    norm = g.apply("sqrt", g.reduce("sum", x * x, "i"))
    assert slopes(norm, x=np.zeros(3)) == [[0, 0, 0]]
    assert slopes(g.reduce("max", x, "i"), x=np.array([2.0, 1.0, 2.0])) == [[0.5, 0, 0.5]]


def test_a_tie_of_two_variables_is_split() -> None:
    g = Graph()
    a, b = g.input("a", (), "real"), g.input("b", (), "real")
    assert slopes(g.apply("maximum", a, b), a=1.0, b=1.0) == [0.5, 0.5]
    assert slopes(g.apply("minimum", a, b), a=1.0, b=1.0) == [0.5, 0.5]


def test_every_subgradient_lies_in_the_ball() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    assert slopes(g.apply("abs", x), True, x=np.array([0.0, 3.0])) == [[(0.0, 1.0), (1.0, 0.0)]]
    assert slopes(g.apply("maximum", g.const(0.0), x), True, x=np.array([0.0, 3.0])) == [
        [(0.5, 0.5), (1.0, 0.0)]
    ]
    assert slopes(g.reduce("max", x, "i"), True, x=np.array([1.0, 1.0])) == [[(0.5, 0.5), (0.5, 0.5)]]


def test_nothing_flows_to_what_is_dropped() -> None:
    g = Graph()
    x = g.input("x", ("i",), "real")
    m = g.input("m", ("i",), "bool")
    kept = g.select(m, g.apply("log", x) / x, 0.0)
    bad = np.array([1.0, 0.0, np.nan, np.inf])
    assert slopes(g.reduce("sum", kept, "i"), x=bad, m=np.array([True, False, False, False])) == [
        [1, 0, 0, 0]
    ]
    shares = g.along("softmax", g.select(m, x, -math.inf), "i")
    total = g.reduce("sum", shares * g.real(g.index("i")), "i")
    assert slopes(total, x=bad, m=np.array([True, False, False, False])) == [[0, 0, 0, 0]]


def test_a_stopped_value_gives_nothing() -> None:
    g = Graph()
    x = g.input("x", (), "real")
    assert slopes(x * g.apply("stop", x), x=3.0) == [3.0]


def test_saturated_logarithms_have_the_slope_of_the_smallest_number() -> None:
    g = Graph()
    x = g.input("x", (), "real")
    assert slopes(g.apply("log_saturated", x), x=0.0) == [2.0**126]


def test_derivatives_through_thousands_of_digits() -> None:
    g = Graph()
    z = g.input("z", ("c",), "real")
    e = g.apply("exp", z)
    share = e / g.reduce("sum", e, "c")
    loss = g.reduce("sum", -g.apply("log", 1.0 - share), "c")
    (result,) = truth_gradient(loss, [z], {"z": np.array([1e4, 0.0])})
    assert result.certain
    assert np.allclose(result.floats(), [1.0, -1.0])

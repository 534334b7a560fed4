"""XLA has no subnormal numbers on CPUs and reorders divisions; results that are normal come out all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backend_runs import run
from mpmath import mp

from losslang import backends
from losslang.ir import Graph, Node
from losslang.program import Function, Parameter, Result

Two = Callable[[Any, Any], Any]


def graph_of(build: Callable[[Graph, Node, Node], Node]) -> Node:
    g = Graph()
    return build(g, g.input("a", ("i",), "real"), g.input("b", ("i",), "real"))


PRODUCTS: dict[str, tuple[Callable[[Graph, Node, Node], Node], Two]] = {
    "exp": (lambda g, a, b: g.apply("exp", a) * b, lambda a, b: mp.exp(a) * b),
    "sigmoid": (lambda g, a, b: b * g.apply("sigmoid", a), lambda a, b: b / (1 + mp.exp(-a))),
    "two": (lambda g, a, b: g.apply("mul", g.apply("exp", a), b, g.apply("sigmoid", a)),
            lambda a, b: mp.exp(a) * b / (1 + mp.exp(-a))),
    "silence": (lambda g, a, b: g.apply("silence", b, g.apply("exp", a)), lambda a, b: mp.exp(a) * b),
    "div": (lambda g, a, b: g.apply("exp", a) / b, lambda a, b: mp.exp(a) / b),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("jit", [False, True])
def test_small_exponentials_of_large_products(name: str, jit: bool) -> None:
    build, truth = PRODUCTS[name]
    pairs = [
        (-3.0, 2.0),
        (-78.0, 3.0),
        (-79.5, 3.0),
        (-88.7, 5e4),
        (-95.0, 1e20),
        (-120.0, 1e30),
        (-500.0, 1e30),
    ]
    pairs = [(a, 1 / b if name == "div" else b) for a, b in pairs]
    inputs = {"a": [np.float32(a) for a, _ in pairs], "b": [np.float32(b) for _, b in pairs]}
    (got,) = run("jax", [graph_of(build)], inputs, "float32", jit=jit)
    want = [float(truth(mp.mpf(float(a)), mp.mpf(float(b)))) for a, b in zip(*inputs.values(), strict=True)]
    assert np.allclose(got, want, rtol=2e-6, atol=1.2e-38), (got, want)


def test_softmax_beside_a_large_factor() -> None:
    g = Graph()
    z = g.input("z", ("c",), "real")
    product = g.along("softmax", z, ["c"]) * g.input("w", ("c",), "real")
    (got,) = run("jax", [product], {"z": [0.0, -90.0, -100.0], "w": [2.0, 1e8, -1e20]}, "float32", jit=True)
    assert np.allclose(got, [2.0, 1e8 * np.exp(-90.0), -1e20 * np.exp(-100.0)], rtol=1e-5, atol=0), got


def test_divisions_stay_as_they_are_written() -> None:
    def build(g: Graph, a: Node, b: Node) -> list[Node]:
        return [(a / b) / b, a / (b / a), (a / b) / (b / a), 1.0 / g.apply("pow", b, -1.0) / b]

    g = Graph()
    a, b = g.input("a", ("i",), "real"), g.input("b", ("i",), "real")
    got = run("jax", build(g, a, b), {"a": [1e30, 1e-30], "b": [1e25, 1e-28]}, "float32", jit=True)
    want = [[1e-20, 1e26], [1e35, 1e-32], [1e10, 1e-4], [1.0, 1.0]]
    assert np.allclose(got, want, rtol=1e-6, atol=0), got


def test_other_backends_are_left_alone() -> None:
    node = graph_of(PRODUCTS["exp"][0])
    parameters = tuple(Parameter(n.attr[0], n, n.attr[1]) for n in node.graph.nodes if n.op == "input")
    function = Function("f", parameters, (Result(node, ("i",)),))
    assert "minexp" in backends.emit([function], "jax")
    assert not any("minexp" in backends.emit([function], name) for name in ("numpy", "torch"))

"""Ops along axes and ops that move elements, on every backend, against the high-precision evaluation."""

from __future__ import annotations

import math
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from backend_runs import BACKENDS, function_of, run
from losslang.backends.freeing import freed

from losslang import backends
from losslang.differentiate import gradient
from losslang.ir import AxisSize, Graph, Node
from losslang.ops import OPS
from losslang.program import Function, Parameter, Result
from losslang.truth import truth, truth_gradient

INF = math.inf
RNG = np.random.default_rng(7)
DATA: dict[str, Any] = {
    "x": RNG.normal(size=(3, 4)) * 2,
    "y": RNG.normal(size=(3, 4)),
    "u": RNG.normal(size=(3, 5)),
    "v": RNG.normal(size=(4, 5)),
    "w": RNG.normal(size=(3,)),
    "d": -RNG.uniform(0, 2, size=(3, 4)),
    "at": np.array([2, 0, 3]),
    "far": np.array([[1, 0], [2, 1]]),
    "m": RNG.uniform(size=(3, 4)) < 0.6,
    "k": RNG.integers(-3, 4, size=(3, 4)),
}
AXES = {
    "x": "ac",
    "y": "ac",
    "u": "ae",
    "v": "ce",
    "w": "a",
    "d": "ac",
    "at": "a",
    "far": "pq",
    "m": "ac",
    "k": "ac",
}
ELEMS = {"at": "int", "far": "int", "m": "bool", "k": "int"}


class Case:
    """A graph over the inputs above; ``c.x`` is an input."""

    def __init__(self) -> None:
        self.g = Graph()
        self.g.axis_sizes.update({n: AxisSize("same", (n[0],)) for n in ("a2", "c2", "c3")})

    def __getattr__(self, name: str) -> Node:
        return self.g.input(name, tuple(AXES[name]), ELEMS.get(name, "real"))  # type: ignore[arg-type]

    def along(self, op: str, x: Node, axes: str) -> Node:
        return self.g.along(op, x, axes)


def masked(c: Case) -> Node:
    return c.g.select(c.m, c.x, -INF)


CASES: dict[str, Any] = {
    "sum": lambda c: c.g.reduce("sum", c.x, "c"),
    "sum of both": lambda c: c.g.reduce("sum", c.x, "ac"),
    "sum of integers": lambda c: c.g.reduce("sum", c.k, "c"),
    "sum of booleans": lambda c: c.g.reduce("sum", c.m, "a"),
    "prod": lambda c: c.g.reduce("prod", c.x, "ac"),
    "prod with a zero": lambda c: c.g.reduce(
        "prod", c.g.select(c.g.apply("eq", c.g.index("c"), 1), 0.0, c.x), "c"
    ),
    "max": lambda c: c.g.reduce("max", c.x, "c"),
    "min": lambda c: c.g.reduce("min", c.x, "ac"),
    "max of integers": lambda c: c.g.reduce("max", c.k, "a"),
    "any": lambda c: c.g.reduce("any", c.m, "a"),
    "all": lambda c: c.g.reduce("all", c.m, "c"),
    "count": lambda c: c.g.reduce("count", c.m, "ac"),
    "logsumexp": lambda c: c.g.reduce("logsumexp", c.x, "c"),
    "logsumexp of both": lambda c: c.g.reduce("logsumexp", c.x, "ac"),
    "logsumexp, masked": lambda c: c.g.reduce("logsumexp", masked(c), "c"),
    "softmax": lambda c: c.along("softmax", c.x, "c"),
    "softmax, masked": lambda c: c.along("softmax", masked(c), "ac"),
    "log_softmax": lambda c: c.along("log_softmax", c.x, "ac"),
    "all three": lambda c: (
        c.along("softmax", c.x, "c") * c.along("log_softmax", c.x, "c") + c.g.reduce("logsumexp", c.x, "c")
    ),
    "picked log_softmax": lambda c: c.g.gather(c.along("log_softmax", c.x, "c"), c.at, "c"),
    "picked softmax": lambda c: c.g.gather(c.along("softmax", c.x, "ac"), c.at, "c"),
    "picked log_softmax, renamed": lambda c: c.g.gather(
        c.g.rename(c.along("log_softmax", c.y, "c"), "c", "c2"), c.at, "c2"
    ),
    "picked softmax by its own axis": lambda c: c.g.gather(
        c.g.rename(c.along("softmax", c.y * 2.0, "c"), "c", "c2"), c.g.index("c"), "c2"
    ),
    "argmax": lambda c: c.along("argmax", c.x, "c"),
    "argmin": lambda c: c.along("argmin", c.k, "a"),
    "argsort": lambda c: c.along("argsort", c.k, "c"),
    "sorted": lambda c: c.g.gather(c.g.rename(c.x, "c", "c2"), c.along("argsort", c.x, "c"), "c2"),
    "cumsum": lambda c: c.along("cumsum", c.x, "c"),
    "cumsum of integers": lambda c: c.along("cumsum", c.k, "a"),
    "reverse_cumsum": lambda c: c.along("reverse_cumsum", c.x, "a"),
    "cumlogsumexp": lambda c: c.along("cumlogsumexp", c.x, "c"),
    "cumlogsumexp, masked": lambda c: c.g.apply("exp", c.along("cumlogsumexp", masked(c), "c")),
    "decay_scan": lambda c: c.g.make("decay_scan", (c.x, c.d), frozenset("c")),
    "decay_scan of fewer axes": lambda c: c.g.make("decay_scan", (c.w, c.d), frozenset("a")),
    "contract": lambda c: c.g.contract(c.x, c.v, "c"),
    "contract, batched": lambda c: c.g.contract(c.u, c.x * c.v, "e"),
    "contract, rows": lambda c: c.g.contract(c.x, c.y, "c"),
    "contract, all": lambda c: c.g.contract(c.x, c.y, "ac"),
    "contract an axis of one": lambda c: c.g.contract(c.x, c.v, "ac"),
    "contract of integers": lambda c: c.g.contract(c.k, c.m, "c"),
    "sum of a product": lambda c: c.g.reduce("sum", c.g.apply("mul", c.x, c.u, c.v, 2.0), "ce"),
    "sum of an outer product": lambda c: c.g.reduce("sum", c.w * c.v, "a"),
    "gram": lambda c: c.g.contract(c.x, c.g.rename(c.x, "a", "a2"), "c"),
    "diagonal": lambda c: c.g.gather(
        c.g.contract(c.x, c.g.rename(c.x, "a", "a2"), "c"), c.g.index("a"), "a2"
    ),
    "broadcast": lambda c: c.g.broadcast(c.w, "ce"),
    "broadcast number": lambda c: c.g.broadcast(c.g.const(1.5), "ae"),
    "rename": lambda c: c.g.rename(c.x, "a", "a2") + c.x * 0.5,
    "merge": lambda c: c.g.merge(c.x, ("c", "a"), "ca"),
    "merged and back": lambda c: c.g.make(
        "unmerge", (c.g.merge(c.u * c.x, ("c", "a"), "ca") * 2.0,), (("c", "a"), "ca")
    ),
    "gather": lambda c: c.g.gather(c.x, c.at, "c"),
    "gather of rows": lambda c: c.g.gather(c.x, c.far, "a"),
    "gather at a constant": lambda c: c.g.gather(c.x, c.g.const(1), "c"),
    "gather of integers": lambda c: c.g.gather(c.k, c.at, "c"),
    "neighbour": lambda c: c.g.gather(
        c.g.rename(c.x, "c", "c2"), c.g.apply("minimum", c.g.index("c") + 1, c.g.size("c") + -1), "c2"
    ),
    "scatter_add": lambda c: c.g.make("scatter_add", (c.w, c.at), ("c3", ())),
    "scatter_add, kept": lambda c: c.g.make("scatter_add", (c.x, c.at), ("c3", ("c",))),
    "scatter_add, aligned": lambda c: c.g.make("scatter_add", (c.u * c.x, c.at), ("c3", ("a", "e"))),
    "scatter_add, at alone": lambda c: c.g.make("scatter_add", (c.g.const(1.5), c.far), ("c3", ("p",))),
    "scatter_add, at of many": lambda c: c.g.make("scatter_add", (c.x, c.k), ("c3", ("a",))),
    "stack": lambda c: c.g.stack([c.w, c.x, c.g.const(2.0)], "s"),
    "stack of both kinds": lambda c: c.g.stack([c.k, c.x], "t"),
    "log_chain": lambda c: c.g.make(
        "log_chain", (c.x, c.u + c.v + c.g.rename(c.v, "c", "c2")), ("e", "c2", "c")
    ),
    "log_chain, masked": lambda c: c.g.apply(
        "exp",
        c.g.make(
            "log_chain", (c.v, c.g.select(c.m, c.x + c.g.rename(c.x, "c", "c2"), -INF)), ("a", "c2", "c")
        ),
    ),
    "chain_sum": lambda c: c.g.make(
        "chain_sum", (c.w, c.v * c.g.rename(c.x, "c", "c2") * 0.125), ("e", "c2", "c", False)
    ),
    "chain_sum, backward": lambda c: c.g.make(
        "chain_sum", (c.x, c.y * c.g.rename(c.x, "c", "c2") * 0.125), ("a", "c2", "c", True)
    ),
    "index and size": lambda c: c.g.index("c") * 2 + c.g.size("e") + c.g.index("a"),
}
SIZES = {"a": 3, "a2": 3, "c": 4, "c2": 4, "c3": 4, "e": 5, "p": 2, "q": 2, "ca": 12, "s": 3, "t": 2}


def built(case: Case) -> dict[str, Node]:
    for leaf in AXES:
        getattr(case, leaf)
    return {name: make(case) for name, make in CASES.items()}


def slopes(case: Case) -> dict[str, tuple[Node, list[Node]]]:
    """A nonlinear function of every case, and its gradient in every real input."""
    g = case.g
    found = {}
    for name, node in built(case).items():
        if node.elem == "real":
            output = g.reduce("sum", g.apply("sin", node), node.axes)
            found[name] = (output, gradient(output, reals(case)))
    return found


def reals(case: Case) -> list[Node]:
    return [getattr(case, n) for n in AXES if n not in ELEMS]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("real", ["float64", "float32"])
def test_values(backend: str, real: str) -> None:
    tolerance = {"float64": 1e-13, "float32": 3e-6}[real]
    inputs = {n: np.asarray(v, dtype=real) if v.dtype.kind == "f" else v for n, v in DATA.items()}
    nodes = built(Case())
    results = run(backend, list(nodes.values()), inputs, real, jit=True)
    for (name, node), value in zip(nodes.items(), results, strict=True):
        want = truth([node], inputs, sizes=SIZES)[0].floats(tuple(sorted(node.axes)))
        assert value.shape == want.shape, name
        assert np.allclose(value, want, rtol=tolerance, atol=tolerance), (name, value, want)


@pytest.fixture(scope="module")
def true_slopes() -> dict[str, list[Any]]:
    case = Case()
    return {
        name: [
            t.floats(tuple(sorted(leaf.axes)))
            for leaf, t in zip(
                reals(case),
                truth_gradient(output, reals(case), DATA, sizes=SIZES, computing="float64"),
                strict=True,
            )
        ]
        for name, (output, _) in slopes(case).items()
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients(backend: str, true_slopes: dict[str, list[Any]]) -> None:
    case = Case()
    found = slopes(case)
    flat = [node for _, nodes in found.values() for node in nodes]
    values = iter(run(backend, flat, DATA, jit=True))
    for name in found:
        for leaf, expected in zip(reals(case), true_slopes[name], strict=True):
            value = next(values)
            assert value.shape == expected.shape, (name, leaf)
            assert np.allclose(value, expected, rtol=1e-11, atol=1e-12), (name, leaf, value, expected)


def test_every_op_along_axes_or_of_structure_has_a_case() -> None:
    case = Case()
    built(case)
    used = {n.op for n in case.g.nodes}
    along = [op for op, row in OPS.items() if row.family in ("reduce", "along", "structure")]
    assert [op for op in along if op not in used] == ["extern"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("real", ["float32", "float64"])
def test_log_softmax_keeps_relative_accuracy_near_zero(backend: str, real: str) -> None:
    g = Graph()
    z = g.input("z", ("c",), "real")
    logs = g.along("log_softmax", z, "c")
    picked = g.gather(logs, g.const(0), "c")
    back = gradient(picked, [z])[0]
    values = run(backend, [logs, g.reduce("logsumexp", z, "c"), back, picked], {"z": [0.0, -20.0]}, real)
    small = math.log1p(math.exp(-20.0))
    assert values[0][0] == pytest.approx(-small, rel=2e-6)
    assert values[1] == pytest.approx(small, rel=2e-6)
    assert values[2][0] == pytest.approx(-math.expm1(-small), rel=2e-6)
    assert values[3] == pytest.approx(-small, rel=2e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_softmax_over_nothing_and_infinity(backend: str) -> None:
    g = Graph()
    z = g.input("z", ("a", "c"), "real")
    total = g.reduce("logsumexp", z, "c")
    soft, logs = g.along("softmax", z, "c"), g.along("log_softmax", z, "c")
    alone = g.along("softmax", g.rename(z, "c", "d"), "d")
    rows = [[-INF, -INF], [-INF, 3.0], [INF, 1.0], [1e30, -1e30]]
    values = run(backend, [total, soft, logs, alone], {"z": rows}, "float32")
    assert values[0].tolist() == [-INF, 3.0, INF, np.float32(1e30)]
    assert values[1][0].tolist() == [0.0, 0.0] and values[1][1].tolist() == [0.0, 1.0]
    assert values[2][0].tolist() == [-INF, -INF] and values[2][1].tolist() == [-INF, 0.0]
    assert values[1][3].tolist() == [1.0, 0.0]
    assert values[3][0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_out_of_range_picks(backend: str) -> None:
    """NaN, 0 and False; a negative index is no index from the end; nothing flows back."""
    g = Graph()
    x, k, m = (g.input(n, ("a", "c"), e) for n, e in (("x", "real"), ("k", "int"), ("m", "bool")))
    at = g.input("at", ("a",), "int")
    row = g.input("row", ("p",), "int")
    nodes = [g.gather(x, at, "c"), g.gather(k, at, "c"), g.gather(m, at, "c"), g.gather(x, row, "a")]
    flows = g.reduce("sum", g.gather(x, at, "c"), "a"), g.reduce("sum", g.gather(x, row, "a"), "pc")
    nodes += [gradient(f, [x])[0] for f in flows]
    inputs = {
        "x": [[1.0, 2.0]] * 3,
        "k": [[1, 2]] * 3,
        "m": [[True, True]] * 3,
        "at": [-1, 1, 2],
        "row": [0, -1, 3, 0],
    }
    v = run(backend, nodes, inputs, jit=True)
    assert np.array_equal(v[0], [np.nan, 2.0, np.nan], equal_nan=True)
    assert v[1].tolist() == [0, 2, 0] and v[2].tolist() == [False, True, False]
    assert np.isnan(v[3]).all(axis=0).tolist() == [False, True, True, False]
    assert v[4].tolist() == [[0, 0], [0, 1], [0, 0]]
    assert v[5].tolist() == [[2, 2], [0, 0], [0, 0]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_axes(backend: str) -> None:
    """An axis of length 0 never crashes, in values or gradients."""
    empty = {n: np.zeros([0 if a in "ac" else s for a, s in zip(AXES[n], np.shape(v), strict=True)], np.asarray(v).dtype)
             for n, v in DATA.items()}  # fmt: skip
    empty["far"] = np.zeros((2, 2), int)
    case = Case()
    nodes = [n for name, n in built(case).items() if "neighbour" not in name and "constant" not in name]
    g = case.g
    flows = [g.reduce("sum", n * 1.5, n.axes) for n in nodes if n.elem == "real"]
    slopes = [s for flow in flows for s in gradient(flow, reals(case))]
    values = run(backend, [*nodes, *slopes], empty, jit=True)
    assert not any(np.isnan(v).any() for v in values[len(nodes) :])


def test_parameters_and_results_in_any_order() -> None:
    g = Graph()
    x = g.input("x", ("b", "a"), "real")
    y = g.input("y", ("a", "b"), "real")
    total = x * 2.0 + y
    function = Function(
        "f", (Parameter("y", y, ("a", "b")), Parameter("x", x, ("b", "a"))), (Result(total, ("b", "a")),)
    )
    xs, ys = np.arange(6.0).reshape(3, 2), np.ones((2, 3))
    (value,) = backends.load(backends.emit([function], "numpy"), "numpy")["f"](ys, xs, np.float64)
    assert np.array_equal(value, xs * 2 + ys.T)


def test_names_of_the_spec_cannot_reach_the_code() -> None:
    """Names that mean something in Python are changed, and the documentation stays a string."""
    g = Graph()
    names = ["np", "lambda", "sum", "real", "a b\nimport os", "λ", "inf", "__x"]
    leaves = [g.input(n, (f"{n}\n",), "real") for n in names]
    total = g.apply("add", *(g.reduce("sum", leaf, leaf.axes) for leaf in leaves))
    parameters = tuple(Parameter(n, leaf, leaf.attr[1]) for n, leaf in zip(names, leaves, strict=True))
    function = Function("f", parameters, (Result(total, ()),), doc='"""\nimport os\n')
    source = backends.emit([function], "numpy")
    assert "\nimport os" not in source
    (value,) = backends.load(source, "numpy")["f"](*(np.ones(2) for _ in names), np.float64)
    assert value == 2.0 * len(names)


def test_long_sums_and_products_do_not_nest() -> None:
    g = Graph()
    leaves = [g.input(f"x{i}", ("a",), "real") for i in range(1000)]
    node = g.apply("add", *leaves)
    (value,) = run("numpy", [node], {f"x{i}": [float(i), 1.0] for i in range(1000)})
    assert value.tolist() == [499500.0, 1000.0]
    chain = leaves[0]
    for leaf in leaves[1:]:
        chain = g.apply("sin", chain + leaf)
    assert run("numpy", [chain], {f"x{i}": [0.0] for i in range(1000)})[0].tolist() == [0.0]


def test_emission_is_fast() -> None:
    g = Graph()
    x = g.input("x", ("a", "b"), "real")
    node: Node = x
    for i in range(100):
        node = g.apply("exp", g.apply("sin", node) * float(i + 2) + x)
    function = function_of([node])
    backends.emit([function], "torch")
    start = time.perf_counter()
    backends.emit([function], "torch")
    assert time.perf_counter() - start < 0.2


def test_a_traceback_shows_the_line() -> None:
    import linecache

    g = Graph()
    x = g.input("x", ("a",), "real")
    namespace = backends.load(backends.emit([function_of([g.apply("exp", x)])], "numpy"), "numpy")
    code = namespace["values"].__wrapped__.__code__
    assert "exp" in linecache.getline(code.co_filename, code.co_firstlineno + 2)


def test_large_arrays_are_let_go_of_once_they_are_read() -> None:
    g = Graph()
    x = g.input("x", ("a", "b"), "real")
    node = x
    for _ in range(30):
        node = g.apply("sin", node) * node
    function = function_of([node, g.reduce("max", node, "a")])
    call = backends.load(backends.emit([function], "numpy"), "numpy")["values"]
    given = np.random.default_rng(0).normal(size=(100, 1000))
    tracemalloc.start()
    found = call(given, np.float64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(found[1], found[0].max(0))
    assert peak < 6 * given.nbytes
    assert "del " not in backends.emit([function], "jax")


def test_what_is_returned_or_small_is_kept() -> None:
    lines = [
        "n = x.shape[0]",
        "a = f(x)  # [i, j]",
        "b = g(a)  # [i]",
        "c = h(a, b)  # [i, j]",
        "d = k(c)  # [i, j]",
    ]
    assert freed(lines, ["d", "b"], 2) == [*lines[:4], "del a", lines[4], "del c"]
    assert freed(lines, ["b"], 2) == [*lines[:4], "del a", lines[4]]
    assert freed(lines, ["a"], 3) == lines

"""Published objectives that are not shipped: they check, agree on every backend, and have the right gradients.

The folder objectives/ holds them as somebody writes them who knows the reference of the language and nothing
of the compiler. Gradients are held against central differences of the formula as written, evaluated without
any rewriting, in which whatever ``stop`` holds is frozen.

JAX takes most of the time to compile, so it gets every eighth loss, unless LOSSLANG_ALL_OBJECTIVES is set.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backend_runs import function_of
from placing import on_host

import losslang
from losslang import backends, checker
from losslang.format import format_text
from losslang.ir import Node, rebuild, walk
from losslang.lowered import LoweredLoss, Schedule, Signature
from losslang.parse import parse
from losslang.spec import Spec
from losslang.verify import inputs as made

FOLDER = Path(__file__).parent / "objectives"
FILES = sorted(FOLDER.glob("*.loss"))
SPECS = {path.stem: Spec.load(path) for path in FILES}
LOSSES = [(file, loss) for file, spec in SPECS.items() for loss in spec.losses()]
STEP = 700
OTHERS = [b for b in ("torch", "jax") if importlib.util.find_spec(b)]
EVERY = 1 if os.environ.get("LOSSLANG_ALL_OBJECTIVES") else 8

#: Members of whatever collection of parameters.
MODEL = (("user.weight", 2), ("item.weight", 2), ("item.bias", 1))
#: Halved, so that the formula as written does not lose digits.
UNBOUNDED = ("real", "logit", "score", "embedding", "parameter", "parameters")

Arrays = Mapping[str, Any]


def squares(x: Any) -> Any:
    """Stands for a frozen network: as many features as there are pixels."""
    return x * x


def squares_vjp(g: Any, x: Any) -> tuple[Any]:
    return (2 * x * g,)


EXTERNS: dict[str, dict[str, Any]] = {"features": {"numpy": (squares, squares_vjp)}}


def compiled(file: str, loss: str, backend: str) -> Any:
    """The loss for a backend, with the functions that its externs ask for."""
    written = (FOLDER / f"{file}.loss").read_text("utf-8")
    externs = {name: by.get(backend, squares) for name, by in EXTERNS.items() if f"extern {name}[" in written}
    return losslang.compile(SPECS[file], backend=backend, loss=loss, externs=externs)


def case(file: str, loss: str) -> tuple[LoweredLoss, Arrays]:
    """A loss as a graph, and ordinary values of the declared kinds."""
    lowered = checker.elaborate(SPECS[file], loss)
    members = tuple((each.name, MODEL) for each in lowered.inputs if each.kind.name == "parameters")
    if members:
        lowered = checker.elaborate(SPECS[file], loss, Signature(members=members))
    rng = np.random.default_rng(sum(map(ord, loss)))
    arrays = made.make(lowered, rng, "ordinary", "float64", turn=1).arrays
    kinds = {each.name: each.kind.name for each in lowered.inputs}
    return lowered, {k: mapped(v, lambda a: a / 2) if kinds[k] in UNBOUNDED else v for k, v in arrays.items()}


def call(fn: Any, lowered: LoweredLoss, arrays: Arrays, backend: str) -> tuple[Any, dict[str, Any]]:
    """Output and gradients, as NumPy."""
    scheduled = any(isinstance(h.default, Schedule) for h in lowered.hypers)
    options = {"step": STEP} if scheduled else {}
    if backend == "torch":
        import torch

        arrays = mapped(arrays, lambda a: torch.tensor(np.asarray(a)))
    if backend == "jax":
        import jax

        with jax.enable_x64(True):
            out, gradients = fn.value_and_grad()(**arrays, **options)
    else:
        out, gradients = fn.value_and_grad()(**arrays, **options)
    return out, {name: mapped(g, on_host) for name, g in gradients.items()}


def mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: mapped(item, function) for key, item in value.items()}
    return function(value)


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Arrays by dotted names, as the graph calls the members of collections."""
    if isinstance(value, Mapping):
        return {
            k: v for key, item in value.items() for k, v in flat(item, f"{name}.{key}".lstrip(".")).items()
        }
    return {name: value}


def numbers(out: Any) -> dict[str, Any]:
    found = {"total": out.total, **{f"terms.{k}": v for k, v in out.terms.items()}}
    found |= {f"weighted.{k}": v for k, v in out.weighted.items()}
    found |= {f"reports.{k}": v for k, v in out.reports.items()}
    return {k: on_host(v) for k, v in found.items()}


# -- what is held against what ----------------------------------------------------------------------


def test_enough_of_them() -> None:
    names = [loss for _, loss in LOSSES]
    assert len(names) > 150 and len(set(names)) == len(names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_nothing_to_complain_about(path: Path) -> None:
    assert losslang.check(path) == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_layout_changes_no_meaning(path: Path) -> None:
    text = path.read_text("utf-8")
    laid_out = format_text(text)
    assert format_text(laid_out) == laid_out
    before, after = parse(text)[0], parse(laid_out)[0]
    assert before is not None and after is not None
    assert [plain(s) for s in after.statements] == [plain(s) for s in before.statements]


def plain(node: Any) -> Any:
    """A piece of syntax without its place, and numbers without their spelling."""
    if hasattr(node, "__dict__"):
        return {k: plain(v) for k, v in node.__dict__.items() if k not in ("span", "text")}
    return [plain(v) for v in node] if isinstance(node, tuple) else node


@pytest.mark.parametrize(("file", "loss"), LOSSES, ids=[f"{f}-{n}" for f, n in LOSSES])
def test_agrees_and_has_the_right_gradient(file: str, loss: str) -> None:
    lowered, arrays = case(file, loss)
    out, gradients = call(compiled(file, loss, "numpy"), lowered, arrays, "numpy")
    values = numbers(out)
    assert np.isfinite(values["total"])
    assert values["total"] == pytest.approx(sum(v for k, v in values.items() if k.startswith("weighted.")))
    assert all(np.isfinite(g).all() for g in flat(gradients).values())
    for backend in OTHERS:
        if backend == "jax" and LOSSES.index((file, loss)) % EVERY:
            continue
        other, other_gradients = call(compiled(file, loss, backend), lowered, arrays, backend)
        found = numbers(other)
        assert found.keys() == values.keys()
        for name, value in values.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-6, atol=1e-9, err_msg=f"{backend} {name}")
        for name, value in flat(gradients).items():
            np.testing.assert_allclose(
                flat(other_gradients)[name], value, rtol=1e-6, atol=1e-9, err_msg=f"{backend} {name}"
            )
    if not any(node.op == "extern" for node in walk([lowered.total])):
        held_against_differences(lowered, arrays, float(values["total"]), gradients)


def held_against_differences(
    lowered: LoweredLoss, arrays: Arrays, total: float, gradients: dict[str, Any]
) -> None:
    """Up to three entries of every gradient against differences of the formula as written."""
    leaves = {k: np.asarray(v) for k, v in flat(arrays).items()} | hypers(lowered)
    formula = Formula(lowered, leaves)
    assert formula(leaves) == pytest.approx(total, rel=1e-8, abs=1e-10)
    rng = np.random.default_rng(1)
    for name, gradient in flat(gradients).items():
        for place in rng.permutation(gradient.size)[:3]:
            slope = formula.slope(leaves, name, int(place))
            expected = float(gradient.reshape(-1)[place])
            assert slope == pytest.approx(expected, rel=2e-4, abs=2e-6 * (1 + abs(total))), (name, place)


def hypers(lowered: LoweredLoss) -> dict[str, Any]:
    return {h.node.attr[0]: np.asarray(at_step(h.default), float) for h in lowered.hypers}


def at_step(default: Any) -> Any:
    if not isinstance(default, Schedule):
        return default
    f = min(STEP / default.steps, 1)
    a, b = default.start, default.end
    return {
        "constant": a,
        "linear": a + (b - a) * f,
        "cosine": a + (b - a) * (1 - np.cos(np.pi * f)) / 2,
        "exponential": a * (b / a) ** f if default.form == "exponential" else a,
    }[default.form]


class Formula:
    """The objective as its author wrote it, with no rewriting, and what ``stop`` holds as constants."""

    def __init__(self, lowered: LoweredLoss, leaves: Arrays) -> None:
        graph = lowered.graph
        stopped = [node.args[0] for node in walk([lowered.total]) if node.op == "stop"]
        self.frozen: dict[str, Any] = {}
        holders: dict[Node, Node] = {}
        if stopped:
            for i, (node, value) in enumerate(zip(stopped, evaluator(stopped)(leaves), strict=True)):
                axes = tuple(sorted(node.axes))
                holders[node] = graph.input(f"frozen {i}", axes, node.elem)
                self.frozen[f"frozen {i}"] = value
        new: dict[Node, Node] = {}
        for node in walk([lowered.total]):
            new[node] = (
                holders[node.args[0]]
                if node.op == "stop"
                else rebuild(node, tuple(new[a] for a in node.args))
            )
        self.evaluate = evaluator([new[lowered.total]])

    def __call__(self, leaves: Arrays) -> float:
        return float(self.evaluate({**leaves, **self.frozen})[0])

    def slope(self, leaves: Arrays, name: str, place: int, h: float = 1e-6) -> float:
        """The central difference in one entry of an input."""
        ends = []
        for sign in (1, -1):
            moved = np.array(leaves[name], float)
            moved.reshape(-1)[place] += sign * h
            ends.append(self({**leaves, name: moved}))
        return (ends[0] - ends[1]) / (2 * h)


def evaluator(nodes: list[Node]) -> Callable[[Arrays], list[Any]]:
    function = function_of(nodes)
    run = backends.load(backends.emit([function], "numpy"), "numpy")["values"]
    elems = {"real": np.float64, "int": np.int64, "bool": np.bool_}

    def evaluate(leaves: Arrays) -> list[Any]:
        given = [
            np.asarray(leaves[p.name], elems[p.node.elem]) if p.name in leaves else np.zeros(())
            for p in function.parameters
        ]
        with np.errstate(all="ignore"):
            return list(run(*given, np.float64))

    return evaluate


# -- what writing them brought to light -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "inputs", "words"),
    [
        (
            "input z : real[node, d]\ninput edge : real[node, to]\n"
            "minimize mean[node, to](dot[d](z, z[node -> to]) * edge)",
            {"z": np.zeros((3, 2)), "edge": np.zeros((3, 4))},
            "`to` and `node` must be equally long",
        ),
        (
            "input z : real[row, column]\ninput y : real[pixel]\n"
            "minimize mean[pixel](z[(row, column) -> pixel] * y)",
            {"z": np.zeros((3, 2)), "y": np.zeros(5)},
            "`pixel` and `row · column` must be equally long",
        ),
        (
            "input a : real[n]\ninput b : real[m]\nminimize sum[k](a[n -> k] * b[m -> k])",
            {"a": np.zeros(3), "b": np.zeros(4)},
            "must be equally long",
        ),
        (
            "input a : parameters\ninput b : parameters\nminimize sum[*]((a - b)^2)",
            {"a": {"w": np.zeros((2, 3))}, "b": {"w": np.zeros((2, 2))}},
            "must be equally long",
        ),
    ],
)
def test_lengths_that_a_rename_ties(text: str, inputs: dict[str, Any], words: str) -> None:
    with pytest.raises(losslang.InputError, match=words):
        losslang.compile(f"loss tied\n{text}")(**inputs)


def test_renaming_there_and_back_ends() -> None:
    fn = losslang.compile("loss back\ninput x : real[n, d]\nminimize sum[n, d](x[n -> o][o -> n] * x)")
    assert fn(x=np.ones((2, 3))).total == 6


@pytest.mark.parametrize("backend", ["numpy", *OTHERS])
def test_a_pick_beside_the_axis_of_a_softmax(backend: str) -> None:
    fn = losslang.compile(
        "loss beside\ninput z : logit[n, a, c] over c\ninput y : label[n] of a\n"
        "minimize mean[n](sum[c](softmax[c](z)[a = y]^2))",
        backend=backend,
    )
    lowered = checker.elaborate(Spec.load("loss one\ninput z : real\nminimize z"), "one")
    z, y = np.random.default_rng(0).normal(size=(3, 2, 4)), np.array([0, 1, 1])
    out, _ = call(fn, lowered, {"z": z, "y": y}, backend)
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    assert float(out.total) == pytest.approx((p[np.arange(3), y] ** 2).sum(-1).mean())


def test_targets_that_are_collections_have_no_gradient_unless_asked_for() -> None:
    fn = losslang.compile(
        "loss deep\ninput z : logit[n] each scale\ninput y : binary[n] each scale\n"
        "minimize mean[scale, n](binary_cross_entropy(z, y))"
    )
    _, gradients = fn.value_and_grad()(z=[np.zeros(2), np.zeros(3)], y=[np.ones(2), np.zeros(3)])
    assert set(gradients) == {"z"}

"""Functions that the host supplies: fused code is cut at them, and what they capture trains."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from placing import on_host

import losslang
from losslang.errors import InputError
from losslang.runtime.externs import called_by

FEATURES = """
extern feat[d, e](x: real[d]) : real[e]
loss a
  input x : real[n, d]
  input y : real[n, e]
  input m : mask[n]
  hyper k : real = 2.0
  term fit    = mean[n, e where m]((feat[d, e](k * x) - y)^2)
  term spread = mean[n, e where m](feat[d, e](k * x))
  minimize fit + 0.1 * spread
"""
CHAIN = """
extern inner[d](x: real[d]) : real[d]
extern outer[d, e](x: real[d], w: real[d]) : real[e]
loss a
  input x : real[n, d]
  input w : real[d]
  term t = mean[n, e](outer[d, e](inner[d](x) * w, exp(w))^2) + mean[n, d](inner[d](x))
  report size_of_e = size[e]
  minimize t
"""


@pytest.fixture
def data() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(4, 3))
    x[2] = np.nan
    return {"x": x, "y": rng.normal(size=(4, 2)), "m": np.array([True, True, False, True])}


WEIGHTS = np.array([[0.5, -1.0], [2.0, 0.25], [1.0, 0.0]])


def linear(x: np.ndarray) -> np.ndarray:
    return x @ WEIGHTS


def linear_vjp(cotangent: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    return (cotangent @ WEIGHTS.T,)


def truth(weights: Any, x: Any, y: Any, m: Any, xp: Any) -> Any:
    features = (2.0 * x[m]) @ weights
    return xp.mean((features - y[m]) ** 2) + 0.1 * xp.mean(features)


def test_numpy_gradients_go_through_the_vjp(data: dict[str, Any]) -> None:
    fn = losslang.compile(FEATURES, externs={"feat": (linear, linear_vjp)})
    out, gradients = fn.value_and_grad(("x", "k"))(**data)
    assert out.total == pytest.approx(truth(WEIGHTS, **data, xp=np))
    step = 1e-6
    for place in ((0, 1), (3, 2), (2, 0)):
        moved = {**data, "x": data["x"].copy()}
        moved["x"][place] += step
        slope = (fn(**moved).total - out.total) / step
        assert gradients["x"][place] == pytest.approx(slope, abs=1e-4)
    slope = (fn(**data, k=2 + step).total - out.total) / step
    assert gradients["k"] == pytest.approx(slope, abs=1e-4)


def test_equal_calls_are_made_once(data: dict[str, Any]) -> None:
    calls = []

    def counted(x: np.ndarray) -> np.ndarray:
        calls.append(x)
        return linear(x)

    losslang.compile(FEATURES, externs={"feat": counted})(**data)
    assert len(calls) == 1 and np.isfinite(calls[0]).all()


def test_numpy_without_vjp(data: dict[str, Any]) -> None:
    fn = losslang.compile(FEATURES, externs={"feat": linear})
    assert np.isfinite(fn(**data).total)
    assert set(fn.value_and_grad("y")(**data)[1]) == {"y"}
    with pytest.raises(InputError, match="vjp"):
        fn.value_and_grad("x")(**data)


def test_a_vjp_must_fit(data: dict[str, Any]) -> None:
    for vjp, told in (
        (lambda ct, x: (ct,), "shaped like"),
        (lambda ct, x: (None, None), "1 cotangents, not 2"),
    ):
        fn = losslang.compile(FEATURES, externs={"feat": (linear, vjp)})
        with pytest.raises(InputError, match=told):
            fn.value_and_grad("x")(**data)


def test_torch_trains_what_is_captured(data: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(3, 2, bias=False).double()
    layer.weight.data = torch.tensor(WEIGHTS.T.copy())
    fn = losslang.compile(FEATURES, "torch", externs={"feat": layer})
    given = {name: torch.tensor(value) for name, value in data.items()}
    given["x"].requires_grad_()
    fn(**given).total.backward()
    weights = torch.tensor(WEIGHTS, requires_grad=True)
    x = torch.tensor(data["x"], requires_grad=True)
    truth(weights, x, given["y"], given["m"], torch).backward()
    assert torch.allclose(layer.weight.grad, weights.grad.T)
    assert torch.allclose(given["x"].grad[given["m"]], x.grad[given["m"]])
    assert (given["x"].grad[2] == 0).all()
    out, gradients = fn.value_and_grad("x")(**given)
    assert torch.equal(gradients["x"], given["x"].grad) and not out.total.requires_grad
    with torch.no_grad():
        assert not fn(**given).total.requires_grad


def test_torch_differentiates_twice() -> None:
    torch = pytest.importorskip("torch")
    text = (
        "extern f(x: real) : real\nloss a\n input x : real[n]\n term t = sum[n](exp(f(x^2)))\n minimize t\n"
    )
    fn = losslang.compile(text, "torch", externs={"f": torch.sin})
    x = torch.tensor([0.3, -1.2], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: fn(x).total, x)


def test_jax_trains_what_is_captured(data: dict[str, Any]) -> None:
    jax = pytest.importorskip("jax")
    held: dict[str, Any] = {}
    fn = losslang.compile(FEATURES, "jax", externs={"feat": lambda x: x @ held["w"]})

    def total(weights: Any) -> Any:
        held["w"] = weights
        return fn(**given).total

    with jax.enable_x64(True):
        given = {name: jax.numpy.asarray(value) for name, value in data.items()}
        expected = jax.grad(lambda w: truth(w, **data, xp=jax.numpy))(WEIGHTS)
        for gradient in (jax.grad(total), jax.jit(jax.grad(total))):
            assert np.allclose(gradient(WEIGHTS), expected)
        held["w"] = WEIGHTS
        _, gradients = fn.value_and_grad("x")(**given)
        x = jax.jit(jax.grad(lambda x: fn(**{**given, "x": x}).total))(given["x"])
        whole = losslang.compile(FEATURES, externs={"feat": (linear, linear_vjp)})
        reference = whole.value_and_grad("x")(**data)[1]["x"]
        assert np.allclose(gradients["x"], reference) and np.allclose(x, reference)


def _chain(xp: Any) -> dict[str, Any]:
    return {"inner": lambda x: x**3, "outer": lambda x, w: xp.stack([(x * w).sum(-1), x.sum(-1)], -1)}


def test_externs_of_externs_agree() -> None:
    """The axis e has the length that the host gives it; w comes without the axis that rides along."""
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(4, 3)), rng.normal(size=3)
    numpy = {
        "inner": (lambda x: x**3, lambda ct, x: (3 * x**2 * ct,)),
        "outer": (
            _chain(np)["outer"],
            lambda ct, x, w: (ct[:, :1] * w + ct[:, 1:], (ct[:, :1] * x).sum(0)),
        ),
    }
    fn = losslang.compile(CHAIN, externs=numpy)
    out, gradients = fn.value_and_grad()(x, w)
    assert out.reports["size_of_e"] == 2
    tensors = [torch.tensor(each, requires_grad=True) for each in (x, w)]
    losslang.compile(CHAIN, "torch", externs=_chain(torch))(*tensors).total.backward()
    with jax.enable_x64(True):
        other = losslang.compile(CHAIN, "jax", externs=_chain(jax.numpy))
        found = jax.grad(lambda x, w: other(x, w).total, (0, 1))(x, w)
    for name, tensor, array in zip(("x", "w"), tensors, found, strict=True):
        assert np.allclose(gradients[name], on_host(tensor.grad)) and np.allclose(gradients[name], array)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_integers_and_booleans_have_no_gradient(backend: str) -> None:
    xp = pytest.importorskip({"numpy": "numpy", "torch": "torch", "jax": "jax.numpy"}[backend])
    text = (
        "extern nearest[c](z: real[c]) : label of c\nextern fine(x: real) : mask\n"
        "loss a\n input z : real[n, c]\n"
        " term t = mean[n where fine(z[c = 0])](z[c = nearest[c](z)])\n minimize t\n"
    )
    externs = {"nearest": lambda z: xp.argmin(z, -1), "fine": lambda x: x > 0}
    fn = losslang.compile(text, backend, externs=externs)
    z = np.array([[1.0, -2.0], [-3.0, 4.0], [0.5, 7.0]], np.float32)
    out, gradients = fn.value_and_grad()(xp.asarray(z))
    assert float(out.total) == pytest.approx((-2 + 0.5) / 2)
    assert np.allclose(on_host(gradients["z"]), [[0, 0.5], [0, 0], [0.5, 0]])
    assert fn(xp.asarray(z), validate=True).total == out.total


def test_nothing_flows_through_stop(data: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    text = (
        "extern target[d](x: real[d]) : real[d]\nloss a\n input x : real[n, d]\n"
        " term t = mean[n, d]((x - stop(target[d](x)))^2)\n minimize t\n"
    )
    x = data["x"][:2]
    _, gradients = losslang.compile(text, externs={"target": np.sin}).value_and_grad()(x)
    assert np.allclose(gradients["x"], 2 * (x - np.sin(x)) / x.size)
    layer = torch.nn.Linear(3, 3).double()
    seen = []

    def target(x: Any) -> Any:
        seen.append(torch.is_grad_enabled())
        return layer(x)

    given = torch.tensor(x, requires_grad=True)
    losslang.compile(text, "torch", externs={"target": target})(given).total.backward()
    assert seen == [False] and layer.weight.grad is None and given.grad is not None


def test_mistakes_are_told(data: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r'externs=\{"feat": \(fn, vjp\)\}.*\[n, d\].*\[n, e\]'):
        losslang.compile(FEATURES)
    with pytest.raises(InputError, match="did you mean `feat`"):
        losslang.compile(FEATURES, externs={"feat": linear, "fate": linear})
    with pytest.raises(InputError, match="should be a function"):
        losslang.compile(FEATURES, externs={"feat": 3})
    for result, told in (
        (lambda x: x, "`feat.….` has 3 along `e`, but `e` is 2 in `y`"),
        (lambda x: x[0], "should have 2 axes"),
        (lambda x: np.zeros((4, 2), int), "floating numbers, not an array of int64"),
        (lambda x: [1.0], "a NumPy array, not a list"),
    ):
        with pytest.raises(InputError, match=told):
            losslang.compile(FEATURES, externs={"feat": result})(**data)


def test_pairs_are_for_numpy() -> None:
    pytest.importorskip("torch")
    with pytest.raises(InputError, match="by itself"):
        losslang.compile(FEATURES, "torch", externs={"feat": (linear, linear_vjp)})


def test_a_loss_with_externs_travels_with_its_functions(data: dict[str, Any]) -> None:
    fn = losslang.compile(FEATURES, externs={"feat": (linear, linear_vjp)})
    again = pickle.loads(pickle.dumps(fn))
    assert again(**data).total == fn(**data).total


def test_the_source_shows_what_the_host_is_given() -> None:
    fn = losslang.compile(FEATURES, externs={"feat": linear})
    assert "def arguments_of_feat_1(x, y, m, k, real):" in fn.source
    assert "def value(x, y, m, k, feat, real):" in fn.source
    assert str(called_by(losslang.load(FEATURES).elaborate("a"))[0]) == (
        "arrays over [n, d] in, an array over [n, e] out"
    )


def test_no_module_of_its_own() -> None:
    from losslang.standalone import module_text

    with pytest.raises(InputError, match="extern `feat`"):
        module_text(losslang.load(FEATURES).elaborate("a"), "numpy")

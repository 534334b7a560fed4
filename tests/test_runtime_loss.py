"""The compiled loss on NumPy: outputs, types, gradients, text, pickling, threads."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from runtime_samples import kinds, language_model, quadratic

from losslang.compiler import from_lowered
from losslang.errors import InputError, MissingBackend

RNG = np.random.default_rng(0)


def arguments(dtype=np.float64):
    return {
        "logits": RNG.normal(size=(4, 5)).astype(dtype),
        "tokens": np.array([0, 1, 4, -100]),
        "real": np.array([True, True, False, True]),
        "table": RNG.normal(size=(3, 2)).astype(dtype),
    }


@pytest.fixture(scope="module")
def fn():
    return from_lowered(language_model(), "numpy")


def test_values_by_hand(fn) -> None:
    given = arguments()
    out = fn(**given)
    logs = given["logits"] - np.log(np.exp(given["logits"]).sum(1, keepdims=True))
    nll = -(logs[0, 0] + logs[1, 1]) / 2
    assert out.terms["nll"] == pytest.approx(nll)
    assert out.weighted["reg"] == pytest.approx(0.1 * (given["table"] ** 2).sum())
    assert sum(out.weighted.values()) == pytest.approx(out.total)
    assert out.reports["right"].dtype == bool and out.reports["surprise"].shape == (4,)


def test_the_offset_is_a_weighted_part() -> None:
    out = from_lowered(quadratic(), "numpy")(np.zeros((2, 2)), np.ones((2, 2)))
    assert out.weighted == {"gap": 16.0, "offset": 1.0} and out.total == 17.0 and out.terms == {"gap": 8.0}


def test_gradients_match_differences(fn) -> None:
    given = arguments()
    _, gradients = fn.value_and_grad(wrt=("logits", "decay"))(**given, decay=0.3)
    for place in [(0, 0), (1, 3), (2, 1), (3, 0)]:
        ends = []
        for sign in (1, -1):
            moved = dict(given, logits=given["logits"].copy())
            moved["logits"][place] += sign * 1e-6
            ends.append(fn(**moved, decay=0.3).total)
        assert gradients["logits"][place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)
    assert gradients["decay"] == pytest.approx((given["table"] ** 2).sum())


def test_gradients_by_default_and_in_their_types(fn) -> None:
    given = arguments()
    given["table"] = given["table"].astype(np.float16)
    out, gradients = fn.value_and_grad()(**given)
    assert list(gradients) == ["logits", "table"]
    assert out.total.dtype == np.float64
    assert gradients["logits"].dtype == np.float64 and gradients["table"].dtype == np.float16
    assert gradients["table"].shape == (3, 2)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ({}, np.float32),
        ({"logits": np.float64}, np.float64),
        ({"logits": np.float16, "table": np.float16}, np.float32),
        ({"real": np.float64, "tokens": np.float64}, np.float32),
    ],
)
def test_the_computing_type(fn, types, expected) -> None:
    given = arguments(np.float32)
    for name, dtype in types.items():
        given[name] = given[name].astype(dtype)
    out = fn(**given)
    assert out.total.dtype == out.terms["nll"].dtype == out.reports["surprise"].dtype == expected


def test_weights_and_counts_do_not_decide_the_type() -> None:
    given = {
        "probability": np.full((2, 2), 0.5, np.float32),
        "scale": np.ones(2, np.float32),
        "answer": [0, 1],
        "kept": [1, 1],
    }
    wide = {name: np.ones(2) for name in ("hit", "side", "clicks", "weight")}
    assert from_lowered(kinds(), "numpy")(**given, **wide).total.dtype == np.float32


def test_gradients_that_do_not_exist(fn) -> None:
    for name in ("tokens", "real", "tabel"):
        with pytest.raises(InputError):
            fn.value_and_grad(wrt=name)
    whole = from_lowered(quadratic(), "numpy").value_and_grad(wrt=("x",))
    with pytest.raises(InputError, match="integers"):
        whole(np.ones((2, 2), int), np.ones((2, 2)))


def test_the_source_is_what_runs(fn) -> None:
    fn(**arguments())
    program = fn._only
    for function in (program.fused.value(), program.fused.value_and_gradient(program.default_wrt)):
        assert inspect.getsource(function).strip() in fn.source


def test_what_can_be_read(fn) -> None:
    assert fn.inputs["logits"] == "logit[batch, vocab] over vocab"
    assert fn.hypers == {"z_weight": 1e-2, "decay": 1e-1}
    assert fn.terms == ("nll", "z_loss", "reg") and fn.reports == ("right", "surprise")
    assert fn.name == "language_model" and fn.doc == "Next-token cross-entropy."
    assert list(inspect.signature(fn).parameters)[:5] == ["logits", "tokens", "real", "table", "z_weight"]
    assert "logit[batch, vocab]" in fn.__doc__ and "language_model(" in repr(fn)


def test_outputs_can_be_read_and_pickled(fn) -> None:
    out = fn(**arguments())
    assert repr(out).startswith("Output(total=") and "'right': <bool[4]>" in repr(out)
    assert pickle.loads(pickle.dumps(out)).terms == out.terms


def test_copies(fn) -> None:
    text = "loss a\n  input x : real[n]\n  hyper k : real = 2.0\n  term t = mean[n](k * x^2)\n  minimize t\n"
    import losslang

    compiled = losslang.compile(text, hyper={"k": 3.0})
    for other in (pickle.loads(pickle.dumps(compiled)), copy.deepcopy(compiled)):
        assert other(x=[1.0, 2.0]).total == compiled(x=[1.0, 2.0]).total == 7.5


def test_many_threads_at_once() -> None:
    fn = from_lowered(language_model(), "numpy")
    given = arguments()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fn.value_and_grad()(**given)[0].total, range(32)))
    assert set(found) == {fn(**given).total}


def test_a_missing_backend_says_what_to_install(monkeypatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingBackend, match=r"losslang\[jax\]"):
        from_lowered(language_model(), "jax")


def test_importing_is_light() -> None:
    heavy = ["numpy", "torch", "jax", "mpmath", "lark", "pydantic"]
    code = f"import sys, losslang; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_collections_and_packs() -> None:
    import losslang

    text = (
        "loss a\n  input x : real[batch, *pixel]\n  input theta : parameters\n  hyper k : real >= 0 = 0.5\n"
        '  term t = mean[batch](sum[*pixel](x^2))\n  term r = l2(theta matching "*.weight")\n'
        "  minimize t + k * r\n"
    )
    fn = losslang.compile(text)
    theta = {"a": {"weight": np.ones((2, 2)), "bias": np.ones(2)}, "b": [np.full(3, 2.0)]}
    for shape in ((2, 3), (2, 3, 4)):
        out, gradients = fn.value_and_grad()(x=np.ones(shape), theta=theta)
        assert out.terms["t"] == np.prod(shape[1:]) and gradients["x"].shape == shape
        assert np.all(gradients["theta"]["a"]["weight"] != 0)
        assert np.all(gradients["theta"]["a"]["bias"] == 0) and isinstance(gradients["theta"]["b"], list)
    with pytest.raises(InputError, match="theta"):
        fn(x=np.ones((2, 2)), theta="all")
    with pytest.raises(InputError, match="x"):
        fn(x=np.float64(1.0), theta=theta)


@pytest.mark.parametrize("stage", ["model", "graph", "rewritten", "gradients", "source"])
def test_every_stage_can_be_shown(stage) -> None:
    from losslang.compiler import dump

    text = "loss a\n  input x : real[n]\n  term t = mean[n](x^2)\n  minimize t\n"
    shown = dump(text, stage)
    assert shown == dump(text, stage) and len(shown) > 50
    assert ("gradient x: %" in shown) == (stage == "gradients")
    with pytest.raises(InputError, match="did you mean `graph`"):
        dump(text, "graf")


def test_names_that_python_reserves() -> None:
    import losslang

    fn = losslang.compile(
        "loss a\n  input class : real[n]\n  input λ : positive[n]\n  term t = mean[n](λ * class^2)\n  minimize t\n"
    )
    assert fn(**{"class": [1.0, 2.0], "λ": [1.0, 1.0]}).total == 2.5
    assert list(inspect.signature(fn).parameters) == ["λ", "validate", "others"]


def test_the_source_holds_nothing_of_the_spec_but_names_and_numbers() -> None:
    import losslang

    text = (
        'loss a\n  "SECRET \'\'\' of the loss"\n  input x : real[n] "SECRET input"\n  hyper k : real = 2 "SECRET hyper"\n'
        '  term t = mean[n](k * x^2) "SECRET term"\n  minimize t\n'
    )
    for backend in ("numpy", "torch", "jax"):
        assert "SECRET" not in losslang.compile(text, backend).source
    theta = "loss a\n  input theta : parameters\n  term t = l2(theta)\n  minimize t\n"
    fn = losslang.compile(theta)
    fn(theta={'w"] #SECRET\n': np.ones(2), "b": np.ones(3)})
    assert '"]' not in fn.source and "#SECRET" not in fn.source

"""Modules written by ``losslang compile``: same numbers as the compiled loss, without losslang."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from placing import on_host

import losslang
from losslang.errors import InputError
from losslang.spec import Spec
from losslang.standalone.stages import Options, module, show

ROOT = Path(__file__).resolve().parent.parent
DIGITS = ROOT / "docs" / "examples" / "digits.loss"
BACKENDS = ("numpy", "torch", "jax")

SCHEDULED = """
axis q = 3
loss scheduled
  input x : real[n, q]
  input return : real[n]
  input keep : mask[n]
  hyper level : prob[q] = [0.1, 0.5, 0.9] along q
  hyper beta : real in [0, 1] = linear(0, 1, over = 10)
  hyper lambda : real >= 0 = 2
  term fit = mean[n, q where keep](quantile(x, return, level))
  term pull = mean[n where keep](sum[q](x^2))
  report worst = max[q](x)
  minimize beta * fit + lambda * pull + 0.5
"""


def built(spec: Spec, backend: str, **options: Any) -> ModuleType:
    """The module, loaded."""
    made = ModuleType("standalone")
    exec(compile(module(spec, Options(backend, **options)), "standalone", "exec"), made.__dict__)
    return made


def arrays(backend: str, values: dict[str, Any]) -> dict[str, Any]:
    if backend == "torch":
        import torch

        return {name: torch.tensor(np.asarray(value)) for name, value in values.items()}
    return values


def batch() -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {
        "logits": random.normal(size=(6, 10)).astype(np.float32),
        "digit": random.integers(0, 10, 6),
        "weight": random.normal(size=(4, 10)).astype(np.float32),
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_same_numbers_as_the_compiled_loss(backend: str) -> None:
    values = arrays(backend, batch())
    spec = Spec.load(DIGITS)
    out, grads = losslang.compile(spec, backend=backend).value_and_grad()(**values, decay=0.5)
    found, found_grads = built(spec, backend).value_and_grad(**values, decay=0.5)
    assert float(found["total"]) == pytest.approx(float(out.total), rel=1e-6)
    for part in ("terms", "weighted", "reports"):
        told = {name: float(value) for name, value in getattr(out, part).items()}
        assert {name: float(value) for name, value in found[part].items()} == pytest.approx(told, rel=1e-6)
    for name, gradient in grads.items():
        assert str(found_grads[name].dtype) == str(gradient.dtype)
        np.testing.assert_allclose(on_host(found_grads[name]), on_host(gradient), rtol=1e-5, atol=1e-7)


def test_torch_total_is_differentiable() -> None:
    import torch

    values = arrays("torch", batch())
    made = built(Spec.load(DIGITS), "torch")
    _, grads = made.value_and_grad(**values)
    values["logits"].requires_grad_()
    out = made.value(**values)
    (3 * out["total"]).backward()
    torch.testing.assert_close(values["logits"].grad, 3 * grads["logits"])
    assert not out["terms"]["nll"].requires_grad
    with torch.no_grad():
        assert not made.value(**values)["total"].requires_grad


def test_jax_total_is_differentiable_under_jit() -> None:
    import jax
    import jax.numpy as jnp

    values = {name: jnp.asarray(value) for name, value in batch().items()}
    made = built(Spec.load(DIGITS), "jax")
    _, grads = made.value_and_grad(**values)
    found = jax.jit(jax.grad(lambda x: made.value(**{**values, "logits": x})["total"]))(values["logits"])
    np.testing.assert_allclose(found, grads["logits"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("backend", BACKENDS)
def test_schedules_arrays_and_reserved_names(backend: str) -> None:
    spec = Spec.load(SCHEDULED)
    made = built(spec, backend)
    random = np.random.default_rng(1)
    values = {
        "x": random.normal(size=(4, 3)),
        "return": random.normal(size=4),
        "keep": np.array([1, 0, 1, 1], bool),
    }
    values = arrays(
        backend, {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in values.items()}
    )
    expected = losslang.compile(spec, backend=backend)(**values, step=5)
    renamed = {("return_" if name == "return" else name): value for name, value in values.items()}
    found = made.value(**renamed, step=5, lambda_=2)
    assert float(found["total"]) == pytest.approx(float(expected.total), rel=1e-6)
    assert float(found["weighted"]["offset"]) == 0.5
    assert tuple(found["reports"]["worst"].shape) == (4,)
    with pytest.raises(ValueError, match="beta follows a schedule: give step="):
        made.value(**renamed)
    assert float(made.value(**renamed, beta=0.5)["total"]) == pytest.approx(float(expected.total), rel=1e-6)


def test_wrong_shapes_are_named() -> None:
    made = built(Spec.load(DIGITS), "numpy")
    with pytest.raises(
        ValueError, match=r"logits should have the axes \[example, class\], not the shape \(10,\)"
    ):
        made.value(**{**batch(), "logits": np.zeros(10)})
    with pytest.raises(ValueError, match="the axis example has size 6 elsewhere, but 5 in digit"):
        made.value(**{**batch(), "digit": np.zeros(5, int)})


def test_double_precision_follows_the_inputs() -> None:
    made = built(Spec.load(DIGITS), "numpy")
    wide = {**batch(), "logits": batch()["logits"].astype(np.float64)}
    out, grads = made.value_and_grad(**wide)
    assert out["total"].dtype == np.float64
    assert (grads["logits"].dtype, grads["weight"].dtype) == (np.float64, np.float32)


def test_overrides_change_defaults_and_are_checked() -> None:
    spec = Spec.load(DIGITS)
    assert "decay=0.25" in module(spec, Options(overrides={"decay": 0.25}))
    with pytest.raises(InputError, match="decay"):
        module(spec, Options(overrides={"decay": -1}))


def test_any_number_of_axes_needs_a_rank() -> None:
    spec = Spec.load("loss a\n input w : parameter[*]\n term t = l2(w)\n minimize t\n")
    with pytest.raises(InputError, match="--rank w=2"):
        module(spec, Options())
    from losslang.lowered import Signature

    made = built(spec, "numpy", signature=Signature(ranks=(("w", 2),)))
    assert float(made.value(np.ones((2, 3)))["total"]) == 6


def test_a_collection_is_refused_with_the_way_out() -> None:
    spec = Spec.load("loss a\n input theta : parameters\n term t = l2(theta)\n minimize t\n")
    with pytest.raises(InputError, match=r"use losslang\.compile"):
        module(spec, Options())


def test_a_loss_without_gradients_has_only_a_value() -> None:
    spec = Spec.load("loss a\n input y : mask[n]\n term t = mean[n](y)\n minimize t\n")
    for backend in BACKENDS:
        made = built(spec, backend)
        assert float(made.value(arrays(backend, {"y": np.array([True, False])})["y"])["total"]) == 0.5
        assert not hasattr(made, "value_and_grad")


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_name_is_defined_twice(backend: str) -> None:
    for path in sorted((ROOT / "specs").glob("*.loss"))[:6]:
        spec = Spec.load(path)
        tree = ast.parse(_module_or_empty(spec, backend))
        names = [n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        assert len(names) == len(set(names)), path


def _module_or_empty(spec: Spec, backend: str) -> str:
    try:
        return module(spec, Options(backend, loss=spec.losses()[0]))
    except InputError:
        return ""


def test_the_module_imports_its_backend_only(tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(module(Spec.load(DIGITS), Options("numpy")), encoding="utf-8")
    code = (
        "import made, sys; print([m for m in ('losslang', 'torch', 'jax', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_every_stage_can_be_shown() -> None:
    spec = Spec.load(DIGITS)
    told = {
        stage: show(spec, Options(), stage)
        for stage in ("model", "graph", "rewritten", "gradients", "source")
    }
    assert told["model"].startswith("{")
    assert "softmax" in told["graph"] and "total: %" in told["graph"]
    assert "gradient logits: %" in told["gradients"]
    assert "def value_and_gradient(" in told["source"]
    assert len(set(told.values())) == 5


def test_a_function_of_the_host_is_refused() -> None:
    spec = Spec.load(
        "extern f(x: real) : real\nloss a\n input x : real[n]\n term t = mean[n](f(x)^2)\n minimize t\n"
    )
    with pytest.raises(InputError, match="calls the extern `f`"):
        module(spec, Options())

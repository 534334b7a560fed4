"""What may lose digits is evaluated in double precision, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from placing import on_host

import losslang

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

DOUBTFUL = """
loss doubtful
  input p : logit[i]
  input q : positive[i]
  input y : binary[i]
  term overlap = dice(sigmoid(p), y)
  term other   = mean[i](log(q^2 + q^4) - tanh(p) / p)
  report each  = q^2 - sqrt(1 + q^4)
  minimize overlap + 0.1 * other
"""

NATIVE = {
    "cross-entropy": ("z : logit[i, c] over c; y : label[i] of c", "mean[i](-log(softmax[c](z))[c = y])"),
    "smoothed": ("z : logit[i, c] over c; y : label[i] of c", "mean[i](cross_entropy(z, y, 0.1))"),
    "coin": ("z : logit[i]; y : binary[i]", "mean[i](binary_cross_entropy(z, y))"),
    "focal": ("z : logit[i]; y : binary[i]", "mean[i](sigmoid_focal(z, y))"),
    "squared error": ("a : real[i]; b : real[i]", "mean[i]((a - b)^2)"),
    "huber": ("a : real[i]; b : real[i]", "mean[i](huber(a, b))"),
    "gaussian": ("m : real[i]; v : positive[i]; a : real[i]", "mean[i](gaussian_nll(m, v, a))"),
    "variational": ("m : real[i, d]; v : real[i, d]", "mean[i](gaussian_kl[d](m, v))"),
    "contrastive": ("u : embedding[n, d]; v : embedding[n, d]", "mean[n](info_nce[n, d](u, v, 0.1))"),
    "preferences": ("a : real[i]; b : real[i]", "mean[i](-log(sigmoid(0.1 * (a - b))))"),
}  # fmt: skip


def arrays(dtype: type = np.float32) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    p, q = rng.normal(size=6), rng.uniform(0.1, 1.0, 6)
    return {"p": p.astype(dtype), "q": q.astype(dtype), "y": np.array([0, 1, 1, 0, 1, 0])}


def framework(backend: str, given: dict[str, np.ndarray]) -> dict[str, object]:
    make = {"numpy": np.asarray, "torch": torch.as_tensor, "jax": jnp.asarray}[backend]
    return {name: make(array) for name, array in given.items()}


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_digits_are_kept_and_types_stay(backend: str) -> None:
    given = arrays()
    given["q"] = np.array([1e-4, 1e-3, 1.0, 10.0, 100.0, 1000.0], np.float32)
    out, gradients = losslang.compile(DOUBTFUL, backend=backend).value_and_grad()(**framework(backend, given))
    q = given["q"].astype(np.longdouble)
    true = -1 / (np.sqrt(1 + q**4) + q**2)
    np.testing.assert_allclose(on_host(out.reports["each"]).astype(np.float64), np.float64(true), rtol=2e-7)
    assert {str(x.dtype).split(".")[-1] for x in (out.total, *gradients.values())} == {"float32"}


@pytest.mark.parametrize("name", NATIVE)
def test_what_is_safe_stays_in_the_computing_type(name: str) -> None:
    inputs, term = NATIVE[name]
    lines = [f"  input {each.strip()}" for each in inputs.split(";")]
    spec = "\n".join(["loss safe", *lines, f"  term t = {term}", "  minimize t"])
    fn = losslang.compile(spec, backend="torch")
    assert "_double(" not in fn.source
    assert "double_precision" not in {each.rule for each in fn.substitutions}


def test_what_is_widened_is_told() -> None:
    told = [each for each in losslang.compile(DOUBTFUL).substitutions if each.rule == "double_precision"]
    assert any(each.before.startswith("log(q^2") for each in told)
    assert any(each.places for each in told)


def test_torch_differentiates_twice_compiles_and_maps() -> None:
    fn = losslang.compile(DOUBTFUL, backend="torch")
    assert "_double(" in fn.source

    def total(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return fn(p=p, q=q, y=torch.tensor([0, 1, 1, 0, 1, 0])).total

    exact = [torch.tensor(arrays(np.float64)[k], requires_grad=True) for k in "pq"]
    assert torch.autograd.gradcheck(total, exact) and torch.autograd.gradgradcheck(total, exact)
    p, q = (torch.tensor(arrays()[k], requires_grad=True) for k in "pq")
    slopes = torch.autograd.grad(total(p, q), (p, q), create_graph=True)
    curvature = torch.autograd.grad(slopes[0].sum() + slopes[1].sum(), (p, q))
    assert all(c.dtype == torch.float32 and c.isfinite().all() for c in curvature)
    mapped = torch.func.vmap(torch.func.grad(lambda each: total(each, q.detach())))(
        torch.stack([p, -p]).detach()
    )
    torch.testing.assert_close(mapped[0], slopes[0].detach())


@pytest.mark.parametrize("x64", [False, True])
def test_jax_transforms_with_and_without_x64(x64: bool) -> None:
    fn = losslang.compile(DOUBTFUL, backend="jax")
    given = framework("jax", arrays())
    expected = losslang.compile(DOUBTFUL).value_and_grad(wrt=("p",))(**arrays())[1]["p"]

    def total(p: object) -> object:
        return fn(**{**given, "p": p}).total

    with jax.enable_x64(x64):
        p = given["p"]
        for slope in (jax.grad(total), jax.jit(jax.grad(total)), jax.grad(jax.checkpoint(total))):
            np.testing.assert_allclose(slope(p), expected, rtol=1e-5)
            assert slope(p).dtype == jnp.float32
        assert np.isfinite(jax.jit(jax.hessian(total))(p)).all()
        batch = jnp.stack([p, p])
        np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(total)))(batch)[1], expected, rtol=1e-5)
        assert jax.lax.map(total, batch).dtype == jnp.float32

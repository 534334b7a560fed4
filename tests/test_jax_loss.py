"""A compiled loss among JAX's transformations, to the second order."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from runtime_samples import language_model

jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402

import losslang  # noqa: E402
from losslang.compiler import from_lowered  # noqa: E402
from losslang.errors import InputError  # noqa: E402
from losslang.lowered import Schedule  # noqa: E402
from losslang.runtime.results import Output  # noqa: E402

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(4, 5)).astype(np.float32)
TABLE = RNG.normal(size=(3, 2)).astype(np.float32)
FIXED = {"tokens": np.array([0, 1, 4, -100]), "real": np.array([True, True, False, True])}


@pytest.fixture(scope="module")
def fn():
    return from_lowered(language_model(), "jax")


def textbook(logits, table, decay=0.1):
    logs = jax.nn.log_softmax(logits[:2], -1)
    lse = jax.nn.logsumexp(logits[:2], -1)
    return -(logs[0, 0] + logs[1, 1]) / 2 + 1e-2 * (lse**2).mean() + decay * (table**2).sum()


def total(fn):
    return lambda logits, table, decay=0.1: fn(logits=logits, table=table, decay=decay, **FIXED).total


def close(a, b, tolerance=1e-5) -> None:
    jax.tree_util.tree_map(lambda x, y: np.testing.assert_allclose(x, y, tolerance, tolerance), a, b)


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: f,
        jax.jit,
        lambda f: jax.grad(f, (0, 1, 2)),
        lambda f: jax.jit(jax.value_and_grad(f, (0, 1))),
        lambda f: jax.jacrev(f, (0, 2)),
        lambda f: jax.jacfwd(f, (0, 1)),
        lambda f: jax.hessian(f, (0, 1, 2)),
        lambda f: jax.jit(jax.hessian(f, (0,))),
        lambda f: jax.jacrev(jax.jacrev(f)),
        lambda f: jax.jacfwd(jax.jacfwd(f)),
        lambda f: jax.grad(lambda x, t, d: (jax.grad(f)(x, t, d) ** 2).sum()),
        lambda f: lambda *a: jax.jvp(f, a, tuple(jnp.ones_like(x) for x in a)),
    ],
    ids=[
        "call",
        "jit",
        "grad",
        "value_and_grad",
        "jacrev",
        "jacfwd",
        "hessian",
        "jit-hessian",
        "revrev",
        "fwdfwd",
        "penalty",
        "jvp",
    ],
)
def test_transformations_match_the_textbook(fn, transform) -> None:
    inputs = (LOGITS, TABLE, 0.3)
    close(jax.jit(transform(total(fn)))(*inputs), jax.jit(transform(textbook))(*inputs))


def test_terms_and_reports(fn) -> None:
    function = lambda table: fn(logits=LOGITS, table=table, **FIXED)  # noqa: E731
    slopes = jax.jacrev(lambda table: function(table).terms)(TABLE)
    close(slopes, {"nll": 0 * TABLE, "z_loss": 0 * TABLE, "reg": 2 * TABLE})
    close(jax.hessian(lambda table: function(table).terms["reg"])(TABLE).reshape(6, 6), 2 * np.eye(6))
    close(jax.grad(lambda table: function(table).weighted["reg"])(TABLE), 0.2 * TABLE)
    surprise = lambda x: fn(logits=x, table=TABLE, **FIXED).reports["surprise"].sum()  # noqa: E731
    close(jax.grad(surprise)(LOGITS), 0 * LOGITS)


def test_vmap(fn) -> None:
    many = np.stack([TABLE, 2 * TABLE, 3 * TABLE])
    close(jax.vmap(jax.grad(lambda t: total(fn)(LOGITS, t)))(many), 0.2 * many)
    close(jax.grad(lambda m: jax.vmap(lambda t: total(fn)(LOGITS, t))(m).sum())(many), 0.2 * many)


def test_garbage_in_masked_places_stays_out_of_every_derivative(fn) -> None:
    logits = LOGITS.copy()
    logits[2], logits[3] = np.nan, np.inf
    clean = LOGITS.copy()
    clean[2:] = 0
    function = lambda x: total(fn)(x, TABLE)  # noqa: E731
    close(jax.grad(function)(logits), jax.grad(function)(clean))
    close(jax.hessian(function)(logits), jax.hessian(function)(clean))


def test_an_output_is_a_pytree(fn) -> None:
    out = jax.jit(lambda logits: fn(logits=logits, table=TABLE, **FIXED))(LOGITS)
    assert isinstance(out, Output) and out.reports["right"].shape == (4,)
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_flatten_with_path(out)[0]]
    assert ".total" in paths and ".terms['nll']" in paths
    assert "Output(total=" in repr(out)


def test_value_and_grad(fn) -> None:
    out, gradients = fn.value_and_grad(wrt=("table", "decay"))(LOGITS, **FIXED, table=TABLE)
    close(gradients, {"table": 0.2 * TABLE, "decay": (TABLE**2).sum()})
    close(out.total, total(fn)(LOGITS, TABLE))
    under = jax.jit(lambda t: fn.value_and_grad(wrt="table")(LOGITS, **FIXED, table=t)[1])(TABLE)
    close(under["table"], 0.2 * TABLE)
    half = TABLE.astype(jnp.bfloat16)
    assert fn.value_and_grad()(LOGITS, **FIXED, table=half)[1]["table"].dtype == jnp.bfloat16
    close(
        jax.jacrev(lambda t: fn.value_and_grad(wrt="table")(LOGITS, **FIXED, table=t)[1]["table"])(
            TABLE
        ).reshape(6, 6),
        0.2 * np.eye(6),
    )


def test_the_switch_for_64_bits(fn) -> None:
    wide = LOGITS.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fn(logits=wide, table=TABLE, **FIXED).total.dtype == jnp.float32
        with jax.enable_x64(True):
            out = fn(logits=wide, table=TABLE, **FIXED)
            assert out.total.dtype == jnp.float64
            assert fn(logits=LOGITS, table=TABLE, **FIXED).total.dtype == jnp.float32
            close(out.total, textbook(wide, TABLE.astype(np.float64)), 1e-12)


def test_hyper_tracers_and_schedules() -> None:
    fn = from_lowered(language_model(Schedule("linear", 0.0, 1.0, 10)), "jax")
    at = jax.jit(lambda step: fn(logits=LOGITS, table=TABLE, **FIXED, step=step).weighted["reg"])
    for step, share in ((-3, 0.0), (4, 0.4), (40, 1.0)):
        close(at(step), share * (TABLE**2).sum())
        close(fn(logits=LOGITS, table=TABLE, **FIXED, step=step).weighted["reg"], at(step))
    slope = jax.jit(jax.grad(lambda d: fn(logits=LOGITS, table=TABLE, **FIXED, decay=d).total))(0.3)
    close(slope, (TABLE**2).sum())


@pytest.mark.parametrize("value", [[[1.0]], "text", None, np.ones((3, 2)) * 1j, np.ones(3)])
def test_what_is_refused(fn, value) -> None:
    with pytest.raises(InputError) as caught:
        fn(logits=LOGITS, table=value, **FIXED)
    assert caught.value.input == "table"


def test_shapes_are_checked_while_tracing(fn) -> None:
    with pytest.raises(InputError, match="`real` has 3 along `batch`"):
        jax.jit(lambda x: fn(logits=x, table=TABLE, tokens=FIXED["tokens"], real=np.ones(3, bool)).total)(
            LOGITS
        )


def test_validation_sees_values_and_passes_over_tracers(fn) -> None:
    wrong = {**FIXED, "tokens": np.array([0, 9, 4, -100])}
    with pytest.raises(InputError, match="is 9 at"):
        fn(logits=LOGITS, table=TABLE, **wrong, validate=True)
    jax.jit(lambda x: fn(logits=x, table=TABLE, **wrong, validate=True).total)(LOGITS)


def test_pytrees_as_collections() -> None:
    import losslang

    fn = losslang.compile(
        'loss a\n  input theta : parameters\n  term r = l2(theta matching "*.weight")\n  minimize r\n', "jax"
    )
    theta = {"first": {"weight": TABLE, "bias": np.ones(2, np.float32)}, "rest": (np.ones(3, np.float32),)}
    grads = jax.grad(lambda t: fn(theta=t).total)(theta)
    _, mirrored = fn.value_and_grad()(theta=theta)
    close(grads, mirrored["theta"])
    close(
        grads["first"]["weight"] / TABLE, np.full((3, 2), float(grads["first"]["weight"][0, 0] / TABLE[0, 0]))
    )
    assert float(np.abs(grads["first"]["bias"]).sum()) == 0.0


@pytest.mark.parametrize(
    ("term", "inputs", "arrays"),
    [
        ("nll(x ~ von_mises(m, k))", "input m : real[i]\n  input k : positive[i]", {"m": [0.5, 1.0], "k": [1.0, 30.0]}),
        ("x - max[i](x)", "", {}),
    ],
)  # fmt: skip
def test_double_precision_is_lent_to_special_functions(
    term: str, inputs: str, arrays: dict[str, list[float]]
) -> None:
    text = f"loss lent\n  input x : real[i]\n  {inputs}\n  term t = mean[i]({term})\n  minimize t\n"
    given = {name: np.array(value, np.float32) for name, value in {"x": [1.0, 2.0], **arrays}.items()}
    out, grads = losslang.compile(text, backend="jax").value_and_grad()(**given)
    same, slopes = losslang.compile(text, backend="numpy").value_and_grad()(**given)
    np.testing.assert_allclose(out.total, same.total, rtol=1e-5)
    for name, slope in slopes.items():
        np.testing.assert_allclose(grads[name], slope, rtol=1e-4, atol=1e-6)


def test_the_maximum_of_rounded_products_is_no_less_than_the_products() -> None:
    """Of a product of 1e30, what rounding took is 1e22: its exponential would be infinite."""
    text = """
loss scaled
  input u : embedding[row, n, d]
  input v : embedding[row, n, d]
  input scale : positive[row]
  term out = mean[row, n](clip[n, d](u, v, scale))
  minimize out
"""
    rng = np.random.default_rng(1)
    u, v = (rng.normal(size=(2, 5, 4)).astype(np.float32) for _ in range(2))
    scale = np.array([1e30, 1e20], np.float32)
    out, gradients = losslang.compile(text, "jax").value_and_grad()(u=u, v=v, scale=scale)
    wanted = losslang.compile(text)(u=u, v=v, scale=scale)
    np.testing.assert_allclose(out.total, wanted.total, rtol=1e-5)
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())

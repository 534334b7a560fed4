"""A compiled loss among PyTorch's machinery: autograd to the second order, torch.func, torch.compile, autocast."""

from __future__ import annotations

import pickle

import pytest
from placing import DEVICE
from runtime_samples import language_model, quadratic

torch = pytest.importorskip("torch")

from losslang.compiler import from_lowered  # noqa: E402
from losslang.errors import InputError  # noqa: E402
from losslang.lowered import Schedule  # noqa: E402
from losslang.runtime.results import Output  # noqa: E402


@pytest.fixture(scope="module")
def fn():
    return from_lowered(language_model(), "torch")


def arguments(dtype=torch.float64, grad=True):
    generator = torch.Generator(DEVICE).manual_seed(0)
    return {
        "logits": torch.randn(4, 5, dtype=dtype, generator=generator).requires_grad_(grad),
        "tokens": torch.tensor([0, 1, 4, -100]),
        "real": torch.tensor([True, True, False, True]),
        "table": torch.randn(3, 2, dtype=dtype, generator=generator).requires_grad_(grad),
    }


def call(fn, given, choose=lambda out: out.total):
    """The loss as a function of logits, table and decay."""
    return lambda logits, table, decay: choose(fn(logits, given["tokens"], given["real"], table, decay=decay))


def textbook(logits, table, decay):
    logs = torch.log_softmax(logits[:2], -1)
    lse = torch.logsumexp(logits[:2], -1)
    return -(logs[0, 0] + logs[1, 1]) / 2 + 1e-2 * (lse**2).mean() + decay * (table**2).sum()


@pytest.mark.parametrize(
    "choose",
    [
        lambda out: out.total,
        lambda out: out.terms["z_loss"],
        lambda out: out.weighted["reg"],
        lambda out: out.total + 2 * out.terms["nll"],
    ],
    ids=["total", "term", "weighted", "both"],
)
def test_first_and_second_derivatives(fn, choose) -> None:
    given = arguments()
    decay = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    inputs = (given["logits"], given["table"], decay)
    assert torch.autograd.gradcheck(call(fn, given, choose), inputs)
    assert torch.autograd.gradgradcheck(call(fn, given, choose), inputs)


def test_matches_the_textbook(fn) -> None:
    given = arguments()
    decay = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    inputs = (given["logits"], given["table"], decay)
    mine, theirs = call(fn, given)(*inputs), textbook(*inputs)
    assert torch.allclose(mine, theirs)
    for a, b in zip(torch.autograd.grad(mine, inputs), torch.autograd.grad(theirs, inputs), strict=True):
        assert torch.allclose(a, b)


def test_garbage_in_masked_places_stays_out_of_every_derivative(fn) -> None:
    given = arguments(grad=False)
    logits = given["logits"].clone()
    logits[2] = torch.nan
    logits[3] = torch.inf
    logits.requires_grad_()
    out = fn(**{**given, "logits": logits})
    (first,) = torch.autograd.grad(out.total, logits, create_graph=True)
    (second,) = torch.autograd.grad((first * first).sum(), logits)
    assert torch.isfinite(first).all() and torch.isfinite(second).all()
    assert (first[2:] == 0).all() and (second[2:] == 0).all() and (second[:2] != 0).all()


def test_only_what_is_asked_for_gets_a_gradient(fn) -> None:
    given = arguments()
    given["logits"] = given["logits"].detach()
    out = fn(**given)
    out.total.backward()
    assert torch.allclose(given["table"].grad, 0.2 * given["table"])
    assert not out.reports["surprise"].requires_grad and not out.reports["right"].requires_grad


def test_backward_twice_and_through_a_model(fn) -> None:
    given = arguments()
    hidden = torch.randn(4, 3, dtype=torch.float64)
    head = torch.nn.Linear(3, 5, dtype=torch.float64)
    out = fn(**{**given, "logits": head(hidden)})
    out.total.backward(retain_graph=True)
    once = head.weight.grad.clone()
    (3 * out.total).backward()
    assert torch.allclose(head.weight.grad, 4 * once)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients(fn, mode) -> None:
    given = arguments()
    expected = fn(**given).total
    with mode():
        out = fn(**given)
    assert not out.total.requires_grad and torch.equal(out.total, expected.detach())


def test_types_and_layouts(fn) -> None:
    given = arguments(torch.float32, grad=False)
    expected = fn(**given).total
    assert expected.dtype == torch.float32
    odd = dict(given)
    odd["logits"] = given["logits"].t().contiguous().t()
    odd["real"] = given["real"].double()
    odd["tokens"] = given["tokens"].to(torch.int32)
    assert torch.allclose(fn(**odd).total, expected)
    half = {**given, "table": torch.ones((), dtype=torch.bfloat16).expand(3, 2).requires_grad_()}
    out = fn(**half)
    (slope,) = torch.autograd.grad(out.total, half["table"])
    assert out.total.dtype == torch.float32 and slope.dtype == torch.bfloat16 and slope.shape == (3, 2)
    assert fn(**{**given, "table": given["table"].double()}).total.dtype == torch.float64


def test_autocast_changes_nothing(fn) -> None:
    given = arguments(torch.float32)
    plain = fn(**given).total
    with torch.autocast(torch.device(DEVICE).type, dtype=torch.bfloat16):
        out = fn(**given).total
        out.backward()
    assert out.dtype == torch.float32 and torch.equal(out, plain)


def test_value_and_grad(fn) -> None:
    given = arguments(grad=False)
    out, gradients = fn.value_and_grad(wrt=("table", "decay"))(**given)
    assert list(gradients) == ["table", "decay"] and not out.total.requires_grad
    assert torch.allclose(gradients["table"], 0.2 * given["table"])
    assert torch.allclose(gradients["decay"], (given["table"] ** 2).sum())


def test_transforms(fn) -> None:
    given = arguments(grad=False)
    inputs = (given["logits"], given["table"], torch.tensor(0.1, dtype=torch.float64))
    function, argnums = call(fn, given), (0, 1, 2)
    for mine, theirs in zip(
        torch.func.grad(function, argnums)(*inputs), torch.func.grad(textbook, argnums)(*inputs), strict=True
    ):
        assert torch.allclose(mine, theirs)
    many = torch.randn(6, 3, 2, dtype=torch.float64)
    slopes = torch.vmap(torch.func.grad(function, 1), (None, 0, None))(inputs[0], many, inputs[2])
    assert torch.allclose(slopes, 0.2 * many)
    outside = torch.func.grad(lambda m: torch.vmap(lambda t: function(inputs[0], t, inputs[2]))(m).sum())(
        many
    )
    assert torch.allclose(outside, 0.2 * many)
    curved = torch.func.jacrev(torch.func.jacrev(function))(*inputs)
    assert torch.allclose(curved, torch.func.hessian(textbook)(*inputs))
    each = torch.vmap(lambda t: fn(inputs[0], given["tokens"], given["real"], t))(many)
    assert isinstance(each, Output) and each.reports["right"].shape == (6, 4)


def test_per_example_gradients_by_vmap_under_autograd(fn) -> None:
    given = arguments(grad=False)
    many = torch.randn(6, 3, 2, dtype=torch.float64, requires_grad=True)
    total = torch.vmap(lambda t: fn(given["logits"], given["tokens"], given["real"], t).total)(many)
    (slopes,) = torch.autograd.grad(total.sum(), many)
    assert torch.allclose(slopes, 0.2 * many)


@pytest.mark.parametrize("warm", [True, False])
def test_compiles_as_one_graph_once(warm) -> None:
    fn = from_lowered(language_model(Schedule("linear", 0.0, 0.2, 100)), "torch")
    given = arguments()
    expected = fn(**given, step=50)
    expected_slope = torch.autograd.grad(expected.total, given["logits"])[0]
    if not warm:
        fn = from_lowered(language_model(Schedule("linear", 0.0, 0.2, 100)), "torch")
    torch._dynamo.reset()
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph

    compiled = torch.compile(lambda step, **inputs: fn(**inputs, step=step), fullgraph=True, backend=backend)
    for step in (torch.tensor(50), torch.tensor(50)):
        out = compiled(step, **given)
        assert torch.allclose(out.total, expected.total)
        assert torch.allclose(torch.autograd.grad(out.total, given["logits"])[0], expected_slope)
        assert torch.allclose(
            torch.autograd.grad(out.terms["reg"], given["table"])[0], 2 * given["table"].detach()
        )
    assert len(graphs) == 1


def test_integer_steps_do_not_compile_anew() -> None:
    fn = from_lowered(language_model(Schedule("cosine", 0.0, 1.0, 10)), "torch")
    given = arguments()
    torch._dynamo.reset()
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph

    compiled = torch.compile(
        lambda step, **inputs: fn(**inputs, step=step).total, fullgraph=True, backend=backend
    )
    for step in range(2, 7):
        assert torch.allclose(compiled(step, **given), fn(**given, step=step).total)
    assert len(graphs) <= 2


def test_hyper_tensors_and_schedules() -> None:
    fn = from_lowered(language_model(Schedule("cosine", 0.0, 1.0, 10)), "torch")
    given = arguments(grad=False)
    assert torch.equal(fn(**given, step=4).total, fn(**given, step=4).total)
    assert torch.allclose(fn(**given, step=torch.tensor(4)).total, fn(**given, step=4).total)
    assert torch.allclose(fn(**given, step=torch.tensor(400)).total, fn(**given, decay=1.0).total)
    decay = torch.tensor(0.5, requires_grad=True)
    (slope,) = torch.autograd.grad(fn(**given, decay=decay).total, decay)
    assert slope.dtype == torch.float32 and torch.allclose(slope.double(), (given["table"] ** 2).sum())


@pytest.mark.parametrize("value", [[[1.0]], "text", None, torch.ones(3, 2) * 1j, torch.ones(3)])
def test_what_is_refused(fn, value) -> None:
    given = arguments()
    given["table"] = value
    with pytest.raises(InputError) as caught:
        fn(**given)
    assert caught.value.input == "table"


def test_other_frameworks_arrays(fn) -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(InputError, match="as_tensor"):
        fn(**{**arguments(), "table": numpy.ones((3, 2))})
    jnp = pytest.importorskip("jax.numpy")
    with pytest.raises(InputError, match='backend="jax"'):
        fn(**{**arguments(), "table": jnp.ones((3, 2))})


def test_validation(fn) -> None:
    given = arguments()
    fn(**given, validate=True)
    with pytest.raises(InputError, match=r"0 to 4 or -100, but is 7 at"):
        fn(**{**given, "tokens": torch.tensor([0, 7, 4, -100])}, validate=True)


def test_outputs_pickle(fn) -> None:
    out = fn(**arguments(grad=False))
    assert torch.equal(pickle.loads(pickle.dumps(out)).total, out.total)


def test_constants_live_where_the_inputs_do() -> None:
    fn = from_lowered(quadratic(), "torch")
    assert fn(torch.zeros(2, 2, device="meta"), torch.ones(2, 2, device="meta")).total.device.type == "meta"


def test_modules_as_collections() -> None:
    import losslang

    fn = losslang.compile(
        'loss a\n  input theta : parameters\n  term r = l2(theta matching "*weight")\n  minimize r\n', "torch"
    )
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    out = fn(theta=model)
    out.total.backward()
    expected = sum((p**2).sum() for name, p in model.named_parameters() if name.endswith("weight"))
    other = torch.autograd.grad(expected, model[0].weight)[0]
    scale = out.total.detach() / expected.detach()
    assert torch.allclose(model[0].weight.grad, scale * other)
    assert model[0].bias.grad is None or (model[0].bias.grad == 0).all()
    _, gradients = fn.value_and_grad()(theta=model)
    assert list(gradients["theta"]) == [name for name, _ in model.named_parameters()]
    assert torch.allclose(gradients["theta"]["0.weight"], model[0].weight.grad)


def test_packs_and_modules_compile_as_one_graph() -> None:
    import losslang

    fn = losslang.compile(
        "loss a\n  input x : real[batch, *pixel]\n  input theta : parameters\n"
        "  term t = mean[batch](sum[*pixel](x^2))\n  term r = l2(theta)\n  minimize t + 0.1 * r\n",
        "torch",
    )
    model, x = torch.nn.Linear(2, 3), torch.randn(2, 3, requires_grad=True)
    torch._dynamo.reset()
    compiled = torch.compile(lambda x: fn(x=x, theta=model).total, fullgraph=True, backend="eager")
    total = compiled(x)
    total.backward()
    assert torch.allclose(total, fn(x=x, theta=model).total)
    assert torch.allclose(x.grad, x.detach())

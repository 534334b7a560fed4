"""Tensors live where the inputs do; what makes its own arrays puts them where it is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import test_library_parity_a as library_a
import test_library_parity_b as library_b
from backend_runs import function_of
from parity import Case
from placing import DEVICE
from truth_tables import UNARY

import losslang
from losslang import backends, devices
from losslang.errors import InputError
from losslang.ir import Graph
from losslang.verify import verify

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")

CASES = [*library_a.CASES, *library_b.CASES]
SQUARE = "loss a\n  input x : real[n]\n  term t = mean[n](x^2)\n  minimize t\n"


@pytest.mark.parametrize("part", range(4))
def test_nothing_is_made_on_the_default_device(part: int) -> None:
    """With a default device that holds no numbers, every loss still computes where its inputs are."""
    for case in CASES[part::8]:
        names = case.differentiated
        fn = losslang.compile(case.spec, backend="torch")
        given = {k: torch.tensor(v, device=DEVICE, requires_grad=k in names) for k, v in case.arrays.items()}
        with torch.device("meta"):
            out = fn(**given)
            if names:
                out.total.backward()
        made = [out.total, *out.terms.values(), *out.reports.values()]
        made += [given[name].grad for name in names if given[name].grad is not None]
        assert {tensor.device.type for tensor in made} == {torch.device(DEVICE).type}, case.id


@pytest.mark.parametrize("part", range(4))
def test_nothing_waits_for_the_device(part: int) -> None:
    """Tensors without numbers are enough: no number is ever read on the host."""
    for case in CASES[part + 4 :: 8]:
        names = case.differentiated
        given = {k: torch.tensor(v, device="meta") for k, v in case.arrays.items()}
        fn = losslang.compile(case.spec, backend="torch")
        out, gradients = fn.value_and_grad(wrt=names)(**given) if names else (fn(**given), {})
        assert {each.device.type for each in (out.total, *gradients.values())} == {"meta"}, case.id


def test_operations_make_nothing_on_the_default_device() -> None:
    g = Graph()
    leaves = {op: g.input(op, ("a",), "real") for op in UNARY}
    function = function_of([g.apply(op, leaf) for op, leaf in leaves.items()])
    call = backends.load(backends.emit([function], "torch"), "torch")["values"]
    points = [torch.full((3,), 0.5, device=DEVICE) for _ in leaves]
    with torch.device("meta"):
        results = call(*points, torch.float32)
    assert {each.device.type for each in results} == {torch.device(DEVICE).type}


def test_a_function_without_inputs_computes_on_the_default_device() -> None:
    g = Graph()
    call = backends.load(backends.emit([function_of([g.const(2.0)])], "torch"), "torch")["values"]
    with devices.surroundings("torch", "meta")():
        assert call(torch.float64)[0].device.type == "meta"
    assert call(torch.float64)[0].device.type == torch.device(DEVICE).type


def test_arrays_are_put_where_the_name_says() -> None:
    array = np.arange(3.0)
    assert devices.converter("torch", "meta")(array).device.type == "meta"
    assert devices.converter("jax", "cpu:0")(array).devices() == {jax.devices("cpu")[0]}
    assert devices.converter("numpy", "meta")(array) is array
    with devices.surroundings("jax", "cpu")():
        assert jax.numpy.zeros(2).devices() == {jax.devices("cpu")[0]}


@pytest.mark.parametrize(("backend", "name"), [("torch", "nowhere"), ("torch", "cuda:99"), ("jax", "nowhere"),
                                               ("jax", "cpu:99")])  # fmt: skip
def test_devices_that_are_not_there(backend: str, name: str) -> None:
    for make in (devices.converter, devices.surroundings):
        with pytest.raises(InputError, match=f"has no device `{name}` here"):
            make(backend, name)


def test_verification_computes_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    convert = devices.converter

    def converter(backend: str, device: str | None) -> Any:
        made = convert(backend, device)
        seen.add(f"{backend} {device}")
        return made

    monkeypatch.setattr("losslang.verify.subject.converter", converter)
    assert verify(SQUARE, ["torch", "jax"], count=3, device="cpu").passed
    assert seen == {"torch cpu", "jax cpu"}
    with pytest.raises(InputError, match="nowhere"):
        verify(SQUARE, ["torch"], device="nowhere")


def test_cases_are_on_the_device_of_the_tests() -> None:
    """What the environment asks for is what the other tests compute on."""
    case: Case = CASES[0]
    tensor = torch.tensor(next(iter(case.arrays.values())))
    assert tensor.device.type == torch.device(DEVICE).type

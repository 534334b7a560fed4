"""Runs nodes on a backend, for tests: from NumPy arrays to NumPy arrays."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from placing import on_host

from losslang import backends
from losslang.ir import Node
from losslang.program import Function, Parameter, Result

BACKENDS = ("numpy", "torch", "jax")


def function_of(nodes: Sequence[Node], name: str = "values") -> Function:
    """The nodes as results of a function of all the graph's inputs; a result's dimensions are sorted by name."""
    leaves = [n for n in nodes[0].graph.nodes if n.op == "input"]
    parameters = tuple(Parameter(n.attr[0], n, n.attr[1]) for n in leaves)
    return Function(name, parameters, tuple(Result(n, tuple(sorted(n.axes))) for n in nodes))


def run(
    backend: str, nodes: Sequence[Node], inputs: Mapping[str, Any], real: str = "float64", jit: bool = False
) -> list[NDArray[Any]]:
    """Every node's value, its dimensions sorted by name; ``inputs`` by the names of input nodes."""
    function = function_of(nodes)
    source = backends.emit([function], backend)
    elems = {"real": real, "int": "int64", "bool": "bool"}
    arrays = [
        np.asarray(inputs[p.name], dtype=elems[p.node.elem])  # type: ignore[union-attr]
        for p in function.parameters
    ]
    with _precision(backend, real):
        converted, computing = _converted(backend, arrays, real)
        results = _call(backend, source, jit and backend == "jax", real)(*converted, computing)
        values = [on_host(r) for r in results]
    for node, value in zip(nodes, values, strict=True):
        kind = {"real": "f", "int": "i", "bool": "b"}[node.elem]
        assert value.dtype.kind == kind, (backend, node, value.dtype)
        assert node.elem != "real" or value.dtype == real, (backend, node, value.dtype)
    return values


@functools.cache
def _call(backend: str, source: str, jit: bool, real: str) -> Any:
    call = backends.load(source, backend)["values"]
    if not jit:
        return call
    import jax

    return jax.jit(call, static_argnums=call.__code__.co_argcount - 1)


def _precision(backend: str, real: str) -> Any:
    if backend != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(real == "float64")


def _converted(backend: str, arrays: Sequence[NDArray[Any]], real: str) -> tuple[list[Any], Any]:
    if backend == "numpy":
        return list(arrays), np.dtype(real).type
    if backend == "torch":
        import torch

        return [torch.tensor(np.asarray(a)) for a in arrays], getattr(torch, real)
    import jax.numpy as jnp

    return [jnp.asarray(a) for a in arrays], getattr(jnp, real)

"""Time and memory of value and gradient, beside the same objective in plain PyTorch and JAX.

    python benchmarks/speed.py --device cuda                 # all objectives, as Markdown tables of ratios
    python benchmarks/speed.py --device cpu --scale 0.02 --only focal --columns "losslang;by hand"

A time is the median of many steps: CUDA events under PyTorch, steps queued and waited for together under JAX.
Memory is what a step needs beside its inputs, gradients included: the allocator's peak under PyTorch, what XLA
plans under JAX. Columns are compared in value, too. Objectives and what they are compared with: ``objectives.py``.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import math
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import torch
from objective import Drawn, Objective
from objectives import objectives

import losslang
from losslang.devices import surroundings

COLUMNS = (
    "losslang", "losslang, torch.compile", "as written", "as written, torch.compile", "by hand", "by hand, torch.compile",
    "losslang jax", "jax.jit as written",
)  # fmt: skip
#: What a column of the table of ratios is divided by.
BASES = {name: "by hand" if "jax" not in name else "jax.jit as written" for name in COLUMNS}
WARM, SECONDS = 3, 0.3
Step = Callable[[], Any]


@dataclass(frozen=True)
class Measured:
    """``milliseconds`` a step, ``megabytes`` beside the inputs; ``error`` where it did not run."""

    objective: str
    column: str
    value: float = float("nan")
    milliseconds: float = float("nan")
    megabytes: float = float("nan")
    error: str = ""


# -- PyTorch


def torch_tensor(drawn: Drawn, device: str) -> torch.Tensor:
    shape, kind = drawn.shape, getattr(torch, drawn.dtype)
    if drawn.how == "normal":
        return torch.randn(shape, device=device, dtype=kind)
    if drawn.how == "uniform":
        return torch.rand(shape, device=device) * drawn.high
    if drawn.how == "coin":
        return (torch.rand(shape, device=device) < drawn.high).to(kind)
    if drawn.how == "label":
        return torch.randint(drawn.low, int(drawn.high), shape, device=device)
    return torch.full(shape, drawn.high, device=device, dtype=kind)


def torch_loss(objective: Objective, column: str) -> Callable[..., torch.Tensor] | None:
    if column.startswith("losslang"):
        if objective.looped and column.endswith("torch.compile"):
            return None
        fn = losslang.compile(objective.spec, backend="torch")

        def loss(*arrays: torch.Tensor) -> torch.Tensor:
            return fn(*arrays).total  # type: ignore[no-any-return]
    else:
        chosen = objective.written if column.startswith("as written") else objective.hand
        if chosen is None:
            return None
        loss = chosen
    return torch.compile(loss) if column.endswith("torch.compile") else loss


def torch_step(
    objective: Objective, loss: Callable[..., torch.Tensor], given: dict[str, torch.Tensor]
) -> Step:
    """One step of training, without the model."""
    arrays = list(given.values())
    leaves = [given[name].requires_grad_() for name in objective.wrt]

    def step() -> torch.Tensor:
        total = loss(*arrays)
        torch.autograd.grad(total, leaves)
        return total.detach()

    return step


def torch_prepared(objective: Objective, column: str, device: str) -> Callable[[], Measured] | None:
    """Compiles, then gives what measures; inputs are made anew, so that nothing is held in between."""

    def drawn() -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        return {name: torch_tensor(each, device) for name, each in objective.inputs.items()}

    loss = torch_loss(objective, column)
    if loss is None:
        return None
    value = float(torch_step(objective, loss, drawn())())

    def measure() -> Measured:
        step = torch_step(objective, loss, drawn())
        for _ in range(WARM):
            step()
        if torch.device(device).type != "cuda":
            return Measured(objective.name, column, value, 1e3 * _median(step))
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        peak = torch.cuda.max_memory_allocated() - before
        return Measured(objective.name, column, value, _event_median(step), peak / 1e6)

    return measure


def _event_median(step: Step) -> float:
    """Milliseconds on the GPU's own clock, from one step's end to the next."""
    start = time.perf_counter()
    step()
    torch.cuda.synchronize()
    count = max(5, min(100, int(SECONDS / (time.perf_counter() - start))))
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    marks[0].record()
    for mark in marks[1:]:
        step()
        mark.record()
    torch.cuda.synchronize()
    return statistics.median(a.elapsed_time(b) for a, b in itertools.pairwise(marks))


# -- JAX


def jax_array(drawn: Drawn, key: Any) -> Any:
    shape, kind = drawn.shape, jnp.dtype({"int64": "int32"}.get(drawn.dtype, drawn.dtype))
    if drawn.how == "normal":
        return jax.random.normal(key, shape, kind)
    if drawn.how == "uniform":
        return jax.random.uniform(key, shape) * drawn.high
    if drawn.how == "coin":
        return (jax.random.uniform(key, shape) < drawn.high).astype(kind)
    if drawn.how == "label":
        return jax.random.randint(key, shape, drawn.low, int(drawn.high))
    return jnp.full(shape, drawn.high, kind)


def jax_prepared(objective: Objective, column: str, device: str) -> Callable[[], Measured]:
    """Products of matrices are in the precision of their type on both sides."""

    def drawn() -> list[Any]:
        keys = jax.random.split(jax.random.key(0), len(objective.inputs))
        return [jax_array(each, key) for key, each in zip(keys, objective.inputs.values(), strict=True)]

    if column.startswith("losslang"):
        fn = losslang.compile(objective.spec, backend="jax")

        def loss(*arrays: Any) -> Any:
            return fn(*arrays).total
    else:
        loss = objective.jax
    places = tuple(at for at, name in enumerate(objective.inputs) if name in objective.wrt)
    there = surroundings("jax", device)
    with there(), jax.default_matmul_precision("highest"):
        arrays = drawn()
        compiled = jax.jit(jax.value_and_grad(loss, places)).lower(*arrays).compile()
        value = float(compiled(*arrays)[0])
        del arrays

    def measure() -> Measured:
        with there():
            arrays = drawn()
            memory = compiled.memory_analysis()
            needed = memory.temp_size_in_bytes + memory.output_size_in_bytes
            for _ in range(WARM):
                compiled(*arrays)
            seconds = _median(lambda: compiled(*arrays), together=10)
            return Measured(objective.name, column, value, 1e3 * seconds, needed / 1e6)

    return measure


def _median(step: Step, together: int = 1) -> float:
    """Seconds a step; ``together``: so many are queued before the last is waited for."""
    start, times = time.perf_counter(), []
    while len(times) < 5 or (time.perf_counter() - start < SECONDS and len(times) < 50):
        began = time.perf_counter()
        for _ in range(together - 1):
            step()
        jax.block_until_ready(step())
        times.append((time.perf_counter() - began) / together)
    return statistics.median(times)


# -- running all of them


def prepared(
    objective: Objective, columns: list[str], device: str
) -> list[Callable[[], Measured] | Measured]:
    """What measures each column, or why it does not run."""
    torch.compiler.reset()
    found: list[Callable[[], Measured] | Measured] = []
    for column in columns:
        make = jax_prepared if "jax" in column else torch_prepared
        try:
            each = make(objective, column, device)
        except Exception as error:  # one that runs out of memory must not end the others
            each = _failed(objective, column, error)
        _release()
        found += [each] if each is not None else []
    return found


def measured(parts: list[Callable[[], Measured] | Measured]) -> list[Measured]:
    found = []
    for part in parts:
        each = part if isinstance(part, Measured) else part()
        _release()
        told = each.error or f"{each.value:.6g}, {each.milliseconds:.3g} ms, {each.megabytes:.4g} MB"
        print(f"{each.objective} | {each.column}: {told}", file=sys.stderr, flush=True)
        found.append(each)
    return found


def _failed(objective: Objective, column: str, error: Exception) -> Measured:
    return Measured(objective.name, column, error=f"{type(error).__name__}: {str(error).splitlines()[0]}")


def _release() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def together(chosen: list[Objective], columns: list[str], device: str, scale: float) -> list[Measured]:
    """Every objective is prepared in a process of its own, all at once; then they are measured one after another."""
    context = multiprocessing.get_context("spawn")
    ready, turn, results = context.Barrier(len(chosen)), context.Lock(), context.Queue()
    workers = [
        context.Process(target=_work, args=(each.name, columns, device, scale, ready, turn, results))
        for each in chosen
    ]
    for worker in workers:
        worker.start()
    found = [each for _ in workers for each in results.get()]
    for worker in workers:
        worker.join()
    order = [each.name for each in chosen]
    return sorted(found, key=lambda each: order.index(each.objective))


def _work(
    name: str, columns: list[str], device: str, scale: float, ready: Any, turn: Any, results: Any
) -> None:
    objective = next(each for each in objectives(scale) if each.name == name)
    parts = prepared(objective, columns, device)
    ready.wait()
    with turn:
        results.put(measured(parts))


# -- tables


def table(found: list[Measured], what: str, unit: str) -> str:
    """The bases in their unit, everything else in multiples of its base; nothing where it was not measured."""
    cells = {(each.objective, each.column): each for each in found}
    columns = [c for c in COLUMNS if any(each.column == c for each in found)]
    lines = [f"| {what} | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    for name in dict.fromkeys(each.objective for each in found):
        row = []
        for column in columns:
            each, base = cells.get((name, column)), cells.get((name, BASES[column]))
            if each is None or each.error:
                row.append("" if each is None else "failed")
            elif math.isnan(getattr(each, unit)):
                row.append("")
            elif column == BASES[column] or base is None or base.error:
                row.append(f"{getattr(each, unit):.3g}")
            else:
                row.append(f"× {getattr(each, unit) / getattr(base, unit):.2f}")
        lines.append(f"| {name} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description="Time and memory of value and gradient.")
    options.add_argument("--device", default="cpu")
    options.add_argument("--scale", type=float, default=1.0, help="of the longest axes")
    options.add_argument("--only", action="append", help="objectives whose name contains this")
    options.add_argument("--columns", default=";".join(COLUMNS), help="separated by semicolons")
    options.add_argument("--together", action="store_true", help="compile in as many processes as objectives")
    options.add_argument("--json", metavar="FILE", help="write the numbers there")
    given = options.parse_args()
    columns = given.columns.split(";")
    chosen = [
        each
        for each in objectives(given.scale)
        if not given.only or any(part in each.name for part in given.only)
    ]
    if given.together:
        found = together(chosen, columns, given.device, given.scale)
    else:
        found = [m for each in chosen for m in measured(prepared(each, columns, given.device))]
    if given.json:
        Path(given.json).write_text(json.dumps([asdict(e) for e in found], indent=1))
    print(table(found, "time (bases in ms)", "milliseconds"))
    print("\n" + table(found, "memory (bases in MB)", "megabytes"))


if __name__ == "__main__":
    main()

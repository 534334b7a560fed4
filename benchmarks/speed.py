"""Time and memory of value and gradient, beside the same objective in plain PyTorch and JAX.

    python benchmarks/speed.py --device cuda                 # all objectives, as Markdown tables of ratios
    python benchmarks/speed.py --device cpu --scale 0.02 --only focal --columns "losslang,by hand"
    python benchmarks/speed.py --device cuda --once          # runs each once: fills the caches of the compilers

A time is the median of many steps: CUDA events under PyTorch, steps queued and waited for together under JAX.
Memory is what a step needs beside its inputs, gradients included: the allocator's peak under PyTorch, what XLA
plans under JAX. Columns are compared in value, too. Objectives and what they are compared with: ``objectives.py``.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
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
from objectives import Drawn, Objective, objectives

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


def torch_step(objective: Objective, column: str, given: dict[str, torch.Tensor]) -> Step | None:
    """One step of training, without the model."""
    if column.startswith("losslang"):
        fn = losslang.compile(objective.spec, backend="torch")

        def loss(*arrays: torch.Tensor) -> torch.Tensor:
            return fn(*arrays).total  # type: ignore[no-any-return]
    else:
        chosen = objective.written if column.startswith("as written") else objective.hand
        if chosen is None:
            return None
        loss = chosen
    if column.endswith("torch.compile"):
        loss = torch.compile(loss)
    arrays = list(given.values())
    leaves = [given[name].requires_grad_() for name in objective.wrt]

    def step() -> torch.Tensor:
        total = loss(*arrays)
        torch.autograd.grad(total, leaves)
        return total.detach()

    return step


def torch_measured(objective: Objective, column: str, device: str, once: bool) -> Measured | None:
    torch.manual_seed(0)
    torch.compiler.reset()
    given = {name: torch_tensor(drawn, device) for name, drawn in objective.inputs.items()}
    step = torch_step(objective, column, given)
    if step is None:
        return None
    value = float(step())
    if once:
        return Measured(objective.name, column, value)
    on_gpu = torch.device(device).type == "cuda"
    for _ in range(WARM):
        step()
    if not on_gpu:
        return Measured(objective.name, column, value, 1e3 * _median(step, lambda: None))
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step()
    peak = torch.cuda.max_memory_allocated() - before
    return Measured(objective.name, column, value, _event_median(step), peak / 1e6)


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


def jax_measured(objective: Objective, column: str, device: str, once: bool) -> Measured:
    """Products of matrices are in the precision of their type on both sides."""
    with surroundings("jax", device)(), jax.default_matmul_precision("highest"):
        keys = jax.random.split(jax.random.key(0), len(objective.inputs))
        given = {
            name: jax_array(drawn, key)
            for key, (name, drawn) in zip(keys, objective.inputs.items(), strict=True)
        }
        if column.startswith("losslang"):
            fn = losslang.compile(objective.spec, backend="jax")

            def loss(*arrays: Any) -> Any:
                return fn(*arrays).total
        else:
            loss = objective.jax
        places = tuple(at for at, name in enumerate(given) if name in objective.wrt)
        arrays = list(given.values())
        compiled = jax.jit(jax.value_and_grad(loss, places)).lower(*arrays).compile()
        value = float(compiled(*arrays)[0])
        if once:
            return Measured(objective.name, column, value)
        memory = compiled.memory_analysis()
        needed = (
            memory.temp_size_in_bytes + memory.output_size_in_bytes if memory is not None else float("nan")
        )
        for _ in range(WARM):
            compiled(*arrays)
        seconds = _median(lambda: compiled(*arrays), jax.effects_barrier, together=10)
        return Measured(objective.name, column, value, 1e3 * seconds, needed / 1e6)


def _median(step: Step, wait: Callable[[], Any], together: int = 1) -> float:
    """Seconds a step; ``together``: so many are queued before they are waited for."""
    start, times = time.perf_counter(), []
    while len(times) < 5 or (time.perf_counter() - start < SECONDS and len(times) < 50):
        began = time.perf_counter()
        for _ in range(together):
            last = step()
        wait()
        if isinstance(last, (tuple, list)):
            jax.block_until_ready(last)
        times.append((time.perf_counter() - began) / together)
    return statistics.median(times)


# -- tables


def measured(objective: Objective, column: str, device: str, once: bool) -> Measured | None:
    run = jax_measured if "jax" in column else torch_measured
    try:
        return run(objective, column, device, once)
    except Exception as error:  # one that runs out of memory must not end the others
        return Measured(objective.name, column, error=f"{type(error).__name__}: {str(error).splitlines()[0]}")
    finally:
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def table(found: list[Measured], what: str, unit: str) -> str:
    """The bases in their unit, everything else in multiples of its base."""
    cells = {(each.objective, each.column): each for each in found}
    columns = [c for c in COLUMNS if any(each.column == c for each in found)]
    lines = [f"| {what} | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    for name in dict.fromkeys(each.objective for each in found):
        row = []
        for column in columns:
            each, base = cells.get((name, column)), cells.get((name, BASES[column]))
            if each is None or each.error:
                row.append("" if each is None else "failed")
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
    options.add_argument("--once", action="store_true", help="run each once and measure nothing")
    options.add_argument("--json", metavar="FILE", help="write the numbers there")
    given = options.parse_args()
    found: list[Measured] = []
    for objective in objectives(given.scale):
        if given.only and not any(part in objective.name for part in given.only):
            continue
        for column in given.columns.split(";"):
            each = measured(objective, column, given.device, given.once)
            if each is not None:
                found.append(each)
                told = each.error or f"{each.value:.6g}, {each.milliseconds:.3g} ms, {each.megabytes:.4g} MB"
                print(f"{objective.name} | {column}: {told}", file=sys.stderr, flush=True)
        if given.json:
            Path(given.json).write_text(json.dumps([asdict(e) for e in found], indent=1))
    if not given.once:
        print(table(found, "time (bases in ms)", "milliseconds"))
        print("\n" + table(found, "memory (bases in MB)", "megabytes"))


if __name__ == "__main__":
    main()

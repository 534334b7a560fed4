"""What compiling and checking cost, in CPU seconds of this process and the processes it starts.

    python benchmarks/latency.py

Prints a Markdown table: compiling a loss of ten terms for every backend, checking one spec in a fresh process,
and checking a thousand specs in one process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import losslang

RUN = "import sys; from losslang.cli.main import main; sys.exit(main())"
TERMS = (
    "-log(softmax[c](z)[c = y])", "log(1 + exp(-a))", "(a - b)^2", "abs(a - b)", "log(cosh(a - b))",
    "-log(sigmoid(b))", "sqrt(1 + (a - b)^2) - 1", "sum[c](softmax[c](z) * log(softmax[c](z)))",
    "log(sum[c](exp(z)))", "exp(a) - 1 - a",
)  # fmt: skip


def spec(name: str) -> str:
    """A loss of ten terms."""
    inputs = ("z : logit[i, c] over c", "y : label[i] of c", "a : real[i]", "b : real[i]")
    lines = [f"loss {name}", *(f"  input {each}" for each in inputs)]
    lines += [f"  term t{k} = mean[i]({text})" for k, text in enumerate(TERMS)]
    return "\n".join([*lines, "  minimize " + " + ".join(f"t{k}" for k in range(len(TERMS)))]) + "\n"


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of the work, children's included."""
    before = sum(os.times()[:4])
    work()
    return sum(os.times()[:4]) - before


def compiled(backend: str, text: str) -> None:
    """Compiles and calls once with the gradient, which is when code is generated (JAX also compiles it)."""
    rng = np.random.default_rng(0)
    inputs: dict[str, object] = {n: rng.normal(size=8).astype(np.float32) for n in ("a", "b")}
    inputs |= {"z": rng.normal(size=(8, 4)).astype(np.float32), "y": rng.integers(0, 4, 8)}
    if backend == "torch":
        import torch

        inputs = {n: torch.as_tensor(v) for n, v in inputs.items()}
    losslang.compile(text, backend=backend).value_and_grad(wrt=("z", "a", "b"))(**inputs)


def command(*words: str) -> None:
    subprocess.run([sys.executable, "-c", RUN, *words], check=True, stdout=subprocess.DEVNULL)


def many(count: int) -> None:
    for k in range(count):
        if losslang.check(spec(f"entry{k}")):
            raise AssertionError("the spec of this benchmark has problems")


def main() -> None:
    rows: list[tuple[str, float, float]] = []

    def row(what: str, work: Callable[[], object]) -> None:
        start = time.perf_counter()
        spent = cpu(work)
        rows.append((what, spent, time.perf_counter() - start))

    for backend in ("numpy", "torch", "jax"):
        __import__(backend)
        compiled(backend, "loss warm\n  input a : real[i]\n  input b : real[i]\n  input z : real[i, c]\n"
                          "  input y : label[i] of c\n  minimize mean[i](a * b + sum[c](z))\n")  # fmt: skip
        row(f"ten terms, first call with gradient, {backend}", lambda b=backend: compiled(b, spec("ten")))  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ten.loss"
        path.write_text(spec("ten"))
        row("`losslang check` of ten terms, fresh process", lambda: command("check", str(path)))
        for k in range(1000):
            (Path(folder) / f"s{k}.loss").write_text(spec(f"entry{k}"))
        path.unlink()
        row("`losslang check` of 1,000 such files, fresh process", lambda: command("check", folder))
    row("`losslang.check` of 1,000 such texts, same process", lambda: many(1000))
    print("| what | CPU seconds | wall seconds |\n|---|--:|--:|")
    for what, spent, wall in rows:
        print(f"| {what} | {spent:.2f} | {wall:.2f} |")


if __name__ == "__main__":
    main()

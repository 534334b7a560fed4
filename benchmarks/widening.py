"""What double precision costs: a call with gradients, with doubtful arithmetic widened and with nothing widened.

    python benchmarks/widening.py

Prints a Markdown table of the ratio of the two on PyTorch, one thread, the fastest of nine calls each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import torch

import losslang
import losslang.rewrite

FINISH = sys.modules["losslang.rewrite.finish"]
ROWS, CLASSES = 4_000, 100
LOSSES = {
    "cross-entropy": ("z : logit[i, c] over c; y : label[i] of c", "mean[i](cross_entropy(z, y))"),
    "sigmoid focal": ("a : logit[i, c]; b : binary[i, c]", "mean[i, c](sigmoid_focal(a, b))"),
    "huber": ("a : real[i, c]; t : real[i, c]", "mean[i, c](huber(a, t))"),
    "gaussian_nll": ("a : real[i, c]; v : positive[i, c]; t : real[i, c]", "mean[i, c](gaussian_nll(a, v, t))"),
    "gaussian_kl": ("a : real[i, c]; t : real[i, c]", "mean[i](gaussian_kl[c](a, t))"),
    "distillation": ("z : logit[i, c] over c; w : logit[i, c] over c", "mean[i](distillation(z, w))"),
    "dice": ("a : logit[i, c]; b : binary[i, c]", "dice(sigmoid(a), b)"),
}  # fmt: skip


def batch() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    shape = (ROWS, CLASSES)
    made = {name: torch.randn(shape) for name in "zwat"}
    made |= {
        "v": torch.rand(shape) + 0.1,
        "b": torch.randint(0, 2, shape),
        "y": torch.randint(0, CLASSES, (ROWS,)),
    }
    return made


def fastest(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(9):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def ratio(inputs: str, term: str, given: dict[str, torch.Tensor]) -> float:
    lines = [f"  input {each.strip()}" for each in inputs.split(";")]
    spec = "\n".join(["loss timed", *lines, f"  term value = {term}", "  minimize value"])
    names = [each.split(":")[0].strip() for each in inputs.split(";")]
    seconds = []
    judged = FINISH.doubtful_nodes
    for doubtful in (judged, lambda values, roots: set()):
        FINISH.doubtful_nodes = doubtful
        fn = losslang.compile(spec, backend="torch").value_and_grad()
        seconds.append(fastest(lambda fn=fn: fn(**{n: given[n] for n in names})))
    FINISH.doubtful_nodes = judged
    return seconds[0] / seconds[1]


def main() -> None:
    torch.set_num_threads(1)
    given = batch()
    print("| loss | time, widened over not |\n|---|--:|")
    for name, (inputs, term) in LOSSES.items():
        print(f"| {name} | {ratio(inputs, term, given):.1f} |")


if __name__ == "__main__":
    main()

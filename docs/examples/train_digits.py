"""One spec, three frameworks: the same classifier of handwritten digits, trained three times.

    python docs/examples/train_digits.py

The model is a matrix and a bias; the loss is ``digits.loss`` beside this file. PyTorch and JAX
differentiate the model and call the loss inside; NumPy gets the loss's gradients with respect to
its inputs and takes the last step by hand. The three curves agree to float32 rounding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import losslang

HERE = Path(__file__).parent
STEPS, RATE, CLASSES = 60, 0.5, 10


def data() -> tuple[np.ndarray, np.ndarray]:
    """Pixels [example, pixel] in [0, 1] and digits [example]."""
    with np.load(HERE / "digits.npz") as file:
        return (file["pixels"] / 16).astype(np.float32), file["digit"].astype(np.int64)


def with_numpy(pixels: np.ndarray, digit: np.ndarray, steps: int = STEPS) -> list[float]:
    """The loss before each step of gradient descent."""
    loss = losslang.compile(HERE / "digits.loss", backend="numpy").value_and_grad(wrt=("logits", "weight"))
    weight, bias = start(pixels)
    curve = []
    for _ in range(steps):
        out, grads = loss(logits=pixels @ weight + bias, digit=digit, weight=weight)
        curve.append(float(out.total))
        weight = weight - RATE * (pixels.T @ grads["logits"] + grads["weight"])
        bias = bias - RATE * grads["logits"].sum(axis=0)
    return curve


def with_torch(pixels: np.ndarray, digit: np.ndarray, steps: int = STEPS) -> list[float]:
    """The same under autograd, with torch's own optimizer."""
    import torch

    loss = losslang.compile(HERE / "digits.loss", backend="torch")
    weight, bias = (torch.from_numpy(a).requires_grad_() for a in start(pixels))
    optimizer = torch.optim.SGD([weight, bias], lr=RATE)
    inputs, truth = torch.from_numpy(pixels), torch.from_numpy(digit)
    curve = []
    for _ in range(steps):
        out = loss(logits=inputs @ weight + bias, digit=truth, weight=weight)
        curve.append(out.total.item())
        optimizer.zero_grad()
        out.total.backward()
        optimizer.step()
    return curve


def with_jax(pixels: np.ndarray, digit: np.ndarray, steps: int = STEPS) -> list[float]:
    """The same under jit and grad."""
    import jax
    import jax.numpy as jnp

    loss = losslang.compile(HERE / "digits.loss", backend="jax")
    inputs, truth = jnp.asarray(pixels), jnp.asarray(digit)

    def total(parameters: tuple[jax.Array, jax.Array]) -> jax.Array:
        weight, bias = parameters
        return loss(logits=inputs @ weight + bias, digit=truth, weight=weight).total

    step = jax.jit(jax.value_and_grad(total))
    parameters = tuple(jnp.asarray(a) for a in start(pixels))
    curve = []
    for _ in range(steps):
        value, grads = step(parameters)
        curve.append(float(value))
        parameters = tuple(p - RATE * g for p, g in zip(parameters, grads, strict=True))
    return curve


def start(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first weight [pixel, class] and bias [class]."""
    random = np.random.default_rng(0)
    weight = random.normal(0, 0.01, (pixels.shape[1], CLASSES))
    return weight.astype(np.float32), np.zeros(CLASSES, np.float32)


def main() -> None:
    """Print the three curves side by side."""
    pixels, digit = data()
    curves = {f.__name__.removeprefix("with_"): f(pixels, digit) for f in (with_numpy, with_torch, with_jax)}
    print("step  " + "  ".join(f"{name:>9}" for name in curves))
    for step in range(0, STEPS, 10):
        print(f"{step:4}  " + "  ".join(f"{curve[step]:9.6f}" for curve in curves.values()))
    reference = curves["numpy"]
    gap = max(abs(a - b) for curve in curves.values() for a, b in zip(curve, reference, strict=True))
    print(f"largest difference between the curves: {gap:.1e}")


if __name__ == "__main__":
    main()

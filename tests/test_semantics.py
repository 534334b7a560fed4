"""What expressions mean, against NumPy written out by hand; each on every installed backend."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from placing import on_host

import losslang

BACKENDS = [b for b in ("numpy", "torch", "jax") if importlib.util.find_spec(b)]

DECLARATIONS = """
loss case
input x : real[n]
input y : label[n] of c
input z : logit[n, c] over c
input p : prob[n]
input q : prob[n, c] over c
input a : embedding[n, d]
input b : embedding[k, d]
input m : mask[n]
input mm : mask[n, c]
input w : weight[n]
input s : sign[n]
input k2 : count[n]
input g : score[n, c]
"""

rng = np.random.default_rng(7)
N, C, D, K = 4, 5, 3, 6
INPUTS = {
    "x": rng.normal(size=N),
    "y": rng.integers(0, C, N),
    "z": rng.normal(size=(N, C)),
    "p": rng.uniform(0.1, 0.9, N),
    "q": rng.dirichlet(np.ones(C), N),
    "a": rng.normal(size=(N, D)),
    "b": rng.normal(size=(K, D)),
    "m": np.array([True, False, True, True]),
    "mm": rng.uniform(size=(N, C)) < 0.6,
    "w": np.array([0.5, 0.0, 2.0, 1.0]),
    "s": np.array([1, -1, 1, -1]),
    "k2": np.array([0, 3, 1, 2]),
    "g": rng.normal(size=(N, C)),
}
x, y, z, p, q, a, b, m, mm, w, s, k2, g = (INPUTS[name] for name in INPUTS)
rows = np.arange(N)


def softmax(v, axis=-1):
    e = np.exp(v - v.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


CASES = {
    # arithmetic and precedence
    "-x^2": -(x**2),
    "2^-x": 2.0**-x,
    "x^2^2 / 2": x**4 / 2,
    "1 - 2 - x": -1 - x,
    "8 / 4 / (x^2 + 1) * 3": 6 / (x**2 + 1),
    "a * -1": -a,
    "7 % 4 + 0 * x": 3 + 0 * x,
    "x % 1.5": x % 1.5,
    "let u = x, v = u * 2 in u + v": 3 * x,
    "if x > 0 then x else 0": np.maximum(x, 0),
    "if not (x > 0 or m) then 1 else 2": np.where(~((x > 0) | m), 1, 2),
    "max(0, x)": np.maximum(x, 0),
    "max(x, 0.1, -x)": np.maximum(np.maximum(x, 0.1), -x),
    "clip(x, -0.5, 0.5)": np.clip(x, -0.5, 0.5),
    "floor(x) + 0.5": np.floor(x) + 0.5,
    "abs(x) + sign(x)": np.abs(x) + np.sign(x),
    "logaddexp(x, 2 * x)": np.logaddexp(x, 2 * x),
    "pi * x": np.pi * x,
    "log2(1 + w)": np.log2(1 + w),
    # reductions
    "mean[n](x)": x.mean(),
    "mean[n where m](x)": x[m].mean(),
    "mean[n by w](x)": (w * x).sum() / w.sum(),
    "mean[n where m by w](x)": (w * x)[m].sum() / w[m].sum(),
    "sum[c where mm](z)": np.where(mm, z, 0).sum(1),
    "mean[n, c where mm](z)": z[mm].mean(),
    "mean[n, c where m](z)": z[m].mean(),
    "mean[c where mm](z)": np.where(mm, z, 0).sum(1) / np.maximum(mm.sum(1), 1),
    "max[c](z) + min[c](z)": z.max(1) + z.min(1),
    "prod[c](z)": z.prod(1),
    "var[n](x)": x.var(),
    "var[n](x, ddof=1)": x.var(ddof=1),
    "std[n where m](x)": x[m].std(),
    "logsumexp[c](z)": np.log(np.exp(z).sum(1)),
    "logmeanexp[n, c](z)": np.log(np.exp(z).mean()),
    "log(sum[c](exp(z)))": np.log(np.exp(z).sum(1)),
    "sum[n](count[c](mm))": mm.sum(),
    "if any[c](mm) then 1 else 0": mm.any(1).astype(int),
    "if all[c](z > -1) then 1 else 0": (z > -1).all(1).astype(int),
    "median[n](x)": np.median(x),
    "median[n where m](x)": np.median(x[m]),
    "median[n, c](z)": np.median(z),
    "norm[d](a)": np.linalg.norm(a, axis=1),
    "argmax[c](z) + 0.0": z.argmax(1),
    "if argmin[c](z) == y then 1 else 0": (z.argmin(1) == y).astype(int),
    # along axes
    "softmax[c](z)": softmax(z),
    "softmax[n, c](z)": np.exp(z) / np.exp(z).sum(),
    "log_softmax[c](z)": np.log(softmax(z)),
    "softmax[c where mm](z)": np.where(mm, np.exp(z), 0) / np.where(mm, np.exp(z), 0).sum(1, keepdims=True),
    "cumsum[c](z)": z.cumsum(1),
    "cumsum[c where mm](z)": np.where(mm, z, 0).cumsum(1),
    "cumlogsumexp[c](z)": np.log(np.exp(z).cumsum(1)),
    "sort[c](z)": np.sort(z, axis=1),
    "argsort[c](z) + 0.0": np.argsort(z, axis=1, kind="stable"),
    "rank[c](z) + 0.0": np.argsort(np.argsort(-z, axis=1, kind="stable"), axis=1) + 1,
    "normalize[d](a)": unit(a),
    # contractions, and meeting over any axes
    "dot[d](a, b)": a @ b.T,
    "cosine[d](a, b)": unit(a) @ unit(b).T,
    "distance[d](a, b)": np.linalg.norm(a[:, None] - b[None], axis=-1),
    "dot[d](a, a)": (a * a).sum(1),
    "sum[k](dot[d](a, b))": (a @ b.T).sum(1),
    # picks, renames, indices
    "z[c = y]": z[rows, y],
    "z[c = 2]": z[:, 2],
    "z[n = 1, c = 3]": z[1, 3],
    "z[c = y][n = 0]": z[0, y[0]],
    "z[n = 0]": z[0],
    "dot[d](a, a[n -> o])[o = n]": (a * a).sum(1),
    "a[d -> e] * 2": a * 2,
    "sum[o where o != n](dot[d](a, a[n -> o]))": (a @ a.T).sum(1) - (a * a).sum(1),
    "z[c = size[c] - 1 - c]": z[:, ::-1],
    "sum[c where c + 1 < size[c]](abs(z[c = c + 1] - z))": np.abs(np.diff(z, axis=1)).sum(1),
    "sum[nc](z[(n, c) -> nc])": z.sum(),
    "size[n] + 0 * x": N + 0 * x,
    "c / size[c] + 0 * z": np.arange(C) / C + 0 * z,
    "1 / log2(2 + c) * g": g / np.log2(2 + np.arange(C)),
    "if y == 2 then 1 else 0": (y == 2).astype(int),
    "sum[o where y[n -> o] == y](1 + 0 * x[n -> o])": (y[:, None] == y[None]).sum(1),
    "mean[n, o where o > n]((x - x[n -> o])^2)": np.mean(
        [(x[i] - x[j]) ** 2 for i in range(N) for j in range(i + 1, N)]
    ),
    # literals
    "sum[t]([x, 2 * x, 1] along t)": 3 * x + 1,
    "([[1, 2], [3, 4]] along (r, v))[r = 1, v = 0] * x": 3 * x,
    "dot[c]([1, 2, 3, 4, 5] along c, z)": z @ np.arange(1, 6),
    # kinds that convert
    "prob(z)": softmax(z),
    "log_prob(q)": np.log(q),
    "prob(x as logit)": 1 / (1 + np.exp(-x)),
    "m * x": m * x,
    "s * x": s * x,
    "k2 + x": k2 + x,
    "binary_cross_entropy(p, m)": -np.where(m, np.log(p), np.log(1 - p)),
    "cross_entropy(z, y)": -np.log(softmax(z))[rows, y],
    "cross_entropy(q, y)": -np.log(q)[rows, y],
    "cross_entropy(log(q), y)": -np.log(q)[rows, y],
    "nll(x ~ normal(0, 2))": 0.5 * (x / 2) ** 2 + np.log(2) + 0.5 * np.log(2 * np.pi),
    "kl(normal(x, 2), normal(0, 1))": 0.5 * (4 + x**2 - 1) - np.log(2),
}


@pytest.mark.parametrize("rewrite", [True, False], ids=["rewritten", "naive"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_values(backend, rewrite):
    """All cases as reports of one loss: each must have the value computed by hand."""
    names = {f"r{i}": expression for i, expression in enumerate(CASES)}
    reports = "".join(f"report {name} = {expression}\n" for name, expression in names.items())
    fn = losslang.compile(DECLARATIONS + reports + "minimize mean[n](x)", backend=backend, rewrite=rewrite)
    inputs = {name: _to(backend, value) for name, value in INPUTS.items()}
    if backend == "jax":
        import jax

        with jax.enable_x64(True):
            out = fn(**{name: _to(backend, value) for name, value in INPUTS.items()})
    else:
        out = fn(**inputs)
    wrong = []
    for name, expression in names.items():
        got, want = on_host(out.reports[name]).astype(float), np.asarray(CASES[expression], dtype=float)
        if got.shape != want.shape or not np.allclose(got, want, rtol=1e-9, atol=1e-12):
            wrong.append((expression, got, want))
    assert not wrong


def _to(backend, value):
    if backend == "torch":
        import torch

        return torch.as_tensor(value)
    if backend == "jax":
        import jax.numpy as jnp

        return jnp.asarray(value)
    return value

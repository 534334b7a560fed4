"""The libraries that have losses of their own, and the inputs that many cases share."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")
metrics = pytest.importorskip("sklearn.metrics")
spatial = pytest.importorskip("scipy.spatial.distance")
special = pytest.importorskip("scipy.special")
stats = pytest.importorskip("scipy.stats")

D = torch.distributions
F = torch.nn.functional

XY = "x: real[n]; y: real[n]"
LOGIT_SIGN = "x: logit[n]; y: sign[n]"
CLASSES = "x: logit[n, c] over c; y: label[n] of c"
TWO = "p: prob[n, c] over c; q: prob[n, c] over c"
PAIR = "u: embedding[n, d]; v: embedding[n, d]"
LABELLED = "z: embedding[n, d]; y: label[n] of k"
LISTS = "s: score[l, i]; r: count[l, i]"
N, L = ("n",), ("l",)

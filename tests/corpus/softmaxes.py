"""Distributions over classes, log-sum-exp and mixtures."""

from .entries import formulas

Z = {"z": "logit over c"}
ZY = {"z": "logit over c", "y": "label of c"}
ZW = {"z": "logit over c", "w": "logit over c"}
SIZES = {"c": 4}

formulas(
    "log-softmax",
    ZY,
    """
-log(softmax[c](z))[c = y]
-log(softmax[c](z)[c = y])
-log(exp(z)[c = y] / sum[c](exp(z)))
-log((exp(z) / sum[c](exp(z)))[c = y])
log(sum[c](exp(z))) - z[c = y]
-(z[c = y] - log(sum[c](exp(z))))
log(sum[c](exp(z - z[c = y])))
-log(exp(z[c = y]) / sum[c](exp(z)))
-log(softmax[c](z / 0.1)[c = y])
-log(1 - softmax[c](z)[c = y])
1 - softmax[c](z)[c = y]
softmax[c](z)[c = y]
-(1 - softmax[c](z)[c = y])^2 * log(softmax[c](z)[c = y])
(1 - softmax[c](z)[c = y]^0.7) / 0.7
-log(softmax[c](z)[c = y]) + (1 - softmax[c](z)[c = y])
sum[c where c != y](exp(z - z[c = y]))
log(1 + sum[c where c != y](exp(z - z[c = y])))
log(sum[c where c != y](exp(z))) - z[c = y]
sum[c](-(if c == y then 1 else 0) * log(softmax[c](z)))
sum[c](-(if c == y then 0.925 else 0.025) * log(softmax[c](z)))
-log(softmax[c](2 * z)[c = y]) / 2
-log(exp(z[c = y]) / (exp(z[c = y]) + sum[c where c != y](exp(z))))
""",
    sizes=SIZES,
)

formulas(
    "log-sum-exp",
    Z,
    """
log(sum[c](exp(z)))
log(mean[c](exp(z)))
log(sum[c](exp(z)) / 4)
log(sum[c](2 * exp(z)))
log(sum[c](exp(z + 3)))
log(sum[c](exp(z))) * 0.1
0.1 * log(sum[c](exp(z / 0.1)))
log(sum[c](exp(z)))^2
log(1 + sum[c](exp(z)))
log(sum[c](exp(-z)))
-log(mean[c](exp(-2 * z))) / 2
log(sum[c](sigmoid(z)))
log(sum[c](exp(z)^2))
log(sum[c](1 / exp(z)))
log(sum[c](sqrt(exp(z))))
sum[c](z * exp(z)) / sum[c](exp(z))
sum[c](z * softmax[c](z))
log(prod[c](sigmoid(z)))
log(prod[c](exp(z)))
-log(1 - prod[c](1 - sigmoid(z)))
log(1 - prod[c](sigmoid(z)))
1 - prod[c](1 - sigmoid(z))
max[c](z) - log(sum[c](exp(z)))
log(sum[c where c != 0](exp(z)))
log(sum[c](if c == 0 then 0 else exp(z)))
log(sum[c](exp(z))) - log(sum[c where c != 0](exp(z)))
sum[c where c > 0](exp(z)) / sum[c](exp(z))
log(sum[c where c > 0](exp(z)) / sum[c](exp(z)))
log(sum[c where c > 1](softmax[c](z)))
log(1 - sum[c where c > 1](softmax[c](z)))
sum[c](softmax[c](z)^2)
log(sum[c](softmax[c](z)^2))
""",
    sizes=SIZES,
)

formulas(
    "weighted log-sum-exp",
    {"z": "logit over c", "w": "weight over c"},
    """
log(sum[c](w * exp(z)))
log(sum[c](w * exp(z)) / sum[c](w))
sum[c](w * exp(z)) / sum[c](exp(z))
log(dot[c](w, exp(z)))
""",
    sizes=SIZES,
    points={"w": (1.0, 0.5, 2.0, 1e-3, 10.0)},
)

formulas(
    "weighted log-sum-exp with masks",
    {"z": "logit over c", "m": "mask over c"},
    """
log(sum[c where m](exp(z)))
log(sum[c](if m then exp(z) else 0))
sum[c where m](-log(softmax[c](z)))
sum[c](softmax[c where m](z) * z)
log(1e-9 + sum[c where m](exp(z)))
""",
    sizes=SIZES,
)

formulas(
    "entropy of softmax",
    Z,
    """
-sum[c](softmax[c](z) * log(softmax[c](z)))
let p = softmax[c](z) in -sum[c](p * log(p))
let e = exp(z), s = sum[c](e) in -sum[c](e / s * log(e / s))
log(4) + sum[c](softmax[c](z) * log(softmax[c](z)))
let p = exp(z) / sum[c](exp(z)) in log(sum[c](exp(z))) - sum[c](p * z)
1 - sum[c](softmax[c](z)^2)
""",
    sizes=SIZES,
)

formulas(
    "divergences of softmaxes",
    ZW,
    """
let p = softmax[c](z), q = softmax[c](w) in sum[c](p * log(p / q))
let p = softmax[c](z), q = softmax[c](w) in sum[c](p * (log(p) - log(q)))
let p = softmax[c](z), q = softmax[c](w) in sum[c](p * log(p)) - sum[c](p * log(q))
let p = softmax[c](z), q = softmax[c](w) in -sum[c](p * log(q))
let p = softmax[c](z), q = softmax[c](w), m = (p + q) / 2 in sum[c](p * log(p / m)) / 2 + sum[c](q * log(q / m)) / 2
let p = softmax[c](z), q = softmax[c](w), m = 0.5 * p + 0.5 * q in 0.5 * sum[c](p * (log(p) - log(m))) + 0.5 * sum[c](q * (log(q) - log(m)))
let p = softmax[c](z / 2), q = softmax[c](w / 2) in 4 * sum[c](p * log(p / q))
let p = softmax[c](z), q = softmax[c](w) in sum[c]((p - q)^2)
let p = softmax[c](z), q = softmax[c](w) in 1 - sum[c](sqrt(p * q))
let p = softmax[c](z), q = softmax[c](w) in -log(sum[c](sqrt(p * q)))
let p = softmax[c](z), q = softmax[c](w) in sum[c]((sqrt(p) - sqrt(q))^2)
log(dot[c](softmax[c](z), softmax[c](w)))
-log(sum[c](softmax[c](z) * softmax[c](w)))
""",
    sizes=SIZES,
)

formulas(
    "mixtures",
    {"z": "logit over c", "m": "real over c", "x": "real"},
    """
-log(sum[c](softmax[c](z) * exp(-(x - m)^2 / 2)))
-log(sum[c](softmax[c](z) / sqrt(2 * pi) * exp(-0.5 * (x - m)^2)))
log(sum[c](softmax[c](z) * sigmoid(m - x)))
-log(sum[c](exp(z) * exp(-abs(x - m))) / sum[c](exp(z)))
""",
    sizes={"c": 3},
)

formulas(
    "mixtures",
    {"p": "prob", "x": "logit", "y": "logit"},
    """
-log(p * exp(x) + (1 - p) * exp(y))
log(p * sigmoid(x) + (1 - p) * sigmoid(y))
-log(p + (1 - p) * exp(-softplus(x)))
""",
)

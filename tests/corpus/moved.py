"""The same through what moves values about: picks, renames, branches, literals, let."""

from .entries import formulas

Z = {"z": "logit over c"}
formulas(
    "moved about",
    Z,
    """
log(sigmoid(z))[c = 0]
log(sigmoid(z[c = 0]))
log(1 - sigmoid(z)[c = 1])
log(sum[k](exp(z[c -> k])))
log(sum[k](exp([z[c = 0], z[c = 1], 0.0] along k)))
log(exp(z[c = 0]) + exp(z[c = 1]) + exp(z[c = 2]))
log(if z[c = 0] > 0 then sigmoid(z[c = 0]) else 1 - sigmoid(z[c = 0]))
if z[c = 0] > 0 then log(1 + exp(z[c = 0])) else log(1 + exp(-z[c = 0]))
let s = sigmoid(z) in sum[c](-log(s) - log(1 - s))
let e = exp(z) in log(e[c = 0] / (e[c = 0] + e[c = 1]))
let e = exp(z), t = sum[c](e) in log(e[c = 2] / t) + log(e[c = 1] / t)
sum[c](log(1 + exp(z)))
mean[c](log(1 + exp(-z)))
log(prod[c](1 + exp(z)))
sum[c](if c == 0 then -log(sigmoid(z)) else -log(1 - sigmoid(z)))
log(max[c](softmax[c](z)))
-log(max[c](sigmoid(z)))
log(sum[c](exp(z) * (if c == 0 then 0.5 else 2.0)))
log([sigmoid(z[c = 0]), 1 - sigmoid(z[c = 0])] along k)[k = 1]
1 - [sigmoid(z[c = 0]), softmax[c](z)[c = 1]] along k
stop(log(sum[c](exp(z)))) + log(sum[c](exp(2 * z)))
sum[c](stop(softmax[c](z)) * log(softmax[c](z)))
log(stop(softmax[c](z))[c = 0]) * z[c = 0]
""",
    sizes={"c": 3},
)

formulas(
    "pairs",
    {"z": "logit over c"},
    """
sum[c, k](log(1 + exp(z - z[c -> k])))
sum[c, k where c != k](1 / (1 + exp(z - z[c -> k])))
log(sum[c, k](exp(z + z[c -> k])))
log(sum[c, k where c < k](exp(-(z - z[c -> k])^2)))
sum[c](log(softmax[k](-(z - z[c -> k])^2)[k = 0]))
""",
    sizes={"c": 3},
)

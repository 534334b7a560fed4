from .entries import formulas

# ---- one logit ---------------------------------------------------------------------------------

formulas(
    "log-sigmoid",
    {"x": "logit"},
    """
-log(1 / (1 + exp(-x)))
-log((1 + exp(-x)) / 2)
2 * log((1 + tanh(x / 2)) / 2)
log(sigmoid(x)) + x
let p = sigmoid(x), q = 1 - p in log(p) - log(q)
""",
)

formulas(
    "binary cross-entropy",
    {"x": "logit", "y": "target"},
    """
-(y * log(sigmoid(x)) + (1 - y) * log(1 - sigmoid(x)))
let p = 1 / (1 + exp(-x)) in -y * log(p) - (1 - y) * log(1 - p)
-log(y * sigmoid(x) + (1 - y) * (1 - sigmoid(x)))
y * log(y / sigmoid(x)) + (1 - y) * log((1 - y) / (1 - sigmoid(x)))
""",
)

formulas(
    "softplus",
    {"x": "real"},
    """
log(exp(x) + 1) - x
log(2 + exp(x)) - log(2)
log(1 + 3 * exp(-2 * x)) / 2
log(1 + exp(x)) - log(1 + exp(-x))
log(1 + 1 / exp(x))
""",
)

formulas(
    "log(1 - sigmoid)",
    {"x": "logit"},
    """
log(1 - exp(x) / (1 + exp(x)))
log(1 - sigmoid(x)^2)
log(sigmoid(x) * (1 - sigmoid(x)))
-log(0.5 - 0.5 * tanh(x))
let p = sigmoid(x), n = 1 - p in -p * log(n)
""",
)

formulas(
    "noisy or",
    {"a": "logit", "b": "logit"},
    """
log(1 - sigmoid(a) * sigmoid(b))
-log(1 - (1 - sigmoid(a)) * (1 - sigmoid(b)))
log(sigmoid(a) + sigmoid(b) - sigmoid(a) * sigmoid(b))
""",
)

formulas(
    "differences of sigmoids",
    {"a": "logit", "b": "logit"},
    """
sigmoid(a) - sigmoid(b)
1 / (1 + exp(-a)) - 1 / (1 + exp(-b))
log(1 + exp(a)) - log(1 + exp(b))
""",
    points={"a": (10, 30, 60, -30, -60, 0.5, -80, 20, 1e4), "b": (9, 31, 20, -31, -50, 0.25, 80, 20.5, -1e4)},
)

formulas(
    "discretized logistic",
    {"x": "real", "w": "positive"},
    """
log(sigmoid(x + w) - sigmoid(x - w))
""",
    points={"x": (0, 3, -20, 40, -60, 1000, -1000, 0.5), "w": (1, 0.01, 0.00390625, 2, 10, 0.5, 100, 0.0001)},
)

formulas(
    "centred sigmoid",
    {"x": "real"},
    """
sigmoid(x) - 1 / 2
2 * sigmoid(2 * x) - 1
""",
    points={"x": (1e-8, -1e-5, 1e-3, 30, -30, 80, -80, 1e4, -1e4)},
)

# ---- logits of probabilities -------------------------------------------------------------------

formulas(
    "logits of probabilities",
    {"p": "prob"},
    """
log(p / (1 - p))
log(p) - log(1 - p)
let l = log(p) - log(1 - p) in log(1 + exp(-l))
let l = log(p / (1 - p)) in 1 / (1 + exp(-l))
""",
    points={"p": (1e-30, 1e-20, 1e-7, 0.001, 0.25, 0.75, 0.999, 0.9999)},
)

formulas(
    "tempered probability",
    {"p": "prob", "t": "positive"},
    """
p^(1 / t) / (p^(1 / t) + (1 - p)^(1 / t))
log(sigmoid(log(p / (1 - p)) / t))
""",
    points={"p": (1e-20, 1e-7, 0.001, 0.25, 0.75, 0.999), "t": (0.5, 1, 2, 5, 0.25, 0.1)},
)

# ---- softmax -----------------------------------------------------------------------------------

formulas(
    "log-softmax",
    {"z": "logit over c", "y": "label of c"},
    """
-log((exp(z) / sum[c](exp(z)))[c = y])
log(1 - softmax[c](z)[c = y])
let e = exp(z - max[c](z)), s = sum[c](e) in -log(e[c = y] / s)
log(sum[c where c != y](exp(z)) / exp(z[c = y]))
log(1 + sum[c where c != y](exp(z - z[c = y])))
-log(0.75 * softmax[c](z)[c = y] + 0.25 / size[c])
let p = softmax[c](z)[c = y] in log(p / (1 - p))
""",
    sizes={"c": 4},
)

formulas(
    "soft cross-entropy",
    {"z": "logit over c", "t": "prob over c"},
    """
-sum[c](t * log(exp(z) / sum[c](exp(z))))
sum[c](t * log(t / softmax[c](z)))
""",
    sizes={"c": 3},
    points={"t": (0, 0, 1, 0.5, 0.5, 0, 0.25, 0.25, 0.5, 1, 0, 0)},
)

formulas(
    "weighted log-sum-exp",
    {"z": "logit over c", "w": "weight over c", "m": "mask over c"},
    """
log(sum[c where m](w * exp(z)))
log(sum[c](w * exp(z)) / sum[c](w))
log(mean[c by w](exp(z)))
log(mean[c where m](exp(z)))
""",
    sizes={"c": 4},
    points={"w": (1, 2, 0.5, 3, 0, 1, 0, 2, 1e-3, 1, 10, 1, 5, 0, 0, 0)},
)

formulas(
    "share of a subset",
    {"z": "logit over c", "m": "mask over c"},
    """
log(1 + sum[c](exp(z))) - log(1 + sum[c where m](exp(z)))
-log((1 + sum[c where m](exp(z))) / (1 + sum[c](exp(z))))
log(sum[c](if m then exp(z) else 0) + exp(-3))
""",
    sizes={"c": 4},
)

formulas(
    "log-sum-exp",
    {"z": "logit over c"},
    """
log(sum[c](exp(z))) - max[c](z)
log(sum[c](exp(2 * z))) - 2 * log(sum[c](exp(z)))
log(sum[c](exp(z)) * sum[c](exp(-z)))
log(sum[c](exp(z)^2) + 1)
""",
    sizes={"c": 4},
)

formulas(
    "tempered log-sum-exp",
    {"z": "logit over c", "t": "positive"},
    """
-t * log(mean[c](exp(-z / t)))
log(sum[c](exp(z)^(1 / t))) * t
""",
    sizes={"c": 4},
    points={"t": (0.01, 0.1, 0.5, 1, 2, 10, 100)},
)

formulas(
    "softmax entropy",
    {"z": "logit over c"},
    """
let p = exp(z) / sum[c](exp(z)) in sum[c](p * log(1 / p))
log(sum[c](exp(z))) - sum[c](z * exp(z)) / sum[c](exp(z))
1 - sum[c](softmax[c](z)^2)
-sum[c](softmax[c](z) * log(1 - softmax[c](z)))
""",
    sizes={"c": 3},
)

formulas(
    "bernoulli entropy",
    {"x": "logit"},
    """
-(sigmoid(x) * log(sigmoid(x)) + (1 - sigmoid(x)) * log(1 - sigmoid(x)))
log(1 + exp(x)) - x * sigmoid(x)
""",
)

formulas(
    "divergences of softmaxes",
    {"a": "logit over c", "b": "logit over c"},
    """
let p = exp(a) / sum[c](exp(a)), q = exp(b) / sum[c](exp(b)) in sum[c]((p - q) * (log(p) - log(q)))
let p = softmax[c](a), q = softmax[c](b), m = (p + q) / 2 in (sum[c](p * log(p / m)) + sum[c](q * log(q / m))) / 2
-log(sum[c](sqrt(softmax[c](a) * softmax[c](b))))
4 * sum[c](softmax[c](b / 2) * (log(softmax[c](b / 2)) - log(softmax[c](a / 2))))
""",
    sizes={"c": 3},
    points={
        "a": (0, 0, 0, 1, 2, 3, 100, 0, -100, 1e4, -1e4, 0, -50, 50, 20, 5, 5, -5),
        "b": (1, -1, 0, 3, 1, 2, 90, 1, -90, -1e4, 1e4, 0, 50, -50, 0, -5, 5, 5),
    },
)

formulas(
    "divergences of sigmoids",
    {"a": "logit", "b": "logit"},
    """
sigmoid(a) * log(sigmoid(a) / sigmoid(b)) + (1 - sigmoid(a)) * log((1 - sigmoid(a)) / (1 - sigmoid(b)))
let p = sigmoid(a), q = sigmoid(b) in (p - q) * (log(p / (1 - p)) - log(q / (1 - q)))
-log(sqrt(sigmoid(a) * sigmoid(b)) + sqrt((1 - sigmoid(a)) * (1 - sigmoid(b))))
""",
    points={"a": (0, 3, 30, -30, 80, -80, 1e4, -1e4, 1), "b": (1, -2, -30, -20, 60, 80, -1e4, 1e4, 4)},
)

formulas(
    "mixtures",
    {"x": "logit", "a": "logit", "b": "logit"},
    """
-log(sigmoid(x) * exp(a) + (1 - sigmoid(x)) * exp(b))
log(sigmoid(x) * sigmoid(a) + (1 - sigmoid(x)) * sigmoid(b))
log(exp(a) / (1 + exp(x)) + exp(b) / (1 + exp(-x)))
""",
)

formulas(
    "gaussian mixture",
    {"x": "real", "z": "logit over c", "u": "real over c", "s": "positive over c"},
    """
-log(sum[c](softmax[c](z) * exp(-((x - u) / s)^2 / 2) / (s * sqrt(2 * pi))))
-log(sum[c](exp(z) * exp(-(x - u)^2 / (2 * s^2)) / s) / sum[c](exp(z)))
""",
    sizes={"c": 3},
    points={
        "x": (0, 5, -50, 1000, 3),
        "u": (0, 1, -1, 4, -4, 2, 50, -40, 0, 0, 900, -900, 1, 2, 3),
        "s": (1, 0.5, 2, 0.1, 1, 3, 1, 2, 0.25, 10, 1, 1, 0.01, 0.02, 1),
    },
)

formulas(
    "contaminated likelihood",
    {"x": "small"},
    """
log(0.75 + 0.25 * exp(x))
-log(1 - 0.5 * (1 - exp(-x^2)))
""",
    points={"x": (1e-8, -1e-6, 1e-4, -0.01, 0.3, -5, 60)},
)

# ---- probabilities -----------------------------------------------------------------------------

formulas(
    "x log x",
    {"p": "prob"},
    """
-p * log(p) - (1 - p) * log(1 - p)
p * log(p)
log(p^p)
(1 - p) * log(1 - p) + p
p^1.5 * (1 - p)^2.5
""",
)

formulas(
    "x log x over an axis",
    {"p": "prob over c", "q": "prob over c", "m": "mask over c"},
    """
sum[c where m](p * log(p))
sum[c](p * log(p / q))
sum[c where m](p * (log(p) - log((p + q) / 2)))
""",
    sizes={"c": 3},
    points={
        "p": (0, 0, 1, 0.5, 0.5, 0, 0.25, 0.25, 0.5, 1e-7, 0.5, 0.5, 1, 0, 0),
        "q": (0.5, 0.25, 0.25, 0.25, 0.25, 0.5, 0.125, 0.5, 0.375, 0.5, 0.25, 0.25, 0.75, 0.125, 0.125),
    },
)

formulas(
    "poisson deviance",
    {"k": "count", "m": "positive"},
    """
2 * (k * log(k / m) - k + m)
-log(exp(-m) * m^k)
""",
    points={"k": (0, 1, 2, 5, 30, 100), "m": (1e-6, 0.5, 3, 8, 20, 130)},
)

formulas(
    "focal",
    {"x": "logit"},
    """
let p = 1 / (1 + exp(-x)) in -0.25 * (1 - p)^0.5 * log(p)
(1 - sigmoid(x)^0.7) / 0.7
let p = sigmoid(x) in -log(p) + 1 - p
""",
)

formulas(
    "softmax focal",
    {"z": "logit over c", "y": "label of c"},
    """
let p = softmax[c](z)[c = y] in -(1 - p)^2 * log(p)
(1 - softmax[c](z)[c = y]^0.7) / 0.7
-sum[c where c != y](log(1 - softmax[c](z)))
""",
    sizes={"c": 4},
)

formulas(
    "exact probabilities",
    {"p": "prob", "y": "target"},
    """
-(y * log(p) + (1 - y) * log(1 - p))
-y * (1 - p)^2 * log(p) - (1 - y) * p^2 * log(1 - p)
1 - (2 * p * y + 1) / (p + y + 1)
""",
)

formulas(
    "two exact probabilities",
    {"p": "prob", "q": "prob"},
    """
-log(1 - (1 - p) * (1 - q))
p * log(q) + (1 - p) * log(1 - q)
p * log(2 * p / (p + q)) + q * log(2 * q / (p + q))
""",
    points={"p": (0, 1, 0.5, 1e-7, 0.3, 1, 0.9), "q": (0.5, 0.25, 1, 0.3, 0, 0.9, 0.2)},
)

formulas(
    "guards as written",
    {"p": "prob", "x": "logit"},
    """
log(1e-7 + p)
log(p + 1e-6) - log(1 - p + 1e-6)
-log(sigmoid(x) + 1e-7)
-log(clip(sigmoid(x), 1e-6, 0.5))
log(1 + 1e-6 - sigmoid(x))
""",
)

formulas(
    "guarded vectors",
    {"u": "real over d", "v": "real over d"},
    """
dot[d](u, v) / (norm[d](u) * norm[d](v) + 1e-8)
dot[d](u, v) / max(norm[d](u), 1e-12)
""",
    sizes={"d": 3},
)

# ---- log1p, expm1 ------------------------------------------------------------------------------

formulas(
    "log1p",
    {"t": "tiny"},
    """
log(1 + t) / t
log((1 + t) / (1 - t))
log(2 + t) - log(2)
t - log(1 + t)
""",
    points={"t": (1e-8, -1e-8, 1e-5, -1e-4, 1e-3, 0.01, -0.2, 0.5)},
)

formulas(
    "expm1",
    {"t": "tiny"},
    """
(exp(t) - 1) / t
exp(t) - 1 - t
2^t - 1
1 - 2 / (exp(2 * t) + 1)
""",
    points={"t": (1e-8, -1e-8, 1e-5, -1e-4, 1e-3, 0.01, -0.2, 0.5)},
)

formulas(
    "roots and powers near one",
    {"t": "tiny"},
    """
(1 + t)^0.3 - 1
1 - cos(t)
1 / sqrt(1 + t^2) - 1
""",
    points={"t": (1e-8, -1e-8, 1e-5, -1e-4, 1e-3, 0.01, -0.2, 0.5)},
)

formulas(
    "policy ratio",
    {"new": "logprob", "old": "logprob"},
    """
exp(new - old) - 1 - (new - old)
exp(new) / exp(old) - 1
""",
    points={
        "new": (-1, -2.5, -0.25, -50, -80, -4, -1.001),
        "old": (-1.125, -2, -0.5, -51, -60, -4.0078125, -1),
    },
)

formulas(
    "1 - exp(-x)",
    {"x": "positive"},
    """
x / (1 - exp(-x))
log(1 - exp(-x))
log(exp(x) - 1)
-log(1 / (exp(x) - 1)) - x
log((1 - exp(-x)) / x)
""",
    points={"x": (1e-30, 1e-10, 1e-5, 0.01, 0.5, 0.7, 3, 20, 80, 1e4)},
)

formulas(
    "complement of a log-probability",
    {"l": "logprob"},
    """
log(1 - exp(l))
-(1 - exp(l))^2 * l
""",
    points={"l": (-1e-20, -1e-7, -1e-3, -0.6931, -1, -15, -80, -1e4)},
)

formulas(
    "complementary log-log",
    {"x": "real", "y": "target"},
    """
(1 - y) * exp(x) - y * log(1 - exp(-exp(x)))
-log(1 - exp(-exp(x)))
""",
    points={"x": (-80, -30, -10, -1, 0, 1, 2, 4, 5)},
)

# ---- log-cosh ----------------------------------------------------------------------------------

formulas(
    "log-cosh",
    {"r": "real"},
    """
log((exp(r) + exp(-r)) / 2)
r + log(1 + exp(-2 * r)) - log(2)
log(cosh(3 * r)) / 3
log(1 - tanh(r)^2)
""",
    points={"r": (1e-10, -1e-6, 1e-4, -0.01, 0.1, 5, -50, 100, 1e4, -1e4)},
)

# ---- normal cdf --------------------------------------------------------------------------------

formulas(
    "normal cdf",
    {"x": "real"},
    """
-log(1 - normal_cdf(x))
log((1 + erf(x / sqrt(2))) / 2)
log(erfc(x))
exp(-x^2 / 2) / (sqrt(2 * pi) * normal_cdf(x))
""",
    points={"x": (-1e4, -100, -20, -5, -1, 0.5, 2, 5, 7, 10, 12)},
)

formulas(
    "normal cdf tails",
    {"x": "real"},
    """
1 - erf(x)
x * normal_cdf(x) + exp(-x^2 / 2) / sqrt(2 * pi)
normal_cdf(x) * (1 - normal_cdf(x))
""",
    points={"x": (-10, -8, -6, -4, -1, 0.1, 1, 3, 4, 6, 8)},
)

formulas(
    "probit",
    {"x": "real", "y": "target"},
    """
-y * log(normal_cdf(x)) - (1 - y) * log(1 - normal_cdf(x))
-log(y * normal_cdf(x) + (1 - y) * normal_cdf(-x))
""",
)

formulas(
    "probability of a normal interval",
    {"x": "real", "w": "positive"},
    """
log(normal_cdf(x + w) - normal_cdf(x))
""",
    points={"x": (0, 1, -5, 4, 8, -7, 3), "w": (1, 0.125, 0.5, 2, 0.25, 0.0625, 0.015625)},
)

# ---- cancellation ------------------------------------------------------------------------------

formulas(
    "squared distances",
    {"u": "real over d", "v": "real over d"},
    """
sum[d](u^2) + sum[d](v^2) - 2 * dot[d](u, v)
sqrt(dot[d](u, u) + dot[d](v, v) - 2 * dot[d](u, v))
exp(-(sum[d](u^2) - 2 * sum[d](u * v) + sum[d](v^2)) / 2)
""",
    sizes={"d": 3},
    points={
        "u": (100, 200, -300, 1, 2, 3, 0.125, 0.25, 0.5, 1000, 1000, 1000),
        "v": (101, 199, -302, 1.0625, 2, 3, 0.125, 0.26, 0.5, 1002, 999, 1001),
    },
)

formulas(
    "variances",
    {"u": "real over d"},
    """
mean[d](u^2) - mean[d](u)^2
sqrt(mean[d](u^2) - mean[d](u)^2)
""",
    sizes={"d": 4},
    points={"u": (100, 101, 102, 104, -1000, -1002, -999, -1004, 1, 2, 3, 5, 0.01, 0.02, 0.04, -0.01)},
)

formulas(
    "cancelling differences",
    {"x": "positive"},
    """
log(x + 1) - log(x)
1 / x - 1 / (x + 1)
sqrt(x^2 + 1) - x
1 - x / sqrt(1 + x^2)
""",
    points={"x": (1e-10, 1e-3, 0.5, 3, 100, 1e4, 1e6, 1e8)},
)

formulas(
    "differences of squares",
    {"a": "real", "b": "real"},
    """
(a + b)^2 - (a - b)^2
(a^2 + b^2) / 2 - a * b
""",
    points={"a": (1000, 1, 1e-3, 1e4, -300, 50), "b": (1e-3, 1.0625, 2, 1, 299, 53)},
)

# ---- norms -------------------------------------------------------------------------------------

formulas(
    "norms",
    {"u": "real over d", "v": "real over d"},
    """
norm[d](u) + norm[d](v) / 2
dot[d](u, v) / (norm[d](u) * norm[d](v))
log(sqrt(sum[d](u^2)) + norm[d](v) + 1)
max(0, 1 - norm[d](u - v) / 1000)^2
""",
    sizes={"d": 3},
    points={
        "u": (1e25, -2e25, 1e24, 1e-25, 2e-25, -1e-25, 1, 2, 3, 3, 0, 4, 1e4, -1e4, 1e4),
        "v": (1, 2, -1, 1e-25, 1e-24, 3e-25, 1e25, 1e25, -3e24, 0, 5, 0, 1, 1, 1e4),
    },
)

formulas(
    "angles between vectors",
    {"u": "real over d", "v": "real over d"},
    """
acos(cosine[d](u, v))
sqrt(1 - cosine[d](u, v)^2)
2 - 2 * dot[d](u, v) / (norm[d](u) * norm[d](v))
""",
    sizes={"d": 3},
    points={
        "u": (1, 2, 3, 1, 0, 0, 1, 1, 1, 100, -50, 25, 3, 4, 0),
        "v": (1.01, 2, 3.02, 1, 0.03125, 0, -1, -1, -1.125, 101, -50, 25, 0, 1, 2),
    },
)

formulas(
    "arccos and square roots near one",
    {"s": "cosine"},
    """
acos(s)^2
cos(acos(s) + 0.5)
1 - sqrt(1 - s^2)
""",
    points={"s": (0.999, -0.999, 0.99, 0.5, -0.5, 1e-3, -1e-6, 0.9)},
)

# ---- ratios of exponentials --------------------------------------------------------------------

formulas(
    "ratios of exponentials",
    {"a": "real", "b": "real"},
    """
log(exp(a) * (exp(a) + exp(b))^-1)
(exp(a) - exp(b)) / (exp(a) + exp(b))
exp(a) * exp(b) / (exp(a) + exp(b))^2
(a * exp(a) + b * exp(b)) / (exp(a) + exp(b))
""",
)

formulas(
    "softmax averages",
    {"z": "logit over c", "v": "real over c", "m": "mask over c"},
    """
sum[c where m](exp(z) * v) / (1 + sum[c where m](exp(z)))
sum[c](exp(-z) * v^2) / sum[c](exp(-z))
""",
    sizes={"c": 3},
    points={"v": (1, 2, 3, 5, 0, 1, -1, -2, -0.5, 100, 1, 0.01, 0, 0, 1)},
)

# ---- lgamma ------------------------------------------------------------------------------------

formulas(
    "negative binomial",
    {"k": "count", "m": "positive", "r": "positive"},
    """
lgamma(k + 1) + lgamma(r) - lgamma(k + r) - r * log(r / (r + m)) - k * log(m / (r + m))
""",
    points={"k": (0, 1, 3, 20, 7, 100), "m": (1e-3, 0.5, 8, 30, 2, 60), "r": (0.01, 0.5, 3, 100, 1e4, 1e6)},
)

formulas(
    "beta density",
    {"p": "prob", "a": "positive", "b": "positive"},
    """
lgamma(a) + lgamma(b) - lgamma(a + b) - (a - 1) * log(p) - (b - 1) * log(1 - p)
""",
    points={"p": (1e-7, 0.25, 0.5, 0.9, 0.01), "a": (0.5, 2, 1000, 3, 1), "b": (3, 0.5, 5, 100, 1e4)},
)

formulas(
    "gamma density",
    {"x": "positive", "a": "positive", "b": "positive"},
    """
-log(b^a * x^(a - 1) * exp(-b * x)) + lgamma(a)
""",
    points={"x": (1e-6, 0.5, 3, 100, 20), "a": (0.1, 1, 5, 30, 0.01), "b": (2, 0.01, 4, 0.5, 10)},
)

formulas(
    "student-t",
    {"x": "real", "s": "positive", "v": "positive"},
    """
lgamma(v / 2) - lgamma((v + 1) / 2) + log(v * pi) / 2 + log(s) + (v + 1) / 2 * log(1 + (x / s)^2 / v)
-log((1 + x^2 / (v * s^2))^(-(v + 1) / 2) / s)
""",
    points={"x": (0.5, 1, -30, 1e4, 2, 3), "s": (1, 3, 0.1, 10, 20, 0.5), "v": (1, 3, 30, 0.5, 1e4, 1e6)},
)

formulas(
    "beta function",
    {"a": "positive", "b": "positive"},
    """
lgamma(a) + lgamma(b) - lgamma(a + b)
exp(lgamma(a + 0.5) - lgamma(a)) / (1 + b)
""",
    points={"a": (1e-5, 0.5, 3, 50, 1e3, 1e5), "b": (1, 2, 0.5, 10, 3, 5)},
)

# ---- the general robust loss and its kin -------------------------------------------------------

formulas(
    "general robust",
    {"r": "real", "a": "real"},
    """
abs(a - 2) / a * ((r^2 / abs(a - 2) + 1)^(a / 2) - 1)
""",
    points={"r": (0.5, 3, -1, 2, 1e-4, 100, 0.01, 1), "a": (1, -2, 1e-5, 1.99999, 1, 0.5, -1e-6, -1000)},
)

formulas(
    "general robust of the library",
    {"r": "real", "a": "real"},
    """
general_robust(r, 0, a, 2)
""",
    points={"r": (0.5, 3, -1, 2, 1e-4, 100, 0.01, 1), "a": (0, 2, 1, -2, 2, 0, 1e-5, -1000)},
)

formulas(
    "power families",
    {"x": "positive", "a": "real"},
    """
(x^a - 1) / a
(x^a - 1) / a - log(x)
""",
    points={"x": (0.5, 3, 10, 0.01, 2, 100), "a": (1, 1e-4, -1e-6, 0.01, -2, 0.5)},
)

formulas(
    "robust shapes",
    {"r": "real"},
    """
sqrt(1 + r^2) - 1
1 - exp(-r^2 / 2)
""",
    points={"r": (1e-8, -1e-5, 1e-3, 0.1, -2, 10, 1e4, -1e4)},
)

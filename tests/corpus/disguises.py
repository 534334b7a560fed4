from .entries import formulas

formulas(
    "log-sigmoid disguised",
    {"x": "logit"},
    """
log(exp(x) / (exp(x) + 1))
let e = exp(-x) in let s = 1 / (1 + e) in -log(s)
log(sigmoid(x)^2 * sigmoid(-x)^3)
-log(exp(x / 2) / (exp(x / 2) + exp(-x / 2)))
""",
)

formulas(
    "softplus disguised",
    {"x": "real"},
    """
log(exp(x) + 1) - x
log(1 + exp(10 * x)) / 10
log(1 + exp(x)) - log(1 + exp(-x))
x * tanh(log(1 + exp(x)))
""",
)

formulas(
    "one minus sigmoid",
    {"x": "logit", "t": "target"},
    """
-log(sigmoid(x)^t * (1 - sigmoid(x))^(1 - t))
log(sigmoid(x) / (1 - sigmoid(x)))
let q = 1 - sigmoid(x) in -5 * t * log(1 - q) - (1 - t) * log(q)
-log(1 - sigmoid(x)^2)
""",
)

formulas(
    "differences of sigmoids",
    {"x": "logit", "a": "small"},
    """
-log(sigmoid(x + 0.5) - sigmoid(x - 0.5))
-log(1 / (1 + exp(-x - 2)) - 1 / (1 + exp(-x + 1)))
-log((1 - sigmoid(x - 0.01)) - (1 - sigmoid(x + 0.01)))
""",
)

formulas(
    "logits of probabilities and back",
    {"p": "prob"},
    """
1 / (1 + exp(-log(p / (1 - p))))
-log(1 / p - 1)
sigmoid(2 * log(p / (1 - p)))
""",
    points={"p": (1e-30, 1e-12, 1e-7, 0.5, 0.9990234375, 0.9999998807907104)},
)

formulas(
    "probabilities exactly 0 or 1",
    {"p": "prob", "t": "target"},
    """
-(t * log(p) + (1 - t) * log(1 - p))
-sqrt(1 - p) * (1 - p) * log(p)
p^2 * log(p^2) / 2
(p - t)^2 * log(2) - p * log(p)
""",
)

formulas(
    "x log x and its kin",
    {"w": "weight", "v": "positive"},
    """
w * log(w / v) - w + v
log(w^w)
(1 + w) * log(1 + w) - w * log(w)
""",
    points={"w": (0.0, 1e-30, 1e-12, 1e-4, 1.0, 50.0), "v": (1e-6, 0.01, 1.0, 1000.0)},
)

formulas(
    "focal losses on logits",
    {"x": "logit", "t": "target"},
    """
let p = sigmoid(x) in -0.25 * t * (1 - p)^2 * log(p) - 0.75 * (1 - t) * p^2 * log(1 - p)
let p = sigmoid(x), q = t * p + (1 - t) * (1 - p) in -(1 - q)^2 * log(q)
-(1 - sigmoid(x))^0.5 * log(sigmoid(x))
""",
)

formulas(
    "softmax cross-entropy disguised",
    {"z": "logit over c", "y": "label of c"},
    """
log(sum[c](exp(z - z[c = y])))
let e = exp(z), s = sum[c](e) in -log(e[c = y]) + log(s)
-0.9 * log(softmax[c](z)[c = y]) - 0.1 * mean[c](log(softmax[c](z)))
-log(1 - softmax[c](z)[c = y])
(1 - softmax[c](z)[c = y]^0.7) / 0.7
""",
    sizes={"c": 4},
)

formulas(
    "weighted log-sum-exp",
    {"z": "logit over c", "w": "positive over c", "m": "mask over c"},
    """
log(sum[c](w * exp(z)))
0.1 * log(sum[c](w * exp(z / 0.1)))
sum[c](w * exp(z) * z) / sum[c](w * exp(z))
log(1 + sum[c where m](w * exp(z)))
""",
    sizes={"c": 4},
    points={"w": (1e-6, 0.5, 1.0, 1e6)},
)

formulas(
    "log-sum-exp and log-mean-exp",
    {"z": "logit over c", "m": "mask over c", "x": "logit"},
    """
log(mean[c](exp(z / 2))) * 2
-log(exp(x) / (exp(x) + sum[c where m](exp(z))))
log(sqrt(sum[c](exp(2 * z))))
log(sum[c](sum[c](exp(z)) * exp(-x) + exp(z - x)))
""",
    sizes={"c": 4},
)

formulas(
    "softmax entropies and divergences",
    {"z": "logit over c", "u": "logit over c"},
    """
let p = exp(z) / sum[c](exp(z)) in -sum[c](p * log(p))
let p = softmax[c](z), q = softmax[c](u), r = (p + q) / 2 in (sum[c](p * log(p / r)) + sum[c](q * log(q / r))) / 2
sum[c]((softmax[c](z) - softmax[c](u)) * (log(softmax[c](z)) - log(softmax[c](u))))
-log(sum[c](sqrt(softmax[c](z) * softmax[c](u))))
sum[c]((sqrt(softmax[c](z)) - sqrt(softmax[c](u)))^2) / 2
log(4) + sum[c](softmax[c](z) * log(softmax[c](z)))
log(sum[c](softmax[c](z)^2 / softmax[c](u)))
""",
    sizes={"c": 4},
)

formulas(
    "categorical probabilities and targets",
    {"p": "prob over c", "q": "prob over c", "z": "logit over c"},
    """
sum[c](p * (log(p) - log(softmax[c](z))))
sum[c](p * log(p)) - sum[c](p * log((p + q) / 2))
log(sum[c](p * exp(z)))
""",
    sizes={"c": 4},
)

formulas(
    "log1p, expm1 and friends",
    {"x": "small"},
    """
exp(x) - x - 1
sqrt(1 + x^2) - 1
1 - 1 / sqrt(1 + x^2)
1 - cos(x)
""",
    points={"x": (0.0, 1e-20, 1e-8, -1e-8, 1e-4, -1e-4, 0.03, -0.5)},
)

formulas(
    "removable singularities approached",
    {"x": "positive", "l": "positive"},
    """
(exp(x) - 1) / x
(1 - cos(x)) / x^2
(x^l - 1) / l
1 / x - 1 / (exp(x) - 1)
""",
    points={"x": (1e-6, 1e-3, 0.1, 1.0, 10.0), "l": (1e-7, 1e-4, 0.5)},
)

formulas(
    "log(1 - exp(-x))",
    {"x": "positive"},
    """
-log(exp(x) - 1)
-log((1 - exp(-x)) / (1 + exp(-x)))
log(1 - exp(-x)^2)
let s = exp(-x) in log(1 - s) - log(s)
""",
    points={"x": (1e-30, 1e-10, 1e-4, 0.69, 20.0, 200.0, 10000.0)},
)

formulas(
    "complementary log-log and hazards",
    {"x": "real", "t": "target"},
    """
log(1 - exp(-exp(x)))
log(-log(1 - sigmoid(x)))
-log(1 - exp(-log(1 + exp(x))))
""",
    points={"x": (-10000.0, -100.0, -20.0, -1e-4, 0.0, 3.0, 30.0)},
)

formulas(
    "discrete-time survival",
    {"z": "logit over c", "m": "mask over c", "y": "label of c"},
    """
-log(sigmoid(z)[c = y]) - sum[c where c < y](log(1 - sigmoid(z)))
-log(sigmoid(z[c = y]) * prod[c where c < y](1 - sigmoid(z)))
-log(1 - prod[c](1 - sigmoid(z)))
""",
    sizes={"c": 4},
)

formulas(
    "log-cosh",
    {"x": "real"},
    """
log(exp(x) + exp(-x)) - log(2)
log(cosh(3 * x)) / 3
-log(1 - tanh(x)^2)
(exp(x) - exp(-x)) / (exp(x) + exp(-x))
""",
)

formulas(
    "normal distribution function",
    {"x": "real"},
    """
log(normal_cdf(x))
exp(-x^2 / 2) / sqrt(2 * pi) / normal_cdf(x)
-log(normal_cdf(x + 0.5) - normal_cdf(x - 0.5))
log(exp(-x^2 / 2) / sqrt(2 * pi) + x * normal_cdf(x))
""",
    points={"x": (-10000.0, -300.0, -40.0, -9.0, -1e-4, 0.0, 5.5, 12.0, 100.0, 10000.0)},
)

formulas(
    "scaled tails",
    {"x": "positive"},
    """
exp(x^2) * erfc(x)
log(exp(x^2) * (1 - erf(x)))
x * exp(x^2 / 2) * normal_cdf(-x)
""",
    points={"x": (1e-10, 1e-3, 1.0, 5.0, 15.0, 100.0, 1000.0)},
)

formulas(
    "ordinal probit and logit",
    {"x": "real", "a": "real", "g": "positive"},
    """
-log(normal_cdf(a + g - x) - normal_cdf(a - x))
-log(sigmoid(a + g - x) - sigmoid(a - x))
""",
    points={"x": (-50.0, -8.0, 0.0, 8.0, 50.0), "a": (-2.0, 0.0, 1.5), "g": (0.0625, 1.0, 30.0)},
)

formulas(
    "cancelling squares",
    {"x": "real", "b": "real"},
    """
x^2 - 2 * x * b + b^2
(x^2 + b^2) / 2 - ((x + b) / 2)^2
sqrt(x^2 + 1) - abs(x)
log(sqrt(x^2 + 1) + x)
""",
    points={
        "x": (-10000.0, -999.5, 0.0, 1e-4, 1000.25, 10000.0),
        "b": (-10000.5, -1000.0, 0.0, 1e-4, 999.75, 10001.0),
    },
)

formulas(
    "distances, variances and norms",
    {"u": "real over d", "v": "real over d"},
    """
sum[d](u^2) + sum[d](v^2) - 2 * dot[d](u, v)
mean[d](u^2) - mean[d](u)^2
sqrt(mean[d](u^2) - mean[d](u)^2)
1 / (1 + sum[d](u^2) - 2 * sum[d](u * v) + sum[d](v^2))
""",
    sizes={"d": 3},
    points={"u": (-1000.0, 0.0, 1.0, 1000.5, 1001.0), "v": (-1000.0, 0.0, 1.0, 1000.0, 1000.75)},
)

formulas(
    "norms and cosines far from one",
    {"u": "real over d", "v": "real over d"},
    """
sqrt(sum[d](u^2))
dot[d](u, v) / (norm[d](u) * norm[d](v))
sum[d]((u / norm[d](u) - v / norm[d](v))^2)
-log(exp(cosine[d](u, v) / 0.01) / (exp(cosine[d](u, v) / 0.01) + exp(1 / 0.01)))
""",
    sizes={"d": 3},
    points={"u": (1e-25, -3e-25, 2.0, 1e25, -4e25), "v": (-1e-24, 5e-22, 1.0, 3e24, 1e25)},
)

formulas(
    "arccos and arccosh near one",
    {"x": "real"},
    """
acos(1 - x^2 / 2)^2
acos(1 / sqrt(1 + x^2))
acosh(1 + x^2)
""",
    points={"x": (-0.5, -1e-3, 1e-5, 1e-4, 0.03, 0.5)},
)

formulas(
    "angles of a cosine",
    {"k": "cosine"},
    """
acos(k)^2
1 - cos(acos(k) / 2)^2
exp(-4 * acos(k)^2)
""",
    points={"k": (1.0, 0.9999999403953552, 0.9990234375, 0.0, -0.9)},
)

formulas(
    "angle of a squashed score",
    {"x": "real"},
    """
acos(tanh(x))
log(1 + tanh(x)) - log(1 - tanh(x))
-log(1 - abs(tanh(x)))
""",
    points={"x": (-80.0, -15.0, -1.0, -1e-4, 0.5, 9.0, 20.0, 80.0)},
)

formulas(
    "ratios of exponentials",
    {"a": "logit", "b": "logit"},
    """
(exp(a) - exp(b)) / (exp(a) + exp(b))
-log(exp(a) / (exp(a) + 0.5 * exp(b) + 0.5))
exp(a) * exp(b) / ((exp(a) + exp(b)) * (exp(a) + exp(b)))
(a * exp(a) + b * exp(b)) / (exp(a) + exp(b))
log((exp(a) + exp(b)) / 2)
""",
)

formulas(
    "preferences: Bradley-Terry, RankNet, Davidson",
    {"a": "logit", "b": "logit", "t": "target"},
    """
let p = 1 / (1 + exp(-(a - b))) in -t * log(p) - (1 - t) * log(1 - p)
-log(1.5 * exp((a + b) / 2) / (exp(a) + exp(b) + 1.5 * exp((a + b) / 2)))
-log(sigmoid(a - b) * 0.9 + 0.1 * (1 - sigmoid(a - b)))
""",
)

formulas(
    "preference optimization",
    {"w": "logprob", "l": "logprob", "rw": "logprob", "rl": "logprob"},
    """
-log(sigmoid(0.1 * (log(exp(w) / exp(rw)) - log(exp(l) / exp(rl)))))
(log(exp(w) * exp(rl) / (exp(l) * exp(rw))) - 1 / (2 * 0.1))^2
-log((exp(w) / exp(rw))^0.1 / ((exp(w) / exp(rw))^0.1 + (exp(l) / exp(rl))^0.1))
""",
    points={k: (-2000.0, -300.0, -110.5, -20.0, -1e-4) for k in ("w", "l", "rw", "rl")},
)

formulas(
    "odds of log-probabilities",
    {"w": "logprob", "l": "logprob"},
    """
log(exp(w) / (1 - exp(w)))
-log(sigmoid(log(exp(w) / (1 - exp(w)) / (exp(l) / (1 - exp(l))))))
-exp(w) * w - (1 - exp(w)) * log(1 - exp(w))
""",
    points={"w": (-2000.0, -120.0, -1.0, -1e-3, -1e-6), "l": (-900.0, -50.0, -0.7, -1e-5)},
)

formulas(
    "policy ratios",
    {"w": "logprob", "r": "logprob", "g": "real"},
    """
-min(exp(w) / exp(r) * g, clip(exp(w) / exp(r), 0.8, 1.2) * g)
exp(r) / exp(w) - log(exp(r) / exp(w)) - 1
exp(w) / exp(r) - 1 - (w - r)
""",
    points={
        "w": (-1000.0, -999.5, -200.0, -200.001, -1.0),
        "r": (-1000.0, -999.0, -200.0, -1.0),
        "g": (-2.0, 0.0, 1.0),
    },
)

formulas(
    "gamma and beta functions",
    {"a": "positive", "b": "positive"},
    """
log(exp(lgamma(a)) * exp(lgamma(b)) / exp(lgamma(a + b)))
lgamma(a + b) - lgamma(a) - b * log(a)
digamma(a + b) - digamma(a)
digamma(a) - log(a)
""",
    points={"a": (1e-4, 0.5, 1.0, 2.0, 30.0, 1e4, 1e7), "b": (1e-3, 0.5, 1.0, 3.0, 50.0)},
)

formulas(
    "beta and gamma likelihoods",
    {"a": "positive", "b": "positive", "p": "prob", "x": "positive"},
    """
-log(exp(lgamma(a + b)) / (exp(lgamma(a)) * exp(lgamma(b))) * p^(a - 1) * (1 - p)^(b - 1))
-log(b^a / exp(lgamma(a)) * x^(a - 1) * exp(-b * x))
x / b - log(x / b) - 1
""",
    points={
        "a": (0.01, 1.0, 2.5, 60.0, 1000.0),
        "b": (0.125, 1.0, 40.0),
        "p": (1e-30, 1e-7, 0.5, 0.9999998807907104),
        "x": (1e-10, 0.125, 1.0, 40.00001, 90.0),
    },
)

formulas(
    "negative binomial",
    {"y": "count", "r": "positive", "x": "real"},
    """
lgamma(r) + lgamma(y + 1) - lgamma(y + r) - r * log(r / (r + exp(x))) - y * log(exp(x) / (r + exp(x)))
lgamma(r) - lgamma(y + r) - r * log(1 - sigmoid(x)) - y * log(sigmoid(x))
-log(exp(lgamma(y + r) - lgamma(r) - lgamma(y + 1)) * sigmoid(x)^y * (1 - sigmoid(x))^r)
""",
    points={"y": (0, 1, 7, 500), "r": (1e-3, 0.5, 10.0, 1e5, 1e7), "x": (-200.0, -20.0, 0.0, 3.0, 50.0)},
)

formulas(
    "Student-t",
    {"x": "real", "n": "positive", "s": "positive"},
    """
lgamma(n / 2) - lgamma((n + 1) / 2) + log(n * pi) / 2 + (n + 1) / 2 * log(1 + x^2 / n)
-log(exp(lgamma((n + 1) / 2)) / (sqrt(n * pi) * exp(lgamma(n / 2))) * (1 + x^2 / n)^(-(n + 1) / 2))
log(1 + (x / s)^2)
""",
    points={
        "x": (-1000.0, -3.0, 0.0, 1e-3, 20.0),
        "n": (0.1, 1.0, 30.0, 1e4, 1e8),
        "s": (1e-25, 0.01, 1.0, 1e10),
    },
)

formulas(
    "general robust loss",
    {"x": "real", "a": "positive"},
    """
abs(a - 2) / a * ((x^2 / abs(a - 2) + 1)^(a / 2) - 1)
abs(1e-7 - 2) / 1e-7 * ((x^2 / abs(1e-7 - 2) + 1)^(1e-7 / 2) - 1)
abs(1.9999999 - 2) / 1.9999999 * ((x^2 / abs(1.9999999 - 2) + 1)^(1.9999999 / 2) - 1)
(2 + a) / a * (1 - (x^2 / (2 + a) + 1)^(-a / 2))
""",
    points={"x": (-1000.0, -1.0, 0.0, 1e-4, 1e-2, 30.0), "a": (1e-7, 1e-4, 0.5, 1.0, 1.9)},
)

formulas(
    "Charbonnier, Welsch and other robust forms",
    {"x": "real", "s": "positive"},
    """
s^2 * (sqrt(1 + (x / s)^2) - 1)
1 - exp(-(x / s)^2 / 2)
s * abs(x) - s^2 * log(1 + abs(x) / s)
""",
    points={"x": (-10000.0, -1.0, 0.0, 1e-5, 0.01, 100.0), "s": (1e-3, 1.0, 1000.0, 1e8)},
)

formulas(
    "normal ELBO terms",
    {"mu": "real", "v": "real", "x": "real"},
    """
kl(normal(mu, exp(v / 2)), normal(0, 1))
(exp(v) - 1 - v) / 2
-log(exp(-(x - mu)^2 / (2 * exp(2 * v))) / (exp(v) * sqrt(2 * pi)))
0.01 * max(0.5, kl(normal(mu, exp(v / 2)), normal(x, exp(v / 2))))
""",
    points={
        "mu": (-30.0, 0.0, 1e-4, 5.0),
        "v": (-60.0, -1e-3, 0.0, 1e-5, 1.0, 40.0),
        "x": (-30.0, 0.0, 1.0, 5.0),
    },
)

formulas(
    "normal with scales far from one",
    {"x": "real", "s": "positive", "r": "positive"},
    """
kl(normal(x, s), normal(0, r))
log((s^2 + r^2) / (2 * s * r)) / 2 + x^2 / (4 * (s^2 + r^2))
1 - sqrt(2 * s * r / (s^2 + r^2)) * exp(-x^2 / (4 * (s^2 + r^2)))
""",
    points={
        "x": (0.0, 1e-25, 1e-4, 1.0),
        "s": (1e-25, 1e-4, 1.0, 1.0000001192092896, 1e25),
        "r": (1e-24, 1e-4, 1.0, 1e24),
    },
)

formulas(
    "CRPS of a normal, expected improvement",
    {"x": "real", "mu": "real", "s": "positive"},
    """
let z = (x - mu) / s in s * (z * (2 * normal_cdf(z) - 1) + 2 * exp(-z^2 / 2) / sqrt(2 * pi) - 1 / sqrt(pi))
let z = (x - mu) / s in s * (z * erf(z / sqrt(2)) + sqrt(2 / pi) * exp(-z^2 / 2) - pi^-0.5)
let z = (mu - x) / s in log(s * (exp(-z^2 / 2) / sqrt(2 * pi) + z * normal_cdf(z)))
""",
    points={"x": (-1000.0, 0.0, 1.0, 300.0), "mu": (-10.0, 0.0, 1.5), "s": (0.01, 0.1, 1.0, 1e6)},
)

formulas(
    "mixture densities",
    {"z": "logit over c", "mu": "real over c", "v": "real over c", "x": "real"},
    """
-log(sum[c](softmax[c](z) * exp(-(x - mu)^2 / (2 * exp(2 * v))) / (exp(v) * sqrt(2 * pi))))
-log(sum[c](softmax[c](z) * exp(-nll(x ~ normal(mu, exp(v))))))
-log(sum[c](exp(z) / sum[c](exp(z)) * (sigmoid((x - mu + 0.1) / exp(v)) - sigmoid((x - mu - 0.1) / exp(v)))))
-log(sum[c](softmax[c](z) * exp(-(x - mu) / exp(v)) / (exp(v) * (1 + exp(-(x - mu) / exp(v)))^2)))
-log(sum[c](softmax[c](z) * normal_cdf((x - mu) / exp(v))))
""",
    sizes={"c": 4},
    points={"mu": (-100.0, -1.0, 0.0, 2.0), "v": (-5.0, -2.0, 0.0, 3.0), "x": (-60.0, 0.0, 0.5, 200.0)},
)

formulas(
    "Bernoulli-logit mixtures",
    {"z": "logit over c", "g": "logit over c", "x": "logit", "t": "target"},
    """
-log(sum[c](softmax[c](g) * sigmoid(z)))
-log(1 - sum[c](softmax[c](g) * sigmoid(z)))
-log(sum[c](softmax[c](g) * sigmoid(z)^t * (1 - sigmoid(z))^(1 - t)))
-log(1 - sigmoid(x) * prod[c](sigmoid(z)))
""",
    sizes={"c": 4},
)

formulas(
    "two-component mixtures and noisy labels",
    {"x": "logit", "g": "logit", "p": "prob"},
    """
-log(sigmoid(g) * sigmoid(x) + (1 - sigmoid(g)) * (1 - sigmoid(x)))
log((1 - p) + p * exp(x))
log(1 + p * (exp(x) - 1))
-log(1 - sigmoid(g) * sigmoid(x))
""",
    points={"p": (1e-20, 1e-6, 0.5, 0.9999998807907104)},
)

formulas(
    "zero-inflated and truncated Poisson",
    {"y": "count", "x": "real", "g": "logit"},
    """
-log(if y == 0 then sigmoid(g) + (1 - sigmoid(g)) * exp(-exp(x)) else (1 - sigmoid(g)) * exp(y * x - exp(x) - lgamma(y + 1)))
-log(exp(-exp(x)) * exp(x)^y / exp(lgamma(y + 1)))
exp(x) - (y + 1) * x + log(1 - exp(-exp(x)))
""",
    points={"y": (0, 1, 3, 60), "x": (-100.0, -20.0, -1.0, 0.0, 2.0, 8.0)},
)

formulas(
    "deviances",
    {"y": "count", "mu": "positive"},
    """
2 * (y * log(y / mu) - (y - mu))
2 * ((y + 1) / mu - 1 - log((y + 1) / mu))
2 * (y * log(y / mu) - (y + 5) * log((y + 5) / (mu + 5)))
""",
    points={"y": (0, 1, 4, 1000), "mu": (1e-20, 1e-3, 1.0000001192092896, 4.001, 999.0, 1e5)},
)

formulas(
    "Tweedie and Weibull",
    {"y": "positive", "mu": "positive", "x": "real", "k": "positive"},
    """
exp(0.5 * x) / 0.5 + y * exp(-0.5 * x) / 0.5
y^0.001 / (-0.999 * 0.001) + y * mu^-0.999 / 0.999 + mu^0.001 / 0.001
-log(k / mu * (y / mu)^(k - 1) * exp(-(y / mu)^k))
-log(1 - exp(-(y / mu)^k))
""",
    points={
        "y": (1e-3, 0.5, 1.0, 20.0),
        "mu": (0.01, 0.501, 1.0, 25.0),
        "x": (-60.0, -1.0, 0.0, 60.0),
        "k": (0.125, 1.0, 3.0),
    },
)

formulas(
    "InfoNCE, margins and supervised contrast",
    {"a": "cosine", "k": "cosine over c", "m": "mask over c"},
    """
-log(exp(a / 0.01) / (exp(a / 0.01) + sum[c](exp(k / 0.01))))
-log(exp(64 * (a - 0.35)) / (exp(64 * (a - 0.35)) + sum[c](exp(64 * k))))
log(1 + sum[c where m](exp(50 * (k - 0.5)))) / 50 + log(1 + exp(-200 * (a - 0.5))) / 200
""",
    sizes={"c": 4},
)

formulas(
    "masked softmax",
    {"z": "logit over c", "u": "logit over c", "m": "mask over c", "w": "weight over c"},
    """
-sum[c where m](softmax[c where m](z) * log(softmax[c where m](z)))
mean[c where m](log(1 + exp(-z)))
sum[c where m](softmax[c where m](z) * u)
""",
    sizes={"c": 4},
    points={"w": (0.0, 1e-6, 0.5, 1.0, 1000.0)},
)

formulas(
    "power means and soft extrema",
    {"z": "logit over c", "w": "positive over c"},
    """
sum[c](z * exp(z)) / sum[c](exp(z))
mean[c](w^20)^(1 / 20)
prod[c](w)^(1 / 4)
sum[c](w / sum[c](w) * log(w / sum[c](w)))
""",
    sizes={"c": 4},
    points={"w": (1e-12, 1e-5, 1.0, 1e10)},
)

formulas(
    "square roots and absolute values at zero",
    {"x": "real", "w": "weight"},
    """
sqrt(x^2)
sqrt(x^4 + x^2)
(x^2)^1.5
""",
    points={"x": (-100.0, -1e-4, -1e-25, 0.0, 1e-20, 3.0), "w": (0.0, 1e-30, 1e-6, 1.0, 1e6)},
)

formulas(
    "adversarial and energy-based losses",
    {"a": "logit", "b": "logit"},
    """
-log(exp(-b) / (exp(-a) + exp(-b)))
log(2) - (log(1 + exp(-a)) + log(1 + exp(b))) / 2
log(exp(2 * a) + exp(a + b) + exp(2 * b))
log(abs(sigmoid(a) - 1) / sigmoid(b))
""",
)

# Every formula above is meant to have a value and a gradient which float32
# holds at most points; where a product of extreme inputs overflows in truth, infinity is right.
# Removable singularities are approached to within a few steps but not hit (the naive formula has no value there).

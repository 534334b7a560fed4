from .entries import formulas

# ---------------------------------------------------------------- binary classification
formulas(
    "bce by hand",
    {"x": "logit", "t": "target"},
    """
-(t * log(1 / (1 + exp(-x))) + (1 - t) * log(1 - 1 / (1 + exp(-x))))
log(1 + exp(x)) - t * x
-((0.9 * t + 0.05) * log(sigmoid(x)) + (1 - (0.9 * t + 0.05)) * log(1 - sigmoid(x)))
-(3.5 * t * log(exp(x) / (1 + exp(x))) + (1 - t) * log(1 / (1 + exp(x))))
let p = sigmoid(x) in -(t * log(p + 1e-7) + (1 - t) * log(1 - p + 1e-7))
""",
)

formulas(
    "sigmoid focal by hand",
    {"x": "logit", "t": "target"},
    """
let p = 1 / (1 + exp(-x)) in -0.25 * t * (1 - p)^2 * log(p) - 0.75 * (1 - t) * p^2 * log(1 - p)
(1 - exp(-binary_cross_entropy(x, t)))^2 * binary_cross_entropy(x, t)
let p = sigmoid(x) in -(t * (1 - p) * log(p) + (1 - t) * max(p - 0.05, 0)^4 * log(1 - max(p - 0.05, 0)))
let p = sigmoid(x) in -(t * log(p) + (1 - t) * log(1 - p)) + 1 - (t * p + (1 - t) * (1 - p))
""",
)

formulas(
    "bce compositions",
    {"x": "logit", "t": "target"},
    """
1 - exp(-binary_cross_entropy(x, t))
(1 - exp(-0.7 * binary_cross_entropy(x, t))) / 0.7
""",
)

formulas(
    "gan losses",
    {"a": "logit", "b": "logit"},
    """
-log(sigmoid(a - b)) - log(1 - sigmoid(b - a))
log(sigmoid(a) / (1 - sigmoid(a))) - log(sigmoid(b) / (1 - sigmoid(b)))
-log(2 * sigmoid(a) / (sigmoid(a) + sigmoid(b)))
""",
)

# ---------------------------------------------------------------- multi-class
formulas(
    "softmax focal and poly",
    {"z": "logit over c", "y": "label of c"},
    """
let p = (exp(z) / sum[c](exp(z)))[c = y] in -(1 - p)^2 * log(p)
cross_entropy[c](z, y) + 2 * (1 - exp(-cross_entropy[c](z, y)))
(1 - (exp(z) / sum[c](exp(z)))[c = y]^0.7) / 0.7
(1 - softmax[c](z)[c = y]^0.01) / 0.01
""",
    sizes={"c": 4},
)

formulas(
    "unlikelihood and complement",
    {"z": "logit over c", "y": "label of c"},
    """
-log(1 - softmax[c](z)[c = y])
log(1 - exp(-cross_entropy[c](z, y)))
-log(1 - sum[c where c != y](exp(z) / sum[c](exp(z))))
let p = softmax[c](z) in -sum[c where c != y](p / (1 - p[c = y]) * log(p / (1 - p[c = y])))
let p = softmax[c](z) in log(p[c = y] / (1 - p[c = y]))
let p = softmax[c](z) in -log(p[c = y]) - log(1 - max[c where c != y](p))
""",
    sizes={"c": 4},
)

formulas(
    "multi-class margins",
    {"z": "logit over c", "y": "label of c"},
    """
log(1 + sum[c where c != y](exp(z - z[c = y])))
log(sum[c](exp(z + (if c == y then -0.35 else 0)))) - (z[c = y] - 0.35)
-0.9 * log(softmax[c](z)[c = y]) - 0.1 * mean[c](log(softmax[c](z)))
log(sum[c](exp(z)) - 0.5 * exp(z[c = y]))
""",
    sizes={"c": 4},
)

formulas(
    "balanced softmax",
    {"z": "logit over c", "w": "positive over c", "y": "label of c"},
    """
-log((w * exp(z) / sum[c](w * exp(z)))[c = y])
-log(softmax[c](z + log(w))[c = y])
""",
    sizes={"c": 4},
    points={"w": (1e-3, 1.0, 50.0, 1e4)},
)

formulas(
    "entropy of logits",
    {"z": "logit over c"},
    """
-sum[c](softmax[c](z) * log(softmax[c](z)))
let p = exp(z) / sum[c](exp(z)) in log(4) + sum[c](p * log(p))
-log(sum[c](softmax[c](z)^2))
(1 - sum[c](softmax[c](z)^1.1)) / 0.1
""",
    sizes={"c": 4},
)

# ---------------------------------------------------------------- distillation
formulas(
    "distillation",
    {"s": "logit over c", "u": "logit over c"},
    """
let p = softmax[c](u / 4), q = softmax[c](s / 4) in 16 * sum[c](p * log(p / q))
let p = softmax[c](u / 4), q = softmax[c](s / 4) in 16 * sum[c](q * (log(q) - log(p)))
sum[c](exp(log_softmax[c](s)) * (log_softmax[c](s) - log_softmax[c](u)))
""",
    sizes={"c": 4},
)

formulas(
    "other divergences of logits",
    {"s": "logit over c", "u": "logit over c"},
    """
let p = softmax[c](u), q = softmax[c](s) in 0.5 * sum[c](p * log(2 * p / (p + q))) + 0.5 * sum[c](q * log(2 * q / (p + q)))
let p = softmax[c](u), q = softmax[c](s) in sum[c](p * log(p / (0.1 * p + 0.9 * q)))
-log(sum[c](sqrt(softmax[c](s) * softmax[c](u))))
log(sum[c](softmax[c](s)^2 / softmax[c](u)))
""",
    sizes={"c": 3},
    points={"s": (1e4, -1e4, 90.0, -2.0, 0.5), "u": (-1e4, 200.0, -90.0, 1.0)},
)

formulas(
    "binary distillation",
    {"a": "logit", "b": "logit"},
    """
let p = sigmoid(a / 2), q = sigmoid(b / 2) in p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))
kl(bernoulli(sigmoid(a)), bernoulli(sigmoid(b)))
-log(sqrt(sigmoid(a) * sigmoid(b)) + sqrt((1 - sigmoid(a)) * (1 - sigmoid(b))))
""",
)

# ---------------------------------------------------------------- reinforcement learning
formulas(
    "ppo",
    {"lp": "logprob", "old": "logprob", "adv": "weight"},
    """
-min(exp(lp - old) * adv, clip(exp(lp - old), 0.8, 1.2) * adv)
let ratio = exp(lp) / exp(old) in -min(ratio * adv, clip(ratio, 0.8, 1.28) * adv)
""",
    points={"lp": (-500.0, -120.0, -3.0, -0.01), "old": (-400.0, -150.0, -2.0, -0.5), "adv": (0.0, 0.3, 5.0)},
)

formulas(
    "kl estimators of a log-ratio",
    {"r": "tiny"},
    """
exp(r) - 1 - r
exp(r) * r - (exp(r) - 1)
""",
    points={"r": (1e-8, -1e-6, 1e-4, -1e-3, 0.02, -0.3)},
)

formulas(
    "tanh squashing",
    {"u": "real"},
    """
log(1 - tanh(u)^2)
log(1 - tanh(u)^2 + 1e-6)
log((1 + tanh(u)) / (1 - tanh(u)))
""",
)

formulas(
    "sac log-prob",
    {"u": "real", "m": "small", "s": "small"},
    """
-0.5 * ((u - m) / exp(s))^2 - s - 0.5 * log(2 * pi) - log(1 - tanh(u)^2)
log(exp(-0.5 * ((u - m) / exp(s))^2) / (exp(s) * sqrt(2 * pi)) / (1 - tanh(u)^2))
""",
    points={"u": (50.0, -200.0, 9.0, -12.0, 0.3), "m": (1.0, -2.0, 0.0), "s": (-5.0, 2.0, 0.0)},
)

formulas(
    "value-based rl",
    {"q": "real over c", "y": "label of c"},
    """
0.01 * log(mean[c](exp(q / 0.01)))
sum[c](exp(q / 0.2) / sum[c](exp(q / 0.2)) * q)
clip(0.03 * log((exp(q / 0.03) / sum[c](exp(q / 0.03)))[c = y]), -1, 0)
sum[c](q * exp(-q)) / sum[c](exp(-q))
""",
    sizes={"c": 4},
    points={"q": (1e4, -1e4, 120.0, -3.0, 0.25)},
)

formulas(
    "advantage weights",
    {"a": "real"},
    """
clip(exp(a / 0.05), 0, 20)
let g = min(a, 5) in exp(g) - g - 1
""",
)

# ---------------------------------------------------------------- preferences
formulas(
    "dpo",
    {"a": "logprob", "b": "logprob", "ra": "logprob", "rb": "logprob"},
    """
-log(sigmoid(0.1 * (log(exp(a) / exp(ra)) - log(exp(b) / exp(rb)))))
-0.9 * log(sigmoid(0.5 * (a - ra - b + rb))) - 0.1 * log(1 - sigmoid(0.5 * (a - ra - b + rb)))
(log(exp(a) * exp(rb) / (exp(b) * exp(ra))) - 5)^2
1 - exp(-dpo(a, b, ra, rb))
""",
    points={
        "a": (-800.0, -120.0, -1.5),
        "b": (-700.0, -90.0, -2.5),
        "ra": (-600.0, -100.0, -3.0),
        "rb": (-750.0, -95.0, -1.0),
    },
)

formulas(
    "orpo log-odds",
    {"a": "logprob", "b": "logprob"},
    """
-log(sigmoid(log(exp(a) / (1 - exp(a))) - log(exp(b) / (1 - exp(b)))))
-a + 0.1 * log(1 + exp(b) * (1 - exp(a)) / (exp(a) * (1 - exp(b))))
-log(exp(a) * (1 - exp(b)) / (exp(a) * (1 - exp(b)) + exp(b) * (1 - exp(a))))
""",
    points={"a": (-1e-6, -1e-3, -0.7, -40.0, -300.0), "b": (-1e-5, -0.02, -1.3, -60.0, -250.0)},
)

formulas(
    "simpo and kto",
    {"a": "logprob", "b": "logprob", "l": "positive"},
    """
-log(sigmoid(2 * (a / l - b / l) - 0.5))
-log(exp(a / l) / (exp(a / l) + exp(b / l + 0.5)))
""",
    points={"l": (1.0, 7.0, 512.0), "a": (-3000.0, -150.0, -0.2), "b": (-2500.0, -170.0, -0.9)},
)

formulas(
    "paired comparison with ties",
    {"a": "logit", "b": "logit"},
    """
-log(exp(a) / (exp(a) + 1.5 * exp(b)))
-log(1.25 * exp(a) * exp(b) / ((exp(a) + 1.5 * exp(b)) * (1.5 * exp(a) + exp(b))))
1 - exp(-bpr(a, b))
-log(1 - exp(-bradley_terry(a, b)))
""",
)

# ---------------------------------------------------------------- variational autoencoders
formulas(
    "gaussian kl by log-variance",
    {"m": "small over d", "v": "small over d"},
    """
-0.5 * sum[d](1 + v - m^2 - exp(v))
sum[d](max(0.1, 0.5 * (exp(v) + m^2 - 1 - v)))
sum[d](kl(normal(m, exp(v / 2)), normal(0, 1)))
""",
    sizes={"d": 3},
    points={"v": (60.0, -80.0, 1e-4, -1e-3, 0.5), "m": (1e-3, -1e-4, 3.0)},
)

formulas(
    "gaussian kl near the prior",
    {"v": "tiny"},
    """
0.5 * (exp(v) - 1 - v)
0.5 * (v + exp(-v) - 1)
log((exp(v) + 1) / 2) - v / 2
""",
    points={"v": (1e-7, -1e-5, 1e-3, -0.02, 0.4)},
)

formulas(
    "importance-weighted bound",
    {"lp": "real over k", "lq": "real over k"},
    """
-log(mean[k](exp(lp - lq)))
-(log(sum[k](exp(lp) / exp(lq))) - log(5))
-2 * log(mean[k](sqrt(exp(lp - lq))))
""",
    sizes={"k": 5},
    points={"lp": (-900.0, -120.0, 150.0, 2.0), "lq": (-700.0, -100.0, 130.0, 1.0)},
)

formulas(
    "bernoulli decoder",
    {"l": "real over d", "m": "mask over d"},
    """
-sum[d](if m then log(sigmoid(l)) else log(1 - sigmoid(l)))
-log(prod[d](if m then 1 / (1 + exp(-l)) else 1 / (1 + exp(l))))
""",
    sizes={"d": 3},
)

formulas(
    "discretized logistic",
    {"x": "small", "m": "small", "s": "small"},
    """
-log(sigmoid((x - m + 1 / 255) * exp(-s)) - sigmoid((x - m - 1 / 255) * exp(-s)))
-log(1 / (1 + exp(-(x - m + 0.5) / exp(s))) - 1 / (1 + exp(-(x - m - 0.5) / exp(s))))
log(exp(-(x - m) / exp(s)) / (exp(s) * (1 + exp(-(x - m) / exp(s)))^2))
""",
    points={"x": (1.0, -1.0, 0.25), "m": (-0.5, 0.75, 0.0), "s": (-6.0, -3.0, 3.0)},
)

formulas(
    "spherical densities",
    {"kappa": "positive"},
    """
log(sinh(kappa) / kappa)
cosh(kappa) / sinh(kappa) - 1 / kappa
-log(kappa / (2 * pi * (1 - exp(-2 * kappa))))
""",
    points={"kappa": (1e-3, 0.05, 1.0, 30.0, 200.0, 1e4)},
)

formulas(
    "kumaraswamy and beta",
    {"x": "prob", "a": "positive", "b": "positive"},
    """
-(log(a) + log(b) + (a - 1) * log(x) + (b - 1) * log(1 - x^a))
1 - (1 - x^a)^b
""",
    points={"x": (1e-6, 0.01, 0.5, 0.99), "a": (1e-3, 0.5, 8.0), "b": (1e-2, 2.0, 30.0)},
)

# ---------------------------------------------------------------- diffusion
formulas(
    "snr weights",
    {"l": "logit"},
    """
min(sigmoid(l) / (1 - sigmoid(l)), 5)
min(exp(l), 5) / exp(l)
min(exp(l), 5) / (exp(l) + 1)
exp(l) / (1 + exp(l))
""",
)

formulas(
    "edm preconditioning",
    {"s": "positive"},
    """
0.5 * s / sqrt(s^2 + 0.25)
log((s^2 + 0.25) / (0.5 * s)^2)
-log(s / sqrt(1 + s^2))
""",
)

formulas(
    "variance between noise levels",
    {"g": "small", "h": "small"},
    """
1 - sigmoid(g) / sigmoid(h)
log(1 + exp(g)) - log(1 + exp(h))
""",
    points={"g": (25.0, -20.0, 15.0, 0.5), "h": (18.0, -25.0, -2.0, 28.0)},
)

formulas(
    "vdm step weight",
    {"t": "tiny", "r": "small"},
    """
(1 - exp(-t)) * r^2 / 2
r^2 * (exp(t) - 1) / (exp(t) + 1)
""",
    points={"t": (1e-7, 1e-5, -1e-3, 0.05), "r": (2.0, -0.3)},
)

# ---------------------------------------------------------------- contrastive
formulas(
    "info_nce by hand",
    {"s": "cosine over c", "y": "label of c", "m": "mask over c"},
    """
-log(exp(s[c = y] / 0.01) / sum[c](exp(s / 0.01)))
-log(exp(s[c = y] / 0.005) / sum[c where c != y](exp(s / 0.005)))
-log(exp(s[c = y] / 0.01) / (exp(s[c = y] / 0.01) + sum[c where m](exp(s / 0.01))))
log(mean[c](exp(-2 * (2 - 2 * s) / 0.05)))
log(1 + sum[c where m](exp(-2 * (s - 0.5)))) / 2 + log(1 + sum[c where not m](exp(200 * (s - 0.5)))) / 200
""",
    sizes={"c": 5},
)

formulas(
    "siglip",
    {"s": "cosine over c", "y": "label of c"},
    """
sum[c](log(1 + exp((if c == y then -1 else 1) * (100 * s - 10))))
-sum[c](if c == y then log(sigmoid(117 * s - 12)) else log(1 - sigmoid(117 * s - 12)))
-log(1 - prod[c where c != y](1 - sigmoid(100 * s - 50)))
""",
    sizes={"c": 4},
)

formulas(
    "supcon with probabilities inside the log",
    {"z": "logit over c", "m": "mask over c", "y": "label of c"},
    """
-log(mean[c where m or c == y](exp(z) / sum[c](exp(z))))
""",
    sizes={"c": 5},
)

formulas(
    "soft-margin triplet",
    {"a": "real over d", "p": "real over d", "n": "real over d"},
    """
log(1 + exp(sqrt(sum[d]((a - p)^2)) - sqrt(sum[d]((a - n)^2))))
-log(exp(-norm[d](a - p)) / (exp(-norm[d](a - p)) + exp(-norm[d](a - n))))
-log(exp(-sum[d]((a - p)^2)) / (exp(-sum[d]((a - p)^2)) + exp(-sum[d]((a - n)^2))))
""",
    sizes={"d": 3},
    points={"a": (300.0, -20.0, 0.5), "p": (100.0, -40.0, 0.1), "n": (-200.0, 30.0, 1.0)},
)

formulas(
    "norms of huge and minute vectors",
    {"u": "real over d", "v": "real over d"},
    """
sqrt(sum[d](u^2))
log(1 + sum[d](u^2))
sum[d](u * v) / (sqrt(sum[d](u^2)) * sqrt(sum[d](v^2)))
-log(1 / (1 + exp(-20 * cosine[d](u, v) + 5)))
""",
    sizes={"d": 3},
    points={"u": (1e22, -3e21, 2e20), "v": (2e22, 1e21, -5e21)},
)

formulas(
    "arcface by hand",
    {"x": "cosine", "w": "cosine"},
    """
-log(exp(64 * cos(acos(x) + 0.5)) / (exp(64 * cos(acos(x) + 0.5)) + exp(64 * w)))
-log(exp(640 * (x - 0.35)) / (exp(640 * (x - 0.35)) + exp(640 * w)))
log(1 + exp(256 * max(0, w + 0.25) * (w - 0.25)) * exp(256 * max(0, 1.25 - x) * (0.75 - x)))
""",
    points={"x": (0.99, -0.98, 0.1, 0.7), "w": (0.95, -0.9, 0.3)},
)

formulas(
    "t-sne and umap",
    {"r": "positive"},
    """
-log(1 - 1 / (1 + r))
-log(1 - 1 / (1 + 1.577 * r^0.895))
""",
)

formulas(
    "student-t assignments",
    {"w": "weight over c", "y": "label of c"},
    """
-log(((1 + w)^-1 / sum[c]((1 + w)^-1))[c = y])
""",
    sizes={"c": 4},
    points={"w": (0.0, 1e-3, 5.0, 1e4)},
)

formulas(
    "mutual information bounds",
    {"x": "logit", "z": "logit over c"},
    """
-log(exp(x) / (exp(x) + sum[c](exp(z))))
""",
    sizes={"c": 4},
    points={"z": (1e4, -1e4, 100.0, 0.5)},
)

# ---------------------------------------------------------------- counts and survival
formulas(
    "count likelihoods",
    {"l": "logit", "y": "count"},
    """
log(exp(exp(l)) - 1) - y * l
exp(l) - y * l + log(1 - exp(-exp(l)))
""",
    points={"l": (70.0, 12.0, -30.0, -90.0, 0.2), "y": (1, 2, 7, 30)},
)

formulas(
    "negative binomial",
    {"y": "count", "mu": "positive", "r": "positive"},
    """
lgamma(r) + lgamma(y + 1) - lgamma(y + r) - r * log(r / (r + mu)) - y * log(mu / (r + mu))
nll(y ~ negative_binomial(mu, r))
-log((r / (r + mu))^r)
""",
    points={"y": (0, 1, 5, 40), "mu": (1e-3, 1.0, 60.0), "r": (0.01, 2.0, 500.0, 1e5)},
)

formulas(
    "zero inflation",
    {"a": "logit", "l": "small"},
    """
-log(sigmoid(a) + (1 - sigmoid(a)) * exp(-exp(l)))
-log((1 - sigmoid(a)) * (1 - exp(-exp(l))))
-log(sigmoid(a) + (1 - sigmoid(a)) * (2 / (2 + exp(l)))^2)
""",
    points={"l": (8.0, -60.0, 5.0, 0.1)},
)

formulas(
    "cloglog hazards",
    {"x": "logit"},
    """
-log(1 - exp(-exp(x)))
-log(1 - exp(-log(1 + exp(x))))
log(exp(exp(x)) - 1)
""",
    points={"x": (80.0, 3.0, -30.0, -95.0, -1e4)},
)

formulas(
    "discrete-time survival",
    {"h": "real over c", "z": "logit over c", "y": "label of c"},
    """
-log(sigmoid(h[c = y]) * prod[c where c < y](1 - sigmoid(h)))
let p = softmax[c](z) in -log(sum[c where c >= y](p))
-log(1 - prod[c where c <= y](1 - sigmoid(h)))
""",
    sizes={"c": 4},
)

formulas(
    "weibull and log-logistic",
    {"t": "positive", "k": "positive"},
    """
log(1 + (t / 2)^k)
-log(1 - exp(-(t / 2)^k))
-log(k / 2 * (t / 2)^(k - 1) / (1 + (t / 2)^k)^2)
""",
    points={"t": (1e-12, 1e-3, 1.5, 1e6, 1e12), "k": (0.3, 1.0, 2.5, 6.0)},
)

formulas(
    "gompertz",
    {"a": "tiny", "t": "positive"},
    """
(exp(a * t) - 1) / a
(1 - exp(-a * t)) / a
""",
    points={"a": (1e-6, -1e-4, 1e-3, -0.1), "t": (0.01, 1.0, 20.0)},
)

formulas(
    "box-cox, generalized pareto",
    {"x": "positive", "l": "tiny"},
    """
(x^l - 1) / l
log(1 + l * x) / l
(1 + 1 / l) * log(1 + l * x)
""",
    points={"x": (0.05, 0.8, 3.0, 12.0), "l": (1e-6, 1e-4, 1e-3, 0.05)},
)

# ---------------------------------------------------------------- robust regression
formulas(
    "log-cosh, four ways",
    {"r": "real"},
    """
log(cosh(r))
r + log(1 + exp(-2 * r)) - log(2)
log(0.5 * (1 + exp(2 * r))) - r
log(1 + sinh(r)^2) / 2
""",
    points={"r": (1e4, -1e4, 95.0, -50.0, 1e-3, -1e-5, 0.3)},
)

formulas(
    "robust losses near zero",
    {"r": "small"},
    """
2 * (sqrt(1 + r^2 / 2) - 1)
sqrt(r^2 + 1e-6) - 1e-3
1 - exp(-0.5 * r^2)
abs(r) - log(1 + abs(r))
1.9999 / 1e-4 * ((r^2 / 1.9999 + 1)^0.00005 - 1)
1e-3 / 1.999 * ((r^2 / 1e-3 + 1)^0.9995 - 1)
1 - cos(r)
""",
    points={"r": (1e-5, -1e-3, 0.02, -1.0, 100.0)},
)

formulas(
    "general robust",
    {"x": "real", "t": "real", "a": "small"},
    """
general_robust(x, t, a)
1 - exp(-general_robust(x, t, a))
""",
    points={"x": (50.0, 0.5, -3.0), "t": (-20.0, 0.45, 1.0), "a": (1e-4, -1e-3, 1.999, 2.001, -20.0, 1.0)},
)

formulas(
    "cauchy and student-t",
    {"x": "real", "s": "positive"},
    """
log(1 + x^2 / (2 * s^2)) + log(s)
2 * (x / s)^2 / ((x / s)^2 + 4)
nll(x ~ cauchy(0, s))
""",
    points={"s": (1e-25, 1e-3, 1.0, 1e20)},
)

formulas(
    "student-t freedom",
    {"x": "small", "v": "positive"},
    """
lgamma(v / 2) - lgamma((v + 1) / 2) + 0.5 * log(v * pi) + (v + 1) / 2 * log(1 + x^2 / v)
nll(x ~ student_t(0, 1, v))
(v + 1) / 2 * log(1 + x^2 / v)
""",
    points={"x": (30.0, -2.0, 0.1), "v": (0.5, 3.0, 200.0, 1e4)},
)

formulas(
    "deviances",
    {"x": "positive"},
    """
2 * (x - log(x) - 1)
2 * (x * log(x) - x + 1)
""",
    points={"x": (1e-6, 1.1, 3.0, 1e6)},
)

formulas(
    "smooth quantile",
    {"r": "real"},
    """
0.9 * r + 0.01 * log(1 + exp(-r / 0.01))
0.1 * log(exp(0.9 * r / 0.1) + exp(-0.1 * r / 0.1))
log(1 + exp(100 * r)) / 100
(r + sqrt(r^2 + 4)) / 2
log(r + sqrt(r^2 + 1))
""",
)

formulas(
    "learned scale",
    {"x": "small", "m": "small", "s": "small"},
    """
0.5 * (s + (x - m)^2 / exp(s))
-log(exp(-0.5 * (x - m)^2 / exp(s)) / sqrt(2 * pi * exp(s)))
-log(exp(-abs(x - m) / exp(s)) / (2 * exp(s)))
0.5 * log(log(1 + exp(s))) + 0.5 * (x - m)^2 / log(1 + exp(s))
""",
    points={"x": (20.0, -3.0, 0.1), "m": (-10.0, 2.0, 0.4), "s": (-12.0, 60.0, 0.5)},
)

formulas(
    "softplus scale",
    {"v": "logit"},
    """
log(log(1 + exp(v)))
log(softplus(v) + 1e-6)
""",
)

formulas(
    "inverse softplus",
    {"x": "positive"},
    """
log(exp(x) - 1)
log(1 - exp(-x))
acosh(1 + 2 * x)
""",
    points={"x": (1e-15, 1e-6, 0.5, 90.0, 1e12)},
)

formulas(
    "evidential regression",
    {"r": "small", "v": "positive", "a": "positive", "b": "positive"},
    """
0.5 * log(pi / v) - a * log(2 * b * (1 + v)) + (a + 0.5) * log(r^2 * v + 2 * b * (1 + v)) + lgamma(a) - lgamma(a + 0.5)
lgamma(a) - lgamma(a + 0.5) + 0.5 * log(a)
""",
    points={
        "r": (5.0, -0.3, 0.01),
        "v": (0.02, 1.0, 50.0),
        "a": (1.01, 3.0, 300.0, 2e4),
        "b": (0.01, 1.0, 20.0),
    },
)

formulas(
    "evidential classification",
    {"a": "positive over c", "y": "label of c"},
    """
digamma(sum[c](a)) - digamma(a[c = y])
-lgamma(sum[c](a)) + sum[c](lgamma(a)) - sum[c]((a - 1) * (digamma(a) - digamma(sum[c](a))))
""",
    sizes={"c": 3},
    points={"a": (0.05, 1.0, 6.0, 100.0)},
)

# ---------------------------------------------------------------- ranking
formulas(
    "list losses",
    {"s": "logit over c", "r": "logit over c"},
    """
-sum[c](softmax[c](r) * log(softmax[c](s)))
-sum[c](log(exp(s) / sum[k where k >= c](exp(s[c -> k]))))
sum[c](cumlogsumexp[c](s) - s)
""",
    sizes={"c": 4},
    points={"s": (1e4, -1e4, 100.0, -1.0, 0.5), "r": (-200.0, 50.0, 1.0, 2.5)},
)

formulas(
    "approximate ndcg",
    {"s": "real over c", "g": "weight over c"},
    """
-sum[c](g / log2(2 + sum[k where k != c](1 / (1 + exp(-(s[c -> k] - s) / 0.01)))))
sum[c](g * sum[k where k > c](log(1 + exp(-(s - s[c -> k])))))
""",
    sizes={"c": 3},
    points={"s": (300.0, -200.0, 1.0, 0.5), "g": (0.0, 1.0, 7.0)},
)

formulas(
    "sampled softmax",
    {"p": "logit", "z": "logit over c", "q": "positive over c"},
    """
-log(exp(p) / (exp(p) + sum[c](exp(z) / q)))
-log(exp(p) / (exp(p) + 0.01)) - sum[c](log(4 * q / (exp(z) + 4 * q)))
-log(sum[c](exp(z) / sum[c](exp(z)) * (1 / (1 + exp(z - p)))))
""",
    sizes={"c": 4},
    points={"q": (1e-6, 1e-3, 0.2)},
)

# ---------------------------------------------------------------- segmentation
formulas(
    "soft dice",
    {"z": "real over n", "m": "mask over n"},
    """
1 - (2 * sum[n where m](sigmoid(z)) + 1) / (sum[n](sigmoid(z)) + sum[n](m) + 1)
let p = 1 / (1 + exp(-z)) in -log((2 * sum[n](p * m) + 1) / (sum[n](p) + sum[n](m) + 1))
log(cosh(1 - (2 * sum[n where m](sigmoid(z)) + 1) / (sum[n](sigmoid(z)) + sum[n](m) + 1)))
-log(1 - dice[n](sigmoid(z), m))
(1 - (sum[n](sigmoid(z) * m) + 1) / (sum[n](sigmoid(z) * m) + 0.3 * sum[n](sigmoid(z) * (1 - m)) + 0.7 * sum[n]((1 - sigmoid(z)) * m) + 1))^0.75
""",
    sizes={"n": 4},
    points={"z": (40.0, -30.0, 12.0, -6.0, 0.4)},
)

# ---------------------------------------------------------------- mixtures
formulas(
    "gaussian mixture",
    {"x": "small", "z": "logit over c", "m": "small over c", "s": "small over c"},
    """
-log(sum[c](softmax[c](z) * exp(-0.5 * ((x - m) / exp(s))^2) / (exp(s) * sqrt(2 * pi))))
-log(sum[c](exp(z) / sum[c](exp(z)) * exp(-nll(x ~ normal(m, exp(s))))))
-log(sum[c](softmax[c](z) * (sigmoid((x - m + 0.5) / exp(s)) - sigmoid((x - m - 0.5) / exp(s)))))
""",
    sizes={"c": 3},
    points={
        "x": (30.0, -20.0, 0.5),
        "m": (5.0, -8.0, 0.0),
        "s": (-4.0, 2.0, 0.1),
        "z": (1e4, -300.0, 90.0, 1.0),
    },
)

formulas(
    "contaminated normal",
    {"x": "real", "a": "logit"},
    """
-log(0.99 * exp(-0.5 * x^2) / sqrt(2 * pi) + 0.01 * exp(-0.5 * (x / 10)^2) / (10 * sqrt(2 * pi)))
-log(0.99 * exp(-0.5 * x^2) / sqrt(2 * pi) + 1e-4)
-log(sigmoid(a) * exp(-0.5 * x^2) + (1 - sigmoid(a)) * exp(-0.5 * (x - 3)^2))
""",
)

# ---------------------------------------------------------------- probit, ordinal, acquisition
formulas(
    "probit",
    {"x": "logit", "t": "target"},
    """
-(t * log(normal_cdf(x)) + (1 - t) * log(1 - normal_cdf(x)))
-log(0.5 * (1 + erf(x / sqrt(2))))
exp(-0.5 * x^2) / sqrt(2 * pi) / normal_cdf(x)
log(2 * exp(-0.5 * x^2) / sqrt(2 * pi) * normal_cdf(3 * x))
""",
    points={"x": (1e3, -1e3, 12.0, -9.0, 0.3)},
)

formulas(
    "ordinal by differences",
    {"x": "logit", "g": "small"},
    """
-log(sigmoid(x + 1) - sigmoid(x - 1))
-log(normal_cdf(1 - x) - normal_cdf(-1 - x))
-log(sigmoid(exp(g) - x) - sigmoid(-x))
-log(0.5 * (erf((x + 0.5) / sqrt(2)) - erf((x - 0.5) / sqrt(2))))
""",
    points={"x": (500.0, -800.0, 25.0, -12.0, 0.3), "g": (-5.0, 0.2, 2.0)},
)

formulas(
    "expected improvement and crps",
    {"x": "real"},
    """
log(exp(-0.5 * x^2) / sqrt(2 * pi) + x * normal_cdf(x))
exp(-0.5 * x^2) / sqrt(2 * pi) + x * normal_cdf(x)
exp(x^2) * erfc(x)
""",
    points={"x": (5.0, 40.0, 300.0, -4.0, 0.2)},
)

# ---------------------------------------------------------------- energies, transport, rendering
formulas(
    "energies and sinkhorn",
    {"f": "real over c", "w": "positive over c"},
    """
-0.01 * log(sum[c](w * exp((f - 1) / 0.01)))
sum[c](abs(f)^16)^(1 / 16)
log(sum[c](w * exp(f)) / sum[c](w))
""",
    sizes={"c": 4},
    points={"w": (1e-4, 0.25, 3.0), "f": (1e4, -1e4, 200.0, -2.0, 0.4)},
)

formulas(
    "multiple instance",
    {"z": "real over c"},
    """
-log(1 - prod[c](1 - sigmoid(z)))
-log(1 - exp(-sum[c](exp(z))))
log(mean[c](exp(5 * z))) / 5
""",
    sizes={"c": 4},
    points={"z": (60.0, -1e3, -40.0, -12.0, 0.5, 3.0)},
)

formulas(
    "volume rendering",
    {"w": "weight over c", "y": "label of c"},
    """
exp(-sum[c where c < y](0.01 * w)) * (1 - exp(-0.01 * w[c = y]))
1 - exp(-sum[c](w * 0.01))
""",
    sizes={"c": 4},
    points={"w": (1e-6, 1e-3, 1.0, 300.0)},
)

formulas(
    "opacity",
    {"s": "positive"},
    """
let a = 1 - exp(-s) in -a * log(a) - (1 - a) * log(1 - a)
-log(1 - exp(-0.01 * s))
(1 - exp(-s)) / s
""",
    points={"s": (1e-12, 1e-4, 0.5, 60.0, 1e10)},
)

formulas(
    "neus alpha",
    {"a": "logit", "b": "logit"},
    """
max((sigmoid(a) - sigmoid(b)) / sigmoid(a), 0)
-log(sigmoid(a) * (1 - sigmoid(b)) + sigmoid(b) * (1 - sigmoid(a)))
""",
    points={"a": (1e4, 60.0, -50.0, 0.3), "b": (200.0, -70.0, 2.0, -1e3)},
)

"""Exponentials, cancellation, norms, special functions and distributions of numbers."""

from .entries import formulas

R = {"x": "real"}
RS = {"x": "real", "y": "real"}
POS = {"a": "positive", "b": "positive"}

formulas(
    "small differences",
    {"x": "small"},
    """
exp(x) - 1
1 - exp(x)
1 - exp(-x)
log(1 + x)
log(1 - x)
exp(x) - 1 - x
exp(x) - x - 1
x - log(1 + x)
1 - cos(x)
(1 - cos(x)) / 2
cosh(x) - 1
(exp(x) + exp(-x)) / 2 - 1
exp(x) - exp(-x)
(exp(x) - 1) / x
sqrt(1 + x) - 1
sqrt(1 + x^2) - 1
1 - sqrt(1 - x^2)
1 / (1 + x) - 1
(1 + x)^2 - 1
log(1 + x^2)
log((1 + x) / (1 - x))
1 - 1 / (1 + x^2)
exp(2 * x) - 2 * exp(x) + 1
(1 + x)^0.5 - 1
1 - x / (exp(x) - 1)
exp(x) - exp(2 * x)
""",
    points={"x": (1e-8, -1e-8, 1e-4, -1e-4, 0.01, -0.01, 0.3, -0.3, 0.7, -0.7, 1e-20)},
)

formulas(
    "exponentials",
    {"x": "real"},
    """
exp(x) - 1 - x
log(cosh(x))
log((exp(x) + exp(-x)) / 2)
log(exp(x) + exp(-x)) - log(2)
log(exp(2 * x) + 1) - x - log(2)
1 / cosh(x)
2 / (exp(x) + exp(-x))
exp(-x^2)
exp(-x^2 / 2) * exp(x^2 / 2 - 3)
x * exp(-x) / (1 + exp(-x))
exp(x) / (exp(x) + 2)
exp(2 * x) / (exp(2 * x) + exp(x))
(exp(x) + 1) / (exp(x) + 2)
log((exp(x) + 1) / (exp(x) + 2))
log(1 + exp(-x^2))
exp(0.5 * x) / (1 + exp(x))
sqrt(exp(x)) / (1 + exp(x))
(exp(x) - exp(0.5 * x)) / (1 + exp(x))
x + log(1 + exp(-2 * x)) - log(2)
log(sinh(x)^2 + 1)
tanh(x) / x
""",
    points={"x": (1e4, -1e4, 200.0, -200.0, 88.7, -88.7, 20.0, -20.0, 3.0, -3.0, 0.5, -0.5, 1e-3, -1e-3)},
)

formulas(
    "log(1 - exp)",
    {"d": "positive"},
    """
log(1 - exp(-d))
-log(1 - exp(-d))
log(1 - exp(-2 * d)) - log(1 + exp(-2 * d))
log(exp(d) - 1)
1 - exp(-d)
1 / (exp(d) - 1)
d / (exp(d) - 1)
exp(-d) / (1 - exp(-d))
log(exp(d) - 1) - d
log(tanh(d))
log(sinh(d))
""",
    points={"d": (1e-30, 1e-10, 1e-4, 0.1, 0.5, 1.0, 5.0, 20.0, 88.7, 200.0, 1e4)},
)

formulas(
    "positives",
    POS,
    """
log(a * b)
log(a / b)
log(a) - log(b)
log(a^2)
log(a^2 / b^2)
log(sqrt(a))
sqrt(a^2)
log(a * b^2)
log(a^3 / b)
a / (a + b)
log(a / (a + b))
log(1 + a / b)
log(a + b) - log(b)
log(1 + (a / b)^2)
(a / b)^2
a^2 / b^2
a * log(a / b)
sqrt(a^2 + b^2)
sqrt(a * b)
a * b / (a + b)
1 / (1 / a + 1 / b)
log(2 * pi * a^2) / 2
exp(log(a) - log(b))
exp(2 * log(a))
(log(a) - log(b))^2
a^0.5 / b^0.5
a / sqrt(a^2 + b^2)
-log(a / (a + b)) - log(b / (a + b))
log(a^0.3 * b^0.7)
""",
)

formulas("close positives", POS, """
a * log(a / b) - a + b
a / b - log(a / b) - 1
(a - b) / (a + b)
sqrt(a) - sqrt(b)
(sqrt(a) - sqrt(b))^2
log(a) - log(b)
a - b
a + b - 2 * sqrt(a * b)
2 * (a * log(a / b) - (a - b))
2 * (-log(a / b) + (a - b) / b)
a^2 - b^2
(a - b)^2 / (a * b)
a^2 - 2 * a * b + b^2
1 / a - 1 / b
""", points={"a": (1.0, 2.0, 3.0, 0.1, 10.0, 1000.0, 1.0000001, 0.5, 7.0, 1e-3),
             "b": (1.0000001, 2.0000005, 3.0, 0.1001, 10.5, 1.0, 1.0, 0.5000001, 7.001, 5.0)})  # fmt: skip

formulas("close reals", RS, """
x^2 - 2 * x * y + y^2
x^2 + y^2 - 2 * x * y
(x + y)^2 - 4 * x * y
x^2 - y^2
exp(x) - exp(y)
exp(x) - exp(y) - exp(y) * (x - y)
exp(-x) - exp(-y)
cos(x) - cos(y)
1 - cos(x - y)
log(cosh(x - y))
exp(x - y) - 1 - (x - y)
exp(x - y) - (x - y) - 1
(exp(x) - exp(y)) / (exp(x) + exp(y))
sqrt((x - y)^2 + 1) - 1
sqrt((x - y)^2)
abs(x - y) - log(1 + abs(x - y))
0.5 * (x - y)^2 - 0.5 * x^2 - 0.5 * y^2
(x - y) * tanh((x - y) / 2)
sqrt(x^2 + y^2) - x
""", points={"x": (0.0, 1.0, 1.0, 3.0, 20.0, -5.0, 100.0, 50.0, 0.001, 2.0),
             "y": (1e-4, 1.0000001, 1.001, 2.9999, 20.00001, 5.0, 100.0001, -50.0, 0.0011, 2.0)})  # fmt: skip

V = {"u": "real over d", "v": "real over d"}
formulas("distances and variances", V, """
sum[d](u^2) + sum[d](v^2) - 2 * sum[d](u * v)
sum[d](u^2) - 2 * dot[d](u, v) + sum[d](v^2)
dot[d](u, u) + dot[d](v, v) - 2 * dot[d](u, v)
mean[d](u^2) - mean[d](u)^2
sum[d](u^2) / 3 - (sum[d](u) / 3)^2
mean[d](u * v) - mean[d](u) * mean[d](v)
mean[d]((u - mean[d](u))^2)
sum[d]((u - v)^2)
sum[d](u^2 - 2 * u * v + v^2)
sum[d](u^2 - v^2)
1 - cosine[d](u, v)
2 - 2 * cosine[d](u, v)
1 - dot[d](u, v) / (norm[d](u) * norm[d](v))
dot[d](u, v) / sqrt(sum[d](u^2) * sum[d](v^2))
""", sizes={"d": 3}, points={"u": (1.0, 2.0, 3.0, 100.0, 100.01, 100.02, 0.1, -0.1, 5.0, 1000.0, 1000.5, 999.5),
                             "v": (1.0001, 2.0, 2.9999, 100.0, 100.0, 100.1, 0.3, 0.2, -4.0, 1000.0, 1000.0, 999.0)})  # fmt: skip

formulas(
    "norms",
    {"u": "tiny over d"},
    """
sqrt(sum[d](u^2))
norm[d](u)
sum[d](u^2)^0.5
sqrt(sum[d](u * u))
sqrt(dot[d](u, u))
sqrt(mean[d](u^2))
sum[d](u^2) / sqrt(sum[d](u^2) + 1)
sqrt(sum[d](u^2) + 1) - 1
log(1 + sum[d](u^2))
log(1 + sqrt(sum[d](u^2)))
exp(-sqrt(sum[d](u^2)))
1 - exp(-sum[d](u^2))
""",
    sizes={"d": 2},
    points={"u": (0.0, 0.0, 1e-30, 2e-30, 3.0, 4.0, 1e-8, 0.0, 1e4, -1e4, 1e-4, 1e-5)},
)

formulas(
    "kinks and angles",
    R,
    """
sqrt(x^2)
sqrt(x^2 + 1e-6)
abs(x)
x^2 / (abs(x) + 1)
max(0, 1 - x)
if abs(x) <= 1 then x^2 / 2 else abs(x) - 0.5
if x == 0 then 1 else (1 - exp(-x)) / x
2 * x^2 / (x^2 + 4)
log(1 + x^2 / 2)
sqrt((x / 2)^2 + 1) - 1
1 - exp(-x^2 / 2)
1 - 1 / (1 + x^2)
x^2 / (1 + x^2)
(1 + x^2)^-0.5
1 - (1 + x^2)^-0.5
x / sqrt(1 + x^2)
1 - x / sqrt(1 + x^2)
""",
    points={"x": (0.0, 1e-8, -1e-8, 1e-4, 1e-2, 0.5, -0.5, 1.0, -1.5, 3.0, 30.0, -30.0, 1e4, -1e4)},
)

formulas(
    "angles",
    {"x": "cosine"},
    """
acos(x)
acos(x)^2
1 - x
asin(x)
sqrt(1 - x^2)
sqrt((1 - x) / 2)
pi / 2 - asin(x)
2 - 2 * x
1 - x^2
atanh(x)
log((1 + x) / (1 - x)) / 2
cos(acos(x) + 0.5)
""",
    points={"x": (0.999999, 0.9999999, 0.99, 0.5, 0.1, 1e-8, -1e-8, -0.5, -0.99, -0.999999)},
)

formulas(
    "normal distribution",
    R,
    """
normal_cdf(x)
log(normal_cdf(x))
-log(1 - normal_cdf(x))
log(0.5 * (1 + erf(x / sqrt(2))))
1 - normal_cdf(x)
1 - erf(x)
log(erfc(x))
log(0.5 * erfc(-x / sqrt(2)))
log(normal_cdf(x)) - log(1 - normal_cdf(x))
exp(-x^2 / 2) / normal_cdf(x)
normal_cdf(x) * (1 - normal_cdf(x))
x * normal_cdf(x)
normal_cdf(x)^0.5
normal_cdf(x) - 0.5
""",
    points={"x": (0.0, 1e-4, 0.5, -0.5, 2.0, -2.0, 5.0, -5.0, 10.0, -10.0, 37.0, -37.0, 100.0, -100.0)},
)

formulas(
    "normal distribution",
    {"x": "real", "y": "real"},
    """
normal_cdf(x) - normal_cdf(y)
log(normal_cdf(x + 1) - normal_cdf(x))
""",
    points={"x": (0.0, 3.0, -3.0, 6.0, -6.0), "y": (0.5, 2.0, -4.0, 7.0, -5.0)},
)

formulas("gamma functions", {"k": "count", "a": "positive", "b": "positive"}, """
lgamma(k + a) - lgamma(a)
lgamma(k + a) - lgamma(a) - lgamma(k + 1)
lgamma(a + b) - lgamma(a) - lgamma(b)
lgamma(a) + lgamma(b) - lgamma(a + b)
lgamma(k + a) - lgamma(a) - k * log(a)
lgamma((a + 1) / 2) - lgamma(a / 2) - log(a * pi) / 2 - (a + 1) / 2 * log(1 + b^2 / a)
lgamma(k + a) - lgamma(a) + a * log(a / (a + b)) + k * log(b / (a + b))
lgamma(k + 1 / a) - lgamma(1 / a) + log(1 / (1 + a * b)) / a + k * log(a * b / (1 + a * b))
a * log(b) - lgamma(a) + (a - 1) * log(b) - b
""", points={"a": (0.1, 0.5, 1.0, 3.0, 10.0, 100.0, 1e4, 1e6, 1e-3, 2.0),
             "b": (1.0, 0.1, 2.0, 5.0, 1e-3, 10.0, 1.0, 2.0, 0.5, 1e4),
             "k": (0, 1, 2, 5, 10, 100, 3, 1, 0, 7)})  # fmt: skip

formulas("gaussian likelihoods", {"x": "real", "m": "real", "s": "positive"}, """
-log(exp(-(x - m)^2 / (2 * s^2)) / (s * sqrt(2 * pi)))
(x - m)^2 / (2 * s^2) + log(s)
0.5 * ((x - m) / s)^2 + log(s * sqrt(2 * pi))
-log(exp(-abs(x - m) / s) / (2 * s))
log(1 + ((x - m) / s)^2)
-log(1 / (pi * s * (1 + ((x - m) / s)^2)))
log(s) + (x - m) / s + 2 * log(1 + exp(-(x - m) / s))
-log(exp(-(x - m) / s) / (s * (1 + exp(-(x - m) / s))^2))
log(s^2) + (x - m)^2 / s^2
0.5 * (s^2 + m^2 - 1 - log(s^2))
s - log(s) - 1
""", points={"x": (0.0, 1.0, -3.0, 100.0, -50.0, 1e4, 2.0, 1e-3), "m": (0.0, 1.1, 3.0, -100.0, 50.0, 1.0, 1.99999, 0.0),
             "s": (1.0, 1e-2, 1e-5, 10.0, 1e5, 1.0001, 0.5, 1e-8)})  # fmt: skip

formulas(
    "variational",
    {"m": "real", "v": "real"},
    """
0.5 * (exp(v) + m^2 - 1 - v)
-0.5 * (1 + v - m^2 - exp(v))
-0.5 * (1 + v - exp(v))
log(sqrt(exp(v)))
m^2 / exp(v)
m^2 * exp(-v) + v
log(exp(v)) + m^2 / exp(v)
exp(v / 2)^2
""",
    points={
        "m": (0.0, 1.0, -2.0, 100.0, 1e-4, 1e-8, 3.0, 1e4),
        "v": (0.0, 1e-4, -1e-4, 20.0, -20.0, 1e-8, -88.7, 88.7),
    },
)

formulas("ratios and policies", {"n": "logprob", "o": "logprob", "A": "real"}, """
exp(n) / exp(o)
exp(n) / exp(o) * A
min(exp(n - o) * A, clip(exp(n - o), 0.8, 1.2) * A)
exp(o - n) - (o - n) - 1
exp(o) / exp(n) - log(exp(o) / exp(n)) - 1
log(exp(n) / (1 - exp(n)))
-log(sigmoid(log(exp(n) / (1 - exp(n))) - log(exp(o) / (1 - exp(o)))))
exp(n) * (n - o)
log(1 - exp(n))
-log(sigmoid(0.1 * (n - o)))
log(exp(n) + exp(o))
log(0.5 * exp(n) + 0.5 * exp(o))
exp(n) * log(exp(n) / exp(o))
""", points={"n": (-1e-8, -1e-4, -0.1, -1.0, -5.0, -20.0, -88.7, -200.0, -1e3, -0.7),
             "o": (-1e-8, -1.01e-4, -0.2, -1.0001, -4.0, -25.0, -80.0, -200.5, -900.0, -0.7),
             "A": (1.0, -1.0, 2.0, 0.5, -3.0, 1.0, 1.0, -1.0, 1.0, 0.0)})  # fmt: skip

formulas(
    "the general robust loss",
    {"x": "real"},
    """
x^2 / 2
log(x^2 / 2 + 1)
1 - exp(-x^2 / 2)
let a = 1.0, b = abs(a - 2) in b / a * ((x^2 / b + 1)^(a / 2) - 1)
let a = -2.0, b = abs(a - 2) in b / a * ((x^2 / b + 1)^(a / 2) - 1)
let a = 0.5, b = abs(a - 2) in b / a * ((x^2 / b + 1)^(a / 2) - 1)
let a = 1e-6, b = abs(a - 2) in b / a * ((x^2 / b + 1)^(a / 2) - 1)
let a = 1.999999, b = abs(a - 2) in b / a * ((x^2 / b + 1)^(a / 2) - 1)
""",
    points={"x": (0.0, 1e-8, 1e-4, 0.01, 0.5, -0.5, 1.0, -2.0, 30.0, 1e4, -1e4)},
)

"""LL3: warnings about specs that have a meaning; LL4: compiling."""

from __future__ import annotations

from losslang.codes.table import code

code(
    "LL301",
    "unused-input",
    "warning",
    what="An input is never used.",
    why="Either the formula forgot it, or the caller computes it for nothing.",
    bad=("loss a\ninput x : real[n]\ninput u : real[n]\nterm t = mean[n](x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL302",
    "unused-hyper",
    "warning",
    what="A hyperparameter is never used.",
    why="Somebody will tune it and wonder.",
    bad=("loss a\ninput x : real[n]\nhyper h : real = 1\nterm t = mean[n](x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nhyper h : real = 1\nterm t = mean[n](h * x)\nminimize t"),
)
code(
    "LL303",
    "unused-let",
    "warning",
    what="An intermediate value is never used.",
    why="Either the formula forgot it, or it can go.",
    bad=("loss a\ninput x : real[n]\nlet u = x\nterm t = mean[n](x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nlet u = x\nterm t = mean[n](u)\nminimize t"),
)
code(
    "LL304",
    "unused-term",
    "warning",
    what="A term is not part of what is minimized.",
    why="What is only looked at is a report.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nterm u = sum[n](x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nreport u = sum[n](x)\nminimize t"),
)
code(
    "LL305",
    "zero-weight",
    "warning",
    what="The weight of a term is the constant 0.",
    why="The term has no effect.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nterm u = sum[n](x)\nminimize t + 0 * u"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nterm u = sum[n](x)\nminimize t + u"),
)
code(
    "LL306",
    "no-gradient",
    "warning",
    what="No gradient flows through a term.",
    why="It cannot be learned from: it is a metric.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](stop(x))\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL307",
    "sign-unknown",
    "warning",
    what="The logarithm is taken of a number whose sign is not known.",
    why="Of a negative number it is NaN.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](log(x))\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](log(exp(x)))\nminimize t"),
)
code(
    "LL308",
    "squashed-twice",
    "warning",
    what="`softmax` or `sigmoid` is taken of a probability.",
    why="It is squashed a second time: all probabilities become nearly equal.",
    bad=("loss a\ninput x : real[n]\ninput p : prob[n]\nterm t = mean[n](sigmoid(p))\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](sigmoid(x))\nminimize t"),
)
code(
    "LL309",
    "mask-as-factor",
    "warning",
    what="A mean is taken of a product with a mask.",
    why="It still divides by the number of masked-out places.",
    bad=("loss a\ninput x : real[n]\ninput m : mask[n]\nterm t = mean[n](m * x)\nminimize t"),
    good=("loss a\ninput x : real[n]\ninput m : mask[n]\nterm t = mean[n where m](x)\nminimize t"),
)
code(
    "LL310",
    "unused-mask",
    "warning",
    what="A mask is never used.",
    why="Padding then counts as data.",
    bad=("loss a\ninput x : real[n]\ninput m : mask[n]\nterm t = mean[n](x)\nminimize t"),
    good=("loss a\ninput x : real[n]\ninput m : mask[n]\nterm t = mean[n where m](x)\nminimize t"),
)
code(
    "LL311",
    "may-divide-by-zero",
    "warning",
    what="Something is divided by a hyperparameter whose range contains 0.",
    why="Somebody may set it to 0.",
    bad=("loss a\ninput x : real[n]\nhyper h : real >= 0 = 1\nterm t = mean[n](x / h)\nminimize t"),
    good=("loss a\ninput x : real[n]\nhyper h : real > 0 = 1\nterm t = mean[n](x / h)\nminimize t"),
)
code(
    "LL312",
    "value-and-axis",
    "warning",
    what="A name is both a value and an axis, and here it means the value.",
    why="The index of the axis may have been meant.",
    bad=("loss a\ninput n : real[n]\nterm t = mean[n](n)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL313",
    "needless-guard",
    "warning",
    what="A small constant guards a logarithm that needs no guard.",
    why="The compiler computes it stably; the guard biases value and gradient where the probability is small.",
    bad="loss a\ninput x : real[n]\nterm t = mean[n](-log(1e-10 + sigmoid(x)))\nminimize t",
    good="loss a\ninput x : real[n]\nterm t = mean[n](-log(sigmoid(x)))\nminimize t",
)
code(
    "LL401",
    "extern-missing",
    "error",
    what="An extern is called where no function can be supplied for it.",
    why='The host computes it: `losslang.compile(…, externs={"name": fn})`. A worked example has no host.',
    bad="extern f(x: real) : real\ncheck f(1) == 2",
    good="def f(x: real) = 2 * x\ncheck f(1) == 2",
)

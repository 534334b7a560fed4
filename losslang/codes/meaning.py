"""LL2: kinds, axes and objectives."""

from __future__ import annotations

from losslang.codes.table import code

code(
    "LL201",
    "wrong-kind",
    "error",
    what="A number of one kind is used as another that it cannot be.",
    why="The formula would compute something, and it would mean nothing: a probability taken for a logit is squashed twice.",
    bad=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[n](cross_entropy(x, y))\n"
        "minimize t"
    ),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[n](cross_entropy(z, y))\n"
        "minimize t"
    ),
)
code(
    "LL202",
    "label-as-number",
    "error",
    what="A label is used as a number.",
    why="Class 7 is not seven times class 1.",
    bad=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[n](x - y)\n"
        "minimize t"
    ),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[n](cross_entropy(z, y))\n"
        "minimize t"
    ),
)
code(
    "LL203",
    "accidental-pairs",
    "error",
    what="Two tensors meet of which neither has all axes of the other.",
    why="Everything would be paired with everything; where that is meant, a rename says so.",
    bad=("loss a\ninput x : real[n]\ninput r : real[k]\nterm t = mean[n, k](x * r)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n, o](x * x[n -> o])\nminimize t"),
)
code(
    "LL204",
    "axis-not-there",
    "error",
    what="An operation works along an axis that its argument lacks.",
    why="There is nothing to reduce or to pick from.",
    bad=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[n](sum[c](x))\n"
        "minimize t"
    ),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[n](sum[c](z))\n"
        "minimize t"
    ),
)
code(
    "LL205",
    "not-scalar",
    "error",
    what="A term (or a worked example) still has axes.",
    why="What is minimized is one number; how to get it (mean or sum, over what) changes the training.",
    bad=("loss a\ninput x : real[n]\nterm t = x\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL206",
    "axes-not-given",
    "error",
    what="A definition needs to be told which axes it works along.",
    why="They cannot be told from the kinds of its arguments.",
    bad=(
        "loss a\ninput x : real[n]\ninput a : embedding[n, d]\nterm t = mean[n](info_nce(a, a))\nminimize t"
    ),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "input a : embedding[n, d]\n"
        "term t = mean[n](info_nce[n, d](a, a))\n"
        "minimize t"
    ),
)
code(
    "LL207",
    "argument-lacks-axis",
    "error",
    what="An argument lacks an axis that its parameter names.",
    why="The definition works along that axis.",
    bad=(
        "loss a\n"
        "input x : real[n]\n"
        "input a : embedding[n, d]\n"
        "term t = mean[n](info_nce[n, d](a, x))\n"
        "minimize t"
    ),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "input a : embedding[n, d]\n"
        "term t = mean[n](info_nce[n, d](a, a))\n"
        "minimize t"
    ),
)
code(
    "LL208",
    "wrong-rename",
    "error",
    what="A rename is of an axis that is not there, or to one that is there already.",
    why="Two axes of one tensor cannot have one name.",
    bad=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[n](sum[c](z[n -> c]))\n"
        "minimize t"
    ),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[m](sum[c](z[n -> m]))\n"
        "minimize t"
    ),
)
code(
    "LL209",
    "wrong-pick",
    "error",
    what="A pick is at something that is no position of its axis.",
    why="Positions are whole numbers from 0; a label belongs to one axis.",
    bad=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[n](z[c = x])\n"
        "minimize t"
    ),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c\n"
        "term t = mean[n](z[c = y])\n"
        "minimize t"
    ),
)
code(
    "LL210",
    "not-a-condition",
    "error",
    what="A condition is wanted, and what stands there is no truth value.",
    why="What counts as true of a number would be a guess.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](if x then 1 else 2)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](if x > 0 then x else 2)\nminimize t"),
)
code(
    "LL211",
    "ignored-label",
    "error",
    what="An average includes places where a label is ignored.",
    why="They have no loss: the mean would be NaN, or worse, of something else.",
    bad=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c ignoring -100\n"
        "term t = mean[n](cross_entropy(z, y))\n"
        "minimize t"
    ),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "input z : logit[n, c] over c\n"
        "input y : label[n] of c ignoring -100\n"
        "term t = mean[n where valid(y)](cross_entropy(z, y))\n"
        "minimize t"
    ),
)
code(
    "LL212",
    "mask-axes",
    "error",
    what="A mask or weight has an axis that the masked value lacks.",
    why="One place of the value would be kept and dropped at once.",
    bad=("loss a\ninput x : real[n]\ninput m : mask[k]\nterm t = mean[n where m](x)\nminimize t"),
    good=("loss a\ninput x : real[n]\ninput m : mask[n]\nterm t = mean[n where m](x)\nminimize t"),
)
code(
    "LL213",
    "axes-not-named",
    "error",
    what="An operation does not name its axes, or names the wrong number.",
    why="What is averaged over what is half of a loss.",
    bad=("loss a\ninput x : real[n]\nterm t = mean(x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL214",
    "axis-size",
    "error",
    what="An axis would have two sizes at once.",
    why="One name has one size in one call.",
    bad=(
        "loss a\n"
        "input x : real[n]\n"
        "term t = sum[t]([1, 2] along t) + sum[t]([1, 2, 3] along t) + mean[n](x)\n"
        "minimize t"
    ),
    good=("loss a\ninput x : real[n]\nterm t = sum[t]([1, 2] along t) + mean[n](x)\nminimize t"),
)
code(
    "LL215",
    "position-out-of-range",
    "error",
    what="A pick is at a position that the axis does not have.",
    why="There is nothing there.",
    bad=("loss a\naxis c = 3\ninput z : real[n, c]\nminimize sum[n](z[c = 3])"),
    good=("loss a\naxis c = 3\ninput z : real[n, c]\nminimize sum[n](z[c = 2])"),
)
code(
    "LL216",
    "size-unknown",
    "error",
    what="The length of an axis is needed and nothing gives it.",
    why="No input has that axis, and no statement fixes it.",
    bad=("loss a\ninput y : label[n] of c\nreport u = size[c]\nminimize 1"),
    good=("loss a\naxis c = 4\ninput y : label[n] of c\nreport u = size[c]\nminimize 1"),
)
code(
    "LL217",
    "abstract-kind",
    "error",
    what="`bernoulli` or `categorical` stands outside of a definition's parameters.",
    why="They mean: any of logit, prob, logprob. An input is one of them.",
    bad=("loss a\ninput p : bernoulli[n]\nminimize 1"),
    good=("loss a\ninput p : prob[n]\nminimize sum[n](p)"),
)
code(
    "LL218",
    "kind-axes",
    "error",
    what="A kind says `over`, `of` or `ignoring` where it cannot, or lacks it where it must.",
    why="A label points into an axis; logits are distributed over one.",
    bad=("loss a\ninput y : label[n]\nminimize 1"),
    good=("loss a\ninput z : logit[n, c] over c\ninput y : label[n] of c\nminimize sum[n](z[c = y])"),
)
code(
    "LL219",
    "literal-shape",
    "error",
    what="An array literal does not fit its axes.",
    why="Each axis needs a bracket level, and all rows one length.",
    bad=(
        "loss a\ninput x : real[n]\nterm t = sum[r, t]([[1, 2], [3]] along (r, t)) + mean[n](x)\nminimize t"
    ),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "term t = sum[r, t]([[1, 2], [3, 4]] along (r, t)) + mean[n](x)\n"
        "minimize t"
    ),
)
code(
    "LL220",
    "negative-weight",
    "error",
    what="A mean is weighted by numbers whose sign is not known.",
    why="With weights of both signs a weighted mean can be anything.",
    bad=("loss a\ninput x : real[n]\ninput w : real[n]\nterm t = mean[n by w](x)\nminimize t"),
    good=("loss a\ninput x : real[n]\ninput w : weight[n]\nterm t = mean[n by w](x)\nminimize t"),
)
code(
    "LL221",
    "collection-as-tensor",
    "error",
    what="A collection of tensors is used as one tensor.",
    why="Its members may differ in shape.",
    bad=("loss a\ninput x : real[n]\ninput theta : parameters\nterm t = mean[n](x) + theta\nminimize t"),
    good=("loss a\ninput x : real[n]\ninput theta : parameters\nterm t = mean[n](x) + l2(theta)\nminimize t"),
)
code(
    "LL222",
    "different-members",
    "error",
    what="Two collections with different members are combined.",
    why="They are combined member by member.",
)
code(
    "LL223",
    "axis-left-inside",
    "error",
    what="The result of a definition still has an axis that it introduces inside.",
    why="The caller has no name for it.",
    bad=(
        "def pairs[n, d](z: embedding[n, d]) = dot[d](z, z[n -> other])\n"
        "loss a\n"
        "input x : real[n]\n"
        "input a : embedding[n, d]\n"
        "term t = mean[n](sum[n](pairs[n, d](a)))\n"
        "minimize t"
    ),
    good=(
        "def pairs[n, d](z: embedding[n, d]) = sum[other](dot[d](z, z[n -> other]))\n"
        "loss a\n"
        "input x : real[n]\n"
        "input a : embedding[n, d]\n"
        "term t = mean[n](x) + sum[n](pairs[n, d](a))\n"
        "minimize t"
    ),
)
code(
    "LL230",
    "nothing-minimized",
    "error",
    what="A loss does not say what to minimize.",
    why="Terms alone are not an objective: their weights are part of it.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](x)"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL231",
    "minimized-twice",
    "error",
    what="A loss minimizes twice.",
    why="There is one objective; its parts are terms.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL232",
    "not-affine",
    "error",
    what="What is minimized is not a sum of weights times terms.",
    why="The parts of an objective are reported and weighed one by one.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nterm u = mean[n](x^2)\nminimize t * u"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nterm u = mean[n](x^2)\nminimize t + 0.5 * u"),
)
code(
    "LL233",
    "weight-not-scalar",
    "error",
    what="The weight of a term still has axes.",
    why="A weight is one number.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize x * t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize 2 * t"),
)
code(
    "LL234",
    "outside-range",
    "error",
    what="A number lies outside of its range, or a range or schedule is empty.",
    why="The formula was written for numbers in that range.",
    bad=("loss a\ninput x : real[n]\nhyper h : real > 0 = 0\nterm t = mean[n](h * x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nhyper h : real > 0 = 1\nterm t = mean[n](h * x)\nminimize t"),
)
code(
    "LL235",
    "no-default",
    "error",
    what="A hyperparameter has no default.",
    why="A spec is complete by itself; what changes at each call is an input.",
    bad=("loss a\ninput x : real[n]\nhyper h : real\nterm t = mean[n](h * x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nhyper h : real = 1\nterm t = mean[n](h * x)\nminimize t"),
)
code(
    "LL236",
    "not-constant",
    "error",
    what="A number is wanted that can be computed beforehand.",
    why="Defaults, ranges and tolerances do not depend on inputs.",
    bad=("loss a\ninput x : real[n]\nhyper h : real = x\nterm t = mean[n](h * x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nhyper h : real = 2 * pi\nterm t = mean[n](h * x)\nminimize t"),
)
code(
    "LL237",
    "outside-domain",
    "error",
    what="A function is given numbers for which it has no value.",
    why="The logarithm or root of a number that is always negative is NaN.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](log(-exp(x)))\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](-log(exp(x)))\nminimize t"),
)
code(
    "LL238",
    "division-by-zero",
    "error",
    what="Something is divided by the constant 0.",
    why="The result is infinite or NaN.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](x / 0)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x / 2)\nminimize t"),
)

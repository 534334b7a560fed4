"""Every mistake of a call is an InputError that names the input, the axis, and what was found."""

from __future__ import annotations

import numpy as np
import pytest
from runtime_samples import kinds, language_model, quadratic

from losslang.compiler import from_lowered
from losslang.errors import InputError
from losslang.lowered import Schedule


def arguments(**changes):
    given = {
        "logits": np.linspace(-2.0, 2.0, 20).reshape(4, 5),
        "tokens": np.array([0, 1, 4, 2]),
        "real": np.array([True, True, False, True]),
        "table": np.ones((3, 2)),
    }
    given.update(changes)
    return {name: value for name, value in given.items() if value is not None}


def refuse(fn, /, *args, **kwargs) -> InputError:
    with pytest.raises(InputError) as caught:
        fn(*args, **kwargs)
    return caught.value


@pytest.fixture(scope="module")
def fn():
    return from_lowered(language_model(), "numpy")


def test_by_name_and_by_position_agree(fn) -> None:
    given = arguments()
    assert fn(*given.values()).total == fn(**given).total


def test_missing_input(fn) -> None:
    error = refuse(fn, **arguments(table=None))
    assert error.input == "table" and "without `table`" in str(error)


def test_unknown_input_offers_the_missing_one(fn) -> None:
    error = refuse(fn, **arguments(table=None), tabel=np.ones((3, 2)))
    assert error.input == "tabel" and "did you mean `table`" in str(error)


def test_too_many_and_doubled_positions(fn) -> None:
    assert "positional" in str(refuse(fn, *arguments().values(), 0.5))
    assert "twice" in str(refuse(fn, *arguments().values(), logits=np.ones((4, 5))))


def test_wrong_rank_shows_what_is_bound(fn) -> None:
    error = refuse(fn, **arguments(tokens=np.zeros((4, 1), int)))
    assert error.input == "tokens"
    assert "1 axis (batch)" in str(error) and "(4, 1)" in str(error)
    assert "batch = 4 from logits" in str(error) and "vocab = 5 from logits" in str(error)


def test_wrong_length_names_both_inputs(fn) -> None:
    error = refuse(fn, **arguments(real=np.ones(3, bool)))
    assert (error.input, error.axis) == ("real", "batch")
    assert "`real` has 3 along `batch`" in str(error) and "4 in `logits`" in str(error)


def test_empty_axis(fn) -> None:
    error = refuse(fn, **arguments(table=np.ones((0, 2))))
    assert (error.input, error.axis) == ("table", "entity")


@pytest.mark.parametrize(
    "value", ["text", None, object(), [1.0, "a"], np.ones(4) * 1j, np.array(["a"] * 4), [[1.0], [1.0, 2.0]]]
)
def test_what_is_not_numbers(fn, value) -> None:
    given = arguments()
    given["table"] = value
    assert refuse(fn, **given).input == "table"


def test_arrays_of_another_framework(fn) -> None:
    torch = pytest.importorskip("torch")
    error = refuse(fn, **arguments(table=torch.ones(3, 2)))
    assert error.input == "table" and 'backend="torch"' in str(error)


def test_fixed_axes_and_their_places() -> None:
    fn = from_lowered(quadratic(fixed={"d": 2}, places={"d": ("left", "right")}), "numpy")
    error = refuse(fn, x=np.ones((3, 4)), y=np.ones((3, 4)))
    assert (error.input, error.axis) == ("x", "d") and "(left, right)" in str(error)


def test_axes_that_a_rename_makes_equal() -> None:
    fn = from_lowered(quadratic(equal=(("n", "m"),)), "numpy")
    assert fn(np.ones((3, 2)), np.ones((3, 2))).total == 1
    error = refuse(fn, np.ones((3, 2)), np.ones((4, 2)))
    assert error.axis == "m" and "3 in `x`" in str(error) and "4 in `y`" in str(error)


def test_constant_picks_are_checked_when_bound() -> None:
    fn = from_lowered(quadratic(picks=(("d", 2),)), "numpy")
    assert fn(np.ones((1, 3)), np.ones((1, 3))).total == 1
    error = refuse(fn, np.ones((1, 2)), np.ones((1, 2)))
    assert error.axis == "d" and "place 2" in str(error)


# -- types that hold a kind's values --------------------------------------------------------------


def every_kind(**changes):
    given = {
        "probability": [[0.5, 0.5], [0.25, 0.75]],
        "hit": [0, 1],
        "side": [-1, 1],
        "clicks": [3, 0],
        "weight": [1.0, 2.0],
        "scale": [1.0, 2.0],
        "kept": [True, True],
        "answer": [0, 1],
    }
    return {**given, **changes}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hit", np.array([False, True])),
        ("hit", np.array([0.0, 1.0])),
        ("hit", np.array([0, 1], np.uint8)),
        ("side", np.array([-1.0, 1.0], np.float16)),
        ("clicks", np.array([3.0, 0.0])),
        ("kept", np.array([1.0, 1.0])),
        ("kept", np.array([1, 1], np.int8)),
        ("answer", np.array([0.0, 1.0])),
        ("answer", np.array([0, 1], np.uint16)),
        ("scale", np.array([1, 2])),
    ],
)
def test_any_type_that_holds_the_values(name, value) -> None:
    fn = from_lowered(kinds(), "numpy")
    assert fn(**every_kind(**{name: value})).total == fn(**every_kind()).total


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("answer", np.array([0.5, 1.0])),
        ("clicks", np.array([0.5, 1.0])),
        ("kept", np.array([0.5, 1.0])),
        ("side", np.array([True, False])),
        ("side", np.array([1, 1], np.uint8)),
        ("scale", np.array([True, False])),
    ],
)
def test_types_that_do_not(name, value) -> None:
    assert refuse(from_lowered(kinds(), "numpy"), **every_kind(**{name: value})).input == name


# -- hyperparameters and schedules ----------------------------------------------------------------


def test_overrides_when_compiling_and_when_calling(fn) -> None:
    doubled = from_lowered(language_model(), "numpy", hyper={"decay": 0.2})
    assert doubled(**arguments()).weighted["reg"] == pytest.approx(2 * fn(**arguments()).weighted["reg"])
    assert doubled(**arguments(), decay=0.1).total == fn(**arguments()).total


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "much", None, np.array(-1.0), [0.1]])
def test_hyper_values_that_are_refused(fn, value) -> None:
    given = arguments()
    given["decay"] = value
    assert refuse(fn, **given).input == "decay"
    assert refuse(from_lowered, language_model(), "numpy", {"decay": value}).input == "decay"


def test_open_ends_of_a_range() -> None:
    fn = from_lowered(quadratic(), "numpy")
    for bad in (0.0, 10.1):
        assert "in (0, 10]" in str(refuse(fn, np.ones((1, 1)), np.ones((1, 1)), scale=bad))


def test_unknown_names_when_compiling() -> None:
    assert "`decay`" in str(refuse(from_lowered, language_model(), "numpy", {"decai": 1.0}))
    assert "did you mean `torch`" in str(refuse(from_lowered, language_model(), "torc"))


@pytest.mark.parametrize(
    ("form", "step", "expected"),
    [
        ("linear", -5, 0.1),
        ("linear", 50, 0.3),
        ("linear", 500, 0.5),
        ("cosine", 25, 0.1 + 0.4 * (1 - np.cos(np.pi / 4)) / 2),
        ("exponential", 50, 0.1 * 5**0.5),
        ("constant", 3, 0.1),
    ],
)
def test_schedules(form, step, expected) -> None:
    fn = from_lowered(language_model(Schedule(form, 0.1, 0.5, 100)), "numpy")
    assert fn(**arguments(), step=step).weighted["reg"] == pytest.approx(expected * 6)


def test_a_schedule_needs_a_step_unless_replaced() -> None:
    fn = from_lowered(language_model(Schedule("linear", 0.0, 1.0, 100)), "numpy")
    error = refuse(fn, **arguments())
    assert error.input == "step" and "linear(0, 1, over=100)" in str(error)
    assert fn(**arguments(), decay=0.5).weighted["reg"] == pytest.approx(3)
    for bad in (float("nan"), "late", np.ones(2)):
        assert refuse(fn, **arguments(), step=bad).input == "step"


# -- values, under validate=True --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("probability", [[0.5, 0.6], [0.5, 0.5]], "sums to 1.1 at [n = 0]"),
        ("probability", [[0.5, 0.5], [1.5, -0.5]], "is 1.5 at [n = 1, c = 0]"),
        ("hit", [0, 2], "is 2 at [n = 1]"),
        ("side", [1, 0], "is 0 at [n = 1]"),
        ("clicks", [3, -1], "is -1 at [n = 1]"),
        ("weight", [-1.0, 1.0], "is -1 at [n = 0]"),
        ("scale", [1.0, 0.0], "should be > 0, but is 0 at [n = 1]"),
        ("scale", [np.nan, 1.0], "should be finite, but is nan at [n = 0]"),
        ("answer", [0, 2], "0 to 1, but is 2 at [n = 1]"),
        ("answer", [-1, 0], "is -1 at [n = 0]"),
        ("kept", [False, False], "keeps nothing"),
        ("weight", [0.0, 0.0], "nothing counts"),
    ],
)
def test_values_against_kinds(name, value, words) -> None:
    fn = from_lowered(kinds(), "numpy")
    fn(**every_kind(), validate=True)
    fn(**every_kind(**{name: value}))
    error = refuse(fn, **every_kind(**{name: value}), validate=True)
    assert error.input == name and words in str(error)


def test_garbage_that_a_mask_sets_aside_is_valid() -> None:
    fn = from_lowered(kinds(), "numpy")
    fn(**every_kind(kept=[True, False], scale=[1.0, np.nan], side=[1, 7]), validate=True)


def test_only_ignored_labels(fn) -> None:
    fn(**arguments(tokens=np.array([0, -100, -100, 1])), validate=True)
    error = refuse(fn, **arguments(tokens=np.full(4, -100)), validate=True)
    assert error.input == "tokens" and "ignored" in str(error)


def test_hyper_tensors_are_checked_under_validation() -> None:
    torch = pytest.importorskip("torch")
    fn = from_lowered(quadratic(), "torch")
    given = (torch.ones(1, 1), torch.ones(1, 1))
    fn(*given, scale=torch.tensor(-1.0))
    assert refuse(fn, *given, scale=torch.tensor(-1.0), validate=True).input == "scale"

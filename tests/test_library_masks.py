"""Every entry of the library under a mask on each of its axes: as if what the mask drops were not there."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import library_probes as probes
import numpy as np
import pytest

import losslang
from losslang import model as m

#: Axes whose places are not alike, or which are as long as another: a box without its height is no box.
FIXED = {
    ("box_area", "b"), ("box_overlap", "b"), ("box_union", "b"), ("iou", "b"), ("box_hull", "b"), ("giou", "b"),
    ("diou", "b"), ("box_slope", "b"), ("ciou", "b"), ("ctc", "s"), ("ctc", "t"), ("ctc", "c"), ("transducer", "t"),
    ("transducer", "u"), ("transducer", "c"), ("crf", "c"), ("crf", "previous"), ("graph_smoothness", "n"),
    ("graph_smoothness", "m"), ("soft_dtw", "t"), ("soft_dtw", "u"),
    *((name, axis) for name in ("windowed_mean", "windowed_covariance", "image_covariance", "luminance_similarity",
                                "structure_similarity", "windowed_ssim") for axis in "ihwk"),
}  # fmt: skip
#: What counts places from the start or looks at neighbours is for masks that drop the end: pads.
PADS_LAST = {"ordinal", "wasserstein", "total_variation", "smoothness", "temporal_activity", "crf",
             "distribution_focal", "edge_aware_smoothness"}  # fmt: skip
#: Undefined in the paper too: 0/0 where all are 0, or only one class is; the angle of the highest cosine of none;
#: decibels of silence, and of no error less those of silence.
UNDEFINED = {"importance_balancing", "normalized_cross_entropy", "sub_center_arcface", "snr", "si_sdr"}
SIZE = {"row": 2}
LONG, SHORT = 5, 3


def cases() -> Iterator[tuple[str, str, str]]:
    """(entry, form of its abstract parameters, axis)."""
    for entry in probes.entries():
        if not isinstance(entry, m.Def):
            continue
        kinds = {p.kind.name for p in entry.params if p.kind is not None}
        forms = [forms[0] for kind, forms in probes.FORMS.items() if kind in kinds] or [""]
        for axis in probes._axes(entry):
            if (entry.name, axis) not in FIXED:
                yield entry.name, forms[0], axis


ENTRIES = {entry.name: entry for entry in probes.entries() if isinstance(entry, m.Def)}


@functools.cache
def probe(name: str, form: str, axis: str) -> tuple[Any, tuple[str, ...], losslang.Spec]:
    """The compiled call under a mask on ``axis``, what it is differentiated in, and its spec."""
    entry = ENTRIES[name]
    params = [p for p in entry.params if not probes._endless(p)]
    declared = "\n".join(probes._declared(p, form, probes._nowhere(entry)) for p in params)
    along = ", ".join(probes._axes(entry))
    call = f"{name}[{along} where here]({', '.join(f'a_{p.name}' for p in params)})"
    head = f"loss probe\n{declared}\n  input here : mask[{axis}]\n"
    axes = probes._result(f"{head}  report out = {call}\n  term none = 0\n  minimize none")
    # Weighed by place, since what adds up to a constant has no gradient; a place counts among those that are kept.
    weighed = call
    if axis in axes:
        weighed = f"({call}) * cumsum[{axis}](if here then 1 else 0)"
    total = f"sum[{', '.join(axes)}]({weighed})" if axes else weighed
    text = f"{head}  report out = {call}\n  term total = {total}\n  minimize total\n"
    spec = losslang.load(text)
    wrt = tuple(
        p.name
        for p in spec.elaborate().inputs
        if p.kind.name
        in ("real", "positive", "prob", "logit", "logprob", "embedding", "score", "parameter", "weight")
    )
    return losslang.compile(spec).value_and_grad(wrt=wrt), wrt, spec


def layout(spec: Any) -> dict[str, tuple[str, tuple[str, ...], str | None]]:
    """Kind, axes and the axis that a label is of, by input."""
    return {
        each.name: (each.kind.name, tuple(each.leaves[0].node.attr[1]), each.kind.of)
        for each in spec.elaborate().inputs
    }


def made(spec: Any, axis: str, kept: list[int], how: str = "plain") -> dict[str, Any]:
    rng = np.random.default_rng(11)
    arrays: dict[str, Any] = {}
    for name, (kind, axes, of) in layout(spec).items():
        shape = tuple(SIZE.get(a, LONG if a == axis else SHORT) for a in axes)
        plain = rng.normal(size=shape)
        if how == "ties":
            plain = np.full(shape, 0.5)
        elif how == "zeros":
            plain = np.zeros(shape)
        if kind in ("positive", "weight"):
            arrays[name] = np.exp(plain)
        elif kind == "prob":
            arrays[name] = 1 / (1 + np.exp(-plain))
        elif kind == "logprob":
            arrays[name] = -np.exp(plain)
        elif kind == "label":
            arrays[name] = rng.choice(kept if of == axis else SHORT, size=shape)
        elif kind in ("binary", "count"):
            arrays[name] = rng.integers(0, 2 if kind == "binary" else 4, shape)
        elif kind == "sign":
            arrays[name] = rng.choice([-1, 1], size=shape)
        elif kind == "mask":
            arrays[name] = np.isin(np.arange(LONG), kept)
        else:
            arrays[name] = np.tanh(plain)
    return arrays


def without(spec: Any, axis: str, arrays: dict[str, Any], kept: list[int]) -> dict[str, Any]:
    """The arrays without what is dropped along the axis."""
    less = {}
    for name, (_, axes, of) in layout(spec).items():
        array = np.take(arrays[name], kept, axes.index(axis)) if axis in axes else arrays[name]
        less[name] = np.searchsorted(kept, array) if of == axis else array
    return less


def spoiled(spec: Any, axis: str, arrays: dict[str, Any], kept: list[int], garbage: float) -> dict[str, Any]:
    result = {}
    dropped = [i for i in range(LONG) if i not in kept]
    for name, (kind, axes, _) in layout(spec).items():
        array = arrays[name].copy()
        if axis in axes and kind != "mask":
            view = np.moveaxis(array, axes.index(axis), 0)
            view[dropped] = garbage if array.dtype.kind == "f" else -7 if kind == "label" else view[dropped]
        result[name] = array
    return result


ALL = [pytest.param(*case, id=f"{case[0]}-{case[2]}") for case in cases()]


@pytest.mark.parametrize(("name", "form", "axis"), ALL)
def test_what_a_mask_drops_is_not_there(name: str, form: str, axis: str) -> None:
    fn, wrt, spec = probe(name, form, axis)
    kept = [0, 1, 2] if name in PADS_LAST else [0, 2, 3]
    dropped = [i for i in range(LONG) if i not in kept]
    arrays = made(spec, axis, kept)
    out, gradients = fn(**arrays)
    for garbage in (np.nan, -np.inf, 1e38):
        found, found_gradients = fn(**spoiled(spec, axis, arrays, kept, garbage))
        np.testing.assert_allclose(found.total, out.total, rtol=1e-12)
        for key in wrt:
            np.testing.assert_allclose(found_gradients[key], gradients[key], rtol=1e-10, atol=1e-13)
    axes_of = {key: axes for key, (_, axes, _) in layout(spec).items()}
    for key in wrt:
        if axis in axes_of[key]:
            assert not np.take(gradients[key], dropped, axes_of[key].index(axis)).any()
    less, less_gradients = fn(**without(spec, axis, arrays, kept))
    np.testing.assert_allclose(out.total, less.total, rtol=1e-10, atol=1e-12)
    for key in wrt:
        there = (
            np.take(gradients[key], kept, axes_of[key].index(axis))
            if axis in axes_of[key]
            else gradients[key]
        )
        np.testing.assert_allclose(there, less_gradients[key], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize(("name", "form", "axis"), ALL)
def test_nothing_kept_one_place_ties_and_zeros(name: str, form: str, axis: str) -> None:
    fn, wrt, spec = probe(name, form, axis)
    if name in UNDEFINED:
        return
    if all(of != axis for _, _, of in layout(spec).values()):  # else a label would be one of nothing
        arrays = made(spec, axis, list(range(LONG)))
        out, gradients = fn(**{**arrays, "here": np.zeros(LONG, bool)})
        assert not np.isnan(out.total)
        nowhere = [key for key, (_, axes, _) in layout(spec).items() if key in wrt and axis in axes]
        assert all(not gradients[key].any() for key in nowhere), "nothing flows where nothing is kept"
    for how in ("plain", "ties", "zeros"):
        for kept in ([0], list(range(LONG))):
            out, gradients = fn(**made(spec, axis, kept, how))
            assert not np.isnan(out.total), (how, kept)
            if np.isfinite(out.total):
                assert all(np.isfinite(gradients[key]).all() for key in wrt), (how, kept)

"""Draws library/plots/*.svg: value and gradient of every entry of the library that is a function of one number.

python docs/plot_library.py [NAME...]     draw all plots, or those of these entries

Needs matplotlib (pip install -e ".[docs]"). The same library gives the same files, byte for byte, under the
same matplotlib. What is plotted, and where the other arguments stand, is decided in generate_library.py.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from dataclasses import replace

import matplotlib
import numpy as np
from generate_library import TARGET, Curve, curve

from losslang import compiler
from losslang import model as m
from losslang.cli.gradients import sample
from losslang.lowered import LoweredTerm
from losslang.parse import library

matplotlib.use("svg")

from matplotlib import pyplot

POINTS = 81
STYLE = {
    "svg.hashsalt": "losslang",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def plotted() -> Iterator[tuple[m.Def | m.Dist, Curve]]:
    """Every entry that has a plot."""
    for _, file in library.all_files():
        for each in file.statements:
            if isinstance(each, (m.Def, m.Dist)) and (drawn := curve(each)) is not None:
                yield each, drawn


def evaluated(definition: m.Def | m.Dist, drawn: Curve) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, values and gradients; NaN where they are not finite."""
    lowered = sample(definition)
    [report] = lowered.reports
    term = LoweredTerm("value", report.node, lowered.graph.const(1.0))
    alone = replace(lowered, terms=(term,), total=report.node, offset=None, reports=())
    call = compiler.from_lowered(alone, "numpy").value_and_grad(wrt=(drawn.argument,))
    others = {name: np.float64(value) for name, value in drawn.others}
    places = np.linspace(drawn.start, drawn.stop, POINTS)
    found = [call(**{drawn.argument: np.float64(place)}, **others) for place in places]
    values = np.array([float(out.total) for out, _ in found])
    slopes = np.array([float(grads[drawn.argument]) for _, grads in found])
    return (
        places,
        np.where(np.isfinite(values), values, np.nan),
        np.where(np.isfinite(slopes), slopes, np.nan),
    )


def draw(definition: m.Def | m.Dist, drawn: Curve) -> None:
    """Write one plot.

    Raises ValueError where there is nothing to see: then generate_library.py should place the others elsewhere.
    """
    places, values, slopes = evaluated(definition, drawn)
    if np.isnan(values).mean() > 0.7:
        raise ValueError(f"{drawn.name} is hardly anywhere finite over {drawn.argument}")
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(4.2, 2.6))
        axes.axhline(0.0, color="0.8", linewidth=0.8)
        axes.plot(
            places,
            values,
            color="tab:blue",
            label="log-density" if isinstance(definition, m.Dist) else "value",
        )
        axes.plot(places, slopes, color="tab:orange", linestyle="--", label="gradient")
        axes.set_xlabel(drawn.argument)
        axes.locator_params(nbins=5)
        axes.legend(frameon=False)
        figure.tight_layout()
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    (TARGET / "plots" / drawn.file).write_text(_smaller(written.getvalue()), encoding="utf-8")


def _smaller(svg: str) -> str:
    """The same picture in half the bytes: without metadata and names of groups, tenths of a point, each style told once."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!DOCTYPE[^>]*>|<\?xml [^>]*>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"-?\d+\.\d{2,}", lambda match: f"{float(match[0]):.1f}", svg)
    svg = re.sub(r"</?g( id=\"[^\"]*\")?>", "", svg)
    svg = re.sub(r" transform=\"rotate\(-0 [^)]*\)\"", "", svg)
    svg = re.sub(r"font-size: 9px; font-family: [^;\"]*;?", "", svg)
    svg = svg.replace("{stroke-linejoin", "{font: 9px sans-serif; stroke-linejoin", 1)
    svg = re.sub(r"\s*\n\s*", "\n", svg)
    return re.sub(r"\n(?=[Lz\"])", " ", svg)


def main() -> int:
    """Draw the plots, and remove those that no entry has."""
    wanted = set(sys.argv[1:])
    folder = TARGET / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    files = set()
    for definition, drawn in plotted():
        files.add(drawn.file)
        if not wanted or definition.name in wanted:
            draw(definition, drawn)
    for path in folder.glob("*.svg"):
        if path.name not in files:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())

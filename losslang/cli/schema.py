"""``losslang schema``: JSON Schema of specs, or of what one loss takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from losslang.interval import Interval
    from losslang.lowered import LoweredHyper, LoweredInput, LoweredLoss

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: What an element of an array of this kind may be.
_ELEMENTS: dict[str, dict[str, Any]] = {
    "positive": {"type": "number", "exclusiveMinimum": 0},
    "weight": {"type": "number", "minimum": 0},
    "prob": {"type": "number", "minimum": 0, "maximum": 1},
    "logprob": {"type": "number", "maximum": 0},
    "label": {"type": "integer"},
    "count": {"type": "integer", "minimum": 0},
    "binary": {"enum": [0, 1, False, True]},
    "sign": {"enum": [-1, 1]},
    "mask": {"enum": [False, True, 0, 1]},
}


@click.command("schema")
@click.argument("spec", required=False, metavar="[SPEC]")
@click.option("--loss", help="Which loss of the file.")
def command(spec: str | None, loss: str | None) -> None:
    """Print the JSON Schema of the spec model, or of the arguments of a loss of SPEC.

    The model is what `losslang check spec.json` reads and `losslang compile --dump model` prints.
    """
    if spec is None:
        from losslang.model import File

        schema = {"$schema": DIALECT, **File.model_json_schema(), "title": "losslang spec"}
    else:
        from losslang.cli.targets import load_spec

        schema = arguments(load_spec(spec).elaborate(loss))
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))


def arguments(lowered: LoweredLoss) -> dict[str, Any]:
    """The arguments of a compiled loss as a JSON object of nested arrays."""
    properties = {each.name: _input(each) for each in lowered.inputs}
    properties |= {each.name: _hyper(each) for each in lowered.hypers}
    return {
        "$schema": DIALECT,
        "title": lowered.name,
        "description": lowered.doc,
        "type": "object",
        "properties": properties,
        "required": [each.name for each in lowered.inputs],
        "additionalProperties": False,
    }


def _input(each: LoweredInput) -> dict[str, Any]:
    if each.collection:
        return {"description": _described(each), "type": ["object", "array"]}
    element = _ELEMENTS.get(each.kind.name, {"type": "number"})
    if any(axis.startswith("*") for axis in each.axes):
        return {"description": _described(each)}
    for _ in each.axes:
        element = {"type": "array", "items": element}
    return {"description": _described(each), **element}


def _described(each: LoweredInput) -> str:
    axes = f"[{', '.join(each.axes)}]" if each.axes else ""
    name, space, rest = str(each.kind).partition(" ")
    return f"{name}{axes}{space}{rest}" + (f". {each.doc}" if each.doc else "")


def _hyper(each: LoweredHyper) -> dict[str, Any]:
    from losslang.lowered import Schedule

    element: dict[str, Any] = {"type": "number", **_bounds(each.interval)}
    for _ in each.axes:
        element = {"type": "array", "items": element}
    if isinstance(each.default, Schedule):
        from losslang.runtime.schedules import text

        return {"description": f"{each.doc} Follows {text(each.default)} by default.".strip(), **element}
    return {"description": each.doc, **element, "default": each.default}


def _bounds(interval: Interval) -> dict[str, float]:
    bounds = {}
    if interval.low > float("-inf"):
        bounds["exclusiveMinimum" if interval.low_open else "minimum"] = interval.low
    if interval.high < float("inf"):
        bounds["exclusiveMaximum" if interval.high_open else "maximum"] = interval.high
    return bounds

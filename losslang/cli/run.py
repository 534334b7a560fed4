"""``losslang run``: a loss on a batch, term by term."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from losslang.cli.backends import backend_option, device_option

if TYPE_CHECKING:
    from losslang.cli.measure import Measured


@click.command("run")
@click.argument("spec", metavar="SPEC")
@click.option("--data", required=True, metavar="FILE.npz", help="The inputs, by name (numpy.savez).")
@click.option("--loss", help="Which loss of the file.")
@click.option("--hyper", multiple=True, metavar="NAME=VALUE", help="Another value for a hyperparameter.")
@click.option("--step", type=float, help="The step, for hyperparameters that follow a schedule.")
@backend_option(default="numpy")
@device_option()
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    spec: str,
    data: str,
    loss: str | None,
    hyper: tuple[str, ...],
    step: float | None,
    backend: str,
    device: str | None,
    format: str,
) -> None:
    """Evaluate a loss on a batch: its terms, what each contributes, its gradients, its reports.

    Members of a `parameters` input are entries named NAME/KEY.
    """
    from losslang.cli import batch
    from losslang.cli.measure import measure
    from losslang.cli.settings import numbers
    from losslang.cli.targets import load_spec

    overrides: dict[str, Any] = dict(numbers(hyper, "--hyper"))
    if step is not None:
        overrides["step"] = step
    entries = batch.read(data)
    measured = measure(load_spec(spec), loss, entries, data, overrides, backend, device)
    if format == "json":
        import json

        click.echo(json.dumps(measured.as_object(), indent=2, ensure_ascii=False))
    else:
        _print(measured)
    for warning in measured.warnings:
        click.echo(f"warning: {warning}", err=True)


def _print(measured: Measured) -> None:
    from losslang.cli.tables import number, percent, table

    gradients = measured.gradients
    rows = [
        [
            t.name,
            number(t.value),
            number(t.weight),
            number(t.weighted),
            percent(t.share),
            *map(number, t.gradients),
        ]
        for t in measured.terms
    ]
    rows.append(["total", "", "", number(measured.total), "", *(number(norm) for norm in gradients.values())])
    heads = ["term", "value", "weight", "weighted", "share", *(f"‖∂/∂{name}‖" for name in gradients)]
    table(heads, rows, title=f"{measured.loss} on {measured.backend}")
    if measured.reports:
        table(["report", "shape", "value or mean", "min", "max"], [r.row() for r in measured.reports])

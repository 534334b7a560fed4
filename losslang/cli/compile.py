"""``losslang compile``: a module that needs only its backend, or what a stage of the compiler makes."""

from __future__ import annotations

import click

from losslang.cli.backends import backend_option

STAGES = ("model", "graph", "rewritten", "gradients", "source")


@click.command("compile")
@click.argument("spec", metavar="SPEC")
@backend_option(default="numpy")
@click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), help="Write to this file.")
@click.option("--loss", help="Which loss of the file.")
@click.option("--hyper", multiple=True, metavar="NAME=VALUE", help="Another default for a hyperparameter.")
@click.option("--rank", multiple=True, metavar="NAME=N", help="How many axes a pack (or a parameter[*]) has.")
@click.option("--no-rewrite", is_flag=True, help="Leave formulas as written: it overflows where they do.")
@click.option("--dump", type=click.Choice(STAGES), help="Print what this stage hands on instead.")
def command(
    spec: str, backend: str, output: str | None, loss: str | None, hyper: tuple[str, ...], rank: tuple[str, ...],
    no_rewrite: bool, dump: str | None,
) -> None:  # fmt: skip
    """Write a Python module with `value` and `value_and_grad` of a loss.

    The module imports its backend and nothing of losslang.
    """
    from losslang.cli.settings import numbers
    from losslang.cli.targets import load_spec
    from losslang.lowered import Signature
    from losslang.standalone import stages

    loaded = load_spec(spec)
    ranks = tuple((name, int(n)) for name, n in numbers(rank, "--rank").items())
    signature = Signature(ranks=ranks) if ranks else None
    options = stages.Options(backend, loss, numbers(hyper, "--hyper"), signature, not no_rewrite)
    text = stages.show(loaded, options, dump) if dump else stages.module(loaded, options)
    if output is None or output == "-":
        click.echo(text, nl=False)
    else:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)
        click.echo(f"wrote {output}", err=True)

"""``losslang explain``: what a spec, a definition of the library, or a code means."""

from __future__ import annotations

import os
import re

import click


@click.command("explain")
@click.argument("what", metavar="SPEC|NAME|CODE")
@click.option("--loss", help="Only this loss of a file.")
@click.option("--certificate", is_flag=True, help="Test each term of a spec, and say what was found.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of a certificate's inputs.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds that a certificate may take.",
)
@click.option("--format", type=click.Choice(["text", "json"]), help="Of a certificate; text by default.")
def command(
    what: str, loss: str | None, certificate: bool, seed: int, budget: float, format: str | None
) -> None:
    """Explain a spec (a file, or -), a definition of the library, or a code such as LL201."""
    if certificate:
        _certificate(what, loss, seed, budget, format or "text")
        return
    if format is not None:
        raise click.UsageError("--format goes with --certificate")
    if re.fullmatch(r"LL\d{3}", what, re.IGNORECASE):
        click.echo(_code(what.upper()), nl=False)
    elif _is_spec(what):
        from losslang.cli.explain_spec import explain
        from losslang.cli.targets import load_spec

        click.echo(explain(load_spec(what), loss), nl=False)
    else:
        from losslang.cli.explain_name import explain as explain_name

        click.echo(explain_name(what), nl=False)


def _is_spec(what: str) -> bool:
    return what == "-" or what.endswith((".loss", ".json")) or os.path.exists(what)


def _certificate(what: str, loss: str | None, seed: int, budget: float, format: str) -> None:
    from losslang.cli.explain_certificate import show
    from losslang.cli.targets import load_spec

    if not _is_spec(what):
        raise click.UsageError(f"--certificate takes a spec, not {what!r}")
    show(load_spec(what), loss, seed, budget, format)


def _code(code: str) -> str:
    from losslang import codes
    from losslang.cli.failures import Usage

    try:
        return codes.explain(code)
    except KeyError:
        raise Usage(f"no diagnostic has the code {code}; see docs/diagnostics.md") from None

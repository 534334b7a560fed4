"""Every entry of the library has a case beside a peer or its paper; each case runs on every backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from library_cases.coverage import used
from parity import Case
from test_library_parity_a import CASES as FIRST
from test_library_parity_b import CASES as SECOND

from losslang import model as m
from losslang.parse import library


def entries() -> Iterator[str]:
    for path in library.paths():
        for statement in library.file(path).statements:
            if isinstance(statement, m.Def):
                yield statement.name
            elif isinstance(statement, m.Dist):
                yield f"~ {statement.name}"
            elif isinstance(statement, m.Kl):
                yield f"kl {statement.left}, {statement.right}"


COMPARED = {name for case in (*FIRST, *SECOND) for name in used(case)}


@pytest.mark.parametrize("entry", list(entries()))
def test_the_entry_is_compared(entry: str) -> None:
    assert entry in COMPARED


def test_names_of_cases_are_their_own() -> None:
    names = [case.id for case in (*FIRST, *SECOND)]
    assert len(set(names)) == len(names)


def test_what_a_case_uses() -> None:
    expression = "cauchy(x, 0) + nll(x ~ normal(0, 1)) + kl(normal(x, 1), laplace(0, 1))"
    found = set(used(Case("", "x: real", expression, (), len)))
    assert found == {"cauchy", "~ normal", "kl normal, laplace", "nll"}

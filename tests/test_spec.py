"""Specs as users hold them: sources, JSON, pydantic fields, imports that go wrong."""

from __future__ import annotations

import json
import os
import pickle

import pydantic
import pytest

import losslang

GOOD = "loss a input x : real[n] minimize mean[n](x^2)"
BAD = "loss a input x : real[n] minimize x"


class Config(pydantic.BaseModel):
    objective: losslang.Spec


def test_a_spec_is_a_field_of_a_config(tmp_path):
    path = tmp_path / "a.loss"
    path.write_text(GOOD)
    from_path = Config(objective=str(path))
    assert Config.model_validate_json(from_path.model_dump_json()).objective == from_path.objective
    as_dict = json.loads(from_path.objective.to_json())
    assert Config(objective=as_dict).objective.file == Config(objective=GOOD).objective.file
    assert Config.model_json_schema()["properties"]["objective"]
    with pytest.raises(pydantic.ValidationError, match="LL205"):
        Config(objective=BAD)


def test_json_and_pickle_lose_nothing(tmp_path):
    spec = losslang.load(GOOD)
    path = tmp_path / "a.json"
    path.write_text(spec.to_json())
    assert losslang.check(str(path)) == []
    assert losslang.load(path).file == spec.file
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_bad_sources_are_diagnostics():
    assert [d.code for d in losslang.check({"bogus": 1})] == ["LL090"]
    assert [d.code for d in losslang.check("nowhere/at/all.loss")] == ["LL107"]
    with pytest.raises(losslang.SpecError) as caught:
        losslang.load(BAD)
    assert [d.code for d in caught.value.diagnostics] == ["LL205"]
    with pytest.raises(TypeError):
        losslang.load(3)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("missing.loss", "LL107"), ("folder.loss", "LL107"), ("pipe.loss", "LL107"), ("../out.loss", "LL109"),
        ("/etc/hosts", "LL109"), ("link.loss", "LL109"), ("self.loss", "LL108"), ("circle.loss", "LL108"),
        ("notes.txt", "LL109"), ("bytes.loss", "LL041"),
    ],
)  # fmt: skip
def test_imports_that_go_wrong(tmp_path, path, code):
    home = tmp_path / "home"
    home.mkdir()
    (home / "folder.loss").mkdir()
    os.mkfifo(home / "pipe.loss")
    (tmp_path / "out.loss").write_text("def f(x) = x")
    (home / "link.loss").symlink_to(tmp_path / "out.loss")
    (home / "circle.loss").write_text('import "self.loss"')
    (home / "bytes.loss").write_bytes(b"def f(x) = x \xff")
    (home / "notes.txt").write_text("def f(x) = x")
    spec = home / "self.loss"
    spec.write_text(f'import "{path}"')
    assert [d.code for d in losslang.check(spec)] == [code]


def test_imports_bring_definitions(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "deep.loss").write_text("def twice(x) = 2 * x")
    (tmp_path / "mine.loss").write_text('import "sub/deep.loss"\ndef four(x) = twice(twice(x))')
    spec = tmp_path / "main.loss"
    spec.write_text('import "mine.loss"\nloss a input x : real[n] minimize mean[n](four(x))')
    assert losslang.check(spec) == []
    assert losslang.compile(spec)(x=[1.0, 2.0]).total == 6.0


def test_a_file_shadows_the_library():
    text = "def huber(a, b) = a - b\nloss a input x : real[n] minimize mean[n](huber(x, 1))"
    assert losslang.compile(text)(x=[3.0]).total == 2.0

"""The command line, command by command: what is printed where, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from losslang.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parent.parent
DIGITS = str(ROOT / "docs" / "examples" / "digits.loss")
BATCH = str(ROOT / "docs" / "examples" / "classifier.npz")

CLEAN = "loss a\n  input x : real[n]\n  term t = mean[n](x^2)\n  minimize t\n"
UNUSED = "loss a\n  input x : real[n]\n  input y : real[n]\n  term t = mean[n](x^2)\n  minimize t\n"
BROKEN = "loss a\n  input x : real[n]\n  term t = mean[n](x^2 + z)\n  minimize t\n"


def run(*args: str, input: bytes | str | None = None) -> Result:
    return CliRunner().invoke(cli, list(args), input=input, catch_exceptions=False, prog_name="losslang")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a clean, a suspicious and a broken spec."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("clean", CLEAN), ("unused", UNUSED), ("broken", BROKEN)):
        (tmp_path / f"{name}.loss").write_text(text, encoding="utf-8")
    return tmp_path


# -- the whole ----------------------------------------------------------------------------------------


def test_help_lists_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in result.stdout] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0 and result.stdout.startswith(f"Usage: losslang {name}")


def test_version() -> None:
    from losslang import __version__

    assert run("--version").stdout == f"losslang {__version__}\n"


@pytest.mark.parametrize(
    "args", [("nonsense",), ("check",), ("check", "--format", "xml", "a"), ("run", DIGITS)]
)
def test_wrong_usage_is_status_2(args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 2 and result.stdout == "" and "Usage:" in result.stderr


# -- check --------------------------------------------------------------------------------------------


def test_check_is_silent_about_clean_specs(folder: Path) -> None:
    result = run("check", "clean.loss")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no problems in 1 file\n")


def test_check_shows_errors(folder: Path) -> None:
    result = run("check", "broken.loss")
    assert result.exit_code == 1
    assert result.stdout.startswith("broken.loss:3:26: error[LL101]: there is no value `z`\n")
    assert "  3 |   term t = mean[n](x^2 + z)\n    |                          ^\n" in result.stdout
    assert result.stderr.startswith("1 error")


def test_warnings_fail_only_when_strict(folder: Path) -> None:
    lenient, strict = run("check", "unused.loss"), run("check", "--strict", "unused.loss")
    assert (lenient.exit_code, strict.exit_code) == (0, 1)
    assert lenient.stdout == strict.stdout != ""


def test_check_takes_folders_in_order_and_each_file_once(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "b.loss").write_text(BROKEN, encoding="utf-8")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "c.loss").write_text(BROKEN, encoding="utf-8")
    result = run("check", ".", "broken.loss", "./inner", "--format", "json")
    paths = [d["path"] for d in json.loads(result.stdout) if d["severity"] == "error"]
    assert paths == ["broken.loss", "inner/b.loss"]


def test_check_reads_stdin() -> None:
    result = run("check", "-", input=BROKEN)
    assert result.exit_code == 1
    assert result.stdout.startswith("<stdin>:3:26: error[LL101]") and "mean[n](x^2 + z)" in result.stdout


def test_check_reads_json_models(folder: Path) -> None:
    model = run("compile", "clean.loss", "--dump", "model").stdout
    (folder / "spec.json").write_text(model, encoding="utf-8")
    assert run("check", "spec.json").exit_code == 0
    (folder / "spec.json").write_text('{"statements": [{"type": "nonsense"}]}', encoding="utf-8")
    result = run("check", "spec.json")
    assert result.exit_code == 1 and "spec.json: error[LL" in result.stdout


def test_check_formats(folder: Path) -> None:
    [told] = json.loads(run("check", "--format", "json", "broken.loss").stdout)[:1]
    assert (told["code"], told["line"], told["column"], told["end_column"]) == ("LL101", 3, 26, 27)
    assert run("check", "--format", "json", "clean.loss").stdout == "[]\n"
    assert run("check", "--format", "github", "broken.loss").stdout.startswith(
        "::error file=broken.loss,title=LL101"
    )
    log = json.loads(run("check", "--format", "sarif", "broken.loss").stdout)
    assert log["runs"][0]["results"][0]["ruleId"] == "LL101"
    assert log["runs"][0]["tool"]["driver"]["rules"][0]["shortDescription"]["text"] != "LL101"


@pytest.mark.parametrize("path", ["missing.loss", "empty", "a\0b.loss"])
def test_paths_that_lead_nowhere(folder: Path, path: str) -> None:
    (folder / "empty").mkdir()
    result = run("check", path)
    assert result.exit_code == 2 and result.stdout == "" and result.stderr.startswith("Error: no ")


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xfe\0l", b"\x00" * 100, b"loss a\x1b[2J"]
)
def test_binary_files_are_findings(folder: Path, content: bytes) -> None:
    (folder / "binary.loss").write_bytes(content)
    for command in ("check", "fmt", "explain", "compile"):
        result = run(command, "binary.loss")
        assert result.exit_code == 1 and "binary.loss" in result.stdout, command
        assert "\x1b" not in result.stdout


# -- fmt ----------------------------------------------------------------------------------------------


def test_fmt_rewrites_and_is_then_content(folder: Path) -> None:
    (folder / "ugly.loss").write_text(
        "loss a input x:real[n] # why\nterm t=mean[n](x^2) minimize t", encoding="utf-8"
    )
    assert run("fmt", "--check", "ugly.loss").stdout == "ugly.loss would change\n"
    assert run("fmt", "--check", "ugly.loss").exit_code == 1
    result = run("fmt", "ugly.loss")
    assert (result.exit_code, result.stderr) == (0, "wrote ugly.loss\n")
    assert "# why" in (folder / "ugly.loss").read_text(encoding="utf-8")
    again = run("fmt", "--check", "ugly.loss")
    assert (again.exit_code, again.stdout) == (0, "")
    assert run("check", "ugly.loss").exit_code == 0


def test_fmt_from_stdin_to_stdout() -> None:
    result = run("fmt", "-", input="loss a input x:real[n] term t=mean[n](x^2) minimize t")
    assert result.exit_code == 0 and "  input x : real[n]\n" in result.stdout


def test_fmt_leaves_broken_files_alone(folder: Path) -> None:
    (folder / "bad.loss").write_text("loss a input", encoding="utf-8")
    result = run("fmt", "bad.loss", "clean.loss")
    assert result.exit_code == 1 and "bad.loss" in result.stdout
    assert (folder / "bad.loss").read_text(encoding="utf-8") == "loss a input"


# -- test ---------------------------------------------------------------------------------------------


def test_test_runs_worked_examples(folder: Path) -> None:
    (folder / "good.loss").write_text("check 1 + 1 == 2\ncheck 1 < 2\n", encoding="utf-8")
    result = run("test", "good.loss")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "6 of 6 examples hold on numpy, torch, jax\n"


def test_test_shows_what_was_found(folder: Path) -> None:
    (folder / "bad.loss").write_text(
        "check huber(4.5, 4) == 0.5 within 1e-3\ncheck 1 > 2\n", encoding="utf-8"
    )
    result = run("test", "bad.loss", "--backend", "numpy")
    assert result.exit_code == 1
    assert "bad.loss:1:1: error[check]: on numpy found 0.125, expected 0.5 within 0.001\n" in result.stdout
    assert "on numpy found 1.0, expected > 2.0\n" in result.stdout
    assert result.stderr == "0 of 2 examples hold on numpy\n"


def test_test_of_a_spec_without_examples_says_so(folder: Path) -> None:
    result = run("test", "clean.loss")
    assert result.exit_code == 0 and "no `check` statements" in result.stderr


# -- explain ------------------------------------------------------------------------------------------


def test_explain_a_spec(folder: Path) -> None:
    text = run("explain", DIGITS).stdout
    for part in (
        "loss digits\n", "  logits  logit[example, class] over class\n", "decay      real, >= 0, 0.0001 by default",
        "  nll  mean_example cross_entropy(logits, digit, smoothing)", "  reg    weight decay", "  total  nll + decay·reg",
        "rewritten for stability",
    ):  # fmt: skip
        assert part in text, part


def test_explain_a_variant_and_definitions(folder: Path) -> None:
    text = CLEAN.replace("term t", "hyper w : real >= 0 = 1\n  term t").replace(
        "minimize t", "minimize w * t"
    )
    (folder / "v.loss").write_text(
        f'def twice(x: real) "Two x." = 2 * x\n{text}loss b = a with w = 3\n', encoding="utf-8"
    )
    told = run("explain", "v.loss").stdout
    assert "loss a\n" in told and "loss b\n" in told and "3" in told
    assert "def twice(x: real)" in told and "2·x" in told
    assert "loss a\n" not in run("explain", "v.loss", "--loss", "b").stdout


def test_explain_a_name() -> None:
    text = run("explain", "huber").stdout
    assert text.startswith("def huber(prediction: real, target: real, delta: positive = 1")
    for part in (
        "formula ",
        "LaTeX ",
        r"\frac",
        "Huber (1964)",
        "assumes ",
        "instead ",
        "huber(4.5, 4.0) == 0.125",
    ):
        assert part in text, part
    assert run("explain", "normal").stdout.startswith("dist normal(")


def test_explain_a_code() -> None:
    assert run("explain", "ll001").stdout.startswith("LL001 ")


@pytest.mark.parametrize("what", ["hubber", "LL999", "nosuch.loss"])
def test_explain_what_is_not_there(what: str) -> None:
    result = run("explain", what)
    assert result.exit_code == 2 and result.stdout == ""
    assert what != "hubber" or "did you mean 'huber'?" in result.stderr


# -- compile ------------------------------------------------------------------------------------------


def test_compile_writes_a_module(folder: Path) -> None:
    result = run("compile", "clean.loss", "--backend", "numpy", "-o", "out.py")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "wrote out.py\n")
    namespace: dict[str, object] = {}
    exec((folder / "out.py").read_text(encoding="utf-8"), namespace)
    assert float(namespace["value"]([1.0, 3.0])["total"]) == 5  # type: ignore[operator]


def test_compile_refuses_what_makes_no_sense(folder: Path) -> None:
    result = run("compile", "broken.loss")
    assert result.exit_code == 1 and "LL101" in result.stdout
    assert run("compile", DIGITS, "--loss", "other").exit_code == 1
    assert run("compile", DIGITS, "--hyper", "decay=-1").exit_code == 1
    assert run("compile", DIGITS, "--hyper", "decay").exit_code == 2
    assert run("compile", str(folder)).exit_code == 2
    assert run("compile", DIGITS, "-o", "missing/out.py").exit_code == 2


def test_compile_leaves_formulas_alone_when_told_to(folder: Path) -> None:
    (folder / "s.loss").write_text(CLEAN.replace("x^2", "log(1 + exp(x))"), encoding="utf-8")
    naive, stable = (
        run("compile", "s.loss", "--dump", "source", *more).stdout for more in (["--no-rewrite"], [])
    )
    assert "softplus" not in naive and "softplus" in stable


@pytest.mark.parametrize("stage", ["model", "graph", "rewritten", "gradients", "source"])
def test_compile_dumps_every_stage(stage: str) -> None:
    result = run("compile", DIGITS, "--dump", stage)
    assert result.exit_code == 0 and len(result.stdout) > 100


# -- run ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_run_tells_terms_shares_gradients_and_reports(backend: str) -> None:
    told = json.loads(run("run", DIGITS, "--data", BATCH, "--format", "json", "--backend", backend).stdout)
    nll, reg = told["terms"]
    assert (nll["name"], reg["name"]) == ("nll", "reg")
    assert nll["weight"] == pytest.approx(1) and reg["weight"] == pytest.approx(1e-4)
    assert nll["weighted"] + reg["weighted"] == pytest.approx(told["total"], rel=1e-6)
    assert nll["share"] + reg["share"] == pytest.approx(1)
    assert list(told["gradients"]) == ["logits", "weight"]
    assert nll["gradients"][1] == 0 and reg["gradients"][1] == pytest.approx(told["gradients"]["weight"])
    assert told["reports"][0]["mean"] == pytest.approx(0.9213, abs=1e-4)


def test_run_prints_a_table() -> None:
    lines = run("run", DIGITS, "--data", BATCH, "--hyper", "decay=0").stdout.splitlines()
    assert lines[0] == "digits on numpy"
    assert lines[1].split() == ["term", "value", "weight", "weighted", "share", "‖∂/∂logits‖", "‖∂/∂weight‖"]
    assert lines[2].split()[:5] == ["nll", "0.309232", "1", "0.309232", "100.0%"]


def test_run_warns_of_what_looks_wrong(folder: Path) -> None:
    (folder / "w.loss").write_text(
        "loss a\n input x : real[n]\n input m : mask[n]\n term big = mean[n](x^2)\n"
        " term none = mean[n where m](abs(x))\n minimize 100 * big + none\n",
        encoding="utf-8",
    )
    np.savez(folder / "w.npz", x=np.ones(3), m=np.zeros(3, bool), extra=np.ones(1))
    told = run("run", "w.loss", "--data", "w.npz").stderr
    assert "`big` is 100.0% of the objective" in told
    assert "the mask `m` keeps nothing" in told
    assert "`none` has no gradient here" in told
    assert "no input takes `extra`" in told


def test_run_tells_why_a_total_is_not_finite(folder: Path) -> None:
    (folder / "l.loss").write_text(
        "loss a\n input z : logit[n, c] over c\n input y : label[n] of c\n"
        " term t = mean[n](cross_entropy(z, y))\n minimize t\n",
        encoding="utf-8",
    )
    np.savez(folder / "l.npz", z=np.zeros((2, 3)), y=np.array([0, -100]))
    told = run("run", "l.loss", "--data", "l.npz").stderr
    assert "the total is nan" in told
    assert "`y` should be a label of `c`, 0 to 2, but is -100 at [n = 1]" in told


def test_run_takes_steps_and_collections(folder: Path) -> None:
    (folder / "s.loss").write_text(
        "loss a\n input theta : parameters\n hyper w : real >= 0 = linear(0, 1, over = 10)\n"
        " term t = l2(theta)\n minimize w * t\n",
        encoding="utf-8",
    )
    np.savez(folder / "s.npz", **{"theta/a.weight": np.ones((2, 2)), "theta/a.bias": np.ones(2)})
    told = json.loads(run("run", "s.loss", "--data", "s.npz", "--step", "5", "--format", "json").stdout)
    assert told["total"] == 3 and told["gradients"] == {"theta": pytest.approx(np.sqrt(6))}
    late = run("run", "s.loss", "--data", "s.npz")
    assert late.exit_code == 1 and "step" in late.stderr


def test_run_explains_bad_data(folder: Path) -> None:
    np.savez(folder / "short.npz", logits=np.zeros((2, 10), np.float32))
    np.savez(
        folder / "objects.npz",
        logits=np.array([{}, {}], dtype=object),
        digit=np.zeros(2, int),
        weight=np.zeros((1, 1)),
    )
    np.savez(folder / "words.npz", logits=np.array(["a"]), digit=np.zeros(2, int), weight=np.zeros((1, 1)))
    np.savez(folder / "shape.npz", logits=np.zeros((2, 10)), digit=np.zeros(3, int), weight=np.zeros((1, 10)))
    np.save(folder / "single.npy", np.zeros(3))
    (folder / "text.npz").write_text("hello", encoding="utf-8")
    (folder / "empty.npz").write_bytes(b"")
    (folder / "cut.npz").write_bytes(Path(BATCH).read_bytes()[:3000])
    expected = {
        "short.npz": (1, "lacks `digit`, `weight`; it holds `logits`"),
        "objects.npz": (1, "`logits` in 'objects.npz' holds Python objects, not numbers"),
        "words.npz": (1, "`logits` in 'words.npz' holds <U1, not numbers"),
        "shape.npz": (1, "example"),
        "single.npy": (2, "holds one array without a name"),
        "text.npz": (2, "is not an .npz file"),
        "empty.npz": (2, "is not an .npz file"),
        "cut.npz": (2, "is not an .npz file"),
        "missing.npz": (2, "no such file"),
        ".": (2, "directory"),
    }
    for name, (status, message) in expected.items():
        result = run("run", DIGITS, "--data", name)
        assert (result.exit_code, result.stdout) == (status, ""), name
        assert message in result.stderr, (name, result.stderr)


# -- verify, list, new, schema --------------------------------------------------------------------------


def test_verify_takes_every_loss_of_a_file(folder: Path) -> None:
    (folder / "several.loss").write_text(
        "input x : real[n]\n"
        "loss first\n term t = mean[n](x^2)\n minimize t\n"
        "loss second\n term t = mean[n](abs(x))\n minimize t\n"
    )
    options = ("several.loss", "--backend", "numpy", "--budget", "1", "--format", "json")
    both = json.loads(run("verify", *options).stdout)
    assert [report["loss"] for report in both] == ["first", "second"]
    assert json.loads(run("verify", *options, "--loss", "second").stdout)["loss"] == "second"


def test_verify_does_not_say_that_holds_what_was_not_tried(folder: Path) -> None:
    (folder / "outside.loss").write_text(
        "extern encode[p, f](image: real[p]) : embedding[f]\n"
        "loss outside\n input x : real[b, p]\n term t = mean[b, f](encode[p, f](x)^2)\n minimize t\n"
    )
    result = run("verify", "outside.loss", "--backend", "numpy")
    assert result.exit_code == 0
    assert "nothing could be decided" in result.stdout and "holds" not in result.stdout.splitlines()[-1]


def test_verify_reports_every_guarantee(folder: Path) -> None:
    result = run("verify", "clean.loss", "--backend", "numpy", "--budget", "1")
    assert result.exit_code == 0, result.stdout
    for name in ("1. finite", "2. accurate", "3. masked", "4. splittable", "5. same", "6. accounted"):
        assert name in result.stdout
    told = json.loads(
        run("verify", "clean.loss", "--backend", "numpy", "--budget", "1", "--format", "json").stdout
    )
    assert told["passed"] is True and told["seed"] == 0


def test_list_finds_by_words_groups_and_tags() -> None:
    everything = run("list").stdout
    assert "regression\n" in everything and "  huber" in everything
    names = {
        row["name"] for row in json.loads(run("list", "--group", "regression", "--format", "json").stdout)
    }
    assert "huber" in names and "cross_entropy" not in names
    assert "  huber" in run("list", "--tag", "robust").stdout
    assert "  cross_entropy " in run("list", "label", "smoothing").stdout
    assert run("list", "no such thing at all").exit_code == 1
    assert run("list", "--group", "nonsense").exit_code == 2


def test_new_lists_and_writes_tasks(folder: Path) -> None:
    tasks = [line.split()[0] for line in run("new").stdout.splitlines()]
    assert {"ranking", "clicks", "imbalance", "outliers", "preferences", "quantiles", "segmentation"} <= set(
        tasks
    )
    assert run("new", "ranking", "-o", "r.loss").exit_code == 0
    assert run("check", "--strict", "r.loss").exit_code == 0
    again = run("new", "ranking", "-o", "r.loss")
    assert again.exit_code == 2 and "exists already" in again.stderr
    assert run("new", "Star Ratings").stdout.startswith("# Star ratings")
    wrong = run("new", "rankin")
    assert wrong.exit_code == 2 and "'ranking'" in wrong.stderr


def test_every_task_is_clean_and_formatted() -> None:
    tasks = str(ROOT / "specs" / "tasks")
    result = run("check", "--strict", tasks)
    assert result.exit_code == 0, result.stdout


def test_schema_of_the_model_and_of_a_loss() -> None:
    model = json.loads(run("schema").stdout)
    assert model["title"] == "losslang spec" and "Loss" in model["$defs"]
    told = json.loads(run("schema", DIGITS).stdout)
    assert told["required"] == ["logits", "digit", "weight"]
    assert told["properties"]["decay"] == {
        "description": "",
        "type": "number",
        "minimum": 0.0,
        "default": 1e-4,
    }
    assert told["properties"]["digit"]["items"] == {"type": "integer"}

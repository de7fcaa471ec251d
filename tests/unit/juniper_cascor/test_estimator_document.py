"""What docs/estimator.md shows can be typed, and does what it says."""

import re
import shlex
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

from juniper_cascor.__main__ import main

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "estimator.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The fenced blocks of a kind, in their order."""
    return re.findall(rf"^```{kind}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.:FutureWarning")  # torch's own, in its exporter
def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One block after the other, as one program."""
    monkeypatch.chdir(tmp_path)
    program = "\n".join(blocks("python"))
    exec(compile(program, "docs/estimator.md", "exec"), {})  # noqa: S102 - it is ours
    assert {path.name for path in tmp_path.iterdir()} >= {"cancer.h5", "cancer.pt2", "cancer.onnx"}


def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each says what is shown, but for times, versions and the last digits."""
    monkeypatch.chdir(tmp_path)
    iris = load_iris()
    names = [name.removesuffix(" (cm)").replace(" ", "_") for name in iris.feature_names]
    rows = [[*map(str, x), iris.target_names[label]] for x, label in zip(iris.data, iris.target, strict=True)]
    text = "\n".join(",".join(row) for row in [[*names, "species"], *rows])
    Path("iris.csv").write_text(text)
    Path("flawed.csv").write_text(text.replace("4.9,3.0,", "4.9,n.a.,", 1))
    for block in blocks("console"):
        for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = shown.partition("\n")
            program, *arguments = shlex.split(command.removeprefix("python -m "))
            if program == "juniper_cascor":
                try:
                    main(arguments)
                except SystemExit as ended:
                    assert ended.code == 65
                said = "".join(capsys.readouterr())
            else:
                said = "".join(Path(arguments[-1]).read_text().splitlines(keepends=True)[:3])
            assert skeleton(said).startswith(skeleton(expected.partition("…")[0]))


def skeleton(text: str) -> str:
    """A text without what differs from machine to machine: numbers, curves and hexadecimal digits."""
    return re.sub(r"[0-9a-f]{64}|[▁-█]+|[0-9][0-9.e:-]*|hidden units?", "#", text)

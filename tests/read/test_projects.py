"""Projects that are passed together are read one after the other: what is found in one does not depend on the others, and nothing of them is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from advisor.model.texts import Texts
from advisor.read import read
from advisor.read.projects import by_project
from tests.conftest import Advisor
from tests.programs import SOFTMAX

HELPER = """\
import torch


def fit(model, optimizer, loader):
    for x, y in loader:
        torch.nn.functional.cross_entropy(torch.softmax(model(x), dim=1), y).backward()  # 🔥 {name}
        optimizer.step()
"""
RUN = """\
import torch
from pieces.helper import fit

model = torch.nn.Linear(4, 3)
fit(model, torch.optim.SGD(model.parameters(), lr=0.1), [(torch.randn(8, 4), torch.randint(3, (8,)))])
"""
CONFIG = "optimizer:\n  name: adam\n  lr: 1e-4\nepochs: 3\n"


def put(folder: Path, files: dict[str, str]) -> list[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return [str(folder / name) for name in files]


def project(name: str) -> dict[str, str]:
    """Its files: an entry that imports a part, and a config."""
    return {f"{name}/run.py": RUN, f"{name}/pieces/helper.py": HELPER.format(name=name), f"{name}/conf/a.yaml": CONFIG}


@pytest.mark.parametrize(
    ("beside", "groups"),
    [
        ([], 2),  # a folder of folders
        (["notes.txt"], 2),
        (["README.md"], 1),
        ([".git/HEAD"], 1),
        (["requirements.txt"], 1),
    ],
)
def test_a_folder_that_holds_nothing_of_a_project_holds_several(tmp_path: Path, beside: list[str], groups: int) -> None:
    paths = put(tmp_path, {**project("one"), **project("two")})
    put(tmp_path, dict.fromkeys(beside, ""))
    found = by_project(paths)
    assert len(found) == groups and [path for group in found for path in group] == paths


def test_a_file_that_stands_in_the_folder_itself_makes_it_one(tmp_path: Path) -> None:
    paths = put(tmp_path, {"train.py": RUN, "models/net.py": HELPER, "data/load.py": HELPER})
    assert by_project(paths) == [paths]


def test_folders_within_a_project_are_not_told_apart(tmp_path: Path) -> None:
    put(tmp_path, {"pyproject.toml": ""})
    paths = put(tmp_path, {"src/models/net.py": HELPER, "src/data/load.py": HELPER})
    assert by_project(paths) == [paths]


def same(found: dict[str, Any], name: str) -> list[Any]:
    """The findings in one project."""
    return [(one["rule"], one["file"], one["line"], one["message"]) for one in found["findings"] if one["file"].startswith(f"{name}/")]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_is_found_does_not_depend_on_the_others(advisor: Advisor, tmp_path: Path, jobs: str) -> None:
    names = [f"project_{number}" for number in range(12)]
    for name in names:
        put(tmp_path, project(name))
    together = advisor("lint", "--format", "json", "--severity", "hint", "--no-cache", "--jobs", jobs)
    for name in names[:3]:
        alone = advisor("lint", name, "--format", "json", "--severity", "hint", "--no-cache")
        assert same(alone.json, name) == same(together.json, name) != []
        assert ("softmax-before-cross-entropy", f"{name}/pieces/helper.py", 6) in [found[:3] for found in same(together.json, name)]
    assert together.json["summary"]["programs"] == len(names)


def test_the_line_is_shown_of_a_text_that_was_put_away(advisor: Advisor, tmp_path: Path) -> None:
    silenced = SOFTMAX + "# advisor: file-ignore[softmax-before-cross-entropy] on purpose\n"
    put(tmp_path, {**project("one"), **project("two"), "three/silent.py": silenced})
    ran = advisor("lint", "--no-cache")
    for name in ("one", "two"):
        assert f"cross_entropy(torch.softmax(model(x), dim=1), y).backward()  # 🔥 {name}" in ran.out
    assert "silent.py" not in ran.out.replace("missing-seed", "")


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("inside", ["", "one", "elsewhere/deep"])
def test_what_marks_no_root_begins_where_it_was_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, several: bool) -> None:
    """An entry in a folder of its own, whose imports begin above it, read from three working directories."""
    files = {"one/scripts/run.py": RUN, "one/pieces/helper.py": HELPER.format(name="one"), "one/pieces/__init__.py": ""}
    others = {name.replace("one", "two"): text for name, text in files.items()} if several else {}
    paths = put(tmp_path / "here", {**files, **others})
    (tmp_path / "here" / "elsewhere" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / inside)
    recipe = read(paths, judge=lambda recipe: ()).recipes[0]
    assert [Path(name).name for name in recipe.files] == ["run.py", "helper.py"]


def test_of_projects_that_were_read_only_the_texts_are_kept_that_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = put(tmp_path, {**project("one"), **project("two")})
    reading = read(paths, judge=lambda recipe: {"one/pieces/helper.py"})
    assert {name: bool(text) for name, text in reading.texts.items()} == {
        "one/run.py": False,
        "one/pieces/helper.py": True,
        "one/conf/a.yaml": False,
        "two/run.py": True,  # nobody needs the room of the last one
        "two/pieces/helper.py": True,
        "two/conf/a.yaml": True,
    }
    assert all(name.startswith("two/") for name in reading.texts.at_hand())
    assert reading.texts["one/pieces/helper.py"] == HELPER.format(name="one")


def test_a_text_that_is_put_away_is_the_same_where_somebody_may_ask_for_it() -> None:
    texts = Texts()
    for name, text in {"nb#3": "x = 1", "other": "y = 1", "said": "# advisor: ignore[x]"}.items():
        texts[name] = text
        texts.put_away(name, {"nb"})
    assert dict(texts) == {"nb#3": "x = 1", "other": "", "said": "# advisor: ignore[x]"}
    texts = Texts()
    for name, text in {"a": "x = '\udce9🔥'\r\n", "b": ""}.items():
        texts[name] = text
        texts.put_away(name, {"a"})
    texts.put_away("absent", {"absent"})
    assert dict(texts) == {"a": "x = '\udce9🔥'\r\n", "b": ""} and texts.at_hand() == []
    texts["a"] = "y = 1"
    assert texts["a"] == "y = 1" and texts.at_hand() == ["a"]
    del texts["a"]
    assert list(texts) == ["b"] and len(texts) == 1

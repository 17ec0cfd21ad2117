"""Which files of a folder are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from advisor.discover import Patterns, discover


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("import torch\n")


def test_programs_notebooks_and_configs() -> None:
    make("train.py", "a/model.py", "a/nb.ipynb", "conf/x.yaml", "conf/y.yml", "z.json", "p.toml", "notes.txt", "README.md", "weights.bin")
    assert discover(["."]) == ["p.toml", "train.py", "z.json", "a/model.py", "a/nb.ipynb", "conf/x.yaml", "conf/y.yml"]
    assert discover(["a", "train.py", "a/model.py"]) == ["a/model.py", "a/nb.ipynb", "train.py"]


def test_folders_that_hold_no_program_of_the_project() -> None:
    make("train.py", ".git/hook.py", "node_modules/a.py", "__pycache__/a.py", "env/pyvenv.cfg", "env/lib/a.py", ".venv/a.py", "x.egg-info/a.py")
    assert discover(["."]) == ["train.py"]


def test_gitignore() -> None:
    make("train.py", "out/a.py", "keep/out/b.py", "src/gen_a.py", "src/gen_keep.py", "src/deep/local.py", ".git/HEAD", "secret/a.py")
    Path(".gitignore").write_text("/out/\ngen_*.py\n!gen_keep.py\n")
    Path("src/.gitignore").write_text("deep/\n")
    Path(".git/info").mkdir()
    Path(".git/info/exclude").write_text("secret/\n")
    assert discover(["."]) == ["train.py", "keep/out/b.py", "src/gen_keep.py"]
    assert discover(["src"]) == ["src/gen_keep.py"], "the ignore files above a folder count inside a repository"
    assert discover(["out/a.py", "out"]) == ["out/a.py"], "what is named is read"


def test_a_folder_that_git_ignores_is_read_where_it_is_named() -> None:
    make("train.py", "runs/first/train.py", "runs/first/out/a.py", ".git/HEAD")
    Path(".gitignore").write_text("/runs\n")
    Path("runs/first/.gitignore").write_text("out/\n")
    assert discover(["."]) == ["train.py"]
    assert discover(["runs"]) == discover(["runs/first"]) == ["runs/first/train.py"]


def test_exclude() -> None:
    make("a/train.py", "b/train.py", "b/old/train.py")
    exclude = Patterns(os.getcwd(), ["old/", "/a"])
    assert discover(["."], exclude) == ["b/train.py"]
    assert discover(["a/train.py"], exclude) == ["a/train.py"]
    assert discover(["a/train.py", "b/old/train.py", "b/train.py"], exclude, force_exclude=True) == ["b/train.py"]


def test_links(folder: Path) -> None:
    make("a/train.py")
    Path("a/loop").symlink_to(folder / "a", target_is_directory=True)
    Path("a/broken.py").symlink_to("nowhere.py")
    Path("b").symlink_to(folder / "a", target_is_directory=True)
    assert discover(["."]) == ["a/train.py", "a/broken.py"]


def test_a_file_is_met_where_it_lies(folder: Path) -> None:
    make("examples/first/run.py", "library/train.py", "elsewhere/notes.py")
    Path("examples/first/library").symlink_to("../../library", target_is_directory=True)
    Path("examples/first/again.py").symlink_to("../../library/train.py")
    Path("elsewhere").rename(folder.parent / "elsewhere")
    Path("examples/first/notes").symlink_to(folder.parent / "elsewhere", target_is_directory=True)
    Path("library/notes").symlink_to(folder.parent / "elsewhere", target_is_directory=True)
    assert discover(["."]) == ["examples/first/run.py", "library/train.py", "library/notes/notes.py"], "what lies outside by the shortest way to it"


def test_a_link_leads_to_nothing_that_is_excluded(folder: Path) -> None:
    make("a/train.py", "vendor/theirs/train.py")
    Path("a/theirs").symlink_to(folder / "vendor/theirs", target_is_directory=True)
    Path("a/again.py").symlink_to(folder / "vendor/theirs/train.py")
    assert discover(["."], Patterns(os.getcwd(), ["vendor/"])) == ["a/train.py"]
    assert discover(["a"]) == ["a/train.py", "a/again.py"], "by one of the ways to it"


def test_a_folder_that_may_not_be_listed() -> None:
    make("train.py", "locked/a.py")
    Path("locked").chmod(0)
    try:
        assert "train.py" in discover(["."])
    finally:
        Path("locked").chmod(0o755)


def test_many_paths_are_judged_as_few_are() -> None:
    lines = ["*.log", "!keep.log", "/build/", "docs/**/x.py", "# comment", "", "a?c.py", "[ab].py", "deep/*/er.py"]
    told = {
        "a.py": True, "b.py": True, "c.py": False, "abc.py": True, "x.log": True, "keep.log": False, "build/x.py": True, "src/build/x.py": False,
        "docs/q/x.py": True, "docs/x.py": True, "deep/a/er.py": True, "deep/a/b/er.py": False,
    }  # fmt: skip
    paths = [os.path.join(os.getcwd(), name) for name in told]
    patterns = Patterns(os.getcwd(), lines)
    before = [patterns.verdict(path, False) for path in paths]
    for _ in range(300):
        patterns.verdict(paths[0], False)
    assert patterns.any_of_them is not None
    assert [patterns.verdict(path, False) for path in paths] == before
    assert [bool(verdict) for verdict in before] == list(told.values())

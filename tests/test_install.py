"""The package as users get it: a wheel and an editable install, both with their table of rules and without torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHECK = """\
import json, sys
import advisor
from advisor import cards
print(json.dumps([advisor.__file__, len(cards.load()), bool(cards.examples("syntax-error")), "yaml" in sys.modules]))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git would hand out, without the generated table."""
    folder = tmp_path_factory.mktemp("source")
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def python(*arguments: str, cwd: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def install(source: Path, target: Path, *options: str) -> None:
    """Into a folder of its own; build tools and dependencies are those of this environment, so nothing is fetched."""
    python("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", *options, str(source), cwd=target)


def test_wheel(source: Path, tmp_path: Path) -> None:
    python(
        "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-w", str(tmp_path), str(source), cwd=tmp_path
    )
    [wheel] = tmp_path.glob("training_advisor-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "advisor/_cards.json" in names and "advisor/_examples.json" in names
    assert not [name for name in names if not name.startswith(("advisor/", "training_advisor-"))], "nothing but the package"
    site = tmp_path / "site"
    site.mkdir()
    install(wheel, tmp_path, "--target", str(site))
    path, rules, has_examples, has_yaml = json.loads(python("-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{CHECK}", cwd=tmp_path))
    assert Path(path).is_relative_to(site)
    assert rules == len(list((source / "rules").glob("*/*.yaml"))) and has_examples
    assert not has_yaml, "the table is read without YAML"
    (tmp_path / "broken.py").write_text("import torch\nx = (\n")
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from advisor.cli import run; print(run(['lint', 'broken.py']))"
    assert python("-c", code, cwd=tmp_path).splitlines()[-1] == "1"


def test_editable_install(source: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    python("-m", "venv", "--system-site-packages", "--without-pip", str(environment), cwd=tmp_path)
    inside = environment / "bin" / "python"
    [site] = (environment / "lib").glob("python*/site-packages")
    (site / "host.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")) + "\n")
    for table in ("_cards.json", "_examples.json"):
        (source / "advisor" / table).unlink(missing_ok=True)
    done = subprocess.run(
        [str(inside), "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-e", str(source)],
        cwd=tmp_path, capture_output=True, text=True, env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (source / "advisor" / "_cards.json").exists(), "the build hook ran"
    shown = subprocess.run([str(environment / "bin" / "advisor"), "rules", "--format", "json"], cwd=tmp_path, capture_output=True, text=True)
    assert len(json.loads(shown.stdout)["rules"]) == len(list((source / "rules").glob("*/*.yaml")))

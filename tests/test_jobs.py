"""Several processes find what one finds, and one that ends before its time takes only the file with it that it was at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from advisor import jobs
from advisor.cli import request as command
from advisor.engine import Linter
from advisor.model.recipe import Recipe
from advisor.model.result import Result
from advisor.read import read
from tests.conftest import Advisor
from tests.programs import BROKEN, CLEAN, SOFTMAX

ENGINE = """\
import torch


def fit(model, optimizer, loader):
    for x, y in loader:
        torch.nn.functional.cross_entropy(torch.softmax(model(x), dim=1), y).backward()
        optimizer.step()
"""
MAIN = """\
import torch
from engine import fit

if __name__ == "__main__":
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 3)
    fit(model, torch.optim.SGD(model.parameters(), lr=0.{number}), [(torch.randn(8, 4), torch.randint(3, (8,)))])
"""
PART = """\
import torch
{imports}

class Net{number}(torch.nn.Module):
    def training_step(self, x, y):
        loss = torch.nn.functional.cross_entropy(torch.softmax(x, dim=1), y)  {comment}
        loss.backward()
        return loss
"""
SECRET = "# advisor: ignore[softmax-before-cross-entropy] known"
UNREAD = """\
import torch
from elsewhere import schedule

for _ in range(3):
    torch.nn.Linear(4, 3)(torch.ones(2, 4)).sum().backward()
    torch.nn.utils.clip_grad_norm_(torch.nn.Linear(4, 3).parameters(), schedule())
"""
FOREIGN = "optimizer:\n  lr: 1e-4\n  lr: 2e-4\nepochs: 3\nbatch_size: 4\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Entries that share a file, parts that import each other across folders, a notebook, configs, what cannot be read, comments."""
    files: dict[str, str | bytes] = {"engine.py": ENGINE, "broken.py": BROKEN, "softmax.py": SOFTMAX, "clean.py": CLEAN, "unread.py": UNREAD}
    files["utf16.py"] = "import torch\n".encode("utf-16")
    files |= {f"train_{number}.py": MAIN.format(number=number) for number in range(1, 9)}
    for number in range(60):  # each third imports the one after the next, which may be another worker's
        imports = f"from parts_{(number + 2) % 4}.part_{number + 2} import Net{number + 2}\n" if number % 3 == 0 and number < 58 else ""
        files[f"parts_{number % 4}/part_{number}.py"] = PART.format(number=number, imports=imports, comment=SECRET if number % 7 == 0 else "")
    cell: dict[str, Any] = {"cell_type": "code", "source": SOFTMAX.splitlines(keepends=True), "metadata": {}, "outputs": [], "execution_count": None}
    files["study.ipynb"] = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    files |= {f"configs/{name}.yaml": FOREIGN for name in ("one", "two", "three", "four")}
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path


def same(text: str) -> Any:
    """A report without what differs from run to run."""
    found = json.loads(text)
    del found["summary"]["seconds"]
    return found


def test_the_result_is_that_of_one_process(advisor: Advisor, project: Path) -> None:
    alone = advisor("lint", "--severity", "hint", "--format", "json", "--statistics", "--jobs", "1", "--no-cache")
    assert alone.code == 1 and len(alone.json["findings"]) > 40 and alone.json["skipped"] and alone.json["summary"]["programs"] > 8
    for count in ("2", "3"):
        ran = advisor("lint", "--severity", "hint", "--format", "json", "--statistics", "--jobs", count, "--no-cache")
        assert (ran.code, same(ran.out)) == (alone.code, same(alone.out))
        assert ran.err.rpartition(",")[0] == alone.err.rpartition(",")[0]  # the time it took stands at the end
    shown = advisor("lint", "--jobs", "1", "--no-cache").out
    assert advisor("lint", "--jobs", "2", "--no-cache").out == shown and "cross_entropy(torch.softmax(model(x), dim=1), y)" in shown


def test_what_is_kept_is_what_one_process_keeps(advisor: Advisor, project: Path) -> None:
    kept = []
    for path in project.rglob("*"):
        os.utime(path, (1e9, 1e9))  # a file of this very moment is looked at again
    for count in ("1", "2"):
        advisor("lint", "--jobs", count)
        (found,) = project.joinpath(".advisor_cache").glob("*.json")
        held = json.loads(found.read_text())
        found.unlink()
        kept.append({**held, "touched": held["touched"], "result": {**held["result"], "texts": set(held["result"]["texts"])}})
    assert kept[0] == kept[1]


def linted(paths: list[Path], make_ask: Callable[[], jobs.Ask], method: str) -> Result:
    """What two processes of a kind find."""
    request = command.Request([str(path) for path in paths], {"configs": (), "isolated": True})
    linter = Linter(request.selection.choose, request.selection.known(), request.severity)
    with jobs.Workers(2, make_ask, linter.take, method) as workers:
        reading = read([str(path) for path in paths], judge=linter.judge, ahead=workers)
    reading.crashes += workers.crashes
    return linter.result(reading)


def ask() -> jobs.Ask:
    """The rules, asked in another process."""
    return command._asker([], {"configs": (), "isolated": True})


class Deadly:
    """Rules that end the process at one program."""

    def __init__(self, ask: jobs.Ask, victim: str) -> None:
        self.ask, self.victim = ask, victim

    def __call__(self, recipe: Recipe) -> tuple[Any, set[str]]:
        if recipe.entry.endswith(self.victim):
            os.kill(os.getpid(), signal.SIGKILL)
        return self.ask(recipe)


def deadly() -> jobs.Ask:
    """They end at the third program."""
    return Deadly(ask(), "train_3.py")


def told(result: Result) -> list[tuple[str, str, int]]:
    return [(finding.rule, Path(finding.place.file).name, finding.place.line) for finding in result.findings]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_either_kind(method: str, project: Path) -> None:
    if method == "fork" and not hasattr(os, "fork"):
        pytest.skip("no fork here")
    paths = sorted(project.glob("*.py"))
    found = linted(paths, ask, method)
    request = command.Request([str(path) for path in paths], {"configs": (), "isolated": True})
    linter = Linter(request.selection.choose, request.selection.known(), request.severity)
    alone = linter.result(read([str(path) for path in paths], judge=linter.judge))
    assert found.findings == alone.findings and found.skipped == alone.skipped and not found.crashes
    assert (found.files, found.parsed, found.programs) == (alone.files, alone.parsed, alone.programs)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_process_that_is_killed_takes_only_its_file_with_it(project: Path) -> None:
    paths = sorted(project.glob("*.py"))
    found, whole = linted(paths, deadly, jobs.METHOD), linted(paths, ask, jobs.METHOD)
    (crash,) = found.crashes
    assert crash == f"the process that read {project / 'train_3.py'} was ended by SIGKILL; the file is left out"
    assert found.files == whole.files and told(found) == told(whole) != []  # what train_3.py alone brings is in the files that the others read, too
    assert found.programs == whole.programs - 1


@pytest.mark.skipif(jobs.METHOD != "fork", reason="a forked process has what was put in place here")
def test_the_command_ends_with_2_when_a_process_was_killed(advisor: Advisor, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = command._asker
    monkeypatch.setattr(command, "_asker", lambda paths, options: Deadly(genuine(paths, options), "softmax.py"))
    ran = advisor("lint", "--jobs", "2", "--format", "json", "--no-cache")
    said = "advisor: internal error: the process that read softmax.py was ended by SIGKILL; the file is left out\n"
    assert ran.code == 2 and ran.err.startswith(said)
    assert {finding["file"] for finding in ran.json["findings"]} > {"engine.py", "study.ipynb", "broken.py"}


STUCK = """\
import os, time
from pathlib import Path

from advisor.cli import main
from advisor.cli import request as command


def asker(paths, options):
    Path(f"at_work_{os.getpid()}").touch()
    time.sleep(60)


command._asker = asker
main(["lint", "--jobs", "2", "."])
"""


@pytest.mark.skipif(jobs.METHOD != "fork", reason="a forked process has what was put in place here")
def test_an_interrupt_ends_all_processes(project: Path) -> None:
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", STUCK], cwd=project, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while len(at_work := list(project.glob("at_work_*"))) < 2 and time.monotonic() - started < 50:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and said.strip() == "advisor: interrupted" and len(at_work) == 2
    for path in at_work:
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.name.removeprefix("at_work_")), 0)


def test_few_or_small_files_stay_in_one_process(advisor: Advisor, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any) -> None:
        raise AssertionError("no process is worth it")

    monkeypatch.setattr(jobs, "Workers", none)
    assert advisor("lint", "--no-cache").code == 1
    assert advisor("lint", "--no-cache", "--jobs", "4", "softmax.py").code == 1

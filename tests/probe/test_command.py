"""`advisor probe` from the outside: launching, stopping, exit codes, output, and files that come back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).parents[2]
HEALTHY = """
import sys
import torch
from torch import nn

print("arguments", sys.argv[1:], __name__, sys.path[0])
torch.manual_seed(0)
net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for turn in range(100):
    x = torch.randn(16, 4)
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(net(x), x.sum(1, keepdim=True))
    loss.backward()
    optimizer.step()
"""
FAULTY = HEALTHY.replace("    optimizer.zero_grad()\n", "")


def probe(folder: Path, *arguments: str, code: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    if code is not None:
        (folder / "train.py").write_text(code)
    own = {"TMPDIR": str(folder.parent / "temporary"), "XDG_STATE_HOME": str(folder.parent / "state")}
    own["TORCHINDUCTOR_CACHE_DIR"] = str(folder.parent / "compiled")  # torch makes it in any run, and among the temporary files
    os.makedirs(own["TMPDIR"], exist_ok=True)
    around = {**os.environ, **own, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-m", "advisor", "probe", *arguments]
    return subprocess.run(command, cwd=folder, env=around, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def report(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_machine_formats_own_stdout_and_the_script_gets_its_arguments(project: Path) -> None:
    done = probe(project, "--format", "json", "--steps", "12", "train.py", "--lr", "1", "--help", code=HEALTHY)
    found = report(done)
    assert done.returncode == 0 and found["summary"]["steps"] == 12 and found["summary"]["script"]["stopped"] == "steps"
    assert f"arguments ['--lr', '1', '--help'] __main__ {project}" in done.stderr
    assert set(found) == {"version", "tool", "findings", "skipped", "signals", "trials", "summary"}
    assert next(signal for signal in found["signals"] if signal["name"] == "loss")["step"] == list(range(1, 13))


def test_findings_fail_and_point_at_the_line(project: Path) -> None:
    done = probe(project, "--format", "json", "--steps", "12", "train.py", code=FAULTY)
    (found,) = report(done)["findings"]
    assert done.returncode == 1
    assert (found["rule"], found["file"], found["line"]) == ("missing-zero-grad", "train.py", FAULTY.splitlines().index("    loss.backward()") + 1)


def test_a_comment_silences(project: Path) -> None:
    silent = FAULTY.replace("    loss.backward()", "    loss.backward()  # advisor: ignore[missing-zero-grad] on purpose")
    assert probe(project, "--steps", "12", "train.py", code=silent).returncode == 0


def test_modules_run_too(project: Path) -> None:
    (project / "package").mkdir()
    (project / "package" / "__init__.py").touch()
    (project / "package" / "train.py").write_text(HEALTHY)
    done = probe(project, "--format", "json", "--steps", "5", "-m", "package.train", "x")
    assert report(done)["summary"]["steps"] == 5 and "arguments ['x'] __main__" in done.stderr


def test_a_script_that_breaks_is_told_without_our_frames(project: Path) -> None:
    done = probe(project, "--format", "json", "train.py", code=HEALTHY + "\nraise ValueError('broken')\n")
    assert done.returncode == 0 and report(done)["summary"]["script"]["stopped"] == "steps"  # stopped before
    done = probe(project, "--format", "json", "--steps", "500", "train.py", code=HEALTHY + "\nraise ValueError('broken')\n")
    script = report(done)["summary"]["script"]
    assert done.returncode == 2 and script["exception"] == "ValueError: broken" and script["file"] == "train.py"
    assert "Traceback" in done.stderr and "launch.py" not in done.stderr


def test_an_end_by_itself_is_no_failure_and_an_exit_code_is(project: Path) -> None:
    assert report(probe(project, "--format", "json", "--steps", "500", "train.py", code=HEALTHY))["summary"]["script"]["stopped"] is None
    done = probe(project, "--format", "json", "--steps", "500", "train.py", code=HEALTHY + "\nsys.exit(7)\n")
    assert done.returncode == 2 and report(done)["summary"]["script"]["exit"] == 7


def test_a_script_that_swallows_everything_is_left(project: Path) -> None:
    stubborn = HEALTHY.replace("    optimizer.step()\n", "    try:\n        optimizer.step()\n    except BaseException:\n        pass\n").replace(
        "range(100)", "range(10**9)"
    )
    done = probe(project, "--format", "json", "--steps", "5", "train.py", code=stubborn)
    assert report(done)["summary"]["script"]["stopped"] == "steps"


def test_the_clock_stops_a_script_that_never_steps(project: Path) -> None:
    done = probe(project, "--format", "json", "--seconds", "6", "train.py", code="import time\nimport torch\nwhile True:\n    time.sleep(0.05)\n")
    found = report(done)
    assert found["summary"]["script"]["stopped"] == "seconds" and any("train.py:4" in entry["why"] for entry in found["skipped"])


def test_wrong_usage(project: Path) -> None:
    assert probe(project, "nowhere.py").returncode == 2
    assert probe(project, "--stpes", "3", "train.py", code=HEALTHY).returncode == 2
    assert probe(project, "--without", "nothing", "train.py", code=HEALTHY).returncode == 2


WRITES = HEALTHY.replace("    optimizer.step()\n", """    optimizer.step()
    torch.save(net.state_dict(), "best.pt")
    torch.save(net.state_dict(), "draft.pt")
    os.replace("draft.pt", "last.pt")
    torch.save(net.state_dict(), f"out/{turn}.pt")
    for old in range(turn - 1):
        if os.path.exists(f"out/{old}.pt"):
            os.remove(f"out/{old}.pt")
    assert torch.load("best.pt")["weight"].equal(net.weight)
    with open("log.txt", "a") as log:
        log.write("line\\n")
    if "kill" in sys.argv and turn == 3:
        os.kill(os.getpid(), 9)
""").replace("import sys\n", "import os\nimport sys\n").replace("net = nn", "os.makedirs('out', exist_ok=True)\nnet = nn")  # fmt: skip


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*")) if path.is_file()}


def test_files_come_back(project: Path) -> None:
    (project / "train.py").write_text(WRITES)
    for name in ("best.pt", "last.pt", "log.txt"):
        (project / name).write_text(f"old {name}")
    before = contents(project)
    assert probe(project, "--steps", "8", "train.py").returncode == 0
    assert contents(project) == before and not (project / "out").exists()
    assert probe(project, "--steps", "8", "train.py", "kill").returncode == -9
    assert contents(project) != before
    done = probe(project, "--steps", "2", "train.py")
    assert "interrupted probe" in done.stderr and contents(project) == before


def test_writes_stay_when_asked(project: Path) -> None:
    assert probe(project, "--keep-writes", "--steps", "3", "train.py", code=WRITES).returncode == 0
    assert (project / "best.pt").exists()


def test_twice_the_same(project: Path) -> None:
    unseeded = HEALTHY.replace("torch.manual_seed(0)\n", "")
    found = report(probe(project, "--format", "json", "--repeat", "--steps", "6", "--severity", "hint", "train.py", code=unseeded))["findings"]
    assert {entry["rule"] for entry in found} & {"not-repeatable", "missing-seed"}
    assert not report(probe(project, "--format", "json", "--repeat", "--steps", "6", "train.py", code=HEALTHY))["findings"]
    assert not list((project.parent / "temporary").iterdir()), "both runs leave nothing of their own"


def test_through_validation(project: Path) -> None:
    import yaml

    text = yaml.safe_load((ROOT / "rules" / "curves" / "overfitting.yaml").read_text())["examples"]["good"][0]
    loop = (
        text
        + "    model.eval()\n    with torch.no_grad():\n"
        + "        for a, b in DataLoader(loader.dataset, batch_size=64):\n            criterion(model(a), b)\n"
    )
    found = report(probe(project, "--format", "json", "--steps", "4", "--through-validation", "train.py", code=loop))
    assert [signal for signal in found["signals"] if signal["name"] == "validation_loss"] and found["summary"]["steps"] <= 6


def test_a_page_with_curves(project: Path) -> None:
    assert probe(project, "--report", "page.html", "--steps", "12", "train.py", code=FAULTY).returncode == 1
    page = (project / "page.html").read_text()
    assert "<svg" in page and "missing-zero-grad" in page and "http" not in page.replace("http-equiv", "")


def test_the_context_manager() -> None:
    import torch

    import advisor

    torch.manual_seed(0)
    net = torch.nn.Linear(3, 1)
    with advisor.Probe(steps=9) as watched:  # type: ignore[operator]
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(50):
            net(torch.randn(8, 3)).pow(2).mean().backward()
            optimizer.step()
    assert watched.trace.steps == 9 and [finding.rule for finding in watched.findings] == ["missing-zero-grad"]
    assert not hasattr(torch.Tensor.backward, "__advisor__") and not hasattr(torch.optim.Optimizer.zero_grad, "__advisor__")


def test_no_step_at_all_is_told(project: Path) -> None:
    done = probe(project, "--format", "json", "train.py", code="import torch\nprint(torch.ones(3))\n")
    found = report(done)
    assert done.returncode == 0 and found["summary"]["steps"] == 0 and [e["why"] for e in found["skipped"]] == ["no optimizer step was seen"]
    found = report(probe(project, "--format", "json", "train.py", code="print('no torch')\n"))
    assert [entry["why"] for entry in found["skipped"]] == ["the script never imported torch"]


def test_a_question_meets_an_empty_input(project: Path) -> None:
    done = probe(project, "--format", "json", "train.py", code=HEALTHY.replace("net = nn", "name = input('name? ')\nnet = nn"))
    script = report(done)["summary"]["script"]
    assert done.returncode == 2 and script["exception"].startswith("EOFError") and script["file"] == "train.py"


def test_an_exit_in_the_middle(project: Path) -> None:
    leaving = HEALTHY.replace("    optimizer.step()\n", "    optimizer.step()\n    if turn == 4:\n        sys.exit()\n")
    found = report(probe(project, "--format", "json", "train.py", code=leaving))
    assert found["summary"]["script"]["exit"] == 0 and found["summary"]["steps"] == 5


def test_a_full_disk_takes_no_file_away(project: Path) -> None:
    """No room for a copy: the script may not change the file, and is told why."""
    state = project.parent / "small"
    state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(state)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        (project / "best.pt").write_bytes(b"old" * 400_000)
        done = probe(project, "--format", "json", "--steps", "8", "train.py", code=WRITES, XDG_STATE_HOME=str(state))
        assert (project / "best.pt").read_bytes() == b"old" * 400_000
        assert done.returncode == 2 and "cannot keep a copy of this file" in report(done)["summary"]["script"]["exception"], done.stderr
    finally:
        subprocess.run(["umount", str(state)], check=True)


def test_a_report_that_cannot_be_written(project: Path) -> None:
    done = probe(project, "--format", "json", "-o", "/dev/full", "--steps", "3", "train.py", code=HEALTHY)
    assert done.returncode == 2 and "Traceback" not in done.stderr and "/dev/full" in done.stderr

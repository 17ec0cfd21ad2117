"""Training in several processes: `mp.spawn`, `torchrun`, forks and requests to end; one report, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
from tests.probe.test_command import HEALTHY, ROOT, contents, probe, report  # noqa: E402

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no distributed package")

RANKS = """
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def train(rank, world, address, turns):
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=world)
    torch.manual_seed(0)
    x = torch.randn(640, 8)
    data = TensorDataset(x, x.sum(1, keepdim=True))
    sampler = DistributedSampler(data)
    loader = DataLoader(data, batch_size=16, sampler=sampler)
    net = DistributedDataParallel(nn.Linear(8, 1))
    model = net.module if "bypass" in sys.argv else net
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for epoch in range(turns):
        sampler.set_epoch(epoch)
        for inputs, target in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(inputs), target)
            loss.backward()
            optimizer.step()
            if "slow" in sys.argv:
                time.sleep(0.05 + 0.02 * rank)
                with open(f"steps{rank}", "a") as file:
                    file.write(".")
        if rank == 0:
            torch.save(net.state_dict(), "best.pt")
"""
SPAWNED = RANKS + """

if __name__ == "__main__":
    mp.spawn(train, args=(2, "tcp://localhost:PORT", 10), nprocs=2)
    print("never reached")
"""
LAUNCHED = RANKS + """

train(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), "env://", 10 if "slow" not in sys.argv else 10**6)
"""


def spawned() -> str:
    """The program with a free port in it."""
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return SPAWNED.replace("PORT", str(one.getsockname()[1]))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def launched(folder: Path, code: str, options: list[str], *arguments: str) -> tuple[subprocess.CompletedProcess[str], Any]:
    (folder / "train.py").write_text(code)
    output = folder.parent / "report.json"
    temporary = folder.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    state = str(folder.parent / "state")
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": state, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "advisor", "probe"]
    command += ["--format", "json", "-o", str(output), *options, "train.py", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert not list(temporary.glob("advisor-ranks-*")), "what the ranks left for each other"
    return done, json.loads(output.read_text()) if output.exists() else None


def test_spawned_processes_are_watched(project: Path) -> None:
    (project / "best.pt").write_text("old")
    done = probe(project, "--format", "json", "--steps", "25", "train.py", code=spawned())
    found = report(done)
    assert done.returncode == 0 and found["summary"]["steps"] == 25 and found["summary"]["script"]["stopped"] == "steps", done.stderr
    assert not found["findings"] and "never reached" not in done.stderr
    assert next(signal for signal in found["signals"] if signal["name"] == "loss")["step"] == list(range(1, 26))
    assert {path.name for path in project.iterdir()} == {"train.py", "best.pt"} and (project / "best.pt").read_text() == "old"


def test_faults_of_spawned_processes_point_at_the_line(project: Path) -> None:
    code = spawned().replace("            optimizer.zero_grad()\n", "")
    found = report(probe(project, "--format", "json", "--steps", "12", "train.py", code=code))["findings"]
    assert [(f["rule"], f["line"]) for f in found] == [("missing-zero-grad", code.splitlines().index("            loss.backward()") + 1)]
    found = report(probe(project, "--format", "json", "--steps", "12", "train.py", "bypass", code=spawned()))["findings"]
    assert {f["rule"] for f in found} == {"replicas-diverge"}


def test_a_seed_that_children_set_while_they_import_the_script(project: Path) -> None:
    code = spawned().replace("    torch.manual_seed(0)\n", "")
    assert "manual_seed" not in code
    found = report(probe(project, "--format", "json", "--steps", "12", "train.py", code=code))["findings"]
    assert "missing-seed" in [f["rule"] for f in found]
    code = code.replace("def train(", "torch.manual_seed(0)\n\n\ndef train(")
    assert report(probe(project, "--format", "json", "--steps", "12", "train.py", code=code))["findings"] == []


def test_a_spawned_process_that_breaks(project: Path) -> None:
    code = spawned().replace("        if rank == 0:\n", "        raise ValueError('broken')\n        if rank == 0:\n")
    done = probe(project, "--format", "json", "--steps", "50", "train.py", code=code)
    found = report(done)
    assert done.returncode == 2 and "ValueError: broken" in found["summary"]["script"]["exception"]


def test_the_switch_leaves_processes_alone(project: Path) -> None:
    code = spawned().replace(", 10), nprocs", ", 1), nprocs")
    found = report(probe(project, "--format", "json", "--without", "processes", "train.py", code=code))
    assert found["summary"]["steps"] == 0


def test_ranks_of_a_launcher_write_one_report(project: Path) -> None:
    done, found = launched(project, LAUNCHED, ["--steps", "25"])
    assert done.returncode == 0 and found["summary"]["steps"] == 25 and not found["findings"], done.stderr
    assert {path.name for path in project.iterdir()} == {"train.py"}
    done, found = launched(project, LAUNCHED, ["--steps", "25"], "bypass")
    assert [f["rule"] for f in found["findings"]] == ["replicas-diverge"] and done.returncode == 1


def test_ranks_agree_on_the_last_step(project: Path) -> None:
    done, found = launched(project, LAUNCHED, ["--steps", "100000", "--seconds", "25", "--keep-writes"], "slow")
    steps = [len((project / f"steps{rank}").read_text()) for rank in (0, 1)]
    assert found["summary"]["script"]["stopped"] == "seconds" and steps[0] == steps[1] > 3, (steps, done.stderr)
    assert found["summary"]["steps"] == steps[0] + 1  # the stop comes before the write that follows the last step




def test_forked_children_report_nothing(project: Path) -> None:
    forks = HEALTHY.replace("    optimizer.step()\n", """    optimizer.step()
    if turn == 2:
        import os
        child = os.fork()
        if child == 0:
            open("child.txt", "w").write("x")
            sys.exit(3)
        assert os.waitpid(child, 0)[1] == 3 << 8
""")  # fmt: skip
    done = probe(project, "--format", "json", "--steps", "12", "train.py", code=forks)
    assert done.returncode == 0 and report(done)["summary"]["steps"] == 12, done.stderr
    assert {path.name for path in project.iterdir()} == {"train.py"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_end_that_the_interpreter_drops_is_answered_at_the_next_step(project: Path, number: int) -> None:
    code = HEALTHY.replace("range(100)", "range(10**9)")
    code = code.replace("    optimizer.step()\n", "    optimizer.step()\n    steps += 1\n    if steps == 20:\n        del last\n")
    asks = "import os\nclass Last:\n    def __del__(self):\n        os.kill(os.getpid(), NUMBER)\n        return None\nlast, steps = Last(), 0\n"
    asks = asks.replace("NUMBER", str(int(number)))
    summary = report(probe(project, "--steps", "1000000", "--format", "json", "train.py", code=asks + code))["summary"]
    assert summary["script"]["stopped"] == "interrupt" and summary["steps"] == 21


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_end_gives_the_report_so_far(project: Path, number: int) -> None:
    code = HEALTHY.replace("range(100)", "range(10**9)")
    code = code.replace("    optimizer.step()\n", "    optimizer.step()\n    open('steps', 'a').write('.')\n")
    (project / "train.py").write_text(code)
    output = project.parent / "report.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(project.parent / "state")}
    command = [sys.executable, "-m", "advisor", "probe", "--steps", "1000000", "--format", "json", "-o", str(output), "train.py"]
    running = subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    end = time.monotonic() + 120
    steps = project / "steps"
    while (not steps.exists() or steps.stat().st_size < 20) and time.monotonic() < end:
        time.sleep(0.1)
    before = contents(project)
    running.send_signal(number)
    running.communicate(timeout=60)
    found = json.loads(output.read_text())
    assert "steps" in before and found["summary"]["script"]["stopped"] == "interrupt" and found["summary"]["steps"] > 0
    assert running.returncode == 0 and not steps.exists(), found["findings"]

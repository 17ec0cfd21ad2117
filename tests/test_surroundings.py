"""What surrounds the files: links, pipes, permissions, names, locales, a closed stdout, modules called as ours, memory and time."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from advisor import cards, engine
from advisor.discover import discover
from advisor.model.rule import Choice
from advisor.read import read
from tests.conftest import Advisor
from tests.programs import SOFTMAX
from tests.test_bad_input import IN_SOFTMAX, SETTINGS, beside_a_good_file


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_file_is_left_out_of_a_folder_and_told_where_it_is_named(advisor: Advisor, tmp_path: Path) -> None:
    os.mkfifo("pipe.py")
    Path("gone.py").symlink_to("nowhere.py")
    Path("gone.yaml").symlink_to("nowhere.yaml")
    Path("itself.py").symlink_to("itself.py")
    Path("itself").symlink_to("itself")
    Path("zero.py").symlink_to("/dev/zero")
    Path("folder.py").mkdir()
    Path("folder.py/up").symlink_to(tmp_path, target_is_directory=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket.py")
    try:
        findings, skipped = beside_a_good_file(advisor)
        nowhere, special = "the link points nowhere", "it is not a regular file"
        told = {"gone.py": nowhere, "gone.yaml": nowhere, "itself.py": nowhere, "pipe.py": special, "socket.py": special, "zero.py": special}
        assert not findings
        assert {skip["file"]: skip["why"] for skip in skipped} == told
        findings, skipped = beside_a_good_file(advisor, ".", *told, "itself")
        assert {(finding["file"], finding["rule"]) for finding in findings} == {(name, "unreadable-file") for name in (*told, "itself")}
        assert not skipped
    finally:
        listener.close()


FIT = """\
import torch


def fit(model, optimizer, loader):
    for x, y in loader:
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
"""
RUN = """\
import torch
from torch.utils.data import DataLoader, TensorDataset

from {module} import fit

torch.manual_seed(0)
model = torch.nn.Linear(4, 3)
data = TensorDataset(torch.randn(64, 4), torch.randint(3, (64,)))
for epoch in range(10):
    fit(model, torch.optim.SGD(model.parameters(), lr=0.1), DataLoader(data, batch_size=8, shuffle=True))
"""


def test_a_file_that_links_lead_to_is_told_of_once_and_where_it_lies(advisor: Advisor) -> None:
    for folder in ("library", "examples/a", "examples/b"):
        Path(folder).mkdir(parents=True)
    Path("library/__init__.py").touch()
    Path("library/fit.py").write_text(FIT)
    for file, module in (("run.py", "library.fit"), ("examples/a/run.py", "library.fit"), ("examples/b/run.py", "again")):
        Path(file).write_text(RUN.format(module=module))
    Path("examples/a/library").symlink_to("../../library", target_is_directory=True)
    Path("examples/b/again.py").symlink_to("../../library/fit.py")
    missing = ["library/fit.py:6:9"]

    def told(*paths: str) -> list[str]:
        findings = advisor("lint", *paths, "--select", "missing-zero-grad", "--format", "json", "--no-cache").json["findings"]
        return [f"{finding['file']}:{finding['line']}:{finding['column']}" for finding in findings]

    assert told(".") == told("examples/a/run.py") == told("examples/b") == missing
    advisor("lint", ".", "--select", "missing-zero-grad", "--write-baseline")
    assert told("examples/b", "--baseline", "advisor-baseline.json") == []
    advisor("lint", ".", "--select", "missing-zero-grad", "--add-ignore=known")
    assert told(".") == []
    assert Path("library/fit.py").read_text().count("advisor: ignore") == 1
    assert Path("examples/b/again.py").is_symlink()


SHADOWS = ("click", "json", "ast", "torch", "advisor", "yaml", "types", "re", "typing", "dataclasses", "pathspec", "tomllib")


def lint_in(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "PYTHON"))}
    return subprocess.run([sys.executable, "-c", START, ROOT, "lint", *arguments], cwd=folder, capture_output=True, env={**kept, **environment})


ROOT = str(Path(__file__).parent.parent)
START = "import sys; sys.path[0] = sys.argv.pop(1); from advisor.cli import main; main()"  # as the installed command: nothing of the folder


def test_modules_beside_the_script_that_are_called_as_ours(tmp_path: Path) -> None:
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('executed')\n")
    (tmp_path / "train.py").write_text(SOFTMAX)
    (tmp_path / "c.yaml").write_text(SETTINGS)
    done = lint_in(tmp_path, ".", "--format", "json")
    assert done.returncode == 1, done.stderr
    assert [finding["file"] for finding in json.loads(done.stdout)["findings"]] == ["train.py"]


BOMBS = (
    "10 ** 10 ** 10", "'a' * 10 ** 12", "[0] * 10 ** 12", "(0,) * 10 ** 12", "1 << 10 ** 10", "2 ** 2 ** 2 ** 2 ** 2 ** 2", "'a' * 2 ** 70",
    "list(range(10 ** 12))", "tuple(range(10 ** 10))", "sum(range(10 ** 12))", "sorted(range(10 ** 9))", "max(range(10 ** 11))",
    "set(range(10 ** 10))", "[x for x in range(10 ** 9)]", "{x: x for x in range(10 ** 9)}", "dict.fromkeys(range(10 ** 9))",
    "any(range(10 ** 10))", "len(range(10 ** 20))", "list(itertools.product(range(1000), repeat=10))", "list(itertools.permutations(range(20)))",
    "list(itertools.combinations(range(60), 30))", "list(itertools.repeat(1, 10 ** 10))", "list(zip(range(10 ** 9), range(10 ** 9)))",
    "list(map(str, range(10 ** 9)))", "sum([[1]] * 10 ** 9, [])", "f'{1:1000000000}'", "f'{1:>{10 ** 10}}'", "'%1000000000d' % 1",
    "'%*d' % (10 ** 10, 1)", "'{:1000000000}'.format(1)", "'{0:{1}}'.format(1, 10 ** 10)", "format(1, '1000000000d')", "'a'.ljust(10 ** 10)",
    "'a'.center(10 ** 11)", "'x'.zfill(10 ** 10)", "'a\\t'.expandtabs(10 ** 10)", "b'a' * 10 ** 12", "bytes(10 ** 12)", "bytearray(10 ** 11)",
    "'a'.join(['b'] * 10 ** 9)", "'a'.replace('a', 'b' * 10 ** 9)", "'a'.translate({97: 'b' * 10 ** 9})",
    "'\\n'.join(str(i) for i in range(10 ** 9))", "int('9' * 10 ** 6)", "str(10 ** 10000)", "round(10 ** 5000)", "float(10 ** 400)", "int(1e400)",
    "math.factorial(10 ** 7)", "math.comb(10 ** 8, 10 ** 7)", "math.perm(10 ** 6)", "math.prod(range(1, 10 ** 7))", "math.exp(10 ** 6)",
    "math.log(0)", "math.gcd(10 ** 10 ** 9, 2)", "pow(3, 10 ** 10)", "divmod(10 ** 10 ** 9, 3)", "2.0 ** 10 ** 6", "(-1) ** 0.5", "0 ** -1",
    "1 / 0", "10 ** 4000 // 3", "eval('9 ** 9 ** 9')", "eval('[' * 10000)", "re.sub('(a+)+$', 'b', 'a' * 40 + 'b')",
    "re.match('(a+)+$', 'a' * 40 + 'b')", "re.compile('(' * 5000)", "np.zeros(10 ** 12)", "np.arange(10 ** 11)", "np.linspace(0, 1, 10 ** 10)",
    "torch.zeros(10 ** 12)", "random.sample(range(10 ** 12), 10 ** 9)", "int.from_bytes(b'a' * 10 ** 9, 'big')", "(1).to_bytes(10 ** 10, 'big')",
    "os.path.join(*['a'] * 10 ** 9)", "chr(10 ** 10)", "[[0] * 10 ** 4] * 10 ** 4",
)  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured by Linux")
def test_constants_that_explode(tmp_path: Path) -> None:
    """All of them in one program; alone the largest would take gigabytes, or hours."""
    imports = "import itertools, math, os, random, re\nimport numpy as np\nimport torch\n"
    (tmp_path / "a.py").write_text(SOFTMAX + imports + "".join(f"x{number} = {bomb}\n" for number, bomb in enumerate(BOMBS)))
    (tmp_path / "peak.py").write_text(
        "import sys\nsys.path[0] = sys.argv.pop(1)\nfrom advisor.cli import run\ncode = run()\n"
        "print(open('/proc/self/status').read(), file=sys.stderr)\nsys.exit(code)\n"
    )
    command = [sys.executable, "peak.py", ROOT, "lint", "a.py", "--select", "loss", "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert [(finding["rule"], finding["line"]) for finding in json.loads(done.stdout)["findings"]] == [IN_SOFTMAX]
    [peak] = re.findall(r"VmHWM:\s*(\d+) kB", done.stderr)
    assert int(peak) < 150_000


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are text there")
@pytest.mark.parametrize("form", ["full", "concise", "json", "sarif", "github", "gitlab", "junit"])
def test_names_and_texts_that_no_locale_can_write(tmp_path: Path, form: str) -> None:
    (tmp_path / os.fsdecode(b"tr\xe9in.py")).write_text(SOFTMAX + "x = 'é'\n")
    (tmp_path / "größe.py").write_text(SOFTMAX)
    for locale in ("C", "C.UTF-8"):
        done = lint_in(tmp_path, ".", "--format", form, LANG=locale, PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
        assert done.returncode == 1, done.stderr
        assert b"softmax-before-cross-entropy" in done.stdout
        assert not done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users here")
def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    (tmp_path / "locked.py").write_text(SOFTMAX)
    (tmp_path / "conf.yaml").write_text(SETTINGS)
    (tmp_path / "train.py").write_text("import locked\n" + SOFTMAX)
    for name in ("locked.py", "conf.yaml"):
        (tmp_path / name).chmod(0)
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:  # root reads everything: another user looks
                os.setgid(65534)
                os.setuid(65534)
            os.chdir(tmp_path)
            os._exit(0 if _judged_here() == LOCKED else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


LOCKED = (
    [("locked.py", "unreadable-file", 1), ("train.py", "softmax-before-cross-entropy", 6)],
    [("conf.yaml", "there is no permission to read it")],
)


def _judged_here() -> tuple[list[tuple[str, str, int]], list[tuple[str, str]]]:
    files, rules = discover(["."]), cards.load()
    result = engine.lint(read(files, walked=files), lambda _: Choice(rules), rules)
    skipped = [(skip.file, skip.why) for skip in result.skipped if skip.why.startswith("there is no permission")]
    return [(finding.place.file, finding.rule, finding.place.line) for finding in result.findings], skipped


def test_a_cache_folder_that_cannot_be_written(advisor: Advisor) -> None:
    for number in range(25):
        Path(f"a{number}.py").write_text(SOFTMAX)
    Path(".advisor_cache").write_text("a file in its place")
    ran = advisor("lint", ".", "--format", "json")
    assert (ran.code, len(ran.json["findings"]), ran.err) == (1, 25, "")


@pytest.mark.parametrize("form", ["full", "json"])
def test_a_reader_that_takes_one_line(tmp_path: Path, form: str) -> None:
    for number in range(300):
        (tmp_path / f"a{number}.py").write_text(SOFTMAX)
    code = f"{sys.executable} -m advisor lint . --no-cache --format {form} | head -1"
    done = subprocess.run(code, shell=True, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT})
    assert len(done.stdout.splitlines()) == 1
    assert not done.stderr


def test_stdout_that_is_closed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SOFTMAX)
    code = f"{sys.executable} -m advisor lint . --no-cache >&-"
    done = subprocess.run(code, shell=True, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT})
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr


@pytest.mark.parametrize(("file", "expected"), [("sysconfig.py", []), ("train.py", [("arguments-do-not-fit", "train.py", 3)])])
def test_a_file_that_imports_its_own_name_means_the_standard_library(
    file: str, expected: list[tuple[str, str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside it another file does mean it."""
    monkeypatch.chdir(tmp_path)
    Path("sysconfig.py").write_text('import sysconfig\n\n\ndef where(name):\n    return name\n\n\nprint(sysconfig.where("a", "b"))\n')
    Path("train.py").write_text('import sysconfig\n\nsysconfig.where("a", "b")\n')
    rules = cards.load()
    result = engine.lint(read([file], prefilter=False), lambda name: Choice(rules), rules)
    assert [(found.rule, found.place.file, found.place.line) for found in result.findings] == expected

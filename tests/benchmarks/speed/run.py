"""Prints what linting folders and files costs, as ratios that hold on any machine.

    python -m tests.benchmarks.speed.run [--rounds N] PATH...

Each figure is the CPU time of a whole process, measured in turns with its yardstick: for a folder a process that parses the files that the lint
parses (aim 4, bar 8), for one file `import click` (aim 1.5, bar 2.5). `--help` stands against `import click` too (aim 1.1, bar 1.2).
Bytecode is compiled before, so that both sides have it.
"""

from __future__ import annotations

import argparse
import compileall
import os
import re
import resource
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CLICK = [sys.executable, "-c", "import click"]
PARSE = """
import ast, gc, sys, warnings
warnings.simplefilter("ignore")
gc.disable()
for line in sys.stdin:
    try:
        ast.parse(open(line.rstrip("\\n"), "rb").read())
    except (SyntaxError, ValueError, RecursionError):
        pass
"""


def cpu(command: list[str], given: str = "") -> tuple[float, str]:
    """CPU seconds of a process, and what it wrote to stderr."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, input=given, env=environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout + done.stderr


def lint(path: str) -> list[str]:
    """The command that lints a path from nothing."""
    return [sys.executable, "-m", "advisor", "lint", "--no-cache", "--isolated", "--statistics", "--format", "concise", path]


def parsed_files(path: str) -> list[str]:
    """The Python files that a lint of a folder parses, as far as their text tells: those that mention a framework."""
    from advisor.read import FRAMEWORK_WORDS

    return [str(file) for file in sorted(Path(path).rglob("*.py")) if file.is_file() and FRAMEWORK_WORDS.search(file.read_bytes())]


def compare(name: str, command: list[str], yardstick: list[str], given: str, rounds: int, bars: tuple[float, float]) -> None:
    """One line of the report: the medians, and the median of the ratios of neighbours."""
    ours, theirs, said = [], [], ""
    for turn in range(rounds + 1):
        base, (time, said) = cpu(yardstick, given)[0], cpu(command)
        if turn:  # the first one warms the disk
            theirs.append(base)
            ours.append(time)
    ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    counted = re.search(r"\d+ files, \d+ parsed, \d+ programs", said)
    verdict = "aim" if ratio <= bars[0] else "bar" if ratio <= bars[1] else "OVER"
    print(
        f"{ratio:7.2f} x  {verdict:4}  {statistics.median(ours):7.3f} s / {statistics.median(theirs):6.3f} s  {name}  "
        f"{counted.group() if counted else ''}"
    )


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    compileall.compile_dir(str(ROOT / "advisor"), quiet=2)
    compare("--help", [sys.executable, "-m", "advisor", "--help"], CLICK, "", options.rounds, (1.1, 1.2))
    for path in options.paths:
        if os.path.isdir(path):
            files = "".join(f"{file}\n" for file in parsed_files(path))
            compare(path, lint(path), [sys.executable, "-c", PARSE], files, options.rounds, (4.0, 8.0))
        else:
            compare(path, lint(path), CLICK, "", options.rounds, (1.5, 2.5))


if __name__ == "__main__":
    main()

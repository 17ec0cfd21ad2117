"""Measures what linting costs, as ratios that hold on any machine, and writes them as dated JSON.

    python -m tests.benchmarks.speed.run [--rounds N] [--with CONFIG] [--peer NAME=COMMAND] [-o FILE.json] PATH...

Each cost is that of a whole process, measured in turns with its yardstick and given as the median of the ratios of neighbours: a folder against
a process that parses the files that the lint parses (CPU seconds, peak memory; warm against `import click`), a file and `--help` against
`import click` (wall; the CPU ratio is for loaded machines). One process stands against two ("two processes": how many times as quick they are),
and what is chosen for a folder against one process ("jobs"). A peer is a command to which the path is added, from an environment of its own: how
many times our CPU seconds it takes, in one process each. Rules and configs are measured inside a process (inside.py): the trees of all YAML
configs of a folder against PyYAML's C loader ("config"), and all that a config adds to the reading of its script ("all for a config": there what
is read because its values are known counts, too). Bytecode is compiled before.
"""

from __future__ import annotations

import argparse
import compileall
import datetime
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

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
BARS = {  # first bar and aim
    "cold": (8.0, 4.0),
    "memory": (4.0, 2.0),
    "warm": (5.0, 3.0),
    "one file": (2.5, 1.5),
    "--help": (1.2, 1.1),
    "dearest rule": (0.1, 0.1),
    "config": (1.5, 1.0),
    "jobs": (1.05, 1.0),
}
AT_LEAST = {"two processes": (1.6, 1.8), "peer": (15.0, 40.0)}


class Cost(NamedTuple):
    """What a process took, and what it said."""

    wall: float
    cpu: float
    memory: float  # MiB
    said: str


def cost(command: list[str], given: str = "", folder: str | None = None) -> Cost:
    """Runs a process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, cwd=folder, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(given)
        process.stdin.close()
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said)


def lint(path: str, *options: str) -> list[str]:
    """The command that lints a path."""
    return [sys.executable, "-m", "advisor", "lint", "--isolated", "--statistics", "--format", "concise", *options, os.path.abspath(path)]


def turns(command: list[str], yardstick: list[str], rounds: int, given: str = "", folder: str | None = None) -> list[tuple[Cost, Cost]]:
    """A command and its yardstick in turns; the first turn warms the disk and does not count."""
    return [(cost(command, folder=folder), cost(yardstick, given)) for _ in range(rounds + 1)][1:]


def middle(pairs: list[tuple[Cost, Cost]], of: str) -> dict[str, Any]:
    """The median of the ratios, and of what was measured."""
    ours, theirs = [getattr(one, of) for one, _ in pairs], [getattr(other, of) for _, other in pairs]
    ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    return {"ratio": round(ratio, 2), "ours": round(statistics.median(ours), 3), "yardstick": round(statistics.median(theirs), 3)}


def inside(*arguments: str) -> Any:
    """What inside.py measures."""
    return json.loads(cost([sys.executable, "-m", "tests.benchmarks.speed.inside", *arguments], folder=str(ROOT)).said)


def against(path: str, peers: list[str], rounds: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """How many times as dear each peer is; all of what it takes counts."""
    for peer in peers:
        name, _, command = peer.partition("=")
        pairs = turns([*shlex.split(command), os.path.abspath(path)], lint(path, "--no-cache", "--jobs", "1"), rounds)
        found = middle(pairs, "cpu")
        held = {"ratio": found["ratio"], "theirs": found["ours"], "ours": found["yardstick"], "command": command}
        yield "peer", f"{name}, {os.path.basename(os.path.normpath(path))}", held


def measure(paths: list[str], config: str | None, peers: list[str], rounds: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is measured, of what, and how it came out."""
    yield "--help", "advisor", middle(turns([sys.executable, "-m", "advisor", "--help"], CLICK, rounds), "wall")
    for path in paths:
        name = "/".join(Path(path).resolve().parts[-1 if os.path.isdir(path) else -2 :])
        yield from against(path, peers, rounds)
        if not os.path.isdir(path):
            pairs = turns(lint(path, "--no-cache"), CLICK, rounds)
            yield "one file", name, {**middle(pairs, "wall"), "cpu ratio": middle(pairs, "cpu")["ratio"]}
            if config is not None:
                held = inside("config", os.path.abspath(path), os.path.abspath(config))
                yield "all for a config", name, {"ratio": round(held["seconds"] / held["load"], 2), **held}
            continue
        given = "".join(f"{file}\n" for file in inside("parsed", os.path.abspath(path)))
        pairs = turns(lint(path, "--no-cache", "--jobs", "1"), [sys.executable, "-c", PARSE], rounds, given)
        counted = re.search(r"\d+ files, \d+ parsed, \d+ programs", pairs[-1][0].said)
        yield "cold", name, {**middle(pairs, "cpu"), "counted": counted.group() if counted else pairs[-1][0].said[-300:]}
        yield "memory", name, middle(pairs, "memory")
        pairs = turns(lint(path, "--no-cache", "--jobs", "1"), lint(path, "--no-cache", "--jobs", "2"), rounds)
        yield "two processes", name, middle(pairs, "wall")
        pairs = turns(lint(path, "--no-cache"), lint(path, "--no-cache", "--jobs", "1"), rounds)
        yield "jobs", name, middle(pairs, "wall")
        with tempfile.TemporaryDirectory() as folder:  # the cache stands there
            cost(lint(path), folder=folder)
            pairs = turns(lint(path), CLICK, rounds, folder=folder)
        yield "warm", name, {**middle(pairs, "wall"), "cpu ratio": middle(pairs, "cpu")["ratio"]}
        held = inside("configs", os.path.abspath(path))
        yield "config", name, {"ratio": round(held["tree"] / held["load"], 2), **held}
        parts = inside("folder", os.path.abspath(path))
        rule, share = next(iter(parts["dearest rules"].items()), ("none", 0.0))
        yield "dearest rule", name, {"ratio": round(share, 3), "rule": rule, **parts}
        yield "evaluations per node", name, {"ratio": round(parts["evaluations"] / max(parts["nodes"], 1), 2), "evaluations": parts["evaluations"]}


def told(ratio: float, bar: float, aim: float) -> str:
    """Which of the two it keeps below."""
    return "aim" if ratio <= aim else "bar" if ratio <= bar else "OVER"


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--with", dest="config", help="a config of the scripts among the paths")
    parser.add_argument("--peer", dest="peers", action="append", default=[], metavar="NAME=COMMAND", help="another tool to be measured on each path")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    compileall.compile_dir(str(ROOT / "advisor"), quiet=2)
    results: list[dict[str, Any]] = []
    for what, of, result in measure(options.paths, options.config, options.peers, options.rounds):
        bar, aim = BARS.get(what, AT_LEAST.get(what, (None, None)))
        ratio = result["ratio"]
        verdict = "" if bar is None or aim is None else told(ratio, bar, aim) if what in BARS else told(-ratio, -bar, -aim)
        print(f"{ratio:8.2f} x  {verdict:4}  {what:20} {of}  {result.get('counted', result.get('rule', ''))}", flush=True)
        results.append({"what": what, "of": of, "bar": bar, "aim": aim, **result})
    if options.output is not None:
        machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": [round(one, 1) for one in os.getloadavg()]}
        held = {"date": datetime.date.today().isoformat(), "rounds": options.rounds, "machine": machine, "results": results}
        options.output.write_text(json.dumps(held, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

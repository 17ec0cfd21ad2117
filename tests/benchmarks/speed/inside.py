"""Measures a lint from inside, for the benchmark: evaluations against nodes of syntax, CPU seconds of each rule, of configs.

    python -m tests.benchmarks.speed.inside parsed PATH
    python -m tests.benchmarks.speed.inside folder PATH
    python -m tests.benchmarks.speed.inside configs PATH
    python -m tests.benchmarks.speed.inside config SCRIPT CONFIG

Prints JSON. Each measurement runs in a process of its own.
"""

from __future__ import annotations

import ast
import gc
import json
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from time import process_time
from typing import Any

from advisor import engine
from advisor.cli.request import Request
from advisor.model.events import events, outline
from advisor.model.finding import Finding
from advisor.model.folds import training_loops
from advisor.model.recipe import Recipe
from advisor.model.rule import Rule
from advisor.read import read

OPTIONS: dict[str, Any] = {"configs": (), "isolated": True, "severity": "hint"}
ROUNDS = 7


def parsed(path: str) -> list[str]:
    """The Python files that a lint of a folder parses."""
    request = Request([path], OPTIONS)
    return sorted(file for file in request.read(request.files()).parsed if file.endswith(".py"))


def folder(path: str) -> dict[str, Any]:
    """What reading and judging a folder takes, by parts."""
    request = Request([path], OPTIONS)
    files = request.files()
    gc.disable()
    started = process_time()
    reading = request.read(files)
    reading_took = process_time() - started
    rules: dict[str, float] = defaultdict(float)
    check_of = engine.check_of

    def timed(rule: Rule) -> Callable[[Any, Any], Iterable[Finding]]:
        check = check_of(rule)

        def run(fact: Any, context: Any) -> list[Finding]:
            began = process_time()
            found = list(check(fact, context))
            rules[rule.name] += process_time() - began
            return found

        return run

    engine.check_of = timed
    shared = share()
    started = process_time()
    engine.lint(reading, request.selection.choose, request.selection.known(), severity="hint")
    judging_took = process_time() - started
    parse, nodes = parse_of([Path(file).read_bytes() for file in sorted(reading.parsed) if file.endswith(".py")])
    return {
        "evaluations": sum(recipe.steps_taken for recipe in reading.recipes),
        "nodes": nodes,
        "programs": len(reading.recipes),
        "seconds": {"parse": parse, "read": reading_took, "judge": judging_took, "shared": sum(shared)},
        "dearest rules": {name: seconds / parse for name, seconds in sorted(rules.items(), key=lambda entry: -entry[1])[:5]},
    }


def share() -> list[float]:
    """Asks, before any rule, for what nearly all of them ask of a program: else the first one to ask pays. Gives the seconds for each program."""
    took: list[float] = []
    facts_of = engine.facts_of

    def prepared(recipe: Recipe) -> Any:
        began = process_time()
        events(recipe.tree)
        outline(recipe.tree)
        training_loops(recipe)
        took.append(process_time() - began)
        return facts_of(recipe)

    engine.facts_of = prepared
    return took


def parse_of(texts: list[bytes]) -> tuple[float, int]:
    """CPU seconds for parsing texts, and the nodes of their trees."""
    warnings.simplefilter("ignore")
    seconds, nodes = 0.0, 0
    for text in texts:
        started = process_time()
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        finally:
            seconds += process_time() - started
        nodes += sum(1 for _ in ast.walk(tree))
    return seconds, nodes


def configs(folder: str) -> dict[str, Any]:
    """What the trees of all YAML configs of a folder take, with both readings and the place of every value, against what the C loader takes."""
    import yaml

    from advisor.read.config import tree

    texts = [(str(path), text) for path in sorted(Path(folder).rglob("*.y*ml")) if (text := _loadable(path)) is not None]
    gc.disable()
    ours = least(lambda: [tree.load(text, path) for path, text in texts])
    theirs = least(lambda: [yaml.load(text, Loader=yaml.CSafeLoader) for _, text in texts])
    return {"configs": len(texts), "tree": ours, "load": theirs}


def _loadable(path: Path) -> str | None:
    """The text of a config that PyYAML loads."""
    import yaml

    try:
        text = path.read_text("utf-8")
        yaml.load(text, Loader=yaml.CSafeLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    return text


def config(script: str, path: str) -> dict[str, Any]:
    """What a config adds to the reading of its script, all that is read because its values are known included, against the C loader."""
    import yaml

    text = Path(path).read_text("utf-8")
    gc.disable()
    bare, joined = least(lambda: read([script])), least(lambda: read([script], configs=[path]))
    load = least(lambda: yaml.load(text, Loader=yaml.CSafeLoader))
    return {"seconds": joined - bare, "load": load}


def least(work: Callable[[], object]) -> float:
    """CPU seconds of some work, the least of several turns."""
    times = []
    for _ in range(ROUNDS):
        started = process_time()
        work()
        times.append(process_time() - started)
    return min(times)


if __name__ == "__main__":
    measures: dict[str, Callable[..., Any]] = {"parsed": parsed, "folder": folder, "configs": configs, "config": config}
    print(json.dumps(measures[sys.argv[1]](*sys.argv[2:])))

"""Measures a lint from inside, for the benchmark: evaluations against nodes of syntax, CPU seconds of each rule, of a config on top of its script.

    python -m tests.benchmarks.speed.inside parsed PATH
    python -m tests.benchmarks.speed.inside folder PATH
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


def config(script: str, path: str) -> dict[str, Any]:
    """What a config adds to the reading of its script, and its own tree alone, against the C loader's parse; the least of several turns."""
    import yaml

    from advisor.read.config import tree

    text = Path(path).read_text("utf-8")
    gc.disable()

    def least(work: Callable[[], object]) -> float:
        times = []
        for _ in range(ROUNDS):
            started = process_time()
            work()
            times.append(process_time() - started)
        return min(times)

    bare, joined = least(lambda: read([script])), least(lambda: read([script], configs=[path]))
    parse = least(lambda: yaml.compose(text, Loader=yaml.CSafeLoader))
    return {"seconds": joined - bare, "tree": least(lambda: tree.load(text, path)), "parse": parse}


if __name__ == "__main__":
    measures: dict[str, Callable[..., Any]] = {"parsed": parsed, "folder": folder, "config": config}
    print(json.dumps(measures[sys.argv[1]](*sys.argv[2:])))

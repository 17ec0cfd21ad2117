"""Branches: if, match and try."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.recipe import Scheduler
from advisor.read.python import (
    conditions,
    deferred,
    narrowing,
    one_way,
    same_arms,
    scopes,
    seeders,
    statements,
)
from advisor.read.python.values import Constant, Function, Instance, Opaque, Value, members

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


STEPS = (".backward(", ".step(")  # in the text of an arm: it trains
KEEPS = ("torch.save(", "state_dict(", ".save_pretrained(")  # it keeps weights
STOPPED = ("KeyboardInterrupt", "SystemExit")


def run_if(reader: Reader, node: ast.If) -> str | None:
    """if: one arm when the condition is certain, both when it is not."""
    status = _run_arms(reader, node)
    if node.orelse:
        same_arms.note(reader, node)
    return status


def _run_arms(reader: Reader, node: ast.If) -> str | None:
    test = reader.evaluate(node.test)
    if deferred.note(reader, node):
        return statements.run(reader, node.orelse)
    if deferred.is_for_types(test):
        reader.refusals.guarded += 1  # only a type checker reads the arm: nothing fails in it, and what it imports tells of types
        statements.run(reader, node.body)
        reader.refusals.guarded -= 1
        return statements.run(reader, node.orelse)
    strong = reader.strong_truth(test)
    if strong is not None:
        _note_left_out(reader, node, strong)
        off = seeders.switched_off(node.test, node.orelse if strong else node.body)
        seeds = [line for line, given in off if not _by_default(reader, conditions.peek(reader, given))]
        if seeds:
            _offer(reader, node, test, seeds, taken=not strong)
        return statements.run(reader, node.body if strong else node.orelse)
    weak = reader.truth(test)
    if weak is False:
        one_way.judge(reader, node, test)
    condition = conditions.test(reader, node.test, test)

    def arm(body: list[ast.stmt], taken: bool) -> Callable[[], tuple[str | None, Any]]:
        def thunk() -> tuple[str | None, Any]:
            narrowed = narrowing.narrow(reader, node.test, taken) if body else []
            status = statements.run(reader, body)
            narrowing.widened_again(reader, narrowed)
            return status, None

        return thunk

    arms = [(True, node.body), (False, node.orelse)]
    if weak is False:
        arms.reverse()
    labelled: list[tuple[str, bool | None, Any]] = [
        (("default" if i == 0 else "flag") if weak is not None else ("unknown" if taken else "else"), taken, arm(body, taken))
        for i, (taken, body) in enumerate(arms)
    ]
    statuses = [status for status, _ in reader.branch(node, condition, labelled)]
    if all(status is not None for status in statuses):
        return next((s for s in statuses if s != "raise"), "raise")
    for (_, body), status in zip(arms, statuses):
        if status in ("return", "raise", "continue", "break"):
            narrowing.stay_narrowed(reader, narrowing.narrow(reader, node.test, body is node.orelse), ended=status == "raise")
    return None


def _note_left_out(reader: Reader, node: ast.If, holds: bool) -> None:
    """Notes what stands in an arm that is not taken: a clip, apart from all steps (in another step's arm it is that step's), and in a loop weights
    that are kept, where the program chose not to."""
    skipped, module = node.orelse if holds else node.body, reader.frame.module
    if not skipped:
        return
    text = "\n".join(module.lines[skipped[0].lineno - 1 : skipped[-1].end_lineno])
    if ".step(" in text:
        _note_steps_off(reader, node.test, skipped)
    clips = "clip_grad_" in text and not any(call in text for call in STEPS)
    if not clips and not (reader.loop_depth and any(call in text for call in KEEPS) and not _asks_for_default(reader, node.test)):
        return
    asked = module.segment(node.test)
    off = (module.place(node.test), f"not ({asked})" if holds else asked)
    listed = reader.recipe.clips_off if clips else reader.recipe.saves_off
    if off not in listed:
        listed.append(off)


def _note_steps_off(reader: Reader, test: ast.expr, skipped: list[ast.stmt]) -> None:
    """Notes the schedulers that an arm would step which is not taken: not for what they are, `if scheduler is None: scheduler.step()`, nor in a turn
    of a loop alone, `if phase == "train"`."""
    asked = {ast.unparse(part) for part in ast.walk(test) if isinstance(part, (ast.Name, ast.Attribute))}
    function = reader.frame.function
    around = function.node if isinstance(function, Function) else reader.frame.module.tree
    turning = (part.target for part in scopes.parts_of(around) if isinstance(part, (ast.For, ast.AsyncFor)))
    if any(isinstance(part, ast.Name) and part.id in asked for target in turning for part in ast.walk(target)):
        return
    for call in (part for line in skipped for part in ast.walk(line) if isinstance(part, ast.Call)):
        held = conditions.peek(reader, call.func.value) if isinstance(call.func, ast.Attribute) and call.func.attr == "step" else None
        for one in members(held) if held is not None else ():
            if isinstance(one, Instance) and isinstance(one.fact, Scheduler) and ast.unparse(call.func.value) not in asked:  # type: ignore[attr-defined]
                one.fact.step_off = reader.place(call)


def _asks_for_default(reader: Reader, test: ast.expr) -> bool:
    """True for a condition on what a parameter is where nobody gives it."""
    named = (node for node in ast.walk(test) if isinstance(node, (ast.Name, ast.Attribute)))
    return any(_by_default(reader, conditions.peek(reader, node)) for node in named)


def _offer(reader: Reader, node: ast.If, test: Value, seeds: list[ast.stmt], *, taken: bool) -> None:
    """The seeds that a value switches off are those of a flag: `seed = -1` in the program says what `default=-1` of an option does."""

    def thunk() -> tuple[str | None, Any]:
        return statements.run(reader, seeds), None

    reader.refusals.guarded += 1  # the value that switches them off need not do as a seed
    reader.branch(node, conditions.test(reader, node.test, test), [("default", not taken, lambda: (None, None)), ("flag", taken, thunk)])
    reader.refusals.guarded -= 1


def _by_default(reader: Reader, value: Value | None) -> bool:
    """True for what a parameter is where nobody gives it: nobody chose it."""
    place = value.place if isinstance(value, Constant) else None
    source = next((one for one in reader.modules.values() if place is not None and one.display == place.file), None)
    if source is None:
        return False
    functions = (node.args for node in ast.walk(source.tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return any(source.place(default) == place for given in functions for default in (*given.defaults, *given.kw_defaults) if default is not None)


def run_try(reader: Reader, node: ast.Try) -> str | None:
    """try: the body, then each handler as an alternative."""
    failed = len(reader.failed_imports)
    hidden = any(map(_hides, node.handlers))
    reader.refusals.guarded += hidden
    status = statements.run(reader, node.body)
    reader.refusals.guarded -= hidden
    found = len(reader.failed_imports) == failed and bool(node.handlers) and _imports_of_project(reader, node.body)
    if status is None and node.orelse:
        status = statements.run(reader, node.orelse)
    if node.handlers:

        def handler(item: ast.ExceptHandler) -> Callable[[], tuple[str | None, Any]]:
            def thunk() -> tuple[str | None, Any]:
                if item.name:
                    reader.store.write(reader.frame.home(item.name), item.name, Opaque("an exception"))
                idle = found and _waits_for_import(node, item)
                reader.refusals.guarded += idle
                outcome = statements.run(reader, item.body)
                reader.refusals.guarded -= idle
                return outcome, None

            return thunk

        arms: list[tuple[str, bool | None, Any]] = [("default", None, lambda: (status, None))]
        arms += [("except", None, handler(item)) for item in node.handlers]
        results = reader.branch(node, None, arms)
        if status is not None and any(leave is None for leave, _ in results[1:]):
            status = None if status != "return" else status
    if node.finalbody:
        statements.run(reader, node.finalbody)
    return status if status in statements.LEAVING else None


def _hides(handler: ast.ExceptHandler) -> bool:
    """False for a handler that lets the errors of a program end it: it raises them again, or waits for somebody to stop the run alone."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    if all(isinstance(name, ast.Name) and name.id in STOPPED for name in caught):
        return False
    last = handler.body[-1]
    if not isinstance(last, ast.Raise):
        return True
    return last.exc is not None and not (isinstance(last.exc, ast.Name) and last.exc.id == handler.name)


def _imports_of_project(reader: Reader, body: list[ast.stmt]) -> bool:
    """True for statements that import files of the project alone, whichever libraries are installed."""
    imports = [item for item in body if isinstance(item, (ast.Import, ast.ImportFrom))]
    names = [alias.name for item in imports if isinstance(item, ast.Import) for alias in item.names]
    names += [item.module or "" for item in imports if isinstance(item, ast.ImportFrom) and not item.level]
    return bool(imports) and reader.imported.isdisjoint(name.partition(".")[0] for name in names)


def _waits_for_import(node: ast.Try, handler: ast.ExceptHandler) -> bool:
    """True for a handler that runs only where an import of the body fails: what it would do is no fault where none does."""
    if all(isinstance(item, (ast.Import, ast.ImportFrom)) for item in node.body):
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return all(isinstance(name, ast.Name) and name.id in ("ImportError", "ModuleNotFoundError") for name in caught)


def run_match(reader: Reader, node: ast.Match) -> str | None:
    """match: as the chain of ifs that it stands for; where a pattern takes something apart, every case is an alternative."""
    if "chain" not in node.__dict__:
        node.__dict__["chain"] = _chain(node)
    chain: list[ast.stmt] | None = node.__dict__["chain"]
    if chain is not None:
        if not _is_plain(node.subject):
            reader.store.write(reader.frame.names, _asked(node), reader.evaluate(node.subject))
        return statements.run(reader, chain)
    subject = reader.evaluate(node.subject)
    arms: list[tuple[str, bool | None, Any]] = []
    complete = False
    for case in node.cases:

        def thunk(case: ast.match_case = case) -> tuple[str | None, Any]:
            if isinstance(case.pattern, ast.MatchAs) and case.pattern.name:
                reader.store.write(reader.frame.home(case.pattern.name), case.pattern.name, subject)
            return statements.run(reader, case.body), None

        complete = complete or (isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None)
        arms.append(("unknown", None, thunk))
    if not complete:
        arms.append(("else", None, lambda: (None, None)))
    results = reader.branch(node, None, arms)
    if all(status is not None for status, _ in results):
        return next((s for s, _ in results if s != "raise"), "raise")
    return None


def _chain(node: ast.Match) -> list[ast.stmt] | None:
    """`match x: case "a": ... case "b" | "c": ... case _: ...` as ifs on x; None where a pattern takes something apart."""
    subject = node.subject if _is_plain(node.subject) else ast.copy_location(ast.Name(_asked(node), ast.Load()), node.subject)
    found: list[ast.stmt] = []
    for case in reversed(node.cases):
        pattern, body = case.pattern, case.body
        while isinstance(pattern, ast.MatchAs):
            if pattern.name is not None:
                bound = ast.Assign([ast.Name(pattern.name, ast.Store())], subject)
                body = [ast.fix_missing_locations(ast.copy_location(bound, pattern)), *body]
            if pattern.pattern is None:
                break
            pattern = pattern.pattern
        tests = [] if isinstance(pattern, ast.MatchAs) else [_question(subject, pattern, ast.unparse(node.subject))]
        asked = [test for test in (*tests, case.guard) if test is not None]
        if None in tests:
            return None
        if not asked:
            found = body
            continue
        test = asked[0] if len(asked) == 1 else ast.copy_location(ast.BoolOp(ast.And(), asked), case.pattern)
        found = [ast.copy_location(ast.If(test, body, found), case.pattern)]
    return found


def _question(subject: ast.expr, pattern: ast.pattern, text: str) -> ast.expr | None:
    """What a pattern asks of the subject, which is called `text`; None where it takes it apart."""
    parts = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
    sides: list[ast.expr] = []
    for part in parts:
        if isinstance(part, ast.MatchValue):
            sides.append(part.value)
        elif isinstance(part, ast.MatchSingleton):
            sides.append(ast.copy_location(ast.Constant(part.value), part))
        else:
            return None
    other: ast.expr = sides[0]
    operator: ast.cmpop = ast.Is() if isinstance(pattern, ast.MatchSingleton) else ast.Eq()
    said = "is" if isinstance(pattern, ast.MatchSingleton) else "=="
    if len(sides) > 1:
        operator, other, said = ast.In(), ast.copy_location(ast.Tuple(sides, ast.Load()), pattern), "in"
    question = ast.copy_location(ast.Compare(subject, [operator], [other]), pattern)
    question.__dict__["said"] = f"{text} {said} {ast.unparse(other)}"
    return question


def _is_plain(subject: ast.expr) -> bool:
    """True for what can be asked again: a name, or an attribute of one."""
    while isinstance(subject, ast.Attribute):
        subject = subject.value
    return isinstance(subject, ast.Name)


def _asked(node: ast.Match) -> str:
    """The name that the subject of a match goes by, no name of the program's."""
    return f"_match in line {node.lineno}"

"""optuna: a study calls the objective many times, each time with another choice of numbers from the ranges that are written there."""

from __future__ import annotations

from typing import Any

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Opaque, Sequence, Value

table.VERSIONS["optuna"] = "optuna"
CHOSEN = "a choice of the search"


@table.function("optuna.create_study", "optuna.load_study", "optuna.study.create_study", "optuna.study.load_study")
def study(call: LibraryCall) -> Value:
    """optuna.create_study(direction="maximize")"""
    return call.reader.instance("optuna.Study", role="study", node=call.node)


@table.method("study", "optimize")
def optimize(call: LibraryCall) -> Value:
    """study.optimize(objective, n_trials=100)"""
    objective = call.get("func", 0)
    if objective is not None:
        call.reader.call(objective, Arguments([call.reader.instance("optuna.Trial", role="trial", node=call.node)]), call.node)
    return NONE


@table.method("study", "enqueue_trial", "add_trial", "tell", "stop", "set_user_attr", "trials_dataframe")
def quiet(call: LibraryCall) -> Value:
    """What steers the search, or tells of it."""
    return NONE if call.name.rpartition(".")[2] != "trials_dataframe" else Opaque("the trials of a search")


@table.method("study", "ask")
def ask(call: LibraryCall) -> Value:
    """study.ask(): the next trial."""
    return call.reader.instance("optuna.Trial", role="trial", node=call.node)


@table.attribute("study", "best_params", "best_value", "best_values", "best_trial", "best_trials", "trials", "direction", "study_name", "user_attrs")
def result(reader: Reader, owner: Any) -> Value:
    """study.best_params: known when the search has run."""
    return Opaque("the result of the search")


@table.method("trial", "suggest_float", "suggest_uniform", "suggest_loguniform", "suggest_discrete_uniform", "suggest_int")
def suggest(call: LibraryCall) -> Value:
    """trial.suggest_float("lr", 1e-5, 1e-2, log=True): some number between them."""
    low, high = (_number(call.get(name, position)) for name, position in (("low", 1), ("high", 2)))
    return Opaque(CHOSEN, "int" if call.name.endswith("suggest_int") else "float", low, high)


@table.method("trial", "suggest_categorical")
def suggest_categorical(call: LibraryCall) -> Value:
    """trial.suggest_categorical("batch", [32, 64]): one of them."""
    given = call.get("choices", 1)
    values = [item.value for item in given.items if isinstance(item, Constant)] if isinstance(given, Sequence) and given.exact else []
    kinds = {type(value) for value in values}
    if not isinstance(given, Sequence) or len(values) < len(given.items) or not kinds or not kinds <= {int, float}:
        kind = kinds.pop().__name__ if len(kinds) == 1 else None
        return Opaque(CHOSEN, kind if kind in ("str", "bool") else None)
    return Opaque(CHOSEN, "int" if kinds == {int} else "float", min(values), max(values))


@table.method("trial", "report", "set_user_attr", "set_system_attr", "should_prune")
def report(call: LibraryCall) -> Value:
    """What a trial tells the study; whether it is given up."""
    return Opaque("whether the trial is given up", "bool") if call.name.endswith("should_prune") else NONE


@table.attribute("trial", "params", "number", "study", "user_attrs", "distributions", "datetime_start")
def of_trial(reader: Reader, owner: Any) -> Value:
    """trial.params, trial.number"""
    return Opaque("a trial of the search")


def _number(value: Value | None) -> float | None:
    known = value.value if isinstance(value, Constant) else None
    return known if isinstance(known, (int, float)) else None

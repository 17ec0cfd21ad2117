"""Handlers that ignite brings: early stopping, checkpoints, and the common ones that helpers attach."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import EarlyStopping, Save
from advisor.model.source import Known, Setting
from advisor.read.frameworks import table
from advisor.read.frameworks.ignite.engine import VERSION, Attachable, attach, attach_handler, once_an_epoch, standing
from advisor.read.frameworks.ignite.measures import flow_of
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.saving import content
from advisor.read.python import calls
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Library, Mapping, Opaque, Value, members, setting

STATES = {"model": "model-state", "object": "unknown"}  # what a checkpoint keeps of a thing is its state


# --- early stopping ----------------------------------------------------------------------------------------------


@table.function("ignite.EarlyStopping")
def early_stopping(call: LibraryCall) -> Value:
    """EarlyStopping(patience, score_function, trainer): patience counts evaluations; a higher score is better."""
    stop = EarlyStopping(call.place, owner="ignite", unit="evaluation", patience=call.setting("patience", 0))
    given = call.get("threshold", 3) or call.get("min_delta", 3)
    stop.min_delta = setting(given) if given is not None else Known(0.0, default=VERSION)
    stop.mode = call.setting("mode", None, "max", VERSION)
    mode = stop.mode.value if isinstance(stop.mode, Known) else None
    stop.comparison = "<" if mode == "min" else ">" if mode == "max" else None
    return _stopping(call, stop, call.get("score_function", 1))


def _stopping(call: LibraryCall, stop: EarlyStopping, score: Value | None) -> Instance:
    node, stands = call.node, call.reader.frame.module

    def on_event(reader: Reader, engine: Instance, name: str, rest: list[Value], at: ast.AST) -> None:
        with standing(reader, stands):
            found = reader.call(score, Arguments([engine]), node) if score is not None else None
        if stop.flow is None:
            stop.flow = flow_of(found)
            stop.unit = "epoch" if once_an_epoch(reader) else "evaluation"

    return _handler(call, "EarlyStopping", Attachable(lambda reader, events: _once(reader, stop), on_event))


def _once(reader: Reader, fact: Any) -> None:
    listing = reader.recipe.early_stopping if isinstance(fact, EarlyStopping) else reader.recipe.saves
    if not any(known is fact for known in listing):
        reader.record(fact)


def _handler(call: LibraryCall, kind: str, what: Attachable) -> Instance:
    return call.reader.instance(f"ignite.{kind}", role="ignite-handler", node=call.node, data={"attachable": what})


# --- checkpoints -------------------------------------------------------------------------------------------------


@table.function("ignite.Checkpoint")
def checkpoint(call: LibraryCall) -> Value:
    """Checkpoint(to_save, save_handler, filename_prefix, score_function, ...): states of what is to be saved; the best where there is a score."""
    return _checkpoint(call, call.get("to_save", 0), _folder(call.get("save_handler", 1)), call.get("score_function", 3))


@table.function("ignite.ModelCheckpoint")
def model_checkpoint(call: LibraryCall) -> Value:
    """ModelCheckpoint(dirname, filename_prefix, score_function, ...): what is saved is given where it is attached."""
    return _checkpoint(call, None, call.setting("dirname", 0), call.get("score_function", 2))


@table.function("ignite.DiskSaver")
def disk_saver(call: LibraryCall) -> Value:
    """DiskSaver(dirname)"""
    return call.reader.instance("ignite.DiskSaver", role="quiet", node=call.node, data={"path": call.setting("dirname", 0)})


def _folder(handler: Value | None) -> Setting:
    held = handler.data.get("path") if isinstance(handler, Instance) else None
    return held or setting(handler)


def _checkpoint(call: LibraryCall, to_save: Value | None, path: Setting, score: Value | None) -> Instance:
    best = score is not None and not (isinstance(score, Constant) and score.value is None)
    save = Save(call.place, path=path, best=best, decided=call.place if best else None)
    node, stands = call.node, call.reader.frame.module

    def on_event(reader: Reader, engine: Instance, name: str, rest: list[Value], at: ast.AST) -> None:
        kept(reader, save, to_save or (rest[0] if rest else None))
        if best and save.monitor is None and score is not None:
            with standing(reader, stands):
                save.monitor = flow_of(reader.call(score, Arguments([engine]), node))
        reader.emit(Kind.SAVE, save.place, save)

    return _handler(call, "Checkpoint", Attachable(lambda reader, events: _once(reader, save), on_event))


def kept(reader: Reader, save: Save, to_save: Value | None) -> None:
    """What a checkpoint holds of a dict of things."""
    held = next((member for member in members(to_save) if isinstance(member, Mapping)), None) if to_save is not None else None
    if held is None:
        save.complete = False
        return
    parts, save.complete, save.module = content(held)
    save.parts = {key: STATES.get(part, part) for key, part in parts.items()}
    engines = {str(key) for key, value in held.items.items() if isinstance(value, Instance) and value.role == "ignite-engine"}
    save.parts.update(dict.fromkeys(engines, "number"))  # epoch and iteration


@table.method("ignite-handler", "attach")
def attach_itself(call: LibraryCall) -> Value:
    """handler.attach(engine)"""
    engine = call.get("engine", 0)
    if isinstance(engine, Instance) and engine.role == "ignite-engine":
        event = call.get("event", 1) or Constant("COMPLETED")
        attach_handler(call, engine, event, call.this, [], {})
    return NONE


@table.method("ignite-handler", "state_dict", "load_state_dict", "load_objects", "last_checkpoint", "reload_objects", "reset", "get_default_score_fn")
def asked(call: LibraryCall) -> Value:
    """Looks, or goes back."""
    return Opaque("a state of a handler")


@table.function("ignite.Checkpoint.load_objects")
def load_objects(call: LibraryCall) -> Value:
    """Checkpoint.load_objects(to_load={"model": model}, checkpoint=...): each takes its state."""
    given = call.get("to_load", 0)
    loaded = call.get("checkpoint", 1)
    for key, thing in given.items.items() if isinstance(given, Mapping) else ():
        if isinstance(thing, Instance) and thing.role in ("module", "optimizer", "scheduler", "scaler") and isinstance(loaded, Instance):
            part = call.reader.subscript(loaded, Constant(key), call.node)
            calls.call_method(call.reader, thing, "load_state_dict", Arguments([part]), call.node)
    return NONE


@table.function("ignite.Checkpoint.get_default_score_fn")
def default_score(call: LibraryCall) -> Value:
    """Checkpoint.get_default_score_fn("accuracy"): engine.state.metrics["accuracy"], times a sign."""
    return call.reader.instance(
        "ignite.score", role="ignite-score", node=call.node, data={"name": call.get("metric_name", 0), "sign": call.get("score_sign", 1)}
    )


@table.invoke("ignite-score")
def scored(call: LibraryCall) -> Value:
    """The value of the metric that it names."""
    reader, engine = call.reader, call.get("engine", 0)
    if engine is None:
        return Opaque("a score of no engine")
    metrics = reader.attribute(reader.attribute(engine, "state", call.node), "metrics", call.node)
    value = reader.subscript(metrics, call.this.data["name"] or Opaque("the name of a metric"), call.node)
    sign = call.this.data["sign"]
    if isinstance(sign, Constant) and isinstance(sign.value, (int, float)) and sign.value < 0:
        return reader.call(Library("torch.neg"), Arguments([value]), call.node)
    return value


# --- what helpers attach -----------------------------------------------------------------------------------------


@table.function("ignite.setup_common_training_handlers", "ignite.setup_common_distrib_training_handlers")
def setup_common_training_handlers(call: LibraryCall) -> Value:
    """Steps the schedule with each batch, saves every so many of them, and lets the sampler shuffle anew."""
    trainer, node = call.get("trainer", 0), call.node
    if not isinstance(trainer, Instance) or trainer.role != "ignite-engine":
        return NONE
    call.reader.recipe.owner_silences |= {"shard"}  # set_epoch is called
    schedule = call.get("lr_scheduler", 5)
    for member in members(schedule) if schedule is not None else ():
        if isinstance(member, Instance) and member.kind == "ignite.schedule":
            attach_handler(call, trainer, Constant("ITERATION_STARTED"), member, [], {})
        elif isinstance(member, Instance) and member.role == "scheduler":
            attach(
                call.reader,
                trainer,
                Constant("ITERATION_COMPLETED"),
                lambda reader, engine, name, held=member: calls.call_method(reader, held, "step", Arguments(), call.place),  # type: ignore[misc, arg-type]
                node,
            )
    to_save = call.get("to_save", 2)
    if to_save is not None and not (isinstance(to_save, Constant) and to_save.value is None):
        handler = _checkpoint(call, to_save, call.setting("output_path", 4, None, VERSION), None)
        attach_handler(call, trainer, Constant("ITERATION_COMPLETED"), handler, [], {})
    return NONE


@table.function("ignite.add_early_stopping_by_val_score")
def add_early_stopping(call: LibraryCall) -> Value:
    """add_early_stopping_by_val_score(patience, evaluator, trainer, metric_name, score_sign=1.0)"""
    stop = EarlyStopping(call.place, owner="ignite", unit="evaluation", patience=call.setting("patience", 0), comparison=">")
    stop.min_delta, stop.mode = Known(0.0, default=VERSION), Known("max", default=VERSION)
    return _on_evaluator(call, call.get("evaluator", 1), _stopping(call, stop, _score(call, 3, 4)))


@table.function("ignite.gen_save_best_models_by_val_score", "ignite.save_best_model_by_val_score")
def save_best(call: LibraryCall) -> Value:
    """save_best_model_by_val_score(output_path, evaluator, model, metric_name, ...)"""
    models = call.get("models", 2) or call.get("model", 2)
    held = models if isinstance(models, Mapping) or models is None else Mapping({"items": {"model": models}, "exact": True})
    where = call.get("output_path", 0)
    path = setting(where) if where is not None else _folder(call.get("save_handler", 0))
    return _on_evaluator(call, call.get("evaluator", 1), _checkpoint(call, held, path, _score(call, 3, 7)))


def _score(call: LibraryCall, name: int, sign: int) -> Instance:
    data = {"name": call.get("metric_name", name), "sign": call.get("score_sign", sign)}
    return call.reader.instance("ignite.score", role="ignite-score", node=call.node, data=data)


def _on_evaluator(call: LibraryCall, evaluator: Value | None, handler: Instance) -> Instance:
    if isinstance(evaluator, Instance) and evaluator.role == "ignite-engine":
        attach_handler(call, evaluator, Constant("COMPLETED"), handler, [], {})
    return handler

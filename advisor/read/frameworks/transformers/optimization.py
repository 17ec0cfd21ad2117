"""The optimizer and the schedule of a Trainer: those that the program gives it, else those of its arguments or of the DeepSpeed config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from advisor.model.recipe import Fact, Group, Hyperparameter, Module, Optimizer, Parameters, Scheduler
from advisor.model.source import Known, Setting, first, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.peft import adapted
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.transformers.arguments import arguments_value
from advisor.read.frameworks.transformers.optimizers import default_of, handed_to, kind_of
from advisor.read.python import classes
from advisor.read.python.pins import pinned
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Mapping, Opaque, Sequence, Value, members, setting


def _held(this: Instance, name: str) -> list[Instance]:
    """What the trainer already has as its optimizer or its schedule: assigned to it, else among `optimizers`."""
    given = this.attributes.get("optimizers")
    held = [this.attributes.get(name), *(given.items if isinstance(given, Sequence) else ())]
    return [member for value in held if value is not None for member in members(value)[:1] if isinstance(member, Instance)]


def _unread(this: Instance, name: str) -> str | None:
    """Why what was assigned to the trainer is not known; None when nothing was, or it is."""
    assigned = this.attributes.get(name)
    return f"`{name}` of the trainer is assigned ({assigned.why})" if isinstance(assigned, Opaque) else None


@table.method("hf-trainer", "create_optimizer", "create_scheduler", "create_optimizer_and_scheduler")
def create(call: LibraryCall) -> Value:
    """Makes before train() what it would make itself; what is there is kept."""
    reader, this = call.reader, call.this
    argument = argument_of(reader, this)
    model = model_of(this)
    optimizer: Value = NONE
    if "optimizer" in call.name.rpartition(".")[2]:
        fact = optimizer_of(reader, this, argument, model.fact if model is not None else None, call)
        optimizer = reader.instance("transformers.Optimizer", role="optimizer", fact=fact, node=call.node)
        reader.store.write(this.attributes, "optimizer", optimizer)
    if "scheduler" in call.name.rpartition(".")[2]:
        steps = next((one.fact for one in _held(this, "optimizer") if isinstance(one.fact, Optimizer)), None)
        held = scheduler_of(reader, this, argument, steps, call)
        schedule = reader.instance("transformers.schedule", role="scheduler", fact=held, node=call.node)
        reader.store.write(this.attributes, "lr_scheduler", schedule)
        return schedule
    return optimizer


def argument_of(reader: Reader, this: Instance) -> Callable[[str], Setting]:
    """Gives each training argument of a trainer as a setting."""
    arguments = this.attributes.get("args")
    if arguments is None and this.data.get("exact") is not True:
        arguments = Opaque("what the trainer was made with could not be read")
    return lambda key: arguments_value(reader, arguments, key)


def model_of(this: Instance) -> Instance | None:
    """The model that a trainer was given."""
    return next((m for m in members(this.attributes.get("model") or NONE) if isinstance(m, Instance) and isinstance(m.fact, Module)), None)


def optimizer_of(reader: Reader, this: Instance, argument: Any, model: Fact | None, call: LibraryCall) -> Optimizer | None:
    """The optimizer that steps; None where it comes from code that could not be read."""
    for item in _held(this, "optimizer"):
        if isinstance(item.fact, Optimizer):
            item.fact.owner = "transformers"
            for key, its in (("learning_rate", "lr"), ("weight_decay", "weight_decay")):
                if len(item.fact.groups) == 1 and not item.fact.groups[0].settings:
                    _note_replaced(reader, argument(key), key, item.fact, f"an optimizer of its own with {its}", its)
            return item.fact
    if (why := _unread(this, "optimizer")) is not None:
        reader.recipe.optimizers.complete, reader.recipe.optimizers.why = False, why
        return None
    kind = argument("optim")
    known = first(kind)
    if known is not None and known.default is not None:
        kind = default_of(pinned(reader, "transformers"), pinned(reader, "torch"))
        known = first(kind)
    name = known.value if known is not None and isinstance(known.value, str) else "adamw_torch"
    rate = argument("learning_rate")
    at = rate.place if isinstance(rate, Known) and rate.place is not None else call.place
    fact = Optimizer(at, kind=kind_of(name), spelled=kind if known is not None else Known(name), owner="transformers")
    own = this.cls is not None and classes.class_lookup(reader, this.cls, "create_optimizer") is not None
    adapter = this.attributes.get("peft_config", NONE)
    if isinstance(model, Module) and not own and isinstance(adapter, (Constant, Instance)):
        if isinstance(adapter, Instance):
            adapted(model, adapter)
        fact.groups = [Group(Parameters((model,)))]
    fact.settings = {
        "lr": rate,
        "weight_decay": argument("weight_decay"),
    }
    adam: dict[str, Setting] = {
        "betas": Known((value_of(argument("adam_beta1")), value_of(argument("adam_beta2")))),
        "eps": argument("adam_epsilon"),
    }
    fact.settings.update((key, adam[key]) for key in handed_to(name))
    named = _deepspeed(call, argument, "optimizer")
    if named is not None:
        fact.kind, fact.spelled = f"deepspeed.{named[0]}", None
        fact.settings.update(named[1])
    reader.record(fact)
    return fact


def _note_replaced(reader: Reader, given: Setting, name: str, own: Optimizer | Scheduler, by: str, key: str) -> None:
    """Notes a training argument that the program gives, and whose place is taken by another number: that of what is handed to the trainer."""
    held = value_of(own.settings.get(key))
    if not isinstance(given, Known) or given.default is not None or not isinstance(given.value, (int, float)) or not isinstance(held, (int, float)):
        return
    if given.value != held and (given.value or name == "learning_rate"):
        fact = Hyperparameter(own.place, name=name, value=given, declared="argument", read=True, overruled="replaced")
        fact.overruled_by = f"{by}={held:g}"
        reader.recipe.hyperparameters.items.append(fact)


def _deepspeed(call: LibraryCall, argument: Any, section: str) -> tuple[str, dict[str, Setting]] | None:
    """(type, settings that are not auto) of a section of the DeepSpeed config that the arguments name."""
    config = _deepspeed_config(call, argument)
    held = config.items.get(section) if isinstance(config, Mapping) else None
    kind = held.items.get("type") if isinstance(held, Mapping) else None
    if not isinstance(kind, Constant) or not isinstance(kind.value, str):
        return None
    params = held.items.get("params") if isinstance(held, Mapping) else None
    given = {str(key): setting(value) for key, value in params.items.items()} if isinstance(params, Mapping) else {}
    return kind.value, {key: value for key, value in given.items() if not (isinstance(value, Known) and value.value == "auto")}


def _deepspeed_config(call: LibraryCall, argument: Any) -> Value | None:
    """The DeepSpeed config: a file that the arguments name, or a dict."""
    from advisor.read.frameworks.yaml import load_config

    held = (one.attributes.get("deepspeed") for one in members(call.this.attributes.get("args") or NONE) if isinstance(one, Instance))
    written = next((value for value in held if isinstance(value, Mapping)), None)
    if written is not None:
        return written
    given = first(argument("deepspeed"))
    if given is None or not isinstance(given.value, str):
        return None
    return load_config(call, Constant(given.value, given.origin, given.weak, given.place))


def note_sharding(call: LibraryCall, argument: Any) -> None:
    """How DeepSpeed spreads the weights over the ranks, and whether it gathers them when the model is saved."""
    config = _deepspeed_config(call, argument)
    zero = config.items.get("zero_optimization") if isinstance(config, Mapping) else None
    if not isinstance(zero, Mapping):
        return
    distributed = call.reader.recipe.distributed
    distributed["zero_stage"] = setting(zero.items.get("stage"), zero.place)
    gathers = zero.items.get("stage3_gather_16bit_weights_on_model_save") or zero.items.get("stage3_gather_fp16_weights_on_model_save")
    distributed["gathers_weights"] = setting(gathers) if gathers is not None else Known(False, default="DeepSpeed 0.17", place=zero.place)


def scheduler_of(reader: Reader, this: Instance, argument: Any, optimizer: Optimizer | None, call: LibraryCall) -> Scheduler | None:
    """The schedule that is stepped after each optimizer step; None where it comes from code that could not be read."""
    for item in _held(this, "lr_scheduler"):
        if isinstance(item.fact, Scheduler):
            item.fact.owner, item.fact.stepped = "transformers", "batch"
            for key in ("warmup_ratio", "warmup_steps"):
                if value_of(item.fact.settings.get("num_warmup_steps")) == 0:
                    _note_replaced(reader, argument(key), key, item.fact, "a schedule of its own with num_warmup_steps", "num_warmup_steps")
            return item.fact
    if (why := _unread(this, "lr_scheduler")) is not None:
        reader.recipe.schedulers.complete, reader.recipe.schedulers.why = False, why
        return None
    kind = argument("lr_scheduler_type")
    known = first(kind)
    place = kind.place if isinstance(kind, Known) and kind.place is not None else call.place
    name = known.value if known is not None else "unknown"
    fact = Scheduler(place, kind=f"transformers.{name}", optimizer=optimizer, stepped="batch", owner="transformers")
    fact.settings = {"name": kind, "warmup_steps": argument("warmup_steps"), "warmup_ratio": argument("warmup_ratio")}
    named = _deepspeed(call, argument, "scheduler")
    if named is not None:
        fact.kind = f"deepspeed.{named[0]}"
        fact.settings = dict(named[1])
    return reader.record(fact)

"""Trainer, Seq2SeqTrainer and the TRL trainers: their arguments become the recipe that the framework trains with."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind, Loop, Node
from advisor.model.recipe import Clip, Dataset, EarlyStopping, Flow, Loader, Save, Seed
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, OneOf, Place, Setting, Unknown, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.transformers.arguments import VERSION
from advisor.read.frameworks.transformers.loss import step_loss
from advisor.read.frameworks.transformers.measured import kept_latest, note_unmeasured, trained
from advisor.read.frameworks.transformers.optimization import argument_of, model_of, note_sharding, optimizer_of, scheduler_of
from advisor.read.frameworks.transformers.refusals import (
    PLAIN,
    note_cut_off,
    note_evaluated,
    note_half_weights,
    note_idle_evaluation,
    note_two_adapters,
    note_unfit,
    note_unfit_loss,
    note_unfounded_stop,
    note_without_data,
    note_without_evaluation_data,
    strategy_of,
)
from advisor.read.frameworks.transformers.tokenizers import labels_of_items, leaves_labels
from advisor.read.frameworks.transformers.versions import note_of_other_version
from advisor.read.python import classes, unentered
from advisor.read.python.reader import Reader
from advisor.read.python.refusals import under
from advisor.read.python.values import NONE, Class, Constant, Function, Instance, Opaque, Sequence, Value, members

SILENCES = frozenset({"clip", "seed", "zero-grad", "mode", "no-grad", "step", "shard", "restore", "unscale", "early-stop-mode"})
TRAINERS = (
    "transformers.Trainer",
    "transformers.Seq2SeqTrainer",
    *(f"sentence_transformers.{name}Trainer" for name in ("SentenceTransformer", "CrossEncoder", "SparseEncoder")),
    *(f"trl.{name}Trainer" for name in ("SFT", "DPO", "GRPO", "KTO", "Reward", "ORPO", "CPO", "PPO", "RLOO")),
)
for _name in TRAINERS:
    table.CLASS_ROLES[_name] = "hf-trainer"
table.CLASS_ROLES["transformers.TrainerCallback"] = "callback"
RUN = frozenset([  # the methods of a trainer by which train() goes on
    "get_train_dataloader", "get_eval_dataloader", "get_batch_samples", "create_optimizer", "create_scheduler", "create_optimizer_and_scheduler",
    "training_step", "compute_loss", "log", "evaluate", "evaluation_loop", "prediction_step", "save_model", "_save", "_save_checkpoint",
    "_get_train_sampler", "_inner_training_loop", "_maybe_log_save_evaluate",
])  # fmt: skip


@table.function("transformers.EarlyStoppingCallback")
def early_stopping(call: LibraryCall) -> Value:
    """Patience counts evaluations; the metric and its direction come from the arguments."""
    stop = EarlyStopping(call.place, owner="transformers", unit="evaluation")
    under(call.reader, stop)  # the trainer takes it elsewhere
    stop.patience = call.setting("early_stopping_patience", 0, 1, VERSION)
    stop.min_delta = call.setting("early_stopping_threshold", 1, 0.0, VERSION)
    return call.reader.instance("transformers.EarlyStoppingCallback", role="callback", node=call.node, data={"early_stopping": stop})


@table.function(*TRAINERS)
def trainer(call: LibraryCall) -> Value:
    """Trainer(model, args, ...): seeds at once; the loop runs at train()."""
    instance = call.reader.instance(call.name, role="hf-trainer", node=call.node)
    if call.name in PLAIN:
        note_of_other_version(call)
    _remember(call, instance)
    return instance


@table.method("hf-trainer", "__init__")
def trainer_init(call: LibraryCall) -> Value:
    """super().__init__(...) of a project's own trainer."""
    _remember(call, call.this)
    return NONE


_POSITIONS = ("model", "args", "data_collator", "train_dataset", "eval_dataset")
_POSITIONS_OF_SENTENCES = ("model", "args", "train_dataset", "eval_dataset", "loss", "evaluator", "data_collator")


def _remember(call: LibraryCall, instance: Instance) -> None:
    positions = _POSITIONS_OF_SENTENCES if instance.kind.startswith("sentence_transformers.") else _POSITIONS
    given = {name: value for position, name in enumerate(positions) if (value := call.get(name, position)) is not None}
    given.update(call.arguments.keywords)
    for key, value in given.items():
        call.reader.store.write(instance.attributes, key, value)
    call.reader.store.write(instance.data, "place", call.place)
    call.reader.store.write(instance.data, "exact", call.arguments.exact)
    call.reader.store.write(instance.data, "written", call.arguments.exact and call.arguments.written)
    evaluated = call.reader.argument_place(call.node, "eval_dataset", positions.index("eval_dataset"))
    call.reader.store.write(instance.data, "evaluation_place", evaluated)
    note_two_adapters(call, instance)


@table.method("hf-trainer", "train")
def train(call: LibraryCall) -> Value:
    """trainer.train(): the recipe of the loop that the framework runs."""
    reader, this = call.reader, call.this
    recipe = reader.recipe
    if recipe.framework == "transformers" and this.data.get("trained"):
        return Opaque("what train returns")
    reader.store.write(this.data, "trained", True)
    recipe.framework = "transformers"
    recipe.owner_silences |= SILENCES
    argument, place, model = argument_of(reader, this), call.place, model_of(this)
    reader.emit(Kind.SEED, call.node, reader.record(Seed(place, generators="framework", value=argument("seed"))))
    note_without_data(call)
    note_without_evaluation_data(call, argument)
    note_unfounded_stop(call, argument)
    note_idle_evaluation(call, argument)
    note_unmeasured(call, argument)
    note_half_weights(call, argument)
    note_cut_off(call, argument)
    note_unfit_loss(call, classes.class_lookup(reader, this.cls, "compute_loss") if this.cls is not None else None)
    optimizer = optimizer_of(reader, this, argument, model.fact if model is not None else None, call)
    clip_value = argument("max_grad_norm")
    clip = None
    if not (isinstance(clip_value, Known) and clip_value.value in (0, 0.0, None)):
        clip = reader.record(Clip(clip_value.place if isinstance(clip_value, Known) and clip_value.place else place, kind="norm", value=clip_value))
    scheduler_of(reader, this, argument, optimizer, call)
    note_sharding(call, argument)
    loaders = _loaders(reader, this, argument, call)
    steps = argument("max_steps")
    by_steps = isinstance(steps, Known) and isinstance(steps.value, int) and steps.value > 0
    recipe.epochs = Unknown("max_steps ends the run") if by_steps else argument("num_train_epochs")
    recipe.steps = steps if by_steps else Unknown("it follows from the data")
    accumulation = argument("gradient_accumulation_steps")
    recipe.accumulation = ABSENT if value_of(accumulation) == 1 else accumulation
    recipe.precision = _precision(argument)
    _callbacks(reader, this, argument, place)
    epoch: list[Node] = []
    batch: list[Node] = []
    outer = reader.block
    reader.block = batch
    reader.loop_depth += 2  # what it binds is bound anew in each batch of each epoch
    flow = step_loss(reader, this, next((loader for loader in loaders if loader.role == "train"), None), call.node)
    reader.loop_depth -= 2
    reader.emit(Kind.BACKWARD, call.node, flow=flow, scaler=None, retain_graph=ABSENT, create_graph=ABSENT)
    if clip is not None:
        reader.emit(Kind.CLIP, call.node, clip)
    reader.emit(Kind.OPTIMIZER_STEP, call.node, optimizer, scaler=None, closure=False)
    reader.emit(Kind.ZERO_GRAD, call.node, optimizer, partial=False)
    reader.block = outer
    unentered.hooks(reader, this, RUN)
    epoch.append(Loop(place, batch, loaders[0] if loaders else None, None, "loader"))
    reader.block.append(Loop(place, epoch, None, recipe.epochs, "range"))
    return trained(call)


def _precision(argument: Any) -> Setting:
    """The one of the two switches that is on, or may be."""
    given = [(name, argument(name)) for name in ("fp16", "bf16")]
    on = next((replace(held, value=name) for name, held in given if isinstance(held, Known) and held.value is True), None)
    unread = next((f"whether {name} is on: {held.why}" for name, held in given if isinstance(held, Unknown)), None)
    either = next((f"{name} is on or off" for name, held in given if isinstance(held, OneOf)), None)
    why = unread or either
    return on or (Unknown(why) if why is not None else ABSENT)


def _loaders(reader: Reader, this: Instance, argument: Any, call: LibraryCall) -> list[Loader]:
    found: list[Loader] = []
    for key, role, size in (("train_dataset", "train", "per_device_train_batch_size"), ("eval_dataset", "validation", "per_device_eval_batch_size")):
        data = this.attributes.get(key)
        if data is None or (isinstance(data, Constant) and data.value is None):
            continue
        loader = Loader(call.place, kind="transformers.Trainer", role=role, role_from="use")  # type: ignore[arg-type]
        loader.settings = {
            "batch_size": argument(size),
            "shuffle": Known(role == "train", default=VERSION),
            "drop_last": argument("dataloader_drop_last"),
        }
        dataset = data.fact if isinstance(data, Instance) and isinstance(data.fact, Dataset) else None
        loader.dataset = dataset
        if dataset is not None and role == "train" and _leaves_labels(this):
            padded = dataset.padded_labels or labels_of_items(reader, data, call.node)
            if padded is not None:
                loader.settings["padded_labels"] = Known(True, place=padded)
        found.append(reader.record(loader))
    evaluator = this.attributes.get("evaluator", NONE)
    if not (isinstance(evaluator, Constant) and evaluator.value is None):
        reader.recipe.loaders.complete, reader.recipe.loaders.why = False, "an evaluator has data of its own"
    _note_same(this, found, argument)
    return found


def _note_same(this: Instance, loaders: list[Loader], argument: Any) -> None:
    """Evaluation on the very data set that is trained on, at the times that the arguments say."""
    held, judged = (loaders[0].dataset, loaders[1].dataset) if len(loaders) > 1 else (None, None)
    if held is None or judged is None or not (held is judged or judged.within(held)):
        return
    if isinstance(strategy := strategy_of(argument), Known) and strategy.value in ("steps", "epoch"):
        loaders[1].place, loaders[1].iterated = this.data.get("evaluation_place", loaders[1].place), 1


def _leaves_labels(this: Instance) -> bool:
    """True for a trainer whose collator and loss take the labels as they are: none of the program's own, and none that makes its own labels."""
    if this.kind not in PLAIN or (
        this.cls is not None and any(isinstance(base, Class) and "compute_loss" in base.namespace for base in this.cls.mro)
    ):
        return False
    collator = this.attributes.get("data_collator")
    if collator is None:
        return bool(this.data.get("exact"))
    return leaves_labels(collator)


def _may_evaluate(callback: Instance) -> bool:
    """True for a callback of the program's own that holds the model, or takes it in one of its hooks."""
    if callback.cls is None:
        return False
    if any(isinstance(member, Instance) and member.role == "module" for value in callback.attributes.values() for member in members(value)):
        return True
    hooks = (value for cls in callback.cls.mro if isinstance(cls, Class) for name, value in cls.namespace.items() if name.startswith("on_"))
    return any(isinstance(hook, Function) and any(argument.arg == "model" for argument in hook.node.args.args) for hook in hooks)


def _judged_on_test(this: Instance, monitor: Setting) -> Flow | None:
    """The metric of a trainer whose evaluation data are a published test set; None for all others."""
    data = this.attributes.get("eval_dataset")
    fact = data.fact if isinstance(data, Instance) else None
    metric = value_of(monitor)
    if not isinstance(fact, Dataset) or not fact.published or fact.role != "test":
        return None
    return Flow(source=fact, graph="none", metric=metric if isinstance(metric, str) else None)


def _called_test(this: Instance) -> Dataset | None:
    """The evaluation data of a trainer where the program calls them its test data; the splitting methods call every held-out part so."""
    held = this.attributes.get("eval_dataset")
    fact = held.fact if isinstance(held, Instance) else None
    return fact if isinstance(fact, Dataset) and fact.part == "test" and fact.split is None else None


def _measured_again(call: LibraryCall) -> None:
    """Notes that the finished model is measured on the data that chose it, where the program calls them its test data."""
    this = call.this
    given = call.get("eval_dataset", 0) or call.get("test_dataset", 0)
    fact = _called_test(this)
    if fact is None:
        return
    if given is None or (isinstance(given, Instance) and given.fact is fact) or (isinstance(given, Constant) and given.value is None):
        for made, metric in this.data.get("chosen", ()):
            made_on = Flow(source=fact, graph="none", metric=metric)
            if isinstance(made, Save):
                made.monitor = made_on
            else:
                made.flow = made_on


def _better(greater: Setting, monitor: Setting) -> Setting:
    """Which way the metric is better for the trainer: what it is told, else what it takes the name to mean."""
    metric = value_of(monitor)
    if isinstance(greater, Known) and greater.value is None and isinstance(metric, str):
        return Known("min" if metric.endswith("loss") else "max", default=VERSION)
    if isinstance(greater, Known) and isinstance(greater.value, bool):
        return replace(greater, value="max" if greater.value else "min")
    return ABSENT


def _callbacks(reader: Reader, this: Instance, argument: Any, place: Place) -> None:
    monitor = argument("metric_for_best_model")
    best = value_of(argument("load_best_model_at_end"))
    if isinstance(monitor, Known) and monitor.value is None:
        monitor = Known("loss", default=VERSION) if best else ABSENT
    judged = _judged_on_test(this, monitor)
    metric = value_of(monitor)
    better = _better(argument("greater_is_better"), monitor)
    chosen: list[tuple[Save | EarlyStopping, str | None]] = []
    given = this.attributes.get("callbacks")
    for member in members(given) if given is not None else ():
        for item in (members(held)[0] for held in member.items) if isinstance(member, Sequence) else (member,):
            unentered.hooks(reader, item, (), ("on_",))
            stop = item.data.get("early_stopping") if isinstance(item, Instance) else None
            if isinstance(item, Instance) and _may_evaluate(item):
                reader.recipe.loaders.complete, reader.recipe.loaders.why = False, "a callback of the program may run the model on other data"
            if stop is not None:
                stop.monitor = monitor
                if isinstance(better, Known):
                    stop.mode, stop.comparison = better, ">" if better.value == "max" else "<"
                stop.restores_best = best is True
                stop.flow = judged
                reader.record(stop)
                chosen.append((stop, metric if isinstance(metric, str) else None))
    strategy = value_of(argument("save_strategy"))
    if strategy != "no":
        save = Save(place, parts={"model": "model-state", "optimizer": "optimizer"}, best=best is True, monitor=judged)
        save.decided = getattr(argument("load_best_model_at_end"), "place", None) if save.best else None
        save.latest = kept_latest(this, argument)
        reader.record(save)
        if save.best:
            save.watched, save.mode, save.mode_as = monitor, better, f"greater_is_better={value_of(better) == 'max'}"
            chosen.append((save, metric if isinstance(metric, str) else None))
    this.data["chosen"] = chosen
    for decision, _ in chosen:
        decision.called_test = _called_test(this)


@table.method(
    "hf-trainer",
    "evaluate",
    "predict",
    "save_model",
    "save_state",
    "log_metrics",
    "save_metrics",
    "push_to_hub",
    "add_callback",
    "create_model_card",
    "hyperparameter_search",
)
def other(call: LibraryCall) -> Value:
    """What else a trainer does needs no judging."""
    if call.name.endswith((".evaluate", ".predict")):
        _measured_again(call)
        note_evaluated(call)
        if call.arguments.positional or call.arguments.keywords:  # on other data, by which the result is judged
            call.reader.recipe.loaders.complete, call.reader.recipe.loaders.why = False, "the trainer evaluates on other data as well"
    note_unfit(call)
    if call.name.endswith("save_model"):
        call.reader.recipe.distributed.setdefault("saves_whole", Known(True, place=call.place))
    if call.name.endswith("add_callback"):
        held = call.this.attributes.get("callbacks")
        items = held.items if isinstance(held, Sequence) else ()
        new = call.get("callback", 0)
        if new is not None:
            call.reader.store.write(call.this.attributes, "callbacks", Sequence("list", {"items": (*items, new), "exact": True}))
    return Opaque("what the trainer gives")

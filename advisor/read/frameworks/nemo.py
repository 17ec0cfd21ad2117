"""NeMo: `hydra_runner` hands over the composed config, and a model makes its optimizer, schedule and loaders of what `cfg.model` says."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import EarlyStopping, Loader, Module, Save, Scheduler
from advisor.model.source import Known, Setting
from advisor.read.frameworks import table
from advisor.read.frameworks.hydra import main as hydra_main
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.optim import register
from advisor.read.frameworks.torch.schedulers import bound_to
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Library, Mapping, Opaque, Partial, Value, mapping, setting

VERSION = "NeMo 2"
table.VERSIONS["nemo"] = VERSION
OPTIMIZERS = {
    "sgd": "torch.optim.SGD",
    "adam": "torch.optim.Adam",
    "adamw": "torch.optim.AdamW",
    "adadelta": "torch.optim.Adadelta",
    "adamax": "torch.optim.Adamax",
    "adagrad": "torch.optim.Adagrad",
    "rmsprop": "torch.optim.RMSprop",
    "rprop": "torch.optim.Rprop",
    "novograd": "nemo.core.optim.Novograd",
}
register(
    "nemo.core.optim.Novograd", "params, lr=0.001, betas=(0.95, 0.98), eps=1e-08, weight_decay=0, grad_averaging=False, amsgrad=False", VERSION
)
STOPPING: dict[str, Any] = {"monitor": "val_loss", "mode": "min", "min_delta": 0.001, "patience": 10}
for _name in ("nemo.core.config.hydra_runner", "nemo.core.config.hydra_runner.hydra_runner"):
    table.decorator(_name)(hydra_main)


@table.function("nemo.utils.trainer_utils.resolve_trainer_cfg")
def resolve_trainer_cfg(call: LibraryCall) -> Value:
    """The section as it is; strategies and callbacks that it names are made."""
    return call.get("trainer_cfg", 0) or mapping({})


@table.function("nemo.utils.exp_manager.exp_manager")
def exp_manager(call: LibraryCall) -> Value:
    """exp_manager(trainer, cfg.exp_manager): checkpoints, and early stopping where it is asked for."""
    reader, config = call.reader, call.get("cfg", 1)
    held = config.items if isinstance(config, Mapping) else {}
    params = held.get("checkpoint_callback_params")
    monitor = params.items.get("monitor") if isinstance(params, Mapping) else None
    best = monitor is not None and reader.plain(monitor) is not None
    reader.record(Save(call.place, parts={"model": "model-state", "optimizer": "optimizer", "scheduler": "scheduler"}, best=best))
    if reader.plain(held.get("create_early_stopping_callback")) is True:
        given = held.get("early_stopping_callback_params")
        chosen = given.items if isinstance(given, Mapping) else {}
        settings: dict[str, Setting] = {
            name: setting(chosen[name]) if name in chosen else Known(default, default=VERSION) for name, default in STOPPING.items()
        }
        stop = EarlyStopping(call.place, **settings, unit="evaluation", owner="lightning")  # type: ignore[arg-type]
        reader.record(stop)
    return Opaque("the folder of the experiment", "str")


@table.prefix("nemo.collections")
def part(call: LibraryCall) -> Value | None:
    """EncDecCTCModel(cfg=cfg.model, trainer=trainer), or another part of a collection."""
    short = call.name.rpartition(".")[2]
    if not short[:1].isupper() or ".models" not in call.name:
        return None
    reader, config = call.reader, call.get("cfg", 0)
    fact = Module(call.place, kind=call.name, complete=False, why=f"the layers of `{short}` are not described")
    reader.record(fact)
    reader.emit(Kind.BUILD, call.node, fact)
    model = reader.instance(call.name, role="module", fact=fact, node=call.node)
    if isinstance(config, Mapping):
        reader.store.write(model.attributes, "cfg", config)
        optimizer = config.items.get("optim")
        if isinstance(optimizer, Mapping):
            _configure(reader, model, optimizer)
        for section, role in (("train_ds", "train"), ("validation_ds", "validation")):
            data = config.items.get(section)
            if isinstance(data, Mapping):
                loader = Loader(data.place or call.place, kind="nemo", role=role, role_from="use")  # type: ignore[arg-type]
                loader.settings = {name: setting(data.items[name]) for name in ("batch_size", "shuffle", "num_workers") if name in data.items}
                reader.record(loader)
        if isinstance(config.items.get("validation_ds"), Mapping):
            kept = Known(True, default=VERSION)  # by the trainer
            reader.recipe.evaluation.update({"eval_mode": kept, "no_grad": kept, "train_restored": kept})
    return model


def _configure(reader: Reader, model: Instance, section: Mapping) -> None:
    """What `optim` and `optim.sched` say, kept for the trainer to make."""
    kind = OPTIMIZERS.get(str(reader.plain(section.items.get("name"))).lower())
    if kind is None:
        return
    own = {str(key): value for key, value in section.items.items() if key not in ("name", "sched", "args")}
    reader.store.write(model.data, "cli_optimizer", Partial(Library(kind), [], own))
    schedule = section.items.get("sched")
    name = reader.plain(schedule.items.get("name")) if isinstance(schedule, Mapping) else None
    if isinstance(schedule, Mapping) and isinstance(name, str):
        named = {str(key): value for key, value in schedule.items.items() if key != "name"}
        reader.store.write(model.data, "cli_lr_scheduler", Partial(Library(f"nemo.core.optim.lr_scheduler.{name}"), [], named))


@table.prefix("nemo.core.optim.lr_scheduler")
def schedule(call: LibraryCall) -> Value:
    """A schedule that is stepped with each step."""
    name = call.name.rpartition(".")[2]
    optimizer = bound_to(call.get("optimizer", 0))
    settings = {key: setting(value) for key, value in call.arguments.keywords.items() if key != "optimizer"}
    place = next((value.place for value in call.arguments.keywords.values() if isinstance(value, Constant) and value.place is not None), call.place)
    fact = Scheduler(place, kind=f"nemo.{name}", settings=settings, optimizer=optimizer, optimizer_known=optimizer is not None, owner="nemo")
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    made = call.reader.instance(f"nemo.{name}", role="scheduler", fact=fact, node=call.node)
    return mapping({"scheduler": made, "interval": Constant("step")})


@table.prefix("nemo.utils", "nemo.core")
def quiet(call: LibraryCall) -> Value:
    """Logging, timers, state of the application: they change no weights."""
    return call.reader.instance("nemo.object", role="quiet", node=call.node)


@table.method("module", "maybe_init_from_pretrained_checkpoint", "prepare_test", "setup_training_data", "setup_validation_data")
def prepared(call: LibraryCall) -> Value | None:
    """What a model of NeMo does before it is trained."""
    return NONE if call.this.kind.startswith("nemo.") else None

"""What the callbacks of a Trainer choose by: metrics that are logged in validation, and whether the data of that are the test data."""

from __future__ import annotations

from advisor.model.events import Kind, Loop, events
from advisor.model.recipe import Dataset, EarlyStopping, Flow, Loader, Save
from advisor.model.source import value_of
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Class, Instance, Library, Sequence, Value, members

ENDINGS = frozenset({"on_train_end", "on_fit_end", "teardown", "setup", "on_test_start", "on_test_epoch_start", "on_test_model_eval"})
LOADING = ("load", "best_model_path", "state_dict", "copy_", "swap")  # what a callback says that brings other weights into the model


class Choices:
    """The best checkpoint and the early stop of one fit, with the metric and the validation loader that decide."""

    def __init__(self, callbacks: list[Instance], epoch: Loop, batch: Loop, valid: list[Value]) -> None:
        self.loader = _only(valid)
        self.restored = 0  # so many states were loaded before the training ended
        logged = [(event.data.get("name"), batch in context.path) for event, context in events([epoch], Kind.METRIC)]
        self.in_training = {name for name, in_training in logged if in_training}
        in_validation = {name for name, _ in logged} - self.in_training
        self.made: list[tuple[Save | EarlyStopping, str]] = []
        for item in callbacks:
            made: Save | EarlyStopping | None = item.data.get("save") or item.data.get("early_stopping")
            watched = value_of(made.monitor if isinstance(made, EarlyStopping) else item.data.get("monitor"))
            if made is not None and isinstance(watched, str) and watched in in_validation:
                self.made.append((made, watched))

    def on(self, data: Loader | Dataset) -> None:
        """Notes what they were made on, which is what the result of the run is measured on, too."""
        for made, metric in self.made:
            flow = Flow(source=data, graph="none", metric=metric)
            if isinstance(made, Save):
                made.monitor = flow
            else:
                made.flow = flow


def on_published_test_data(choices: Choices) -> None:
    """Validation data that the authors of the data set set apart as the test set."""
    dataset = choices.loader.dataset if choices.loader is not None else None
    if dataset is None or dataset.role != "test" or dataset.origin is not None or dataset.kind.endswith("Folder"):
        return
    if dataset.published or dataset.kind.startswith("torchvision.datasets."):
        choices.on(dataset)


def on_data_of_the_test(choices: Choices, tested: list[Value], call: LibraryCall) -> None:
    """trainer.test() of the best weights on the data that they were chosen on."""
    loader, again = choices.loader, _only(tested)
    if loader is None or again is None or not _takes_the_best(call):
        return
    again.tested = call.place
    if again is loader or _same_data(loader, again):
        loader.tested = call.place
        choices.on(loader)


def on_last_weights(choices: Choices, trainer: Instance, model: Instance, call: LibraryCall) -> None:
    """trainer.test(model): the weights that the training left, where a callback keeps the best ones; and whether the best are tested as well."""
    callbacks = callbacks_of(trainer)
    watching = [(item.data["save"], value_of(item.data["monitor"])) for item in callbacks or () if "save" in item.data]
    kept = [save for save, metric in watching if isinstance(metric, str) and metric not in choices.in_training]
    given, reader = call.get("model", 0), call.reader
    if given is not model or call.get("ckpt_path") is not None or not call.arguments.exact:
        for save in kept:
            save.tested_best = True
        return
    if callbacks is None or len(reader.recipe.restores) > choices.restored or reader.refusals.guarded or not _leaves_weights(callbacks, model):
        return
    settings = trainer.data["settings"]
    if value_of(settings["fast_dev_run"]) is False and value_of(settings["max_epochs"]) not in (0, 1):
        for save in kept:
            save.tested_last = call.place


def callbacks_of(trainer: Instance) -> list[Instance] | None:
    """The callbacks of a trainer, those that a flag chooses between among them; None where some could not be read."""
    request: LibraryCall | None = trainer.data.get("call")
    given = request.get("callbacks") if request is not None else None
    found: list[Instance] = []
    for held in members(given) if given is not None else ():
        if isinstance(held, Sequence) and not held.exact:
            return None
        for item in (part for one in (held.items if isinstance(held, Sequence) else (held,)) for part in members(one)):
            if not isinstance(item, Instance):
                return None
            found.append(item)
    return found


def _leaves_weights(callbacks: list[Instance], model: Instance) -> bool:
    """True where no callback of the program, nor a hook of the module, may put other weights into the model when the training ends."""
    if model.cls is None or not all(isinstance(cls, (Class, Library)) for cls in model.cls.mro):
        return False
    if any(not ENDINGS.isdisjoint(cls.namespace) for cls in (model.cls, *model.cls.mro) if isinstance(cls, Class)):
        return False
    own = [item.cls for item in callbacks if item.cls is not None]
    return not any(word in line for cls in own for line in cls.module.lines[cls.node.lineno - 1 : cls.node.end_lineno] for word in LOADING)


def _same_data(loader: Loader, again: Loader) -> bool:
    """True where both take one data set, or the second is the first made anew: at the same place, of the same things. A method that makes
    loaders of whatever it is asked for says nothing."""
    mine, its = loader.dataset, again.dataset
    if mine is None or its is None or mine is its:
        return mine is not None and mine is its
    known = mine.told is not None or mine.data is not None or mine.kind.startswith("torchvision.datasets.")
    if not known or loader.place != again.place or mine.place != its.place:
        return False
    names = mine.settings.keys() | its.settings.keys()
    held = all(value_of(mine.settings.get(name)) == value_of(its.settings.get(name)) for name in names)
    return held and mine.told == its.told and mine.data == its.data


def _takes_the_best(call: LibraryCall) -> bool:
    """True when the best checkpoint is what is tested: it is asked for, or no model is given, which means it."""
    named = call.get("ckpt_path")
    return call.reader.plain(named) == "best" if named is not None else call.get("model", 0) is None


def _only(loaders: list[Value]) -> Loader | None:
    """The one loader of an evaluation; None where there are several, or another thing."""
    found = [one.fact for value in loaders for one in members(value) if isinstance(one, Instance) and isinstance(one.fact, Loader)]
    return found[0] if len(found) == 1 and len(loaders) == 1 else None

"""The role of each loader: what its loop does, what a trainer takes it for, what it holds."""

from __future__ import annotations

from advisor.model.events import Call, Context, Event, Kind, Loop, events
from advisor.model.folds import loaders
from advisor.model.recipe import Dataset, Flow, Loader, Recipe, Role
from advisor.read.python import tree

RUNS = (Kind.FORWARD, Kind.LOSS, Kind.METRIC, Kind.BACKWARD, Kind.ESCAPE, Kind.WEIGHTS_GIVEN, Kind.UNTOLD)  # more than to collect batches
IN_SIGHT = ("plain", "ignite")  # whose loops are read as they run, each over its loader


def note_roles(recipe: Recipe, nodes: list[tree.Entry]) -> None:
    """A loader's role is what its loop does: a backward makes it training; else what it holds, else its name."""
    training: set[int] = set()
    measured: set[int] = set()
    unsure: set[int] = set()
    by_batch: set[int] = set()
    run: set[int] = set()  # a model takes its batches, or something does that could not be read
    steps = any(isinstance(node, Event) and node.kind is Kind.OPTIMIZER_STEP for node, _ in nodes)
    starts = [node.data.get("flow") for node, _ in nodes if isinstance(node, Event) and node.kind is Kind.BACKWARD]
    for node, context in nodes:
        if isinstance(node, Event) and node.kind is Kind.BACKWARD:
            if steps and context.loops and not any(_moves(loop) for loop in context.loops) and not _accumulates(context):
                continue  # gradients of inputs, as attacks take them
            for loop in context.loops:
                training.update(id(loader) for loader in loaders(loop))
            flow = node.data.get("flow")
            if isinstance(flow, Flow):
                training.update(id(s) for s in (flow.source, *flow.sources) if isinstance(s, Loader))
        elif isinstance(node, Loop):
            for loader in loaders(node):
                loader.iterated += 1
                measured.add(id(loader))
                if tree.holds(node, Kind.BACKWARD):
                    by_batch.add(id(loader))
                if tree.holds(node, *RUNS):
                    run.add(id(loader))
        elif isinstance(node, Event) and node.kind in (Kind.LOSS, Kind.FORWARD, Kind.METRIC):
            for key in ("input", "target", "flow"):
                flow = node.data.get(key)
                if isinstance(flow, Flow):
                    drawn = {id(s) for s in (flow.source, *flow.sources) if isinstance(s, Loader)}
                    measured |= drawn
                    run |= drawn
                    if (
                        node.kind is Kind.LOSS
                        and flow.graph != "cut"
                        and tree.holds(_data_loop(context), Kind.OPTIMIZER_STEP if steps else Kind.BACKWARD)
                    ):
                        regions = {region.what for region in context.regions}
                        if not regions & {"no_grad", "inference_mode"} and node.data.get("result") is not None:
                            for loader in (s for s in (flow.source, *flow.sources) if isinstance(s, Loader)):
                                ends = _reaches_backward(node, loader, starts)
                                (training if ends else unsure if ends is None else measured).add(id(loader))
    # what the loops in sight train on, or a trainer got for it: what else holds training data trains nothing
    given = bool(training) or any(loader.role == "train" and loader.role_from == "use" for loader in recipe.loaders)
    trains = recipe.framework != "plain" or bool(starts)
    for loader in recipe.loaders:
        by_slot = [l for l in recipe.loaders if l.slot is loader.slot]
        if any(id(l) in training for l in by_slot):
            loader.role, loader.role_from = "train", "use"
            loader.gathered = any(l.iterated for l in by_slot) and by_batch.isdisjoint(map(id, by_slot))
            continue
        dataset_role: Role = _dataset_role(loader)
        if loader.role_from != "use" and any(id(l) in unsure for l in by_slot):
            loader.role = "unknown" if dataset_role == "train" else dataset_role
            continue
        if loader.role_from == "use":  # a framework's hook gave it: what the loader holds tells validation from test, and no more
            loader.role = "test" if loader.role == "validation" and dataset_role == "test" else loader.role
        elif trains and any(id(l) in measured for l in by_slot):  # where nothing is trained, a loop may as well show pictures
            loader.role_from = "use"
            loader.collected = run.isdisjoint(map(id, by_slot)) and loader.escaped is None
            loader.role = dataset_role if dataset_role in ("validation", "test") else "test" if loader.role == "test" else "validation"
            if recipe.framework not in IN_SIGHT and dataset_role != "unknown" and not given:
                loader.role = dataset_role
        elif loader.role == "unknown" and not (given and dataset_role == "train"):
            loader.role = dataset_role
            loader.role_from = "contents" if dataset_role != "unknown" else "unknown"
    trained = [loader.dataset for loader in recipe.loaders if loader.role == "train" and loader.dataset is not None]
    for loader in recipe.loaders:
        loader.of_training = loader.role != "train" and loader.takes_all and (loader.dataset in trained or _is_training_set(loader.dataset))


def _moves(loop: Loop) -> bool:
    """True for a loop in which an optimizer steps, or the program writes the weights itself, not from those of another model."""
    if tree.holds(loop, Kind.OPTIMIZER_STEP):
        return True
    written = events(loop.body, Kind.GRAD_WRITE) if tree.holds(loop, Kind.GRAD_WRITE) else ()
    return any(event.data.get("what") != "grad" and event.data.get("source") is None for event, _ in written)


def _accumulates(context: Context) -> bool:
    """True for a loop in a function that steps once behind it: the loop over the steps is the caller's."""
    before = context.path[: context.path.index(context.loops[0])]
    call = next((node for node in reversed(before) if isinstance(node, Call)), None)
    return call is not None and any(not around.loops for _, around in events(call.body, Kind.OPTIMIZER_STEP))


def _is_training_set(dataset: Dataset | None) -> bool:
    """True for the whole of what is called the training set."""
    return dataset is not None and dataset.role == "train" and dataset.origin is None and dataset.split is None


def _data_loop(context: Context) -> Loop | None:
    """The innermost loop over a loader, else the innermost loop."""
    loops = tree.real_loops(context)
    return next((loop for loop in reversed(loops) if loop.over is not None or loop.what == "loader"), loops[-1] if loops else None)


def _reaches_backward(event: Event, loader: Loader, starts: list[object]) -> bool | None:
    """Whether a backward starts from a loss on batches of this loader; None where one does from the same loss on those of others, as a loss of
    held-out batches between the steps has it."""
    reached = [flow for flow in starts if isinstance(flow, Flow) and event.subject in flow.losses]
    if any(loader in (flow.source, *flow.sources) or not (flow.source or flow.sources) for flow in reached):
        return True
    return None if reached else False


def _dataset_role(loader: Loader) -> Role:
    """The role of what a loader holds, or of what that was cut from; a test set that is split may be for validation and test."""
    dataset, parted = loader.dataset, False
    for _ in range(6):
        if dataset is None:
            break
        if dataset.role != "unknown":
            return "unknown" if parted and dataset.role == "test" else dataset.role
        parted = parted or dataset.split is not None
        dataset = dataset.origin
    return "unknown"

"""Completes a recipe from its event tree: roles of loaders, cadences, what is complete and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.model.events import Arm, Branch, Call, Context, Event, Exit, Kind, Loop, Region, events, walk
from advisor.model.gradients import follows
from advisor.model.recipe import Listing, Optimizer, Recipe, Save
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, OneOf, Option, Setting, Unknown, first, number
from advisor.read.python import (
    config_class,
    constants,
    copies,
    folders,
    frozen,
    group_keys,
    moves,
    never_updated,
    patience,
    telling,
    tree,
    trials,
    unread_parts,
)
from advisor.read.python import unsaved as unkept
from advisor.read.python.declared import note_readers
from advisor.read.python.drawn_seeds import note_drawn
from advisor.read.python.loaded import note_copied, note_loaded
from advisor.read.python.project import LARGEST_PROGRAM
from advisor.read.python.roles import note_roles

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


def complete(reader: Reader) -> None:
    """Fills what needs the whole tree."""
    recipe = reader.recipe
    nodes = _telling(recipe)
    if _leave_out_foreign_steps(recipe, nodes) | copies.leave_out_unread(reader, nodes):
        nodes = _telling(recipe)
    tree.forget()
    frozen.note_afterwards(nodes)
    _models(recipe)
    _conditionals(recipe)
    _loops(recipe, nodes)
    note_roles(recipe, nodes)
    _cadences(recipe, nodes)
    _saves(recipe, nodes)
    note_loaded(recipe, nodes)
    note_copied(recipe, nodes)
    recipe.early_stopping.items += patience.early_stopping(nodes, reader.project.texts)
    for stop in recipe.early_stopping:
        stop.on = patience.measured_on(stop.flow) if stop.on == "unknown" else stop.on
    _evaluation(recipe, nodes)
    _completeness(reader, nodes)
    recipe.measures_speed = recipe.whole and recipe.framework == "plain" and telling.measures_speed(reader, nodes)
    recipe.tries_out = recipe.whole and trials.tries_out(reader, recipe, nodes)
    folders.note_missing(reader)
    moves.note(reader, nodes)
    unkept.note(reader, nodes)
    unread_parts.note(reader)
    never_updated.note(reader)
    note_drawn(reader)
    note_readers(reader)
    constants.note(reader)
    config_class.note(reader)
    group_keys.note(reader)
    reader.refusals.note(reader)
    tree.forget()


def _telling(recipe: Recipe) -> list[tree.Entry]:
    """All nodes but calls and exits, which tell something of what is around them alone."""
    return [entry for entry in walk(recipe.tree) if not isinstance(entry[0], (Call, Exit))]


def _leave_out_foreign_steps(recipe: Recipe, nodes: list[tree.Entry]) -> bool:
    """`step()` of what could not be read is an optimizer's where no known one steps, or it is treated as one; else a profiler's, a timer's, ..."""
    events = [(node, context) for node, context in nodes if isinstance(node, Event) and node.kind in (Kind.OPTIMIZER_STEP, Kind.ZERO_GRAD)]
    if not any(event.kind is Kind.OPTIMIZER_STEP and event.subject is not None for event, _ in events):
        return False
    cleared = {event.data.get("variable") for event, _ in events if event.kind is Kind.ZERO_GRAD}
    left_out = False
    for event, context in events:
        if event.kind is not Kind.OPTIMIZER_STEP or event.subject is not None or event.data.get("variable") is None:
            continue
        if event.data["variable"] in cleared or "opt" in event.data["text"].lower():
            continue
        body = tree.body_of(context, recipe.tree)
        body[:] = [node for node in body if node is not event]
        left_out = True
    return left_out


def _models(recipe: Recipe) -> None:
    parts = {id(child) for module in recipe.modules for child in module.children.values()}
    recipe.models.items = [
        m
        for m in recipe.modules
        if id(m) not in parts and (m.user_class or m.children or m.pretrained is not ABSENT or not m.kind.startswith("torch.nn."))
    ]
    if not recipe.models.items:
        recipe.models.items = [m for m in recipe.modules if id(m) not in parts]


def _conditionals(recipe: Recipe) -> None:
    for seed in recipe.seeds:
        seed.conditional = "flag" if seed.when is not None else "always"
    for clip in recipe.clipping:
        clip.conditional = "flag" if clip.when is not None else "always"


def _loops(recipe: Recipe, nodes: list[tree.Entry]) -> None:
    """Epochs, steps and accumulation, from the loops around the backward; steps that a framework was told to stop after stand."""
    told = first(recipe.steps) is not None
    for node, context in nodes:
        if isinstance(node, Event) and node.kind is Kind.BACKWARD:
            loops = tree.real_loops(context)
            batches = next((at for at in reversed(range(len(loops))) if loops[at].over is not None), len(loops))
            loops = loops[: batches + 1]  # what is repeated within a batch, as parts of it or several steps on it, is no epoch
            if len(loops) == 2 and loops[1].what in ("range", "while") and loops[1].over is None and _starts_runs(*loops):
                loops = loops[1:]  # folds or trials around a loop that takes all data at once
            if len(loops) >= 2:
                recipe.epochs = _epoch_count(loops)
                recipe.steps = recipe.steps if told else _filling(recipe.epochs, loops[-1]) or _steps(recipe.epochs, loops[-1].count)
                break
            if len(loops) == 1 and loops[0].what in ("range", "while"):
                recipe.epochs = loops[0].count or Unknown("the loop's end was not read")
                recipe.steps = recipe.steps if told else recipe.epochs
                break
    accumulation: Setting = ABSENT
    for node, context in nodes:
        if isinstance(node, Event) and node.kind is Kind.OPTIMIZER_STEP:
            loops = tree.real_loops(context)
            for branch, arm in reversed(context.arms):
                if loops and _inside(branch, context, loops[-1]) and not tree.holds(arm, Kind.BACKWARD):
                    _note_counter(branch, arm, loops[-1])
                    modulo = tree.modulo_of(branch.condition)
                    if modulo is not None:
                        accumulation = modulo
    if accumulation is not ABSENT and recipe.accumulation is ABSENT:
        recipe.accumulation = accumulation


def _starts_runs(outer: Loop, inner: Loop) -> bool:
    """True for a loop around another whose turns are runs of their own: it walks over things, or builds an optimizer for what the other trains."""
    built = (event for event, context in events(outer.body, Kind.BUILD) if inner not in context.loops)
    return outer.what == "items" or any(isinstance(event.subject, Optimizer) for event in built)


def _note_counter(branch: Branch, arm: Arm, loop: Loop) -> None:
    """A counter that is raised in each turn, compared with k and set back asks what `i % k == 0` asks."""
    for part in tree.parts(branch.condition):
        if part.operator not in ("==", ">=") or part.modulo is not None or part.variable is None:
            continue
        raised = [event for event, _ in events(loop.body, Kind.COUNT) if event.data["variable"] == part.variable]
        reset = [event for event, _ in events(arm.body, Kind.RESET) if event.data["variable"] == part.variable]
        by_one = all(event.data["sign"] == 1 and number(event.data["amount"]) == 1 for event in raised)
        if raised and by_one and reset and all(number(event.data["value"]) == 0 for event in reset):
            part.modulo = part.right


def _epoch_count(loops: list[Loop]) -> Setting:
    """The count of the outermost loop around the batch loop; an outer loop over folds or trials is left aside."""
    loop = loops[-2]
    return loop.count if loop.count is not None else Unknown("the loop's end was not read")


def _steps(epochs: Setting, batches: Setting | None) -> Setting:
    """The steps of the whole run, with the alternatives of its epochs."""
    each = number(batches)
    if each is None:
        return Unknown("the number of batches is not known")
    if isinstance(epochs, OneOf):
        return OneOf(tuple(Option(_times(option.value, each), option.when) for option in epochs.options))
    return _times(epochs, each) if isinstance(epochs, (Known, Unknown)) else Unknown("the number of epochs is not known")


def _filling(epochs: Setting, batches: Loop) -> Setting | None:
    """The steps that the number of epochs was made of, `max_steps / len(loader)`, where the loop over this loader ends when they are over."""
    held = epochs.options[0].value if isinstance(epochs, OneOf) else epochs
    if not isinstance(held, Unknown) or held.filled is None or held.filled.of is not batches.over:
        return None
    ends = any(isinstance(node, Exit) and node.what in ("break", "return") for node, _ in walk(batches.body))
    steps = number(held.filled.times)
    return replace(held.filled.times, value=round(steps)) if ends and steps else None


def _times(epochs: Known | Unknown, batches: float) -> Known | Unknown:
    turns = number(epochs)
    if isinstance(epochs, Unknown) or turns is None:
        return epochs if isinstance(epochs, Unknown) else Unknown("the number of epochs is not known")
    return Known(int(turns * batches))


def _inside(branch: Branch, context: Context, loop: Loop) -> bool:
    path = [node[0] if isinstance(node, tuple) else node for node in context.path]
    return path.index(branch) > path.index(loop)


def _cadences(recipe: Recipe, nodes: list[tree.Entry]) -> None:
    """Whether a scheduler is stepped per batch or per epoch: which of the two loops encloses its step."""
    steps: dict[int, set[str]] = {}  # by what a name holds, whichever of several schedulers that is
    own: dict[int, set[str]] = {}
    for node, context in nodes:
        if isinstance(node, Event) and node.kind is Kind.SCHEDULER_STEP and node.subject is not None:
            loops = tree.real_loops(context)
            cadence = "unknown"
            if loops:
                inner = loops[-1]
                cadence = "batch" if tree.steps_directly(inner) else "epoch" if tree.holds(inner, Kind.BACKWARD, Kind.OPTIMIZER_STEP) else "unknown"
                if cadence == "unknown" and len(loops) == 1 and not tree.holds(inner, Kind.BACKWARD):
                    cadence = "unknown"
            steps.setdefault(id(node.subject.slot), set()).add(cadence)
            own.setdefault(id(node.subject), set()).add(cadence)
    for scheduler in recipe.schedulers:
        found = own.get(id(scheduler)) or steps.get(id(scheduler.slot), set())
        if "batch" in found:
            scheduler.stepped = "batch"
        elif "epoch" in found:
            scheduler.stepped = "epoch"
        elif not found and scheduler.escaped is None and scheduler.owner is None and recipe.trains and recipe.whole:
            scheduler.stepped = "never"
    for whole in reversed(recipe.schedulers.items):
        for part in whole.children:
            part.stepped = whole.stepped


def _saves(recipe: Recipe, nodes: list[tree.Entry]) -> None:
    counters = patience.counters_of(nodes)
    for node, context in nodes:
        if isinstance(node, Event) and node.kind is Kind.SAVE and isinstance(node.subject, Save):
            for branch, _ in reversed(context.arms):
                condition = branch.condition
                if condition is None:
                    continue
                compare = patience.metric_comparison(condition, counters)
                if compare is not None:
                    node.subject.best = True
                    node.subject.decided = branch.place
                    node.subject.compared = compare.asked_at or tree.asked_from(context, branch)
                    node.subject.monitor = compare.left_flow or compare.right_flow
                    break
    recipe.saves.items = [save for save in recipe.saves if save.best or not save.is_reference]  # else a model that has two names


def _evaluation(recipe: Recipe, nodes: list[tree.Entry]) -> None:
    evaluates = trains_again = False
    without_grad = False
    for node, context in nodes:
        if isinstance(node, Event) and node.kind is Kind.EVAL_MODE:
            evaluates = True
        elif isinstance(node, Event) and node.kind in (Kind.TRAIN_MODE, Kind.MODE_UNKNOWN):
            trains_again = trains_again or bool(tree.real_loops(context))
            evaluates = evaluates or node.kind is Kind.MODE_UNKNOWN
        elif isinstance(node, Region) and node.what in ("no_grad", "inference_mode", "set_grad_enabled"):
            without_grad = True
    recipe.evaluation.setdefault("eval_mode", Known(evaluates))
    recipe.evaluation.setdefault("no_grad", Known(without_grad))
    recipe.evaluation.setdefault("train_restored", Known(trains_again))


def _completeness(reader: Reader, nodes: list[tree.Entry]) -> None:
    recipe = reader.recipe
    why: str | None = None
    models_alone = False
    if reader.spent or reader.project.needed > LARGEST_PROGRAM:
        why = "the program is too large to be read whole"
    elif reader.failed_imports:
        why = f"the import of `{reader.failed_imports[0].name}` was not found in the project"
        models_alone = recipe.whole and all(failed.classes for failed in reader.failed_imports)
    elif not recipe.whole:
        why = "nobody calls these functions here"
    for name in (
        "optimizers",
        "schedulers",
        "losses",
        "loaders",
        "seeds",
        "clipping",
        "models",
        "modules",
        "early_stopping",
        "saves",
        "scalers",
        "splits",
        "datasets",
        "samplers",
    ):
        listing: Listing[Any] = getattr(recipe, name)
        if why is not None and not (name == "seeds" and models_alone):  # nobody sets the seed of a run where a class of a model is written
            listing.complete, listing.why = False, why
    written = next((node for node, _ in nodes if isinstance(node, Event) and node.kind is Kind.LR_WRITE and node.data.get("key") == "lr"), None)
    by_hand = next(
        (
            node
            for node, context in nodes
            if isinstance(node, Event)
            and node.kind is Kind.GRAD_WRITE
            and node.data.get("what") != "grad"
            and tree.real_loops(context)
            and not follows(node)
        ),
        None,
    )
    if written is not None:
        recipe.schedulers.complete = False
        shape = next((rate.told for rate in getattr(written.subject, "written", ()) if rate.place == written.place), "")
        recipe.schedulers.why = f"the rate is written into the parameter groups by hand ({written.place.file}:{written.place.line}){shape}"
    if by_hand is not None and any(
        tree.holds(loop, Kind.BACKWARD) for node, context in nodes if node is by_hand for loop in tree.real_loops(context)
    ):
        for listing in (recipe.optimizers, recipe.schedulers):
            listing.complete = False
            listing.why = listing.why or f"weights are also written by hand ({by_hand.place.file}:{by_hand.place.line})"
    _schedules_elsewhere(recipe)
    opaque_factories = [t for t, _ in reader.unknown_calls]
    if recipe.trains and not recipe.optimizers.items and opaque_factories:
        recipe.optimizers.complete, recipe.optimizers.why = False, f"`{opaque_factories[0]}` could not be read"
    if any(isinstance(n, Event) and n.kind is Kind.OPTIMIZER_STEP and n.subject is None for n, _ in nodes):
        recipe.optimizers.complete, recipe.optimizers.why = False, recipe.optimizers.why or "an optimizer comes from code that could not be read"


def _schedules_elsewhere(recipe: Recipe) -> None:
    """An optimizer without a schedule that is handed to something unread may have got one there."""
    scheduled = {held.optimizer.slot for held in recipe.schedulers if held.optimizer is not None}
    for optimizer in recipe.optimizers:
        if optimizer.escaped is not None and optimizer.slot not in scheduled and recipe.schedulers.complete:
            recipe.schedulers.complete = False
            recipe.schedulers.why = f"the optimizer was handed to `{optimizer.escaped}`, which could not be read"

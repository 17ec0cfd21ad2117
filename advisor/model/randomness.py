"""Where random numbers reach training, and which seed covers them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from advisor.model.events import Arm, Branch, Condition, Context, Event, Exit, Kind, Loop, Node, Region, events, kinds, walk
from advisor.model.finished import once
from advisor.model.kinds import WEIGHTED, comes_whole, has_weights, is_test, starts_random
from advisor.model.modes import gradients_off, trained_modules
from advisor.model.recipe import Loader, Module, Recipe, Seed, Split
from advisor.model.source import ON_DISK, Known, Unknown, is_absent, value_of

Library = Literal["torch", "numpy", "python"]

STEERING = frozenset({"init", "split", "shuffle", "sampling"})  # uses of random numbers that the result of a run hangs on
COMPUTING = frozenset({Kind.BACKWARD, Kind.FORWARD, Kind.LOSS, Kind.ESCAPE, Kind.WEIGHTS_GIVEN, Kind.UNTOLD})  # or may
HELD = 4  # modules that are handed each other
HOW_MANY = ("the number of devices", "the world size")  # why it is not known what a condition says
TORCH_SPLITS = ("torch.", "lightning.", "pytorch_lightning.", "torch_geometric.")


def is_run(recipe: Recipe) -> bool:
    """True for a whole program that trains: a backward alone may only explain a prediction."""
    if not recipe.trains or not recipe.whole or is_test(recipe.entry, recipe):
        return False
    if recipe.framework == "plain" and COMPUTING.isdisjoint(kinds(recipe.tree)):
        return False  # it steps an optimizer to draw the rates of a schedule
    return bool(recipe.optimizers.items) or recipe.framework != "plain" or any(True for _ in events(recipe.tree, Kind.OPTIMIZER_STEP))


def seeds_in_training(recipe: Recipe) -> list[Seed]:
    """The calls that seed anything where the program trains, or may."""
    places: dict[object, list[Context]] = {}
    for event, context in events(recipe.tree, Kind.SEED):
        places.setdefault(event.subject, []).append(context)
    return [seed for seed in recipe.seeds if seed not in places or not all(apart_from_training(recipe, context) for context in places[seed])]


def seeds_of(recipe: Recipe, library: Library) -> list[Seed]:
    """The calls that seed this library there, those of frameworks included."""
    return [seed for seed in seeds_in_training(recipe) if seed.generators in (library, "framework")]


def set_by_default(seed: Seed) -> bool:
    """True unless the seed is set only under a flag that is off by default."""
    return seed.conditional == "always" or not seed.flag_off


def where_missing(event: Node, around: Context) -> bool:
    """True for what is done only where a file is not there yet, or the program leaves where it is: other runs read what the first one left."""
    asked = [(branch, arm.taken_when) for branch, arm in around.arms]
    for outer, inner in zip(around.path, (*around.nodes[1:], event)):
        body = outer[1].body if isinstance(outer, tuple) else outer.body
        before = [node for node in body[: body.index(inner)] if isinstance(node, Branch)]
        left = [(node, arm) for node in before for arm in node.arms if arm.body and isinstance(arm.body[-1], Exit)]
        asked += [(node, None if arm.taken_when is None else not arm.taken_when) for node, arm in left]
    return any(branch.condition is not None and holds is not None and _says_missing(branch.condition, holds) for branch, holds in asked)


def _says_missing(condition: Condition, holds: bool) -> bool:
    """True where the answer to a condition says that a file is not there."""
    answer = holds != condition.negated
    if parts := condition.conjuncts or condition.disjuncts:
        says = (_says_missing(part, answer) for part in parts)
        return any(says) if answer is bool(condition.conjuncts) else all(says)
    return not answer and isinstance(condition.left, Unknown) and condition.left.why == ON_DISK


def apart_from_training(recipe: Recipe, around: Context) -> bool:
    """True for what no run that trains comes to: another command of the program, or another arm of a branch that is passed once."""
    for node in around.path:
        if isinstance(node, Loop):
            break  # another turn may take the other arm
        if isinstance(node, tuple):
            taken = [ways.get(node[0]) for ways in _ways_to_train(recipe)]
            if taken and all(arm is not None and arm is not node[1] for arm in taken):
                return True
    return False


@once
def _ways_to_train(recipe: Recipe) -> list[dict[Branch, Arm]]:
    """The arm of each branch around, for every place where gradients are computed."""
    return [dict(context.arms) for _, context in events(recipe.tree, Kind.BACKWARD)]


def unseeded(recipe: Recipe, library: Library) -> bool:
    """True when the whole program was seen and nothing seeds the library."""
    return recipe.seeds.complete and not seeds_of(recipe, library) and "seed" not in recipe.owner_silences


def library_of(split: Split) -> Library:
    """Which library's random numbers a split draws."""
    drawn = split.order[0] if split.order is not None else split.kind
    if drawn.startswith(TORCH_SPLITS):
        return "torch"
    return "python" if drawn.startswith("random.") else "numpy"


def is_random(split: Split) -> bool:
    """True when the split draws from the global random numbers: no seed and no generator of its own, and not without a shuffle."""
    own = not is_absent(split.seed) and not (isinstance(split.seed, Known) and split.seed.value is None)
    return not own and value_of(split.shuffle) is not False


def draws(recipe: Recipe, library: Library) -> Iterator[tuple[Event, Context]]:
    """What surely draws random numbers of the library that the result hangs on, in order: weights, splits, shuffles."""
    models = trained_models(recipe)
    loaded = _loaded(recipe)
    built = [part for model in models if model not in loaded for part in _built_apart(model)]
    for event, context in events(recipe.tree, Kind.DRAW, Kind.BUILD, Kind.SPLIT):
        if event.kind is Kind.BUILD:
            if library == "torch" and event.subject in built and event.subject not in loaded and _drawn(event.subject):
                yield event, context
        elif any(arm.label != "default" for _, arm in context.arms) or event in _after_training(recipe) or where_missing(event, context):
            continue
        elif event.kind is Kind.SPLIT:
            if is_random(event.subject) and library_of(event.subject) == library:
                yield event, context
        elif event.data.get("library") == library and event.data.get("use") in STEERING and _reaches(event, models):
            yield event, context


def _reaches(event: Event, models: Collection[Module]) -> bool:
    """False for the weights of a model that is not trained: one that is built to count them, say."""
    drawn = event.data.get("modules")
    return not drawn or not models or any(part in drawn for model in models for part in model.walk())


def trained_models(recipe: Recipe) -> list[Module]:
    """The whole models whose weights an optimizer moves (all that run where that is hidden), the project's own classes before bare layers."""
    trained = {part for module in trained_modules(recipe) for part in module.walk()}
    if not trained:
        trained = {event.subject for event, _ in events(recipe.tree, Kind.FORWARD)}
        if _moves_inputs(recipe):
            downloaded = _downloaded(recipe)  # the same in every run
            trained = {module for module in trained if isinstance(module, Module) and _drawn(module, downloaded)}
    models = [part for model in recipe.models if not trained.isdisjoint(model.walk()) for part in _drawn_parts(model, _holders(recipe))]
    return [model for model in models if model.user_class] or models


def _built_apart(model: Module) -> list[Module]:
    """The model; of one that brings its weights the new parts alone, which are drawn where they are built."""
    if starts_random(model.pretrained) or model.user_class or any(value_of(child.pretrained) is False for child in model.children.values()):
        return [model]
    return [child for child in model.children.values() if child.place != model.place]


def _drawn_parts(model: Module, holders: dict[Module, list[Module]], depth: int = 0) -> list[Module]:
    """The model, or the parts that it was handed, where it draws no weights of its own: they are drawn where those are built."""
    held = [part for part in holders.get(model, ()) if has_weights(part) or not part.fully_known] if depth < HELD else []
    parts = [part for part in held if _drawn(part)] or held
    return [inner for part in parts for inner in _drawn_parts(part, holders, depth + 1)] or [model]


@once
def _holders(recipe: Recipe) -> dict[Module, list[Module]]:
    """The modules of the project whose constructor builds and draws nothing but other such modules, with the parts that were built before."""
    built: set[Module] = set()
    found: dict[Module, list[Module]] = {}
    own: set[object] = set()  # those whose methods build or draw
    for event, context in events(recipe.tree, Kind.BUILD, Kind.DRAW):
        if isinstance(event.subject, Module):
            parts = list(dict.fromkeys(event.subject.children.values()))
            before = built.issuperset(part.copy_of or part for part in parts)
            if event.subject.user_class and parts and event.subject not in own and before:
                found[event.subject] = parts
            built.add(event.subject)
        if (isinstance(event.subject, Module) and event.subject not in found) or event.kind is Kind.DRAW:
            own.update(call.of for call in context.calls if call.of is not None)
    return found


def _moves_inputs(recipe: Recipe) -> bool:
    """True where all that is optimised is known to be no weights: an image, a text's embedding."""
    groups = [group.parameters for optimizer in recipe.optimizers for group in optimizer.groups]
    return bool(groups) and recipe.optimizers.complete and all(held.inputs and not held.modules for held in groups)


def _downloaded(recipe: Recipe) -> tuple[Module, ...]:
    """The modules whose weights came with a model, and its parts that nothing was put in the place of; those filled from a file when built."""
    wholes = [module for module in recipe.modules if not starts_random(module.pretrained)]
    found = dict.fromkeys(part for whole in wholes for part in whole.walk() if part.place == whole.place)
    built: dict[object, list[Branch]] = {}
    for event, context in events(recipe.tree, Kind.BUILD, Kind.RESTORE):
        if event.kind is Kind.BUILD:
            built[event.subject] = [branch for branch, _ in context.arms]
        elif event.subject.module in built and event.subject.saved is None and not isinstance(event.data.get("source"), Module):
            further = {arm.label for branch, arm in context.arms if branch not in built[event.subject.module]}
            if not further & {"flag", "except"}:
                found.update(dict.fromkeys(part for part in event.subject.module.walk() if part in built))
    return tuple(dict.fromkeys([*found, *(module for module in recipe.modules if module.copy_of in found)]))


@once
def _loaded(recipe: Recipe) -> set[Module | None]:
    """The modules that a state is loaded into before training."""
    found: set[Module | None] = set()
    for event, _ in events(recipe.tree, Kind.RESTORE, Kind.BACKWARD):
        if event.kind is Kind.BACKWARD:
            break
        found.add(event.subject.module)
    return found


def _drawn(part: Module, around: tuple[Module, ...] = ()) -> bool:
    """True when a layer is drawn at random; in a model that brings weights, one that was put in place of its own.

    `around`: what it is a part of, where a model may come again that is a part of itself, and what else is known not to be drawn.
    """
    if part in around:
        return False
    inner = (*around, part)
    if starts_random(part.pretrained):
        return (not part.user_class and part.name in WEIGHTED) or any(_drawn(child, inner) for child in part.children.values())
    if part.user_class:
        return False
    return any((child.place != part.place or value_of(child.pretrained) is False) and _drawn(child, inner) for child in part.children.values())


@once
def _after_training(recipe: Recipe) -> frozenset[Event]:
    """What is drawn when all training is over: for a picture of its results, say. What a loop draws that trains is drawn before its next turn.

    Gradients that are computed when the last step is done are looked at, and are among what is found.
    """
    found: set[Event] = set()
    trained = False
    told = list(events(recipe.tree, Kind.DRAW, Kind.BACKWARD, Kind.OPTIMIZER_STEP, Kind.ESCAPE))
    stepped = any(_steps(event) for event, _ in told)
    for event, context in told:
        if _steps(event) or (event.kind is Kind.BACKWARD and not stepped):
            trained = True
            found.clear()
        elif trained and event.kind is not Kind.ESCAPE and not any(_trains(loop) for loop in context.loops):
            found.add(event)
    return frozenset(found)


def _steps(event: Event) -> bool:
    """True for a step of an optimizer, and for what takes such steps unseen."""
    return event.kind is Kind.OPTIMIZER_STEP or bool(event.data.get("trains"))


@once
def _trains(loop: Loop) -> bool:
    return any(event.kind is Kind.BACKWARD or event.data.get("trains") for event, _ in events([loop], Kind.BACKWARD, Kind.ESCAPE))


def processes(recipe: Recipe) -> list[Region]:
    """The processes that are started to train, each with a fresh interpreter: what was seeded before is not seeded there."""
    regions = (node for node, _ in walk(recipe.tree) if isinstance(node, Region) and node.what == "process" and "guards" in node.data)
    return [node for node in regions if Kind.BACKWARD in kinds([node])]


def only_without_cuda(context: Context) -> bool:
    """True for a seed of torch that is set one way, where the other way seeds the devices alone."""
    return any(_seeds_devices_alone(other.body) for branch, arm in context.arms for other in branch.arms if other is not arm)


def only_among_several(recipe: Recipe, context: Context) -> Condition | None:
    """The question how many processes there are, for a seed that one answer leads to while either trains."""
    for branch, arm in context.arms:
        asked = branch.condition
        if asked is None or not arm.taken_when or not isinstance(asked.left, Unknown) or asked.left.why not in HOW_MANY:
            continue
        if any(ways.get(branch) is None for ways in _ways_to_train(recipe)):
            return asked
    return None


def _seeds_devices_alone(nodes: list[Node]) -> bool:
    devices = False
    for event, _ in events(nodes, Kind.SEED):
        match event.subject:
            case Seed(generators="torch" | "framework"):
                return False
            case Seed(generators="cuda"):
                devices = True
    return devices


def first_need(recipe: Recipe, nodes: list[Node] | None = None) -> Event | None:
    """The first thing but a split that needs a seed: a model that is trained built, numbers drawn, or, where the weights are not known, a backward.

    Where no more is known of the model than that it is trained, the loader that shuffles its training data. `nodes`: a part of the program alone.
    """
    nodes = recipe.tree if nodes is None else nodes
    trained_here = trained_models(recipe)
    models = [model for model in trained_here if not comes_whole(model)]
    models = [model for model in models if model.user_class or starts_random(model.pretrained) or _drawn(model)] or models
    writes = bool(trained_here) and not models  # language models alone, which write a text by sampling that is looked at
    hidden = any(not group.parameters.modules and not group.parameters.inputs for optimizer in recipe.optimizers for group in optimizer.groups)
    hidden = hidden or recipe.framework != "plain" or not all(optimizer.groups for optimizer in recipe.optimizers)
    steering = STEERING - {"init", "split"} | ({"noise"} if _moves_inputs(recipe) and recipe.models.items else set())
    aside: Event | None = None
    late: Event | None = None
    trained = False
    over = _after_training(recipe)
    for event, context in events(nodes, Kind.DRAW, Kind.BUILD, Kind.BACKWARD):
        if apart_from_training(recipe, context) or event in over or (event.kind is Kind.DRAW and where_missing(event, context)):
            continue
        if event.kind is Kind.BUILD and event.subject in models:
            return event
        if event.kind is Kind.DRAW and event.data.get("use") in steering and not event.data.get("generator"):
            library = event.data.get("library")
            if writes and gradients_off(context):
                continue
            if library not in (None, "torch") and any(map(set_by_default, seeds_of(recipe, library))):
                continue
            picked = library == "python" and event.data.get("use") == "sampling"  # a few pictures to look at, often
            if picked and trained:
                late = late or event
                continue
            if not (picked and hidden) and not any(arm.label == "flag" for _, arm in context.arms):
                return event  # weights are drawn while their model is built, which says it better
            aside = aside or event
        if event.kind is Kind.BACKWARD:
            if hidden:
                return event
            trained = True
    return aside or next((event for event, _ in events(nodes, Kind.BUILD) if shuffles(event.subject) and event.subject.role == "train"), late)


def shuffles(loader: object) -> bool:
    """True for a loader that puts its samples in a random order, drawn from torch's global numbers."""
    if not isinstance(loader, Loader) or value_of(loader.settings.get("shuffle")) is not True:
        return False
    own = loader.settings.get("generator")
    return own is None or is_absent(own) or (isinstance(own, Known) and own.value is None)

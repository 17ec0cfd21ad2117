"""Train mode, eval mode and gradients on or off: who is switched by an event, and where evaluation happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from advisor.model.aside import keeps_graph, set_aside
from advisor.model.events import Call, Context, Event, Kind, Loop, Region, events, events_below
from advisor.model.finished import once
from advisor.model.folds import EVERYTHING, Everything, contains, loaders, training_loop
from advisor.model.led_back import never_led_back
from advisor.model.loaded import MEASURES, loaded_forwards, loaded_models, main_code
from advisor.model.recipe import Fact, Flow, Module, Optimizer, Parameters, Recipe
from advisor.model.source import Known, value_of

OFF = ("no_grad", "inference_mode")
SWITCHES = (*OFF, "enable_grad", "set_grad_enabled")
CHOICES = ("argmax", "argmin", "argsort", "max", "min", "a comparison")  # they end the graph, which was built all the same


def gradients_off(context: Context) -> Region | None:
    """The region around something that surely switches gradients off; None when they are on or that is not known."""
    region = next((region for region in reversed(context.regions) if region.what in SWITCHES), None)
    if region is None or region.data.get("maybe"):
        return None
    if region.what == "set_grad_enabled":
        return region if value_of(region.data.get("enabled")) is False else None
    return region if region.what in OFF else None


def asks_for_graph(context: Context) -> bool:
    """True when something happens only where there is a graph: under `if loss.requires_grad` or `if torch.is_grad_enabled()`."""
    texts = [branch.condition.text for branch, _ in context.arms if branch.condition is not None]
    return any("requires_grad" in text or "is_grad_enabled" in text for text in texts)


def gradients_on(event: Event, context: Context) -> bool:
    """True when a forward surely builds a graph, and does not switch it off itself: its output comes with one."""
    mode, output = event.data.get("grad_mode"), event.data.get("output")
    if (mode is not None and mode != "on") or (isinstance(output, Flow) and output.graph == "cut" and output.cut_by not in CHOICES):
        return False
    return not any(region.what in OFF or (region.what == "set_grad_enabled" and not _switched_on(region)) for region in context.regions)


def _switched_on(region: Region) -> bool:
    """True for `set_grad_enabled(True)`, whatever the options."""
    enabled = region.data.get("enabled")
    return isinstance(enabled, Known) and enabled.value is True and not enabled.weak


def to_eval(event: Event) -> Iterable[Module]:
    """The module that an event puts into eval mode."""
    return (event.subject,) if event.kind is Kind.EVAL_MODE and isinstance(event.subject, Module) else ()


def comes_in_eval(event: Event) -> Iterable[Module]:
    """The module that is made in eval mode: `from_pretrained` of Transformers calls eval()."""
    made = event.subject if event.kind is Kind.BUILD and isinstance(event.subject, Module) else None
    return (made,) if made is not None and made.eval_from is not None and made.eval_from == event.place else ()  # parts are told with the whole


def out_of_eval(event: Event) -> Iterable[Module] | Everything:
    """The modules that an event may put into train mode: the one named, with its parts, or whatever unread code was given."""
    if event.kind in (Kind.TRAIN_MODE, Kind.MODE_UNKNOWN, Kind.UNTOLD, Kind.ESCAPE):
        if isinstance(event.subject, Module):
            return list(event.subject.walk())
        return EVERYTHING if event.kind is not Kind.ESCAPE else ()
    return ()


def to_train(event: Event) -> Iterable[Module]:
    """The modules that an event puts into train mode: those built (save those that come in eval mode), those switched, with their parts."""
    if event.kind is Kind.TRAIN_MODE and isinstance(event.subject, Module):
        return list(event.subject.walk())
    return built(event)


def built(event: Event) -> Iterable[Module]:
    """The module that is made in train mode."""
    made = event.subject if event.kind is Kind.BUILD and isinstance(event.subject, Module) else None
    return (made,) if made is not None and made.eval_from is None and not made.kind.startswith("transformers.") else ()


@once
def followers(recipe: Recipe) -> frozenset[Event]:
    """The copies of trained models that are made once, before training, of an original in train mode, and written into while it goes on: averages.

    Another copy may give its name to the best of the run, which is taken in eval mode.
    """
    found, in_eval, written = set[Event](), set[Fact](), _written_into(recipe)
    held = {part.slot for module in _held(recipe.optimizers) for part in module.walk()}
    for event, context in events(recipe.tree, Kind.COPY, Kind.EVAL_MODE, Kind.MODE_UNKNOWN, Kind.TRAIN_MODE, Kind.BACKWARD):
        original = event.subject.copy_of if event.kind is Kind.COPY else None
        if event.kind is Kind.BACKWARD:
            break
        if event.kind in (Kind.EVAL_MODE, Kind.MODE_UNKNOWN) and isinstance(event.subject, Module):
            in_eval.update(part.slot for part in event.subject.walk())
        elif event.kind is Kind.TRAIN_MODE and isinstance(event.subject, Module):
            in_eval.difference_update(part.slot for part in event.subject.walk())
        elif isinstance(original, Module) and original.slot in held and original.slot not in in_eval and not original.eval_from and not context.loops:
            if event.subject.slot in written and event.subject.slot not in held:
                found.add(event)
    return frozenset(found)


def _written_into(recipe: Recipe) -> frozenset[Fact]:
    """The modules whose weights the program writes, or averages."""
    found = set[Fact]()
    for event, _ in events(recipe.tree, Kind.GRAD_WRITE, Kind.AVERAGE):
        if isinstance(event.subject, Parameters):
            found.update(module.slot for module in event.subject.modules)
        elif isinstance(event.subject, Module):
            found.add(event.subject.slot)
    return frozenset(found)


@once
def made_around(recipe: Recipe) -> frozenset[Module]:
    """The modules that are made around a model in eval mode, `nn.Sequential(normalise, model)`: it stays there."""
    in_eval: set[Fact] = set()
    found: set[Module] = set()
    for event, _ in events(main_code(recipe), Kind.BUILD, Kind.EVAL_MODE, Kind.TRAIN_MODE, Kind.MODE_UNKNOWN):
        module = event.subject
        if event.kind is Kind.EVAL_MODE and isinstance(module, Module):
            in_eval.update(part.slot for part in module.walk())
        elif event.kind is not Kind.BUILD:
            switched = out_of_eval(event)
            in_eval = set() if isinstance(switched, Everything) else in_eval.difference(part.slot for part in switched)
        elif in_eval and isinstance(module, Module) and any(part.slot in in_eval for part in module.walk() if part is not module):
            found.add(module)
    return frozenset(found)


def out_of_train(module: Module, recipe: Recipe) -> list[Module]:
    """What is no longer surely in train mode when a module is put into eval mode: itself, its parts and what it is part of."""
    return [*module.walk(), *(whole for whole in recipe.modules if module in whole.walk())]


@once
def stepping(recipe: Recipe) -> list[Optimizer]:
    """The optimizers that step: an agent that is only loaded and played comes with one too. All there are where a step may be hidden."""
    steps = [(event.kind, event.subject) for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP, Kind.UNTOLD)]
    slots = {subject.slot for _, subject in steps if isinstance(subject, Optimizer)}
    found = [one for one in recipe.optimizers if one.slot in slots or one.owner is not None or one.escaped is not None]
    hidden = any(kind is Kind.UNTOLD or not isinstance(subject, Optimizer) for kind, subject in steps)
    return list(recipe.optimizers) if hidden or not any(one.modules for one in found) else found


def trained_modules(recipe: Recipe) -> list[Module]:
    """The modules whose weights an optimizer of the program holds and moves."""
    return _held(stepping(recipe))


def _held(optimizers: Iterable[Optimizer]) -> list[Module]:
    return list(dict.fromkeys(module for optimizer in optimizers for module in optimizer.modules))


def moved(event: Event) -> tuple[Module, ...]:
    """The modules whose weights a step moves."""
    return event.subject.modules if event.kind is Kind.OPTIMIZER_STEP and isinstance(event.subject, Optimizer) else ()


def evaluation_loop(context: Context) -> Loop | None:
    """The loop over data around something that stands in no training loop, else the innermost loop that trains nothing; None when there is none.

    Within the batches of training it is a loop over held-out data, or one between a switch to eval mode and the switch back: every so many steps a
    test stands between two of them.
    """
    loops = [loop for loop in reversed(context.loops) if loop.what not in ("parameters", "turn")]
    training = training_loop(context)
    if training is not None:
        inner = loops[: loops.index(training.batch)] if training.batch in loops else []
        untrained = (loop for loop in inner if not contains(loop.body, Kind.BACKWARD, Kind.OPTIMIZER_STEP))
        return next((loop for loop in untrained if held_out(loop) or set_aside(loop, context, training.batch)), None)
    over_data = next((loop for loop in loops if loaders(loop) or loop.what in ("loader", "data")), None)
    found = over_data or next((loop for loop in loops[:1] if not contains(loop.body, Kind.BACKWARD)), None)
    if found is not None and not held_out(found) and any(map(_trains_once, Context(context.path[: context.path.index(found)]).calls)):
        return None  # one step of training, of which the loop computes the loss
    return found


@once
def _trains_once(call: Call) -> bool:
    """True for a function that itself goes backward, outside of its loops: a step of training, be it called in a loop or alone."""
    around = (context for _, context in events_below(call, Kind.BACKWARD) if context.calls == (call,))
    return any(all(loop.what in ("parameters", "turn") for loop in context.loops) for context in around)


def held_out(loop: Loop) -> bool:
    """True for a loop over validation or test data; the training data read once more, as statistics of batch norms are renewed, are none."""
    return any(loader.role in ("validation", "test") and not loader.of_training for loader in loaders(loop))


@once
def evaluation_forwards(recipe: Recipe) -> list[tuple[Event, Context, Loop]]:
    """Every forward of a trained model in a loop over data that trains nothing, and that computes a loss or a metric, adds up a number that comes
    of the model, or goes over held-out data. Where nothing is trained, of one whose weights were loaded."""
    if recipe.evaluates:
        return loaded_forwards(recipe)
    found: list[tuple[Event, Context, Loop]] = []
    measured: dict[Loop, bool] = {}
    trained, whole = _trained_slots(recipe), {model.slot for model in recipe.models}
    for event, context in events(recipe.tree, Kind.FORWARD):
        loop = evaluation_loop(context)
        model = event.subject
        if loop is None or not isinstance(model, Module) or not (model.user_class or model.children or model.slot in whole):
            continue  # a single layer of a model is no model that is measured
        if trained.isdisjoint(part.slot for part in model.walk()):
            continue
        if loop not in measured:
            measures = held_out(loop) or contains(loop.body, *MEASURES) or _adds_up(loop)
            measured[loop] = measures and not contains(loop.body, Kind.OPTIMIZER_STEP, Kind.UNTOLD)
        if measured[loop]:
            found.append((event, context, loop))
    return found


@once
def graphs_of_evaluation(recipe: Recipe) -> list[tuple[Event, Context, Loop, Module]]:
    """Every forward in an evaluation loop, with its model, and every other one of a trained model that is in eval mode, by whatever of its methods,
    in a loop that trains nothing, keeps no graph for later, or none that a backward comes to. What is handed to unread code is left out: gradients
    may be asked for there; so is what goes on until something ends, over no data: a policy that plays is given one state at a time."""
    found = [(event, context, loop, _whole(event, context, loop)) for event, context, loop in evaluation_forwards(recipe)]
    told = {loop for _, _, loop, _ in found}
    trained, in_eval = _trained_slots(recipe), set[Fact]()
    for event, context in events(main_code(recipe), Kind.FORWARD, Kind.EVAL_MODE, Kind.TRAIN_MODE, Kind.MODE_UNKNOWN):
        if event.kind is Kind.EVAL_MODE and isinstance(event.subject, Module):
            in_eval.update(part.slot for part in event.subject.walk())
        elif event.kind is not Kind.FORWARD:
            switched = out_of_eval(event)
            in_eval = set() if isinstance(switched, Everything) else in_eval.difference(module.slot for module in switched)
        elif isinstance(event.subject, Module):
            call = next((call for call in context.calls if isinstance(call.of, Module)), None)
            model = call.of if call is not None else event.subject
            loop = evaluation_loop(Context(context.path[: context.path.index(call)]) if call is not None else context)
            if loop is None or (loop.what == "while" and not loaders(loop)):
                continue
            if loop in told or model.slot not in in_eval or trained.isdisjoint(part.slot for part in model.walk()):
                continue
            told.add(loop)
            trains = contains(loop.body, Kind.OPTIMIZER_STEP, Kind.UNTOLD) or any(part.escaped is not None for part in model.walk())
            unused = not keeps_graph(loop) or (loop.what in ("items", "data") and never_led_back(loop, model, recipe))
            if not trains and unused and (not recipe.evaluates or loaders(loop)):
                found.append((event, context, loop, model))
    return found


def frozen_by_then(event: Event, model: Module, recipe: Recipe) -> bool:
    """True where no weight of a model asks for a gradient any more when it is run: it is frozen for the whole run, or was frozen before."""
    if model.trainable == "no":
        return True
    frozen = False
    for other, _ in events(recipe.tree, Kind.FREEZE, Kind.FORWARD):
        if other is event:
            return frozen
        if other.kind is Kind.FREEZE and isinstance(other.subject, Module) and model in other.subject.walk():
            frozen = bool(other.data.get("was"))
    return False


def _whole(event: Event, context: Context, loop: Loop) -> Module:
    """The model of which a method is called in a loop, where the forward of a part stands in it: `net.forward(x)`."""
    inside = context.path[context.path.index(loop) :]
    return next((node.of for node in inside if isinstance(node, Call) and isinstance(node.of, Module)), event.subject)


def _adds_up(loop: Loop) -> bool:
    """True when a number that comes of a model is summed: the loss of a class of the project, `total += criterion(...)`."""
    flows = [event.data.get("flow") for event, _ in events(loop.body, Kind.KEEP, Kind.COUNT) if event.data.get("how", "add") == "add"]
    return any(isinstance(flow, Flow) and flow.rank == 0 and bool(flow.modules) for flow in flows)


def whole_forwards(recipe: Recipe) -> Iterator[tuple[Event, Context]]:
    """Every forward of a trained model beside the training loop, be it after it or in each epoch, whose output meets a loss or a metric:
    the test on all data at once."""
    trained, seen = _trained_slots(recipe), recipe.evaluates  # where nothing is trained it was before
    for event, context in events(recipe.tree, Kind.FORWARD, Kind.BACKWARD):
        model = event.subject
        if event.kind is Kind.BACKWARD:
            seen = seen or training_loop(context) is not None
        elif seen and isinstance(model, Module) and beside_training(context) and not trained.isdisjoint(part.slot for part in model.walk()):
            if any(map(_trains_once, context.calls)):
                continue  # a step of training that is called in no loop that was read: of the critic, say
            nodes = context.calls[-1].body if context.calls else recipe.tree
            if any(_measures(other, model) and beside_training(around) for other, around in events(nodes, *MEASURES)):
                yield event, context


def evaluations_at_once(recipe: Recipe) -> Iterator[tuple[Event, Context]]:
    """Every forward of a trained model on data that no loop cuts into batches, where the model was put into eval mode in the same function, a loss
    or a metric takes up what it gives, and no backward does."""
    trained, spots = _trained_slots(recipe), list(events(recipe.tree))
    for at, (switch, around) in enumerate(spots):
        model = switch.subject
        if switch.kind is not Kind.EVAL_MODE or not isinstance(model, Module) or trained.isdisjoint(part.slot for part in model.walk()):
            continue
        stretch = _evaluated(spots, at, model)
        for here, (event, context) in enumerate(stretch):
            own = [loop for loop in context.loops if loop not in around.loops and loop.what not in ("parameters", "turn")]
            if event.kind is Kind.FORWARD and _is(event.subject, model) and not own:
                if any(other.kind in MEASURES and _measures(other, model) for other, _ in stretch[here + 1 :]):
                    yield event, context


def _evaluated(spots: list[tuple[Event, Context]], at: int, model: Module) -> list[tuple[Event, Context]]:
    """What follows upon a switch to eval mode in its function and loop until the model is switched again; nothing where gradients are asked for."""
    around = spots[at][1]
    stretch: list[tuple[Event, Context]] = []
    inside = True
    for event, context in spots[at + 1 :]:
        if around.loops and around.loops[-1] not in context.loops:
            break
        inside = inside and (not around.calls or around.calls[-1] in context.calls)
        if event.kind in (Kind.BACKWARD, Kind.AUTOGRAD_GRAD, Kind.GRAD_WRITE, Kind.OPTIMIZER_STEP, Kind.UNTOLD):
            return []
        if event.kind in (Kind.TRAIN_MODE, Kind.MODE_UNKNOWN, Kind.EVAL_MODE) and _is(event.subject, model):
            break
        if not inside and event.kind is Kind.FORWARD and _is(event.subject, model):
            break  # what is trained behind it is trained on this
        if inside:
            stretch.append((event, context))
    return stretch


def _is(subject: object, model: Module) -> bool:
    return isinstance(subject, Module) and subject.slot is model.slot


def beside_training(context: Context) -> bool:
    """True for what stands in no training loop and in no other loop either than those around training: it happens once, or once per epoch."""
    repeating = [loop for loop in context.loops if loop.what not in ("parameters", "turn")]
    return all(contains(loop.body, Kind.BACKWARD) for loop in repeating) and training_loop(context) is None


def _measures(event: Event, model: Module) -> bool:
    """True when a loss or a metric is computed from the output of a model."""
    flow = event.data.get("input") or event.data.get("flow")
    return isinstance(flow, Flow) and any(module.slot is model.slot for module in flow.modules)


@once
def _trained_slots(recipe: Recipe) -> frozenset[Fact]:
    """The modules that optimizers hold, if only to be played, and averages of them, with their parts; every module where some optimizer's weights are
    not known. Where nothing is trained those whose weights were loaded."""
    if recipe.evaluates:
        return loaded_models(recipe)
    unknown = not recipe.optimizers.items or any(not optimizer.modules for optimizer in recipe.optimizers) or not recipe.optimizers.complete
    held = recipe.modules if unknown else [*_held(recipe.optimizers), *(event.subject for event in followers(recipe))]
    return frozenset(part.slot for module in held for part in module.walk())


def role_of(loop: Loop | None) -> str:
    """What a loop over data is for, in words."""
    held = loaders(loop) if loop is not None else ()
    return next((loader.role for loader in held if loader.role in ("validation", "test") and not loader.of_training), "evaluation")

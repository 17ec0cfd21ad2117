"""Best weights that are kept as references and change with every step."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from advisor.checks.context import Context
from advisor.model.events import Arm, Branch, Event, Exit, Kind, Loop, events, walk
from advisor.model.events import Context as Around
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.recipe import Module, Optimizer, Recipe, Restore, Save


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each state kept in memory without a copy, in a loop that trains on, and used in a later turn or after it; each model kept as the best one."""
    uses = list(events(recipe.tree, Kind.SAVE, Kind.RESTORE))
    told: set[Save] = set()
    copied = {event.data.get("variable") for event, _ in uses if isinstance(event.subject, Save) and event.subject.memory == "copy"}
    for event, context in uses:
        save, name = event.subject, event.data.get("variable")
        if isinstance(save, Save) and save.is_reference:
            if save.best and _trained_on(save, context):
                yield ctx.finding("model", at=save, model=save.module or "the model")
            continue
        if not isinstance(save, Save) or save.memory != "alias" or not save.best or cadence(context) == "once":
            continue
        if not told.isdisjoint(_names_before(save)) or any(_names_anew(other, save) and _turns(around) == _turns(context) for other, around in uses):
            continue  # told of where it was kept first, or, within a turn, last
        if _made_anew(save, context) and not _names_before(save):
            continue  # the next turn trains another model
        name = None if name in copied else name
        later = (other for other, around in uses if _uses(other, save, name) and _later(save, context, around) and not _kept_anew(save, around))
        use = next(later, None)
        if use is not None and (use.kind is Kind.RESTORE or not any(branch.place == save.decided and _writes(arm) for branch, arm in context.arms)):
            told.add(save)
            case = "restored" if use.kind is Kind.RESTORE else "written"
            first = [save, *_names_before(save)][-1 if _made_anew(save, context) else 0]  # the fold that changes them is over
            yield ctx.finding(case, at=first, line=use.place, model=save.module or "the model")


def _trained_on(save: Save, kept: Around) -> bool:
    """True when the turns of the loop that keeps a model train this very model on, and none of them builds it."""
    loops = _turns(kept)
    if not loops or loops[-1].what == "items" or save.module is None:
        return False
    if any(_leaves(arm) or _writes(arm) for _, arm in _within(kept, loops[-1])):
        return False
    parts = {part.slot for part in save.module.walk()}
    steps = [event.subject for event, _ in events(loops[-1].body, Kind.OPTIMIZER_STEP) if isinstance(event.subject, Optimizer)]
    return not _made_anew(save, kept) and any(not parts.isdisjoint(module.slot for module in optimizer.modules) for optimizer in steps)


def _turns(around: Around) -> list[Loop]:
    """The loops in whose turns something happens, without those that pass over parts and parameters."""
    return [loop for loop in around.loops if loop.what not in ("turn", "parameters")]


def _made_anew(save: Save, kept: Around) -> bool:
    """True where each turn of the loop that keeps the weights builds the model that they are of: what is trained next is another one."""
    loops = _turns(kept)
    parts = {part.slot for part in save.module.walk()} if save.module is not None else set()
    return bool(loops) and any(event.subject.slot in parts for event, _ in events(loops[-1].body, Kind.BUILD) if isinstance(event.subject, Module))


def _writes(arm: Arm) -> bool:
    """True for an arm that writes a file as well: the name may serve for that alone."""
    return any(isinstance(event.subject, Save) and event.subject.memory == "file" for event, _ in events(arm.body, Kind.SAVE))


def _uses(event: Event, save: Save, name: Hashable) -> bool:
    """True where the state is restored or written: itself, or what its name holds from the turns before."""
    subject = event.subject
    if isinstance(subject, Save) and subject.memory != "file":
        return False
    if name is not None and event.data.get("variable") == name:
        return True
    held = subject.saved if isinstance(subject, Restore) else subject.kept if isinstance(subject, Save) else None
    return held is not None and (held is save or save in _names_before(held))


def _names_anew(event: Event, save: Save) -> bool:
    """True where the state is kept under another name as well."""
    return isinstance(event.subject, Save) and event.subject.memory == "alias" and event.subject.kept is save


def _names_before(save: Save) -> list[Save]:
    """Where the same state was kept under other names before."""
    found: list[Save] = []
    while save.kept is not None and save.kept not in found:
        save = save.kept
        found.append(save)
    return found


def _later(save: Save, kept: Around, used: Around) -> bool:
    """True when the turn in which the state is kept is over: within it nothing may have changed yet."""
    loops = _turns(kept)
    if not loops or loops[-1] not in used.loops:
        return bool(loops)
    arm = next((arm for branch, arm in kept.arms if branch.place == save.decided), None)
    inside = _within(used, loops[-1])
    if arm is None or any(other is arm for _, other in inside):
        return False
    apart = [other for _, other in inside if all(other is not both for _, both in kept.arms)]
    return all(_whatever_happens(branch, other, loops[-1]) for branch, other in inside) or any(map(_leaves, apart))


def _kept_anew(save: Save, used: Around) -> bool:
    """True where the state is used in a function that takes it each time it is called, be the score better or not."""
    taken = (around for call in used.calls for event, around in events(call.body, Kind.SAVE) if event.subject is save)
    return any(all(branch.place != save.decided for branch, _ in around.arms) for around in taken)


def _within(used: Around, loop: Loop) -> list[tuple[Branch, Arm]]:
    """The branches around a use that stand in the loop."""
    return [node for node in used.path[used.path.index(loop) :] if isinstance(node, tuple)]


def _whatever_happens(branch: Branch, arm: Arm, loop: Loop) -> bool:
    """True for an arm that does not hang on what a turn has measured: a setting, every tenth turn."""
    condition = branch.condition
    if condition is None or condition.modulo is not None:
        return condition is not None
    written = (event.data.get("variable") for event, _ in events(loop.body, Kind.RESET, Kind.ASSIGN, Kind.COUNT))
    return arm.label in ("default", "flag") and condition.variable is not None and condition.variable not in set(written)


def _leaves(arm: Arm) -> bool:
    """True for an arm that ends the loop, as early stopping does: the state is from a turn before."""
    exits = ((node, around) for node, around in walk(arm.body) if isinstance(node, Exit))
    return any(node.what in ("break", "return") and not around.calls and not (node.what == "break" and around.loops) for node, around in exits)

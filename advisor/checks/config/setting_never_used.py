"""Settings that are declared and never read."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding, Severity
from advisor.model.folds import needs_flag
from advisor.model.rates import PEAK_SCHEDULES
from advisor.model.recipe import Hyperparameter, Optimizer, Recipe, UnknownKey
from advisor.model.source import Known, Setting, candidates, first, is_absent, value_of

DECLARED = {"argparse": "option", "dataclass": "field", "config": "key"}
SEVERAL = {"argparse": "options", "dataclass": "fields", "config": "keys"}

LAUNCHERS = ("local_rank", "deepspeed", "deepspeed_config")  # must be accepted, whoever reads them


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """What nothing in the whole program asks for: one by one, or at once where a file declares many."""
    for setting in recipe.hyperparameters:
        known = first(setting.value)
        if setting.declared == "constant":
            yield ctx.finding("constant", at=setting, value_from=known, setting=setting.name, value=known)
        elif setting.declared == "handed":
            yield ctx.finding("argument", at=setting, setting=setting.name, taker=setting.overruled_by)
    if not recipe.trains:
        return
    yield from _overruled(recipe, ctx)
    yield from _replaced(recipe, ctx)
    yield from _foreign(recipe, ctx)
    if not recipe.whole or not recipe.hyperparameters.complete:
        return
    unread: dict[tuple[str, str], list[Hyperparameter]] = {}
    told = {setting.place for setting in recipe.hyperparameters if setting.read}  # a parser may be made twice, and one of the two read
    for setting in recipe.hyperparameters:
        if setting.place in told or setting.declared not in DECLARED or setting.name in LAUNCHERS or not setting.parsed:
            continue
        told.add(setting.place)
        if setting.escaped:
            ctx.skip(f"the settings were handed to `{setting.escaped}`, which could not be read", setting)
            return
        unread.setdefault((setting.place.file, setting.declared), []).append(setting)
    for (_, declared), settings in unread.items():
        if len(settings) > ctx.limit("many"):
            names = list(dict.fromkeys(setting.name for setting in settings))  # several classes may have the same
            yield ctx.finding(SEVERAL[declared], at=settings[0], count=len(names), names=", ".join(names))
            continue
        for setting in settings:
            yield ctx.finding(DECLARED[declared], at=setting, setting=setting.name)


def _overruled(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """What the program sets and the library leaves aside because of another setting."""
    options = [setting for setting in recipe.hyperparameters if setting.declared == "argparse"] if recipe.hyperparameters.complete else []
    unread = {setting.name for setting in options if not setting.read}  # which says it all
    for setting in recipe.hyperparameters:
        known = first(setting.value)
        if setting.overruled is None or known is None:
            continue
        severity: Severity | None = "hint" if setting.usual else None
        if setting.overruled == "replaced":  # what takes its place is what is to be looked at
            origin, value = ctx.provenance(known), known.value
            yield ctx.finding("replaced", at=setting, setting=setting.name, value=value, origin=origin, by=setting.overruled_by)
            continue
        if setting.overruled == "same":
            yield ctx.finding("same", at=setting, setting=setting.name, value=known.value)
            continue
        if setting.overruled == "overwritten":
            if setting.name not in unread:
                severity, default = "hint" if setting.pinned else None, setting.overruled_by
                yield ctx.finding("overwritten", at=setting, severity=severity, setting=setting.name, value=known.value, default=default)
            continue
        case = "chosen" if setting.overruled == "chosen" else "never-reached"
        yield ctx.finding(case, at=setting, severity=severity, value_from=known, setting=setting.name, value=known.value, by=setting.overruled_by)


def _replaced(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The rate of an optimizer by a setting, where a schedule begins and ends with rates of its own: of OneCycleLR, or of a class of the project."""
    stepped = {event.subject for event, around in events(recipe.tree, Kind.SCHEDULER_STEP) if not needs_flag(around)}
    for scheduler in recipe.schedulers:
        optimizer = scheduler.optimizer
        own = candidates(scheduler.settings.get("max_lr")) if scheduler.name in PEAK_SCHEDULES else _numbers(scheduler.given)
        if optimizer is None or not own or scheduler not in stepped or scheduler.flag_off or scheduler.when or optimizer.when or optimizer.escaped:
            continue
        lr = optimizer.settings.get("lr")
        inherited = all(is_absent(group.settings.get("lr")) for group in optimizer.groups)
        if not isinstance(lr, Known) or not isinstance(lr.value, float) or not lr.value or not inherited or not _is_setting(lr, optimizer):
            continue
        spots = {(link.file, link.line) for link in lr.origin}
        if all(known.value != lr.value and spots.isdisjoint((link.file, link.line) for link in known.origin) for known in own):
            peak = own[0].value if scheduler.name in PEAK_SCHEDULES else None
            case = "scheduled" if peak is None else "peaked"
            yield ctx.finding(case, at=optimizer, value_from=lr, setting="lr", value=lr.value, by=scheduler.name, line=scheduler.place, peak=peak)


def _numbers(given: tuple[Setting, ...] | None) -> tuple[Known, ...]:
    return tuple(known for setting in given or () for known in candidates(setting) if isinstance(known.value, (int, float)))


def _is_setting(lr: Known, optimizer: Optimizer) -> bool:
    """True for a rate that stands where settings do, and not in the call itself."""
    spot = optimizer.place.file, optimizer.place.line
    return lr.default is None and any((link.file, link.line) != spot for link in lr.origin)


def _foreign(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Keys that the library they are given to keeps, or leaves aside, and does not read: of parameter groups and of DeepSpeed's config."""
    for key in recipe.unknown_keys:
        near = key.meant or _nearest(key, ctx)
        if key.optimizer is not None:
            value = value_of(key.optimizer.settings.get(near))
            case = "group-near" if value is not None else "group"
            yield ctx.finding(case, at=key, setting=key.name, taker=key.taker, nearest=near, value=value)
        elif key.by == "ignored" and near:
            yield ctx.finding("foreign", at=key, setting=key.name, taker=key.taker, nearest=near)


def _nearest(key: UnknownKey, ctx: Context) -> str:
    from difflib import get_close_matches  # few programs have such a key

    return "".join(get_close_matches(key.name, key.fields, n=1, cutoff=ctx.limit("likeness")))

"""Makes the trace of a run out of what the instruments hold, once the script has stopped."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from statistics import fmean
from typing import Any

import torch

from advisor.model.events import Event, Kind
from advisor.model.recipe import Loss, Module, Recipe
from advisor.model.source import ABSENT, Known, Unknown
from advisor.model.trace import Alike, Clipping, Evaluation, Inputs, Labels, Layer, NotOptimized, Repeated, Series, Stepping, Trace, Weight
from advisor.probe import clearings, replay
from advisor.probe.record import local
from advisor.probe.run import Run
from advisor.probe.tree import nested

ENOUGH = 20  # labels of a class from which its share is known
TWICE = 2  # classes as far apart as this are compared by their weights
ALIKE = 0.01  # units that differ by less, against the largest number, are looked at
DEAD = 0.01  # a unit active less often than this counts as dead
SATURATED = 0.95  # a unit at its end more often than this counts as saturated
UNTIL_THE_END = frozenset({"scheduler-never-stepped", "backward-without-step"})  # what did not happen yet may still come
ENVIRONMENTS = frozenset({"gymnasium", "gym", "pettingzoo", "envpool", "dm_env", "isaacgym", "isaaclab", "brax", "vmas", "torchrl"})
AGAIN = ("loss-not-decreasing", "samples-mixed", "cannot-overfit-one-batch")  # what needs the model to run once more
METRICS = ("sklearn.metrics", "torchmetrics", "torcheval.metrics", "evaluate")
MANY = 256  # backward passes without any step: more than any accumulation
CLEARED = 20  # times that gradients were cleared again without any step: nothing is accumulated
ADAPTIVE = ("Adam", "RMSprop", "Adagrad", "Adadelta", "Adafactor", "Lion", "Muon", "Rprop", "LBFGS")


def trace_of(run: Run, complete: bool) -> Trace:
    """The trace of a run. `complete`: the script came to its end by itself."""
    session = run.session
    session.measuring = False
    if run.by_hand is not None:
        run.by_hand.look()
    trace = Trace(run.recipe, steps=session.step)
    parts = (by_hand, steppings, layers, labels, inputs, clipping, scaling, evaluations, repeated, not_optimized, alike, replicas, again)
    for part in parts:
        try:
            part(run, trace)
        except Exception as error:
            session.disable(part.__name__, error)
    try:
        _recipe(run, run.recipe, complete)
    except Exception as error:
        session.disable("recipe", error)
    cleared = sum(event.kind is Kind.ZERO_GRAD for event, _ in session.events)
    if not complete and (session.step or (run.backwards < MANY and cleared < CLEARED)):
        trace.open |= UNTIL_THE_END
        if run.recipe.schedulers.items and not all(run.schedulers.steps.get(id(one)) for one in run.recipe.schedulers):  # type: ignore[attr-defined]
            session.skip("a scheduler was not stepped before the run was stopped", None, ("scheduler-never-stepped",))
    trace.not_finite, trace.loaded = run.not_finite, run.loaded
    trace.skipped = session.skipped
    trace.scaled = bool(run.recipe.scalers.items)
    return trace


def steppings(run: Run, trace: Trace) -> None:
    """Each optimizer with its curves."""
    run.recorder.flush()
    watched = [one for one in run.optimizers.watched.values() if one.steps]  # type: ignore[attr-defined]
    order = run.modules.order  # type: ignore[attr-defined]
    depths = {
        id(p): order.get(id(part), -1)
        for root, _ in run.inventory.roots.values()
        for part in root.modules()
        for p in part._parameters.values()
        if p is not None
    }
    pairs = _twins(run) or _acts(run)
    for one in watched:
        weights = [
            Weight(
                held.path, held.parameter.dim() > 1, held.ratio, held.gradient, held.parameter.requires_grad, _bare(held),
                depths.get(id(held.parameter), -1), held.zero_at_start, held.idle, held.graded, held.kept, int(held.parameter.numel()),
            )
            for held in one.held
        ]  # fmt: skip
        groups: dict[int, list[Any]] = {}
        for held in one.held:
            groups.setdefault(held.group, []).append(held)
        bare = [
            (group, len(held))
            for group, held in groups.items()
            if held and all(_bare(h) and h.parameter.requires_grad for h in held)
        ]
        trace.steppings.append(
            Stepping(
                one.fact, one.place, one.backward, one.loss, one.norm, one.rates, one.peaks, weights, one.moved,
                [pair for pair in bare if len(groups) > 1], one.steps, one.skipped, bool(run.recipe.clipping.items), len(watched) == 1,
                run.weights_loaded, pairs,
            )
        )  # fmt: skip


def by_hand(run: Run, trace: Trace) -> None:
    """An optimizer that never stepped is not missed where its weights were moved by other means."""
    unstepped = [thing for thing in run.inventory.alive if isinstance(thing, torch.optim.Optimizer) and not run.session.steps.get(id(thing))]
    if any(run.optimizers.moved_by_hand(thing) for thing in unstepped):  # type: ignore[attr-defined]
        trace.open |= {"backward-without-step"}


def _bare(held: Any) -> bool:
    """True when no step saw a gradient of this weight; one that other ranks hold may have one there."""
    return not held.seen_gradient and not (held.sharded and not local(held.parameter).numel())


def _twins(run: Run) -> bool:
    """True when two networks of the same shape ran: a target network, a teacher, an average."""
    shapes = [tuple(tuple(p.shape) for p in module.parameters()) for module, _ in run.inventory.roots.values()]
    return len(set(shapes)) < len(shapes)


def _acts(run: Run) -> bool:
    """True when no loader gives the batches but an environment, which answers to what the model does."""
    return not any(one.backwards for one in run.loaders.passes) and not ENVIRONMENTS.isdisjoint(sys.modules)  # type: ignore[attr-defined]


def layers(run: Run, trace: Trace) -> None:
    """Activations by layer, and the weights that the layers started from."""
    trace.starts = run.starts.found() if not run.weights_loaded and not run.recipe.restores.items else []  # type: ignore[attr-defined]
    for units in run.modules.units.values():  # type: ignore[attr-defined]
        total = max(units.total, 1)
        dead = int((units.active.double() / total < DEAD).sum())
        full = int((units.saturated.double() / total > SATURATED).sum()) if units.saturated is not None else 0
        activity = Series("active_units", units.path)
        for step, share in units.shares or ():
            activity.add(step, float(share))
        trace.layers.append(Layer(units.path, units.place, units.family, units.batches, int(units.active.numel()), dead, full, activity, units.inner))


def labels(run: Run, trace: Trace) -> None:
    """Labels as the losses saw them, and the loss before the first step."""
    seen = run.losses_seen  # type: ignore[attr-defined]
    for one in seen.labels.values():
        kept = _of_loader(one.numbers, [tuple(value for value in batch.tolist() if value != one.ignored) for batch in one.batches])
        if kept:
            loader = one.source
            shuffle = loader.settings.get("shuffle") if loader is not None else None
            found = Labels(
                one.fact,
                one.place,
                one.classes,
                kept,
                one.weighted,
                loader.samplers[0] if loader is not None and loader.samplers else None,
                one.ignored,
            )
            found.from_loader = loader is not None and (one.given or len({label for batch in kept for label in batch}) > 1)
            found.measured = any(name in sys.modules for name in METRICS)
            found.shuffled = bool(shuffle.value) if isinstance(shuffle, Known) else None
            trace.labels.append(found)
            _weighing(one.fact, one.weights, kept)
    trace.out_of_range = seen.out_of_range
    trace.first_losses = seen.first
    trace.relabelled = run.labelled.again()  # type: ignore[attr-defined]
    trace.in_batch = seen.in_batch.found()


def _of_loader(numbers: list[tuple[int, int]], given: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The labels of each of the loader's batches; none where it was given two sorts, as by a GAN whose made-up samples are a class."""
    batches: dict[tuple[int, int], tuple[int, ...]] = {}
    for number, labels in zip(numbers, given):
        if batches.setdefault(number, labels) != labels:
            return []
    return list(batches.values())


def _weighing(loss: Loss, weights: torch.Tensor | None, batches: list[tuple[int, ...]]) -> None:
    """How the class weights of a loss follow the labels that it was given; equal weights are none."""
    if weights is None:
        return
    given = weights.detach().double().tolist()
    if max(given) == min(given):
        loss.settings["weight"] = ABSENT
        return
    counts = Counter(label for batch in batches for label in batch)
    pairs = [(count, given[label]) for label, count in counts.items() if count >= ENOUGH and 0 <= label < len(given)]
    grows = [(b[1] - a[1]) * (b[0] - a[0]) > 0 for a, b in itertools.combinations(pairs, 2) if max(a[0], b[0]) >= TWICE * min(a[0], b[0])]
    if grows and len(set(grows)) == 1:
        loss.weighting = "proportional" if grows[0] else "inverse"


def inputs(run: Run, trace: Trace) -> None:
    """What enters the first layers with weights."""
    trace.fed = run.pretrained.found(_held(run))  # type: ignore[attr-defined]
    for entry in run.modules.entries.values():  # type: ignore[attr-defined]
        if entry.sums:
            rows = torch.stack(entry.sums).double().tolist()
            means, spreads, lows, highs = zip(*rows)
            trace.inputs.append(
                Inputs(entry.path, entry.place, entry.kind, fmean(means), fmean(spreads), min(lows), max(highs), len(rows), entry.normalised)
            )  # fmt: skip


def clipping(run: Run, trace: Trace) -> None:
    """Norms against limits."""
    kinds = [one.fact.name for one in run.optimizers.watched.values() if one.steps]  # type: ignore[attr-defined]
    for key, series in run.clips.norms.items():  # type: ignore[attr-defined]
        clip = run.clips.clips[key]  # type: ignore[attr-defined]
        limit = clip.value.value if isinstance(clip.value, Known) else None
        if isinstance(limit, (int, float)) and series.values:
            adaptive = any(name.startswith(word) or word in name for name in kinds for word in ADAPTIVE)
            trace.clipping.append(Clipping(clip, float(limit), series, adaptive=adaptive))


def scaling(run: Run, trace: Trace) -> None:
    """Scalers."""
    trace.scaling = [one for one in run.scaling.seen.values() if one.steps]  # type: ignore[attr-defined]


def evaluations(run: Run, trace: Trace) -> None:
    """Validation passes: losses measured without gradients between training steps."""
    seen = run.losses_seen  # type: ignore[attr-defined]
    grouped: dict[int, list[float]] = {}
    for step, value in seen.validation:
        grouped.setdefault(step, []).append(float(value))
    main = trace.main
    last = 0
    for step, values in grouped.items():
        since = [v for s, v in zip(main.loss.steps, main.loss.values) if last < s <= step] if main is not None else []
        trace.evaluations.append(Evaluation(step, fmean(values), len(values), fmean(since) if since else float("nan")))
        last = step
    trace.validation_place = seen.validation_place


def repeated(run: Run, trace: Trace) -> None:
    """Training batches that were the same again and again."""
    by_loader: dict[int, list[Any]] = {}
    for one in run.loaders.passes:  # type: ignore[attr-defined]
        if one.backwards:
            by_loader.setdefault(id(one.fact), []).append(one)
    for passes in by_loader.values():
        marks = [mark for one in passes for mark in one.signatures if mark]
        longest = now = 1
        for before, after in itertools.pairwise(marks):
            now = now + 1 if before == after else 1
            longest = max(longest, now)
        try:
            length: int | None = len(passes[0].loader)
        except TypeError:
            length = None
        if marks:
            trace.repeated.append(Repeated(passes[0].place, longest, len(marks), length))


def not_optimized(run: Run, trace: Trace) -> None:
    """Weights whose gradient is filled by backward passes and that no optimizer holds."""
    held = _held(run)
    trained = itertools.dropwhile(lambda event: event.kind is not Kind.BACKWARD, (event for event, _ in run.session.events))
    if any(event.kind is Kind.ZERO_GRAD and isinstance(event.subject, Module) for event in trained):
        return  # somebody clears whole models, and not only before the first batch: the gradients are known to him
    for module, fact in run.inventory.roots.values():
        every = list(module.named_parameters())
        left = [(name, p) for name, p in every if id(p) not in held and p.requires_grad and p.grad is not None and bool(local(p.grad.detach()).any())]
        if left and any(id(p) in held for _, p in every):
            names = tuple(dict.fromkeys(name.split(".")[0] for name, _ in left))
            part = getattr(module, names[0], None)
            place = (run.inventory.built.get(part) if isinstance(part, torch.nn.Module) else None) or fact.place
            counts = sum(p.numel() for _, p in left), sum(p.numel() for _, p in every)
            trace.not_optimized.append(NotOptimized(names, fact.name, place, *counts, run.session.step, run.weights_loaded))


def _held(run: Run) -> set[int]:
    """The weights that some optimizer holds."""
    built = (thing for thing in run.inventory.alive if isinstance(thing, torch.optim.Optimizer))
    held = {id(h.parameter) for one in run.optimizers.watched.values() for h in one.held}  # type: ignore[attr-defined]
    return held | {id(parameter) for thing in built for group in thing.param_groups for parameter in group["params"]}


def alike(run: Run, trace: Trace) -> None:
    """Trained matrices and kernels whose units are still the same after all steps."""
    owners = {id(p): part for root, _ in run.inventory.roots.values() for part in root.modules() for p in part._parameters.values()}
    for one in run.optimizers.watched.values():  # type: ignore[attr-defined]
        for held in one.held:
            weight = held.parameter.detach()
            if held.sharded or not held.seen_gradient or weight.dim() not in (2, 4) or weight.shape[0] < 2 or weight.layout is not torch.strided:
                continue
            largest = float(weight.abs().max())
            spread = float((weight - weight[:1]).abs().max()) / (largest or 1.0)
            if spread < ALIKE:
                part = owners.get(id(held.parameter))
                place = (run.inventory.built.get(part) if part is not None else None) or one.place
                moved = max(held.ratio.finite, default=0.0)
                trace.alike.append(Alike(held.path, place, int(weight.shape[0]), one.steps, spread, moved, not largest and not held.nonzero))


def replicas(run: Run, trace: Trace) -> None:
    """The ranks side by side; each but the first leaves its numbers for it."""
    seen = run.ranks  # type: ignore[attr-defined]
    main = trace.main
    if not seen.weights or main is None:
        return
    if seen.rank:
        seen.write(seen.rank)
    else:
        loader = next((one.place for one in run.loaders.passes if one.backwards), None)  # type: ignore[attr-defined]
        others = seen.others(seen.world)
        seen.join(others)
        trace.replicas = seen.compare(others, main.place, loader)


def again(run: Run, trace: Trace) -> None:
    """What needs the model to run once more: early batches again, samples mixed, one batch overfitted."""
    if "replay" in run.session.off or not trace.steppings or run.not_finite:
        return
    if any(held.sharded for one in run.optimizers.watched.values() for held in one.held):  # type: ignore[attr-defined]
        run.session.skip("a model whose weights are spread over the ranks is not run again", rules=AGAIN)
        return
    if any(held.parameter.device.type == "cpu" and held.parameter.is_shared() for one in run.optimizers.watched.values() for held in one.held):  # type: ignore[attr-defined]
        run.session.skip("a model whose weights other processes may change meanwhile (share_memory) is not run again", rules=AGAIN)
        return
    trace.again = replay.evaluate_again(run)
    trace.mixed = replay.mixing(run)
    if any(weight.without_gradient and weight.trainable for stepping in trace.steppings for weight in stepping.weights):
        trace.cuts = replay.cuts(run)
    if run.session.request.overfit_batch:
        trace.overfit = replay.overfit(run)
        if trace.overfit is None:
            run.session.skip(
                "no batch could be trained on alone: the loss could not be computed again from a model call", rules=("cannot-overfit-one-batch",)
            )


def _models_built(run: Run) -> None:
    """Say when the models were built, now that it is known which modules are models."""
    models = {id(fact) for fact in run.recipe.models}
    begun = [(run.inventory.built_at.get(module, 0), fact) for module, fact in run.inventory.roots.values() if id(fact) in models]
    for at, fact in sorted(begun, key=lambda item: item[0], reverse=True):
        run.insert(at, Event(Kind.BUILD, fact.place, fact), {}, first=True)
        if run.weights_loaded:
            fact.pretrained = Known(True)


def _recipe(run: Run, recipe: Recipe, complete: bool) -> None:
    """The rest of the recipe: roles, cadence, counts, and what is not known because the run was cut short."""
    _models_built(run)
    clearings.settle(run)
    for thing in list(run.inventory.alive):
        if isinstance(thing, torch.optim.Optimizer):
            run.inventory.groups(thing)
    recipe.tree = nested(run.session.events)
    recipe.trains = run.backwards > 0
    for one in run.loaders.passes:  # type: ignore[attr-defined]
        if one.backwards:
            one.fact.role, one.fact.role_from = "train", "use"
    for one in run.loaders.passes:  # type: ignore[attr-defined]
        if one.fact.role == "unknown" and one.batches and run.backwards:
            one.fact.role, one.fact.role_from = "validation", "use"
    steps = run.session.step
    for scheduler in recipe.schedulers:
        turns = run.schedulers.steps.get(id(scheduler), 0)  # type: ignore[attr-defined]
        scheduler.stepped = "batch" if steps > 2 and turns >= 0.9 * steps else "epoch" if turns else "never" if complete else "unknown"
        watched = [one for one in run.optimizers.watched.values() if one.fact is scheduler.optimizer and one.rates]  # type: ignore[attr-defined]
        for one in watched:
            initial = one.optimizer.param_groups[0].get("initial_lr")
            if isinstance(initial, float) and initial > 0 and one.rates[0].values:
                scheduler.factor = max(one.rates[0].values) / initial
    if not complete:
        for listing in (
            recipe.saves,
            recipe.restores,
            recipe.early_stopping,
            recipe.splits,
            recipe.fitted,
            recipe.transforms,
            recipe.hyperparameters,
        ):
            listing.complete, listing.why = False, "the run was stopped before its end"
    for listing in (recipe.splits, recipe.fitted, recipe.early_stopping, recipe.hyperparameters, recipe.transforms, recipe.saves):
        listing.complete, listing.why = False, "not watched at run time"
    recipe.steps = Known(steps) if complete else Unknown("the run was stopped")
    kinds = [event.kind for event, _ in run.session.events]
    starts = [at for at, kind in enumerate(kinds) if kind is Kind.OPTIMIZER_STEP]
    if len(starts) > 3 and len(recipe.optimizers) == 1:
        counts = [kinds[a:b].count(Kind.BACKWARD) for a, b in itertools.pairwise(starts)]
        if min(counts) == max(counts) > 1:
            recipe.accumulation = Known(counts[0])
    try:
        run.stopping.fill()  # type: ignore[attr-defined]
    except Exception as error:
        run.session.disable("stopping", error)
    recipe.files = sorted({event.place.file for event, _ in run.session.events if event.place.file})

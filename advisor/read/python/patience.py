"""Early stopping written by hand: a counter raised when a metric does not improve, compared with a limit, ending the loop."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from advisor.model.events import Arm, Branch, Condition, Context, Event, Exit, Kind, Loop, walk
from advisor.model.pattern import pattern
from advisor.model.recipe import EarlyStopping, Flow, Loader, Role
from advisor.model.source import ABSENT, Known, Setting, Unknown
from advisor.read.python import tree

MORE = (Kind.LR_WRITE, Kind.RESTORE, Kind.FREEZE, Kind.GROUP_ADDED, Kind.SCHEDULER_STEP, Kind.BUILD)  # what is done when a stage is over
CLASS = pattern(r"^class\s+\w+[ \t]*(?:\(([^)]*)\))?[ \t]*:", re.MULTILINE)
BASES = frozenset({"", "object", "ABC", "nn.Module", "torch.nn.Module"})  # they ask an object of the program for no counter
EXTREME = pattern(r"\b(max|min|amax|amin|nanmax|nanmin)\(")


def metric_comparison(condition: Condition, counters: Collection[Any]) -> Condition | None:
    """The part of a condition that compares a metric with another value: not a modulo, not a counter with a constant or another."""
    for part in (condition, *condition.conjuncts, *condition.disjuncts):
        if part.operator in ("<", ">", "<=", ">=") and part.modulo is None:
            if part.left_flow is not None or part.right_flow is not None:
                if _is_emptiness(part):
                    continue
                return part
            sides = ((part.variable, part.left), (part.right_variable, part.right))
            if all(variable is not None and variable not in counters and not _is_whole(value) for variable, value in sides):
                return part
    return None


def _is_emptiness(part: Condition) -> bool:
    """True for a comparison with a literal zero: whether there is anything, not whether it is better than before."""
    variable, value = (part.right_variable, part.right) if part.left_flow is not None else (part.variable, part.left)
    return variable is None and isinstance(value, Known) and value.value == 0


def counters_of(nodes: Iterable[tree.Entry]) -> set[Any]:
    """The variables that count turns: raised by a constant, or bound by a loop over a range."""
    found: set[Any] = set()
    for node, _ in nodes:
        if isinstance(node, Event) and node.kind is Kind.COUNT and node.data.get("flow") is None:
            found.add(node.data["variable"])
        elif isinstance(node, Loop) and node.what == "range" and node.variable is not None:
            found.add(node.variable)
    return found


def _is_whole(value: Setting | None) -> bool:
    """True for a number that counts: a whole one, known or not."""
    if isinstance(value, Known):
        return isinstance(value.value, int) and not isinstance(value.value, bool) and value.value not in (0, 1, -1)
    return isinstance(value, Unknown) and value.type == "int"


def early_stopping(nodes: list[tree.Entry], texts: Mapping[str, str]) -> list[EarlyStopping]:
    """Patience written by hand: a counter raised when a metric does not improve, compared with a limit, ending the loop."""
    counts: dict[Any, list[tuple[Event, Context]]] = {}
    resets: dict[Any, list[tuple[Event, Context]]] = {}
    for node, context in nodes:
        if isinstance(node, Event) and node.kind is Kind.COUNT:
            counts.setdefault(node.data["variable"], []).append((node, context))
        elif isinstance(node, Event) and node.kind is Kind.RESET:
            resets.setdefault(node.data["variable"], []).append((node, context))
    counters = counters_of(nodes)
    still = _never_raised(counts, resets, counters, texts)
    found: dict[Any, EarlyStopping] = {}
    stops, steers = _flags(nodes) if counts or still else (set[Any](), set[Any]())
    for node, around in nodes if counts or still else ():
        if not isinstance(node, Branch) or node.condition is None:
            continue
        for part in tree.parts(node.condition):
            side = _limit_side(part, counts.keys() | still.keys())
            if side is None or part.modulo is not None:
                continue
            variable, limit = side
            back = {event for event, _ in resets.get(variable, [])}
            raised = [(e, c) for e, c in counts.get(variable, []) if _metric_arm(c, counters) or _way_past(e, c, counters, back)]
            if not (raised or variable in still) or variable in found:
                continue
            arm = _arm_taken(node, part)
            if arm is None:
                continue
            flags = _raised_flags(arm)
            returns_true = any(
                isinstance(e, Exit) and e.what == "return" and isinstance(e.value, Known) and e.value.value is True for e, _ in walk(arm.body)
            )
            ends = _leaves(arm) or any(e.data["variable"] in stops for e in flags) or returns_true
            if not ends and (not flags or _does_more(arm) or any(e.data["variable"] in steers for e in flags)):
                continue  # what the flag brings about is no stop: a lower rate, another stage
            context = raised[0][1] if raised else still[variable]
            if not _trains_around(context):
                continue
            metric_arm = _metric_arm(context, counters) or _way_past(raised[0][0], context, counters, back)
            assert metric_arm is not None
            branch, inside, comparison = metric_arm
            count_arm = inside if raised else next((a for a in branch.arms if a is not inside), None)  # else it stands where the metric improves
            stop = EarlyStopping(node.place, patience=limit, counter=variable, called=tree.asked_from(around))
            stop.stops = bool(ends) or not all(_unread(e, e.data.get("text", "."), texts) for e in flags)  # it may be returned among others
            stop.raised = bool(raised)
            stop.reset = any(e.data["variable"] == variable for e, _ in resets.get(variable, []))
            stop.flow = comparison.left_flow or comparison.right_flow
            stop.monitor = _named(comparison)
            stop.comparison = _improvement(branch, count_arm, comparison, nodes)
            stop.min_delta = comparison.margin or ABSENT
            stop.on = measured_on(stop.flow)
            others = [a for a in branch.arms if a is not count_arm]
            stop.saves_best = any(tree.holds(a, Kind.SAVE) for a in others)
            stop.beyond = int(part.operator in (">", "<"))
            stop.unit = _unit(context)
            found[variable] = stop
    for stop in (*_by_distance(nodes, counters), *_never_asked(counts, resets, counters, texts)):
        found.setdefault(stop.counter, stop)
    return list(found.values())


def _flags(nodes: list[tree.Entry]) -> tuple[set[Any], set[Any]]:
    """The flags whose truth ends a loop, and those whose truth does something else."""
    stops: set[Any] = set()
    steers: set[Any] = set()
    for node, _ in nodes:
        if isinstance(node, Branch):
            asked = {part.variable for part in tree.parts(node.condition) if part.variable is not None}
            if asked:
                (stops if any(_leaves(arm) for arm in node.arms) else steers).update(asked)
    return stops, steers


def _never_asked(
    counts: Mapping[Any, list[tuple[Event, Context]]],
    resets: Mapping[Any, list[tuple[Event, Context]]],
    counters: Collection[Any],
    texts: Mapping[str, str],
) -> Iterator[EarlyStopping]:
    """Counters of bad checks that an improvement sets back and that nothing ever reads."""
    for variable, places in counts.items():
        arms = [arm for _, context in places if (arm := _metric_arm(context, counters)) is not None]
        back = [arm for _, context in resets.get(variable, []) if (arm := _metric_arm(context, counters)) is not None]
        if len(arms) != len(places) or not any(branch is other and inside is not arm for branch, inside, _ in arms for other, arm, _ in back):
            continue
        event = places[0][0]
        name = event.data.get("text", "").partition(" ")[0]
        if _is_its_own(event, name, texts) and _unread(event, name, texts):
            yield EarlyStopping(event.place, counter=variable, asked=False)


def _by_distance(nodes: list[tree.Entry], counters: Collection[Any]) -> Iterator[EarlyStopping]:
    """Patience as a distance: the turn of the best result is remembered, and the turns since then are compared with a limit."""
    marks: dict[Any, tuple[Event, Context]] = {}
    for node, context in nodes:
        if isinstance(node, Event) and node.kind is Kind.ASSIGN and node.data.get("flow") is None and _metric_arm(context, counters) is not None:
            marks.setdefault(node.data["variable"], (node, context))
    stops, _ = _flags(nodes) if marks else (set[Any](), set[Any]())
    for node, _ in nodes if marks else ():
        if isinstance(node, Branch) and node.condition is not None:
            asked = [part for part in tree.parts(node.condition) if part.since in marks]
            arm = _arm_taken(node, asked[0]) if asked else None
            ends = arm is not None and (_leaves(arm) or any(e.data["variable"] in stops for e in _raised_flags(arm)))
        elif isinstance(node, Event) and node.kind is Kind.ASSIGN and node.data.get("condition") is not None:
            asked = [part for part in tree.parts(node.data["condition"]) if part.since in marks]
            ends = node.data["returned"] or node.data["variable"] in stops
        else:
            continue
        if not asked or not ends or asked[0].right is None:
            continue
        _, context = marks[asked[0].since]
        metric_arm = _metric_arm(context, counters)
        assert metric_arm is not None
        branch, better, comparison = metric_arm
        stop = EarlyStopping(node.place, patience=asked[0].right, counter=asked[0].since)
        stop.stops = stop.reset = True
        stop.flow = comparison.left_flow or comparison.right_flow
        worse = next((arm for arm in branch.arms if arm is not better), None)
        stop.comparison = _improvement(branch, worse, comparison, nodes) if worse is not None else None
        stop.min_delta = comparison.margin or ABSENT
        stop.on = measured_on(stop.flow)
        stop.saves_best = tree.holds(better, Kind.SAVE)
        stop.beyond = int(asked[0].operator == ">")
        stop.unit = _unit(context)
        yield stop


def _raised_flags(arm: Arm) -> list[Event]:
    """The flags that an arm sets to True."""
    events = (node for node, _ in walk(arm.body) if isinstance(node, Event) and node.kind is Kind.RESET)
    return [event for event in events if getattr(event.data.get("value"), "value", None) is True]


def _does_more(arm: Arm) -> bool:
    """True where an arm does something to training besides raising a flag."""
    return any(isinstance(node, Event) and node.kind in MORE for node, _ in walk(arm.body))


def _never_raised(
    counts: Collection[Any], resets: Mapping[Any, list[tuple[Event, Context]]], counters: Collection[Any], texts: Mapping[str, str]
) -> dict[Any, Context]:
    """Local names that an improvement sets to zero and that nothing else ever changes, with where."""
    found: dict[Any, Context] = {}
    for variable, events in resets.items():
        if variable in counts or any(getattr(event.data.get("value"), "value", None) != 0 for event, _ in events):
            continue
        first = events[0][0]
        name, text = first.data.get("text", "."), texts.get(first.place.file)
        inside = next((context for _, context in events if _metric_arm(context, counters) is not None), None)
        if inside is None or not inside.loops or text is None or not name.isidentifier():
            continue
        if _bound_from(inside.loops[0].place.line, name, text) <= {event.place.line for event, _ in events}:
            found[variable] = inside
    return found


def _bound_from(start: int, name: str, text: str) -> set[int]:
    """The lines from one on that may give a name a value; every line where it may be a name of another function too."""
    binds = re.compile(rf"\b{name}\b[^()\n]*(?<![=<>!])=(?!=)|\b(for|as|import)\b[^:\n]*\b{name}\b")
    shared = re.compile(rf"\b(global|nonlocal)\b.*\b{name}\b")
    return {at for at, line in enumerate(text.splitlines(), 1) if (at >= start and binds.search(line)) or shared.search(line)}


def _unread(event: Event, name: str, texts: Mapping[str, str]) -> bool:
    """True for a local name that its file mentions only where it is set or raised, and for an attribute that no file mentions elsewhere."""
    name = name.partition(" ")[0]
    attribute = name.rpartition(".")[2]
    files = list(texts.values()) if "." in name else [text for text in (texts.get(event.place.file),) if text is not None]
    if not files or not attribute.isidentifier():
        return False
    mention = re.compile(rf"""\.{attribute}\b|["']{attribute}["']""" if "." in name else rf"\b{attribute}\b")
    alone = re.compile(rf"[\w\s,.()]*\b{attribute}\b[\w\s,.()]*(:\s*\w+\s*)?\+?=(?!=)(?!.*\b{attribute}\b).*")
    lines = (line for text in files if attribute in text for line in text.splitlines() if not line.lstrip().startswith("#"))
    return all(alone.fullmatch(line) for line in lines if mention.search(line))


def _is_its_own(event: Event, name: str, texts: Mapping[str, str]) -> bool:
    """True for a local name, and for an attribute of a class behind which no other stands that may ask for it."""
    if name.isidentifier():
        return True
    before = "\n".join(texts.get(event.place.file, "").splitlines()[: event.place.line])
    bases = [match[1] or "" for match in CLASS.finditer(before)]
    return name.startswith("self.") and bool(bases) and all(base.strip() in BASES for base in bases[-1].split(","))


def _limit_side(part: Condition, counts: Collection[Any]) -> tuple[Any, Setting] | None:
    if part.operator in (">=", ">", "==") and part.variable in counts and part.right is not None:
        return part.variable, part.right
    if part.operator in ("<=", "<", "==") and part.right_variable in counts and part.left is not None:
        return part.right_variable, part.left
    return None


def _arm_taken(branch: Branch, part: Condition) -> Arm | None:
    wanted = not (branch.condition.negated if branch.condition is not None else False)
    return next((arm for arm in branch.arms if arm.taken_when is wanted), None)


def _leaves(arm: Arm) -> bool:
    return any(isinstance(node, Exit) and node.what in ("break", "return", "exit", "raise") for node, _ in walk(arm.body))


def _metric_arm(context: Context, counters: Collection[Any]) -> tuple[Branch, Arm, Condition] | None:
    """The branch on a metric comparison that a counter stands in."""
    for branch, arm in reversed(context.arms):
        if branch.condition is None:
            continue
        comparison = metric_comparison(branch.condition, counters)
        if comparison is not None:
            return branch, arm, comparison
    return None


def _way_past(event: Event, context: Context, counters: Collection[Any], back: Collection[Event]) -> tuple[Branch, Arm, Condition] | None:
    """The branch on a metric comparison that a counter stands behind, where the other way sets it back and leaves, with the arm that leads on.

    `if loss < best: best, bad = loss, 0; return False` and then `bad += 1` is what `else: bad += 1` would be.
    """
    body = tree.body_of(context)
    at = next((at for at, node in enumerate(body) if node is event), 0)
    for branch in reversed(body[:at]):
        if not isinstance(branch, Branch) or branch.condition is None or any(arm.taken_when is None for arm in branch.arms):
            continue
        left = next((arm for arm in branch.arms if arm.body), None)
        on = next((arm for arm in branch.arms if not arm.body), None)
        if left is None or on is None or not isinstance(last := left.body[-1], Exit) or last.what not in ("return", "continue"):
            continue
        comparison = metric_comparison(branch.condition, counters)
        if comparison is not None and any(node in back for node, _ in walk(left.body)):
            return branch, on, comparison
    return None


def _trains_around(context: Context) -> bool:
    """False where loops stand around and none of them trains: what counts there stops a search, a game or a walk over results."""
    loops = tree.real_loops(context)
    return not loops or any(tree.holds(loop, Kind.BACKWARD, Kind.OPTIMIZER_STEP) for loop in loops)


def _improvement(branch: Branch, count_arm: Arm | None, comparison: Condition, nodes: list[tree.Entry]) -> Any:
    """Whether improvement means smaller (<) or larger (>): which way the arm that does not count compares current with best."""
    better = next((arm for arm in branch.arms if arm is not count_arm), None)
    assigned = {
        e.data["variable"]
        for arm in branch.arms
        if arm is not count_arm
        for e, _ in walk(arm.body)
        if isinstance(e, Event) and e.kind in (Kind.ASSIGN, Kind.RESET)
    }
    symbol = (comparison.operator or "")[0]
    if symbol not in "<>" or better is None or better.taken_when is None:
        return None
    holds = better.taken_when != comparison.negated
    if comparison.right_variable in assigned:
        smaller = symbol == "<"
    elif comparison.variable in assigned:
        smaller = symbol == ">"
    elif EXTREME.search(comparison.text.partition(symbol)[2 if comparison.left_flow is not None else 0]):
        smaller = (symbol == "<") == (comparison.left_flow is not None)  # the best is the extreme of a list: `loss < min(losses)`
    else:
        return None
    return "<" if smaller == holds else ">"


def _named(comparison: Condition) -> Setting:
    """The name of a measurement of the project's own, of which it is not known what it measures."""
    flow, variable = (comparison.left_flow, comparison.variable) if comparison.left_flow else (comparison.right_flow, comparison.right_variable)
    if flow is None or flow.metric is not None or flow.direction is not None or not isinstance(variable, tuple):
        return ABSENT
    return Known(variable[-1]) if isinstance(variable[-1], str) else ABSENT


def measured_on(flow: Flow | None) -> Role:
    """The role of the data that a number was measured on, once the roles of all loaders are known."""
    if flow is None:
        return "unknown"
    roles = {s.role for s in (flow.source, *flow.sources) if isinstance(s, Loader)}
    return roles.pop() if len(roles) == 1 else "unknown"


def _unit(context: Context) -> Any:
    loops = tree.real_loops(context)
    if not loops:
        return "unknown"
    inner = loops[-1]
    if not tree.holds(inner, Kind.BACKWARD, Kind.OPTIMIZER_STEP):
        return "unknown"
    each = "batch" if any(loop.over is not None or loop.what == "loader" for loop in loops) else "epoch"  # also where a batch is stepped on twice
    guarded = any(branch.condition is not None and tree.modulo_of(branch.condition) is not None for branch, _ in context.arms)
    return "evaluation" if guarded and not tree.steps_directly(inner) else each

"""A best score that is compared with and never raised, or that holds the score it is compared with."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.best import comparison, decision
from advisor.model.events import Branch, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.pattern import pattern
from advisor.model.recipe import Recipe

OWN_EXTREME = pattern(  # the last of a list against the extreme of all of it, which no number is beyond
    r"(?P<below>[\w.]+)\[-1\] < (?:np\.|numpy\.)?min\((?P=below)\)|(?P<above>[\w.]+)\[-1\] > (?:np\.|numpy\.)?max\((?P=above)\)"
    r"|(?:np\.|numpy\.)?min\((?P<over>[\w.]+)\) > (?P=over)\[-1\]|(?:np\.|numpy\.)?max\((?P<under>[\w.]+)\) < (?P=under)\[-1\]"
)
WRITES = (Kind.ASSIGN, Kind.RESET, Kind.COUNT, Kind.KEEP)


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each save under a comparison of a metric with a variable that nothing in the program writes in a loop."""
    seen: set[Branch] = set()
    for _, context in events(recipe.tree, Kind.SAVE):
        compared = comparison(context)
        if compared is not None and compared[0] not in seen and OWN_EXTREME.fullmatch(compared[2].text):
            seen.add(compared[0])
            yield ctx.finding("own-extreme", at=compared[0], condition=compared[2].text)
        found = decision(context)
        if found is None or found.branch in seen or cadence(context) == "once":
            continue
        seen.add(found.branch)
        if not any(event.data.get("variable") == found.best for event, _ in events(recipe.tree, *WRITES)):
            yield ctx.finding("never-raised", at=found.branch, condition=found.condition.text)

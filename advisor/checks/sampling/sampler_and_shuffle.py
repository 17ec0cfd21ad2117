"""A loader that is given both a sampler and shuffle=True, which torch refuses."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loader
from advisor.model.source import Known, OneOf, Option, Setting


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """Both on the same path: shuffle must be on whatever the flags, and not follow from the sampler."""
    shuffle = loader.settings.get("shuffle")
    if not isinstance(shuffle, Known) or shuffle.value is not True:
        return
    for name in ("sampler", "batch_sampler"):
        alternatives = options(loader.settings.get(name))
        given = [option for option in alternatives if is_given(option)]
        if not given:
            continue
        by_default = given[0] is alternatives[0]
        if by_default or not shuffle.weak:
            flag = loader.when if by_default else given[0].when or "a flag"
            yield ctx.finding("under-a-flag" if flag else "always", at=loader, sampler=name, flag=flag or "")
            return


def options(setting: Setting | None) -> tuple[Option, ...]:
    """The alternatives of a setting; one without a condition when there is a single value."""
    if isinstance(setting, OneOf):
        return setting.options
    return (Option(setting),) if isinstance(setting, Known) else ()


def is_given(option: Option) -> bool:
    """True for a sampler, false for None."""
    return isinstance(option.value, Known) and option.value.value is not None and option.value.value is not False

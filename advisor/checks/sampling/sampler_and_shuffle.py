"""A loader that is given both a sampler and shuffle=True, which torch refuses."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loader
from advisor.model.source import Known, OneOf, Option, Setting


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """Both on the same path: by default, or under the same condition."""
    for name in ("sampler", "batch_sampler"):
        for shuffle in options(loader.settings.get("shuffle")):
            for sampler in options(loader.settings.get(name)):
                if not (is_true(shuffle) and is_given(sampler) and together(shuffle.when, sampler.when)):
                    continue
                flag = sampler.when or loader.when
                yield ctx.finding("under-a-flag" if flag else "always", at=loader, sampler=name, flag=flag or "")
                return


def options(setting: Setting | None) -> tuple[Option, ...]:
    """The alternatives of a setting; one without a condition when there is a single value."""
    if isinstance(setting, OneOf):
        return setting.options
    return (Option(setting),) if isinstance(setting, Known) else ()


def is_true(option: Option) -> bool:
    """True for shuffle=True."""
    return isinstance(option.value, Known) and option.value.value is True


def is_given(option: Option) -> bool:
    """True for a sampler, false for None."""
    return isinstance(option.value, Known) and option.value.value is not None and option.value.value is not False


def together(shuffle: str | None, sampler: str | None) -> bool:
    """True when both hold on one path: shuffle always, or under the sampler's own condition."""
    return shuffle is None or shuffle == sampler

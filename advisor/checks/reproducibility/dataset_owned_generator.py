"""Random numbers that every worker of a loader draws alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loader
from advisor.model.source import Known, Link, Setting, candidates, is_absent, is_unknown, value_of


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """A loader with workers over a data set that made its numpy generator once."""
    dataset = loader.dataset
    while dataset is not None and dataset.generator is None:
        dataset = dataset.origin
    if dataset is None or dataset.generator is None or not _left_out(loader.settings.get("worker_init_fn")):
        return
    workers = loader.settings.get("num_workers")
    if is_unknown(workers):
        ctx.skip("the number of workers is not known", loader)
    for index, known in enumerate(candidates(workers)):
        if isinstance(known.value, int) and known.value > 0:
            made = dataset.generator
            evidence = [Link(loader.place.file, loader.place.line, f"num_workers={known.value}")]
            values: dict[str, Any] = {"workers": known.value, "dataset": dataset}
            case = "kept" if value_of(loader.settings.get("persistent_workers")) else "owned"
            yield ctx.finding(case, at=made, evidence=evidence, value_from=known, confidence=None if index == 0 else "medium", **values)
            return


def _left_out(setting: Setting | None) -> bool:
    return is_absent(setting) or (isinstance(setting, Known) and setting.value is None)

"""Watches who seeds random numbers."""

from __future__ import annotations

import random
from typing import Any

import torch

from advisor.model.events import Kind
from advisor.probe.run import Run

CHOSEN = 2**32  # a generator that nobody seeded starts from 64 random bits, and people choose smaller numbers


def install(run: Run) -> None:
    """Wrap the global seed calls of torch, numpy and random; a seed that was set before this began counts too."""
    if torch.initial_seed() < CHOSEN:
        place = run.recipe.place or run.session.places.nowhere
        run.emit(Kind.SEED, place, run.inventory.seed("torch", torch.initial_seed(), place))
    depth = [0]

    def seeding(library: str) -> Any:
        def wrapper(original: Any) -> Any:
            def seed(*args: Any, **kwargs: Any) -> Any:
                depth[0] += 1
                try:
                    return original(*args, **kwargs)
                finally:
                    depth[0] -= 1
                    if depth[0] == 0:
                        run.session.watch("seeds", seen, library, args, kwargs)

            return seed

        return wrapper

    def seen(library: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        value = args[0] if args else next(iter(kwargs.values()), None)
        place = run.session.places.here()
        run.emit(Kind.SEED, place, run.inventory.seed(library, value, place))

    for owner in (torch, torch.random):
        run.session.patches.wrap(owner, "manual_seed", seeding("torch"))
    for name in ("manual_seed", "manual_seed_all"):
        run.session.patches.wrap(torch.cuda, name, seeding("cuda"))
    run.session.patches.wrap(random, "seed", seeding("python"))
    try:
        import sys

        numpy = sys.modules.get("numpy")
        if numpy is not None:
            run.session.patches.wrap(numpy.random, "seed", seeding("numpy"))
    except AttributeError:
        pass

"""The instruments: one file each, installed when the script's own `import torch` has returned, undone at the end."""

from __future__ import annotations

from advisor.probe import compiling
from advisor.probe.run import Run


def install(run: Run) -> None:
    """Install every instrument that is not switched off."""
    from advisor.probe.hooks import (
        backward,
        by_hand,
        checkpoints,
        clipping,
        labelled,
        loaders,
        losses,
        modules,
        optimizers,
        pretrained,
        ranks,
        scaling,
        schedulers,
        seeds,
        starts,
        stopping,
    )

    first = (seeds, starts, pretrained, modules, labelled, losses, backward, clipping)
    for instrument in (*first, scaling, optimizers, schedulers, loaders, checkpoints, ranks, stopping, by_hand):
        try:
            instrument.install(run)
        except Exception as error:
            run.session.disable(instrument.__name__.rsplit(".", 1)[-1], error)
    try:
        compiling.install(run.session.patches)
    except Exception as error:
        run.session.disable("compiling", error)

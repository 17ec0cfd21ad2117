"""Watches data loaders: who iterates them, the batches they give, and (through validation) where they end."""

from __future__ import annotations

import ctypes
import hashlib
from typing import Any

import torch

from advisor.model.events import Kind
from advisor.model.recipe import Loader
from advisor.model.record import dataclass, field
from advisor.model.source import Place
from advisor.probe.run import Run, tensors
from advisor.probe.session import Stop

WHOLE = 16_384  # numbers of a tensor beyond which only a part goes into its digest


@dataclass(eq=False)
class Pass:
    """One way through a loader."""

    loader: Any
    fact: Loader
    place: Place
    number: int
    batches: int = 0
    rows: int | None = None  # samples in the batch under way
    backwards: int = 0
    over: bool = False
    signatures: list[str] = field(default_factory=list)
    yields: list[int] = field(default_factory=list)  # number of events before each batch
    indices: list[Any] = field(default_factory=list)
    labels: list[torch.Tensor] = field(default_factory=list)  # one whole number for each sample of the batch under way

    def trained(self) -> None:
        """A backward ran on a batch of this pass."""
        self.backwards += 1


def signature(batch: Any) -> str:
    """A digest of the tensors of a batch that is in main memory, of a part of large ones; empty when there is none."""
    digest = hashlib.blake2b(digest_size=8)
    seen = False
    for tensor in tensors(batch)[:4]:
        if tensor.device.type == "cpu" and tensor.layout is torch.strided and tensor.numel():
            flat = tensor.detach().reshape(-1) if tensor.is_contiguous() else tensor.detach().contiguous().reshape(-1)
            few = flat if flat.numel() <= WHOLE else flat[:: (flat.numel() // WHOLE) | 1].contiguous()  # an odd stride meets every column of images
            if few.data_ptr() == 0:  # a tensor without memory of its own: fake, or a wrapper
                continue
            digest.update(ctypes.string_at(few.data_ptr(), few.numel() * few.element_size()))  # torch may be there without numpy
            digest.update(str(tuple(tensor.shape)).encode())
            seen = True
    return digest.hexdigest() if seen else ""


class Loaders:
    """All passes over all loaders."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.passes: list[Pass] = []
        self.by_iterator: dict[int, tuple[Any, Pass]] = {}
        self.evaluating: Pass | None = None
        self.epochs_after = 0

    def built(self, original: Any) -> Any:
        """Wraps DataLoader.__init__: where a loader was made."""

        def __init__(loader: Any, *args: Any, **kwargs: Any) -> None:
            original(loader, *args, **kwargs)
            self.run.session.watch("loaders", self._built, loader)

        return __init__

    def _built(self, loader: Any) -> None:
        place = self.run.session.places.here()
        self.run.inventory.built[loader] = place
        self.run.emit(Kind.BUILD, place, self.run.inventory.loader(loader))

    def iterating(self, original: Any) -> Any:
        """Wraps DataLoader.__iter__: a pass over the loader begins."""

        def __iter__(loader: Any) -> Any:
            iterator = original(loader)
            self.run.session.watch("loaders", self._begun, loader, iterator)
            return iterator

        return __iter__

    def _begun(self, loader: Any, iterator: Any) -> None:
        begun = Pass(loader, self.run.inventory.loader(loader), self.run.session.places.here(), len(self.passes))
        self.passes.append(begun)
        self.by_iterator[id(iterator)] = (iterator, begun)
        begun.fact.iterated += 1

    def next(self, original: Any) -> Any:
        """Wraps the iterators' __next__: a batch is given, or the pass ends; here the script leaves when there were enough steps."""

        def __next__(iterator: Any) -> Any:
            run = self.run
            if not run.usable() or not run.session.on("loaders"):
                return original(iterator)
            run.pass_by()
            run.session.leave()
            if run.session.done_at is not None and self._exhausted(iterator):
                run.session.watch("loaders", self._ended, iterator)
                raise StopIteration
            try:
                batch = original(iterator)
            except StopIteration:
                run.session.watch("loaders", self._ended, iterator)
                raise
            run.session.watch("loaders", self._given, iterator, batch)
            return batch

        return __next__

    def _given(self, iterator: Any, batch: Any) -> None:
        run = self.run
        known = self.by_iterator.get(id(iterator))
        if known is None:
            return
        now = known[1]
        run.just_ended = None
        while run.passes and run.passes[-1] is not now and now in run.passes:
            run.passes.pop()
        if now not in run.passes:
            run.passes.append(now)
            del run.passes[:-4]
        now.yields.append(len(run.session.events))
        now.batches += 1
        found = tensors(batch)
        now.rows = int(found[0].shape[0]) if found and found[0].dim() else None
        now.labels = [one for one in found if one.numel() == now.rows and not one.is_floating_point()]
        if len(now.signatures) < 400:
            now.signatures.append(signature(batch))

    def _ended(self, iterator: Any) -> None:
        known = self.by_iterator.pop(id(iterator), None)
        if known is None:
            return
        now = known[1]
        now.over = True
        run = self.run
        run.just_ended = None if now.backwards else now
        if now in self.run.passes:
            del self.run.passes[self.run.passes.index(now) :]
        if self.evaluating is now:
            self.evaluating = None
            self.run.evaluated = True

    def _exhausted(self, iterator: Any) -> bool:
        """Through validation: training passes end after the steps, an evaluation pass after as many batches, then the script."""
        run = self.run
        known = self.by_iterator.get(id(iterator))
        if known is None:
            return False
        now = known[1]
        trains = now.backwards > 0 or any(other.fact is now.fact and other.backwards for other in self.passes)
        if not trains:
            if now.batches >= run.session.request.steps:
                return True
            self.evaluating = now
            return False
        if now.backwards:
            return True
        if run.evaluated or self.epochs_after > 20:
            run.session.stopping = "steps"
            run.session.leave()
            raise Stop("steps")
        if now.batches >= 1:
            self.epochs_after += 1
            return True
        return False


def install(run: Run) -> None:
    """Wrap construction and iteration; worker processes keep the originals' behaviour (other process, other thread)."""
    loaders = Loaders(run)
    run.loaders = loaders  # type: ignore[attr-defined]
    from torch.utils.data import dataloader

    patches = run.session.patches
    patches.wrap(dataloader.DataLoader, "__init__", loaders.built)
    patches.wrap(dataloader.DataLoader, "__iter__", loaders.iterating)
    patches.wrap(dataloader._BaseDataLoaderIter, "__next__", loaders.next)

"""Watches weights being written and loaded."""

from __future__ import annotations

from typing import Any

import torch

from advisor.model.events import Kind
from advisor.model.recipe import Restore, Save
from advisor.model.source import Known
from advisor.model.trace import Loaded
from advisor.probe.inventory import setting
from advisor.probe.journal import note
from advisor.probe.run import Run


def install(run: Run) -> None:
    """Wrap torch.save, torch.load and load_state_dict."""
    nested = [0]

    def saving(original: Any) -> Any:
        def save(obj: Any, f: Any, *args: Any, **kwargs: Any) -> Any:
            note(f)
            result = original(obj, f, *args, **kwargs)
            run.session.watch("checkpoints", saved, obj, f)
            return result

        return save

    def saved(obj: Any, f: Any) -> None:
        place = run.session.places.here()
        parts = {str(key): "unknown" for key in obj} if isinstance(obj, dict) and len(obj) < 40 else {"": "unknown"}
        fact = Save(place, parts=parts, complete=False, path=setting(str(f)) if isinstance(f, str) else Known(str(f)))
        run.emit(Kind.SAVE, place, fact)

    def loading(original: Any) -> Any:
        def load(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if run.session.on("checkpoints") and run.session.step == 0:
                run.weights_loaded = True
            return result

        return load

    def restoring(original: Any) -> Any:
        def load_state_dict(module: Any, *args: Any, **kwargs: Any) -> Any:
            nested[0] += 1
            result = None
            try:
                result = original(module, *args, **kwargs)
            finally:
                nested[0] -= 1
                if not nested[0]:
                    run.session.watch("checkpoints", restored, module, args[0] if args else kwargs.get("state_dict"), result)
            return result

        return load_state_dict

    def restored(module: Any, state: Any, result: Any) -> None:
        place = run.session.places.here()
        run.pretrained.restored(module, state)  # type: ignore[attr-defined]
        unexpected, missing = getattr(result, "unexpected_keys", ()), getattr(result, "missing_keys", ())
        if unexpected and missing and isinstance(state, dict):
            given = len(state)
            run.loaded.append(Loaded(place, type(module).__name__, given, given - len(unexpected), unexpected[0], missing[0]))
        fact = Restore(place, complete=False, module=run.inventory.facts.get(id(module)))
        run.recipe.restores.items.append(fact)
        run.emit(Kind.RESTORE, place, fact)

    patches = run.session.patches
    patches.wrap(torch, "save", saving)
    patches.wrap(torch.serialization, "save", saving)
    patches.wrap(torch, "load", loading)
    patches.wrap(torch.serialization, "load", loading)
    patches.wrap(torch.nn.Module, "load_state_dict", restoring)

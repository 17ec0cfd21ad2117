"""Whether a program moves anything but its models to a device, as its text tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.source import Known

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

# What may move a tensor, make one elsewhere, or find it there.
_MOVES = pattern(r"\.(?:to|type|type_as|new\w*|prepare\w*)\b|cuda|xpu|mps|device|torch\.load|torch\.jit|_like\(|accelerat|[Pp]arallel|fetch")
_ASKS = pattern(
    r"^\s*(?:from|import|print|def)\b|torch\.device\(|CUDA_VISIBLE_DEVICES"
    r"|\.(?:is_available|device_count|manual_seed\w*|empty_cache|synchronize|current_\w+|get_device_\w+|set_device|max_memory\w+|reset_peak\w+)\("
    r"|cudnn|^\s*(?:[\w.]+\.)?(?:use_)?(?:cuda|device)\w*\s*=\s*(?:[\"']|True|False)"
)


def note(reader: Reader) -> None:
    """Looks where a model is moved and all files were read: each other line that speaks of devices may be one that moves the data."""
    recipe = reader.recipe
    if not any(module.on_accelerator for module in recipe.modules):
        return
    known = {(module.placed.file, module.placed.line) for module in recipe.modules if module.placed is not None}
    known |= {(loss.place.file, loss.place.line) for loss in recipe.losses}
    for restore in recipe.restores:  # weights are loaded into a model, wherever they were
        path = restore.path.place if isinstance(restore.path, Known) else None
        known |= {(place.file, place.line) for place in (restore.place, path) if place is not None}
    files = [file for file in recipe.files if file.endswith(".py")]
    recipe.moves_data = len(files) < len(recipe.files) or any(
        _MOVES.search(code) and not _ASKS.search(code) and (file, number) not in known
        for file in files
        for number, line in enumerate(reader.project.lines(file), 1)
        if (code := line.partition("#")[0])
    )

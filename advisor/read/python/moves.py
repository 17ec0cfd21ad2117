"""What may move models and data to a device without a call that is seen, as the text of a program tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.model.events import Event, Kind
from advisor.model.pattern import pattern
from advisor.model.recipe import Module
from advisor.model.source import Known

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader
    from advisor.read.python.tree import Entry

# What may move a tensor, make one elsewhere, or find it there.
_MOVES = pattern(r"\.(?:to|type|type_as|new\w*|prepare\w*)\b|cuda|xpu|mps|device|torch\.load|torch\.jit|_like\(|accelerat|[Pp]arallel|fetch")
_ASKS = pattern(
    r"^\s*(?:from|import|print|def)\b|torch\.device\(|CUDA_VISIBLE_DEVICES"
    r"|\.(?:is_available|device_count|manual_seed\w*|empty_cache|synchronize|current_\w+|get_device_\w+|set_device|max_memory\w+|reset_peak\w+)\("
    r"|cudnn|^\s*(?:[\w.]+\.)?(?:use_)?(?:cuda|device)\w*\s*=\s*(?:[\"']|True|False)"
)
# Words among these that say nothing of it.
_OTHERS = pattern(r"\bImage\.new\(|\b(?:np|numpy)\.\w+_like\(|\bprefetch_factor\b|\bfetch_\w+\(")


# What moves models, or makes them where they belong, without a call that is seen.
_UNSEEN = pattern(
    r"set_default_(?:device|tensor_type)|with [\w.]*device\b|device_map|\._apply\(|Accelerator|\.to_empty|[Dd]evice_?[Mm]esh|assign\s*=\s*True"
)
_OF_STATE = pattern(r"\w\.state(?!\w)|[\"']state[\"']\]")  # optimizer.state, or what its state_dict() holds
_OF_DEVICES = pattern(r"\bdevice\b|\.cuda\(|\.to\(|\.cpu\(")
MOVERS = frozenset({"accelerate", "deepspeed", "lightning", "pytorch_lightning", "ignite", "torch_xla", "ray", "horovod", "fastai", "colossalai"})


def note(reader: Reader, nodes: list[Entry]) -> None:
    """Looks where a batch is moved to an accelerator, or a model is."""
    recipe = reader.recipe
    forwards = [node for node, _ in nodes if isinstance(node, Event) and node.kind is Kind.FORWARD and isinstance(node.subject, Module)]
    given = {node.subject for node in forwards if node.data["input"] is not None and node.data["input"].placed is not None}
    left_behind = [restore for restore in recipe.restores if restore.left_behind is not None]
    if given or left_behind:
        texts = [source.text for source in reader.modules.values()]
        recipe.moved_unseen = not MOVERS.isdisjoint(reader.imported) or any(map(_UNSEEN.search, texts))
        if left_behind and any(map(_OF_STATE.search, texts)):
            for restore in left_behind:
                restore.left_behind = None  # it may be moved by hand
        for part in {part for module in given for part in module.walk() if part.user_class}:
            part.minds_devices = _minds_devices(reader, part.name)
    if any(module.on_accelerator for module in recipe.modules):
        recipe.moves_data = _moves_data(reader)


def _minds_devices(reader: Reader, name: str) -> bool:
    """True where a class of this name speaks of devices, or cannot be found."""
    texts = [
        "\n".join(source.lines[node.lineno - 1 : node.end_lineno])
        for source in reader.modules.values()
        for node in source.tree.body
        if getattr(node, "name", None) == name
    ]
    return not texts or any(map(_OF_DEVICES.search, texts))


def _moves_data(reader: Reader) -> bool:
    """False where all files were read, and no line but those that move a model speaks of devices."""
    recipe = reader.recipe
    known = {(module.placed.file, module.placed.line) for module in recipe.modules if module.placed is not None}
    known |= {(loss.place.file, loss.place.line) for loss in recipe.losses}
    for restore in recipe.restores:  # weights are loaded into a model, wherever they were
        path = restore.path.place if isinstance(restore.path, Known) else None
        known |= {(place.file, place.line) for place in (restore.place, path) if place is not None}
    files = [file for file in recipe.files if file.endswith(".py")]
    return len(files) < len(recipe.files) or any(
        _MOVES.search(code) and not _ASKS.search(code) and (file, number) not in known and _MOVES.search(_OTHERS.sub("", code))
        for file in files
        for number, line in enumerate(reader.project.lines(file), 1)
        if (code := line.partition("#")[0])
    )

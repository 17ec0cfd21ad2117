"""Layers that behave differently in training and in evaluation, by what a model holds."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.model.pattern import pattern
from advisor.model.recipe import FunctionalDropout, Module, Recipe
from advisor.model.source import Absent, Known, first, value_of

BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d")
DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout", "DropPath", "StochasticDepth")
# Families of Transformers whose published configs drop at 0.1 (`configuration_*.py` of 4.57); vision models, Whisper and Llama drop nothing.
DROPPING = pattern(
    r"(?<![a-z])(distil|xlm-?|m|ro|cam(em)?|sci|fin|clinical|bio_?)?(bert|roberta|electra|deberta|xlnet|gpt2|bart|pegasus|marian|t5|wav2vec2|hubert)"
)
STEADY = pattern(r"modernbert|neobert|albert|t5gemma")  # theirs drop nothing
RECURRENT = ("LSTM", "GRU", "RNN")
WITH_DROPOUT = ("TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer", "MultiheadAttention", *RECURRENT)


def batch_norms(module: Module) -> list[Module]:
    """The batch norms below a module that keep running statistics."""
    return [layer for layer in module.layers(*BATCH_NORMS) if _given(layer, "track_running_stats") is not False]


def trained_batch_norms(modules: Iterable[Module], chosen: bool) -> list[Module]:
    """The batch norms that are trained with these modules: those that are built by default, where there are some; of those behind flags none where
    what is asked of them was `chosen` as a default too, since whoever takes the other network sets it for that one."""
    norms = [norm for module in modules if module.trainable != "no" for norm in batch_norms(module) if norm.trainable != "no"]
    by_default = [norm for norm in norms if not norm.flag_off]
    return by_default if by_default or chosen else norms


def dropouts(module: Module) -> list[Module]:
    """The layers below a module that drop at random in training."""
    plain = [layer for layer in module.layers(*DROPOUTS) if _given(layer, "p") != 0]
    return plain + [layer for layer in module.layers(*WITH_DROPOUT) if _given(layer, "dropout") not in (None, 0) and not one_level(layer)]


def one_level(layer: Module) -> bool:
    """True for a recurrent layer of one level: its dropout stands between levels, and drops nothing."""
    return layer.name in RECURRENT and layer.kind.startswith("torch.nn.") and _given(layer, "num_layers") == 1


def pretrained_dropouts(module: Module) -> list[Module]:
    """The models of Transformers below a module whose published weights come with dropout, by their class or by the name of the weights."""
    return [part for part in module.walk() if part.kind.startswith("transformers.") and _drops(part)]


def _drops(model: Module) -> bool:
    settings = model.settings
    if any("drop" in name and value_of(value) == 0 for name, value in settings.items()):
        return False
    words = f"{model.name} {value_of(settings.get('checkpoint'))}".lower()
    return DROPPING.search(words) is not None and STEADY.search(words) is None


def mode_matters(module: Module, recipe: Recipe) -> bool | None:
    """Whether train mode and eval mode differ for a model; None when not every layer is known, which of them are built, or whose functional
    dropout it is."""
    layers = frozenset((*batch_norms(module), *dropouts(module), *pretrained_dropouts(module)))
    if layers and _surely_holds(module, layers, {}):
        return True
    if any(_follows_mode(dropout) for dropout in recipe.dropouts) and any(part.user_class for part in module.walk()):
        return True if sum(model.user_class for model in recipe.models) == 1 else None
    return False if module.fully_known and not layers else None


def _surely_holds(module: Module, layers: frozenset[Module], known: dict[Module, bool]) -> bool:
    """True when one of these layers is in a module whatever the program is told: not where only an option brings it in, but one of each choice."""
    if module in layers:
        return True
    if module in known:
        return known[module]
    known[module] = False
    choices: dict[str, list[Module]] = {}
    for name, child in module.children.items():
        choices.setdefault(name.partition("|")[0], []).append(child)
    for children in choices.values():
        held = [child for child in children if _surely_holds(child, layers, known)]
        if any(child.when in (None, module.when) for child in held) or len(held) == len(children) > 1:
            known[module] = True
    return known[module]


def _follows_mode(dropout: FunctionalDropout) -> bool:
    """True for a functional dropout that is told the mode, `training=self.training`."""
    return getattr(dropout.p, "value", None) != 0 and not dropout.flag_off and not isinstance(dropout.training, (Absent, Known))


def _given(layer: Module, name: str) -> object:
    return getattr(first(layer.settings.get(name)), "value", None)

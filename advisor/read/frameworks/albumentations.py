"""Albumentations: pipelines and their steps; what Normalize takes when it is told nothing."""

from __future__ import annotations

from advisor.model.pipelines import note_again
from advisor.model.source import value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torchvision.transforms import one_step, steps_of
from advisor.read.python.values import Value, setting

PIPELINES = ("Compose", "Sequential", "ReplayCompose")
HOLDERS = ("OneOf", "SomeOf", "OneOrOther", "RandomOrder")  # steps that hold steps
NORMALIZE = "mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), max_pixel_value=255.0, normalization='standard', p=1.0"
VERSION = "Albumentations 2.0"


@table.prefix("albumentations")
def transform(call: LibraryCall) -> Value | None:
    """A.Compose([A.Resize(256, 256), A.HorizontalFlip(p=0.5), ToTensorV2()]), or one of its steps."""
    name = call.name.rpartition(".")[2]
    if not name[:1].isupper():
        return None
    if name in PIPELINES:
        steps = steps_of(call.get("transforms", 0))
        note_again(steps)
        return call.reader.instance(call.name, role="transform", node=call.node, data={"steps": steps})
    if name in HOLDERS:
        for step in steps_of(call.get("transforms", 0)) or ():
            step.weighed = True
    settings = {key: setting(value) for key, value in call.arguments.keywords.items() if key not in ("transforms", "first", "second")}
    if name == "Normalize":
        settings = call.settings(signature(NORMALIZE), version=VERSION)
        if value_of(settings["normalization"]) != "standard":
            del settings["mean"], settings["std"]  # each image by its own numbers
    return one_step(call, settings, name in HOLDERS)

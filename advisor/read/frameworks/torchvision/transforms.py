"""torchvision.transforms, of both versions: pipelines and their steps."""

from __future__ import annotations

from typing import Any

from advisor.model.pipelines import note_again
from advisor.model.recipe import Flow, Transform
from advisor.model.record import replace
from advisor.model.source import Setting
from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flow_of
from advisor.read.python.values import Instance, Sequence, Tensor, Union, Value, setting

SIGNATURES = {
    "Normalize": "mean, std, inplace=False",
    "Resize": "size, interpolation='bilinear', max_size=None, antialias=True",
    "CenterCrop": "size",
    "RandomCrop": "size, padding=None, pad_if_needed=False, fill=0, padding_mode='constant'",
    "RandomResizedCrop": "size, scale=(0.08, 1.0), ratio=(0.75, 1.3333333333333333), interpolation='bilinear', antialias=True",
    "RandomHorizontalFlip": "p=0.5",
    "RandomVerticalFlip": "p=0.5",
    "RandomGrayscale": "p=0.1",
    "RandomInvert": "p=0.5",
    "RandomEqualize": "p=0.5",
    "RandomAutocontrast": "p=0.5",
    "RandomSolarize": "threshold, p=0.5",
    "RandomPosterize": "bits, p=0.5",
    "RandomAdjustSharpness": "sharpness_factor, p=0.5",
    "RandomPerspective": "distortion_scale=0.5, p=0.5, interpolation='bilinear', fill=0",
    "RandomErasing": "p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False",
    "RandomRotation": "degrees, interpolation='nearest', expand=False, center=None, fill=0",
    "RandomAffine": "degrees, translate=None, scale=None, shear=None, interpolation='nearest', fill=0, center=None",
    "ColorJitter": "brightness=0, contrast=0, saturation=0, hue=0",
    "GaussianBlur": "kernel_size, sigma=(0.1, 2.0)",
    "RandAugment": "num_ops=2, magnitude=9, num_magnitude_bins=31",
    "TrivialAugmentWide": "num_magnitude_bins=31",
    "AutoAugment": "policy='imagenet'",
    "AugMix": "severity=3, mixture_width=3, chain_depth=-1, alpha=1.0, all_ops=True",
    "Grayscale": "num_output_channels=1",
    "Pad": "padding, fill=0, padding_mode='constant'",
    "ConvertImageDtype": "dtype",
    "ToDtype": "dtype, scale=False",
    "Lambda": "lambd",
    "LinearTransformation": "transformation_matrix, mean_vector",
    "ElasticTransform": "alpha=50.0, sigma=5.0, interpolation='bilinear', fill=0",
    "MixUp": "*, alpha=1.0, num_classes=None, labels_getter='default'",
    "CutMix": "*, alpha=1.0, num_classes=None, labels_getter='default'",
    "GaussianNoise": "mean=0.0, sigma=0.1, clip=True",
    "RandomApply": "transforms, p=0.5",
    "RandomChoice": "transforms, p=None",
    "RandomOrder": "transforms",
}
HOLDERS = ("RandomApply", "RandomChoice", "RandomOrder")  # steps that hold steps


def steps_of(value: Value | None) -> list[Transform] | None:
    """The steps of a pipeline, in order; None when one of them could not be read."""
    if isinstance(value, Union):
        value = value.members[0]
    if isinstance(value, Sequence):
        if not value.exact:
            return None
        found: list[Transform] = []
        for item in value.items:
            steps = steps_of(item)
            if steps is None:
                return None
            found += steps
        return found
    if isinstance(value, Instance):
        held = value.data.get("steps")
        if value.role == "transform":
            return list(held) if held is not None else [value.fact] if isinstance(value.fact, Transform) else None
        if value.role == "module" and value.kind == "torch.nn.Sequential":
            return steps_of(Sequence("list", {"items": tuple(value.data.get("items") or ()), "exact": bool(value.data.get("exact", True))}))
        if value.cls is not None:
            return [Transform(value.place, kind=value.cls.name)] if value.place is not None else None
    return None


def one_step(call: LibraryCall, settings: dict[str, Setting], holds: bool) -> Value:
    """Registers one step of a pipeline, whatever library it is from; with those inside where it `holds` some."""
    fact = call.reader.record(Transform(call.place, kind=call.name, settings=settings))
    data: dict[str, Any] = {}
    if holds:
        inner = steps_of(call.get("transforms", 0))
        data["steps"] = [fact, *inner] if inner is not None else None
    return call.reader.instance(call.name, role="transform", fact=fact, node=call.node, data=data)


def step(call: LibraryCall) -> Value:
    """One step, or a pipeline of them."""
    name = call.name.rpartition(".")[2]
    if name in ("Compose", "Sequential"):
        steps = steps_of(call.get("transforms", 0))
        note_again(steps)
        return call.reader.instance(call.name, role="transform", node=call.node, data={"steps": steps, "whole": steps is not None})
    text = SIGNATURES.get(name)
    if text is not None:
        settings = {key: value for key, value in call.settings(signature(text)).items() if key != "transforms"}
    else:
        settings = {key: setting(value) for key, value in call.arguments.keywords.items()}
    return one_step(call, settings, name in HOLDERS)


@table.prefix("torchvision.transforms")
def transform(call: LibraryCall) -> Value | None:
    """transforms.Compose([...]), transforms.RandomCrop(32, padding=4)"""
    last = call.name.rpartition(".")[2]
    if ".functional." in call.name:
        flow = flow_of(call.arguments.positional[0]) if call.arguments.positional else None
        return Tensor(replace(flow, activation=None, part=()) if flow is not None else Flow(graph="none"))
    if not last[:1].isupper() or last in ("InterpolationMode", "AutoAugmentPolicy"):
        return None
    return step(call)


@table.invoke("transform")
def apply(call: LibraryCall) -> Value:
    """transform(image): plain data."""
    flow = flow_of(call.arguments.positional[0]) if call.arguments.positional else None
    return Tensor(replace(flow, activation=None, part=()) if flow is not None else Flow(graph="none"))


@table.attribute("transform", "transforms")
def content(reader: Any, instance: Instance) -> Value:
    """pipeline.transforms"""
    from advisor.read.python.values import Opaque

    return Opaque("the steps of a pipeline", "list")


@table.method("transform", "__init__")
def init(call: LibraryCall) -> Value | None:
    """super().__init__() of a transform class of the project."""
    return None

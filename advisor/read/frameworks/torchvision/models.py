"""torchvision.models: what each model is made of, where its weights come from, what it computes."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Loss, Module
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Setting, Unknown, is_absent
from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flow_of, graph_of_weights, merge
from advisor.read.frameworks.torch.layer_signatures import LAYERS
from advisor.read.frameworks.torchvision.architectures import HEADS, LAYER_SETTINGS, MODELS, PARTS
from advisor.read.python.values import Arguments, Constant, Instance, Mapping, Opaque, Tensor, Value, setting

ROOT = "torchvision.models."
DETECTION = ("fasterrcnn", "maskrcnn", "keypointrcnn", "retinanet", "ssd", "fcos")
DETECTION_LOSSES = ("loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg")
CLASSES = {"segmentation": 21, "video": 400}
TUPLES = ("googlenet", "inception_v3")  # give auxiliary logits beside their own while they train


class _Builder:
    """Makes the parts of one model."""

    def __init__(self, call: LibraryCall, values: dict[str, str], classes: Setting) -> None:
        self.call, self.values, self.classes = call, values, classes

    def part(self, text: str) -> Instance:
        """A part by its text."""
        if text[0] not in "([":
            return self.layer(text)
        fact = Module(self.call.place, kind="torch.nn.Sequential")
        items: list[Value] = []
        names: list[str] = []
        for index, word in enumerate(text[1:-1].split()):
            name, _, layer = word.rpartition("=")
            made = self.layer(layer)
            names.append(name or str(index))
            items.append(made)
            if isinstance(made.fact, Module):
                fact.children[names[-1]] = made.fact
        attributes = {name: item for name, item in zip(names, items) if not name.isdigit()}
        data = {"items": tuple(items), "names": tuple(names), "exact": text[0] == "("}
        return self.call.reader.instance(fact.kind, role="module", fact=fact, attributes=attributes, data=data)

    def layer(self, text: str) -> Instance:
        """A layer such as `Linear:512:{classes}`."""
        kind, *given = text.split(":")
        own = kind in LAYERS
        fact = Module(self.call.place, kind=f"torch.nn.{kind}" if own else f"torchvision.ops.{kind}")
        if own and kind in ("BatchNorm2d", "BatchNorm3d", "Dropout", "MultiheadAttention"):
            fact.settings = {
                name: Known(default, default=self.call.reader.default_version("torch.nn"))
                for name, default in signature(LAYERS[kind]).items()
                if default is not table.REQUIRED
            }
        for name, word in zip(LAYER_SETTINGS.get(kind, ()), given):
            fact.settings[name] = self.number(word)
        return self.call.reader.instance(fact.kind, role="module", fact=fact)

    def number(self, word: str) -> Setting:
        """A size or probability of the model's own."""
        if word == "{classes}":
            return self.classes
        text = self.values.get(word, word)
        if text == "0" and word == "{features}":
            return Unknown("it follows from the model")
        return Known(float(text) if "." in text else int(text), default=self.call.reader.default_version(ROOT))


def _is_class(call: LibraryCall) -> bool:
    return call.name.rpartition(".")[2][:1].isupper()


def pretrained(call: LibraryCall) -> Setting:
    """Where the weights come from: weights="DEFAULT", an entry of an enumeration, the old pretrained=True."""
    if _is_class(call):
        return ABSENT  # a block, or a class of models: it takes sizes and draws its weights
    for key, position in (("weights", 0), ("pretrained", None)):
        value = call.get(key, position)
        if isinstance(value, Constant) and type(value.value) in (int, float):
            return ABSENT  # conv3x3(64, 64)
        if value is not None:
            return setting(value, call.reader.argument_place(call.node, key, position))
    return ABSENT if call.arguments.exact else Unknown("it may be given by ** arguments that could not be read")


def build(call: LibraryCall) -> Value:
    """A model of torchvision; of those that are not described here, the layers are not known."""
    name = call.name.removeprefix(ROOT)
    room = name.partition(".")[0] if "." in name else ""
    fact = Module(call.place, kind=call.name, pretrained=pretrained(call))
    classes = call.setting("num_classes", None, CLASSES.get(room, 1000))
    if not _is_class(call) or call.get("num_classes") is not None:
        fact.settings = {"num_classes": classes}
    attributes: dict[str, Value] = {}
    if name in MODELS:
        parts, features, p = MODELS[name]
        drop = call.get("dropout")
        builder = _Builder(call, {"{features}": str(features), "{p}": str(p)}, classes)
        for key, text in PARTS[parts].items():
            made = builder.part(text)
            attributes[key] = made
            if isinstance(made.fact, Module):
                fact.children[key] = made.fact
                made.fact.pretrained = fact.pretrained if key not in HEADS else ABSENT
        if drop is not None:
            for layer in fact.layers("Dropout"):
                layer.settings["p"] = setting(drop)
    else:
        fact.complete, fact.why = False, "a model of a library"
    if room in ("detection", "segmentation"):
        _backbone(call, fact)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(call.name, role="module", fact=fact, node=call.node, attributes=attributes)


def _backbone(call: LibraryCall, fact: Module) -> None:
    """Detectors and segmenters bring a pretrained backbone unless they are told not to."""
    value = call.get("weights_backbone") or call.get("pretrained_backbone")
    given = setting(value, call.place) if value is not None else Known("DEFAULT", default=call.reader.default_version(ROOT))
    whole = fact.pretrained
    if is_absent(whole) or (isinstance(whole, Known) and whole.value in (None, False)):
        fact.pretrained = given if not (isinstance(given, Known) and given.value in (None, False)) else ABSENT


@table.prefix("torchvision.models")
def model(call: LibraryCall) -> Value | None:
    """torchvision.models.resnet50(weights="DEFAULT")"""
    last = call.name.rpartition(".")[2]
    if last == "get_model":
        name = call.reader.plain(call.get("name", 0))
        if isinstance(name, str):
            given = Arguments(
                list(call.arguments.positional[1:]), {k: v for k, v in call.arguments.keywords.items() if k != "name"}, call.arguments.exact
            )
            return build(LibraryCall(call.reader, ROOT + name, given, call.node))
        return build(LibraryCall(call.reader, ROOT + "unknown", Arguments([], dict(call.arguments.keywords), False), call.node))
    if last.startswith(("list_", "get_", "_")) and last != "__dict__":
        return None
    if last[:1].isupper():
        return None if last.endswith(("_Weights", "Weights", "WeightsEnum")) else build(call)
    return build(call)


@table.function("torchvision.models.detection.backbone_utils.resnet_fpn_backbone", "torchvision.models.detection.resnet_fpn_backbone")
def backbone(call: LibraryCall) -> Value:
    """A backbone with a feature pyramid."""
    return build(call)


# --- forward -----------------------------------------------------------------------------------------------------


def forward(call: LibraryCall) -> Value | None:
    """model(images): the features go through the head, whichever it is by now."""
    this = call.this
    reader = call.reader
    given = flow_of(call.arguments.positional[0]) if call.arguments.positional else None
    name = this.fact.name if isinstance(this.fact, Module) else ""
    flow = replace(merge(reader, [given or Flow()]), graph=graph_of_weights(reader), rank=2)
    if name.startswith(DETECTION):
        return _detect(call, flow)
    if ".segmentation." in this.kind:
        scores = Tensor(replace(flow, activation="linear", activation_at=this.fact.place if this.fact is not None else None, rank=4))
        return Mapping({"items": {"out": scores}, "exact": False})
    key = next((key for key in HEADS if key in this.attributes), None)
    head = this.attributes.get(key) if key is not None else None
    if not isinstance(head, Instance):
        return Tensor(replace(flow, rank=None)) if head is None else Tensor(flow)
    result = reader.call(head, Arguments([Tensor(flow)]), call.node)
    if isinstance(result, Tensor) and name in TUPLES:
        return Tensor(replace(result.flow, rank=None, width=None))
    return result


def _detect(call: LibraryCall, flow: Flow) -> Value:
    """With targets a detector gives its losses, without them boxes."""
    fact = call.this.fact
    if len(call.arguments.positional) < 2 and "targets" not in call.arguments.keywords:
        return Tensor(replace(flow, rank=None))
    assert isinstance(fact, Module)
    loss = call.reader.own_losses.get(id(fact))
    if loss is None:
        loss = call.reader.own_losses[id(fact)] = call.reader.record(Loss(fact.place, kind=f"{fact.kind}.loss", computed_by=fact))
    made = Tensor(replace(flow, losses=(loss,), metric="loss", direction="min", reduction="mean", rank=0))
    return Mapping({"items": dict.fromkeys(DETECTION_LOSSES, made), "exact": False})


for _name in (
    *MODELS,
    *(f"detection.{kind}{rest}" for kind in DETECTION for rest in ("_resnet50_fpn", "_resnet50_fpn_v2", "_mobilenet_v3_large_fpn")),
):
    table.INVOKES[ROOT + _name] = forward
for _name in ("ssd300_vgg16", "ssdlite320_mobilenet_v3_large", "fasterrcnn_mobilenet_v3_large_320_fpn", "FasterRCNN", "MaskRCNN", "RetinaNet"):
    table.INVOKES[f"{ROOT}detection.{_name}"] = forward
for _name in ("FasterRCNN", "MaskRCNN", "KeypointRCNN", "RetinaNet", "SSD", "FCOS"):
    table.CLASS_ROLES[f"{ROOT}detection.{_name}"] = "module"


@table.function(*(f"{ROOT}detection.{_name}" for _name in ("FasterRCNN", "MaskRCNN", "KeypointRCNN", "RetinaNet", "SSD", "FCOS")))
def detector(call: LibraryCall) -> Value:
    """FasterRCNN(backbone, num_classes)"""
    fact = Module(call.place, kind=call.name, complete=False, why="a model of a library")
    inner = call.get("backbone", 0)
    if isinstance(inner, Instance) and isinstance(inner.fact, Module):
        fact.children["backbone"] = inner.fact
        fact.pretrained = inner.fact.pretrained
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(call.name, role="module", fact=fact, node=call.node)


@table.prefix("torchvision.ops")
def operation(call: LibraryCall) -> Value | None:
    """Layers and losses of torchvision.ops."""
    last = call.name.rpartition(".")[2]
    if last in ("sigmoid_focal_loss", "generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"):
        return _focal(call, last)
    if last[:1].isupper():
        fact = Module(call.place, kind=call.name, settings={key: setting(value) for key, value in call.arguments.keywords.items()})
        if last in ("StochasticDepth", "DropBlock2d"):
            fact.settings["p"] = call.setting("p", 0)
        call.reader.record(fact)
        call.reader.emit(Kind.BUILD, call.node, fact)
        return call.reader.instance(call.name, role="module", fact=fact, node=call.node)
    flows = [flow for value in call.arguments.positional if (flow := flow_of(value)) is not None]
    return Tensor(merge(call.reader, flows)) if flows else None


def _focal(call: LibraryCall, name: str) -> Value:
    from advisor.read.frameworks.torch.losses import measured

    key = ("loss", id(call.node))
    fact = call.reader.seen_facts.get(key)
    if not isinstance(fact, Loss):
        fact = call.reader.seen_facts[key] = call.reader.record(Loss(call.place, kind=call.name))
    names: dict[str, Any] = signature(
        "inputs, targets, alpha=0.25, gamma=2, reduction='none'" if name.startswith("sigmoid") else "boxes1, boxes2, reduction='none'"
    )
    held = [call.get(key, position) or Opaque("an argument that is not given") for position, key in enumerate(list(names)[:2])]
    fact.settings = call.settings(names, skip=2)
    return measured(call, fact, held)

"""torchvision: models with their layers, data sets with their split, transforms."""

from __future__ import annotations

from typing import Any

from advisor.model.recipe import Dataset, Module, Transform
from advisor.model.source import ABSENT, Known, Setting, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.datasets import made as make_dataset
from advisor.read.frameworks.torch.layers import made
from advisor.read.python.values import Constant, Instance, Library, Opaque, Sequence, Union, Value, members

table.VERSIONS["torchvision"] = "torchvision 0.29"


def canonical(name: str) -> str:
    """torchvision.transforms.v2.Resize -> torchvision.transforms.Resize; torchvision.models.resnet.resnet50 -> torchvision.models.resnet50."""
    last = name.rpartition(".")[2]
    if name.startswith("torchvision.transforms.") and last[:1].isupper():
        return f"torchvision.transforms.{last}"
    if name.startswith("torchvision.models.") and not name.startswith(
        ("torchvision.models.detection", "torchvision.models.segmentation", "torchvision.models.video")
    ):
        return f"torchvision.models.{last}" if "_Weights" not in name else name
    if name.startswith("torchvision.datasets.") and last[:1].isupper():
        return f"torchvision.datasets.{last}"
    return name


table.RENAMES["torchvision"] = canonical

# family prefix -> (name of the head, layers that the family has)
FAMILIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("resnet", "fc", ("Conv2d", "BatchNorm2d", "Linear")),
    ("resnext", "fc", ("Conv2d", "BatchNorm2d", "Linear")),
    ("wide_resnet", "fc", ("Conv2d", "BatchNorm2d", "Linear")),
    ("densenet", "classifier", ("Conv2d", "BatchNorm2d", "Linear")),
    ("inception", "fc", ("Conv2d", "BatchNorm2d", "Dropout", "Linear")),
    ("googlenet", "fc", ("Conv2d", "BatchNorm2d", "Dropout", "Linear")),
    ("mobilenet", "classifier", ("Conv2d", "BatchNorm2d", "Dropout", "Linear")),
    ("efficientnet", "classifier", ("Conv2d", "BatchNorm2d", "Dropout", "Linear")),
    ("shufflenet", "fc", ("Conv2d", "BatchNorm2d", "Linear")),
    ("mnasnet", "classifier", ("Conv2d", "BatchNorm2d", "Dropout", "Linear")),
    ("regnet", "fc", ("Conv2d", "BatchNorm2d", "Linear")),
    ("squeezenet", "classifier", ("Conv2d", "Dropout")),
    ("vgg", "classifier", ("Conv2d", "Dropout", "Linear")),
    ("alexnet", "classifier", ("Conv2d", "Dropout", "Linear")),
    ("convnext", "classifier", ("Conv2d", "LayerNorm", "Linear")),
    ("vit", "heads", ("MultiheadAttention", "LayerNorm", "Linear")),
    ("swin", "head", ("MultiheadAttention", "LayerNorm", "Linear")),
    ("maxvit", "classifier", ("Conv2d", "BatchNorm2d", "LayerNorm", "Linear")),
)


def build_model(call: LibraryCall, name: str, pretrained: Setting) -> Instance:
    """A library vision model: the layers of its family, a head that can be replaced, the rest not looked into."""
    fact = Module(call.place, kind=f"torchvision.models.{name}", pretrained=pretrained, complete=False, why="a model of a library")
    family = next((entry for entry in FAMILIES if name.startswith(entry[0]) or (entry[0] == "vgg" and name.startswith("vgg"))), None)
    attributes: dict[str, Value] = {}
    if family is not None:
        fact.complete, fact.why = True, None
        for layer in family[2]:
            kind = f"torch.nn.{layer}"
            settings: dict[str, Setting] = {"p": Known(0.5, default="torchvision 0.29")} if layer == "Dropout" else {}
            part = Module(call.place, kind=kind, settings=settings)
            if layer == "Linear" or (family[0] == "squeezenet" and layer == "Dropout"):
                continue
            fact.children[f"features.{layer}"] = part
        head = Module(call.place, kind="torch.nn.Linear")
        if name.startswith("vgg") or name.startswith("alexnet"):
            features = 25088 if name.startswith("vgg") else 9216
            parts: list[Value] = []
            for index, layer in enumerate(("Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear")):
                sizes: dict[str, Setting] = (
                    {"in_features": Known(features if index == 0 else 4096), "out_features": Known(1000 if index == 6 else 4096)}
                    if layer == "Linear"
                    else {}
                )
                part = Module(call.place, kind=f"torch.nn.{layer}", settings=sizes)
                parts.append(
                    call.reader.instance(
                        part.kind,
                        role="module",
                        fact=part,
                        attributes={"in_features": Constant(features if index == 0 else 4096)} if layer == "Linear" else {},
                    )
                )
            head = Module(call.place, kind="torch.nn.Sequential")
            for index, value in enumerate(parts):
                if isinstance(value, Instance) and isinstance(value.fact, Module):
                    head.children[str(index)] = value.fact
            attributes[family[1]] = call.reader.instance("torch.nn.Sequential", role="module", fact=head, data={"items": tuple(parts), "exact": True})
        else:
            head.settings = {"out_features": Known(1000)}
            attributes[family[1]] = call.reader.instance(
                "torch.nn.Linear", role="module", fact=head, attributes={"in_features": Opaque("the features of the backbone", "int")}
            )
        fact.children[family[1]] = head
    instance = made(call, fact)
    instance.attributes.update(attributes)
    instance.data["forward_head"] = family[1] if family is not None else None
    return instance


@table.prefix("torchvision.models")
def model(call: LibraryCall) -> Value | None:
    """resnet50(weights=...), resnet18(pretrained=True)"""
    name = call.name.rpartition(".")[2]
    if name[:1].isupper() or "Weights" in call.name:
        return Opaque("weights of a library model") if "Weights" in call.name else None
    if name in ("get_model", "get_weight", "list_models"):
        chosen = call.reader.plain(call.get("name", 0))
        if name != "get_model" or not isinstance(chosen, str):
            return None
        name = chosen
    return build_model(call, name, pretrained_of(call))


def pretrained_of(call: LibraryCall) -> Setting:
    """Whether weights are loaded: weights=..., pretrained=True, or the first argument."""
    weights = call.get("weights") or call.get("pretrained") or (call.arguments.positional[0] if call.arguments.positional else None)
    if weights is None:
        return ABSENT if call.arguments.exact else ABSENT
    head = members(weights)[0]
    if isinstance(head, Constant):
        return Known(bool(head.value), head.origin, weak=head.weak or isinstance(weights, Union)) if head.value not in (None, False) else ABSENT
    if isinstance(head, (Library, Instance)):
        return Known(True)
    return Known(True, weak=True) if "Weights" in getattr(head, "why", "") else ABSENT


# --- transforms --------------------------------------------------------------------------------------------------


def transforms_of(value: Value | None) -> list[Transform] | None:
    """The steps of a transform, None when they are not known."""
    if value is None or (isinstance(value, Constant) and value.value is None):
        return []
    head = members(value)[0]
    if isinstance(head, Instance) and head.role == "transform":
        steps: list[Transform] = list(head.data.get("steps", []))
        return steps if head.data.get("complete", True) else None
    return None


@table.prefix("torchvision.transforms")
def transform(call: LibraryCall) -> Value | None:
    """One transform, or a pipeline of several."""
    name = call.name.rpartition(".")[2]
    if not name[:1].isupper():
        return None
    if name in ("Compose", "RandomApply", "RandomChoice", "RandomOrder"):
        given = call.get("transforms", 0)
        steps: list[Transform] = []
        complete = isinstance(given, Sequence) and given.exact
        if name != "Compose":
            steps.append(call.reader.record(Transform(call.place, kind=call.name)))
        for item in given.items if isinstance(given, Sequence) else ():
            inner = transforms_of(item)
            if inner is None or not isinstance(members(item)[0], Instance):
                complete = False
            else:
                steps += inner
        return call.reader.instance(
            call.name,
            role="transform",
            node=call.node,
            data={"steps": steps, "complete": complete},
            attributes={"transforms": given} if given is not None else {},
        )
    settings: dict[str, Setting] = {}
    for key, position in _PARAMETERS.get(name, {}).items():
        settings[key] = call.setting(key, position)
    for key in call.arguments.keywords:
        settings.setdefault(key, call.setting(key))
    fact = call.reader.record(Transform(call.place, kind=call.name, settings=settings))
    return call.reader.instance(call.name, role="transform", fact=fact, node=call.node, data={"steps": [fact]})


_PARAMETERS: dict[str, dict[str, int]] = {
    "Normalize": {"mean": 0, "std": 1},
    "Resize": {"size": 0},
    "CenterCrop": {"size": 0},
    "RandomCrop": {"size": 0},
    "RandomResizedCrop": {"size": 0},
    "RandomHorizontalFlip": {"p": 0},
    "RandomRotation": {"degrees": 0},
}
for _name in ("Compose", "Normalize", "ToTensor", "Resize"):
    table.CLASS_ROLES[f"torchvision.transforms.{_name}"] = "transform"


@table.invoke("transform")
def apply(call: LibraryCall) -> Value | None:
    """transform(image)"""
    from advisor.model.recipe import Flow
    from advisor.read.python.values import Tensor

    value = call.arguments.positional[0] if call.arguments.positional else None
    return value if isinstance(value, Tensor) else Tensor(Flow(graph="none"))


# --- data sets ---------------------------------------------------------------------------------------------------

SIZES = {
    "MNIST": (60000, 10000),
    "FashionMNIST": (60000, 10000),
    "KMNIST": (60000, 10000),
    "CIFAR10": (50000, 10000),
    "CIFAR100": (50000, 10000),
    "USPS": (7291, 2007),
}


@table.prefix("torchvision.datasets")
def dataset(call: LibraryCall) -> Value | None:
    """CIFAR10(root, train=True, transform=...), ImageFolder(path), ImageNet(root, split="val")"""
    name = call.name.rpartition(".")[2]
    if not name[:1].isupper():
        return None
    fact = Dataset(call.place, kind=call.name)
    root = call.setting("root", 0)
    fact.settings = {"root": root}
    train = call.get("train", 1) if name not in ("ImageFolder", "DatasetFolder", "ImageNet", "STL10", "SVHN", "CocoDetection") else None
    split = call.get("split", 1 if name in ("ImageNet", "STL10", "SVHN") else None)
    image_set = call.get("image_set")
    if train is not None:
        flag = call.reader.strong_truth(train)
        fact.settings["train"] = call.setting("train", 1)
        fact.role = "train" if flag is True else "test" if flag is False else "unknown"
        if flag is None and call.reader.truth(train) is not None:
            fact.role = "train" if call.reader.truth(train) else "test"
    elif split is not None or image_set is not None:
        fact.role = role_of_word(call.reader.plain(split if split is not None else image_set))
        fact.settings["split"] = call.setting("split", 1)
    elif name in SIZES and call.arguments.exact:
        fact.role = "train"
        fact.settings["train"] = Known(True, default="torchvision 0.29")
    else:
        fact.role = role_of_path(value_of(root))
    if name in SIZES and fact.role in ("train", "test"):
        fact.settings["length"] = Known(SIZES[name][0 if fact.role == "train" else 1], default="the data set's size")
    given = call.get("transform") or call.get("transforms")
    if given is None:
        position = {"ImageFolder": 1, "DatasetFolder": 3}.get(name, 2 if name in SIZES else None)
        given = call.get("transform", position) if position is not None else None
    fact.transforms = transforms_of(given)
    if not call.arguments.exact and given is None:
        fact.transforms = None
    fact.data = (call.name, str(value_of(root)), fact.role)
    attributes = {"transform": given} if given is not None else {}
    return make_dataset(call, fact, attributes=attributes)


def role_of_word(word: Any) -> Any:
    """A split name as a role."""
    if not isinstance(word, str):
        return "unknown"
    low = word.lower()
    return "train" if low.startswith("train") else "validation" if low.startswith(("val", "dev")) else "test" if low.startswith("test") else "unknown"


def role_of_path(path: Any) -> Any:
    """A folder's last parts as a role."""
    if not isinstance(path, str):
        return "unknown"
    for part in reversed(path.replace("\\", "/").rstrip("/").split("/")):
        found = role_of_word(part)
        if found != "unknown":
            return found
    return "unknown"


@table.function("torchvision.datasets.FakeData")
def fake(call: LibraryCall) -> Value:
    """Random images."""
    fact = Dataset(call.place, kind=call.name, transforms=transforms_of(call.get("transform", 3)))
    fact.settings["length"] = call.setting("size", 0, 1000)
    return make_dataset(call, fact)

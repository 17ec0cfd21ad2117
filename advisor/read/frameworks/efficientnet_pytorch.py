"""efficientnet_pytorch: its one model, with published weights or without."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Module
from advisor.model.source import ABSENT, Known, number
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Value

ROOT = "efficientnet_pytorch.EfficientNet"
PUBLISHED = 1000  # classes of the weights that come with it
table.ALIASES["efficientnet_pytorch.model.EfficientNet"] = ROOT


@table.function(f"{ROOT}.from_pretrained", f"{ROOT}.from_name")
def efficientnet(call: LibraryCall) -> Value:
    """EfficientNet.from_pretrained("efficientnet-b0", num_classes=2): with another number of classes its last layer is a new one."""
    fact = Module(call.place, kind=ROOT, complete=False, why="a model of a library")
    fact.pretrained = Known(True) if call.name.endswith("from_pretrained") else ABSENT
    for kind in ("Conv2d", "BatchNorm2d", "Dropout", "Linear"):
        fact.children[kind.lower()] = Module(call.place, kind=f"torch.nn.{kind}")
    classes = number(call.setting("num_classes", None, PUBLISHED))
    if classes is not None and classes != PUBLISHED:
        fact.children["linear"].pretrained = Known(False)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(ROOT, role="module", fact=fact, node=call.node)

"""What a program tells of its run, on the screen and in files: one that keeps no weights and tells times alone measures speed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.events import Arm, Branch, Event, Kind
from advisor.model.flow import Flow
from advisor.model.pattern import pattern
from advisor.model.record import dataclass, field
from advisor.read.python import conditions, scopes
from advisor.read.python.values import Constant, Library, Opaque, Tensor

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader
    from advisor.read.python.tree import Entry

CLOCK = "the clock"  # why a number is not known that was read from it, or counted between two readings
SHOWN_AS = frozenset(["str", "round", "float", "int", "format", "repr"])  # functions that give back what they show
BESIDE = ("torch.cuda.", "torch.backends.", "torch.version.", "torch.__version__", "os.", "sys.", "platform.", "psutil.")  # no result of training
# How else a program may tell of itself or keep something: a library's logger, a table, a picture, a progress bar.
OTHER_WAYS = pattern(
    r"\.dumps?\(|(?<!torch)\.save\w*\(|\bsave_image|\bim(?:save|write)\(|h5py|\.to_(?:csv|json|excel|parquet|pickle|hdf)\(|add_scalar|wandb|mlflow"
    r"|[Ww]riter|[Ll]ogger\b|logging\.|import logging|set_postfix|set_description|\.log\(|\.writelines\(|\.write_text\(|\.show\(|std(?:out|err)\b"
    r"|pprint|tqdm\.write"
)


@dataclass(slots=True)
class Told:
    """What is told, each of "times" and "other"."""

    screen: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)


def note(reader: Reader, node: ast.AST, *, in_file: bool = False) -> None:
    """Notes what a print shows, or what is written to a file."""
    if isinstance(node, ast.Call):
        in_file = in_file or any(keyword.arg == "file" for keyword in node.keywords)
        for flow in _of_last_batch(reader, node.args):
            reader.emit(Kind.TELL, node, flow=flow)
        (reader.told.files if in_file else reader.told.screen).update(_kinds(reader, node.args))


def _of_last_batch(reader: Reader, nodes: list[ast.expr]) -> Iterator[Flow]:
    """What is shown by its name, and is what a loop over batches bound anew in each of them."""
    for node in nodes:
        for part in scopes.parts_of(node):
            value = conditions.peek(reader, part) if isinstance(part, (ast.Name, ast.Attribute)) else None
            flow = value.flow if isinstance(value, (Opaque, Tensor)) else None
            if flow is not None and flow.aggregate == "last-batch":
                yield flow


def measures_speed(reader: Reader, nodes: list[Entry]) -> bool:
    """True where the program tells times alone, in its files if it writes any, and keeps no weights unless it is asked to."""
    told = reader.told.files or reader.told.screen
    if told != {"times"} or any(_is_kept(node, around.arms) for node, around in nodes):
        return False
    return not any(module.cells is not None or OTHER_WAYS.search(module.text) for module in reader.modules.values())


def _is_kept(node: object, arms: tuple[tuple[Branch, Arm], ...]) -> bool:
    return isinstance(node, Event) and node.kind is Kind.SAVE and all(arm.label != "flag" for _, arm in arms)


def _kinds(reader: Reader, nodes: list[ast.expr]) -> set[str]:
    """What is shown by these expressions; constants, texts and counters of loops tell nothing."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Name, ast.Attribute)):
            value = conditions.peek(reader, node)
            if isinstance(value, Opaque) and value.why == CLOCK:
                found.add("times")
            elif not (isinstance(value, Constant) or (isinstance(value, Opaque) and value.low is not None and value.flow is None)):
                found.add("other")
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else None
            called = _in_library(reader, node.func)
            if called.startswith(("time.", "datetime.")):
                found.add("times")
            elif called.startswith(BESIDE):
                continue
            elif name in SHOWN_AS or (isinstance(node.func, ast.Attribute) and node.func.attr == "format" and _is_text(node.func.value)):
                waiting += [*node.args, *(keyword.value for keyword in node.keywords)]
            else:
                found.add("other")
        elif isinstance(node, (ast.JoinedStr, ast.FormattedValue, ast.BinOp, ast.UnaryOp, ast.Tuple, ast.List)):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        elif not isinstance(node, ast.Constant):
            found.add("other")
    return found


def _in_library(reader: Reader, node: ast.expr) -> str:
    """The dotted name of what an expression asks of a library; nothing of anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    root = reader.frame.lookup(node.id) if isinstance(node, ast.Name) else None
    return ".".join([root.name, *reversed(names)]) if isinstance(root, Library) else ""


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)

"""Methods and attributes that an object does not have: no class of a library gives it, and nothing in the program binds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import UndefinedName
from advisor.read.frameworks import table
from advisor.read.python import called
from advisor.read.python.project import SourceModule
from advisor.read.python.values import Class, Instance, Library, Tensor

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

ROLES = frozenset(["module", "loss", "optimizer", "scheduler", "scaler"])
ALIKE, SHORTEST = 0.75, 4  # how much of a word is the same, and how long what another begins with is at least
ALMOST = 0.9  # the same for models of other libraries, which have more methods than a module
TORCHS = ("torch.nn.", "torch.optim.", "torch.amp.", "torch.cuda.amp.")
OTHERS = ("transformers.", "torchvision.models.", "timm.")
_OF_DATA_MODULES = (
    "CHECKPOINT_HYPER_PARAMS_KEY CHECKPOINT_HYPER_PARAMS_NAME CHECKPOINT_HYPER_PARAMS_TYPE add_argparse_args "
    "allow_zero_length_dataloader_with_multiple_devices default_transforms dims from_argparse_args from_datasets "
    "get_init_arguments_and_types has_prepared_data has_setup_fit has_setup_predict has_setup_test has_setup_validate hparams hparams_initial "
    "load_from_checkpoint load_state_dict name on_after_batch_transfer on_before_batch_transfer on_exception on_load_checkpoint "
    "on_save_checkpoint parse_argparse_args predict_dataloader prepare_data prepare_data_per_node save_hyperparameters setup size state_dict "
    "teardown test_dataloader test_transforms train_dataloader train_transforms trainer transfer_batch_to_device transforms val_dataloader "
    "val_transforms"
)
GIVEN: dict[str, frozenset[str]] = {  # the attributes of bases that have few
    "builtins.object": frozenset(),
    "abc.ABC": frozenset(),
    "torch.utils.data.Dataset": frozenset(["functions"]),
    "torch.utils.data.IterableDataset": frozenset(["functions"]),
    "lightning.LightningDataModule": frozenset(_OF_DATA_MODULES.split()),
}
UNSURE = ("torch.nn.Module", "torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict")  # of any class; with parts of any name
ENGINES = frozenset(["backward", "step"])  # what a library that takes over the training puts around a model has these
PLAIN = frozenset([*dir(dict), *dir(list), *dir(str)])  # what is summed up as a loss may be a dict of losses
HIDDEN = pattern(r"setattr\(|__dict__|__getattr|vars\(")  # ways to bind an attribute that no assignment shows


def judge_method(reader: Reader, owner: Instance | Tensor, name: str, node: ast.AST) -> None:
    """Notes a method that is called and that the object surely lacks."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or name.startswith("_") or reader.refusals.guarded:
        return
    from advisor.read.frameworks.torch.members import MEMBERS

    role = "tensor" if isinstance(owner, Tensor) else "module" if owner.role == "loss" else owner.role or ""
    if name in MEMBERS[role] or not _is_known(reader, owner, name) or called.is_asked(reader, node.func.value):
        return
    meant = _meant(name, [*_own(owner), *MEMBERS[role]], ALMOST if not isinstance(owner, Tensor) and owner.kind.startswith(OTHERS) else ALIKE)
    if meant is not None or _of_itself(reader, owner, node.func.value):
        fact = UndefinedName(reader.place(node), name=name, meant=meant)
        fact.lacked_by = "Tensor" if isinstance(owner, Tensor) else owner.cls.node.name if owner.cls is not None else owner.kind.rpartition(".")[2]
        reader.refusals.refuse(reader, node, fact)


def judge_attribute(reader: Reader, owner: Instance, name: str, node: ast.AST) -> None:
    """Notes an attribute that a method asks its own object for, whose class and bases give it none."""
    if not isinstance(node, ast.Attribute) or node.attr != name or name.startswith("_") or reader.refusals.guarded or owner.cls is None:
        return
    cls, module = owner.cls, reader.frame.module
    if not _of_itself(reader, owner, node.value) or (cls, name) in reader.refusals.lacked or reader.refusals.samples.hold(owner):
        return
    asked = f"hasattr(self, {name!r}" in module.text.replace('"', "'")
    if not asked and _gives_no_more(cls, name) and reader.refusals.by_default.isdisjoint(cls.mro):
        fact = UndefinedName(reader.place(node), name=name, lacked_by=cls.node.name, attribute=True)
        reader.refusals.lacked[cls, name] = fact


def note_attributes(reader: Reader) -> None:
    """Puts into the recipe what no part of the program binds in the end, where a program was read from its beginning."""
    for (cls, name), fact in reader.refusals.lacked.items():
        own = {base.node for base in cls.mro if isinstance(base, Class)}
        sources = [one for one in reader.project.modules.values() if isinstance(one, SourceModule) and one.display in reader.recipe.files]
        if reader.recipe.whole and not reader.failed_imports and not any(_may_give(source, name, own) for source in sources):
            reader.recipe.undefined_names.items.append(fact)


def _gives_no_more(cls: Class, name: str) -> bool:
    """True for a class that was read with all of its bases, but those of libraries whose attributes are known."""
    for base in cls.mro or (cls,):
        if isinstance(base, Class):
            if base.node.decorator_list or base.node.keywords or name in base.namespace:
                return False
        elif not isinstance(base, Library) or name in GIVEN.get(table.canonical(base.name), (name,)):
            return False
    return True


def _may_give(source: SourceModule, name: str, own: set[ast.ClassDef]) -> bool:
    """True for a file that binds attributes in ways that do not show, or one of this name: in these classes, or from outside of any."""
    if HIDDEN.search(source.text):
        return True
    waiting: list[tuple[ast.AST, ast.ClassDef | None]] = [(source.tree, None)] if name in source.text else []
    while waiting:
        node, around = waiting.pop()
        if isinstance(node, ast.ClassDef):
            around = node
        elif isinstance(node, ast.Attribute) and node.attr == name and not isinstance(node.ctx, ast.Load):
            other = isinstance(node.value, ast.Name) and node.value.id == "self" and around is not None and around not in own
            if not other:
                return True
        waiting += [(inner, around) for inner in ast.iter_child_nodes(node)]
    return False


def is_bound(reader: Reader, name: str) -> bool:
    """True where a file of the program gives any object an attribute of that name, or has it as a text."""
    sources = (source for source in reader.project.modules.values() if isinstance(source, SourceModule) and name in source.text)
    return any(_binds(node, name) for source in sources if source.display in reader.recipe.files for node in ast.walk(source.tree))


def _is_known(reader: Reader, owner: Instance | Tensor, name: str) -> bool:
    """True for an object whose class is sure, and which has the methods of that class alone."""
    if isinstance(owner, Tensor):
        return owner.flow.graph == "kept" and owner.flow.unread is None and name not in PLAIN
    if (owner.role == "module" and name in ENGINES) or reader.refusals.samples.hold(owner):
        return False
    if getattr(owner.fact, "escaped", None) is not None:
        return False  # who was given it may have put a method there
    if owner.cls is not None:
        return _is_plain(owner.cls) and reader.refusals.by_default.isdisjoint(owner.cls.mro)
    return (owner.kind.startswith(TORCHS) and owner.kind not in UNSURE) or (owner.kind.startswith(OTHERS) and owner.role == "module")


def _of_itself(reader: Reader, owner: Instance | Tensor, receiver: ast.expr) -> bool:
    """True in the class of the project itself, where no setting may have chosen another."""
    of_class = isinstance(owner, Instance) and owner.cls is not None and reader.frame.module.cells is None
    return of_class and isinstance(receiver, ast.Name) and receiver.id == "self" and all(label == "default" for _, label in reader.conditions)


def _meant(name: str, known: list[str], cutoff: float) -> str | None:
    """The method that is called almost so."""
    import difflib

    alike = [one for one in known if one[0].lower() == name[0].lower()]
    close = difflib.get_close_matches(name, alike, 1, cutoff)
    if close or cutoff == ALMOST:
        return next(iter(close), None)
    return max((one for one in alike if len(one) >= SHORTEST and name.startswith(one)), key=len, default=None)


def _own(owner: Instance | Tensor) -> Iterator[str]:
    """The names that the program gives an object itself."""
    if isinstance(owner, Instance) and owner.cls is not None:
        yield from owner.attributes
        yield from (name for base in owner.cls.mro if isinstance(base, Class) for name in base.namespace if not name.startswith("_"))


def _is_plain(cls: Class) -> bool:
    """True for a class whose bases were all read or are torch's, and which binds its attributes where it can be seen."""
    for base in cls.mro or (cls,):
        if isinstance(base, Class):
            if base.node.decorator_list or base.node.keywords or HIDDEN.search(base.module.text):
                return False
        elif not isinstance(base, Library) or not base.name.startswith(("torch.nn.", "torch.optim.", "builtins.object", "abc.ABC")):
            return False
    return True


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == name and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Constant):
        return node.value == name
    if isinstance(node, ast.ClassDef):
        return any(name in _names(inner) for inner in ast.walk(node))
    return False


def _names(node: ast.AST) -> tuple[str, ...]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return (node.name,)
    return (node.id,) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) else ()

"""Methods and attributes that an object does not have: no class of torch gives them, and nothing in the program binds them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import UndefinedName
from advisor.read.python import called
from advisor.read.python.project import SourceModule
from advisor.read.python.values import Class, Instance, Library, Tensor

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

ROLES = frozenset(["module", "loss", "optimizer", "scheduler", "scaler"])
ALIKE, SHORTEST = 0.75, 4  # how much of a word is the same, and how long what another begins with is at least
ALMOST = 0.9  # the same for models of other libraries, which have more methods than a module
TORCHS = ("torch.nn.", "torch.optim.", "torch.amp.", "torch.cuda.amp.")
SPELLED = frozenset(["torch.nn", "torch.nn.functional", "torch.nn.init", "torch.optim", "torch.optim.lr_scheduler"])  # whose names are known
OTHERS = ("transformers.", "torchvision.models.", "timm.")
UNSURE = ("torch.nn.Module", "torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict")  # of any class; with parts of any name
ENGINES = frozenset(["backward", "step"])  # what a library that takes over the training puts around a model has these
PLAIN = frozenset([*dir(dict), *dir(list), *dir(str)])  # what is summed up as a loss may be a dict of losses
HIDDEN = pattern(r"setattr\(|__dict__|__getattr|vars\(")  # ways to bind an attribute that no assignment shows
DIGITS = pattern(r"\d+")
COMPUTED = pattern(  # a name that no text spells
    r"(register_buffer|register_parameter|register_module|add_module)\(\s*(?![\"']\w+[\"']\s*,)"
)
LIGHTNING = ("lightning.LightningModule", "lightning.LightningDataModule")
OF_TORCH = ("torch.nn.", "torch.optim.", "torch.utils.data.", "builtins.object", "abc.ABC")
BARE = (
    "torch.nn.Module", "torch.nn.modules.module.Module", "torch.utils.data.Dataset", "torch.utils.data.IterableDataset", "builtins.object", "abc.ABC",
    *LIGHTNING,
)  # fmt: skip


def judge_method(reader: Reader, owner: Instance | Tensor, name: str, node: ast.AST) -> None:
    """Notes a method that is called and that the object surely lacks."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or name.startswith("_") or reader.refusals.guarded:
        return
    from advisor.read.frameworks.torch.members import MEMBERS

    role = "tensor" if isinstance(owner, Tensor) else "module" if owner.role == "loss" else owner.role or ""
    brought = isinstance(owner, Instance) and owner.cls is not None and _is_brought(owner.cls, name)
    if name in MEMBERS[role] or brought or not _is_known(reader, owner, name) or called.is_asked(reader, node.func.value):
        return
    meant = _meant(name, [*_own(owner), *MEMBERS[role]], ALMOST if not isinstance(owner, Tensor) and owner.kind.startswith(OTHERS) else ALIKE)
    if meant is not None or _of_itself(reader, owner, node.func.value):
        fact = UndefinedName(reader.place(node), name=name, meant=meant)
        fact.lacked_by = "Tensor" if isinstance(owner, Tensor) else owner.cls.node.name if owner.cls is not None else owner.kind.rpartition(".")[2]
        reader.refusals.refuse(reader, node, fact)


def judge_attribute(reader: Reader, owner: Instance, name: str, node: ast.AST, source: SourceModule | None = None) -> None:
    """Notes an attribute that a class of the project asks itself for and that it surely lacks, and a method that its object is asked for."""
    from advisor.read.frameworks.torch.members import MEMBERS

    asked = node.func if isinstance(node, ast.Call) else node
    if not isinstance(asked, ast.Attribute) or name.startswith("_") or reader.refusals.guarded or owner.cls is None:
        return
    if (owner.role == "module" and name in MEMBERS["module"]) or _is_brought(owner.cls, name):
        return
    if any(label not in ("default", "flag") for _, label in reader.conditions):
        return
    of_itself = isinstance(asked.value, ast.Name) and asked.value.id == "self"
    if not of_itself and (not isinstance(node, ast.Call) or owner.role == "module" or not isinstance(asked.value, (ast.Name, ast.Attribute))):
        return
    source = source or reader.frame.module
    if owner.place in (None, owner.cls.module.place(owner.cls.node)):
        return  # nobody made it: the class may be there for those that derive from it
    if source.cells is not None or not _is_bare(owner.cls) or not _is_known(reader, owner, name):
        return
    fact = UndefinedName(source.place(asked), name=name, lacked_by=owner.cls.node.name, called=isinstance(node, ast.Call))
    fact.flag_off = any(label == "flag" for _, label in reader.conditions)
    reader.refusals.attributes.setdefault((owner.cls, name), (fact, of_itself))


def judge_library(reader: Reader, module: str, name: str, node: ast.AST) -> None:
    """Notes a name of torch that is written almost as one that it has: `nn.Relu`, `optim.Adm`."""
    from advisor.read.frameworks.torch.names import NAMES

    known = NAMES[module]
    if name in known or name.startswith("_") or reader.refusals.guarded or any(label not in ("default", "flag") for _, label in reader.conditions):
        return
    meant = next((one for one in known if one.lower() == name.lower()), None) or _meant(name, sorted(known), ALMOST)
    if meant is None or meant.rstrip("_") == name.rstrip("_") or DIGITS.findall(meant) != DIGITS.findall(name):
        return  # other versions have names that differ in these
    fact = UndefinedName(reader.place(node), name=name, lacked_by=module, meant=meant, of_library=True)
    fact.flag_off = any(label == "flag" for _, label in reader.conditions)
    reader.refusals.spelled.setdefault((module, name), fact)


def is_bound(reader: Reader, name: str, cls: Class | None = None) -> bool:
    """True where a file of the program gives any object an attribute of that name, or has it as a text. What other classes give their own objects
    is none of one that asks itself for it."""
    own = {id(base.node) for base in cls.mro if isinstance(base, Class)} if cls is not None else set()
    sources = (source for source in reader.project.modules.values() if isinstance(source, SourceModule) and name in source.text)
    for source in (source for source in sources if source.display in reader.recipe.files):
        nodes = [*ast.walk(source.tree)]
        others = [node for node in nodes if isinstance(node, ast.ClassDef) and id(node) not in own] if cls is not None else []
        passed = {id(node) for other in others for node in _of_itself_alone(other)}
        if any(_binds(node, name) for node in nodes if id(node) not in passed):
            return True
    return False


def _of_itself_alone(cls: ast.ClassDef) -> Iterator[ast.AST]:
    """A class, and what its methods give their own object."""
    yield cls
    for method in cls.body:
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and method.args.args:
            this = method.args.args[0].arg
            yield from (node for node in ast.walk(method) if isinstance(node, ast.Attribute) and _is_name(node.value, this))


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


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
        elif not isinstance(base, Library) or not base.name.startswith((*OF_TORCH, *LIGHTNING)):
            return False
    return True


def _is_bare(cls: Class) -> bool:
    """True for a class that has a constructor of the project, bases that bring no attributes, and names that its text spells."""
    known = [base for base in cls.mro or (cls,) if isinstance(base, Class)]
    if not any("__init__" in base.namespace for base in known) or any(COMPUTED.search(base.module.text) for base in known):
        return False
    return all(isinstance(base, Class) or (isinstance(base, Library) and base.name in BARE) for base in cls.mro)


def _is_brought(cls: Class, name: str) -> bool:
    """True for what a base of another library brings."""
    from advisor.read.frameworks.lightning.brought import BROUGHT

    return any(isinstance(base, Library) and name in BROUGHT.get(base.name, ()) for base in cls.mro)


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

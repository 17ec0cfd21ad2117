"""Fields of a hand-written class of settings, or of a dataclass of them, that no file of the project asks for.

Such a class only carries values: its constructor keeps what it is given, takes from its keywords or writes out, and its methods show that. Spelling
decides what is asked for, as it does for options; where a name may be asked for that no text spells, nothing is told.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Hyperparameter
from advisor.model.record import dataclass
from advisor.model.source import Known
from advisor.read.python import keys
from advisor.read.python.declared import NOTES, STATE

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader

COMPUTED = pattern(  # asks for names that no text spells
    r"\b[gs]etattr\([^,()]*,\s*(?![\"'])|(?<![\w.])(?<!def )(?:vars|dir|exec|eval)\(|\basdict\(|\bglobals\(\)|\blocals\(\)|\binspect\.|\b__getattr"
)
ALL = "__dict__"
SHOWN_BY = frozenset({"print", "pprint", "dump", "dumps", "info", "debug", "warning", "write", "writelines", "str", "repr", "format", "add_text"})
TALK = pattern(r"verbose|debug|log|print|save|show|plot|display|version|every|interval|freq|work|pin_", re.IGNORECASE)
PLAIN_VALUES = pattern(r"""\s*(?:(?:\w+\s*=\s*)?(?:[\d.eE+-]+|True|False|None|"[^"]*"|'[^']*')\s*,?\s*)*""")
OFF = (0, None, False)  # says that there is none
LEAST = 2  # fields that are asked for: somebody has an object of the class
LIBRARIES = sys.stdlib_module_names | {  # none of them asks an object of the program for settings
    "torch", "torchvision", "torchaudio", "torchtext", "numpy", "scipy", "pandas", "sklearn", "skimage", "matplotlib", "seaborn", "pylab", "tqdm",
    "PIL", "cv2", "tensorboard", "tensorboardX", "h5py", "yaml", "nltk", "librosa", "soundfile", "networkx", "transformers", "tokenizers", "datasets",
    "sentencepiece", "gensim", "jieba", "spacy", "torchmetrics", "torchsummary", "torchinfo", "einops", "imageio", "albumentations",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """What a constructor keeps: its name, its value, where, and whether whoever makes the object may give another."""

    name: str
    value: object
    node: ast.stmt
    given: bool


Found = dict[str, tuple["SourceModule", ast.ClassDef, list[Field]]]  # by the name of the class


def note(reader: Reader) -> None:
    """Adds them to the program's settings, each with the place where it is kept."""
    recipe = reader.recipe
    if not recipe.whole or not recipe.trains or reader.failed_imports or reader.spent:
        return
    found = {cls.name: (source, cls, fields) for source in reader.modules.values() for cls, fields in _classes(source)}
    if not any(fields for _, _, fields in found.values()):
        return
    texts = {source.path: _without_fields(source, found) for source in reader.modules.values()}
    unread = _unread(found, list(texts.values()))
    if not unread or not all(_is_told(text, found) for text in texts.values()):
        return
    if not all(_is_alone(reader, source) for source in reader.modules.values()):
        return
    folder = os.path.commonpath([os.path.dirname(reader.entry.path), *(os.path.dirname(source.path) for source, _ in unread)])
    homes = {os.path.splitext(os.path.basename(source.path))[0] for source, _ in unread}
    others = [text for path, text in keys.beside(reader.project, folder) if path not in texts and any(home in text for home in homes)]
    told = {setting.place for setting in recipe.hyperparameters}
    if not all(_is_told(text, found) for text in others):
        return  # other programs make objects of these classes too
    for source, field in unread:
        place = source.place(field.node)
        if place not in told and not any(_asks(text, field.name) for text in others):
            declared = "dataclass" if field.given else "constant"
            recipe.hyperparameters.items.append(Hyperparameter(place, name=field.name, value=Known(field.value), declared=declared))


def _classes(source: SourceModule) -> Iterator[tuple[ast.ClassDef, list[Field]]]:
    """The classes of a file that only carry values, with what their constructors keep."""
    carrying = {"object"}
    for statement in source.tree.body if source.cells is None else ():
        if isinstance(statement, ast.ClassDef) and not statement.keywords and (not statement.decorator_list or _is_dataclass(statement)):
            if all(isinstance(base, ast.Name) and base.id in carrying for base in statement.bases) and all(map(_carries, statement.body)):
                if statement.decorator_list:
                    yield statement, list(_written(statement))
                    continue
                carrying.add(statement.name)
                init = next((item for item in statement.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)
                yield statement, list(_fields(init)) if init is not None else []


def _is_dataclass(cls: ast.ClassDef) -> bool:
    """True for @dataclass, and @dataclass(frozen=True), alone."""
    made = cls.decorator_list[0]
    named = made.func if isinstance(made, ast.Call) else made
    return len(cls.decorator_list) == 1 and (named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")) == "dataclass"


def _written(cls: ast.ClassDef) -> Iterator[Field]:
    """The plain fields of a dataclass."""
    for statement in cls.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and isinstance(statement.value, ast.Constant):
            name, value = statement.target.id, statement.value.value
            if isinstance(value, (int, float, str)) and not (NOTES.search(name) or STATE.search(name) or TALK.search(name)):
                yield Field(name, value, statement, True)


def _carries(item: ast.stmt) -> bool:
    """True for a piece of a class that does nothing with the values but to keep, to show and to copy them."""
    if not isinstance(item, ast.FunctionDef):
        return isinstance(item, (ast.Expr, ast.Pass, ast.Assign, ast.AnnAssign))
    if item.name != "__init__":
        return not any(isinstance(node, (ast.For, ast.While, ast.Yield, ast.YieldFrom, ast.Lambda)) or _sets(node) for node in ast.walk(item))
    return all(_sets(statement) or isinstance(statement, ast.Pass) or _is_text(statement) or _calls_base(statement) for statement in item.body)


def _sets(node: ast.AST) -> bool:
    """self.name = ..."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, (ast.AnnAssign, ast.AugAssign)) else []
    return bool(targets) and all(isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self" for one in targets)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _calls_base(statement: ast.stmt) -> bool:
    called = statement.value.func if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == "__init__"


def _fields(init: ast.FunctionDef) -> Iterator[Field]:
    """The numbers and switches among what a constructor keeps."""
    spec = init.args
    positional = [*spec.posonlyargs, *spec.args]
    defaults = dict(zip([one.arg for one in positional][len(positional) - len(spec.defaults) :], spec.defaults))
    defaults.update({one.arg: default for one, default in zip(spec.kwonlyargs, spec.kw_defaults) if default is not None})
    for statement in init.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target if isinstance(statement, ast.AnnAssign) else None
        if not isinstance(target, ast.Attribute) or not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
            continue
        name = target.attr
        kept = _taken(statement.value, name, spec.kwarg)
        if isinstance(statement.value, ast.Name) and statement.value.id == name:
            kept = defaults.get(name)
        value = kept if kept is not None else statement.value
        if not isinstance(value, ast.Constant) or not isinstance(value.value, (int, float)) or (kept is None and value.value in OFF):
            continue
        if not (NOTES.search(name) or STATE.search(name) or TALK.search(name)):
            yield Field(name, value.value, statement, kept is not None)


def _taken(value: ast.expr, name: str, keywords: ast.arg | None) -> ast.expr | None:
    """What stands for a keyword that is not given: 3 of `kwargs.get("layers", 3)`."""
    if not isinstance(value, ast.Call) or keywords is None or len(value.args) != 2:
        return None
    called, key = value.func, value.args[0]
    if not isinstance(called, ast.Attribute) or called.attr not in ("get", "pop") or not isinstance(called.value, ast.Name):
        return None
    return value.args[1] if called.value.id == keywords.arg and isinstance(key, ast.Constant) and key.value == name else None


def _without_fields(source: SourceModule, found: Found) -> str:
    """The text of a file without the statements that keep the fields."""
    lines = list(source.lines)
    for held, _, fields in found.values():
        for field in fields if held is source else ():
            first, last = field.node.lineno - 1, field.node.end_lineno or field.node.lineno
            lines[first:last] = [" " * field.node.col_offset + "pass", *[""] * (last - first - 1)]
    return "\n".join(lines)


def _unread(found: Found, texts: Iterable[str]) -> list[tuple[SourceModule, Field]]:
    """The fields that no text asks for, of classes of which others are asked for."""
    unread: list[tuple[SourceModule, Field]] = []
    texts = list(texts)
    for source, cls, fields in found.values():
        mine = [field for field in fields if not any(_asks(text, field.name) for text in texts)]
        if mine and cls.decorator_list and any(_is_record(text, cls.name, mine) for text in texts):
            continue
        if len(fields) - len(mine) >= LEAST:
            unread += [(source, field) for field in mine]
    return unread


def _is_record(text: str, name: str, fields: list[Field]) -> bool:
    """True for a dataclass that a text fills with what it has computed: results, or the state of a run, are kept for whoever looks at them."""
    made = re.findall(rf"(?<!class )\b{name}\(([^()]*)(\)?)", text)
    if any(not closed or PLAIN_VALUES.fullmatch(given) is None for given, closed in made):
        return True
    return any(re.search(rf"\.{field.name}\s*=(?!=)", text) for field in fields)


def _asks(text: str, name: str) -> bool:
    """True for a text that has a name as an attribute or in quotes, other than to give it a value."""
    return name in text and re.search(rf"\.\s*{name}\b(?!\s*(?::[^=\n]+)?=(?!=))|[\"']{name}[\"'](?!\s*\]\s*=(?!=))", text) is not None


def _is_told(text: str, found: Found) -> bool:
    """False for a text that may ask for names which it does not spell, or do more with all values of an object at once than to show them."""
    if COMPUTED.search(text):
        return False
    tellers = {item.name for _, cls, _ in found.values() for item in cls.body if isinstance(item, ast.FunctionDef) and _tells(item)}
    if ALL not in text and not (tellers and ("**" in text or any(f".{name}(" in text for name in tellers))):
        return True
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    called = {*found, *(node.asname for node in parents if isinstance(node, ast.alias) and node.asname and node.name in found)}
    for node in parents:
        if isinstance(node, ast.Attribute) and (node.attr == ALL or (node.attr in tellers and isinstance(parents[node], ast.Call))):
            if not _is_shown(node if node.attr == ALL else parents[node], parents, found):
                return False
        if isinstance(node, ast.keyword) and node.arg is None and tellers and not _is_given_back(node, parents, called):
            return False
    return True


def _tells(method: ast.FunctionDef) -> bool:
    """True for a method that gives all values of its object."""
    return any(isinstance(node, ast.Attribute) and node.attr == ALL for node in ast.walk(method))


def _is_shown(node: ast.AST, parents: dict[ast.AST, ast.AST], found: Found) -> bool:
    """True for a dict of all values that is printed, written down, or given by a method of the class itself."""
    parent = parents.get(node)
    if isinstance(parent, ast.Attribute) and parent.attr == "copy":
        return _is_shown(parents[parent], parents, found)
    if isinstance(parent, ast.Call) and node in parent.args:
        called = parent.func.attr if isinstance(parent.func, ast.Attribute) else parent.func.id if isinstance(parent.func, ast.Name) else ""
        return called in SHOWN_BY or (called in ("dict", "copy", "deepcopy") and _is_shown(parent, parents, found))
    if isinstance(parent, (ast.FormattedValue, ast.Expr)):
        return True
    is_kept = isinstance(parent, ast.Assign) and all(isinstance(target, ast.Subscript) for target in parent.targets)
    return (isinstance(parent, ast.Return) or is_kept) and _class_around(parent, parents) in found


def _class_around(node: ast.AST | None, parents: dict[ast.AST, ast.AST]) -> str:
    while node is not None and not isinstance(node, ast.ClassDef):
        node = parents.get(node)
    return node.name if node is not None else ""


def _is_given_back(spread: ast.keyword, parents: dict[ast.AST, ast.AST], classes: set[str]) -> bool:
    """True for keywords that are handed on as they come, or that make an object of such a class of what was written down."""
    call = parents[spread]
    around: ast.AST | None = call
    while around is not None and not isinstance(around, (ast.FunctionDef, ast.AsyncFunctionDef)):
        around = parents.get(around)
    rest = around.args.kwarg if around is not None else None
    if isinstance(spread.value, ast.Name) and rest is not None and spread.value.id == rest.arg:
        return True
    called = call.func if isinstance(call, ast.Call) else None
    return (called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else "") in classes


def _is_alone(reader: Reader, source: SourceModule) -> bool:
    """True for a file that imports nothing which may ask an object of the program for settings."""
    roots: set[str] = set()
    nodes = list(source.tree.body)
    for node in nodes:
        if isinstance(node, ast.Import):
            roots |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            roots.add(node.module.partition(".")[0])
        elif isinstance(node, (ast.If, ast.Try)):
            nodes += [*node.body, *node.orelse]
    return all(root in LIBRARIES or reader.project.find(root, source.path) is not None for root in roots)

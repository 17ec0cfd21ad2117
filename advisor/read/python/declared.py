"""Which of the settings that a program declares are asked for anywhere in its files."""

from __future__ import annotations

import ast
import os
import re
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Hyperparameter
from advisor.model.record import dataclass
from advisor.model.source import Known
from advisor.read.python import keys
from advisor.read.python.values import Constant

if TYPE_CHECKING:
    from advisor.read.python.project import Project, SourceModule
    from advisor.read.python.reader import Reader
    from advisor.read.python.values import Instance

WHOLESALE = {  # what takes all settings at once: a word that stands in it, and how it is written where the word alone says nothing
    "__dict__": None,
    "_get_kwargs": None,
    "vars(": pattern(r"\bvars\("),
    "asdict(": pattern(r"\basdict\("),
    "**": pattern(r"\*\*\s*(args|opts?|options|cfg|config|flags|hparams|params)\b"),
}
COMPUTED = {  # what loads a module by a name that is computed
    "spec_from_file_location": None,
    "import_module(": pattern(r"\bimport_module\("),
    "__import__(": pattern(r"\b__import__\("),
    "pkgutil.": pattern(r"\bpkgutil\."),
    "exec(": pattern(r"\bexec\("),
}
OF_A_MODULE = r"^\s*import\s+{0}\b|^\s*import\s+[\w.]+\s+as\s+{0}\b|^\s*from\s+torchvision\s+import\s[^\n]*\b{0}\b"
OWNED = pattern(r"(?<![\w.])(\w+)\.__dict__")
ATTRIBUTE = pattern(r"\.\s*([A-Za-z_]\w*)(\s*\()?")  # and whether it is called
PLAIN = frozenset({"int", "float", "str", "bool"})  # types of values that nobody calls
TEXT = pattern(r"""["']([A-Za-z_]\w*)["']""")


def note_readers(reader: Reader) -> None:
    """Marks as read what some file names as an attribute or in quotes, and everything where all settings are taken at once.

    Spelling decides here, not execution: a function that nobody calls by name (a hook, an entry of a registry) reads its settings all the same.
    """
    settings = reader.recipe.hyperparameters
    if not settings.items:
        return
    keys.note(reader)
    spelled = [_spelled(reader.project, source) for source in reader.modules.values()]
    wholesale = any(said.wholesale for said in spelled)
    named = set().union(*(said.names for said in spelled))
    called = set().union(*(said.called for said in spelled))  # `random.seed(0)` reads no number that is called seed
    named.update(setting.name for setting in settings if setting.name in called and setting.type not in PLAIN)
    unread = [setting for setting in settings if setting.name not in named and setting.declared != "config"]
    shared = any(setting.place.file != reader.entry.display for setting in unread)  # other programs may import the same declarations
    if unread and not wholesale and (shared or any(said.computed for said in spelled)):
        named.update(_named_beside(reader.project, os.path.dirname(reader.entry.path)))
    for setting in settings:
        setting.read = setting.read or wholesale or setting.name in named
        setting.escaped = setting.escaped or reader.handed_over
    if reader.spent or reader.failed_imports:
        settings.complete, settings.why = False, "not every file of the program was read"


STATE = pattern(  # what a run writes into its arguments
    r"rank|gpu|cuda|device|dist|world|debug|start_|best|resume|_?(dir|path|name|file)$|^(iters?|steps?|epoch)$", re.IGNORECASE
)


def note_overwritten(reader: Reader, options: Instance, name: str, node: ast.AST) -> None:
    """Notes an option that gets another literal value on every way, whatever the command line says."""
    if reader.conditions or reader.loop_depth or not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant) or STATE.search(name):
        return
    held, place = options.attributes.get(name), reader.place(node)
    if type(node.value.value) not in (int, float):
        return  # a switch is often set for one way to start the program
    if not isinstance(held, Constant) or held.value == node.value.value or not held.weak or reader.frame.module.cells is not None:
        return
    value = Known(node.value.value, place=place)
    fact = Hyperparameter(place, name=name, value=value, declared="argument", read=True, overruled="overwritten", overruled_by=repr(held.value))
    reader.recipe.hyperparameters.items.append(fact)


@dataclass(frozen=True, slots=True)
class Spelled:
    """What the text of a file says of settings."""

    names: frozenset[str]
    called: frozenset[str]
    wholesale: bool
    computed: bool


def _spelled(project: Project, source: SourceModule) -> Spelled:
    """What a file says, looked for once however many programs read it."""
    said = project.remembered.get(source.path)
    if said is None:
        text = source.text
        wholesale = _found(WHOLESALE, _without_modules(text))
        attributes = ATTRIBUTE.findall(text)
        names = frozenset([*(name for name, called in attributes if not called), *TEXT.findall(text)])
        said = Spelled(names, frozenset(name for name, called in attributes if called), wholesale, _found(COMPUTED, text))
        project.remembered[source.path] = said
    assert isinstance(said, Spelled)
    return said


def _without_modules(text: str) -> str:
    """The text without `models.__dict__`, where `models` is a module: what is in it are no settings."""
    if ".__dict__" not in text:
        return text
    names = set(OWNED.findall(text))
    modules = {name for name in names if re.search(OF_A_MODULE.format(re.escape(name)), text, re.MULTILINE)}
    return OWNED.sub(lambda found: found[1] if found[1] in modules else found[0], text)


def _found(expressions: dict[str, re.Pattern[str] | None], text: str) -> bool:
    """Whether one of them stands in a text. Most texts hold none of the words, and looking for those is much faster."""
    return any(word in text and (pattern is None or pattern.search(text) is not None) for word, pattern in expressions.items())


def _named_beside(project: Project, folder: str) -> frozenset[str]:
    """The names in all files below a folder."""
    key = folder + os.sep
    named = project.remembered.get(key)
    if named is None:
        texts = [text for _, text in keys.beside(project, folder)]
        attributes = {name for text in texts for name, _ in ATTRIBUTE.findall(text)}
        named = project.remembered[key] = frozenset(attributes.union(*(TEXT.findall(text) for text in texts)))
    assert isinstance(named, frozenset)
    return named

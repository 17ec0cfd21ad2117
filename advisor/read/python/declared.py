"""Which of the settings that a program declares are asked for anywhere in its files."""

from __future__ import annotations

import ast
import os
import re
from typing import TYPE_CHECKING

from advisor.model.events import Kind, kinds
from advisor.model.pattern import pattern
from advisor.model.recipe import Hyperparameter
from advisor.model.source import Known
from advisor.read.python import keys, spelled
from advisor.read.python.prospect import is_guard
from advisor.read.python.values import Constant

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader
    from advisor.read.python.spelled import Text
    from advisor.read.python.values import Instance

NOTES = pattern(  # what tells a reader of logs which run it was
    r"note|comment|tag|desc|name|info|version|author|remark|memo|title|(^|_)(exp|id|run)(_|$)|experiment|message|suffix|prefix|label|project|group|user"
)
PLAIN = frozenset({"int", "float", "str", "bool"})  # types of values that nobody calls


def note_readers(reader: Reader) -> None:
    """Marks as read what some file names as an attribute or in quotes, and everything where all settings are taken at once.

    Spelling decides here, not execution: a function that nobody calls by name (a hook, an entry of a registry) reads its settings all the same.
    """
    settings = reader.recipe.hyperparameters
    if not settings.items:
        return
    keys.note(reader)
    if not reader.recipe.trains:
        settings.complete, settings.why = False, "nothing is trained here"
        return
    files: list[spelled.Text] = [(source.path, source.text) for source in reader.modules.values()]
    said = [spelled.of(reader.project, file) for file in files]
    wholesale, computed = any(one.wholesale for one in said), any(one.computed for one in said)
    names = {setting.name for setting in settings}
    options = {setting.name for setting in settings if setting.declared == "argparse"}
    called_too = {setting.name for setting in settings if setting.type not in PLAIN}  # `args.seed(0)` reads no number that is called seed
    named = spelled.named(names, called_too, said)
    asked = _asked(reader, options, called_too, files, wholesale) if options else set[str]()
    unread = [setting for setting in settings if setting.declared != "config" and setting.name not in (asked if setting.name in options else named)]
    declaring = {setting.place.file for setting in unread} - {reader.entry.display}  # other programs may import the same declarations
    if declaring or (unread and computed):
        beside = spelled.beside(reader.project, _above(reader, declaring))
        if beside is None:
            settings.complete, settings.why = False, "too many files may read what others declare"
            return
        named |= spelled.named(names, called_too, (spelled.of(reader.project, file) for file in beside))
        if options:
            asked |= (named & options) if computed else _asked_of(reader, options, called_too, [*files, *beside])
    for setting in settings:
        if setting.declared == "argparse":
            setting.read = setting.read or setting.name in asked
        else:
            setting.read = setting.read or wholesale or setting.name in named
        setting.escaped = setting.escaped or reader.handed_over
    lacking = any(fact.missing_in is not None for fact in reader.recipe.undefined_names)  # what is not there cannot be seen to ask for nothing
    if reader.spent or reader.failed_imports or lacking:
        settings.complete, settings.why = False, "not every file of the program was read"


def _above(reader: Reader, declaring: set[str]) -> str:
    """The innermost folder of the project that holds the entry and the files that declare: the programs that share these lie below it."""
    roots = reader.project.roots(reader.entry.path)
    paths = [source.path for source in reader.modules.values() if source.display in declaring]
    return next((root for root in roots if all(path.startswith(root + os.sep) for path in paths)), roots[0])


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
    if Kind.BACKWARD in kinds([*reader.recipe.tree, *reader.block], {}):
        return  # it was trained with what the command line says: this is the next of several experiments
    others = _others_write(reader, name) if _straight(reader, node) else None
    if others is None or not all(others):
        return  # another program may leave the option as it is given
    value = Known(node.value.value, place=place)
    fact = Hyperparameter(place, name=name, value=value, declared="argument", read=True, overruled="overwritten", overruled_by=repr(held.value))
    fact.pinned = bool(others)
    reader.recipe.hyperparameters.items.append(fact)


def _straight(reader: Reader, node: ast.AST) -> bool:
    """True for what stands straight in its function, or among what the file does when it is run: no test of a name or a turn leads to it."""
    body: list[ast.stmt] = list(reader.active[-1].body) if reader.active and isinstance(reader.active[-1], ast.FunctionDef) else []
    pending = body or list(reader.frame.module.tree.body)
    while pending:
        part = pending.pop()
        if part is node:
            return True
        if isinstance(part, ast.With) or (not body and isinstance(part, ast.If) and is_guard(part)):
            pending += part.body
    return False


def _others_write(reader: Reader, name: str) -> list[bool] | None:
    """Of each other program of the project that has the options from the same file, whether it writes this one; None where that is not known."""
    where = {setting.place.file for setting in reader.recipe.hyperparameters if setting.declared == "argparse" and setting.name == name}
    stems = {os.path.splitext(os.path.basename(file))[0] for file in where}
    beside = spelled.beside(reader.project, _above(reader, where))
    if not stems or beside is None:
        return None
    own = {source.path for source in reader.modules.values()}
    imported = re.compile(rf"^\s*(?:from|import)\b.*\b(?:{'|'.join(map(re.escape, stems))})\b", re.MULTILINE)
    written = re.compile(rf"\.{re.escape(name)}\s*=(?!=)")
    texts = (spelled.text(reader.project, file) for file in beside if file[0] not in own)
    return [written.search(text) is not None for text in texts if imported.search(text)]


def _asked(reader: Reader, options: set[str], called_too: set[str], files: list[Text], wholesale: bool) -> set[str]:
    """The options that some file asks for; where all are taken at once, those that are written anywhere."""
    if not wholesale:
        return _asked_of(reader, options, called_too, files)
    said = [(spelled.of(reader.project, file), file) for file in files]
    if any(one.set_in_turn or (one.taken and spelled.asked_in(reader.project, file).hands_on) for one, file in said):
        return set(options)
    if not any(one.taken for one, _ in said):  # only shown, as the notes among them are to be
        return {name for name in options if NOTES.search(name)} | _asked_of(reader, options, called_too, files)
    return {name for name in options if NOTES.search(name)} | spelled.written(options, (source.text for source in reader.modules.values()))


def _asked_of(reader: Reader, options: set[str], called_too: set[str], files: list[Text]) -> set[str]:
    return spelled.asked_of_options(options, called_too, [spelled.asked_in(reader.project, file) for file in files], reader.holders)

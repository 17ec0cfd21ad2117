"""Whether a program may come to train at all, told from the names in its files: many scripts that evaluate, export or prepare data never do.

Calls are followed by name alone: whatever bears a name that is mentioned, in any file of the program, may be what is called. Once much of a program
was read and nothing of training was met, this is asked; where the answer is no the program is read no further, and says so.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.read.python.project import Inside, SourceModule

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

ENOUGH = 5_000  # expressions of a program's own, those of importing its files not counted
# What every program that trains does somewhere: a backward, the loop of a library, or a call of whatever a setting names. One by one, each
# beginning with a plain word: these are found ten times as fast as one expression of them all.
SIGNS = tuple(
    map(
        pattern,
        (
            r"\.backward\s*\(",
            r"\.zero_grad\b",
            r"\.fit\w*\b",
            r"\.learn\w*\s*\(",
            r"rainer(?<=[Tt]rainer)\w*\s*\(",
            r"CLI\s*\(",
            r"Fire(?<!\wFire)\s*\(",
            r"instantiate(?<!\winstantiate)\s*\(",
            r"train(?<!\wtrain)(?<!def train)\w*\s*\((?!\s*(?:True|False|mode|\w*training)\b)",  # model.train(was_training) goes back to what was
            r"getattr\((?<!\wgetattr\()[^,\n]+,\s*(?![\"']\w*[\"']\s*[,)])[^\n]*\)\s*\(",  # called by a name that is put together
        ),
    )
)
REMARKS = pattern(r'"""[\s\S]*?"""|#[^\n]*')
WORD = pattern(r"[A-Za-z_]\w*")
PLAIN_WORDS = frozenset({*keyword.kwlist, *dir(builtins), "self", "cls", "torch", "np", "nn", "os", "args", "x"})
IMPORTS = pattern(r"^\s*(?:from\s+(\.*)([\w.]*)\s+import\b|import\s+([\w.]+))", re.MULTILINE)

SIGN = "<sign>"  # stands for a sign of training among the names of a text


def look(reader: Reader) -> None:
    """Ends the reading of a program that has come far, met nothing of training, and calls nothing that trains."""
    own = reader.steps - reader.steps_imported
    if own < ENOUGH:
        reader.look_at = reader.steps + ENOUGH - own
        return
    reader.look_at = sys.maxsize
    recipe = reader.recipe
    if recipe.framework != "plain" or recipe.optimizers.items or reader.handed_over or may_train(reader):
        return
    reader.spent = True
    reader.unread(f"nothing that is called here trains: no more than {ENOUGH:,} expressions of the program were read", reader.entry.tree)


def may_train(reader: Reader) -> bool:
    """False when nothing that the program may call is a sign of training."""
    modules, entry = list(reader.modules.values()), reader.entry
    defined: dict[str, list[tuple[SourceModule, ast.AST]]] = {}
    reached: list[tuple[SourceModule, ast.AST]] = []
    for module in modules:
        for name, node, unnamed in _definitions(module):
            defined.setdefault(name, []).append((module, node))
            if unnamed or module.path == entry.path:
                reached.append((module, node))
    named: set[str] = set().union(*(_outside(module) for module in modules)) & defined.keys()
    if SIGN in _outside(entry):
        return True
    reached += [definition for name in named for definition in defined[name]]
    looked: set[ast.AST] = set()
    while reached:
        module, node = reached.pop()
        if node in looked:
            continue
        looked.add(node)
        inside = _inside(module, node)
        if inside is None or any(_is_unread(reader, module, level, name) for level, name in inside.imports):
            return True
        for name in (inside.names & defined.keys()) - named:
            named.add(name)
            reached += defined[name]
    return False


def _definitions(module: SourceModule) -> list[tuple[str, ast.AST, bool]]:
    """The functions and methods of a file: name, node, and whether they are called without being named (by an operator, a library, a registry)."""
    if module.mentions.defined is None:
        module.mentions.defined = list(_defined_in(module.tree.body, False))
    return module.mentions.defined


def _defined_in(body: Iterable[ast.AST], is_class: bool) -> Iterator[tuple[str, ast.AST, bool]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            special = is_class and (node.name == "forward" or node.name.startswith("__"))
            yield node.name, node, special or any(isinstance(decorator, ast.Call) for decorator in node.decorator_list)
        elif isinstance(node, ast.ClassDef):
            yield from _defined_in(node.body, True)
        elif isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.ExceptHandler)):
            yield from _defined_in(ast.iter_child_nodes(node), is_class)


def _inside(module: SourceModule, node: ast.AST) -> Inside | None:
    """What a definition mentions; None where it has a sign of training."""
    inside = module.mentions.inside
    if node not in inside:
        text = _without_remarks("\n".join(module.lines[node.lineno - 1 : node.end_lineno]))  # type: ignore[attr-defined]
        imports = tuple((len(dots), name or whole) for dots, name, whole in IMPORTS.findall(text)) if "import " in text else ()
        inside[node] = None if _has_sign(text) else Inside(frozenset(map(sys.intern, _words(text))), imports)
    return inside[node]


def _outside(module: SourceModule) -> frozenset[str]:
    """The names in a file outside of its functions, its imports left out: to import is not to call."""
    if module.mentions.outside is None:
        lines = list(module.lines)
        imports = [node for node in module.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        for node in (*imports, *(node for _, node, _ in _definitions(module))):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)  # type: ignore[attr-defined]
        text = _without_remarks("\n".join(filter(None, lines)))
        module.mentions.outside = frozenset(map(sys.intern, _words(text))) | ({SIGN} if _has_sign(text) else set())
    return module.mentions.outside


def _without_remarks(text: str) -> str:
    return REMARKS.sub("", text) if "#" in text or '"""' in text else text


def _has_sign(text: str) -> bool:
    return any(sign.search(text) for sign in SIGNS)


def _words(text: str) -> set[str]:
    return set(WORD.findall(text)) - PLAIN_WORDS


def _is_unread(reader: Reader, module: SourceModule, level: int, name: str) -> bool:
    """True for an import of a project file that was not executed and has a sign of training."""
    project = reader.project
    path = project.relative(module, level, name) if level else project.find(name, module.path)
    if path is None or path.endswith(os.sep) or path in reader.modules:
        return False
    key = f"trains {path}"
    if key not in project.remembered:
        data = project.read_bytes(path)
        project.remembered[key] = not isinstance(data, bytes) or _has_sign(data.decode("utf-8", "replace"))
    return bool(project.remembered[key])

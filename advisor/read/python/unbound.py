"""Names that nothing binds: asked for in a file, imported from one that has no such name, or from above the package."""

from __future__ import annotations

import ast
import os
import sys
from typing import TYPE_CHECKING, cast

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken, UndefinedName
from advisor.read.notebook import in_cells, lines_left_out
from advisor.read.python import called
from advisor.read.python.executed import is_executed
from advisor.read.python.refusals import under
from advisor.read.python.values import Class, Library

if TYPE_CHECKING:
    from advisor.read.python.frames import Frame
    from advisor.read.python.project import Project, SourceModule
    from advisor.read.python.reader import Reader

FROM_OUTSIDE = frozenset([  # names that an interpreter, a notebook or a profiler brings, and those of Python 2
    "__file__", "__name__", "__doc__", "__path__", "__spec__", "__loader__", "__package__", "__class__", "__annotations__", "__builtins__",
    "__debug__", "__module__", "__qualname__", "WindowsError", "profile", "get_ipython", "display", "_", "exit", "quit", "reveal_type",
    "xrange", "unicode", "raw_input", "basestring", "long", "unichr", "reduce", "file", "cmp", "execfile", "reload",
])  # fmt: skip
# And what services put into it.
FROM_KERNEL = frozenset(["In", "Out", "__", "___", "spark", "sc", "dbutils", "displayHTML", "sqlContext", "getArgument", "_sqldf"])
AUTOMAGIC = frozenset(["pwd", "ls", "ll", "lx", "dirs", "who", "whos", "hist", "history", "env", "lsmagic", "clear", "reset", "colors"])  # need no %
OTHER_MAGIC = pattern(  # that may bind names: all but those that are known not to
    r"(?m)^\s*%%?(?!%|(matplotlib|pip|conda|cd|time|timeit|autoreload|(re)?load_ext|capture|env|ls|config|tensorboard|bash|sh|html|javascript|mkdir|pwd"
    r"|writefile|file|cat|rm|cp|mv|nbdev\w*|aimport|reset|set_env|tensorflow_version|markdown|latex|svg|who|whos|warnings|precision|prun|memit|md|fs"
    r"|scala|r)\b)"
)
HIDDEN = ("globals()", "locals()", "exec(", "vars()", "import *", "__dict__", "builtins")  # ways to bind a name that no assignment shows


def judge_name(reader: Reader, node: ast.Name, source: SourceModule | None = None) -> None:
    """Notes a name that was not found, and that its file (the running code's, if it is not given) binds nowhere."""
    name, module = node.id, source or reader.frame.module
    known = name in FROM_OUTSIDE or (module.display, name) in reader.refusals.names
    if known or reader.refusals.guarded or (source is None and _prepared(reader.frame)):
        return
    if name in AUTOMAGIC and in_cells(module) and module.lines[node.lineno - 1].strip() == name:
        return
    reader.refusals.names.add((module.display, name))
    if module.path.endswith("__init__.py"):
        return  # what a package imports of itself is bound in it
    if module.display not in reader.refusals.unbound:
        names = _names(reader.project, module)
        unbound = names[1] - names[0] if names is not None else frozenset()
        if unbound and in_cells(module):
            unbound -= _left_out(reader.project, module, unbound)
        reader.refusals.unbound[module.display] = unbound
    if name not in reader.refusals.unbound[module.display] or (module is reader.entry and reader.asked_of_entry(is_executed, module.path)):
        return
    fact = UndefinedName(module.place(node), name=name, alone=_stands_alone(module))
    under(reader, fact)
    reader.recipe.undefined_names.items.append(fact)


def _left_out(project: Project, source: SourceModule, names: frozenset[str]) -> frozenset[str]:
    """Of some names those that cells may bind in what is not read of them: a magic, a line for the shell, a cell that does not parse."""
    data = project.read_bytes(source.path)
    unread = lines_left_out(data, source.text) if isinstance(data, bytes) else None
    if unread is None or OTHER_MAGIC.search(unread):
        return names
    return frozenset(name for name in names if name in unread or name in FROM_KERNEL)


def _stands_alone(source: SourceModule) -> bool:
    """True for a file without any import or definition."""
    brings = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return not any(isinstance(node, brings) for node in ast.walk(source.tree))


def judge_import(reader: Reader, source: SourceModule, name: str, node: ast.ImportFrom) -> None:
    """Notes a name that is imported from a file of the project that binds no such name, where no other file can be meant."""
    if (
        reader.refusals.guarded
        or not source.text
        or name.startswith("__")
        or not (node.level or (not _standard(node) and reader.asked_of_entry(stands_alone_on_path, f"{node.module} {source.path}")))
    ):
        return
    if source.is_package and os.path.dirname(reader.frame.module.path) == os.path.dirname(source.path):
        return  # a package that is still being made by what it imports
    names = _names(reader.project, source)
    if names is None or name in names[0]:
        return
    fact = UndefinedName(reader.place(node), name=name, missing_in=source.display, relative=node.level > 0)
    under(reader, fact)
    reader.recipe.undefined_names.items.append(fact)


def judge_member(reader: Reader, source: SourceModule, name: str, node: ast.AST) -> None:
    """Notes `plots.curves` where a file plots of the project, and no other is meant, binds no such name and nobody gives it one."""
    asked = node.func if isinstance(node, ast.Call) else node
    if not isinstance(asked, ast.Attribute) or reader.refusals.guarded or not source.text or name.startswith("__") or source.is_package:
        return
    if source is reader.frame.module:  # `import umap` in an umap.py means the library, but where that file is the one that is started
        return
    if not reader.asked_of_entry(stands_alone_on_path, f"{source.name} {source.path}") or called.is_asked(reader, asked.value):
        return
    names = _names(reader.project, source)
    if names is None or name in names[0] or any(_binds_member(module.tree, name) for module in reader.modules.values() if name in module.text):
        return
    fact = UndefinedName(reader.place(asked), name=name, missing_in=source.display, member=True)
    under(reader, fact)
    if not any(known.place == fact.place for known in reader.recipe.undefined_names):
        reader.recipe.undefined_names.items.append(fact)


def _binds_member(tree: ast.AST, name: str) -> bool:
    """True for a file that gives an object an attribute of that name, or spells it as a text."""
    for node in ast.walk(tree):
        if (isinstance(node, ast.Attribute) and node.attr == name and not isinstance(node.ctx, ast.Load)) or (
            isinstance(node, ast.Constant) and node.value == name
        ):
            return True
    return False


def seems_to_lack(project: Project, source: SourceModule) -> bool:
    """True for a file that imports, from another of its package, a name which does not even stand there: worth a closer look."""
    nodes: list[ast.AST] = list(source.tree.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If):
            nodes += [*node.body, *node.orelse]
        elif isinstance(node, ast.Try):
            nodes += [*(inner for handler in node.handlers for inner in handler.body), *node.orelse, *node.finalbody]
        elif isinstance(node, ast.ImportFrom) and node.level and node.module:
            path = project.relative(source, node.level, node.module)
            text = project.read_bytes(path) if path is not None and not path.endswith((os.sep, "__init__.py")) else None
            if isinstance(text, bytes) and any(alias.name != "*" and alias.name.encode() not in text for alias in node.names):
                return True
    return False


def judge_level(reader: Reader, node: ast.ImportFrom) -> None:
    """Notes `from ..data import x` in a file that the entry knows as `utils.x`: there is no package above utils."""
    module = reader.frame.module
    if reader.refusals.guarded or module is reader.entry:
        return
    name = reader.asked_of_entry(_name_for_entry, module.path)
    package = name if module.is_package else name.rpartition(".")[0]
    if not name or node.level <= len(list(filter(None, package.split(".")))):
        return
    fact = UndefinedName(reader.place(node), name="." * node.level + (node.module or ""), above=package or name)
    under(reader, fact)
    reader.recipe.undefined_names.items.append(fact)


def _name_for_entry(project: Project, path: str, entry: str) -> str:
    """The dotted name that a file has for the entry, which finds it below its own folder; empty where it may be known by another one.

    An entry that imports by dots itself is started with `-m`, from who knows how far above.
    """
    folder, source = os.path.dirname(entry) + os.sep, project.load(entry)
    if not path.startswith(folder) or isinstance(source, Broken):
        return ""
    name = path[len(folder) :].removesuffix(".py").replace(os.sep, ".").removesuffix(".__init__")
    if not stands_alone_on_path(project, f"{name} {path}", entry):
        return ""
    dotted = "from ." in source.text and any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(source.tree))
    return "" if dotted else name


def _standard(node: ast.ImportFrom) -> bool:
    """True for a module of Python's own: a file of that name is taken for it only where its folder is what the run starts from."""
    return (node.module or "").partition(".")[0] in sys.stdlib_module_names


def stands_alone_on_path(project: Project, said: str, entry: str) -> bool:
    """True for a file that is imported by its name from the folder of the entry, where no other folder that imports may start from has that name.

    What stands in a package may be started with `-m` from elsewhere.
    """
    name, _, path = said.partition(" ")
    here, root = os.path.dirname(entry), name.partition(".")[0]
    if project.below(here, name.split(".")) != path or "__init__.py" in project.listing(here):
        return False
    return [folder for folder in dict.fromkeys((*project.roots(entry), project.directory)) if project.below(folder, [root])] == [here]


def _prepared(frame: Frame) -> bool:
    """True in the body of a class whose metaclass may put names into it."""
    owner = frame.owner if frame.is_class else None
    return owner is not None and (bool(owner.keywords) or any(not isinstance(base, (Class, Library)) for base in owner.mro))


Names = tuple[frozenset[str], frozenset[str]]


def _names(project: Project, source: SourceModule) -> Names | None:
    """The names that a file binds, and those that it asks for as globals, looked for once; None where its text does not show them all."""
    key = f"names\0{source.path}"
    if key not in project.remembered:
        project.remembered[key] = _names_in(source.text)
    return cast("Names | None", project.remembered[key])


def _names_in(text: str) -> Names | None:
    if any(way in text for way in HIDDEN):
        return None
    import symtable  # few programs ask for a name that they do not bind

    try:
        top = symtable.symtable(text, "<text>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return None
    bound: set[str] = set()
    asked: set[str] = set()
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace() or symbol.is_parameter():
                bound |= {symbol.get_name()} if table is top or symbol.is_global() else set()
            elif symbol.is_referenced() and symbol.is_global():
                asked.add(symbol.get_name())
    return frozenset(bound), frozenset(asked)

"""Imports: a project file is executed once per program and becomes a module; everything else is a library name."""

from __future__ import annotations

import ast
import os
import sys
from typing import TYPE_CHECKING

from advisor.model.recipe import Broken
from advisor.model.record import replace
from advisor.read.frameworks import table
from advisor.read.python import deferred
from advisor.read.python.executions import FailedImport, Used
from advisor.read.python.frames import Frame
from advisor.read.python.project import LARGEST_PROGRAM, Project, SourceModule
from advisor.read.python.unbound import judge_import, judge_level
from advisor.read.python.values import Constant, Library, Module, Opaque, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


def run_import(reader: Reader, node: ast.Import) -> None:
    """import a.b.c [as d]"""
    for alias in node.names:
        value = import_module(reader, alias.name, node)
        if alias.asname:
            reader.store.write(reader.frame.home(alias.asname), alias.asname, value)
        else:
            root = alias.name.partition(".")[0]
            reader.store.write(reader.frame.home(root), root, import_module(reader, root, node) if root != alias.name else value)


def run_import_from(reader: Reader, node: ast.ImportFrom) -> None:
    """from a.b import c [as d]"""
    source, package, name = module_of(reader, node)
    for alias in node.names:
        if alias.name == "*":
            _star(reader, source, node)
            continue
        value: Value | None = None
        if isinstance(source, Module):
            value = deferred.member(reader, source.source, alias.name)
            if value is None:
                value = _submodule(reader, package, alias.name, name, node)
            if value is None and source.source.state == "running":
                value = Opaque(f"`{alias.name}` of a cyclic import")
                if reader.sharing is not None:
                    reader.sharing.depends_on_circle(source.source.path)
            if value is None:
                getter = source.namespace.get("__getattr__")
                if getter is None:
                    judge_import(reader, source.source, alias.name, node)
                value = Opaque(f"`{alias.name}` is not in {source.source.display}") if getter is None else Opaque(f"`{alias.name}` of a lazy module")
        elif isinstance(source, Library):
            value = reader.attribute(source, alias.name, node)
        else:
            folder = package if package and package.endswith(os.sep) else None
            value = _submodule(reader, folder, alias.name, name, node) if folder else None
            if value is None:
                value = Opaque(f"import of `{alias.name}` from `{name}`")
        reader.store.write(reader.frame.home(alias.asname or alias.name), alias.asname or alias.name, value)


def module_of(reader: Reader, node: ast.ImportFrom) -> tuple[Value, str | None, str]:
    """What names are imported from: its value, its file or folder, and its dotted name."""
    if not node.level:
        source = import_module(reader, node.module or "", node)
        return source, source.source.path if isinstance(source, Module) else None, node.module or ""
    module = reader.frame.module
    judge_level(reader, node)
    path = reader.project.relative(module, node.level, node.module)
    name = _relative_name(module, node.level, node.module)
    if path:
        return _execute(reader, path, name, node), path, name
    from advisor.read.python import absent  # few programs import what is not there

    absent.judge_relative(reader, node)
    return _failed(reader, "." * node.level + (node.module or ""), node), path, name


def import_module(reader: Reader, name: str, node: ast.AST) -> Value:
    """The module of an absolute import. A framework with a table wins over a project file of the same name."""
    root = name.partition(".")[0]
    standard = root in sys.stdlib_module_names and not _shadows(reader, root)
    path = _file_of(reader, name) if root and not standard else None
    if path is not None and path.endswith(os.sep) and reader.frame.module.path.startswith(path) and table.described(root):
        path = None  # a folder of scripts that bears the name of the library that they use
    if path is not None and not (table.known(root) and not _shadows(reader, root)):
        return _execute(reader, path, name, node)
    if path is None and "." in name and not standard and not table.known(root):
        top = reader.project.find(root, reader.frame.module.path)
        if top is not None and _importable(reader, top):
            parent = name.rpartition(".")[0]
            value = import_module(reader, parent, node)
            if isinstance(value, Module):
                inner = deferred.member(reader, value.source, name.rpartition(".")[2])
                if inner is not None:
                    return inner
            if isinstance(value, Module):
                from advisor.read.python import absent  # few programs import what is not there

                absent.judge_absolute(reader, name, node)
            return _failed(reader, name, node)
        if top is None:
            from advisor.read.python import absent

            absent.judge_folder(reader, name, node)
    table.load(name)
    reader.imported.add(root)
    reader.log(Used(root))
    return Library(table.canonical(name))


def _file_of(reader: Reader, name: str) -> str | None:
    """The file of an absolute import. What stands beside the entry comes before what stands beside the importing file: Python looks there first."""
    return reader.asked_of_entry(_beside_entry, name) or reader.project.find(name, reader.frame.module.path)


def _beside_entry(project: Project, name: str, entry: str) -> str | None:
    """The file of that name in the folder of the entry; a package may be started from elsewhere."""
    here = os.path.dirname(entry)
    return project.below(here, name.split(".")) if "__init__.py" not in project.listing(here) else None


def _importable(reader: Reader, top: str) -> bool:
    """True for a package that the program can really import by its name: beside the entry, or at the project's root or its src."""
    folder = os.path.dirname(top.rstrip(os.sep))
    folder = os.path.dirname(folder) if os.path.basename(top) == "__init__.py" else folder
    return reader.asked_of_entry(_on_path, folder)


def _on_path(project: Project, folder: str, entry: str) -> bool:
    """True for a folder that imports of the program start from."""
    return folder in (os.path.dirname(entry), project.directory) or folder in project.roots(entry)[-2:]


def _beside(project: Project, path: str, entry: str) -> bool:
    """True for a file in the folder of the entry."""
    return os.path.dirname(path) == os.path.dirname(entry)


def _shadows(reader: Reader, root: str) -> bool:
    """Names of small standard modules (types, copy, random, json) that a project file beside the script really shadows."""
    path = reader.project.find(root, reader.frame.module.path)
    if path in (None, reader.frame.module.path) or root in ("torch", "numpy", "os", "sys", "builtins"):  # a file never means itself
        return False
    return reader.asked_of_entry(_beside, path)


def _relative_name(module: SourceModule, level: int, name: str | None) -> str:
    parts = module.name.split(".")
    keep = len(parts) - level + (1 if module.is_package else 0)
    base = ".".join(parts[: max(keep, 0)])
    return ".".join(filter(None, (base, name))) or (name or os.path.basename(os.path.dirname(module.path)))


def _submodule(reader: Reader, package: str | None, child: str, parent: str, node: ast.AST) -> Value | None:
    if package is None or not (package.endswith(os.sep) or os.path.basename(package) == "__init__.py"):
        return None
    path = reader.project.below(package.rstrip(os.sep) if package.endswith(os.sep) else os.path.dirname(package), [child])
    return _execute(reader, path, f"{parent}.{child}" if parent else child, node) if path else None


def _failed(reader: Reader, name: str, node: ast.AST) -> Value:
    reader.failed_imports.append(FailedImport(name, reader.place(node), _of_classes(node)))
    reader.unread(f"the import of `{name}` was not found in the project", node)
    return Opaque(f"import of `{name}`")


def _of_classes(node: ast.AST) -> bool:
    """True for `from nets import UNet, ResNet`: names in the form of classes, which a file that is not there does not run by itself."""
    return isinstance(node, ast.ImportFrom) and all(alias.name[0].isupper() and not alias.name.isupper() for alias in node.names)


def _execute(reader: Reader, path: str, name: str, node: ast.AST) -> Value:
    """Runs a project file once per program and gives it as a module."""
    if path.endswith(os.sep):
        return _namespace_folder(path, name)
    if path not in reader.modules:
        if reader.project.needed > reader.most and not reader.closed:
            reader.closed = True
            reader.recipe.budget_cuts += reader.most == LARGEST_PROGRAM  # of a part less is read on purpose
            reader.unread(f"the files of this program have more than {reader.most:,} characters: no more are imported", node)
        if reader.closed:
            if reader.sharing is not None:
                reader.sharing.depends_on_entry()
            return Opaque("the program is too large to be read whole")
    source = reader.project.load(path, name)
    if isinstance(source, Broken):
        if not any(b.place.file == source.place.file for b in reader.recipe.broken):
            reader.recipe.broken.append(source)
        reader.failed_imports.append(FailedImport(name, reader.place(node), classes=False))
        reader.unread(f"`{name}` could not be read: {source.detail}", node)
        return Opaque(f"import of `{name}`")
    source = reader.own(source)
    if source.state == "new":
        steps = reader.steps
        reader.importing += 1
        try:
            execute(reader, source)
        finally:
            reader.importing -= 1
        if not reader.importing:
            reader.steps_imported += reader.steps - steps
        source = reader.modules[path]
    elif reader.sharing is not None:
        reader.sharing.found(path)
    return Module(source, source.namespace)


def execute(reader: Reader, source: SourceModule) -> None:
    """Executes a project file, or takes over what executing it left behind in an earlier program."""
    sharing = reader.sharing
    if sharing is None:
        run_module(reader, source)
        return
    sharing.pause()
    if not sharing.take(source.path):
        mark, complete = reader.store.mark(), False
        sharing.begin(source)
        try:
            run_module(reader, source)
            complete = True
        finally:
            sharing.end(mark, complete)
    sharing.resume(source.path)


def _namespace_folder(path: str, name: str) -> Value:
    empty = SourceModule(path, path, name, "", ast.Module([], []), [], state="done", is_package=True)
    return Module(empty, empty.namespace)


def run_module(reader: Reader, source: SourceModule, main: bool = False) -> None:
    """Executes the top level of a file in its own frame."""
    source.state = "running"
    reader.recipe.files.append(source.display)
    source.namespace["__name__"] = Constant("__main__" if main else source.name)
    source.namespace["__file__"] = Constant(source.path)
    outer, conditions, loops = reader.frame, reader.conditions, reader.loop_depth
    active, depth, receiver = reader.active, reader.call_depth, reader.on_yield
    reader.frame = Frame(source, source.namespace)
    reader.on_yield = []
    try:
        reader.run(source.tree.body)
    finally:
        reader.frame, reader.conditions, reader.loop_depth = outer, conditions, loops
        reader.active, reader.call_depth, reader.on_yield = active, depth, receiver
        source.state = "done"


def run_inside(reader: Reader, source: SourceModule, names: dict[str, Value]) -> None:
    """Executes the text of a file in the frame that is being read, as exec does: what it binds goes to `names`."""
    if source.display not in reader.recipe.files:
        reader.recipe.files.append(source.display)
    if reader.sharing is not None:
        reader.sharing.depends_on_entry()
    outer = reader.frame
    here = source if names is not outer.names else replace(source, namespace=outer.module.namespace)
    reader.frame = Frame(here, names)
    try:
        reader.run(source.tree.body)
    finally:
        reader.frame = outer


def _star(reader: Reader, source: Value, node: ast.AST) -> None:
    if isinstance(source, Module):
        exported = source.namespace.get("__all__")
        names = [item.value for item in getattr(exported, "items", ()) if isinstance(item, Constant)] if exported is not None else None
        for name, value in list(source.namespace.items()):
            if (name in names) if names else not name.startswith("_"):
                reader.store.write(reader.frame.names, name, value)
        if source.source.deferred:
            reader.frame.module.namespace.setdefault("*", Library(source.source.name))
    elif isinstance(source, Library):
        stars = reader.frame.module.namespace.setdefault("*", Library(source.name))
        if stars is not None:
            reader.unread(f"`from {source.name} import *` binds names that cannot be seen", node)

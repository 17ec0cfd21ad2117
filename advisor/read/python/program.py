"""Reads one program from its entry: the main code first, then the functions that nobody called."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Union

from advisor.model.events import Kind, kinds
from advisor.model.kinds import GRAPH_ROOTS
from advisor.model.recipe import Recipe
from advisor.read.python import assembly, functions, imports, scopes
from advisor.read.python.executions import Shared
from advisor.read.python.frames import Frame
from advisor.read.python.functions import HARD_BUDGET, SOFT_BUDGET
from advisor.read.python.project import LARGEST_PROGRAM, Project, SourceModule
from advisor.read.python.prospect import MODULES, TRAINING_WORDS, is_guard
from advisor.read.python.reader import Reader
from advisor.read.python.release import release
from advisor.read.python.sharing import Sharing
from advisor.read.python.values import Arguments, Class, Function, Generator, Instance, Opaque

if TYPE_CHECKING:
    from advisor.read.launch import Launch

MOST_NEEDED = 2_000_000  # characters of files after which a program whose every function is entered imports no further ones
MOST_MADE = 1_500_000  # pieces of memory after which such a program enters no further file: they take 100 MB
FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda]
YOUNG = 100_000  # objects made since garbage was last collected, which the commands leave to us


def read_program(
    project: Project,
    source: SourceModule,
    everything: bool = False,
    config: tuple[str, str] | None = None,
    launches: list[Launch] | None = None,
    shared: Shared | None = None,
    most: int = LARGEST_PROGRAM,
) -> Recipe:
    """The recipe of the program whose entry is `source`. `everything`: enter also functions without training words.

    `config` is the (display name, text) of a file that stands in where the program opens a config by a path that is not known.
    `launches` are the command lines that start it, where they are known already.
    `shared`: what the programs read before have left behind of the files that they imported.
    `most`: characters of its files from which on no more are imported.
    """
    reader = Reader(project, source)
    reader.config, reader.most = config, most
    if launches is not None:
        reader.launches = launches
    reader.sharing = Sharing(reader, shared) if shared is not None else None
    try:
        return _read(reader, everything)
    finally:
        release(reader)


def _read(reader: Reader, everything: bool) -> Recipe:
    """Executes the program and completes its recipe."""
    recipe = reader.recipe
    recipe.place = reader.entry.place(reader.entry.tree)
    recipe.named = reader.entry.path in reader.project.named
    enabled = gc.isenabled()
    gc.disable()
    if everything:
        reader.look_at = sys.maxsize
    try:
        imports.run_module(reader, reader.entry, main=True)
        called, main_code = trains(recipe), len(recipe.tree)
        recipe.whole = called
        if not called:
            called_main = _read_uncalled(reader)
            recipe.whole = called_main and trains(recipe)
        if everything:
            _read_everything(reader)
        recipe.trains = trains(recipe)
        recipe.of_graphs = any(root.rstrip(".") in reader.imported for root in GRAPH_ROOTS)
        if not recipe.trains and {Kind.RESTORE, Kind.FORWARD} <= kinds(recipe.tree[:main_code], {}):
            recipe.evaluates = main_code
    except RecursionError:
        reader.spent = True
        recipe.budget_cuts += 1
        reader.unread("the program is nested too deeply to be read whole", recipe.place)
    finally:
        if enabled:
            gc.enable()
    recipe.steps_taken = reader.steps - reader.steps_shared
    recipe.functions_entered = len(reader.entered)
    assembly.complete(reader)
    return recipe


def trains(recipe: Recipe) -> bool:
    """True when a backward, or a framework's fit, was met."""
    if recipe.framework != "plain":
        return True
    return not kinds(recipe.tree, {}).isdisjoint((Kind.BACKWARD, Kind.OPTIMIZER_STEP))


def _read_uncalled(reader: Reader) -> bool:
    """Enters the functions of the entry file that were not called, callers first, with unknown arguments.

    True when what was entered is one main function: the program is then known from its start.
    """
    entry = reader.entry
    own = [f for f in reader.functions if f.module is entry]
    words = (TRAINING_WORDS, MODULES) if any(map(is_guard, entry.tree.body)) else (TRAINING_WORDS,)
    waiting = [f for f in own if f.node not in reader.entered and any(word.search(_text(f)) for word in words)]
    if not waiting:
        return False
    names = {f.name for f in waiting}
    mentioned: dict[str, set[ast.AST]] = {}
    for function in waiting:
        for node in scopes.parts_of(function.node):
            name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
            if name in names and node is not function.node:
                mentioned.setdefault(str(name), set()).add(function.node)
    roots = [f for f in waiting if not (mentioned.get(f.name, set()) - {f.node})]
    mains = [f for f in own if f.name in ("main", "cli", "run", "train_main") and f.owner is None and f.node not in reader.entered]
    is_main = False
    if mains:
        _enter(reader, mains[0])
        is_main = trains(reader.recipe)
        if is_main:
            return True
    for function in [*roots, *waiting]:
        if function.node not in reader.entered and not reader.spent:
            _enter(reader, function)
    return (len(roots) == 1 and roots[0].owner is None and not _required(roots[0])) or bool(roots and roots[0].injected)


def _read_everything(reader: Reader) -> None:
    """Enters every function of every file of the program, whoever calls it, each with a budget of its own; a file once per run.

    Where that takes much memory the files that are left are read as programs of their own.
    """
    finished = reader.project.functions
    spent, steps = reader.spent, reader.steps
    known: dict[ast.AST, Function] = {}
    met = 0
    room = sys.getallocatedblocks() + MOST_MADE
    while waiting := [module for module in reader.modules.values() if module.path not in finished]:
        for module in waiting:
            if sys.getallocatedblocks() > room and module.path != reader.entry.path:
                break
            around = dict(_functions(module.tree))
            nodes = list(around)
            for node in nodes:
                if node in reader.entered:
                    continue
                known.update((function.node, function) for function in reader.functions[met:])
                met = len(reader.functions)
                function = known.get(node) or Function(node, module, _surroundings(module, around[node]))
                reader.spent, reader.steps = False, SOFT_BUDGET
                reader.at_top()
                try:
                    _enter(reader, function)
                except RecursionError:
                    reader.spent = True
                    reader.recipe.budget_cuts += 1
                spent = spent or reader.spent
                steps += reader.steps - SOFT_BUDGET
                reader.closed = reader.closed or steps > HARD_BUDGET or reader.project.needed > MOST_NEEDED
                if gc.get_count()[0] > YOUNG:
                    gc.collect(0)
            reader.at_top()
            finished[module.path] = (len(nodes), sum(node in reader.entered for node in nodes))
        else:
            continue
        break
    reader.spent, reader.steps = spent, steps


def _functions(node: ast.AST, within: tuple[ast.AST, ...] = ()) -> Iterator[tuple[FunctionNode, tuple[ast.AST, ...]]]:
    """The functions below a node, each with those that it stands in, the outermost first."""
    waiting = [(child, within) for child in ast.iter_child_nodes(node)]
    while waiting:
        inner, within = waiting.pop()
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield inner, within
            within = (*within, inner)
        waiting += [(child, within) for child in reversed(list(ast.iter_child_nodes(inner)))]


def _surroundings(module: SourceModule, within: tuple[ast.AST, ...]) -> Frame:
    """What a definition that was not met closes over: what the functions around it bind is not known, as they did not come to it."""
    frame = Frame(module, module.namespace)
    for function in within:
        frame = Frame(module, {name: Opaque("bound where nothing came by") for name in scopes.bound(function)}, frame)
    return frame


def _required(function: Function) -> list[str]:
    spec = function.node.args
    names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    return [n for n in names[: len(names) - len(spec.defaults)] if n not in function.injected]


def _enter(reader: Reader, function: Function) -> None:
    arguments = Arguments(exact=False)
    node = function.node
    held = function.owner.namespace.get(function.name) if isinstance(function.owner, Class) else None
    function = held if isinstance(held, Function) and held.node is node else function  # as its decorators made it: of the class, say
    of_class = function.kind == "class" or function.name == "__new__"
    if isinstance(function.owner, Class) and (of_class or function.kind != "static") and not isinstance(node, ast.Lambda):
        first = (*node.args.posonlyargs, *node.args.args)[:1]
        if first:
            arguments.positional.append(function.owner if of_class else _receiver(reader, function.owner, node))
            if node in reader.entered:  # __init__, by making the object
                return
    reader.frame = Frame(function.module, function.module.namespace)
    result = reader.call(function, arguments, node)
    if isinstance(result, Generator) and node not in reader.entered:
        functions.drain(reader, result, node)


def _receiver(reader: Reader, cls: Class, node: ast.AST) -> Instance:
    """An object of a class nobody made here, built once with unknown arguments."""
    made = reader.made.get(id(cls))
    if made is None:
        reader.frame = Frame(cls.module, cls.module.namespace)
        value = reader.call(cls, Arguments(exact=False), cls.node)
        made = value if isinstance(value, Instance) else reader.instance("object", cls=cls)
        reader.made[id(cls)] = made
    return made


def _text(function: Function) -> str:
    node = function.node
    lines = function.module.lines
    return "\n".join(lines[node.lineno - 1 : getattr(node, "end_lineno", node.lineno)])

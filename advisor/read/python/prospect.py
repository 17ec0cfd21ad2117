"""Whether a program may come to train at all, told from the names in its files: many scripts that evaluate, export or prepare data never do.

Calls are followed by name alone: whatever bears a name that is mentioned, in any file of the program, may be what is called. Once much of a program
was read and nothing of training was met, this is asked; where the answer is no the program is read no further, and says so. One that loads weights
may measure what they are worth, and is read for longer.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.read.python.mentions import Inside, RunSigns
from advisor.read.python.project import SourceModule

if TYPE_CHECKING:
    from advisor.read.python.project import Project
    from advisor.read.python.reader import Reader

ENOUGH = 3_000  # expressions of a program's own, those of importing its files not counted
ENOUGH_TO_MEASURE = 12_000  # the same of a program that loads weights, while it does what it comes to when it is run
LOADING = "load_state_dict"
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
            r"rainer(?<=[Tt]rainer)(?!State|Control|Callback)\w*\s*\(",
            r"CLI\s*\(",
            r"Fire(?<!\wFire)\s*\((?!\s*[a-z_]\w*\s*[,)])",  # a function that is named there is followed by its name
            r"instantiate(?<!\winstantiate)\s*\(",
            r"train(?<!\wtrain)(?<!def train)(?!_test_split)\w*\s*\((?!\s*(?:True|False|mode|\w*training)\b)",  # no train(was_training)
            r"getattr\((?<!\wgetattr\()[^,\n]+,\s*(?![\"']\w*[\"']\s*[,)])[^\n]*\)\s*\(",  # called by a name that is put together
        ),
    )
)
# What a function has somewhere that is entered though nobody calls it, and what else a file has of which a rule may speak.
TRAINING_WORDS = pattern(
    r"backward\s*\(|\.step\s*\(|DataLoader|optim\.|\.fit\s*\(|zero_grad|\.eval\s*\(\)|\.train\s*\(\s*(?:\*\*|\w+\s*=[^=])"
    r"|class \w+\((?:torch\.)?nn\.Module\b|torch\.load|load_state_dict|manual_seed|random_split|train_test_split|clip_grad"
)
MODULES = pattern(r"nn\.Module")  # what a function of a file that is run has besides: a library calls the one that makes the model
TRAINING_NAMES = pattern(r"training_step|configure_optimizers|Lightning|Trainer|[Oo]ptimizer|Callback|Sampler|[Ss]cheduler")
REMARKS = pattern(r'"""[\s\S]*?"""|#[^\n]*')
WORD = pattern(r"[A-Za-z_]\w*(?!\w|\s*=(?!=))")  # no name of an argument, and none that is given a value: neither is called by that
PLAIN_WORDS = frozenset({*keyword.kwlist, *dir(builtins), "self", "cls", "torch", "np", "nn", "os", "args", "x"})
OWN = pattern(r"^[ \t]*([A-Za-z_]\w*)\s*=(?!=)", re.MULTILINE)  # what a function gives a value is its own
IMPORTS = pattern(r"^\s*(?:from\s+(\.*)([\w.]*)\s+import\b|import\s+([\w.]+))", re.MULTILINE)

# What a whole run has: gradients and an optimizer that it makes itself, or the loop of a library.
BACKWARD = pattern(r"\.backward\s*\(|autograd\.grad\s*\(")
MAKES_OPTIMIZER = pattern(
    r"[Oo]ptim\w*\.[A-Z]\w*\s*\(|\w*[Oo]ptim(?:izers?(?!_step)\w*)?(?:\[[^\]\n]*\])?\s*\(|getattr\s*\(\s*[\w.]*optim"
    r"|\b(?:Adam\w*|SGD|RMSprop|Adagrad|Adadelta|LBFGS|Lion)\s*\("
)
FITS = pattern(r"\.fit\w*\s*\(|rainer(?<=[Tt]rainer)\w*\s*\(")
STEPS_OF_LOOPS = pattern(r"def (?:training_step|configure_optimizers|compute_loss|fit_batch)\b")
SWITCHED = pattern(r"([A-Za-z_][\w.]*)\.eval\(\)")
MOST_LOOKED = 300  # functions that one may lead to

SIGN = "<sign>"  # stands for a sign of training among the names of a text


def speaks_of_training(source: SourceModule) -> bool:
    """False for a file that defines only what no rule is about: to read it by itself, without the programs that it belongs to, would tell nothing."""
    text = source.text
    return source.cells is not None or any(words.search(text) for words in (TRAINING_WORDS, TRAINING_NAMES, *SIGNS))


def trains_itself(source: SourceModule) -> bool:
    """True for a file that may hold a whole run: gradients, the loop of a library, or the steps that such a loop calls."""
    return source.cells is not None or any(words.search(source.text) for words in (BACKWARD, FITS, STEPS_OF_LOOPS))


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
    enough = ENOUGH_TO_MEASURE if _may_measure(reader) else ENOUGH
    if own < enough:
        reader.look_at = reader.steps + enough - own
        return
    reader.spent = True
    reader.unread(f"nothing that is called here trains: no more than {enough:,} expressions of the program were read", reader.entry.tree)


def may_train(reader: Reader) -> bool:
    """False when nothing that the program may call is a sign of training."""
    return any(names is None for names in _mentions(reader))


def _may_measure(reader: Reader) -> bool:
    """True while a program is executed that does something when it is run, and may call what loads weights into a model."""
    body = reader.entry.tree.body
    if reader.entry.state != "running" or not (does_something(body) or any(map(is_guard, body))):
        return False
    return any(names is not None and LOADING in names for names in _mentions(reader))


def _mentions(reader: Reader) -> Iterator[Collection[str] | None]:
    """The names that stand in each piece of the program that may be executed; None for one with a sign of training."""
    modules, entry, defined = list(reader.modules.values()), reader.entry, _defined(reader)
    reached: list[tuple[SourceModule, ast.AST]] = [
        (module, node) for module in modules for _, node, unnamed in _definitions(module) if unnamed or module.path == entry.path
    ]
    run = [*map(_outside, modules), _guarded(entry)]
    named: set[str] = set().union(*run) & defined.keys()
    for text in (_outside(entry), _guarded(entry)):
        yield None if SIGN in text else text
    reached += [definition for name in named for definition in defined[name]]
    looked: set[ast.AST] = set()
    while reached:
        module, node = reached.pop()
        if node in looked:
            continue
        looked.add(node)
        inside = _inside(reader.project, module, node)
        if inside is None or any(_is_unread(reader, module, level, name) for level, name in inside.imports):
            yield None
            continue
        yield inside.names
        for name in (defined.keys() & inside.names) - named:
            named.add(name)
            reached += defined[name]


def is_run(reader: Reader, module: SourceModule, function: ast.AST) -> bool:
    """True when a function, with whatever it may call, trains a model with an optimizer of its own: a run from its start to its end."""
    entry = reader.entry.path
    known: tuple[str, bool] | None = function.__dict__.get("is_run")
    if known is None or known[0] != entry:
        known = function.__dict__["is_run"] = entry, _leads_to_run(reader, module, function)
    return known[1]


def _leads_to_run(reader: Reader, module: SourceModule, function: ast.AST) -> bool:
    defined = _defined(reader)
    waiting, looked, named = [(module, function)], set[ast.AST](), set[str]()
    backward = optimizer = False
    while waiting and len(looked) < MOST_LOOKED:
        source, node = waiting.pop()
        if node in looked:
            continue
        looked.add(node)
        signs = _run_signs(reader.project, source, node)
        backward, optimizer = backward or signs.backward, optimizer or signs.optimizer
        if (backward and optimizer) or signs.fits or any(_is_unread(reader, source, level, name) for level, name in signs.imports):
            return True
        for name in (defined.keys() & signs.names) - named:
            named.add(name)
            waiting += defined[name]
    return False


def _run_signs(project: Project, module: SourceModule, function: ast.AST) -> RunSigns:
    """What a definition has of a run, looked for once however many programs ask."""
    known = module.mentions.runs.get(function)
    if known is None:
        text = _without_remarks("\n".join(module.lines[function.lineno - 1 : function.end_lineno]))  # type: ignore[attr-defined]
        imports = tuple((len(dots), name or whole) for dots, name, whole in IMPORTS.findall(text)) if "import " in text else ()
        signs = BACKWARD.search(text) is not None, MAKES_OPTIMIZER.search(text) is not None, FITS.search(text) is not None
        for switched in set(SWITCHED.findall(text)):
            text = text.replace(f"{switched}.train(", "")  # of a model, which is put into eval mode too
        known = module.mentions.runs[function] = RunSigns(*signs, imports, tuple(_mentioned(project, module, text, function)))
    return known


def _defined(reader: Reader) -> dict[str, list[tuple[SourceModule, ast.AST]]]:
    """The functions and methods of the files that the program has so far, by their names."""
    if reader.defined is None or reader.defined[0] != len(reader.modules):
        found: dict[str, list[tuple[SourceModule, ast.AST]]] = {}
        for module in reader.modules.values():
            for name, node, _ in _definitions(module):
                found.setdefault(name, []).append((module, node))
        reader.defined = len(reader.modules), found
    return reader.defined[1]


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


def _inside(project: Project, module: SourceModule, node: ast.AST) -> Inside | None:
    """What a definition mentions; None where it has a sign of training."""
    inside = module.mentions.inside
    if node not in inside:
        text = _without_remarks("\n".join(module.lines[node.lineno - 1 : node.end_lineno]))  # type: ignore[attr-defined]
        imports = tuple((len(dots), name or whole) for dots, name, whole in IMPORTS.findall(text)) if "import " in text else ()
        inside[node] = None if _has_sign(text) else Inside(tuple(map(sys.intern, _mentioned(project, module, text, node))), imports)
    return inside[node]


def _outside(module: SourceModule) -> frozenset[str]:
    """The names in a file outside of its functions, and of what it does only as a program; its imports are left out: to import is not to call."""
    if module.mentions.outside is None:
        apart = [node for node in module.tree.body if isinstance(node, (ast.Import, ast.ImportFrom)) or is_guard(node)]
        module.mentions.outside = _names_without(module, 1, len(module.lines), apart)
    return module.mentions.outside


def _guarded(module: SourceModule) -> frozenset[str]:
    """The names in what a file does only when it is run: `if __name__ == "__main__":`."""
    if module.mentions.guarded is None:
        guards = [node for node in module.tree.body if is_guard(node)]
        module.mentions.guarded = frozenset().union(*(_names_without(module, node.lineno, node.end_lineno or node.lineno) for node in guards))
    return module.mentions.guarded


def _mentioned(project: Project, module: SourceModule, text: str, function: ast.AST) -> set[str]:
    """The names in the text of a function that may be those of others: no parameters, nothing that is given a value in it, but for attributes."""
    libraries = _libraries(project, module)
    if libraries is not None:
        text = libraries.sub("", text)
    given = function.args  # type: ignore[attr-defined]
    own = {parameter.arg for parameter in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    if "global " not in text and "nonlocal " not in text:
        own.update(OWN.findall(text))
    return {name for name in _words(text) if name not in own or f".{name}" in text}


def _libraries(project: Project, module: SourceModule) -> re.Pattern[str] | None:
    """Finds what is asked of the modules that a file imports and the project does not have: no function of the project is called so."""
    if module.mentions.libraries is None:
        names: set[str] = set()
        nodes = list(module.tree.body)
        for node in nodes:
            if isinstance(node, ast.Import):
                bound = ((one.asname, one.name.partition(".")[0]) for one in node.names)
                names.update(name or root for name, root in bound if project.find(root, module.path) is None)
            elif isinstance(node, (ast.If, ast.Try)):
                nodes += [*node.body, *node.orelse]
        module.mentions.libraries = (re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?:\.\w+)+") if names else None,)
    return module.mentions.libraries[0]


def does_something(body: list[ast.stmt]) -> bool:
    """True for the top level of a file that runs a loop, a function of its own, or a training: others only define what is to be imported."""
    for node in body:
        if isinstance(node, (ast.For, ast.While)):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Name) and any(isinstance(d, ast.FunctionDef) and d.name == function.id for d in body):
                return True
            if isinstance(function, ast.Attribute) and function.attr in ("fit", "train", "backward", "step", "run"):
                return True
    return False


def is_guard(node: ast.AST) -> bool:
    """True for `if __name__ == ...`."""
    asked = node.test.left if isinstance(node, ast.If) and isinstance(node.test, ast.Compare) else None
    return isinstance(asked, ast.Name) and asked.id == "__name__"


def _names_without(module: SourceModule, first: int, last: int, apart: Iterable[ast.stmt] = ()) -> frozenset[str]:
    """The names in some lines of a file that stand neither in its functions nor in the statements that are left `apart`."""
    lines = [*module.lines[:last]]
    for node in (*apart, *(node for _, node, _ in _definitions(module))):
        lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)  # type: ignore[attr-defined]
    text = _without_remarks("\n".join(filter(None, lines[first - 1 : last])))
    return frozenset(map(sys.intern, _words(text))) | ({SIGN} if _has_sign(text) else set())


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

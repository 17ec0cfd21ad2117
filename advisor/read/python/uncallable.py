"""Modules that are called like the function of the same name in them: `import tqdm`, then `tqdm(loader)`. And super() of a class that is no base,
texts in the place of open files, and steps of games."""

from __future__ import annotations

import ast
import os
import sys
from typing import TYPE_CHECKING

from advisor.model.recipe import RefusedCall
from advisor.model.source import Known
from advisor.read.python.values import Arguments, Class, Constant, Instance, Library, Module, Opaque, Sequence, Tensor, Value, members

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

STANDARD = sys.stdlib_module_names - {"builtins", "__future__"}
STREAMS = {"pickle.dump": 1, "json.dump": 1, "pickle.load": 0, "json.load": 0}  # where the open file stands among the arguments
LIBRARIES = frozenset({
    "numpy", "pandas", "torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.optim.lr_scheduler", "torch.utils.checkpoint",
    "torch.utils.data", "torch.utils.tensorboard", "tqdm",
})  # fmt: skip


def judge_module(reader: Reader, callee: Value, node: ast.AST) -> None:
    """Notes a call of a module, where nothing else can be meant by its name."""
    if not isinstance(node, ast.Call) or reader.refusals.guarded or "*" in reader.frame.module.namespace:
        return
    if isinstance(callee, Library):
        name = callee.name if callee.name in STANDARD or callee.name in LIBRARIES else None
    else:
        name = callee.source.name if isinstance(callee, Module) and _stands_alone(reader, callee) else None
    told = reader.refusals.modules.setdefault((reader.frame.module.display, name), node) if name is not None else None
    if name is not None and told is node:  # one tells of all in its file
        reader.refusals.refuse(reader, node, RefusedCall(reader.place(node), callee=reader.text(node.func), module=name))


def judge_constant(reader: Reader, node: ast.Call) -> None:
    """Notes a constant that is called: `if mask is not None():`."""
    if not reader.refusals.guarded:
        reader.refusals.note_once(reader, RefusedCall(reader.place(node), callee=reader.text(node.func), constant=True))


def _stands_alone(reader: Reader, module: Module) -> bool:
    """True for a file in no package, which might bind its name to something else, and which does not put another thing into its own place."""
    source = module.source
    in_package = "__init__.py" in reader.project.listing(os.path.dirname(source.path))
    return bool(source.text) and not in_package and "sys.modules" not in source.text


def judge_stream(reader: Reader, name: str, arguments: Arguments, node: ast.AST) -> None:
    """Notes `pickle.dump(scores, "scores.pkl")`, which is to write into a text."""
    position = STREAMS[name]
    given = arguments.positional[position] if position < len(arguments.positional) else None
    if not isinstance(node, ast.Call) or not arguments.exact or reader.refusals.guarded or not isinstance(given, Constant):
        return
    if isinstance(given.value, str) and all(label == "default" for _, label in reader.conditions):
        reader.refusals.refuse(reader, node, RefusedCall(reader.place(node), callee=name, counts=Known(given.value), of_file=True))


def judge_super(reader: Reader, named: Value, given: Value, node: ast.Call) -> None:
    """Notes `super(Other, self)` in a class that does not derive from Other, as one that was copied and got a new name."""
    own = given.cls if isinstance(given, Instance) else None
    around = reader.frame.owner
    if own is None or around is None or around not in own.mro or not isinstance(named, Class) or reader.refusals.guarded:
        return
    bases = [base for base in own.mro if isinstance(base, Class)]
    sure = all(isinstance(base, (Class, Library)) for base in own.mro) and not any(base.keywords or base.node.decorator_list for base in bases)
    if not sure or named.node.decorator_list or named.node.name in [base.node.name for base in bases]:
        return
    refused = RefusedCall(reader.place(node), callee=reader.text(node), of_class=(around.node.name, named.node.name))
    reader.refusals.refuse(reader, node, refused)


def is_played(reader: Reader, node: ast.AST, given: list[Value]) -> bool:
    """True for `state, reward = game.step(action)`: the step of an optimizer gives one thing, and what it takes it calls."""
    options = [one for value in given for one in members(value)]
    plain = any(isinstance(one, (Tensor, Opaque, Sequence)) or (isinstance(one, Constant) and one.value is not None) for one in options)
    return plain or node in reader.refusals.unpacked

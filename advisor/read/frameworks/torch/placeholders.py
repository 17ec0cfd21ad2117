"""Inputs that a data set of the project draws at random although its targets come from data: a stand-in that was left in."""

from __future__ import annotations

import ast

from advisor.model.record import dataclass
from advisor.model.source import Place
from advisor.read.frameworks.torch.samples import MADE, NUMBERS, SAME, assigned, sample_of
from advisor.read.python import scopes
from advisor.read.python.frames import Frame, library_name
from advisor.read.python.values import Class, Constant, Function, Instance, Sequence, Tensor

DRAWS = frozenset({
    "numpy.random.rand", "numpy.random.randn", "numpy.random.random", "numpy.random.normal", "numpy.random.uniform", "numpy.random.standard_normal",
    "torch.rand", "torch.randn", "torch.normal",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Where inputs are drawn from nothing; with the key of the part, where a sample has others that are none."""

    place: Place
    part: str | None = None


def drawn_inputs(instance: Instance, cls: Class) -> Placeholder | None:
    """Where __getitem__ draws its first part from nothing, while another part is taken of what the data set holds."""
    found = sample_of(cls)
    if found is None:
        return None
    method, parts = found
    sources = _sources(method)
    if not any(_holds(part, sources, instance) for part in parts[1:]):
        return None
    names = assigned(method.node.body) if isinstance(method.node, ast.FunctionDef) else {}
    whole = _drawn(parts[0], names, method, instance, cls)
    return Placeholder(whole) if whole is not None else _in_dict(parts[0], names, method, instance, cls)


def _in_dict(entry: ast.expr, names: dict[str, ast.expr | None], method: Function, instance: Instance, cls: Class) -> Placeholder | None:
    """The entry of a dict of inputs that a helper draws whatever the sample, or the first where all are drawn or say the same for each."""
    made = names.get(entry.id) if isinstance(entry, ast.Name) else entry
    if not isinstance(made, ast.Dict):
        return None
    given = [(key, value) for key, value in zip(made.keys, made.values) if not isinstance(value, ast.Constant) or value.value is not None]
    nodes = scopes.parts_of(method.node) if isinstance(entry, ast.Name) else []
    never = {part for node in nodes if isinstance(node, ast.If) and _is_out(node.test, instance) for step in node.body for part in ast.walk(step)}
    for statement in nodes:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if statement in never or not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
            continue
        if target.value.id == entry.id:  # type: ignore[attr-defined]
            given.append((target.slice, statement.value))  # type: ignore[attr-defined]
    drawn = {index: place for index, (_, value) in enumerate(given) if (place := _drawn(value, names, method, instance, cls)) is not None}
    if all(index in drawn or isinstance(value, ast.Constant) for index, (_, value) in enumerate(given)):
        return Placeholder(drawn[min(drawn)]) if drawn else None
    for index, place in drawn.items():
        key, value = given[index]
        # one that is handed nothing of the sample may be noise beside the input
        asked = value if isinstance(value, ast.Call) and _helper(value, cls) is not None else None
        of_sample = asked is not None and any(_holds(part, _sources(method), instance) for part in asked.args)
        if of_sample and isinstance(key, ast.Constant) and isinstance(key.value, str):
            return Placeholder(place, key.value)
    return None


def _is_out(test: ast.expr, instance: Instance) -> bool:
    """True for `"sound" in self.kinds` of a data set that was built without."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.In) or not isinstance(test.left, ast.Constant):
        return False
    among = test.comparators[0]
    held = instance.attributes.get(among.attr) if isinstance(among, ast.Attribute) else None
    if not isinstance(held, Sequence) or not held.exact:
        return False
    return all(isinstance(item, Constant) and item.value != test.left.value for item in held.items)


def _drawn(entry: ast.expr, names: dict[str, ast.expr | None], method: Function, instance: Instance, cls: Class) -> Place | None:
    """Where an expression is drawn from nothing, itself or in a helper method that gives nothing else."""
    called = names.get(entry.id) if isinstance(entry, ast.Name) else entry
    helper = _helper(called, cls)
    taken: frozenset[str] = frozenset()
    if helper is not None:
        if not isinstance(called, ast.Call) or not called.args:
            return None  # it is asked for nothing of a sample: noise, which is meant
        method, entry = helper
        names = assigned(method.node.body) if isinstance(method.node, ast.FunctionDef) else {}
        taken = frozenset(argument.arg for argument in ast.walk(method.node.args) if isinstance(argument, ast.arg)) - {"self"}
    draw = _draw(entry, names, method)
    if draw is None or any(_holds(part, _sources(method), instance, taken) for part in (*draw.args, *(keyword.value for keyword in draw.keywords))):
        return None
    return method.module.place(draw)


def _helper(entry: ast.expr | None, cls: Class) -> tuple[Function, ast.expr] | None:
    """The method behind `self.features(path)`, and what it gives, where it ends with its one return."""
    if not isinstance(entry, ast.Call) or not isinstance(entry.func, ast.Attribute):
        return None
    owner, name = entry.func.value, entry.func.attr
    if not isinstance(owner, ast.Name) or owner.id != "self":
        return None
    method = next((base.namespace[name] for base in cls.mro if isinstance(base, Class) and name in base.namespace), None)
    if not isinstance(method, Function) or not isinstance(method.node, ast.FunctionDef) or method.node.decorator_list:
        return None
    returns = [node for node in scopes.parts_of(method.node) if isinstance(node, ast.Return)]
    given = returns[0].value if len(returns) == 1 and returns[0] is method.node.body[-1] else None
    return (method, given) if given is not None else None


def _sources(method: Function) -> dict[str, list[ast.expr]]:
    """What each name of a method is made of, also where several are unpacked."""
    found: dict[str, list[ast.expr]] = {}
    for node in scopes.parts_of(method.node):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            for name in ast.walk(target):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                    found.setdefault(name.id, []).append(node.value)  # type: ignore[attr-defined]
    return found


def _draw(entry: ast.expr, names: dict[str, ast.expr | None], method: Function, depth: int = 0) -> ast.Call | None:
    """The call of a random function behind an expression, seen through names and conversions."""
    if depth > len(names) + 8:
        return None
    if isinstance(entry, ast.Name):
        behind = names.get(entry.id)
        return _draw(behind, names, method, depth + 1) if behind is not None else None
    if not isinstance(entry, ast.Call):
        return None
    if library_name(Frame(method.module, method.module.namespace), entry.func) in DRAWS:
        return entry
    called = entry.func.attr if isinstance(entry.func, ast.Attribute) else ""
    if called in SAME and isinstance(entry.func, ast.Attribute):
        return _draw(entry.func.value, names, method, depth + 1)
    return _draw(entry.args[0], names, method, depth + 1) if called in MADE | NUMBERS and entry.args else None


def _holds(entry: ast.expr, names: dict[str, list[ast.expr]], instance: Instance, taken: frozenset[str] = frozenset()) -> bool:
    """True when an expression takes something of what the data set holds, or a helper is given (`taken`), such as the shape of the sample.

    Other than plain settings and numbers that the data set has drawn itself.
    """
    waiting, followed = [entry], set[str]()  # each name once: names may be made of each other
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                held = instance.attributes.get(node.attr)
                drawn = isinstance(held, Tensor) and held.flow.activation == "random"
                if held is not None and not isinstance(held, Constant) and not drawn:
                    return True
            elif isinstance(node, ast.Name) and node.id in taken:
                return True
            elif isinstance(node, ast.Name) and node.id not in followed:
                followed.add(node.id)
                waiting += names.get(node.id, ())
    return False

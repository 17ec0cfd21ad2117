"""Random changes that a data set of the project makes where it gives a sample: a transform made on the spot, a flip that a drawn number decides."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.pipelines import is_random
from advisor.model.recipe import Transform
from advisor.model.source import Known, Setting, Unknown
from advisor.read.frameworks.torch.applied import Way, own
from advisor.read.frameworks.torch.samples import assigned
from advisor.read.python import sampled
from advisor.read.python.frames import Frame, library_name
from advisor.read.python.values import Class, Function, Instance, Value

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader

HINTS = pattern(r"rand|choice|Masking|Jitter|albumentations|kornia|Aug")  # in the text of a file that draws anything
LIBRARIES = ("torchvision.transforms.", "torchaudio.transforms.", "albumentations.", "kornia.augmentation.")
WHOLES = frozenset({"Compose", "Sequential"})
MAKES_TASKS = frozenset({"GaussianNoise", "GaussNoise", "RandomErasing", "CoarseDropout", "MixUp", "CutMix"})  # what is taken away may be asked for
DRAWS = frozenset({
    "random.random", "random.uniform", "random.randint", "random.choice", "random.getrandbits",
    "numpy.random.rand", "numpy.random.random", "numpy.random.uniform", "numpy.random.randint", "numpy.random.choice", "numpy.random.random_sample",
    "torch.rand", "torch.randint",
})  # fmt: skip
FLIPS = frozenset({
    "numpy.flip", "numpy.fliplr", "numpy.flipud", "numpy.rot90", "torch.flip", "torch.fliplr", "torch.flipud", "torch.rot90", "cv2.flip",
    "PIL.ImageOps.mirror", "PIL.ImageOps.flip",
    *(f"torchvision.transforms.{which}.{name}" for which in ("functional", "v2.functional") for name in ("hflip", "vflip", "horizontal_flip")),
})  # fmt: skip
KEEPING = frozenset({"copy", "clone", "contiguous"})
DEEPEST = 3  # helpers in helpers


def drawn_changes(reader: Reader, instance: Instance, cls: Class) -> tuple[Transform, ...]:
    """What is random on the way of each sample, as long as the settings of the data set leave no doubt that it comes that way."""
    way = _Drawn(instance, cls, [], 0)
    method = way.method("__getitem__")
    if method is None:
        return ()
    way.enter(method)
    switched = way.found and any(sampled.is_given_later(reader, name) for name in way.asked)
    return () if switched else tuple(way.found)


class _Drawn(Way):
    """The same way, as far as it is taken by every sample."""

    def __init__(self, instance: Instance | None, cls: Class | None, found: list[Transform], depth: int) -> None:
        super().__init__(instance, cls)
        self.found, self.depth = found, depth
        self.names: dict[str, ast.expr | None] = {}
        self.asked: set[str] = set()  # the settings that decided
        self.open = 0  # arms around of which nobody knows whether they are taken

    def value(self, node: ast.expr, method: Function) -> Value | None:
        """What self.something holds, which is noted."""
        if isinstance(node, ast.Attribute) and own(node, method):
            self.asked.add(node.attr)
        return super().value(node, method)

    def enter(self, method: Function) -> None:
        """All that a method does, and what it calls."""
        if method.name in self.entered or isinstance(method.node, ast.Lambda):
            return
        self.entered.add(method.name)
        around, left = self.names, self.open
        self.names = assigned(method.node.body)
        self._run(method.node.body, method)
        self.names, self.open = around, left

    def _run(self, body: list[ast.stmt], method: Function) -> bool:
        before = self.open
        ended = self._statements(body, method)
        self.open = before
        return ended

    def _statements(self, body: list[ast.stmt], method: Function) -> bool:
        for statement in body:
            if isinstance(statement, ast.If):
                self._walk(statement.test, method)
                taken, drawn = self._asked(statement.test, method)
                if drawn and taken is not False and not statement.orelse:
                    self.found += _flips(statement, method) if not self.open else []
                doubt = taken is None
                arms = [statement.body] * (taken is not False) + [statement.orelse] * (taken is not True)
                self.open += doubt
                ended = [self._run(arm, method) for arm in arms]
                self.open -= doubt
                if all(ended):
                    return True
                self.open += doubt and any(ended)  # what follows is for those that did not leave
                continue
            if isinstance(statement, ast.Assign) and not self.open:
                self.found += self._made(statement, method)
            self._walk(statement, method)
            if isinstance(statement, (ast.Return, ast.Raise)):
                return True
        return False

    def _walk(self, node: ast.AST, method: Function) -> None:
        if isinstance(node, (ast.IfExp, ast.While, ast.Lambda, ast.FunctionDef)):
            self.open += 1
            super()._walk(node, method)
            self.open -= 1
            return
        if isinstance(node, ast.Call):
            self._called(node, method)
        super()._walk(node, method)

    def _called(self, node: ast.Call, method: Function) -> None:
        """helper(image), tools.augment(image): a function of the project, or a method of an object that is made on the spot or held."""
        if self.depth >= DEEPEST:
            return
        called = node.func
        if isinstance(called, ast.Name):
            held = method.module.namespace.get(called.id)
            if isinstance(held, Function):
                self._help(held, None, None)
            return
        if not isinstance(called, ast.Attribute) or own(called, method):
            return
        owner = called.value
        if isinstance(owner, ast.Attribute) and own(owner, method):
            value = self.value(owner, method)
            if isinstance(value, Instance) and value.cls is not None:
                self._help(_method(value.cls, called.attr), value, value.cls)
            return
        behind = self.names.get(owner.id) if isinstance(owner, ast.Name) else owner
        made = behind.func if isinstance(behind, ast.Call) else owner
        cls = method.module.namespace.get(made.id) if isinstance(made, ast.Name) else None
        if isinstance(cls, Class):
            self._help(_method(cls, called.attr), None, cls)

    def _help(self, helper: Function | None, instance: Instance | None, cls: Class | None) -> None:
        if helper is None or self.open or isinstance(helper.node, ast.Lambda) or not HINTS.search(helper.module.text):
            return
        inner = _Drawn(instance, cls, self.found, self.depth + 1)
        inner.asked = self.asked
        inner.enter(helper)

    def _asked(self, test: ast.expr, method: Function) -> tuple[bool | None, bool]:
        """What the settings say to a question, and whether a drawn number decides it alone where they say nothing."""
        taken = self.truth(test, method)
        if taken is not None:
            return taken, False
        parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
        return None, all(self.truth(part, method) is True or self._draws(part, method.module) for part in parts)

    def _draws(self, test: ast.expr, module: SourceModule) -> bool:
        """random.random() > 0.5, and a name for such a number."""
        sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else [test]
        return any(_is_draw(self.names.get(side.id) if isinstance(side, ast.Name) else side, module) for side in sides)

    def _made(self, statement: ast.Assign, method: Function) -> Iterator[Transform]:
        """`image = RandomCrop(32)(image)`, also by a name for the transform: the random steps of it."""
        call = statement.value
        if isinstance(call, ast.Subscript):
            call = call.value  # Albumentations gives a dict: transform(image=image)["image"]
        if not isinstance(call, ast.Call) or not _replaces(statement, call):
            return
        made = self.names.get(call.func.id) if isinstance(call.func, ast.Name) else call.func
        if isinstance(made, ast.Call):
            yield from (step for step in _steps(made, method.module) if is_random(step) and step.name not in MAKES_TASKS)


def _method(cls: Class, name: str) -> Function | None:
    held = next((base.namespace[name] for base in cls.mro if isinstance(base, Class) and name in base.namespace), None)
    return held if isinstance(held, Function) and held.kind in ("plain", "static") else None


def _replaces(statement: ast.Assign, call: ast.Call) -> bool:
    """True where what is changed takes the place of what it was: what is left beside it may be the target of a task."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    names = {part.id for part in given if isinstance(part, ast.Name)}
    return len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name) and statement.targets[0].id in names


def _flips(statement: ast.If, method: Function) -> list[Transform]:
    """The flips that a drawn number decides, where nothing else comes of it: a label that tells of them makes a task."""
    found: list[Transform] = []
    for line in statement.body:
        if not isinstance(line, ast.Assign) or len(line.targets) != 1:
            return []
        targets, values = ([part.elts if isinstance(part, ast.Tuple) else [part] for part in (line.targets[0], line.value)])
        if len(targets) != len(values):
            return []
        for target, value in zip(targets, values):
            step = _flip(target, value, method.module)
            if step is None:
                return []
            found.append(step)
    return found[:1]


def _flip(target: ast.expr, value: ast.expr, module: SourceModule) -> Transform | None:
    """`image = np.fliplr(image).copy()`"""
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in KEEPING and not value.args:
        value = value.func.value
    if not isinstance(value, ast.Call):
        return None
    name = library_name(Frame(module, module.namespace), value.func)
    given = value.args[0] if value.args else None
    if name not in FLIPS and isinstance(value.func, ast.Attribute) and value.func.attr in ("flip", "fliplr", "flipud") and not name:
        name, given = f"torch.{value.func.attr}", value.func.value
    same = isinstance(target, ast.Name) and isinstance(given, ast.Name) and given.id == target.id
    return Transform(module.place(value), kind=name) if same and name in FLIPS else None


def _steps(made: ast.Call, module: SourceModule) -> Iterator[Transform]:
    """The transforms of libraries that a call makes, those in a pipeline among them."""
    name = library_name(Frame(module, module.namespace), made.func)
    if not name.startswith(LIBRARIES):
        return
    if name.rpartition(".")[2] in WHOLES:
        listed = made.args[0] if made.args and isinstance(made.args[0], (ast.List, ast.Tuple)) else None
        for part in (*(listed.elts if listed is not None else ()), *made.args[listed is not None :]):
            if isinstance(part, ast.Call):
                yield from _steps(part, module)
        return
    settings: dict[str, Setting] = {keyword.arg: _written(keyword.value) for keyword in made.keywords if keyword.arg is not None}
    if made.args and name.startswith("torchvision.transforms."):
        from advisor.read.frameworks.torchvision.transforms import SIGNATURES

        known = SIGNATURES.get(name.rpartition(".")[2], "").split(", ")
        settings |= {key.partition("=")[0]: _written(value) for key, value in zip(known, made.args)}
    yield Transform(module.place(made), kind=name, settings=settings)


def _written(node: ast.expr) -> Setting:
    try:
        return Known(ast.literal_eval(node))
    except ValueError:
        return Unknown("a computed value")


def _is_draw(node: ast.expr | None, module: SourceModule) -> bool:
    """True for a call that draws a number, and for what is made of one."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "item":
        node = node.func.value
    return isinstance(node, ast.Call) and library_name(Frame(module, module.namespace), node.func) in DRAWS

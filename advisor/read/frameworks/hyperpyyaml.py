"""HyperPyYAML: YAML 1.2 numbers, `!ref` and `!new:`; objects are made where they stand."""

from __future__ import annotations

import ast
import os
import re
from contextlib import suppress

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.source import Link
from advisor.read.config import tree
from advisor.read.config.bases import LONGEST_CHAIN
from advisor.read.config.tree import Listed, Mapped, Node, Scalar
from advisor.read.frameworks import table
from advisor.read.frameworks.importlib import object_named
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import is_weak, text_of
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Constant, Instance, Mapping, Opaque, Partial, Sequence, Value, mapping, members, sequence

_OPERATIONS: dict[type, str] = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.Div: "__truediv__",
    ast.FloorDiv: "__floordiv__",
    ast.Mod: "__mod__",
}
_REFERENCE = pattern(r"<([\w.\[\]]+)>")
_ANY_REFERENCE = pattern(r"<([^>]*)>")  # what the library takes for one, whatever stands in it


@table.function("hyperpyyaml.load_hyperpyyaml")
def load(call: LibraryCall) -> Value:
    """load_hyperpyyaml(stream, overrides)"""
    value = call.get("yaml_stream", 0)
    found = text_of(call.reader, value)
    if found is None:
        why = "a hyperparameter file whose path is not known"
        recipe = call.reader.recipe
        for listing in (recipe.seeds, recipe.modules, recipe.optimizers, recipe.schedulers, recipe.losses, recipe.loaders):
            listing.complete, listing.why = False, why  # it makes objects, and seeds
        return Opaque(why)
    must_match = call.get("overrides_must_match", 2)
    closed = must_match is None or (isinstance(must_match, Constant) and must_match.value is True)
    return _read(call.reader, found, call.node, is_weak(value), {}, (), closed) or Opaque(f"{found[0]} could not be parsed")


def _read(
    reader: Reader, file: tuple[str, str], node: ast.AST, weak: bool, given: dict[str, Value], chain: tuple[str, ...], closed: bool
) -> Value | None:
    """What a file makes; `given` are the values that the file which includes it puts in the place of its own. No key can be added to one that is
    `closed`."""
    display, text = file
    root = tree.load(text, display)
    if not isinstance(root, Mapped):
        if isinstance(root, Broken):
            reader.recipe.broken.append(root)
        return None
    if display not in reader.recipe.files:
        reader.recipe.files.append(display)
    maker = _Maker(reader, root, node, weak, (*chain, display), closed)
    maker.done.update(given)
    return maker.top()


class _Maker:
    """Makes the values of one file, each key once, so that a reference gives the same object."""

    def __init__(self, reader: Reader, root: Mapped, node: ast.AST, weak: bool, chain: tuple[str, ...], closed: bool) -> None:
        self.reader, self.root, self.node, self.weak, self.closed = reader, root, node, weak, closed
        self.chain = chain  # the files that led here, this one last
        self.done: dict[str, Value] = {}
        self.open: set[str] = set()

    def top(self) -> Value:
        return mapping({key: self.key(str(key)) for key in self.root.entries}, True, self.root.place)

    def key(self, name: str) -> Value:
        if name not in self.done:
            held = self.root.entries.get(name)
            if held is None or name in self.open:
                return Opaque(f"the reference <{name}>")
            self.open.add(name)
            self.done[name] = self.value(held[0], name)
            self.open.discard(name)
        return self.done[name]

    def value(self, node: Node, path: str) -> Value:
        tag = (node.tag or "").lstrip("!")
        kind, _, target = tag.partition(":")
        if kind in ("ref", "copy") and isinstance(node, Scalar):
            return self.reference(str(node.value), node, path)
        if kind in ("new", "name", "apply", "module", "class"):
            return self.object(kind, target, node, path)
        if kind == "include":
            return self.included(target, node, path)
        if tag in ("PLACEHOLDER", "placeholder"):
            return Opaque(f"`{path}` has to be given when the program is started")
        if isinstance(node, Mapped):
            return mapping({key: self.value(item, f"{path}.{key}") for key, (item, _) in node.entries.items()}, True, node.place)
        if isinstance(node, Listed):
            items = [self.value(item, f"{path}.{index}") for index, item in enumerate(node.items)]
            return sequence(items, "tuple" if kind == "tuple" else "list")
        if tag and kind != "tuple":
            return Opaque(f"a value built by the tag !{tag}")
        return Constant(node.typed, (Link(node.place.file, node.place.line, path),), self.weak, node.place)

    def included(self, name: str, node: Node, path: str) -> Value:
        """!include:models/small.yaml, found from the folder of this file, with what is written under it in place of its own values."""
        here = os.path.dirname(os.path.join(self.reader.project.directory, self.chain[-1]))
        file = self.reader.project.text_at(os.path.normpath(os.path.join(here, name)))
        given = {str(key): self.value(item, f"{path}.{key}") for key, (item, _) in node.entries.items()} if isinstance(node, Mapped) else {}
        if file is None or file[0] in self.chain or len(self.chain) > LONGEST_CHAIN:
            what = "is not there" if file is None else "leads back to itself"
            self.reader.recipe.broken.append(Broken(node.place, kind="include", detail=f"`!include:{name}` {what}"))
            return Opaque(f"the file {name}")
        return _read(self.reader, file, self.node, self.weak, given, self.chain, self.closed) or Opaque(f"{file[0]} could not be parsed")

    def reference(self, text: str, node: Scalar, path: str) -> Value:
        for name in dict.fromkeys(_ANY_REFERENCE.findall(text)):
            if self.closed and re.split(r"[.\[]", name, maxsplit=1)[0] not in {*self.root.entries, *self.done}:
                self.reader.recipe.broken.append(Broken(node.place, kind="include", detail=f"`!ref <{name}>` names no key of it"))
        whole = re.fullmatch(r"<([\w.\[\]]+)>", text.strip())
        if whole is not None:
            return self.named(whole.group(1))
        weak = self.weak
        parts: list[str] = []
        end = 0
        for match in _REFERENCE.finditer(text):
            found = self.named(match.group(1))
            if not isinstance(found, Constant):
                return Opaque(f"the reference {text}")
            weak = weak or found.weak
            parts += [text[end : match.start()], str(found.value)]
            end = match.end()
        built = "".join([*parts, text[end:]])
        result: object = built
        with suppress(SyntaxError, ValueError, ArithmeticError, RecursionError):
            result = _arithmetic(ast.parse(built, mode="eval").body)
        return Constant(result, (Link(node.place.file, node.place.line, path),), weak, node.place)

    def named(self, reference: str) -> Value:
        name, *rest = [part for part in re.split(r"[.\[\]]+", reference) if part]
        value = self.key(name)
        for part in rest:
            if isinstance(value, Mapping) and part in value.items:
                value = value.items[part]
            elif isinstance(value, Sequence) and part.isdigit():
                value = self.reader.subscript(value, Constant(int(part)), self.node)
            else:
                value = self.reader.attribute(value, part, self.node)
        return value

    def object(self, kind: str, target: str, node: Node, path: str) -> Value:
        callee = object_named(self.reader, target, self.node)
        if kind in ("module", "class"):
            return callee
        arguments = Arguments()
        if isinstance(node, Mapped):
            arguments.keywords = {str(key): self.value(item, f"{path}.{key}") for key, (item, _) in node.entries.items()}
        elif isinstance(node, Listed):
            arguments.positional = [self.value(item, f"{path}.{index}") for index, item in enumerate(node.items)]
        if kind == "name":
            return Partial(callee, arguments.positional, arguments.keywords, place=node.place)
        made = self.reader.call(callee, arguments, self.node)
        for member in members(made):
            if isinstance(member, Instance) and member.fact is not None and kind == "new":
                member.fact.place = node.place  # it is made where the file names it
        return made


def _arithmetic(node: ast.expr) -> object:
    """The value of an expression of numbers."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_arithmetic(node.operand)  # type: ignore[operator]
    if isinstance(node, ast.BinOp):
        left, right = _arithmetic(node.left), _arithmetic(node.right)
        name = _OPERATIONS.get(type(node.op))
        if name is not None:
            left = float(left) if isinstance(right, float) and isinstance(left, int) else left
            result: object = getattr(left, name)(right)
            return result
    raise ValueError("not an expression of numbers")


__all__ = ["load"]

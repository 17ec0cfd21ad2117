"""Hydra's composition: the defaults list of a primary config, config groups, packages and overrides, as one tree with places."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken, DuplicateKey
from advisor.model.record import dataclass, field
from advisor.model.source import Place
from advisor.read.config import bases, interpolation, tree
from advisor.read.config.tree import Listed, Mapped, Node, Scalar

if TYPE_CHECKING:
    from advisor.read.python.project import Project

LONGEST_CHAIN = 12
_PACKAGE = pattern(r"^\s*#\s*@package\s+(\S+)", re.MULTILINE)
_EXTERNAL = ("hydra", "override hydra")
_CHOSEN = pattern(r"\$\{(?:defaults\.\d+\.)?([\w/]+)\}")  # of a group, in the name of another: `${dataset}_${model}`


@dataclass(slots=True, eq=False)
class Composition:
    """What a defaults list gives. `missing`: (group, name, package) of configs that are no file here; `broken`: what is wrong with those that are."""

    root: Mapped | None = None
    files: list[str] = field(default_factory=list)
    missing: list[tuple[str, str, str]] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    duplicates: list[DuplicateKey] = field(default_factory=list)


def compose(project: Project, folder: str, name: str, overrides: list[str] | None = None) -> Composition:
    """The config that `hydra.main(config_path=folder, config_name=name)` hands over. Interpolation is resolved."""
    composer = _Composer(project, folder)
    values = composer.command_line(overrides or [])
    composer.config("", name, "", ())  # finds `override group: choice` entries, which hold for the whole list
    composer.result = Composition()
    root = composer.config("", name, "", ())
    result = composer.result
    if root is not None:
        for path, node in values:
            root = bases.merge(root, _placed(node, path, root.place))
        root.entries.pop("hydra", None)
        resolved = interpolation.resolve(root)
        result.root = resolved if isinstance(resolved, Mapped) else root
    return result


class _Composer:
    def __init__(self, project: Project, folder: str) -> None:
        self.project = project
        self.folder = folder
        self.choices: dict[str, Node | None] = {}
        self.chosen: dict[str, str] = {}  # what each group turned out to be
        self.added: list[Node] = []  # groups that the command line chooses and no defaults list names
        self.result = Composition()

    def command_line(self, overrides: list[str]) -> list[tuple[str, Node]]:
        """Group choices are kept for the list; values come back as (dotted path, node)."""
        values: list[tuple[str, Node]] = []
        for word in overrides:
            key, equals, text = word.lstrip("+").partition("=")
            if not equals or key.startswith(("~", "-", "hydra")):
                continue
            from advisor.read.config.yaml import parse

            node = parse(text, "command line") or Scalar(None, "", Place("command line", 1))
            if isinstance(node, Broken):
                continue
            if os.path.isdir(os.path.join(self.folder, key.partition("@")[0])):
                self.choices[key] = node
                if word.startswith("+"):
                    self.added.append(Mapped({key: (node, node.place)}, node.place))
            else:
                values.append((key, node))
        return values

    def config(self, group: str, name: str, package: str | None, chain: tuple[str, ...], at: Place | None = None) -> Mapped | None:
        """One config with everything that its defaults list names, standing where its package says. `at`: where a list names it."""
        label = f"{group}/{name}"
        if label in chain and at is not None:
            self.result.broken.append(Broken(at, kind="include", detail=f"its defaults list leads back to {label.strip('/')}"))
            return None
        loaded = self._load(group, name) if label not in chain and len(chain) < LONGEST_CHAIN else None
        if loaded is None:
            self.result.missing.append((group, name, package if package is not None else group.replace("/", ".")))
            return None
        root, text = loaded
        header = _PACKAGE.search(text.split("\n\n", 1)[0]) if "@package" in text else None
        if package is None:
            package = _package_of(header.group(1), group) if header is not None else group.replace("/", ".")
        own = Mapped({key: held for key, held in root.entries.items() if key != "defaults"}, root.place, root.tag, root.duplicates, root.own)
        defaults = root.get("defaults")
        merged: Mapped | None = None
        placed = False
        for item in defaults.items if isinstance(defaults, Listed) else ():
            if isinstance(item, Scalar) and item.value == "_self_":
                merged, placed = _over(merged, _placed(own, package, root.place)), True
                continue
            for inner in self._entry(item, group, package, (*chain, label)):
                merged = _over(merged, inner)
        if not placed:
            merged = _over(merged, _placed(own, package, root.place))
        for item in self.added if not chain else ():
            for inner in self._entry(item, group, package, (label,)):
                merged = _over(merged, inner)
        return merged

    def _entry(self, item: Node, group: str, package: str, chain: tuple[str, ...]) -> list[Mapped]:
        """What one entry of a defaults list brings in."""
        if isinstance(item, Scalar):
            if not isinstance(item.value, str):
                return []
            path, _, target = item.value.partition("@")
            folder, _, name = _absolute(group, path).rpartition("/")
            found = self.config(folder, name, _target(target, package), chain, item.place)
            return [found] if found is not None else []
        if not isinstance(item, Mapped) or not item.entries:
            return []
        key, (choice, _) = next(iter(item.entries.items()))
        key = str(key)
        override = key.startswith("override ")
        for word in ("override ", "optional "):
            key = key.removeprefix(word).strip()
        path, _, target = key.partition("@")
        full = _absolute(group, path)
        if full.startswith("hydra"):
            return []
        if override:
            self.choices[full] = choice
            return []
        given = self.choices.get(full)
        choice = given if given is not None and (self._is_there(full, given) or not self._is_there(full, choice)) else choice
        names = choice.items if isinstance(choice, Listed) else [choice]
        found_all: list[Mapped] = []
        for one in names:
            if not isinstance(one, Scalar) or one.value is None:
                continue
            text = _CHOSEN.sub(lambda found: self.chosen.get(found.group(1), found.group(0)), str(one.value))
            if "${" in text or text == "???":
                self.result.missing.append((full, text, full.replace("/", ".")))
                continue
            text = text.removesuffix(".yaml").removesuffix(".yml")
            self.chosen[full] = text
            folder, _, name = f"{full}/{text}".rpartition("/")
            inner = self.config(folder, name, _target(target, package) if target else None, chain, one.place)
            if inner is not None:
                found_all.append(inner)
        return found_all

    def _is_there(self, group: str, choice: Node) -> bool:
        """True for a choice whose files are all here: a script may name one of another machine."""
        names = [str(one.value) for one in (choice.items if isinstance(choice, Listed) else [choice]) if isinstance(one, Scalar) and one.value]
        paths = [os.path.join(self.folder, group, name.removesuffix(".yaml").removesuffix(".yml")) for name in names]
        found = {path: self.project.listing(os.path.dirname(path)) for path in paths if "${" not in path}
        return all(any(os.path.basename(path) + suffix in held for suffix in (".yaml", ".yml")) for path, held in found.items())

    def _load(self, group: str, name: str) -> tuple[Mapped, str] | None:
        for suffix in ("", ".yaml", ".yml"):
            if not suffix and not name.endswith((".yaml", ".yml")):
                continue
            path = os.path.normpath(os.path.join(self.folder, group, name + suffix))
            data = self.project.read_bytes(path)
            if isinstance(data, Broken):
                continue
            display = self.project.display(path)
            text = data.decode("utf-8-sig", "replace")
            self.project.texts[display] = text
            root = tree.load(text, display)
            if isinstance(root, Broken):
                self.result.broken.append(root)
                return None
            self.result.files.append(display)
            self.result.duplicates += tree.duplicates(root)
            return (root if isinstance(root, Mapped) else Mapped({}, Place(display, 1))), text
        return None


def _absolute(group: str, path: str) -> str:
    if path.startswith("/"):
        return path.strip("/")
    return f"{group}/{path}".strip("/")


def _target(target: str, package: str) -> str | None:
    """The package that `group@target` names, seen from the package of the config it stands in."""
    if not target:
        return None
    if target == "_here_":
        return package
    if target.startswith("_global_"):
        return target.removeprefix("_global_").lstrip(".")
    return f"{package}.{target}".strip(".")


def _package_of(text: str, group: str) -> str:
    """The package that a header names."""
    if text.startswith("_global_"):
        return text.removeprefix("_global_").lstrip(".")
    return text.replace("_group_", group.replace("/", ".")).replace("_name_", group.rpartition("/")[2])


def _placed(node: Node, package: str, place: Place) -> Mapped:
    for part in reversed([part for part in package.split(".") if part]):
        node = Mapped({part: (node, node.place)}, place)
    return node if isinstance(node, Mapped) else Mapped({}, place)


def _over(under: Mapped | None, over: Mapped) -> Mapped:
    return over if under is None else bases.merge(under, over)

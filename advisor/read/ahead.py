"""What another process reads ahead of this one: each result is taken when its turn comes, so that nothing depends on who has read it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Protocol

from advisor.model.recipe import Broken, Reading, Recipe
from advisor.model.record import dataclass
from advisor.read.configs_alone import is_settled
from advisor.read.programs import forget, read_one
from advisor.read.python.executions import Shared
from advisor.read.python.project import Project
from advisor.read.sorting import Look, Sorting, look


@dataclass(slots=True)
class Trail:
    """What reading left behind in the project of the other process."""

    touched: list[str]
    listed: list[str]
    parsed: set[str]
    texts: dict[str, str]  # only those that are still needed
    left_out: list[Broken]

    def follow(self, project: Project) -> None:
        """As if it had been left here."""
        project.touched.update(dict.fromkeys(self.touched))
        project.listed_ahead.update(dict.fromkeys(self.listed))
        project.parsed |= self.parsed
        for name, text in self.texts.items():
            project.texts[name] = project.texts.get(name) or text
        project.left_out += [broken for broken in self.left_out if broken not in project.left_out]


@dataclass(slots=True)
class Told:
    """One file read as a program or as a config: what is kept of its recipes, what the rules said of each, and what went wrong."""

    trail: Trail
    recipes: list[Recipe]
    said: list[Any]
    part: Reading  # what the other process noted
    settled: bool = True  # of a config: all that can be said of it is said; else its recipe counts where no program reads it
    take: Callable[[Recipe, Any], object] | None = None

    @property
    def files(self) -> list[str]:
        """The files of its programs."""
        return [file for recipe in self.recipes for file in recipe.files]

    def follow(self, project: Project, reading: Reading) -> None:
        """As if it had been read here."""
        self.trail.follow(project)
        reading.files += self.part.files
        reading.broken += self.part.broken
        reading.crashes += self.part.crashes
        reading.told.update(self.trail.texts)

    def add(self, reading: Reading) -> None:
        """Takes in its programs."""
        for recipe, said in zip(self.recipes, self.said):
            reading.recipes.append(recipe)
            if self.take is not None:
                self.take(recipe, said)


class Ahead(Protocol):
    """Gives what was read ahead; None where nobody has, so that it is read when it is asked for."""

    def prepare_looks(self, paths: Sequence[str], sorting: Sorting) -> None:
        """These files will be asked about."""

    def prepare_programs(self, entries: Sequence[Sequence[str]], configs: Sequence[tuple[Sequence[str], int]]) -> None:
        """These of each project will be asked for; configs with how many words of a recipe one has whose program is looked for."""

    def prepare_parts(self, projects: Sequence[Sequence[str]]) -> None:
        """These of each project will be asked for, each unless one before it has covered it."""

    def look(self, path: str, project: Project) -> Look | None:
        """What a file is."""

    def program(self, path: str) -> Told | None:
        """A file read as a program."""

    def config(self, path: str) -> Told | None:
        """A config read by itself."""


class Hand:
    """Reads ahead, in a process of its own. `ask` gives what the rules say of a program, and the files that they found something in."""

    def __init__(self, ask: Callable[[Recipe], tuple[Any, set[str]]]) -> None:
        self.ask = ask
        self.at, self.turn = -1, 0  # the number of the project, and of what was given at one time
        self.project = Project()
        self.shared = Shared(facts=True)
        self.sorting = Sorting(0)
        self.covered: set[str] = set()  # by the programs of this project and turn
        self._parsed: set[str] = set()  # since the beginning
        self._folders = self._names = 0  # how many folders were listed, and texts known, when the file of this moment began

    def turn_to(self, project: int, turn: int) -> None:
        """The files to come are those of this project, given in this turn. Of another one nothing is kept."""
        if project not in (self.at, -1):
            self.project, self.shared = Project(top=self.sorting.top), Shared(facts=True)
        if (project, turn) != (self.at, self.turn):
            self.at, self.turn = project, turn
            self.covered.clear()

    def look(self, path: str) -> tuple[Look, Trail]:
        """What a file is."""
        self._begin()
        self.project.top = self.sorting.top
        seen = look(self.project, path, self.sorting)
        display = self.project.display(path)
        return seen, self._trail([display], {display} if seen.broken is not None else set())

    def part(self, path: str) -> Told | None:
        """A file as a program, unless one before it has covered it."""
        return self.program(path, is_part=True) if self.project.display(path) not in self.covered else None

    def program(self, path: str, is_part: bool = False) -> Told:
        """A file as a program."""
        display = self.project.display(path)
        self._begin()
        forget(self.project, self.shared)
        part = Reading()
        recipe = read_one(self.project, part, path, self.shared, is_part=is_part)
        self.covered.update(recipe.files if recipe is not None else (display,))
        return self._told(part, [recipe] if recipe is not None else [])

    def config(self, path: str, words: int) -> Told:
        """A config by itself."""
        self._begin()
        part = Reading()
        claimed: dict[str, Recipe] = {}
        settled = is_settled(self.project, part, path, words, path not in self.sorting.strays, claimed)
        recipes, part.recipes = [*part.recipes, *claimed.values()], []
        told = self._told(part, recipes)
        told.settled = settled
        return told

    def _told(self, part: Reading, recipes: list[Recipe]) -> Told:
        said = []
        found_in = {broken.place.file for broken in (*part.broken, *(broken for recipe in recipes for broken in recipe.broken))}
        files = [file for recipe in recipes for file in recipe.files]
        for recipe in recipes:
            judged, shown = self.ask(recipe)
            said.append(judged)
            found_in |= shown
            recipe.shed()
        return Told(self._trail(files, found_in), recipes, said, part)

    def _begin(self) -> None:
        project = self.project
        project.named = self.sorting.named
        self._parsed |= project.parsed
        project.parsed, project.touched, project.left_out = set(), {}, []
        self._folders, self._names = len(project.listed), len(project.texts)

    def _trail(self, files: Sequence[str], found_in: set[str]) -> Trail:
        """What was left since the last beginning; of `files` also what an earlier program had read already."""
        project = self.project
        paths = {os.path.normpath(os.path.join(project.directory, file)) for file in files}
        texts = {}
        cells = [name for name in project.texts if "#" in name] if any(file.endswith(".ipynb") for file in found_in) else ()
        for name in dict.fromkeys([*files, *sorted(found_in), *cells, *islice(project.texts, self._names, None)]):
            text = project.texts.get(name)
            if text and (name in found_in or name.rpartition("#")[0] in found_in or "advisor:" in text):
                texts[name] = text
        parsed = project.parsed | (paths & self._parsed)
        return Trail(list(project.touched), list(project.listed[self._folders :]), parsed, texts, project.left_out)

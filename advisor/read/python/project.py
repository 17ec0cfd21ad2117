"""The files of a project as the reader sees them: decoded, parsed once, found by import name from the usual roots."""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterator

from advisor.model.recipe import Broken
from advisor.model.record import dataclass, field
from advisor.model.source import Place
from advisor.model.texts import Texts
from advisor.read.python.bodies import put_off
from advisor.read.python.mentions import Mentions
from advisor.read.python.names import Names
from advisor.read.python.values import Constant, Value
from advisor.read.text import POINTER, UNPARSABLE, decode, not_fetched, parse_program, source_lines, undecodable

LARGEST_FILE = 4_000_000  # bytes; the largest hand-written module of the public code read is under 1 MB
MOST_HELD = 200_000  # characters of parsed files kept between small programs: their trees take about 40 times as much memory
ABOVE = 12  # folders above a file in which its project may begin
MUCH = 200_000  # characters of parsed files from which on the bodies of functions are put off: what is read first is entered most
LARGEST_PROGRAM = 6_000_000  # characters of the files of one program; no more are imported by it
LARGEST_NOTEBOOK = 40_000_000  # bytes; outputs, pictures above all, are most of a notebook
ROOT_MARKERS = (".git", "pyproject.toml", "setup.py", "setup.cfg", ".hg")


def _is_root(names: frozenset[str]) -> bool:
    """True for the folder of a project; a module of a package may be called setup.py too."""
    return any(marker in names and (marker != "setup.py" or "__init__.py" not in names) for marker in ROOT_MARKERS)


@dataclass(slots=True, eq=False)
class SourceModule:
    """One parsed file: its text, its tree, the names it binds when executed."""

    path: str
    display: str
    name: str
    text: str
    tree: ast.Module
    lines: list[str]
    namespace: dict[str, Value] = field(default_factory=dict)
    state: str = "new"  # new | running | done
    cells: list[tuple[int, int]] | None = None  # notebooks: (first line, cell number)
    is_package: bool = False
    ascii: bool = True
    mentions: Mentions = field(default_factory=Mentions)
    deferred: tuple[ast.ImportFrom, ...] = ()  # imports that are made when one of their names is asked for
    literals: dict[ast.Constant, Constant] = field(default_factory=dict)  # one value for each literal that was met
    _places: dict[ast.AST, Place] = field(default_factory=dict)
    _segments: dict[tuple[ast.AST, int], str] = field(default_factory=dict)

    def place(self, node: ast.AST) -> Place:
        """Where a node stands, in characters."""
        found = self._places.get(node)
        if found is None:
            found = self._places[node] = self._place(node)
        return found

    def _place(self, node: ast.AST) -> Place:
        where = node.__dict__
        line, column = where.get("lineno", 1), where.get("col_offset", 0)
        end_line, end_column = where.get("end_lineno") or line, where.get("end_col_offset") or 0
        if not self.ascii:
            column, end_column = self._characters(line, column), self._characters(end_line, end_column)
        if self.cells is not None:
            first, cell = self._cell(line)
            return Place(self.display, line - first + 1, column + 1, end_line - first + 1, end_column + 1, cell)
        return Place(self.display, line, column + 1, end_line, end_column + 1)

    def row(self, place: Place) -> int:
        """The line of this text that a place stands on; in a notebook a place counts the lines of its cell."""
        return place.line + next((first - 1 for first, cell in self.cells or () if cell == place.cell), 0)

    def segment(self, node: ast.AST, longest: int = 80) -> str:
        """The source text of a node on one line, shortened."""
        found = self._segments.get((node, longest))
        if found is None:
            found = self._segments[node, longest] = self._segment(node, longest)
        return found

    def _segment(self, node: ast.AST, longest: int) -> str:
        said: str | None = node.__dict__.get("said")  # of a node that stands for others
        if said is not None:
            return said if len(said) <= longest else said[: longest - 3] + "..."
        line = getattr(node, "lineno", 0)
        end_line = getattr(node, "end_lineno", line) or line
        if not line or line > len(self.lines):
            return ""
        start, stop = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0) or 0
        if not self.ascii:
            start, stop = self._characters(line, start), self._characters(end_line, stop)
        if line == end_line:
            text = self.lines[line - 1][start:stop]
        else:
            text = " ".join([self.lines[line - 1][start:], *self.lines[line : end_line - 1], self.lines[end_line - 1][:stop]])
            text = " ".join(text.split())
        return text if len(text) <= longest else text[: longest - 3] + "..."

    def _characters(self, line: int, offset: int) -> int:
        if line > len(self.lines):
            return offset
        text = self.lines[line - 1]
        return offset if text.isascii() else len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace"))

    def let_go(self) -> None:
        """Frees the tree, and what was worked out about it, at once: what still points at the file points in a circle."""
        for held in (self.tree.body, self.literals, self._places, self._segments):
            held.clear()

    def _cell(self, line: int) -> tuple[int, int]:
        found = (1, 0)
        for first, cell in self.cells or ():
            if first > line:
                break
            found = (first, cell)
        return found


class Project:
    """Finds, decodes and parses files; each once.

    `texts` maps display names to decoded text for the reports; `overlay` gives by path what is read in place of a file. `top` is the folder
    that was passed: where nothing marks the root of a project, and the command is given elsewhere, it begins there.
    """

    def __init__(
        self, directory: str | None = None, texts: Texts | None = None, overlay: dict[str, bytes] | None = None, top: str | None = None
    ) -> None:
        self.directory = directory or os.getcwd()
        self.top, self.named = top, frozenset[str]()  # and the files that were passed by their names
        self.modules: dict[str, SourceModule | Broken] = {}
        self.overlay = overlay if overlay is not None else {}
        self.texts = texts if texts is not None else Texts()
        self._found: dict[tuple[str, str], str | None] = {}
        self._roots: dict[str, list[str]] = {}
        self._listing: dict[str, frozenset[str]] = {}
        self.held = 0  # characters of what is parsed and kept
        self.room = MOST_HELD  # how many may be kept between programs
        self.needed = 0  # characters of what the program of this moment needs
        self._used: set[str] = set()  # paths of that
        self.parsed: set[str] = set()  # paths of what was parsed, or read as a config
        self.functions: dict[str, tuple[int, int]] = {}  # path -> how many a file has, how many were entered, where all were to be
        self.left_out: list[Broken] = []  # cells of notebooks
        self._names = Names(self.directory)
        self._lines: dict[str, list[str]] = {}
        self.opened: dict[str, tuple[str, str] | None] = {}
        self.remembered: dict[str, object] = {}  # what was found out about the texts of files and folders, by path
        self.listed_ahead: dict[str, None] = {}  # folders that another process has looked at
        self.touched: dict[str, None] = {}  # every path that was read or looked for: what a cached result depends on, with the folders listed

    def display(self, path: str) -> str:
        """The name shown for a file."""
        return self._names.of(path)

    def lines(self, display: str) -> list[str]:
        """The lines of a file that was read, by the name shown for it."""
        lines = self._lines.get(display)
        if lines is None:
            lines = self._lines[display] = source_lines(self.texts.get(display, ""))
        return lines

    def read_bytes(self, path: str) -> bytes | Broken:
        """The content of a file, or why it cannot be had."""
        if path in self.overlay:
            return self.overlay[path]
        self.touched[path] = None
        display = self.display(path)
        try:
            if not os.path.isfile(path):
                kind = "link" if os.path.islink(path) and not os.path.exists(path) else "not-a-file"
                return Broken(Place(display, 1), kind=kind, detail="the link points nowhere" if kind == "link" else "it is not a regular file")
            size = os.path.getsize(path)
            if size > (largest := LARGEST_NOTEBOOK if path.endswith(".ipynb") else LARGEST_FILE):
                return Broken(Place(display, 1), kind="too-large", detail=f"it has {size:,} bytes, more than the {largest:,} that are read")
            with open(path, "rb") as stream:
                data = stream.read()
            return data if not data.startswith(POINTER) else not_fetched(display)
        except PermissionError:
            return Broken(Place(display, 1), kind="permission", detail="there is no permission to read it")
        except OSError as error:
            return Broken(Place(display, 1), kind="unreadable", detail=error.strerror or str(error))

    def load(self, path: str, name: str | None = None, data: bytes | None = None) -> SourceModule | Broken:
        """The parsed file. `data` is its content where that has been read."""
        known = self.modules.get(path)
        if known is None:
            name = name or os.path.splitext(os.path.basename(path))[0]
            known = self.modules[path] = self._parse(path, name, data if data is not None else self.read_bytes(path))
            self.held += len(known.text) if isinstance(known, SourceModule) else 0
        self.use(path)
        return known

    def forget(self, told: Collection[str] = (), *, everything: bool = False) -> list[str]:
        """Between two programs: drops what was parsed once it is much, what was not used for longest first. What is asked for again is parsed again.

        As much may stay as the last programs have needed. The text stays of files that are `told` of, and where comments of ours may stand in it.
        """
        self.room = -1 if everything else max(self.room // 2, self.needed, MOST_HELD)
        self._used.clear()
        self.needed = 0
        dropped: list[str] = []
        for path, module in list(self.modules.items()) if self.held > self.room else ():
            if self.held <= self.room:
                break
            if isinstance(module, SourceModule):
                del self.modules[path]
                self.held -= len(module.text)
                module.let_go()
                dropped.append(path)
                self._lines.pop(module.display, None)
                if module.cells is None and path not in self.overlay:
                    self.texts.put_away(module.display, told)
        for name in self.texts.at_hand() if everything else ():
            self.texts.put_away(name, told)
        return dropped

    def use(self, path: str) -> None:
        """Notes that a program needs a file that is parsed: it is not among the next to be dropped."""
        if path not in self._used and path in self.modules:
            self._used.add(path)
            module = self.modules[path] = self.modules.pop(path)
            self.needed += len(module.text) if isinstance(module, SourceModule) else 0

    def _parse(self, path: str, name: str, data: bytes | Broken) -> SourceModule | Broken:
        if isinstance(data, Broken):
            return data
        display = self.display(path)
        cells: list[tuple[int, int]] | None = None
        if path.endswith(".ipynb"):
            from advisor.read.notebook import program_text

            converted = program_text(data, display)
            if isinstance(converted, Broken):
                return converted
            text, cells, left_out = converted
            self.left_out += left_out
            for (first, cell), (after, _) in zip(cells, [*cells[1:], (len(lines := text.split("\n")), 0)]):
                self.texts[f"{display}#{cell}"] = "\n".join(lines[first - 1 : after - 1])  # places of a notebook count within a cell
        else:
            try:
                text = decode(data)
            except (UnicodeError, SyntaxError, LookupError) as error:
                return undecodable(data, display, error)
            if "\0" in text:
                return undecodable(data, display, ValueError("NUL"))
        self.texts[display] = text
        try:
            tree, parsed = parse_program(text)
        except UNPARSABLE as error:
            from advisor.read.notebook import without_magics

            tried = without_magics(text, display, error)
            if isinstance(tried, Broken):
                return tried
            tree, parsed = tried
            text = parsed
        lines = source_lines(text)
        if self.held > MUCH:
            put_off(tree.body, lines if parsed is text else source_lines(parsed))
        self.parsed.add(path)
        is_package = os.path.basename(path) == "__init__.py"
        return SourceModule(path, display, name, text, tree, lines, cells=cells, is_package=is_package, ascii=text.isascii())

    @property
    def listed(self) -> tuple[str, ...]:
        """The folders whose names were looked at."""
        return tuple(dict.fromkeys([*self._listing, *self.listed_ahead]))

    # --- imports -------------------------------------------------------------------------------------------------

    def roots(self, path: str) -> list[str]:
        """Folders that imports of a file may start from: its own, the project's root and the root's src."""
        folder = os.path.dirname(path)
        cached = self._roots.get(folder)
        if cached is None:
            cached, current = [folder], self._root(folder)
            while cached[-1] != current and len(cached) <= 12 and cached[-1].startswith(current):
                cached.append(os.path.dirname(cached[-1]))
            if "src" in self.listing(current):
                cached.append(os.path.join(current, "src"))
            self._roots[folder] = cached
        return cached

    def _root(self, folder: str) -> str:
        """The root of the project that a folder belongs to; the folder itself where nothing tells."""
        top, current = folder, folder
        for _ in range(ABOVE):
            if _is_root(self.listing(current)) or current == self.directory:
                return current
            top = current if current == self.top else top
            parent = os.path.dirname(current)
            if parent == current:
                break
            current = parent
        return top

    def listing(self, folder: str) -> frozenset[str]:
        """The names in a folder; empty when it cannot be listed."""
        names = self._listing.get(folder)
        if names is None:
            try:
                names = frozenset(os.listdir(folder))
            except OSError:
                names = frozenset()
            names |= {os.path.basename(path) for path in self.overlay if os.path.dirname(path) == folder}
            self._listing[folder] = names
        return names

    def find(self, name: str, from_path: str) -> str | None:
        """The file of an absolute import as seen from a file: a module, a package's __init__, or a namespace folder (ends with /)."""
        key = (name, os.path.dirname(from_path))
        if key not in self._found:
            self._found[key] = next((hit for root in self.roots(from_path) if (hit := self.below(root, name.split("."), from_path))), None)
        return self._found[key]

    def below(self, root: str, parts: list[str], from_path: str = "") -> str | None:
        """The file of dotted parts under a folder."""
        folder = root
        for part in parts[:-1]:
            if part not in self.listing(folder):
                return None
            folder = os.path.join(folder, part)
        last = parts[-1]
        names = self.listing(folder)
        if last in names:
            inside = self.listing(os.path.join(folder, last))
            if "__init__.py" in inside:
                return os.path.join(folder, last, "__init__.py")
            if f"{last}.py" not in names and any(n.endswith(".py") for n in inside):
                return os.path.join(folder, last) + os.sep
            if f"{last}.py" not in names and any(self._has_python(os.path.join(folder, last, n)) for n in sorted(inside)[:40]):
                return os.path.join(folder, last) + os.sep
        if f"{last}.py" in names:
            return os.path.join(folder, f"{last}.py")
        return None

    def _has_python(self, folder: str) -> bool:
        return os.path.isdir(folder) and any(name.endswith(".py") for name in self.listing(folder))

    def relative(self, module: SourceModule, level: int, name: str | None) -> str | None:
        """The file of a relative import."""
        folder = os.path.dirname(module.path)
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        if not name:
            return os.path.join(folder, "__init__.py") if "__init__.py" in self.listing(folder) else folder + os.sep
        return self.below(folder, name.split("."))

    # --- data and config files -----------------------------------------------------------------------------------

    def open_text(self, path: str, entry: str | None = None) -> tuple[str, str] | None:
        """(display name, text) of a file that the program opens by this path, searched from where it would run; None when it is not there."""
        key = f"{entry}\0{path}"
        if key not in self.opened:
            self.opened[key] = self._open_text(path, entry)
        return self.opened[key]

    def same(self, path: str, display: str, entry: str | None = None) -> bool:
        """True when a path that a program gives means the file shown by this name."""
        return any(self.display(candidate) == display for candidate in self.places(path, entry))

    def _open_text(self, path: str, entry: str | None) -> tuple[str, str] | None:
        for candidate in self.places(path, entry):
            if isinstance(data := self.read_bytes(candidate), bytes):
                return self._shown(candidate, data)
        return None

    def text_at(self, path: str) -> tuple[str, str] | None:
        """(display name, text) of a file that was named to us, or by another file from where that one stands; None when it cannot be had."""
        data = self.read_bytes(path)
        return self._shown(path, data) if isinstance(data, bytes) else None

    def _shown(self, path: str, data: bytes) -> tuple[str, str] | None:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None
        display = self.display(path)
        if self.texts.get(display) != text:
            self.texts[display] = text
        return display, self.texts[display]  # one text, however many programs open the file

    def places(self, path: str, entry: str | None) -> Iterator[str]:
        """Existing files that a path may mean: absolute, from the working directory, the entry's folder, the project's roots."""
        if "\0" in path or len(path) > 1000:
            return
        path = path.replace("\\", "/")
        if os.path.isabs(path):
            self.touched[path] = None
            roots = [self.directory] + (self.roots(entry) if entry else [])
            if os.path.isfile(path) and any(path.startswith(root.rstrip(os.sep) + os.sep) for root in roots):
                yield path
            return
        for base in dict.fromkeys([self.directory] + (self.roots(entry) if entry else [])):
            full = os.path.normpath(os.path.join(base, path))
            self.touched[full] = None
            if os.path.isfile(full) or full in self.overlay:
                yield full

"""Puts the project back as it was before the run, whatever the script wrote, renamed or removed.

An audit hook sees each file before it is changed; its old content is copied to a journal outside the project. After
the run new files go to a scratch folder and old ones come back. A run that was killed leaves its journal: the next
start restores from it first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from typing import Any

LISTED = 20_000
NOT_LISTED = frozenset({".git", ".hg", "__pycache__", "node_modules", ".venv", "venv", ".tox", ".mypy_cache", ".ruff_cache"})
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
OFFLINE = {"WANDB_MODE": "offline", "MPLBACKEND": "Agg", "HF_HUB_DISABLE_TELEMETRY": "1", "COMET_MODE": "disabled", "PYTHONDONTWRITEBYTECODE": "1"}


class NotKept(OSError):
    """A file of the user's is about to be changed, and no copy of it can be kept. Without one, the script may not touch it."""


_active: list[Journal] = []
_hooked = [False]


def state_folder() -> str:
    """Where journals stand: the user's state folder, or a temporary one."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    folder = os.path.join(base, "advisor", "probe")
    try:
        os.makedirs(folder, exist_ok=True)
        return folder
    except OSError:
        return os.path.join(tempfile.gettempdir(), f"advisor-probe-{os.getuid() if hasattr(os, 'getuid') else 0}")


class Journal:
    """The journal of one run in one project."""

    def __init__(self, project: str) -> None:
        self.project = os.path.realpath(project)
        key = hashlib.sha256(self.project.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self.prefix = os.path.join(state_folder(), key)
        self.folder = f"{self.prefix}-{os.getpid()}"
        self.seen: set[str] = set()
        self.at_work = False
        self.unseen: list[str] = []
        self.before: dict[str, tuple[int, int]] = {}
        self.scratch: str | None = None
        caches = (os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "/dev", "/proc", "/sys", "/run", self.folder)
        self.ignored = tuple(os.path.realpath(folder) + os.sep for folder in caches)
        self.temporary = os.path.realpath(tempfile.gettempdir()) + os.sep
        self.environment: dict[str, str | None] = {}

    # -- begin and end ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Restore what a killed run left, list the project, and start to watch."""
        self._recover()
        os.makedirs(os.path.join(self.folder, "files"), exist_ok=True)
        self.before = self._listing()
        for name, value in {**OFFLINE, "MLFLOW_TRACKING_URI": f"file:{self.folder}/mlruns"}.items():
            self.environment[name] = os.environ.get(name)
            os.environ[name] = value
        sys.dont_write_bytecode = True
        self._watch()

    def join(self, folder: str) -> None:
        """Write into the journal of another process of the same run, which will put everything back."""
        self.folder = folder
        self.ignored += (os.path.realpath(folder) + os.sep,)
        self._watch()

    def _watch(self) -> None:
        _active[:] = [self]
        if not _hooked[0]:
            sys.addaudithook(_audit)
            _hooked[0] = True

    def end(self) -> None:
        """Stop watching and put everything back."""
        if self not in _active:
            return
        _active.remove(self)
        self.scratch = restore(self.folder)
        self._compare()
        for name, value in self.environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.scratch is not None:
            print(f"advisor: what the script wrote is in {self.scratch}", file=sys.stderr)

    def _recover(self) -> None:
        """A journal whose process is gone is restored first."""
        parent = os.path.dirname(self.prefix)
        for name in sorted(os.listdir(parent)) if os.path.isdir(parent) else ():
            process = name.rpartition("-")[2]
            path = os.path.join(parent, name)
            if path.startswith(self.prefix + "-") and process.isdigit() and not _alive(int(process)):
                scratch = restore(path)
                shutil.rmtree(path, ignore_errors=True)
                print(
                    f"advisor: files were put back that an interrupted probe had changed{f'; its own are in {scratch}' if scratch else ''}",
                    file=sys.stderr,
                )

    def _listing(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for folder, names, files in os.walk(self.project):
            names[:] = [name for name in names if name not in NOT_LISTED and os.path.join(folder, name) + os.sep not in self.ignored]
            for file in files:
                path = os.path.join(folder, file)
                try:
                    state = os.lstat(path)
                except OSError:
                    continue
                found[path] = (state.st_size, state.st_mtime_ns)
                if len(found) >= LISTED:
                    return found
        return found

    def _compare(self) -> None:
        """Name what was changed by a writer that no hook can see."""
        after = self._listing()
        if len(after) >= LISTED:
            return
        for path in _streams():  # where the output of this very command goes
            after.pop(path, None)
            self.before.pop(path, None)
        for path in sorted(set(after) | set(self.before)):
            if after.get(path) != self.before.get(path):
                what = "was written" if path not in self.before else "was removed" if path not in after else "was changed"
                self.unseen.append(f"{os.path.relpath(path, self.project)} {what} in a way that the probe cannot see, and was left so")

    # -- while the script runs ----------------------------------------------------------------------------------

    def protects(self, path: str, by_tempfile: bool) -> bool:
        """True when this file must come back after the run."""
        if path.startswith(self.project + os.sep):
            return f"{os.sep}__pycache__{os.sep}" not in path
        if path.startswith(self.ignored) or "torchinductor" in path or f"{os.sep}__pycache__{os.sep}" in path:
            return False
        return not (by_tempfile and path.startswith(self.temporary))

    def note(self, path: Any, by_tempfile: bool = False) -> None:
        """A file is about to be changed: keep what it holds now."""
        if isinstance(path, int) or path is None:
            return
        text = os.fsdecode(path)
        full = os.path.join(os.path.realpath(os.path.dirname(text) or "."), os.path.basename(text))
        if full in self.seen or self.at_work or not self.protects(full, by_tempfile):
            return
        self.at_work = True
        try:
            self.seen.add(full)
            self._keep(full)
        finally:
            self.at_work = False

    def _keep(self, full: str) -> None:
        entry: dict[str, Any] = {"path": full, "backup": None}
        try:
            if os.path.islink(full):
                entry["link"] = os.readlink(full)
            elif os.path.isfile(full):
                name = f"{os.getpid()}-{len(self.seen)}"
                shutil.copy2(full, os.path.join(self.folder, "files", name))
                entry["backup"] = name
            elif os.path.isdir(full):
                entry["folder"] = True
            elif os.path.lexists(full):
                return
            self._write(entry)
        except OSError as error:
            self.seen.discard(full)
            raise NotKept(error.errno, f"advisor cannot keep a copy of this file ({error.strerror}), so it must not be changed", full) from None

    def _write(self, entry: dict[str, Any]) -> None:
        line = (json.dumps(entry) + "\n").encode("utf-8", "surrogateescape")
        handle = os.open(os.path.join(self.folder, "journal"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)


def restore(folder: str) -> str | None:
    """Put back what a journal says; new files are moved to a scratch folder, whose name is returned when there is any."""
    try:
        with open(os.path.join(folder, "journal"), encoding="utf-8", errors="surrogateescape") as file:
            lines = file.readlines()
    except OSError:
        return None
    entries = [entry for line in lines if (entry := _entry(line)) is not None]
    scratch: list[str] = []

    def away(path: str) -> None:
        """Move what the script left at this path to the scratch folder."""
        if not scratch:
            scratch.append(tempfile.mkdtemp(prefix="advisor-probe-"))
        target = os.path.join(scratch[0], path.lstrip(os.sep))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.move(path, target)

    first: dict[str, dict[str, Any]] = {}
    for entry in entries:
        first.setdefault(entry["path"], entry)
    made = sorted((path for path, entry in first.items() if _is_new(entry)), key=len, reverse=True)
    for path in made:
        if os.path.isfile(path) or os.path.islink(path):
            _try(away, path)
    for path in made:
        if os.path.isdir(path) and not os.path.islink(path):
            _try(os.rmdir, path)
    for path, entry in sorted(first.items(), key=lambda item: len(item[0])):
        if not _is_new(entry):
            _try(lambda p: _back(p, first[p], folder, away), path)
    return scratch[0] if scratch else None


def _back(path: str, entry: dict[str, Any], folder: str, away: Callable[[str], None]) -> None:
    """Put one old file, link or folder back."""
    if entry.get("folder"):
        os.makedirs(path, exist_ok=True)
        return
    if "link" in entry:
        if not os.path.islink(path) or os.readlink(path) != entry["link"]:
            if os.path.lexists(path):
                away(path)
            os.symlink(entry["link"], path)
        return
    backup = os.path.join(folder, "files", entry["backup"])
    if os.path.isfile(path) and not os.path.islink(path) and _same(path, backup):
        shutil.copystat(backup, path)
        return
    if os.path.lexists(path):
        away(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    draft = f"{path}.advisor-{os.getpid()}"
    shutil.copy2(backup, draft)
    os.replace(draft, path)


def _streams() -> list[str]:
    """The files that output and errors are redirected to."""
    found = []
    for stream in (1, 2):
        with contextlib.suppress(OSError):
            found.append(os.path.realpath(os.readlink(f"/proc/self/fd/{stream}")))
    return found


def _is_new(entry: dict[str, Any]) -> bool:
    return entry.get("backup") is None and "link" not in entry and not entry.get("folder")


def _same(one: str, other: str) -> bool:
    import filecmp

    return os.path.getsize(one) == os.path.getsize(other) and filecmp.cmp(one, other, shallow=False)


def _entry(line: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return found


def _try(action: Callable[[str], object], path: str) -> None:
    try:
        action(path)
    except OSError as error:
        print(f"advisor: {path} could not be put back: {error.strerror}", file=sys.stderr)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return process != os.getpid()


def _at(path: Any, folder: Any) -> Any:
    """A path relative to an open folder, as far as the system tells."""
    if isinstance(folder, int) and folder >= 0 and not isinstance(path, int) and not os.path.isabs(os.fsdecode(path)):
        try:
            return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path))
        except OSError:
            return path
    return path


def _audit(event: str, args: tuple[Any, ...]) -> None:
    """The interpreter's audit hook; it cannot be taken away again, so it does nothing when no journal is open."""
    if not _active:
        return
    try:
        if event == "open":
            path, mode, flags = args
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (mode is None and isinstance(flags, int) and flags & WRITING):
                _note(path, mode is None)
        elif event in ("os.remove", "os.rmdir"):
            _note(_at(args[0], args[1]))
        elif event == "os.mkdir":
            _note(_at(args[0], args[2]))
        elif event == "os.rename":
            _note(_at(args[0], args[2]))
            _note(_at(args[1], args[3]))
        elif event in ("os.truncate", "os.utime", "os.chmod") or event == "sqlite3.connect":
            _note(args[0])
        elif event in ("os.link", "os.symlink"):
            _note(args[1])
    except NotKept:
        raise
    except Exception:
        pass


def _note(path: Any, by_tempfile: bool = False) -> None:
    for journal in _active:
        journal.note(path, by_tempfile)


def note(path: Any) -> None:
    """Called before writers that the audit hook cannot see."""
    if isinstance(path, (str, bytes, os.PathLike)):
        _note(path)

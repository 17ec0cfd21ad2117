"""What the texts of a program say of its settings: which names are asked of what, and where all of them are taken at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from sys import intern  # most names stand in many files
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.record import dataclass
from advisor.read.python import keys

if TYPE_CHECKING:
    from advisor.read.python.project import Project

WHOLESALE = {  # what takes all settings at once: a word that stands in it, and how it is written where the word alone says nothing
    "__dict__": None,
    "_get_kwargs": None,
    "vars(": pattern(r"\bvars\("),
    "asdict(": pattern(r"\basdict\("),
    "**": pattern(r"\*\*\s*(args|opts?|options|cfg|config|flags|hparams|params)\b"),
}
COMPUTED = {  # what loads a module by a name that is computed
    "spec_from_file_location": None,
    "import_module(": pattern(r"\bimport_module\("),
    "__import__(": pattern(r"\b__import__\("),
    "pkgutil.": pattern(r"\bpkgutil\."),
    "exec(": pattern(r"\bexec\("),
}
OF_A_MODULE = r"^\s*import\s+{0}\b|^\s*import\s+[\w.]+\s+as\s+{0}\b|^\s*from\s+torchvision\s+import\s[^\n]*\b{0}\b"
OWNED = pattern(r"(?<![\w.])(\w+)\.__dict__")
ATTRIBUTE = pattern(  # of what, its name, and whether it is called or set; a word is tried from its first letter only, which halves the time
    r"(?:((?<![A-Za-z_])[A-Za-z_]\w*\b|[\])])\s*)?\.\s*(?=([A-Za-z_]\w*)\s*(\(|=(?!=))?)"
)
COMPUTED_NAME = pattern(r"\b(?:get|has)attr\(\s*(?:\w+\s*\.\s*)*(\w+)\s*,\s*(?![\"'\s])")
TEXT = pattern(r"""["']([A-Za-z_]\w*)["']""")
COMMENT = pattern(r"^\s*#.*$", re.MULTILINE)
FILLED = pattern(  # `if args.x is None: args.x = 3`: a default in words
    r"\bif\s+(?:not\s+)?([A-Za-z_]\w*(?:\.\w+)+)(?:\s+is\s+None|\s*==\s*None)?\s*:\s*\1\s*=(?!=)"
)
TAKES = pattern(  # where `**` gathers, or makes a dict of another
    r"\bdef\s+\w+\s*\([^:]*?\)\s*(?:->[^:\n]*)?:|\b(?:update|dict|format)\([^()\n]*\)"
)
HANDS_ON = pattern(r"[(,]\s*\*\*")
HOLDERS = frozenset({  # what the options of a command line are called
    "a", "arg", "args", "argument", "arguments", "c", "C", "cfg", "CFG", "conf", "config", "configs", "flags", "FLAGS", "h", "hp", "hparam",
    "hparams", "ns", "namespace", "o", "opt", "option", "options", "opts", "p", "param", "parameters", "params", "parser", "setting", "settings",
    ")", "]", "",
})  # fmt: skip
OWN = frozenset({"self", "cls"})


@dataclass(frozen=True, slots=True)
class Spelled:
    """What the text of a file says of settings."""

    names: frozenset[str]  # as attributes, of whatever, or in quotes
    quoted: frozenset[str]
    asked: dict[str, set[str]]  # the attributes, and of what
    called_of: dict[str, set[str]]
    kept: frozenset[str]  # attributes that objects give to themselves
    by_computed_name: frozenset[str]  # what is asked for a name that stands nowhere
    wholesale: bool
    hands_on: bool  # a dict may go into a call as its arguments
    computed: bool
    only_declares: bool  # options that another file would have to parse


def of(project: Project, path: str, text: str) -> Spelled:
    """What a file says, looked for once however many programs read it."""
    said = project.remembered.get(path)
    if said is None:
        said = project.remembered[path] = _of(text)
    assert isinstance(said, Spelled)
    return said


def beside(project: Project, start: str) -> tuple[Spelled, ...]:
    """What the files below a folder say."""
    key = f"spelled beside\0{start}"
    said = project.remembered.get(key)
    if said is None:
        said = project.remembered[key] = tuple(of(project, path, text) for path, text in keys.beside(project, start))
    assert isinstance(said, tuple)
    return said


def _of(text: str) -> Spelled:
    asked: dict[str, set[str]] = {}
    called: dict[str, set[str]] = {}
    kept, names = set(), set(map(intern, TEXT.findall(text)))
    quoted = frozenset(names)
    for holder, name, use in ATTRIBUTE.findall(FILLED.sub("", COMMENT.sub("", text))):
        name = intern(name)
        if use == "=":
            names.add(name)
            if holder in OWN:
                kept.add(name)
        elif use:
            called.setdefault(name, set()).add(intern(holder))
        else:
            names.add(name)
            asked.setdefault(name, set()).add(intern(holder))
    return Spelled(
        names=frozenset(names),
        quoted=quoted,
        asked=asked,
        called_of=called,
        kept=frozenset(kept),
        by_computed_name=frozenset(COMPUTED_NAME.findall(text)) if "attr(" in text else frozenset(),
        wholesale=_found(WHOLESALE, _without_modules(text)),
        hands_on="**" in text and HANDS_ON.search(TAKES.sub("", text)) is not None,
        computed=_found(COMPUTED, text),
        only_declares=".add_argument(" in text and ".parse_" not in text,
    )


def named(names: set[str], called_too: set[str], said: Iterable[Spelled]) -> set[str]:
    """Those of the names that some file has as an attribute, of whatever, or in quotes."""
    found: set[str] = set()
    for one in said:
        found |= (one.names & names) | (called_too & one.called_of.keys())
    return found


def asked_of_options(names: set[str], called_too: set[str], said: Collection[Spelled], bound: Collection[str]) -> set[str]:
    """The options that are asked for, by their names: of what is `bound` to them, of what options are called, of what other options are asked of
    as well, or in quotes. Where nothing seems to hold them, of anything. What an object asks of itself it may have from anywhere: only names that
    it does not keep count."""
    by_name: dict[str, set[str]] = {}
    for one in said:
        for name in names & one.asked.keys():
            by_name.setdefault(name, set()).update(one.asked[name])
        for name in called_too & one.called_of.keys():
            by_name.setdefault(name, set()).update(one.called_of[name])
    counts = Counter(holder for held in by_name.values() for holder in held)
    holders = {holder for holder, count in counts.items() if holder not in OWN and (holder in HOLDERS or holder in bound or count > 1)}
    if any((holders | OWN | HOLDERS) & one.by_computed_name or (not holders and one.only_declares) for one in said):
        return set(names)
    kept = set().union(*(one.kept for one in said)) & names
    found = {name for name, held in by_name.items() if not holders or held & holders or (held & OWN and name not in kept)}
    return found.union(*(one.quoted & names for one in said))


def written(names: Collection[str], texts: Iterable[str]) -> set[str]:
    """Those of the names that stand anywhere, as a word, but for comments and the options of a command line."""
    left = set(names)
    for text in texts:
        here = [name for name in left if name in text]
        if here:
            left.difference_update(re.findall(rf"(?<![\w-])(?:{'|'.join(map(re.escape, here))})\b", COMMENT.sub("", text)))
    return set(names) - left


def _without_modules(text: str) -> str:
    """The text without `models.__dict__`, where `models` is a module: what is in it are no settings."""
    if ".__dict__" not in text:
        return text
    names = set(OWNED.findall(text))
    modules = {name for name in names if re.search(OF_A_MODULE.format(re.escape(name)), text, re.MULTILINE)}
    return OWNED.sub(lambda found: found[1] if found[1] in modules else found[0], text)


def _found(expressions: dict[str, re.Pattern[str] | None], text: str) -> bool:
    """Whether one of them stands in a text. Most texts hold none of the words, and looking for those is much faster."""
    return any(word in text and (pattern is None or pattern.search(text) is not None) for word, pattern in expressions.items())

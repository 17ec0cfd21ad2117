"""What the texts of a program say of its settings: which names are asked of what, and where all of them are taken at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from sys import intern  # most names stand in many files
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.record import dataclass

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
WORD = pattern(r"(?<![\w-])[A-Za-z_]\w*")
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
    called: frozenset[str]  # as methods
    quoted: frozenset[str]
    asked: frozenset[tuple[str, str]]  # of what, and which attribute
    called_of: frozenset[tuple[str, str]]
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


def _of(text: str) -> Spelled:
    attributes = [(intern(of), intern(name), use) for of, name, use in ATTRIBUTE.findall(FILLED.sub("", COMMENT.sub("", text)))]
    quoted = frozenset(map(intern, TEXT.findall(text)))
    return Spelled(
        names=quoted | {name for _, name, use in attributes if use != "("},
        called=frozenset(name for _, name, use in attributes if use == "("),
        quoted=quoted,
        asked=frozenset((holder, name) for holder, name, use in attributes if not use),
        called_of=frozenset((holder, name) for holder, name, use in attributes if use == "("),
        kept=frozenset(name for holder, name, use in attributes if use == "=" and holder in OWN),
        by_computed_name=frozenset(COMPUTED_NAME.findall(text)),
        wholesale=_found(WHOLESALE, _without_modules(text)),
        hands_on="**" in text and HANDS_ON.search(TAKES.sub("", text)) is not None,
        computed=_found(COMPUTED, text),
        only_declares=".add_argument(" in text and ".parse_" not in text,
    )


def asked_of_options(names: Collection[str], called_too: Collection[str], said: Iterable[Spelled], bound: Collection[str]) -> set[str]:
    """The options that are asked for, by their names: of what is `bound` to them, of what options are called, of what other options are asked of
    as well, or in quotes. Where nothing seems to hold them, of anything. What an object asks of itself it may have from anywhere: only names that
    it does not keep count."""
    said = list(said)
    asked = {(holder, name) for one in said for holder, name in one.asked if name in names}
    asked |= {(holder, name) for one in said for holder, name in one.called_of if name in called_too}
    by_holder: dict[str, set[str]] = {}
    for holder, name in asked:
        by_holder.setdefault(holder, set()).add(name)
    holders = {holder for holder, held in by_holder.items() if holder not in OWN and (holder in HOLDERS or holder in bound or len(held) > 1)}
    if any((holders | OWN | HOLDERS) & one.by_computed_name or (not holders and one.only_declares) for one in said):
        return set(names)
    kept = frozenset[str]().union(*(one.kept for one in said))
    found = {name for holder, name in asked if not holders or holder in holders or (holder in OWN and name not in kept)}
    return found.union(*(one.quoted & set(names) for one in said))


def words(texts: Iterable[str]) -> set[str]:
    """Every word of these texts, comments and the options of a command line apart."""
    return {word for text in texts for word in WORD.findall(COMMENT.sub("", text))}


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

"""What the texts of a program say of its settings: which names are asked of what, and where all of them are taken at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from sys import intern  # most names stand in many files
from typing import TYPE_CHECKING, cast

from advisor.model.pattern import pattern
from advisor.model.record import dataclass
from advisor.read.python import keys

if TYPE_CHECKING:
    from advisor.read.python.project import Project

WHOLESALE = {  # what takes all settings at once: a word that stands in it, and how it is written where the word alone says nothing
    "__dict__": None,
    "_get_kwargs": None,
    "vars(": pattern(r"vars\((?<!\wvars\()"),
    "asdict(": pattern(r"\basdict\("),
    "**": pattern(r"\*\*[\s(]*(args|opts?|options|cfg|config|flags|hparams|params)\b"),
}
COMPUTED = {  # what loads a module by a name that is computed
    "spec_from_file_location": None,
    "import_module(": pattern(r"\bimport_module\("),
    "__import__(": pattern(r"\b__import__\("),
    "pkgutil.": pattern(r"\bpkgutil\."),
    "exec(": pattern(r"\bexec\("),
}
SHOWN = pattern(  # what prints, logs or keeps all settings for whoever looks at the run later
    r"(?<![\w.])(?:print|pprint|pp|wandb\.init|wandb\.config\.update|wandb\.log|mlflow\.log_params|json\.dumps?|yaml\.(?:safe_)?dump)\s*\("
    r"|(?:log|logger|logging)\.(?:info|debug|warning|log)\s*\(|\.(?:add_text|add_hparams|init_trackers|log_params|log_hyperparams|write|writelines|writerows?|pprint)\s*\("
)
SHOWN_IN_TURN = pattern(r"for(?<!\wfor)\s+[^\n]*\bvars\([^\n]*:[ \t]*(?=\n\s*(?:print|[\w.]*log\w*\.info|\w+\.write)\()")
SET_IN_TURN = pattern(  # `for key, value in vars(args).items(): config.set(key, value)`
    r"^([ \t]*)for\s[^\n]*(?:\bvars\(|\b__dict__\b)[^\n]*:[ \t]*\n(?:\1[ \t][^\n]*\n|\n)*?\1[ \t][^\n]*(?:\bsetattr\(|\.set\(|\]\s*=(?!=))",
    re.MULTILINE,
)
ALL_OF = pattern(r"\bvars\(\s*\w+\s*\)")
OF_A_MODULE = r"^\s*import\s+{0}\b|^\s*import\s+[\w.]+\s+as\s+{0}\b|^\s*from\s+torchvision\s+import\s[^\n]*\b{0}\b"
OWNED = pattern(r"(?<![\w.])(\w+)\.__dict__")
ATTRIBUTE = pattern(  # of what, its name, and whether it is called or set; a word is tried from its first letter only, which halves the time
    r"(?:((?<![A-Za-z_])[A-Za-z_]\w*\b|[\])])\s*)?\.\s*(?=([A-Za-z_]\w*)\s*(\(|=(?!=))?)"
)
CLOSE_UP = ((" .", "."), (". ", "."), (" (", "("), (" =", "="))  # what may stand apart and tells of what an attribute is, or what becomes of it
APART = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) in "_.()]=")}
NAME = pattern(r"\.([A-Za-z_]\w*)(\s*\()?")  # the same whatever it is of; what follows a full stop in a docstring is none
COMPUTED_NAME = pattern(r"attr\((?:(?<=\bgetattr\()|(?<=\bhasattr\())\s*(?:\w+\s*\.\s*)*(\w+)\s*,\s*(?![\"'\s])")
TEXT = pattern(r"""["']([A-Za-z_]\w*)["']""")
KEY = pattern(r"""(?:(?<=\{)|(?<=,))\s*["'][A-Za-z_]\w*["']\s*:""")  # of a dict that is made: it asks nothing
OF_GROUPS = pattern(r"for(?<!\wfor)\s+(?:\w+\s*,\s*)?(\w+)\s+in\s[^\n]*\bparam_groups\b")  # the parameter groups of an optimizer, one by one
ITEM_OF = r"""(?:\b(?:%s)|\bparam_groups\s*\[[^\]\n]*\])\s*\[\s*["']\w+["']\s*\]"""
WORDS_AND_OPTIONS = pattern(r"[\w-]+")
COMMENT = pattern(r"^\s*#.*$", re.MULTILINE)
FILLED = pattern(  # `if args.x is None: args.x = 3`: a default in words
    r"if(?<!\wif)\s+(?:not\s+)?([A-Za-z_]\w*(?:\.\w+)+)(?:\s+is\s+None|\s*==\s*None)?\s*:\s*\1\s*=(?!=)"
)
GATHERS = pattern(r"def(?<!\wdef)\s+\w+\s*\([^:]*?\)\s*(?:->[^:\n]*)?:")  # `**` in what a function takes
COPIES = pattern(r"\((?:(?<=\bupdate\()|(?<=\bdict\()|(?<=\bformat\())[^()\n]*\)")  # and where it makes a dict of another
LONGEST_CALL = 2_000  # characters
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
    wholesale: bool
    taken: bool  # all settings, for more than to print, log or write them down
    set_in_turn: bool  # each goes into something else, under its name
    computed: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the text of a file asks of what: this tells options of a command line from other things of the same name."""

    attributes: dict[str, set[str]]  # and of what
    methods: dict[str, set[str]]
    quoted: frozenset[str]
    kept: frozenset[str]  # attributes that objects give to themselves
    by_computed_name: frozenset[str]  # what is asked for a name that stands nowhere
    hands_on: bool  # a dict may go into a call as its arguments
    only_declares: bool  # options that another file would have to parse


Text = tuple[str, str | None]  # of a file: its path, and its text where that is at hand


def of(project: Project, file: Text) -> Spelled:
    """What a file says, looked for once however many programs read it."""
    said = project.remembered.get(file[0])
    if said is None:
        said = project.remembered[file[0]] = _of(text(project, file))
    assert isinstance(said, Spelled)
    return said


def asked_in(project: Project, file: Text) -> Asked:
    """What a file asks of what, looked for once."""
    key = f"asked\0{file[0]}"
    asked = project.remembered.get(key)
    if asked is None:
        asked = project.remembered[key] = _asked_in(text(project, file))
    assert isinstance(asked, Asked)
    return asked


def beside(project: Project, start: str) -> tuple[Text, ...] | None:
    """The files below a folder; None where they are too many to be looked through."""
    key = f"files beside\0{start}"
    if key not in project.remembered:
        files = tuple((path, None) for path, _ in keys.beside(project, start))
        project.remembered[key] = files if len(files) < keys.LARGEST_SEARCH else None
    return cast("tuple[Text, ...] | None", project.remembered[key])


def text(project: Project, file: Text) -> str:
    """What a file holds; nothing where it cannot be read."""
    data = project.read_bytes(file[0]) if file[1] is None else file[1]
    return data if isinstance(data, str) else data.decode("utf-8", "replace") if isinstance(data, bytes) else ""


def _of(text: str) -> Spelled:
    attributes = NAME.findall(text)
    settings = _without_modules(text)
    wholesale = keys.found_in(settings, WHOLESALE)
    shown = _without_shown(settings) if wholesale else settings
    return Spelled(
        names=frozenset(map(intern, (*(name for name, called in attributes if not called), *TEXT.findall(text)))),
        called=frozenset(intern(name) for name, called in attributes if called),
        wholesale=wholesale,
        taken=wholesale and keys.found_in(shown, WHOLESALE),
        set_in_turn=wholesale and SET_IN_TURN.search(shown) is not None,
        computed=keys.found_in(text, COMPUTED),
    )


def _asked_in(text: str) -> Asked:
    attributes: dict[str, set[str]] = {}
    methods: dict[str, set[str]] = {}
    kept: set[str] = set()
    for holder, name, use in ATTRIBUTE.findall(_with_attributes(FILLED.sub("", COMMENT.sub("", text)))):
        if use == "=":
            if holder in OWN:
                kept.add(intern(name))
        else:
            (methods if use else attributes).setdefault(intern(name), set()).add(intern(holder))
    return Asked(
        attributes,
        methods,
        quoted=frozenset(map(intern, TEXT.findall(KEY.sub("", _without_groups(text))))),
        kept=frozenset(kept),
        by_computed_name=frozenset(COMPUTED_NAME.findall(text)) if "attr(" in text else frozenset(),
        hands_on="**" in text and HANDS_ON.search(COPIES.sub("", GATHERS.sub("", text))) is not None,
        only_declares=".add_argument(" in text and ".parse_" not in text,
    )


def _without_groups(text: str) -> str:
    """The text without the items of parameter groups: `group["lr"]` is the rate of an optimizer, and no option."""
    if "param_groups" not in text:
        return text
    return re.sub(ITEM_OF % "|".join(dict.fromkeys(OF_GROUPS.findall(text)) or ["param_group"]), "", text)


def _with_attributes(text: str) -> str:
    """The words of a text in which attributes stand, each once: all of it would take longer to search than to parse."""
    plain = text if text.isascii() else text.encode("ascii", "replace").decode("ascii")
    close = " ".join(plain.split())
    for apart, together in CLOSE_UP:
        close = close.replace(apart, together)
    return ";".join({word for word in close.translate(APART).split() if "." in word})


def named(names: set[str], called_too: set[str], said: Iterable[Spelled]) -> set[str]:
    """Those of the names that some file has as an attribute, of whatever, or in quotes."""
    found: set[str] = set()
    for one in said:
        found |= (one.names & names) | (one.called & called_too)
    return found


def asked_of_options(names: set[str], called_too: set[str], said: Collection[Asked], bound: Collection[str]) -> set[str]:
    """The options that are asked for, by their names: of what is `bound` to them, of what options are called, of what other options are asked of
    as well, or in quotes. Where nothing seems to hold them, of anything. What an object asks of itself it may have from anywhere: only names that
    it does not keep count."""
    by_name: dict[str, set[str]] = {}
    for one in said:
        for name in names & one.attributes.keys():
            by_name.setdefault(name, set()).update(one.attributes[name])
        for name in called_too & one.methods.keys():
            by_name.setdefault(name, set()).update(one.methods[name])
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
        if any(name in text for name in left):
            left.difference_update(word.partition("-")[0] for word in WORDS_AND_OPTIONS.findall(COMMENT.sub("", text)))
    return set(names) - left


def _without_modules(text: str) -> str:
    """The text without `models.__dict__`, where `models` is a module: what is in it are no settings."""
    if ".__dict__" not in text:
        return text
    names = set(OWNED.findall(text))
    modules = {name for name in names if re.search(OF_A_MODULE.format(re.escape(name)), text, re.MULTILINE)}
    return OWNED.sub(lambda found: found[1] if found[1] in modules else found[0], text)


def _without_shown(text: str) -> str:
    """The text without `vars(args)` where all settings are only printed, logged or written down."""
    if "vars(" not in text:
        return text  # most texts
    text = SHOWN_IN_TURN.sub("for _ in _:", text)
    for held in reversed(list(ALL_OF.finditer(text))):
        before = SHOWN.finditer(text, max(0, held.start() - LONGEST_CALL), held.start())
        if any(_closed(text, found.end()) > held.start() for found in before):
            text = f"{text[: held.start()]}args{text[held.end() :]}"
    return text


def _closed(text: str, start: int) -> int:
    """Where the bracket that was opened just before `start` is closed."""
    depth = 1
    for position in range(start, min(len(text), start + LONGEST_CALL)):
        depth += (text[position] in "([{") - (text[position] in ")]}")
        if not depth:
            return position
    return start

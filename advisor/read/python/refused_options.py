"""Options that a script gives a program and that its parser does not have: argparse ends the run before it begins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import UnknownKey
from advisor.model.source import Place
from advisor.read.launch import Launch
from advisor.read.python.values import Instance

if TYPE_CHECKING:
    from advisor.read.frameworks.table import LibraryCall
    from advisor.read.python.reader import Reader

_OPTION = pattern(r"^--([A-Za-z][\w-]*)(?:=|$)")
_CHANGED = pattern(  # ways to give a parser other words than those of the command line, or to read them otherwise
    r"from\s+sys\s+import[^\n]*\bargv\b|\bdel\s+sys\.argv|=\s*sys\.argv\s*$|sys\.argv\s*(?:\[[^\]\n]*\]\s*)?\+?=(?!=)"
    r"|sys\.argv\.(?:append|extend|insert|pop|remove|clear)\b|except\b[^\n:]*\b(?:SystemExit|BaseException)|prefix_chars|\bREMAINDER\b|nargs\s*=\s*['\"]\.\.\.",
    re.MULTILINE,
)


def note(call: LibraryCall, parser: Instance, taken: Iterable[str]) -> None:
    """Notes a parser that reads the command line, and takes these options and no others; its lines are judged when all is read."""
    reader, before = call.reader, call.reader.refusals.parsers.get(call.node)
    if reader.refusals.guarded or not reader.launches or any(label != "default" and "sys.argv" not in text for text, label in reader.conditions):
        return
    known = before[1] if before is not None else frozenset[str]()
    reader.refusals.parsers[call.node] = (parser, known.union(_plain(name) for name in taken))


def judge(reader: Reader) -> None:
    """Puts them into the recipe: one option for each set of them, where it is first given."""
    parsers = list(reader.refusals.parsers.values())
    if len(parsers) != 1 or parsers[0][0].data.get("handed") or any(_CHANGED.search(source.text) for source in reader.modules.values()):
        return
    taken, found = parsers[0][1], set[tuple[str, ...]]()
    for line in reader.launches:
        refused, known = _refused(line, taken) if line.sure else ({}, 0)
        names = tuple(name for name in refused if not _is_named(reader, name))
        if names and known >= len(refused) and names not in found:  # else it may be for another program
            found.add(names)
            place = Place(line.file, refused[names[0]])
            key = UnknownKey(place, name=names[0], taker=line.program, fields=tuple(sorted(taken)), by="command line", more=names[1:])
            reader.recipe.unknown_keys.items.append(key)


def _refused(line: Launch, taken: frozenset[str]) -> tuple[dict[str, int], int]:
    """The options of a line that are not taken, each with the line of the file that it stands in; and how many are taken."""
    refused: dict[str, int] = {}
    known = 0
    for word in line.words:
        if word.text == "--":
            break
        match = _OPTION.match(word.text) if word.text is not None else None
        if match is None:
            continue
        name = _plain(match.group(1))
        if name in taken or any(option.startswith(name) for option in taken):
            known += 1
        else:
            refused.setdefault(match.group(1), word.line)
    return refused, known


def _plain(name: str) -> str:
    return name.lstrip("-").replace("-", "_")


def _is_named(reader: Reader, name: str) -> bool:
    """True where any file of the program writes out this option, or has a field of its name: something that was not followed may add it."""
    spelled = "[-_]".join(re.split("[-_]", name))
    declared = re.compile(rf"""['"](?:--?)?(?:no[-_])?{spelled}['"= ]|^\s*{spelled}\s*:""", re.MULTILINE)
    return any(declared.search(source.text) for source in reader.modules.values())

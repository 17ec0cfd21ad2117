"""The table of all rules. It is generated from the cards in `rules/` and read here in one go, without YAML."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from advisor.model.rule import Rule

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(PACKAGE, "_cards.json")
EXAMPLES = os.path.join(PACKAGE, "_examples.json")
CHECKS = os.path.join(PACKAGE, "checks")


@lru_cache(maxsize=1)
def load() -> Mapping[str, Rule]:
    """Every rule by name, in the order of groups and names. In a checkout a stale table is built again first."""
    if is_stale():
        build(strict=False)
    with open(TABLE, encoding="utf-8") as table:
        return {row["name"]: Rule(**row) for row in json.load(table)}


def examples(name: str) -> Mapping[str, Any]:
    """The examples of one of our own cards."""
    with open(EXAMPLES, encoding="utf-8") as table:
        found: Mapping[str, Any] = json.load(table)[name]
    return found


def stamp() -> str:
    """What changes whenever the rules or, in a checkout, any part of the program changes."""
    from advisor import __version__

    newest = max(_changes(PACKAGE), default=0) if checkout() else os.stat(TABLE).st_mtime_ns
    return f"{__version__} {newest}"


def checkout() -> str | None:
    """The folder of the cards when this is a checkout of the project, else None."""
    cards = os.path.join(os.path.dirname(PACKAGE), "rules")
    return cards if os.path.isfile(os.path.join(os.path.dirname(cards), "hatch_build.py")) else None


def is_stale() -> bool:
    """True in a checkout whose table is missing or older than a card, a check or the folder of one."""
    cards = checkout()
    if cards is None:
        return False
    try:
        built = os.stat(TABLE).st_mtime_ns
    except FileNotFoundError:
        return True
    return any(changed >= built for folder in (cards, CHECKS) for changed in _changes(folder))


def _changes(folder: str) -> Iterator[int]:
    """When each card, check and folder was last changed."""
    yield os.stat(folder).st_mtime_ns
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir() and not entry.name.startswith(("_", ".")):
                yield from _changes(entry.path)
            elif entry.name.endswith((".yaml", ".py")):
                yield entry.stat().st_mtime_ns


def build(strict: bool = True) -> None:
    """Write the table and the examples from the cards of this checkout. When it is not strict, a card that is not right yet is left out."""
    folder = checkout()
    if folder is None:
        raise FileNotFoundError("only a checkout of the project has cards to build from")
    from pathlib import Path

    from advisor.card_schema import CardError

    rows, shown = [], {}
    for path in card_paths(Path(folder)):
        try:
            card = read_card(path)
            rows.append(_row(card, Path(CHECKS, _module(card["group"]), _module(card["name"]) + ".py"), None))
            shown[card["name"]] = card["examples"]
        except CardError:
            if strict:
                raise
    _write(EXAMPLES, shown)
    _write(TABLE, rows)
    load.cache_clear()


def house(folder: Path) -> Iterator[Rule]:
    """The rules of a project's own folder: cards with their checks beside them."""
    for path in card_paths(folder):
        card = read_card(path)
        yield Rule(**_row(card, path.with_name(_module(card["name"]) + ".py"), str(path.parent)))


def card_paths(folder: Path) -> list[Path]:
    """The cards of a folder, sorted by group and name."""
    return sorted(folder.glob("*/*.yaml"))


def read_card(path: Path) -> dict[str, Any]:
    """One card, checked against the schema."""
    import yaml

    from advisor.card_schema import CardError, check_card

    try:
        card = yaml.load(path.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise CardError(f"{path}: not YAML: {error}") from None
    check_card(card, path)
    found: dict[str, Any] = card
    return found


def _row(card: Mapping[str, Any], check: Path, home: str | None) -> dict[str, Any]:
    """What the table keeps of a card, with what its check asks for."""
    limits = card.get("limits", {})
    return {
        **{key: card[key].strip() for key in ("name", "group", "since", "needs", "summary", "why", "recommend")},
        "cases": card["cases"],
        "limits": {name: limit["value"] for name, limit in limits.items()},
        "limit_notes": {name: {key: text for key, text in limit.items() if key != "value"} for name, limit in limits.items()},
        **{key: card[key] for key in ("sources", "not_when", "yields_to", "given", "range", "only", "fix", "of_run") if key in card},
        "asks": list(_asks(card, check)),
        "home": home,
    }


def _asks(card: Mapping[str, Any], check: Path) -> Iterable[str]:
    """The facts that a check receives, read from the annotation of its first parameter without importing it."""
    from advisor.card_schema import CardError

    if "range" in card:
        if check.exists():
            raise CardError(f"{check}: the card says range, so no check is needed; remove one of them")
        return ["".join(word.title() for word in card["range"].split(".")[0].split("_"))]
    import ast

    try:
        tree = ast.parse(check.read_text("utf-8"))
    except FileNotFoundError:
        raise CardError(f"{check}: missing; the card {card['name']} needs its check there") from None
    except SyntaxError as error:
        raise CardError(f"{check}:{error.lineno}: {error.msg}") from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "check":
            if len(node.args.args) != 2 or node.args.args[0].annotation is None:
                raise CardError(f"{check}:{node.lineno}: write def check(fact: Fact, ctx: Context) with an annotation that names the fact")
            return [name.strip().rsplit(".", 1)[-1] for name in ast.unparse(node.args.args[0].annotation).strip("'\"").split("|")]
    raise CardError(f"{check}: no function named check")


def _module(name: str) -> str:
    return name.replace("-", "_")


def _write(path: str, table: Any) -> None:
    """Replace a file in one go, so that a run beside this one never reads half of it."""
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="utf-8") as out:
        json.dump(table, out, separators=(",", ":"), ensure_ascii=False, sort_keys=False)
        out.write("\n")
    os.replace(draft, path)

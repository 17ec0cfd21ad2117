"""A recipe for people: what the program trains with, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from advisor.model.recipe import Recipe
from advisor.report.recipe import program
from advisor.report.text import Line

SECTIONS = (
    ("models", "model"),
    ("optimizers", "optimizer"),
    ("schedulers", "scheduler"),
    ("losses", "loss"),
    ("clipping", "clipping"),
    ("seeds", "seed"),
    ("splits", "split"),
    ("loaders", "loader"),
    ("checkpoints", "checkpoint"),
)
SINGLE = ("epochs", "steps", "accumulation")
TITLES = ("kind", "library", "role")
UNTOLD = ("file", "line", "when", "children", "groups", "lr_writes", "optimizer", "applied")
LONGEST = 100


def lines(recipes: Iterable[Recipe]) -> Iterator[Line]:
    """Every program, one after the other."""
    for recipe in recipes:
        yield from _program(program(recipe))
        yield []


def _program(told: Mapping[str, Any]) -> Iterator[Line]:
    others = [file for file in told["files"] if file != told["entry"]]
    yield [
        (told["entry"], "strong"),
        (f"  {told['framework']}{', reads ' + ', '.join(others[:6]) if others else ''}{', ...' if len(others) > 6 else ''}", "faint"),
    ]
    for key, name in SECTIONS:
        yield from _section(name, told[key])
    for key in SINGLE:
        if told[key] is not None:
            yield [(f"  {key:<11} ", "strong"), *_setting(told[key])]
    if told["early_stopping"] is not None:
        yield from _item("early stop", told["early_stopping"])
    for key in ("evaluation", "precision", "distributed"):
        given = {name: value for name, value in told[key].items() if value is not None}
        for number, (name, value) in enumerate(given.items()):
            yield [(f"  {key if not number else '':<12}", "strong"), (f"{name} ", ""), *_setting(value)]
    if told["not_read"]:
        yield [("  not read", "strong")]
        for skip in told["not_read"]:
            yield [(f"    {skip['file']}:{skip['line']}: {skip['why']}", "faint")]


def _section(name: str, listing: Mapping[str, Any]) -> Iterator[Line]:
    items = listing["items"]
    for item in items:
        yield from _item(name, item)
    if not listing["complete"]:
        yield [(f"  {name:<11} ", "strong"), (f"{'there may be more' if items else 'not known'}: {listing['why']}", "faint")]
    elif not items and name in ("seed", "clipping", "scheduler"):
        yield [(f"  {name:<11} ", "strong"), ("none", "faint")]


def _item(name: str, item: Mapping[str, Any]) -> Iterator[Line]:
    title = next((item[key] for key in TITLES if key in item), "")
    shown = _names(title) if isinstance(title, dict) else title
    flag = f", when {item['when']}" if item.get("when") not in (None, "always") else ""
    yield [(f"  {name:<11} ", "strong"), (str(shown), ""), (f"{'  ' if shown else ''}{item['file']}:{item['line']}{flag}", "faint")]
    for key, value in item.items():
        if (key in TITLES and item[key] is title) or key in UNTOLD or value in (None, [], {}, "yes"):
            continue
        if isinstance(value, dict) and value.get("default") and key not in ("lr", "weight_decay", "momentum", "value"):
            continue  # what the library does by itself is only told where it decides the recipe
        yield [(f"    {key:<13} ", ""), *_setting(value)]
    groups = item.get("groups")  # of an optimizer a list; of a split the setting of that name
    for group in groups if isinstance(groups, list) and len(groups) > 1 else []:
        given = {key: value for key, value in group.items() if key != "parameters"}
        yield [
            (f"    group         {group['parameters'] or 'not known'}", ""),
            *(piece for key, value in given.items() for piece in [(f", {key} ", ""), *_setting(value)]),
        ]
    for child in item.get("children", []):
        yield [(f"    of            {child['kind']['value']}", ""), (f"  {child['file']}:{child['line']}", "faint")]


def _names(kind: Mapping[str, Any]) -> str:
    """What a thing is, or may be."""
    options = [option["value"] for option in kind.get("any_of", (kind,)) if "value" in option]
    return " or ".join(map(str, options)) or "of a kind that is not known"


def _setting(value: Any) -> Line:
    """A setting as text: the value, and from where, in the faint style."""
    if not isinstance(value, dict):
        return [(_show(value), "")]
    if "any_of" in value:
        options = [_setting(option) + ([(f" when {option['when']}", "faint")] if option.get("when") else []) for option in value["any_of"]]
        return [piece for number, option in enumerate(options) for piece in ([(" or ", "faint")] if number else []) + option]
    if "unknown" in value:
        return [("not known", "warning"), (f" ({value['unknown']})", "faint")]
    if "value" in value:
        origin = " <- ".join(f"{link['text']} ({link['file']}:{link['line']})" for link in value["from"])
        tail = f"  default of {value['default']}" if value.get("default") else f"  <- {origin}" if origin else ""
        return [(_show(value["value"]), ""), (tail, "faint")]
    if "kind" in value:
        return [(str(value["kind"]["value"]), ""), (f"  {value.get('file')}:{value.get('line')}", "faint")]
    return [(", ".join(f"{key}: {_show(part)}" for key, part in value.items()), "")]


def _show(value: Any) -> str:
    if isinstance(value, list):
        text = "(" + ", ".join(map(_show, value)) + ")"
    else:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."

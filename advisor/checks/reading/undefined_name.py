"""Names that nothing in their file binds, or in the file that they are imported from, and methods and attributes that their object lacks."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe, UndefinedName


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each where it is asked for first, or at once where a file lacks many. Under a flag that is off by default it is only told on request."""
    if recipe.whole and not recipe.trains:
        return
    yield from _undeclared([name for name in recipe.undefined_names if name.option], ctx)
    by_file: dict[str, list[UndefinedName]] = {}
    early: list[UndefinedName] = []
    for name in recipe.undefined_names:
        if name.option:
            continue
        if name.above is not None:
            if recipe.whole:
                yield ctx.finding("beyond", at=name, severity="hint" if name.flag_off else None, names=name.name, module=name.above)
            continue
        if name.bound_if is not None:
            yield ctx.finding("one-way", at=name, names=name.name, option=name.bound_if)
            continue
        if name.bound_below is not None:
            early.append(name)
            continue
        if name.no_file_in is not None:
            if recipe.whole:
                yield ctx.finding("file", at=name, names=name.name, folder=name.no_file_in)
            continue
        if name.meant is not None and name.lacked_by is None:
            if recipe.whole:
                yield ctx.finding("folder", at=name, names=name.name, meant=name.meant)
            continue
        if name.missing_in is not None and name.member:
            yield ctx.finding("member", at=name, severity="hint" if name.flag_off else None, names=name.name, module=name.missing_in)
            continue
        if name.missing_in is not None:
            if recipe.whole or name.relative:  # where a file that is no program starts from is not known
                yield ctx.finding("import", at=name, severity="hint" if name.flag_off else None, names=name.name, module=name.missing_in)
            continue
        if name.lacked_by is not None:
            case = "method" if name.called else "attribute"
            case = "gone" if name.gone else "library" if name.of_library else "misspelled" if name.meant is not None else case
            yield ctx.finding(case, at=name, severity="hint" if name.flag_off else None, names=name.name, owner=name.lacked_by, meant=name.meant)
            continue
        by_file.setdefault(name.place.file, []).append(name)
    for name in early:
        if len(by_file.get(name.place.file, ())) <= ctx.limit("many"):  # else that is told at once
            case = "own" if name.of_own else "early"
            yield ctx.finding(case, at=name, severity="hint" if name.flag_off else None, names=name.name, line=name.bound_below)
    for names in by_file.values():
        if names[0].place.cell is not None:
            yield from _in_notebook(names, ctx)
            continue
        if len(names) > ctx.limit("many"):
            if all(name.alone for name in names):
                ctx.skip("the file imports and defines nothing and lacks many names: a piece of a longer script", names[0])
                continue
            yield ctx.finding("many", at=names[0], count=len(names), names=", ".join(name.name for name in names))
            continue
        for name in names:
            yield ctx.finding("undefined", at=name, severity="hint" if name.flag_off else None, names=name.name)


def _undeclared(options: list[UndefinedName], ctx: Context) -> Iterator[Finding]:
    if options:
        names = ", ".join(option.name for option in options)
        yield ctx.finding("option" if len(options) == 1 else "options", at=options[0], names=names, count=len(options))


def _in_notebook(names: list[UndefinedName], ctx: Context) -> Iterator[Finding]:
    """Names that no cell binds: a session may hold them still. Where many are lacking, its author knows that it is no whole."""
    if len(names) > ctx.limit("many"):
        ctx.skip("the notebook lacks many names: a piece of a longer one", names[0])
        return
    for name in names:
        yield ctx.finding("notebook", at=name, severity="hint" if name.flag_off else None, names=name.name)

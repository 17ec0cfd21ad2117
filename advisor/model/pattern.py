"""Regular expressions that cost nothing until they are first used: a run meets a few of all that stand in its modules."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from re import compile as pattern
else:

    class pattern:  # it is called as `re.compile` is
        """What `re.compile` gives, compiled when one of its methods is first asked for; from then on each is as quick as its own."""

        def __init__(self, text: Any, flags: int = 0) -> None:
            self.text, self.flags = text, flags

        _compiled = cached_property(lambda self: re.compile(self.text, self.flags))
        search = cached_property(lambda self: self._compiled.search)
        match = cached_property(lambda self: self._compiled.match)
        fullmatch = cached_property(lambda self: self._compiled.fullmatch)
        findall = cached_property(lambda self: self._compiled.findall)
        finditer = cached_property(lambda self: self._compiled.finditer)
        split = cached_property(lambda self: self._compiled.split)
        sub = cached_property(lambda self: self._compiled.sub)


__all__ = ["pattern"]

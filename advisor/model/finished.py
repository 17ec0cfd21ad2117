"""Answers about a finished program, worked out once however many rules ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

R = TypeVar("R")
T = TypeVar("T")

_answers: dict[tuple[Any, int], tuple[Any, Any]] | None = None  # what was asked and about what: that, to keep its identity, and the answer


@contextmanager
def finished() -> Iterator[None]:
    """While this lasts no program changes, and answers about it and its parts are kept."""
    global _answers
    _answers = {}
    try:
        yield
    finally:
        _answers = None


def is_finished() -> bool:
    """True while no program changes."""
    return _answers is not None


def once(ask: Callable[[R], T]) -> Callable[[R], T]:
    """An answer about a thing by its identity, that several rules ask for. It is no iterator, which would be used up."""

    @wraps(ask)
    def answer(about: R) -> T:
        if _answers is None:
            return ask(about)
        key = ask, id(about)
        held = _answers.get(key)
        if held is None:
            held = _answers[key] = about, ask(about)
        answered: T = held[1]
        return answered

    return answer

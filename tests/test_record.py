"""Our dataclasses do what those of the standard library do, as far as the package uses them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any, Generic, TypeVar

import pytest

from advisor.model import record

T = TypeVar("T")


def pair(module: Any) -> tuple[Any, Any, Any]:
    """The same three classes, made by one module or the other."""

    @module.dataclass(frozen=True, slots=True)
    class Point:
        """A point."""

        x: int
        y: int = 2
        tags: tuple[str, ...] = module.field(default=(), kw_only=True)

    @module.dataclass(slots=True, eq=False)
    class Base:
        """A base."""

        place: int
        when: str | None = module.field(default=None, kw_only=True)

        @property
        def twice(self) -> int:
            """A property."""
            return self.place * 2

    @module.dataclass(slots=True, eq=False)
    class Child(Base):
        """A child."""

        kind: str = ""
        items: list[int] = module.field(default_factory=list)

    return Point, Base, Child


BOTH = pytest.mark.parametrize("module", [dataclasses, record], ids=["standard", "ours"])


@BOTH
def test_construction(module: Any) -> None:
    point, base, child = pair(module)
    assert (point(1).x, point(1).y, point(1, 3).y, point(x=1, tags=("a",)).tags) == (1, 2, 3, ("a",))
    made = child(5, "kind", when="flag")
    assert (made.place, made.kind, made.when, made.items, made.twice) == (5, "kind", "flag", [], 10)
    assert child(1).items is not child(1).items
    assert isinstance(made, base) and base(1).when is None
    for wrong in ((), (1, 2, 3)):
        with pytest.raises(TypeError):
            point(*wrong)
    with pytest.raises(TypeError):
        child(1, nothing=2)


@BOTH
def test_equality_and_hash(module: Any) -> None:
    point, base, _ = pair(module)
    assert point(1) == point(1, 2) and point(1) != point(2) and point(1) != (1, 2, ())
    assert len({point(1), point(1), point(2)}) == 2
    assert base(1) != base(1) and len({base(1), base(1)}) == 2


def test_what_holds_a_list_has_a_hash() -> None:
    point, _, _ = pair(record)
    assert len({point([1]), point([1]), point([2]), point(1, {"a": 1})}) == 3


@BOTH
def test_slots(module: Any) -> None:
    _, base, child = pair(module)
    changed = base(1)
    changed.place = 3
    assert changed.place == 3
    with pytest.raises(AttributeError):
        child(1).unknown = 1
    assert not hasattr(child(1), "__dict__")
    assert not hasattr(base, "kind")


@BOTH
def test_repr_and_replace(module: Any) -> None:
    point, _, child = pair(module)
    assert repr(point(1)).endswith("Point(x=1, y=2, tags=())")
    assert module.replace(point(1), y=5) == dataclasses.replace(point(1), y=5) == point(1, 5)
    loop = child(1)
    loop.items.append(loop)
    assert "..." in repr(loop)
    assert child.__doc__ == "A child." and child.__qualname__.endswith("Child")


@BOTH
def test_matching(module: Any) -> None:
    point, _, _ = pair(module)
    match point(1, 7):
        case point(x, y=7):
            assert x == 1
        case _:
            pytest.fail("did not match")


@BOTH
def test_generic(module: Any) -> None:
    @module.dataclass(slots=True)
    class Listing(Generic[T]):
        """A list."""

        items: list[T] = module.field(default_factory=list)

    assert Listing[int]([1]) == Listing([1])  # type: ignore[call-arg]


def test_copies() -> None:
    from advisor.model.finding import Finding
    from advisor.model.source import Known, Place

    place = Place("train.py", 3)
    for same in (copy.copy(place), copy.deepcopy(place), pickle.loads(pickle.dumps(place))):
        assert same == place
    known = Known(1, place=place)
    assert pickle.loads(pickle.dumps(known)) == known
    finding = Finding("r", "c", "g", "error", "high", "m", place)
    assert pickle.loads(pickle.dumps(finding)) == finding


@BOTH
def test_replace_knows_its_fields(module: Any) -> None:
    point, _, _ = pair(module)
    with pytest.raises(TypeError):
        module.replace(point(1), z=1)

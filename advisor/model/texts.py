"""The texts that the reports quote, in little room."""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableMapping


class Texts(MutableMapping[str, str]):
    """Decoded texts by the name that is shown for their file; a cell of a notebook is `name#number`.

    Those that are kept for the report are packed: with a single emoji in it, a text takes four bytes for each of its characters.
    """

    def __init__(self) -> None:
        self._held: dict[str, str | bytes] = {}

    def __getitem__(self, name: str) -> str:
        """The text."""
        held = self._held[name]
        return held if isinstance(held, str) else _unpacked(held)

    def __setitem__(self, name: str, text: str) -> None:
        """Takes a text."""
        self._held[name] = text

    def __delitem__(self, name: str) -> None:
        """Forgets a text."""
        del self._held[name]

    def __iter__(self) -> Iterator[str]:
        """The names in the order they came in."""
        return iter(self._held)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._held)

    def at_hand(self) -> list[str]:
        """The names of texts that are not put away."""
        return [name for name, held in self._held.items() if isinstance(held, str) and held]

    def put_away(self, name: str, told: Collection[str]) -> None:
        """Nobody looks into this text before the report does, which quotes files that are `told` of and asks for comments of ours."""
        held = self._held.get(name)
        if isinstance(held, str) and held:
            if name in told or name.rpartition("#")[0] in told or "advisor:" in held:
                from zlib import compress

                self._held[name] = compress(held.encode("utf-8", "surrogatepass"), 1)
            else:
                self._held[name] = ""


def _unpacked(held: bytes) -> str:
    from zlib import decompress

    return decompress(held).decode("utf-8", "surrogatepass")

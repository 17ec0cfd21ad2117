"""Bytes as text and text as trees; where the bytes are no text, what is wrong and in which line."""

from __future__ import annotations

import ast
import io
import sys
import warnings
from typing import Any

from advisor.model.recipe import Broken
from advisor.model.source import Place


def source_lines(text: str) -> list[str]:
    """The lines as the parser counts them: form feeds and the like end no line."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def decode(data: bytes) -> str:
    """Source bytes as text: byte order mark and coding line honoured. Raises SyntaxError or UnicodeDecodeError."""
    import tokenize

    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def parse(text: str, mode: str = "exec") -> Any:
    """The tree of a text, without the parser's warnings about it. Raises one of UNPARSABLE."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode=mode)


def parse_program(text: str) -> tuple[ast.Module, str]:
    """The tree of a program, and the text it was made of, where f-strings that only a newer Python parses gave way. Raises as `parse` does."""
    try:
        return parse(text), text
    except SyntaxError:
        if sys.version_info >= (3, 12):
            raise
        from advisor.read.fstrings import for_older

        older = for_older(text)
        if older is None:
            raise
        return parse(older), older


UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
POINTER = b"version https://git-lfs.github.com/spec/"  # what stands in place of a file that Git LFS keeps elsewhere


def not_fetched(display: str) -> Broken:
    """A file of which only the pointer is here: nothing is wrong with it, and nothing in it can be judged."""
    return Broken(Place(display, 1), kind="not-fetched", detail="it is a pointer of Git LFS, whose content was not fetched", skipped=True)


def undecodable(data: bytes, display: str, error: Exception) -> Broken:
    """Why bytes are no text, and where: UTF-16, NUL bytes, an encoding that nobody knows or that is not kept to."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[1:400:2].strip(b"\0") == b"" != data[1:400:2]:
        return Broken(Place(display, 1), kind="encoding", detail="it is UTF-16; save it as UTF-8")
    if b"\0" in data:
        return Broken(Place(display, data[: data.index(b"\0")].count(b"\n") + 1), kind="nul", detail="it contains NUL bytes")
    if isinstance(error, UnicodeDecodeError):
        at = data.count(b"\n", 0, error.start) + 1
        detail = f"the byte 0x{data[error.start]:02x} is no {error.encoding.upper()}; save it as UTF-8"
        if display.endswith(".py"):
            detail += ", or name its encoding in the first line"
        return Broken(Place(display, at), kind="encoding", detail=detail)
    return Broken(Place(display, 1), kind="encoding", detail=f"its text cannot be decoded ({error})"[:160])

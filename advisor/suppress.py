"""Comments that silence a rule: `# advisor: ignore[rule-name] reason`, on the line, alone above it, or for the whole file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from advisor.model.finding import Finding
from advisor.model.pattern import pattern
from advisor.model.result import Result
from advisor.model.source import Place
from advisor.model.suppression import Suppression

COMMENT = pattern(r"#\s*advisor:\s*(?P<form>file-ignore|ignore)\b(?:\[(?P<rules>[^\]#]*)\](?P<reason>[^#]*)|[^#]*)")
BLOCKS = ("for ", "while ", "with ", "if ", "def ", "class ", "try:", "async ", "elif ", "else:", "match ", "@")


def find(file: str, text: str, rules: Collection[str], cell: int | None = None) -> list[Suppression]:
    """Every suppression of one text, one per rule that a comment names."""
    if "advisor:" not in text:
        return []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    python = not file.endswith((".yaml", ".yml", ".toml"))
    found = []
    for number, column, comment in _comments(text, lines, python):
        for match in COMMENT.finditer(comment):
            start = column + match.start()
            place = Place(file, number, start + 1, number, column + match.end() + 1, cell)
            names = [name.strip() for name in (match["rules"] or "").split(",")]
            if match["form"] == "file-ignore":
                acts = 0
            elif lines[number - 1][:start].strip():
                acts = number
            else:
                acts = _next_code(lines, number)
            found += [_suppression(place, name, acts, (match["reason"] or "").strip(), rules) for name in names]
    return found


def apply(findings: Iterable[Finding], suppressions: Mapping[str, Sequence[Suppression]], result: Result) -> Iterator[Finding]:
    """The findings that no comment silences; the comments that silence one are marked as used."""
    for finding in findings:
        place = finding.place
        matching = [
            comment
            for comment in suppressions.get(place.file, ())
            if comment.rule == finding.rule and (not comment.line or (comment.place.cell == place.cell and comment.line in _lines(finding, result)))
        ]
        for comment in matching:
            comment.used = True
        if not matching:
            yield finding


def _suppression(place: Place, name: str, line: int, reason: str, rules: Collection[str]) -> Suppression:
    known = name in rules
    nearest = None
    if name and not known:
        import difflib

        nearest = next(iter(difflib.get_close_matches(name, rules, 1, 0.7)), None)
    return Suppression(place, rule=name, line=line, reason=reason, known=known, nearest=nearest)


def _lines(finding: Finding, result: Result) -> range:
    """The lines on which a comment silences a finding: its statement, but only the header of a block."""
    line, _, end, _ = result.span(finding)
    header = result.line(finding.place.file, line, finding.place.cell).lstrip().startswith(BLOCKS)
    return range(line, line + 1 if header else end + 1)


def _comments(text: str, lines: Sequence[str], python: bool) -> Iterator[tuple[int, int, str]]:
    """Line, offset and text of each comment that may be one of ours."""
    if python:
        import tokenize
        from io import StringIO

        met = []
        try:
            for token in tokenize.generate_tokens(StringIO(text).readline):
                if token.type == tokenize.COMMENT and "advisor:" in token.string:
                    met.append((token.start[0], token.start[1], token.string))
            yield from met
            return
        except (tokenize.TokenError, SyntaxError):
            pass  # it does not parse: take every # that stands outside quotes
    for number, line in enumerate(lines, 1):
        if "advisor:" in line and (start := _outside_quotes(line)) is not None:
            yield number, start, line[start:]


def _outside_quotes(line: str) -> int | None:
    """Where the comment of a line of YAML or TOML starts."""
    quote = ""
    for position, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and not line[:position].rstrip()[-1:].isalnum():
            quote = letter
        elif letter == "#" and (position == 0 or line[position - 1].isspace()):
            return position
    return None


def _next_code(lines: Sequence[str], number: int) -> int:
    """The first line below a comment that is not one itself."""
    for below in range(number, len(lines)):
        text = lines[below].strip()
        if text and not text.startswith("#"):
            return below + 1
    return number

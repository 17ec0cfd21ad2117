"""Starts a new rule: a card and a check with everything that is still to be decided marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from advisor import __version__, cards
from advisor.card_schema import FORBIDDEN, KEBAB
from advisor.problem import Problem

CARD = """\
name: {name}
group: {group}
since: {version}
needs: lint            # lint, probe or both
summary: FILL IN one line, what the smell is, no full stop
why: |
  FILL IN two to six sentences: what happens to the run and to the evidence.
recommend: FILL IN one sentence in the imperative, may use {{placeholders}} of the finding's values
cases:
  FILL-IN: {{severity: warning, confidence: high, message: "FILL IN a clause that shows the user's own value, the limit and where it came from"}}
limits: {{}}             # low: {{value: 0.005, unit: norm, why: ..., source: key of sources}}
sources: {{}}            # key: {{title: ..., year: ..., link: ...}}
not_when: []           # known legitimate exceptions, short clauses
examples:
  bad:
    - |
      import torch

      torch.manual_seed(0)  # ! {name}[FILL-IN]
  good:
    - |
      import torch

      torch.manual_seed(0)
"""

CHECK = '''\
"""FILL IN the smell in one sentence."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """FILL IN when it fires. The annotation of the first parameter says which facts it is called with."""
    yield from ()
'''


def start_rule(spec: str) -> Iterator[Path]:
    """Write the two files of the rule `group/name`, which must not be there yet."""
    folder = cards.checkout()
    group, _, name = spec.partition("/")
    if folder is None:
        raise Problem("a new rule is started in a checkout of the project")
    if not (KEBAB.match(group) and KEBAB.match(name)):
        raise Problem(f"{spec!r}: write group/name, both in kebab-case, such as loss/softmax-before-cross-entropy")
    if name.startswith(FORBIDDEN):
        raise Problem(f"{name!r} names the cure; name the smell")
    card = Path(folder, group, f"{name}.yaml")
    check = Path(cards.CHECKS, group.replace("-", "_"), f"{name.replace('-', '_')}.py")
    for path, text in ((card, CARD.format(name=name, group=group, version=__version__)), (check, CHECK)):
        if path.exists():
            raise Problem(f"{path} is there already")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        yield path
    package = check.with_name("__init__.py")
    if not package.exists():
        package.write_text(f'"""FILL IN what the rules of the group {group} are about."""\n', "utf-8")
        yield package

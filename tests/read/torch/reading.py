"""Reads a small program and gives what the tables made of it."""

from __future__ import annotations

import textwrap
from pathlib import Path

from advisor.model.events import Event, Kind, events
from advisor.model.recipe import Flow
from advisor.read.python import imports
from advisor.read.python.project import Project, SourceModule
from advisor.read.python.reader import Reader
from advisor.read.python.values import Opaque, Tensor, Value

HEAD = """\
import copy
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset, random_split
"""


def run(folder: Path, text: str) -> Reader:
    """The reader after the program has ended."""
    (folder / "main.py").write_text(HEAD + textwrap.dedent(text))
    project = Project(str(folder))
    source = project.load(str(folder / "main.py"))
    assert isinstance(source, SourceModule)
    reader = Reader(project, source)
    imports.run_module(reader, reader.entry, main=True)
    return reader


def value(reader: Reader, name: str) -> Value:
    """The value bound to a global name."""
    return reader.entry.namespace[name]


def flow(reader: Reader, name: str) -> Flow:
    """What is known of a tensor, or of a number taken from one."""
    held = value(reader, name)
    assert isinstance(held, (Tensor, Opaque)) and held.flow is not None, held
    return held.flow


def found(reader: Reader, kind: Kind) -> list[Event]:
    """The events of one kind, in order."""
    return [event for event, _ in events(reader.recipe.tree, kind)]

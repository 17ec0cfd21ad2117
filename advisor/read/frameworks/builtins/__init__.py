"""Python's built-in functions and the methods of texts, sequences and mappings."""

from advisor.read.frameworks.builtins import classes, containers, dicts, files, numbers, objects
from advisor.read.frameworks.builtins.methods import method_of_value

__all__ = ["classes", "containers", "dicts", "files", "method_of_value", "numbers", "objects"]

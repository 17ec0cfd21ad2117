"""SpeechBrain: `Brain.fit` becomes the loop that it runs, with the parts that the hyperparameter file makes.

Defaults: SpeechBrain 1.0 (max_grad_norm 5.0, one batch a step, seed only where the file sets one, no shuffling unless the loader's options say so).
"""

from __future__ import annotations

import os
from typing import Any

from advisor.model.source import Place
from advisor.read.frameworks import seeding, table
from advisor.read.frameworks.launched import config_words
from advisor.read.frameworks.speechbrain import brain, parts
from advisor.read.frameworks.speechbrain.brain import VERSION
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Mapping, Opaque, Sequence, Value, mapping, sequence

table.VERSIONS["speechbrain"] = VERSION
HPARAMS = "hparams"  # the folder beside a recipe in which its files stand


def canonical(name: str) -> str:
    """speechbrain.core.Brain and speechbrain.Brain are one; so are the many places from which its functions are exported."""
    return name.replace("speechbrain.core.", "speechbrain.")


table.RENAMES["speechbrain"] = canonical


@table.function("speechbrain.parse_arguments", "speechbrain.utils.run_opts.RunOptions.from_command_line_args")
def parse_arguments(call: LibraryCall) -> Value:
    """hparams_file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])"""
    found = _file(call.reader)
    file: Value = Constant(*found) if found is not None else Opaque("a hyperparameter file that is named when the program is started", "str")
    return sequence([file, mapping({}), Constant("", weak=True)], "tuple")


def _file(reader: Reader) -> tuple[str, tuple[Any, ...], bool, Place | None] | None:
    """The hyperparameter file: the one that is joined, the first on a command line, or the only one in the folder for them or beside the recipe."""
    if reader.config is not None:
        return os.path.join(reader.project.directory, reader.config[0]), (), True, None
    words = [word for word in config_words(reader) if word.endswith((".yaml", ".yml"))]
    here = os.path.dirname(reader.entry.path)
    for folder in () if words else (os.path.join(here, HPARAMS), here):
        words = [os.path.join(folder, name) for name in reader.project.listing(folder) if name.endswith((".yaml", ".yml"))]
        if words:
            words = words if len(words) == 1 else []
            break
    return (words[0], (), True, None) if words else None


@table.function("speechbrain.utils.distributed.run_on_main")
def run_on_main(call: LibraryCall) -> Value:
    """run_on_main(prepare, kwargs={...}): the function runs on one rank."""
    function, given, named = call.get("func", 0), call.get("args", 1), call.get("kwargs", 2)
    if function is not None:
        keywords = {str(key): value for key, value in named.items.items()} if isinstance(named, Mapping) else {}
        positional = list(given.items) if isinstance(given, Sequence) else []
        call.reader.call(function, Arguments(positional, keywords), call.node)
    return NONE


@table.function("speechbrain.utils.distributed.if_main_process", "speechbrain.utils.distributed.is_distributed_initialized")
def rank(call: LibraryCall) -> Value:
    """What differs by rank."""
    return Opaque(f"result of `{call.name}`", "bool")


@table.prefix("speechbrain.utils", "speechbrain.create_experiment_directory", "speechbrain.augment", "speechbrain.decoders")
def quiet(call: LibraryCall) -> Value:
    """Loggers, checkpointers, metrics, augmentations: they change no weights."""
    return call.reader.instance("speechbrain.object", role="quiet", node=call.node)


__all__ = ["brain", "parts", "seeding"]

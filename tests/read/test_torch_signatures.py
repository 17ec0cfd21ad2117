"""The signatures in the torch tables against torch itself, where it is installed."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import REQUIRED

torch = pytest.importorskip("torch")
table.load("torch")

RECURRENT = ("RNN", "LSTM", "GRU")  # their constructors take *args


def real(thing: Any) -> dict[str, Any]:
    empty = inspect.Parameter.empty
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        name: REQUIRED if parameter.default is empty else parameter.default
        for name, parameter in inspect.signature(thing).parameters.items()
        if parameter.kind not in kinds
    }


def tables() -> Iterator[tuple[str, Any, str]]:
    from advisor.read.frameworks.torch import data, layer_signatures, losses, optim, samplers, schedulers

    for name, text in optim.OPTIMIZERS.items():
        yield name, getattr(torch.optim, name), text
    for name, text in schedulers.SCHEDULERS.items():
        yield name, getattr(torch.optim.lr_scheduler, name), text
    for name, text in layer_signatures.LAYERS.items():
        if name not in RECURRENT:
            yield name, getattr(torch.nn, name), text
    for name, text in losses.LOSSES.items():
        if hasattr(torch.nn, name) and name != "NLLLoss2d":
            yield name, getattr(torch.nn, name), text
    for name, text in losses.FUNCTIONS.items():
        yield name, getattr(torch.nn.functional, name), text
    yield "DataLoader", torch.utils.data.DataLoader, data.LOADER
    for name, text in samplers.SAMPLERS.items():
        yield name, getattr(torch.utils.data, name), text


CASES = list(tables())


@pytest.mark.parametrize(("name", "thing", "text"), CASES, ids=[case[0] for case in CASES])
def test_signature(name: str, thing: Any, text: str) -> None:
    expected = {key: default.__name__ if callable(default) and hasattr(default, "__name__") else default for key, default in real(thing).items()}
    found = signature(text)
    assert list(found) == list(expected)
    assert found == expected


def test_nothing_is_left_out() -> None:
    from advisor.read.frameworks.torch import layer_signatures, losses, optim, schedulers

    def classes(room: Any, base: type) -> set[str]:
        return {name for name in dir(room) if inspect.isclass(getattr(room, name)) and issubclass(getattr(room, name), base)}

    assert classes(torch.optim, torch.optim.Optimizer) - {"Optimizer"} == set(optim.OPTIMIZERS)
    assert classes(torch.optim.lr_scheduler, torch.optim.lr_scheduler.LRScheduler) - {"LRScheduler", "_LRScheduler"} == set(schedulers.SCHEDULERS)
    bases = {
        "Module",
        "Container",
        "RNNBase",
        "RNNCellBase",
        "Sequential",
        "ModuleList",
        "ModuleDict",
        "ParameterList",
        "ParameterDict",
        "DataParallel",
    }
    assert classes(torch.nn, torch.nn.Module) - bases - set(losses.LOSSES) == set(layer_signatures.LAYERS)


def public(*classes: type) -> set[str]:
    return {name for cls in classes for name in dir(cls) if not name.startswith("_")}


def test_members_are_those_of_torch() -> None:
    """A name that is missing here would be told as an error."""
    from advisor.read.frameworks.torch.members import MEMBERS

    def kinds(room: Any, base: type) -> list[type]:
        return [held for held in vars(room).values() if isinstance(held, type) and issubclass(held, base)]

    assert public(*kinds(torch.nn, torch.nn.Module), torch.nn.parallel.DistributedDataParallel, torch.jit.ScriptModule) <= {*MEMBERS["module"]}
    assert public(*kinds(torch.optim, torch.optim.Optimizer)) <= {*MEMBERS["optimizer"]}
    assert public(*kinds(torch.optim.lr_scheduler, torch.optim.lr_scheduler.LRScheduler)) <= {*MEMBERS["scheduler"]}
    assert public(torch.amp.GradScaler, torch.cuda.amp.GradScaler) <= {*MEMBERS["scaler"]}
    assert public(torch.Tensor) <= {*MEMBERS["tensor"]}


def test_names_are_those_of_torch() -> None:
    """A name that is missing here may be told as a typing error."""
    from advisor.read.frameworks.torch.names import NAMES
    from advisor.read.python.lacking import SPELLED

    rooms = {"torch.nn": torch.nn, "torch.nn.functional": torch.nn.functional, "torch.nn.init": torch.nn.init, "torch.optim": torch.optim}
    rooms["torch.optim.lr_scheduler"] = torch.optim.lr_scheduler
    assert rooms.keys() == NAMES.keys() == SPELLED
    assert all({name for name in dir(room) if not name.startswith("_")} <= NAMES[module] for module, room in rooms.items())

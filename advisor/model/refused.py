"""The facts about what Python or a library refuses, or leaves aside: arguments, names and keys that it does not know."""

from __future__ import annotations

from typing import Literal

from advisor.model.facts import Fact, Optimizer
from advisor.model.record import dataclass
from advisor.model.source import ABSENT, Place, Setting


@dataclass(slots=True, eq=False)
class DuplicateKey(Fact):
    """A key that one mapping of a config gives twice: `place` is the later one. Values as written, None for a list or a mapping."""

    name: str = ""
    first: Place | None = None
    earlier: str | None = None
    later: str | None = None
    option: bool = False  # an option that is added twice to one parser of argparse


@dataclass(slots=True, eq=False)
class UnknownKey(Fact):
    """A key of a config that is handed to a class or function of the project that has no such field: a TypeError.

    With an `optimizer`: a key of one of its parameter groups that nothing reads. `by`: "library" where the class is one of a library, "ignored"
    where the taker leaves aside what it does not know, "parts" where it is a part of a data set that is asked for: a KeyError;
    "literal" where it is asked of a dict that is written out, which the taker is the name of: another one.
    "version" where the library takes it, and not in the version (the one field) that the project pins, or that the second field is for.
    "trained" where it is asked of the metrics of a training, and only an evaluation has it.
    "command line" where it is an option that a script gives and the parser of the program, the taker, lacks; with `more` of them beside it.
    """

    name: str = ""
    taker: str = ""
    fields: tuple[str, ...] = ()  # what it has
    optimizer: Optimizer | None = None
    by: Literal["project", "library", "ignored", "parts", "literal", "version", "trained", "command line"] = "project"
    defined: Place | None = None  # where the dict is written
    meant: str | None = None  # what is called so elsewhere
    more: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class RefusedCall(Fact):
    """A call of a function of the project with arguments that it does not take, of range() with no whole number, or of a module: a TypeError.
    Or a sum of a path and a text, or of a text and a number.

    Names without `self`.
    """

    callee: str = ""
    defined: Place | None = None
    given: int = 0  # arguments without a name
    taken: tuple[str, ...] = ()  # the parameters that can be given without a name
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()  # by position and by name
    unpacked: int | None = None  # names that its values, as many as are given here, are unpacked into
    nothing: bool = False  # what is called is None
    constant: bool = False  # what is called is written as a constant
    counts: Setting = ABSENT  # what range() is given: a float, or a text
    result_of: str | None = None  # the function that was called where itself was to be handed over: what it returns, None, is given
    module: str | None = None  # what is called is a module of this name
    size: str | None = None  # the size of a layer that `counts` was given as
    of_file: bool = False  # an open file was asked for, and `counts` is the text that was given
    of_class: tuple[str, str] | None = None  # super(): the class of the object, and the one that it does not derive from
    as_one: str | None = None  # an expression that takes the values, as many as are given here, for one
    astray: tuple[str, str] | None = None  # nothing is refused: the first argument that stands in a parameter beside its own, and that parameter
    operands: tuple[str, str] | None = None  # the types of the two sides of a sum
    by: str | None = None  # the library that calls a method of the program, in the version since when it does so
    pinned: bool = True  # the project asks for such a version


@dataclass(slots=True, eq=False)
class RefusedRun(Fact):
    """A training that a framework refuses to begin: its trainer was given no training data, or a model that says nothing of how to train it.

    Or arguments that contradict each other: "evaluation-data": it is to evaluate without data; "match": it is to load the best model, and saves at
    other times than it evaluates; "adapter": the model that is to get one has one; "float32": it scales gradients of weights in float16, as does a
    scaler of the program, "scaled"; "devices": it names devices that there are none of; "inputs": no gradient reaches its adapters. "loss": nothing
    is refused, and each step is left out; "length": and the run is over after a trial. "stopping": a callback is to end it by what nothing measures.
    "test_step", "validation_step": what is refused is to measure the model, when the run is over.
    """

    lacks: Literal[
        "data", "step", "loss", "evaluation-data", "match", "adapter", "float32", "scaled", "devices", "inputs", "length", "stopping",
        "test_step", "validation_step",
    ] = "data"  # fmt: skip
    taker: str = ""  # the trainer, or its arguments
    given: str = ""  # the model, or what contradicts
    defined: Place | None = None


@dataclass(slots=True, eq=False)
class IdleEvaluation(Fact):
    """Evaluation data that a trainer is given, and that its settings keep it from: it evaluates never, or first after the last step.

    "nothing": there are no such data, and still it is said how often to evaluate.
    """

    taker: str = ""
    why: Literal["strategy", "late", "nothing"] = "strategy"
    every: Setting = ABSENT
    steps: Setting = ABSENT
    asked: bool = False  # the program evaluates by itself


@dataclass(slots=True, eq=False)
class UnmeasuredMetric(Fact):
    """A metric by which a framework is to choose the best model or the end of the run, and which nothing in the program measures: a KeyError."""

    name: str = ""
    taker: str = ""
    measured: tuple[str, ...] = ()  # what is


@dataclass(slots=True, eq=False)
class OpenTracker(Fact):
    """A framework that is to write down what a run measures and was not told where: it writes nothing; or was told None, which it takes for all."""

    taker: str = ""
    everywhere: bool = False


@dataclass(slots=True, eq=False)
class UndefinedName(Fact):
    """A name that is asked for and that nothing in its file binds: a NameError. Or one that is imported from a file that binds no such name.

    With `lacked_by`: a method or an attribute that is asked for and that objects of this class lack, an AttributeError.
    """

    name: str = ""
    missing_in: str | None = None  # the file that it is imported from
    member: bool = False  # it is asked of that file, as of an object
    relative: bool = False  # that file is named as seen from the importing one
    bound_if: str | None = None  # the option, off by default, without which nothing binds it
    bound_below: int | None = None  # the line that is first to bind it, which comes later
    of_own: bool = False  # by that the function has it for itself, whatever the file calls so
    no_file_in: str | None = None  # the folder of a package that has no module of this name
    above: str | None = None  # the outermost package of the import, which it goes above
    alone: bool = False  # its file imports nothing and defines nothing: what it runs on may stand in another text
    lacked_by: str | None = None
    meant: str | None = None  # a method that they have and that is called almost so; of an import, the module that is there
    called: bool = True  # a method
    gone: bool = False  # which they had before torch 1.13
    of_library: bool = False  # lacked by a module of a library
    option: bool = False  # of the command line, that no parser declares


@dataclass(slots=True, eq=False)
class DebuggerStop(Fact):
    """A call for the search of a fault: one that waits for somebody at a keyboard (pdb.set_trace(), breakpoint()), or torch's anomaly detection."""

    call: str = ""
    detects: bool | None = None  # whether the detection of anomalies is on from here; None for what stops the program

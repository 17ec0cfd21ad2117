"""The facts of a program: what it builds, each with the place where it stands.

Facts have identity: the same optimizer met twice is one object. Where a flag chooses between constructions (Adam or SGD),
each is a fact of its own and all share one `slot`, so that order rules see one optimizer and range rules see each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from advisor.model.finished import once
from advisor.model.flow import Flow
from advisor.model.record import dataclass, field
from advisor.model.source import ABSENT, Loaded, Place, Setting
from advisor.model.written import WrittenRate

Role = Literal["train", "validation", "test", "unknown"]
Generators = Literal["torch", "numpy", "python", "framework", "cuda"]


@dataclass(slots=True, eq=False)
class Fact:
    """A thing that the program builds. `when` is the condition text if it is built only under a flag, `flag_off` when that flag is off by default."""

    place: Place
    when: str | None = field(default=None, kw_only=True)
    flag_off: bool = field(default=False, kw_only=True)
    loops: int = field(default=0, kw_only=True)  # how many loops stand around its construction
    escaped: str | None = field(default=None, kw_only=True)  # who it was handed to that could not be read; None: nobody
    same_as: Fact | None = field(default=None, kw_only=True, repr=False)

    @property
    def slot(self) -> Fact:
        """The representative of all constructions that one name may hold by a flag."""
        fact = self
        while fact.same_as is not None:
            fact = fact.same_as
        return fact


UNREAD = "a model that could not be read"  # the kind of one of which not even what made it is known
ANY = "?"  # in a kind: one of the things in a library module, under a name that is not known


def _last(kind: str) -> str:
    """The name alone; of a thing in a library whose name is not known, where it is from."""
    room, _, name = kind.rpartition(".")
    return name if name != ANY else f"one of {room}"


@dataclass(slots=True, eq=False)
class Module(Fact):
    """A neural network module: a library layer (`torch.nn.Linear`) or a class of the project."""

    kind: str = ""  # canonical dotted name: "torch.nn.LSTM"; project classes: "model.Net"
    settings: dict[str, Setting] = field(default_factory=dict)  # library layers: constructor arguments with defaults
    children: dict[str, Module] = field(default_factory=dict)
    user_class: bool = False
    complete: bool = True  # every child was seen
    why: str | None = None  # why it is not complete
    pretrained: Setting = ABSENT
    eval_from: Place | None = None  # where a library made it, or what it is a part of, in eval mode
    fed: tuple[Flow, ...] = ()  # what it was called with, where its weights come from elsewhere
    run_with: frozenset[str] = frozenset()  # gradients "on", "off" or "unknown", where its weights come from elsewhere
    trainable: Literal["yes", "no", "part", "unknown"] = "yes"
    copy_of: Module | None = None  # deepcopy: EMA, target network, teacher
    updated_by: tuple[str, Place] | None = None  # of a copy: the method that would move it after its original, and that nothing calls
    forward_place: Place | None = None
    recurrence: Literal["none", "sequence", "step", "unknown"] = "none"
    causal: bool = False  # masks the future: a decoder-only language model
    walks: tuple[tuple[Place, bool, Flow], ...] = ()  # calls of a layer for sequences: whether it goes along the batch, and what it is given
    wrapped: tuple[str, ...] = ()  # DataParallel, DDP, compile, FSDP
    asleep: Place | None = None  # where its adapter is loaded to be used, and not to be trained
    hands_round: bool = False  # a wrapper copies the buffers of the first process to all others before each forward pass
    prepared: Place | None = None  # where Accelerate is given it, which makes a replica of it in each process that it is started with
    unregistered: tuple[tuple[str, Place], ...] = ()  # modules kept in a plain list or dict attribute
    gave_up: tuple[Module, ...] = ()  # parts that others were put in the place of: whoever took its weights before has theirs
    keeps: tuple[Module, ...] = ()  # layers whose weights are parameters of its own: setattr(self, name, cell.weight_ih)
    idle: frozenset[str] = frozenset()  # those of these attributes that nothing reads which forward leads to
    unread: tuple[tuple[str, Place, Module], ...] = ()  # attributes that nothing in the program asks for, with the layers with weights in them
    multiplied: Place | None = None  # it has weights and was made in a list that is multiplied here, `[Block()] * 3`: the list holds it several times
    moved: tuple[tuple[str, Place], ...] = ()  # attributes that a parameter became after .to(device): on any device but the CPU, no parameters
    tied: bool = False  # a weight of it is another module's, too: `head.weight = embedding.weight`
    leaves: tuple[tuple[str, Place], ...] = ()  # attributes that are plain tensors with requires_grad=True, and that it calculates with
    placed: Place | None = None  # it is moved to a device here, or made on one
    minds_devices: bool = False  # its class speaks of devices, where it is given a batch that was moved to one
    on_accelerator: bool = False  # it is moved there in any case, to what is not the CPU where there is anything else
    assigned_early: Place | None = None  # a part is assigned before super().__init__() has run, or without it
    dtype: Setting = ABSENT  # torch.float16, torch.bfloat16 after .half(), .to(...)
    statistics_renewed: bool = False  # update_bn was run on it
    normalises: tuple[tuple[Place, tuple[str, ...]], ...] = ()  # of a batch norm: the layers whose outputs it is given, each with what it depends on
    from_init: bool = False  # of a batch norm: an __init__ makes it itself, so that it is no stand-in for others that a helper makes
    averaged: Setting = ABSENT  # decay of the exponential average that its weights are (AveragedModel, ModelEma, a copy)

    @property
    def name(self) -> str:
        """The class name alone."""
        return _last(self.kind)

    def walk(self) -> Iterator[Module]:
        """This module and everything below it, each once."""
        return iter(_all_of(self)) if self.children else iter((self,))

    def layers(self, *kinds: str) -> list[Module]:
        """The library layers below with one of these class names (all when none is given)."""
        return [m for m in self.walk() if not m.user_class and (not kinds or m.name in kinds)]

    @property
    def fully_known(self) -> bool:
        """True when every layer below was seen."""
        return all(m.complete for m in self.walk())


@once
def _all_of(module: Module) -> tuple[Module, ...]:
    found = {id(module): module}
    stack = [*reversed(module.children.values())]
    while stack:
        below = stack.pop()
        if id(below) not in found:
            found[id(below)] = below
            stack.extend(reversed(below.children.values()))
    return tuple(found.values())


@once
def whole(module: Module) -> frozenset[Module]:
    """A module and everything below it."""
    return frozenset(module.walk())


def wholes(modules: Iterable[Module]) -> frozenset[Module]:
    """Some modules and everything below them."""
    return frozenset().union(*map(whole, modules))


@dataclass(frozen=True, slots=True)
class Parameters:
    """Which weights an optimizer, a clip call or zero_grad is given."""

    modules: tuple[Module, ...] = ()
    exact: bool = True  # all parameters of these modules; False: some, or unknown
    filtered: str | None = None  # text of the filter: "requires_grad", a name test
    iterator: bool = False  # a generator that can be consumed once
    consumed_by: Place | None = None  # who had used it up before
    why: str | None = None
    inputs: bool = False  # leaf tensors that are no module's weights (images, embeddings, log_alpha)


@dataclass(slots=True, eq=False)
class Group:
    """One parameter group: the weights, and the settings that differ from the optimizer's own."""

    parameters: Parameters
    settings: dict[str, Setting] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Optimizer(Fact):
    """An optimizer. `settings` holds every argument, with the library's default where the program gives none."""

    kind: str = ""  # canonical dotted name: torch.optim.AdamW
    spelled: Setting | None = None  # the word for it in a config or in training arguments: adamw_torch
    settings: dict[str, Setting] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    groups_complete: bool = True
    groups_of: Optimizer | None = None  # the optimizer whose groups it was given: torch keeps the same dicts, so that both read one rate
    lr_writes: list[Setting] = field(default_factory=list)  # param_group["lr"] = ...
    written: list[WrittenRate] = field(default_factory=list)  # those of them that follow from the turns of a loop
    user_class: bool = False
    owner: str | None = None  # framework that builds and steps it

    @property
    def name(self) -> str:
        """The class name alone."""
        return _last(self.kind)

    @property
    def modules(self) -> tuple[Module, ...]:
        """Every module whose weights it holds."""
        return tuple(dict.fromkeys(m for g in self.groups for m in g.parameters.modules))


@dataclass(slots=True, eq=False)
class Scheduler(Fact):
    """A learning-rate scheduler and the optimizer it writes to."""

    kind: str = ""
    settings: dict[str, Setting] = field(default_factory=dict)
    optimizer: Optimizer | None = None
    optimizer_known: bool = True
    children: tuple[Scheduler, ...] = ()
    stepped: Literal["epoch", "batch", "never", "unknown"] = "unknown"
    owner: str | None = None
    monitor: str | None = None  # the metric that a framework steps it with
    waits: bool = False  # Accelerate prepared it: under accumulate(), a call of step() acts at the end of each window only
    each_process: bool = False  # and it is stepped once for each process in every call
    factor: float | None = None  # the largest share of the optimizer's own rate that it was seen to give; None: nobody watched
    begins: float | None = None  # the share that it gives before it is stepped, where that follows from the text
    given: tuple[Setting, ...] | None = None  # what a class of the project is made with whose rates do not start from those of the optimizer
    step_off: Place | None = None  # of a step that the program itself has switched off: `use_schedule = False`
    kept_by_hand: bool = False  # the program looks after the numbers that it keeps for each group: `scheduler.base_lrs.append(...)`

    @property
    def name(self) -> str:
        """The class name alone."""
        return _last(self.kind)


@dataclass(slots=True, eq=False)
class Loss(Fact):
    """A loss function or criterion: torch.nn.CrossEntropyLoss, torch.nn.functional.mse_loss, or a class of the project."""

    kind: str = ""
    settings: dict[str, Setting] = field(default_factory=dict)
    user_class: bool = False
    weighting: Literal["inverse", "proportional"] | None = None  # how its class weights follow the class counts
    computed_by: Module | None = None  # the model that computes it itself, where it is run: `model(**batch).loss`
    unshifted: Place | None = None  # where it compares the scores of a decoder with the labels at the same places

    @property
    def name(self) -> str:
        """The class or function name alone."""
        return _last(self.kind)


@dataclass(slots=True, eq=False)
class Seed(Fact):
    """A call that seeds random numbers: whose generators it sets; "framework" is seed_everything and its like (torch, numpy, python at once)."""

    generators: Generators = "torch"
    value: Setting = ABSENT
    conditional: Literal["always", "flag"] = "always"
    from_clock: bool = False
    clock_at: Place | None = None  # where the clock was read, on a line of its own
    opposed: bool = False  # the clock is one arm of a condition whose other arm sets a number
    drawn: Place | None = None  # where its value is drawn at random, which nothing shows or keeps


@dataclass(slots=True, eq=False)
class FunctionalDropout(Fact):
    """A functional dropout (torch.nn.functional.dropout): `p`, and `training` as given (the library's default is True)."""

    kind: str = ""
    p: Setting = ABSENT
    training: Setting = ABSENT
    modeless: bool = False  # called by an object that is not known to be a module, and so to have a mode

    @property
    def name(self) -> str:
        """The function name alone."""
        return _last(self.kind)


@dataclass(slots=True, eq=False)
class Clip(Fact):
    """Gradient clipping: by norm, by value, adaptive, or written by hand."""

    kind: Literal["norm", "value", "adaptive", "hand-written", "framework"] = "norm"
    value: Setting = ABSENT
    parameters: Parameters | None = None
    conditional: Literal["always", "flag"] = "always"


@dataclass(slots=True, eq=False)
class Scaler(Fact):
    """A GradScaler; `enabled` as given."""

    enabled: Setting = ABSENT


@dataclass(slots=True, eq=False)
class Autocast(Fact):
    """An autocast region: device, dtype (float16, bfloat16), enabled."""

    dtype: Setting = ABSENT
    device: Setting = ABSENT
    enabled: Setting = ABSENT


@dataclass(slots=True, eq=False)
class Save(Fact):
    """A checkpoint written, or best weights kept in memory. `parts` maps a key ("model", "optimizer", "epoch", ...) to what it is."""

    parts: dict[str, str] = field(default_factory=dict)  # key -> model-state | model | optimizer | scheduler | scaler | number | unknown
    complete: bool = True
    path: Setting = ABSENT
    one_file: bool = False  # nothing in the path changes from turn to turn of the loop that it is written in
    memory: Literal["file", "copy", "alias"] = "file"
    module: Module | None = None
    modules: tuple[Module, ...] = ()  # all that a file holds, with those that it holds on some way alone
    kept: Save | None = None  # what is written to the file, or has another name here, was kept in memory by this one
    contents: Place | None = None  # where the dict that is saved is written
    decided: Place | None = None  # the branch that chooses it as the best
    compared: Place | None = None  # the comparison that the branch asks the answer of, or the call that tells it the score, where elsewhere
    best: bool = False  # stands under a comparison with the best metric so far
    monitor: Flow | None = None
    called_test: Any = None  # the data set that a trainer measures it on, where the program calls it its test data
    watched: Setting = ABSENT  # the name of the metric by which a framework's callback chooses the best
    mode: Setting = ABSENT  # which way that metric is better, as the callback is told or takes by default: "min" or "max"
    mode_as: str = ""  # the same, as the program would write it
    folder: str = ""  # that it is written into, as far as its path is known
    folder_missing: bool = False  # it is not there, and nothing makes it
    latest: Setting = ABSENT  # so many checkpoints a framework keeps, the latest, of a model that it measures and is not to choose by that
    tested_last: Place | None = None  # where the framework tests the weights that training left, though this keeps the best
    tested_best: bool = False  # the best are tested as well, or other weights
    told_rank: bool = False  # the call is told whether this process is the one that writes

    @property
    def is_reference(self) -> bool:
        """True for a whole model that is kept under a name: no copy of it."""
        return self.memory == "alias" and "model" in self.parts.values()


@dataclass(slots=True, eq=False)
class Restore(Fact):
    """State loaded back. Same keys as Save; `strict` and `result_used` for load_state_dict."""

    parts: dict[str, str] = field(default_factory=dict)
    complete: bool = True
    path: Setting = ABSENT
    module: Module | None = None
    optimizer: Optimizer | None = None
    strict: Setting = ABSENT
    result_used: bool = False
    saved: Save | None = None
    loaded: Loaded | None = None  # what it was taken from, where that was loaded
    arms: frozenset[str] | None = None  # of an optimizer whose weights are on the CPU: what is asked around
    left_behind: Place | None = None  # where they leave it

    @property
    def keys(self) -> dict[str, Place]:
        """Every key that is taken from the same loaded object, with where."""
        return self.loaded.keys if self.loaded is not None else {}


@dataclass(slots=True, eq=False)
class EarlyStopping(Fact):
    """A rule that stops training when a metric no longer improves; by hand, a class, or a framework's callback."""

    patience: Setting = ABSENT
    beyond: int = 0  # bad checks that it waits beyond its patience: 1 where it stops at `counter > patience`, not at `>=`
    monitor: Setting = ABSENT  # name of the metric, when there is one
    mode: Setting = ABSENT
    min_delta: Setting = ABSENT
    flow: Flow | None = None
    on: Role = "unknown"  # the data that the metric was measured on
    called_test: Any = None  # the data set that a trainer measures on, where the program calls it its test data
    every: Setting = ABSENT  # checks are this many epochs apart
    unit: Literal["epoch", "batch", "evaluation", "unknown"] = "unknown"
    counter: Any = None
    reset: bool = True  # the counter goes back to zero on improvement
    raised: bool = True  # the counter is ever raised
    asked: bool = True  # the counter is ever read
    stops: bool = True  # the decision reaches a break or return
    called: Place | None = None  # where it is told the score, if that is elsewhere
    always_on: bool = False  # it stops early unless it is told not to: a long patience is how to say so
    restores_best: bool = False
    saves_best: bool = False
    comparison: Literal["<", ">", None] = None  # improvement means smaller or larger
    owner: str | None = None


@dataclass(slots=True, eq=False)
class Hyperparameter(Fact):
    """A setting that the program declares: an argparse option, a dataclass field, a key of a config."""

    name: str = ""
    value: Setting = ABSENT
    declared: str = ""  # argparse | dataclass | config | constant | handed (an argument that its function does not read)
    type: str | None = None  # what converts the text that is given for it: bool, float, ...; None: nothing, or not known
    action: str = ""  # store_true, store_false: it is given without a value
    as_text: bool = False  # nothing converts what is given for it: argparse without a type, and no int() of the program
    reckoned: bool = False  # of such an option: the program calculates with it, or compares it with a number
    counts: Place | None = None  # range() that is given it as it is
    whole: bool = False  # the program makes a whole number of it itself
    at: Place | None = None  # where its default stands
    read: bool = False
    parsed: bool = True  # False for an option of a parser that nothing asks for what was given: nobody can give it
    overruled: Literal["chosen", "never-reached", "replaced", "overwritten", "same"] | None = None  # it has no effect, here or at all
    overruled_by: str = ""  # that setting, as the program would write it
    usual: bool = False  # it says what the library does by default
    pinned: bool = False  # overwritten by other programs as well, which share the parser: each is one set of options


@dataclass(slots=True, eq=False)
class Broken(Fact):
    """A file that is there but cannot be read or parsed. `kind`: syntax, python2, newer-python, merge-marker, nul, encoding, notebook,
    too-large, too-deep, permission, link, not-a-file, not-fetched, yaml, ...; `detail` says what, in a clause; `skipped` ones are no finding."""

    kind: str = "syntax"
    detail: str = ""
    skipped: bool = False

    @property
    def unreadable(self) -> bool:
        """True when it never became text; else it is text that does not parse."""
        return self.kind in ("encoding", "permission", "link", "not-a-file", "too-large", "unreadable", "nul", "not-fetched")

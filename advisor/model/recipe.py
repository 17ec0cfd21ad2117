"""The recipe of one training program: what it trains, with what, on what. Every fact says where it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Generic, TypeVar

from advisor.model.data import Dataset, Fitted, Loader, Meter, Sampler, Split, Transform
from advisor.model.events import Node
from advisor.model.facts import (
    Autocast,
    Broken,
    Clip,
    EarlyStopping,
    Fact,
    FunctionalDropout,
    Group,
    Hyperparameter,
    Loss,
    Module,
    Optimizer,
    Parameters,
    Restore,
    Role,
    Save,
    Scaler,
    Scheduler,
    Seed,
)
from advisor.model.finding import Skipped
from advisor.model.flow import Flow
from advisor.model.record import dataclass, field
from advisor.model.refused import (
    DebuggerStop,
    DuplicateKey,
    IdleEvaluation,
    OpenTracker,
    RefusedCall,
    RefusedRun,
    UndefinedName,
    UnknownKey,
    UnmeasuredMetric,
)
from advisor.model.source import ABSENT, Link, Place, Setting, Unknown
from advisor.model.texts import Texts

T = TypeVar("T")


@dataclass(slots=True)
class Listing(Generic[T]):
    """A list that knows whether it is complete; `why` says what may be missing."""

    items: list[T] = field(default_factory=list)
    complete: bool = True
    why: str | None = None

    def __iter__(self) -> Iterator[T]:
        """The items."""
        return iter(self.items)

    def __len__(self) -> int:
        """How many items were seen."""
        return len(self.items)

    @property
    def absent(self) -> bool:
        """True when the whole program was seen and there is none."""
        return self.complete and not self.items


@dataclass(slots=True, eq=False)
class Recipe:
    """Everything that is known of one training program."""

    entry: str
    framework: str = "plain"  # who owns the training loop
    files: list[str] = field(default_factory=list)
    place: Place | None = None  # of the entry
    tree: list[Node] = field(default_factory=list)
    trains: bool = False  # a backward (or a framework's fit) was seen
    whole: bool = True  # False: not a program, a file read function by function
    evaluates: int = 0  # of a program that trains nothing, loads weights and runs the model: how many nodes of the tree it comes to by itself
    tries_out: bool = False  # the main block of a module trains on numbers that it draws and keeps nothing: it shows that the module works
    measures_speed: bool = False  # it tells the times that its steps take, and keeps and tells nothing else
    of_graphs: bool = False  # it imports a library of graphs
    named: bool = False  # its entry was named, and not met in a folder
    shown: frozenset[str] | None = None  # only findings in these files are shown (a part of a program was passed); None: all

    modules: Listing[Module] = field(default_factory=Listing)  # every module built, parts included
    models: Listing[Module] = field(default_factory=Listing)  # those that are no other's part
    optimizers: Listing[Optimizer] = field(default_factory=Listing)
    schedulers: Listing[Scheduler] = field(default_factory=Listing)
    losses: Listing[Loss] = field(default_factory=Listing)
    samplers: Listing[Sampler] = field(default_factory=Listing)
    loaders: Listing[Loader] = field(default_factory=Listing)
    datasets: Listing[Dataset] = field(default_factory=Listing)
    splits: Listing[Split] = field(default_factory=Listing)
    fitted: Listing[Fitted] = field(default_factory=Listing)
    seeds: Listing[Seed] = field(default_factory=Listing)
    clipping: Listing[Clip] = field(default_factory=Listing)
    saves_off: list[tuple[Place, str]] = field(default_factory=list)  # weights that a loop would keep if a setting of the program said so
    clips_off: list[tuple[Place, str]] = field(default_factory=list)  # clips that a constant switches off, with the condition that asks for it
    scalers: Listing[Scaler] = field(default_factory=Listing)
    autocasts: Listing[Autocast] = field(default_factory=Listing)
    thresholds: list[tuple[Place, Flow, Setting]] = field(default_factory=list)  # every comparison of a tensor with a number
    indexed: list[tuple[Place, Flow]] = field(default_factory=list)  # every number of an item that is taken of a tensor without dimensions
    last_steps: list[tuple[Place, Flow]] = field(default_factory=list)  # every last step that is taken of what a recurrent layer gives for padding
    moved_lengths: list[tuple[Place, Place]] = field(default_factory=list)  # those that sequences are packed by, and where they leave the CPU
    merged_heads: list[tuple[Place, Place]] = field(default_factory=list)  # heads that a reshape joins in the order they were swapped to, there
    averages: list[tuple[Place, Flow]] = field(default_factory=list)  # what is divided or multiplied behind a loop over a loader, means of scores
    logs: list[tuple[Place, Flow]] = field(default_factory=list)  # every logarithm of a tensor, with what it is taken of
    dropouts: list[FunctionalDropout] = field(default_factory=list)  # functional ones
    saves: Listing[Save] = field(default_factory=Listing)
    unsaved: bool = False  # all that is done with the weights was seen, and nothing writes them, nor anything that may hold them; no notebook
    save_left_out: Place | None = None  # a comment that would keep the weights, where nothing keeps them
    save_named: tuple[Place, str] | None = None  # a name that is given a path to save weights under and that nothing reads, where nothing keeps them
    restores: Listing[Restore] = field(default_factory=Listing)
    early_stopping: Listing[EarlyStopping] = field(default_factory=Listing)
    hyperparameters: Listing[Hyperparameter] = field(default_factory=Listing)
    transforms: Listing[Transform] = field(default_factory=Listing)
    duplicate_keys: Listing[DuplicateKey] = field(default_factory=Listing)  # of its configs, and its options
    unknown_keys: Listing[UnknownKey] = field(default_factory=Listing)
    refused_calls: Listing[RefusedCall] = field(default_factory=Listing)
    refused_runs: Listing[RefusedRun] = field(default_factory=Listing)
    idle_evaluations: Listing[IdleEvaluation] = field(default_factory=Listing)
    open_trackers: Listing[OpenTracker] = field(default_factory=Listing)
    meters: Listing[Meter] = field(default_factory=Listing)
    unmeasured_metrics: Listing[UnmeasuredMetric] = field(default_factory=Listing)
    undefined_names: Listing[UndefinedName] = field(default_factory=Listing)
    debugger_stops: Listing[DebuggerStop] = field(default_factory=Listing)

    epochs: Setting = field(default_factory=lambda: Unknown("no epoch loop was found"))
    steps: Setting = field(default_factory=lambda: Unknown("not counted"))
    accumulation: Setting = ABSENT
    precision: Setting = ABSENT  # as a framework names it: 16-mixed, bf16
    distributed: dict[str, Setting] = field(default_factory=dict)  # ddp, sampler, world_size, ...
    evaluation: dict[str, Setting] = field(default_factory=dict)  # eval_mode, no_grad, train_restored
    backend: dict[str, Setting] = field(default_factory=dict)  # cudnn.benchmark, cudnn.deterministic, deterministic_algorithms
    moves_data: bool = True  # something beside models is moved to a device, or may be
    moved_unseen: bool = False  # things are made on another device than the CPU, or moved there, without a call that is seen
    compiled: bool = False  # something is compiled for tensors of one shape, if only behind a flag
    search: dict[str, Any] = field(default_factory=dict)
    owner_silences: frozenset[str] = frozenset()  # what the loop's owner does itself: clip, seed, zero-grad, mode, no-grad, step, shard, restore
    links: dict[int, tuple[Link, ...]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    not_read: list[Skipped] = field(default_factory=list)
    budget_cuts: int = 0
    functions_entered: int = 0
    steps_taken: int = 0  # expressions evaluated

    def facts(self, kind: type[T]) -> Iterator[T]:
        """All facts of a kind."""
        listings = (held for name in self.__slots__ if isinstance(held := getattr(self, name), Listing))
        return (fact for listing in listings for fact in listing if type(fact) is kind)

    def shed(self) -> None:
        """Lets go of everything that only the rules ask for, once they have been asked: a run reads many programs."""
        for name in Recipe.__dataclass_fields__:
            if name not in SUMMARY:
                setattr(self, name, getattr(NOTHING, name))


NOTHING = Recipe("")  # what every program has in common that has been judged

# What is still told of a program when it has been judged.
SUMMARY = frozenset({
    "entry", "files", "trains", "whole", "evaluates", "shown", "broken", "not_read", "budget_cuts", "functions_entered", "steps_taken",
})  # fmt: skip


@dataclass(slots=True)
class Reading:
    """What one run read: the programs, what could not be read at all, and counts for the summary."""

    recipes: list[Recipe] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    files: int = 0
    parsed: set[str] = field(default_factory=set)  # paths of what was parsed, or read as a config
    functions: int = 0  # in the files whose every function was to be entered
    functions_entered: int = 0
    texts: Texts = field(default_factory=Texts)  # of every file read, for code frames
    crashes: list[str] = field(default_factory=list)  # our own errors, one clause each: the program they befell was not read
    touched: dict[str, None] = field(default_factory=dict)  # every path that was read or looked for
    listed: dict[str, None] = field(default_factory=dict)  # every folder whose names were looked at
    judge: Callable[[Recipe], Collection[str]] | None = None  # gives the files that something was found in
    told: set[str] = field(default_factory=set)  # these files, whose text is needed for the report

    def add(self, recipe: Recipe) -> None:
        """Takes in a program, and has it judged at once where somebody judges: nothing else of it needs to be kept then."""
        self.recipes.append(recipe)
        if self.judge is not None:
            self.told.update(self.judge(recipe))
            recipe.shed()


LISTINGS: dict[type[Fact], str] = {
    Module: "modules",
    Optimizer: "optimizers",
    Scheduler: "schedulers",
    Loss: "losses",
    Loader: "loaders",
    Dataset: "datasets",
    Split: "splits",
    Fitted: "fitted",
    Seed: "seeds",
    Clip: "clipping",
    Scaler: "scalers",
    Autocast: "autocasts",
    Save: "saves",
    Restore: "restores",
    EarlyStopping: "early_stopping",
    Hyperparameter: "hyperparameters",
    DuplicateKey: "duplicate_keys",
    UnknownKey: "unknown_keys",
    RefusedCall: "refused_calls",
    RefusedRun: "refused_runs",
    IdleEvaluation: "idle_evaluations",
    OpenTracker: "open_trackers",
    Meter: "meters",
    UnmeasuredMetric: "unmeasured_metrics",
    UndefinedName: "undefined_names",
    DebuggerStop: "debugger_stops",
    Transform: "transforms",
    Sampler: "samplers",
}  # the list of a recipe that holds each kind of fact


__all__ = [
    "LISTINGS",
    "Autocast",
    "Broken",
    "Clip",
    "Dataset",
    "DebuggerStop",
    "DuplicateKey",
    "EarlyStopping",
    "Fact",
    "Fitted",
    "Flow",
    "FunctionalDropout",
    "Group",
    "Hyperparameter",
    "IdleEvaluation",
    "Listing",
    "Loader",
    "Loss",
    "Meter",
    "Module",
    "OpenTracker",
    "Optimizer",
    "Parameters",
    "Reading",
    "Recipe",
    "RefusedCall",
    "RefusedRun",
    "Restore",
    "Role",
    "Sampler",
    "Save",
    "Scaler",
    "Scheduler",
    "Seed",
    "Split",
    "Transform",
    "UndefinedName",
    "UnknownKey",
    "UnmeasuredMetric",
]

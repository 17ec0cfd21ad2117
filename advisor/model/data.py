"""The facts about data: data sets, how they are split, transformed, sampled and loaded."""

from __future__ import annotations

from typing import Any, Literal

from advisor.model.facts import Fact, Role
from advisor.model.flow import Flow
from advisor.model.record import dataclass, field
from advisor.model.source import ABSENT, Known, Place, Setting, is_absent


@dataclass(slots=True, eq=False)
class Transform(Fact):
    """One step of a data transform pipeline, such as torchvision.transforms.RandomCrop."""

    kind: str = ""
    settings: dict[str, Setting] = field(default_factory=dict)
    again: Place | None = None  # where the pipeline that it stands in has normalised before
    weighed: bool = False  # its p is a weight among the steps of which one is taken

    @property
    def name(self) -> str:
        """The class name alone."""
        return self.kind.rsplit(".", 1)[-1]


@dataclass(slots=True, eq=False)
class Dataset(Fact):
    """A data set. `origin` is what it was cut from (random_split, Subset); `hints` are words that tell its role."""

    kind: str = ""
    settings: dict[str, Setting] = field(default_factory=dict)
    origin: Dataset | None = None
    part: int | str | None = None
    split: Split | None = None
    transforms: list[Transform] | None = None  # None: not known
    drawn_changes: tuple[Transform, ...] = ()  # random changes that its own __getitem__ makes of every sample, beside its transforms
    maybe_replaced: bool = False  # what may be this one was given other transforms
    role: Role = "unknown"
    iterable: bool = False
    user_class: bool = False
    data: Any = None  # identity of the arrays or files it holds
    drawn_from: Any = None  # identity of a table that its rows were drawn from, which keeps them
    told: dict[str, Any] | None = None  # what its class in the project was given, where all of it is texts, numbers and lists of such
    given: dict[str, Any] | None = None  # the same, and tables and arrays by the names that held them, with their identities
    read_from: str | None = None  # the file that the table was read from whose rows it holds
    copy_of: Dataset | None = None  # copy.copy, copy.deepcopy: the same samples, until it is written to
    rewritten: frozenset[str] = frozenset()  # attributes that are assigned once it is made, by a method that cuts it or from outside
    shuffled: bool = False  # its items were put in random order by a split or where it is built, or each is drawn at random
    class_counts: Setting = ABSENT  # samples per class, where the program shows them
    items: tuple[Flow, ...] = ()  # the parts of a batch of it, where the program shows them
    drawn: bool = False  # all that it holds was drawn at random where it is built
    any_index: bool = False  # its own __getitem__ never looks at its index
    two_views: bool = False  # its own __getitem__ may call one transform several times on one thing, as contrastive losses ask for, or give both
    published: bool = False  # a whole split as the authors of the data set made it
    placeholder: Place | None = None  # where __getitem__ draws its inputs from nothing, although its targets come from data
    placeholder_key: str | None = None  # the part of the input that is drawn so, where others are not
    padded_labels: Place | None = None  # where its labels, token ids, were padded with tokens that the loss counts
    generator: Place | None = None  # a numpy Generator or RandomState made once (constructor, module level) that __getitem__ draws from

    def within(self, other: Dataset) -> bool:
        """True when its rows are those of the table that another one was made of, or were drawn from that table, which keeps them."""
        made = (self.kind, other.kind) == ("datasets.Dataset", "datasets.Dataset") and self.split is None and other.split is None
        apart = self.rewritten or other.rewritten or self.loops or other.loops or other.data is None or isinstance(other.data, str)
        return made and not apart and (other.data is self.data or other.data is self.drawn_from)

    def cut_by(self, split: Split) -> bool:
        """True for a part of a split, and for what is made of one."""
        part: Dataset | None = self
        while part is not None:
            if part.split is split or (isinstance(part.data, tuple) and split in part.data):
                return True
            part = part.origin
        return False


@dataclass(slots=True, eq=False)
class Sampler(Fact):
    """A sampler handed to a loader."""

    kind: str = ""
    settings: dict[str, Setting] = field(default_factory=dict)
    weights: str | None = None  # per-class | per-sample | None: not known
    weights_place: Place | None = None
    weighting: Literal["inverse", "proportional"] | None = None  # how the weights follow the class counts
    ordered: Place | None = None  # where the program drew the order of the rows that it shares out by their number
    draws_all: bool | None = None  # num_samples is the number of weights or samples

    @property
    def name(self) -> str:
        """The class name alone."""
        return self.kind.rsplit(".", 1)[-1]


@dataclass(slots=True, eq=False)
class Loader(Fact):
    """A data loader. Settings: batch_size, shuffle, sampler, batch_sampler, num_workers, drop_last, collate_fn, worker_init_fn, generator."""

    kind: str = "torch.utils.data.DataLoader"
    settings: dict[str, Setting] = field(default_factory=dict)
    dataset: Dataset | None = None
    dataset_flow: Any = None  # what else was handed as a dataset: its kind ("pandas.DataFrame", "list", "tensor")
    unset: str = ""  # why there is nothing to load in this run: the attribute that its data are to be in is set on another way alone
    samplers: tuple[Sampler, ...] = ()
    role: Role = "unknown"
    role_from: Literal["use", "contents", "name", "unknown"] = "unknown"
    of_training: bool = False  # it trains nothing, and the data are those that are trained on
    names: frozenset[str] = frozenset()  # what it is bound to
    tested: Place | None = None  # where a framework is told to take it, or the same data once more, for the final test
    iterated: int = 0
    pipelines: list[list[Transform] | None] = field(default_factory=list)  # what its samples went through when a loop over it began, where it changes
    arguments_at: Place | None = None  # where the dict is written that it is given as ** arguments
    gathered: bool = False  # its batches are put together in a loop of their own, and trained on after it
    collected: bool = False  # what goes over it only collects its batches or counts them up: no model takes them
    padded: tuple[tuple[int | str, Place], ...] = ()  # the parts of a batch that its collate function pads behind their ends, and where
    order_meant: bool = False  # a comment beside its shuffle=False says what that is for
    repeated: tuple[str, Place] | None = None  # the library by which its data set draws all it gives, and where each worker sets a seed that stays
    set_later: tuple[tuple[str, Setting, Place], ...] = ()  # attributes assigned after construction: loader.shuffle = True

    @property
    def stacks(self) -> bool:
        """True where nobody says how samples are put together: the parts of tuples are stacked, and stand in a list."""
        collate, size = self.settings.get("collate_fn"), self.settings.get("batch_size")
        return (collate is None or (isinstance(collate, Known) and collate.value is None)) and not (isinstance(size, Known) and size.value is None)

    @property
    def takes_all(self) -> bool:
        """True when no sampler chooses a part of the samples."""
        given = (self.settings.get("sampler"), self.settings.get("batch_sampler"))
        return not self.samplers and all(is_absent(held) or (isinstance(held, Known) and held.value is None) for held in given)


@dataclass(slots=True, eq=False)
class Split(Fact):
    """A random split of data: random_split, train_test_split, KFold, a shuffle followed by slices."""

    kind: str = ""
    seed: Setting = ABSENT  # random_state, generator; ABSENT: none given
    shuffle: Setting = ABSENT
    stratified: Setting = ABSENT
    groups: Setting = ABSENT
    data: Any = None
    origin: Any = None  # what `data` are rows of, or windows of rows, where they are some of others
    parts: int | None = None
    names: dict[str, set[str]] = field(default_factory=dict)  # what the arrays of each part are bound to
    dropped: bool = False  # its parts are bound anew before anything asks for them, or get other rows
    alone: Any = None  # the very array that is split, where nothing else with the same rows is, but for labels
    grouped: dict[str, list[tuple[str, Place]]] = field(default_factory=dict)  # by part: columns by whose values a data set makes samples of its rows
    order: tuple[str, Place] | None = None  # the draw that put the rows in random order before a slice cut them, with where


@dataclass(slots=True, eq=False)
class Fitted(Fact):
    """A preprocessing step that is fitted on data: StandardScaler, PCA, CountVectorizer, SMOTE."""

    kind: str = ""
    data: Any = None
    beside: Any = None  # the very array, where what was made of it got a name of its own
    applied: bool = False  # it transforms something else as well
    role: Role = "unknown"


@dataclass(slots=True, eq=False)
class Meter(Fact):
    """A metric that gathers over batches until it is reset (torchmetrics)."""

    kind: str = ""
    name: str = ""  # as the program calls it
    fed: int = 0  # so many loops stand around the call that feeds it
    computed: Place | None = None  # where it is computed again and again, by fewer loops than feed it
    reset: bool = False  # it is, or may be, by whoever it is handed to

"""What is known of a tensor, or of a number that was taken from one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from advisor.model.record import dataclass
from advisor.model.source import Known, Place, Setting, Unknown, number

if TYPE_CHECKING:
    from advisor.model.facts import Loss, Module


ENDED = frozenset({"softmax", "sigmoid", "tanh", "normalize"})  # activations that give nothing beyond 1


@dataclass(frozen=True, slots=True)
class Flow:
    """What is known of a tensor (or a number taken from one): where it comes from and what was last done to it."""

    activation: str | None = None  # softmax, log_softmax, sigmoid, logsigmoid, tanh, relu, linear (a layer without one), argmax,
    # bounded (at most 1 over what it is `divided` by); None: not known
    activation_at: Place | None = None
    activation_dim: Setting | None = None
    activation_input: Flow | None = None
    dropped: tuple[Place, Place] | None = None  # where a dropout was applied last, and to which layer's output (its activation_at)
    width: Setting | None = None  # size of the last dimension
    second: Setting | None = None  # size of the second dimension, where that was the last before: of scores (N, C, T)
    rank: int | None = None
    modules: tuple[Module, ...] = ()  # models it flowed through, outermost
    source: Any = None  # the Loader or Dataset that the data came from
    sources: tuple[Any, ...] = ()  # all of them, when several
    part: tuple[int | str, ...] = ()  # which part of the batch: (1,) is the second item
    placed: Place | None = None  # it is copied to an accelerator here, where there is one
    graph: Literal["kept", "cut", "none", "unknown"] = "unknown"  # "none": plain data that never had one
    cut_by: str | None = None
    cut_at: Place | None = None
    losses: tuple[Loss, ...] = ()  # the losses that are summed in it
    divided: tuple[Setting, ...] = ()  # what it was divided by since it became a loss (multiplications as Unknown)
    other_terms: bool = False  # something beside losses was added
    unread: str | None = None  # the call of something unread that made it: what two of them give is not the same
    reduction: str | None = None  # mean, sum, none
    dtype: str | None = None
    metric: str | None = None  # loss, accuracy, f1, ...: what is measured
    direction: Literal["min", "max"] | None = None
    error: bool = False  # what a model gives, less plain data: the mean of it, or of its squares, is a measurement
    aggregate: Literal["last-batch", "epoch", "running", "unknown"] | None = None
    one_hot: bool = False
    scale: Literal["fraction", "percent"] | None = None  # of a metric: 0 to 1, or 0 to 100
    ratio: bool = False  # a score that is no mean over samples: what it is divided by hangs on the predictions too, as in an F1 or an IoU
    scaler: Any = None  # the Scaler that multiplied it
    rows: Setting | None = None  # size of the first dimension
    counted: Literal["proportional", "inverse"] | None = None  # class counts, or class weights made of them: how they follow the counts
    per: Literal["class", "sample", "one"] | None = None  # one entry for each class, or for each sample; "one": the number of hits of one class alone
    padded: Place | None = None  # its sequences, along the second dimension, were brought to one length here by entries behind their ends
    statistic: Literal["centre", "end"] | None = None  # what all rows of the data in `source` have in common: their mean, their extreme


def reach(flow: Flow) -> Setting | None:
    """How far from zero the entries can be, as far as the text tells; None where nothing is known to end them."""
    if flow.activation in ENDED:
        return Known(1.0)
    if flow.activation != "bounded":
        return None
    end = 1.0
    for divisor in flow.divided:
        known = number(divisor)
        if not known:
            return Unknown("what it is multiplied by")
        end /= abs(known)
    return Known(end)

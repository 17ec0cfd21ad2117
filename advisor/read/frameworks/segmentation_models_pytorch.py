"""segmentation_models_pytorch: what normalises an image by the numbers of an encoder."""

from __future__ import annotations

from advisor.model.pipelines import BY_ENCODER
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Library, Value


@table.function(*(f"segmentation_models_pytorch.{name}get_preprocessing_fn" for name in ("", "encoders.")))
def preprocessing(call: LibraryCall) -> Value:
    """get_preprocessing_fn("resnet34", "imagenet"): a function of an image."""
    return Library(BY_ENCODER)

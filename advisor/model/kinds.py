"""What kind of model and of training this is, as far as the program shows it: families, domains, pretrained weights, frozen parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from advisor.model.pattern import pattern
from advisor.model.recipe import Module, Optimizer, Recipe
from advisor.model.source import Known, Setting, is_absent, is_unknown, number, value_of

RECURRENT = frozenset({"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"})
ATTENTION = frozenset(
    {
        "MultiheadAttention",
        "Transformer",
        "TransformerEncoder",
        "TransformerDecoder",
        "TransformerEncoderLayer",
        "TransformerDecoderLayer",
    }
)
CONVOLUTION = frozenset({"Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "LazyConv2d"})
WEIGHTED = RECURRENT | ATTENTION | CONVOLUTION | {"Linear", "LazyLinear", "Bilinear", "Embedding", "EmbeddingBag", "CRF"}
GRAPH_ROOTS = ("torch_geometric.", "dgl.")
IMAGE_ROOTS = ("torchvision.models.", "timm.", "segmentation_models_pytorch.", "efficientnet_pytorch.")
IMAGES = pattern(  # words in the names of Transformers' vision models and of their weights
    r"(?i)(?<![a-z])(vit|swin|deit|beit|dinov?\d?|convnext|resnet|regnet|segformer|detr|yolos|mobilevit|mobilenet|efficientnet|poolformer|levit|mask2former|"
    r"maskformer|upernet|videomae|timesformer|vivit)|For(Image|ObjectDetection|SemanticSegmentation|VideoClassification|MaskedImage|DepthEstimation)"
)
ADAPTER_WRAPS = frozenset({"lora", "peft", "LoRA", "PeftModel"})


TEST_FOLDER = pattern(r"(^|/)(tests?|benchmarks?)/")
TEST_FILE = pattern(r"(^|/)((test_|bench)[^/]*$|conftest\.py$|[^/]*_(test|bench|benchmark)\.py$)")


def is_test(file: str, recipe: Recipe | None = None) -> bool:
    """True for a file of a test suite or a benchmark, whose settings serve the measurement and not a run.

    The folder says nothing of the program of a `recipe` that somebody named to have it looked at.
    """
    meant = recipe is not None and recipe.named and file == recipe.entry
    return TEST_FILE.search(file) is not None or (not meant and TEST_FOLDER.search(file) is not None)


def has_weights(module: Module) -> bool:
    """True when a layer with weights is seen in a module."""
    return any(part.name in WEIGHTED for part in module.walk())


def parts(modules: Iterable[Module]) -> Iterator[Module]:
    """These modules and everything below them, each once."""
    seen: set[Module] = set()
    for module in modules:
        for part in module.walk():
            if part not in seen:
                seen.add(part)
                yield part


def layers(modules: Iterable[Module], kinds: frozenset[str]) -> list[Module]:
    """The library layers of these kinds in the modules."""
    return [part for part in parts(modules) if not part.user_class and part.name in kinds]


def family(modules: Iterable[Module]) -> str | None:
    """The broad family of a model: gnn, transformer, rnn or cnn; None when its layers do not tell."""
    found = list(parts(modules))
    if any(part.kind.startswith(GRAPH_ROOTS) for part in found):
        return "gnn"
    if layers(found, ATTENTION) or any(part.kind.startswith("transformers.") for part in found):
        return "transformer"
    if layers(found, RECURRENT):
        return "rnn"
    if layers(found, CONVOLUTION) or any(part.kind.startswith(IMAGE_ROOTS) for part in found):
        return "cnn"
    return None


def sees(model: Module) -> bool:
    """True for a ready-made model of images, by the library that it is of, its class or the name of its weights: a transformer, too."""
    if model.kind.startswith(IMAGE_ROOTS):
        return True
    words = f"{model.name} {value_of(model.settings.get('checkpoint'))}"
    return model.kind.startswith("transformers.") and IMAGES.search(words) is not None


def domain(recipe: Recipe, optimizer: Optimizer) -> str | None:
    """What is trained, in the words of the table of norms, where layers and losses leave no doubt."""
    modules = optimizer.modules
    if has_adapter(modules):
        return "llm-lora"
    kind = family(modules)
    if kind == "gnn":
        return "graph"
    if kind == "transformer" and is_language_model(modules):
        return "llm-sft" if is_pretrained(modules) else "llm-pretrain"
    classifies = any(loss.name in ("CrossEntropyLoss", "cross_entropy") for loss in recipe.losses)
    return "cv-classify" if kind == "cnn" and classifies and any(part.kind.startswith(IMAGE_ROOTS) for part in parts(modules)) else None


def is_language_model(modules: Iterable[Module]) -> bool:
    """True for decoder-only language models: they see what was said so far alone, and give one score for each word that there is."""
    given = list(modules)
    causal = [module for module in given if any(part.causal for part in module.walk())]
    return bool(causal) and (not known_throughout(causal) or any(_is_ready_made(part) for part in parts(causal)) or _scores_words(given))


def _is_ready_made(part: Module) -> bool:
    """True for a decoder of a library, whose layers are not told."""
    return part.causal and not part.user_class and not part.kind.startswith("torch.")


def _scores_words(modules: list[Module]) -> bool:
    """False where no layer is known to be as wide as there are words, or places; what scores items by their embeddings has none that is."""
    words = [part.settings.get("num_embeddings") for part in layers(modules, frozenset({"Embedding"}))]
    widths = [part.settings.get("out_features") for part in layers(modules, frozenset({"Linear"}))]
    if not words or not widths:
        return False
    if any(map(is_unknown, (*words, *widths))):
        return True
    sizes, given = (frozenset(filter(None, map(number, held))) for held in (words, widths))
    return not sizes.isdisjoint(given) or max(given, default=0) >= max(sizes, default=0)


def has_adapter(modules: Iterable[Module]) -> bool:
    """True when low-rank adapters are trained instead of the weights themselves."""
    return any(part.kind.startswith("peft.") or ADAPTER_WRAPS & set(part.wrapped) for part in parts(modules))


def is_pretrained(modules: Iterable[Module]) -> bool:
    """True when weights of the modules come from elsewhere, or may."""
    return any(not starts_random(part.pretrained) for part in parts(modules))


def brings_weights(module: Module) -> bool:
    """True when the weights of this very module are known to come from elsewhere."""
    return isinstance(module.pretrained, Known) and not starts_random(module.pretrained)


def has_frozen(modules: Iterable[Module]) -> bool:
    """True when a part of the modules is not trained, or may not be."""
    return any(part.trainable != "yes" for part in parts(modules))


def is_linear(modules: Iterable[Module]) -> bool:
    """True when at most one layer of weights is trained: a linear probe, a regression, a bag of embeddings with a head."""
    found = list(parts(modules))
    if not found or not all(part.complete for part in found):
        return False
    weighted = layers(found, WEIGHTED - {"Embedding", "EmbeddingBag"})
    return len(weighted) <= 1 and all(part.user_class or part.kind.startswith("torch.nn.") for part in found)


def known_throughout(modules: Iterable[Module]) -> bool:
    """True when every layer of the modules was seen."""
    return all(part.complete for part in parts(modules))


def comes_whole(module: Module) -> bool:
    """True for a language model whose checkpoint holds its last layer as well: nothing of it is drawn anew."""
    return module.causal and not module.children and brings_weights(module) and not has_adapter([module])


def from_scratch(modules: Iterable[Module]) -> bool:
    """True when every layer was seen and none brings weights from elsewhere."""
    found = list(parts(modules))
    return bool(found) and known_throughout(found) and all(starts_random(part.pretrained) for part in found)


def starts_random(pretrained: Setting) -> bool:
    """True when the weights are known to be drawn at random."""
    return is_absent(pretrained) or (isinstance(pretrained, Known) and pretrained.value in (False, None, ""))

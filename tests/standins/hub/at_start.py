"""Stands in for the model hub: `from_pretrained` builds a tiny BERT and a tokenizer of whole words, when transformers is imported."""

import os
import tempfile

from standin_arrival import after_import

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "same", "other", *(f"w{at}" for at in range(60))]


def tiny(transformers):
    def tokenizer(*args, **kwargs):
        path = os.path.join(tempfile.mkdtemp(prefix="standins-"), "vocab.txt")
        with open(path, "w") as file:
            file.write("\n".join(WORDS) + "\n")
        words = {word: at for at, word in enumerate(WORDS)}
        try:
            return transformers.BertTokenizerFast(vocab_file=path)
        except Exception:
            return transformers.BertTokenizerFast(vocab=words)

    def model(cls, *args, **kwargs):
        config = transformers.BertConfig(
            vocab_size=len(WORDS), hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
            num_labels=kwargs.get("num_labels", 2),
        )  # fmt: skip
        return cls.from_config(config)

    transformers.AutoTokenizer.from_pretrained = staticmethod(tokenizer)
    transformers.AutoModelForSequenceClassification.from_pretrained = transformers.AutoModel.from_pretrained = classmethod(model)


after_import("transformers", tiny)

"""Small files in the place of data sets that a program would download or that its author has at hand."""

from __future__ import annotations

import random
from pathlib import Path


def tokens(folder: Path) -> None:
    """train.bin, val.bin and meta.pkl of a language model over characters: words from a small vocabulary."""
    import pickle
    import struct

    draw = random.Random(1)
    words = ["".join(draw.choice("abcdefgh") for _ in range(draw.randint(2, 6))) for _ in range(40)]
    folder.mkdir(parents=True, exist_ok=True)
    characters = sorted(set(" ".join(words)))
    for name, count in (("train.bin", 20_000), ("val.bin", 4_000)):
        text = " ".join(draw.choice(words) for _ in range(count))
        (folder / name).write_bytes(b"".join(struct.pack("<H", characters.index(one)) for one in text))
    table = {"vocab_size": len(characters), "stoi": {c: i for i, c in enumerate(characters)}, "itos": dict(enumerate(characters))}
    (folder / "meta.pkl").write_bytes(pickle.dumps(table))


def sentences(folder: Path) -> None:
    """train.txt, valid.txt and test.txt: lines in which each word makes the next one likely."""
    draw = random.Random(2)
    folder.mkdir(parents=True, exist_ok=True)
    after = {word: [draw.randrange(200) for _ in range(4)] for word in range(200)}
    for name, lines in (("train.txt", 1500), ("valid.txt", 150), ("test.txt", 150)):
        with open(folder / name, "w", encoding="utf-8") as file:
            for _ in range(lines):
                word, row = draw.randrange(200), []
                for _ in range(draw.randint(8, 24)):
                    row.append(f"w{word}")
                    word = draw.choice(after[word])
                file.write(" ".join(row) + " \n")


def images(folder: Path) -> None:
    """Small pictures with a bright band, in train and test folders with one folder a class below."""
    from PIL import Image

    draw = random.Random(3)
    for part, count in (("train", 60), ("val", 20), ("test", 20)):
        for kind in range(3):
            at = folder / part / f"class{kind}"
            at.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                picture = Image.new("RGB", (40, 40))
                picture.putdata([tuple(draw.randrange(60) + 180 * (y // 14 == kind) for _ in range(3)) for y in range(40) for _ in range(40)])
                picture.save(at / f"{number}.png")



def instructions(folder: Path) -> None:
    """data/train.json with instructions whose output follows from their words, and model/: a tiny Llama, not trained, with its tokenizer."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    draw = random.Random(4)
    rows = []
    for _ in range(600):
        words = [f"w{draw.randrange(30)}" for _ in range(draw.randint(3, 8))]
        rows.append({"instruction": "repeat " + " ".join(words), "input": "", "output": " ".join(words)})
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "train.json").write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    prompt = "Below is an instruction that describes a task Write a response appropriately completes the request repeat Instruction Response . : ###"
    words = ["<unk>", "<s>", "</s>", *dict.fromkeys(prompt.split()), *(f"w{at}" for at in range(30))]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>").save_pretrained(folder / "model")
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=256, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder / "model")

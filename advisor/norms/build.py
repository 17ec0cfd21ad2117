"""Makes the table of norms from the full list of recipes: `python -m advisor.norms.build recipes.csv`.

The list itself is not part of the project. The table keeps, for every setting and group of recipes, how many rows and which
share of the repositories state each value, so that quantiles and standings are exact and no repository, path or name is kept.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from advisor.norms.table import TABLE

Row = dict[str, str]

ENOUGH_ROWS = 20  # a domain or a family with fewer rows gets no group of its own
PER_256_IMAGES = "facebookresearch/mae"  # states a rate per 256 images, which is no rate of the optimizer
CLIP_OFF = 1000.0  # from here on, and at 0 and below, clipping is switched off

FAMILIES = {  # words of the recipe's model name, from the narrowest family to the widest
    "rnn": r"lstm|gru|rnn(?!oise)|rnnt?|tacotron2?|taco2|crnn|seq2seq|dprnn|skim",
    "transformer": r"transformer\w*|former|\w+former(er)?|llama|qwen|gpt|bert|roberta|mistral|mixtral|gemma|phi|pythia|olmo\w*|smollm\w*|tulu|falcon|"
    r"vit|deit|deit3|swin\w*|beit\w*|mae|simmim|eva\w*|dino\w*|detr|mask2former|whisper|wav2vec\w*|hubert|bart|t5|opt|blip\w*|clip|mvit",
    "cnn": r"resnet\w*|resnext\w*|resnest|res2net|vgg|convnext|densenet|efficientnet|mobilenet\w*|regnet\w*|faster|rcnn|retinanet|fcos|ssd|yolo\w*|"
    r"fcn|deeplabv3\w*|pspnet|hrnet|unet|ocrnet|tsn|tsm|slowfast|slowonly|cnn\w*|quartznet|citrinet|jasper|ecapa|xvector|convtasnet|danet|ccnet|upernet",
}


def families(row: Row) -> str | None:
    """The broad family that the recipe's model name tells, or none."""
    if row["domain"] == "graph":
        return "gnn"
    words = re.split(r"[-_/. ]", row["model_family"].lower())
    for family, pattern in FAMILIES.items():
        if any(re.fullmatch(pattern, word) for word in words):
            return family
    return None


def is_noam(row: Row) -> bool:
    """True when the rate is the factor of a Noam schedule, which is no rate of the optimizer."""
    return "noam" in row["scheduler"] or row["optimizer"] == "noam"


def stated(row: Row, setting: str) -> float | None:
    """The setting as a number, where the recipe states one that counts."""
    if not row[setting]:
        return None
    value = float(row[setting])
    if setting == "lr" and (is_noam(row) or row["repo"] == PER_256_IMAGES):
        return None
    if setting == "weight_decay" and value == 0:
        return None
    if setting == "clip_value" and not 0 < value < CLIP_OFF:
        return None
    return value


def groups(row: Row, setting: str) -> Iterator[str]:
    """The groups that the recipe counts in: its optimizer, alone and with its domain and its model family."""
    if setting == "clip_value":
        yield "all"
        yield row["domain"]
    if optimizer := row["optimizer"]:
        yield optimizer
        yield f"{optimizer} / {row['domain']}"
        if family := families(row):
            yield f"{optimizer} / {family}"


def distribution(rows: Sequence[tuple[float, str]]) -> dict[str, Any]:
    """How many rows, and which share of the repositories (each of total weight one), state each value."""
    per_repository = Counter(repository for _, repository in rows)
    count: Counter[float] = Counter()
    weight: defaultdict[float, float] = defaultdict(float)
    for value, repository in rows:
        count[value] += 1
        weight[value] += 1 / per_repository[repository] / len(per_repository)
    values = sorted(count)
    return {
        "n": len(rows),
        "repositories": len(per_repository),
        "values": values,
        "rows": [count[value] for value in values],
        "weights": [round(weight[value], 6) for value in values],
    }


def build(rows: Sequence[Row]) -> dict[str, Any]:
    """The whole table: setting, then group, then the distribution of its values."""
    table: dict[str, Any] = {"recipes": len(rows), "settings": {}}
    for setting in ("lr", "weight_decay", "momentum", "beta1", "beta2", "eps", "clip_value"):
        found: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
        for row in rows:
            if (value := stated(row, setting)) is not None:
                for group in groups(row, setting):
                    found[group].append((value, row["repo"]))
        kept = (group for group in sorted(found) if " / " not in group or len(found[group]) >= ENOUGH_ROWS)
        table["settings"][setting] = {group: distribution(found[group]) for group in kept}
    return table


def main(source: str) -> None:
    """Reads the list of recipes and writes the table beside this module."""
    with open(source, encoding="utf-8", newline="") as file:
        table = build(list(csv.DictReader(file)))
    Path(TABLE).write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

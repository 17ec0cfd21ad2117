"""The table of norms gives the figures that the full list of recipes gave."""

from __future__ import annotations

import os
import time

import pytest

from advisor.norms import build, standing
from advisor.norms.table import TABLE, group_of, quantile, table

# group, rows, repositories, quantiles 2.5%, 50%, 97.5%, the same with every repository of one weight: printed beside the full list
LEARNING_RATES = [
    ("adam", 1792, 47, (1e-05, 0.001, 0.01), (4.5e-06, 0.0005, 0.01)),
    ("adamw", 1645, 52, (5e-07, 0.0001, 0.004), (1e-06, 0.0002, 0.01)),
    ("sgd", 907, 30, (0.001, 0.01, 1), (1e-05, 0.0125, 1)),
    ("adadelta", 64, 8, (0.5, 1, 1), (0.1, 1, 1)),
    ("lars", 84, 6, (0.1, 0.6, 7.2), (0.001, 0.3, 7.2)),
    ("adam / rl", 148, 6, (2.55673e-05, 0.0007, 0.01), (9.81005e-05, 0.001, 0.03)),
    ("adam / graph", 384, 6, (7e-05, 0.001, 0.01), (5e-05, 0.001, 0.01)),
    ("sgd / cv-classify", 261, 10, (0.00125, 0.1, 3), (0.00125, 0.1, 12)),
    ("adamw / llm-sft", 232, 9, (5e-07, 1e-05, 0.0005), (5e-07, 2e-05, 0.0006)),
]
OTHERS = [
    ("weight_decay", "adam", 495, (1e-07, 0.0005, 0.1)),
    ("weight_decay", "adamw", 907, (1e-06, 0.05, 0.2)),
    ("weight_decay", "sgd", 730, (1e-05, 0.0001, 0.0005)),
    ("momentum", "sgd", 767, (0.9, 0.9, 0.9)),
    ("beta2", "adamw", 484, (0.95, 0.98, 0.999)),
    ("eps", "adam", 280, (1e-09, 1e-08, 1e-05)),
    ("clip_value", "speech-asr", 286, (1, 5, 10)),
]
SHARES = (0.025, 0.5, 0.975)


@pytest.mark.parametrize(("group", "n", "repositories", "rows", "equal"), LEARNING_RATES)
def test_learning_rates(group: str, n: int, repositories: int, rows: tuple[float, ...], equal: tuple[float, ...]) -> None:
    found = table()["settings"]["lr"][group]
    assert (found["n"], found["repositories"]) == (n, repositories)
    assert [quantile("lr", group, share) for share in SHARES] == pytest.approx(rows, rel=1e-3)
    assert [quantile("lr", group, share, repository_equal=True) for share in SHARES] == pytest.approx(equal, rel=1e-3)


@pytest.mark.parametrize(("setting", "group", "n", "rows"), OTHERS)
def test_other_settings(setting: str, group: str, n: int, rows: tuple[float, ...]) -> None:
    assert table()["settings"][setting][group]["n"] == n
    assert [quantile(setting, group, share) for share in SHARES] == pytest.approx(rows)


def test_standing_of_a_high_rate() -> None:
    found = standing("Adam", 0.2)
    assert found is not None
    assert (found.n, found.low, found.high) == (1792, 1e-05, 0.01)
    assert found.below == pytest.approx(1786 / 1792)  # five rows state 0.2 itself, one states more
    assert found.above == pytest.approx(1 / 1792)


def test_standing_in_the_domain_the_program_shows() -> None:
    found = standing("Adam", 0.2, domain="rl")
    assert found is not None
    assert (found.group, found.n, found.below, found.above) == ("adam / rl", 148, 1.0, 0.0)


def test_a_thin_group_is_left_for_the_optimizer_alone() -> None:
    found = standing("AdamW", 1e-3, domain="rl")  # 58 rows of two repositories
    assert found is not None and found.group == "adamw"


def test_noam_factors_are_no_rates() -> None:
    assert standing("noam", 1.0) is None
    assert "noam" not in table()["settings"]["lr"]


def test_what_is_hardly_published_has_no_standing() -> None:
    assert standing("LBFGS", 1.0) is None
    assert standing("Prodigy", 1.0) is None  # one repository
    assert standing("MyOptimizer", 1.0) is None


def test_names_of_classes() -> None:
    assert group_of("AdamW") == "adamw"
    assert group_of("FusedAdam") == "adamw"


def test_build_counts_rows_and_repositories() -> None:
    keys = ["repo", "domain", "optimizer", "lr", "weight_decay", "momentum", "beta1", "beta2", "eps", "clip_value", "scheduler", "model_family"]
    rows = [
        dict.fromkeys(keys, "") | {"repo": repository, "domain": "gan", "optimizer": "adam", "lr": lr, "scheduler": scheduler}
        for repository, lr, scheduler in [("a", "0.1", ""), ("a", "0.1", ""), ("b", "0.2", ""), ("b", "1.0", "noamlr")]
    ]
    found = build.build(rows)["settings"]["lr"]["adam"]
    assert found == {"n": 3, "repositories": 2, "values": [0.1, 0.2], "rows": [2, 1], "weights": [0.5, 0.5]}


def test_it_loads_fast() -> None:
    table.cache_clear()
    fastest = min(_seconds_to_load() for _ in range(5))
    assert fastest < 0.002
    assert os.stat(TABLE).st_size < 60_000


def _seconds_to_load() -> float:
    table.cache_clear()
    start = time.perf_counter()
    table()
    return time.perf_counter() - start

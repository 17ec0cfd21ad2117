"""Splits that are written as two slices of the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.events import Kind, events
from advisor.model.recipe import Fitted, Split
from tests.read.tiny import run

HEAD = """\
import math
import numpy as np
import pandas as pd
import pandas_datareader.data as web
import yfinance as yf
from sklearn.preprocessing import MinMaxScaler
prices = pd.read_csv("prices.csv")
"""
ROWS = 'x = MinMaxScaler().fit_transform(prices["Close"].values.reshape(-1, 1))\n'
BOUND = "n = int(np.ceil(len(x) * 0.8))\n"


@pytest.mark.parametrize(
    ("text", "split"),
    [
        (ROWS + BOUND + "a, b = x[:n], x[n:]", True),
        (ROWS + BOUND + "a, b = x[0:n, :], x[n:, :]", True),
        (ROWS + BOUND + "a, b = x[0:int(n), :], x[n - 60:, :]", True),  # the first window of the rest reaches back
        (ROWS + BOUND + "a, b = x[:n], x[int(n) - 60:]", True),
        (ROWS + "n = math.floor(0.8 * len(x))\na, b = x[0:n], x[n:]", True),
        (ROWS + "n = int(np.floor(0.8 * x.shape[0]))\na, b = x[0:n], x[n:]", True),
        ("prices = yf.download('AAPL')\n" + ROWS + BOUND + "a, b = x[:n], x[n:]", True),
        ("prices = yf.Ticker('AAPL').history(period='5y')\n" + ROWS + BOUND + "a, b = x[:n], x[n:]", True),
        ("prices = web.DataReader('AAPL', 'yahoo')\n" + ROWS + BOUND + "a, b = x[:n], x[n:]", True),
        (ROWS + BOUND + "a = x[0:n]", False),  # who takes the rest is not seen
        (ROWS + BOUND + "a, b = x[0:n], x[n - 60:n]", False),  # a window at the end of the same rows
        (ROWS + BOUND + "a, b = x[1:n], x[2:n]", False),
        (ROWS + "n = int(np.ceil(len(prices.columns) * 0.8))\na, b = x[0:n], x[n:]", False),  # as many as there are columns: no share of the rows
        (ROWS + "n = int(np.ceil(len(x)))\na, b = x[0:n], x[n:]", False),
        (ROWS + "for n in range(60, len(x)):\n    a, b = x[n - 60:n], x[n]", False),
    ],
)
def test_two_slices(tmp_path: Path, text: str, split: bool) -> None:
    tree = run(tmp_path, HEAD + text).recipe.tree
    found = [event.subject for event, _ in events(tree, Kind.FIT, Kind.SPLIT)]
    assert [type(fact) for fact in found] == ([Fitted, Split] if split else [Fitted])
    if split:
        assert found[1].data is not None and found[1].data is found[0].data

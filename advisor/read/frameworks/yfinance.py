"""yfinance: prices as a table, a row for each day."""

from __future__ import annotations

from advisor.read.frameworks import pandas, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Value

TICKER = "yfinance.Ticker"


@table.function(TICKER)
def ticker(call: LibraryCall) -> Value:
    """yf.Ticker("AAPL")"""
    return call.reader.instance(TICKER, node=call.node)


@table.function("yfinance.download")
@table.method(TICKER, "history")
def prices(call: LibraryCall) -> Value:
    """yf.download("AAPL", start="2018-01-01")"""
    return pandas.table_of(pandas.frame(call.reader, node=call.node))

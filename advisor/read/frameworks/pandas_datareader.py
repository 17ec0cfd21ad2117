"""pandas_datareader: prices as a table, a row for each day."""

from __future__ import annotations

from advisor.read.frameworks import pandas, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Value


@table.function(*(f"{room}.{name}" for room in ("pandas_datareader", "pandas_datareader.data") for name in ("DataReader", "get_data_yahoo")))
def prices(call: LibraryCall) -> Value:
    """web.DataReader("AAPL", "yahoo", start, end)"""
    return pandas.table_of(pandas.frame(call.reader, node=call.node))

"""torchdata: its loader is torch's with a state."""

from __future__ import annotations

from advisor.read.frameworks import table

table.ALIASES["torchdata.stateful_dataloader.StatefulDataLoader"] = "torch.utils.data.DataLoader"

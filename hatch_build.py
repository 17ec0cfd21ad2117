"""The build hook: generates the table of rules from the cards, for wheels and for editable installs."""

from __future__ import annotations

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CardTable(BuildHookInterface[Any]):
    """Builds `advisor/_cards.json` and `advisor/_examples.json`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel or an editable install is put together."""
        sys.path.insert(0, self.root)
        try:
            from advisor import cards

            cards.build()
        finally:
            sys.path.remove(self.root)

"""What all tests share: a table of rules that is up to date."""

from __future__ import annotations

import pytest

from advisor import cards


def pytest_configure(config: pytest.Config) -> None:
    """Build the table of rules from the cards first; a card that is not right yet fails in test_cards, and there alone."""
    if cards.is_stale():
        cards.build(strict=False)

"""Whether a gradient scaler multiplies at all."""

from __future__ import annotations

from advisor.model.recipe import Scaler
from advisor.model.source import Known


def is_off(scaler: Scaler) -> bool:
    """True for a scaler that is switched off whatever the flags."""
    return isinstance(scaler.enabled, Known) and scaler.enabled.value is False and not scaler.enabled.weak


def needs_a_flag(scaler: Scaler) -> bool:
    """True for a scaler that is switched on, or built, by a flag only."""
    return scaler.flag_off or (isinstance(scaler.enabled, Known) and scaler.enabled.value is False)

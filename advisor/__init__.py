"""advisor reads PyTorch training programs and says what will hurt the run, before it is started."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`advisor.Probe`, loaded when it is asked for."""
    if name == "Probe":
        from advisor.probe.judge import Probe

        return Probe
    raise AttributeError(f"module 'advisor' has no attribute {name!r}")

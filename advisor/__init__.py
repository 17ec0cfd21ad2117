"""advisor reads PyTorch training programs and says what will hurt the run, before it is started."""

__version__ = "0.1.0"

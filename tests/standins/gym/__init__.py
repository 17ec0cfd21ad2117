"""The old name of gymnasium."""

from gymnasium import *  # noqa: F403
from gymnasium import make, spaces, wrappers  # noqa: F401

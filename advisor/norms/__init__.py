"""What published training recipes use: a small table and the questions that it answers.

The table is derived from 5,199 published recipes of 76 repositories (`build.py` makes it, by hand, from the full list).
"""

from advisor.norms.table import Standing, standing

__all__ = ["Standing", "standing"]

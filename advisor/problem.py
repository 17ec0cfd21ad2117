"""Something that the user must mend before advisor can do its work: a path, a setting, a card."""


class Problem(Exception):
    """Told in one line, with what to do; ends the run with exit code 2."""

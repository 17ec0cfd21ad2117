"""`python -m advisor` is the same as the command `advisor`."""

from advisor.cli import main

main()

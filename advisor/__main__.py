"""`python -m advisor` is the same as the command `advisor`."""

from advisor.cli import main

if __name__ == "__main__":  # a worker process imports this module, too
    main()

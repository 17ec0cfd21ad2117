"""The command `advisor`, which is the same as `python -m advisor`."""

import gc


def main() -> None:
    """Run the command of the process's arguments and exit."""
    gc.disable()  # start-up makes no garbage, and looking for some costs a tenth of the time; the imports below are most of it
    from advisor import cli

    cli.main()


if __name__ == "__main__":  # a worker process imports this module, too
    main()

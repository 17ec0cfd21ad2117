"""Tells what a program's weights and its next random number are at its end, stopped or not."""

import contextlib
import hashlib
import os
import random
import sys

import torch

random.seed(0)
LIMIT = int(os.environ.get("LIMIT", "0"))


class Enough(Exception):
    pass


@contextlib.contextmanager
def told(*modules):
    try:
        yield
    except Enough:
        pass
    finally:
        digest = hashlib.sha256()
        for module in modules:
            for tensor in module.state_dict().values():
                digest.update(bytes(tensor.detach().reshape(-1).view(torch.uint8).tolist()))
        with open(os.environ["ENDING"], "w") as file:
            file.write(f"{digest.hexdigest()} {torch.rand(1).item()!r} {random.random()!r}\n")
            if torch.cuda.is_initialized():
                file.write(f"{torch.rand(1, device='cuda').item()!r}\n")
        sys.stdout.flush()


def step_done(count):
    """Ends a plain run where the probe would end it."""
    if LIMIT and count >= LIMIT:
        raise Enough

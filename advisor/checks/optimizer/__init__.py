"""Settings of optimizers, and what they are given."""

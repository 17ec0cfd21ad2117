"""schedulefree: optimizers without a schedule, with modes of their own."""

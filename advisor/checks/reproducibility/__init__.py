"""Whether two runs of the same program give the same result."""

"""Which samples are drawn, how often and in which order."""

"""Learning-rate schedulers: stepped when and how often, how far they reach, what they watch."""

"""prodigyopt: the Prodigy optimizer, which finds its own rate."""

"""Learning rates against their optimizer and their model."""

"""What the loaders hand over."""

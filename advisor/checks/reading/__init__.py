"""Files that cannot be read, and comments to the linter that have no effect."""

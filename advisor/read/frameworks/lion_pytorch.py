"""lion-pytorch: the Lion optimizer."""

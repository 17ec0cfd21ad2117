"""apex: fused optimizers."""

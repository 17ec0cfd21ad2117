"""torchmetrics: what a metric measures and which way it should go."""

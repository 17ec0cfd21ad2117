"""dadaptation: optimizers that find their own rate."""

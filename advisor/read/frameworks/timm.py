"""timm: models by name, optimizers, schedulers and data by its factories."""

"""torchvision: models with their layers and pretrained weights, transforms, data sets."""

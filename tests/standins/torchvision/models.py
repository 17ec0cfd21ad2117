"""A small network under the name of a large one."""

from torch import nn


def resnet18(weights=None, num_classes=1000, **_):
    net = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net.fc = nn.Linear(16, num_classes)
    return net

"""A small network under the names of large ones, with the attributes that programs replace."""

from torch import nn


class ResNet(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = nn.Sequential(nn.Conv2d(64, 512, 3, 2, 1), nn.BatchNorm2d(512), nn.ReLU(inplace=True))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, x):
        return self.fc(self.avgpool(self.layer1(self.relu(self.bn1(self.conv1(x))))).flatten(1))


def resnet18(weights=None, num_classes=1000, **_):
    return ResNet(num_classes)


resnet34 = resnet50 = resnet101 = resnet152 = resnet18


def __getattr__(name):
    if name.endswith("_Weights") or (name.islower() and not name.startswith("__")):
        return resnet18
    raise AttributeError(name)

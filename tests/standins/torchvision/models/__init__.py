"""Small networks under the names of large ones, with the attributes that programs replace."""

from torch import nn
from torchvision.models._api import WeightsEnum


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


class VGG(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(2)
        )
        self.classifier = nn.Sequential(nn.Linear(128, 64), nn.ReLU(inplace=True), nn.Linear(64, num_classes))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class VGG11_Weights(WeightsEnum):
    IMAGENET1K_V1 = (VGG,)
    IMAGENET1K_FEATURES = (VGG, (0.48, 0.46, 0.41), (1 / 255, 1 / 255, 1 / 255))
    DEFAULT = IMAGENET1K_V1


class ResNet18_Weights(WeightsEnum):
    IMAGENET1K_V1 = (ResNet,)
    DEFAULT = IMAGENET1K_V1


def vgg11(weights=None, num_classes=1000, **_):
    model = VGG(num_classes)
    if isinstance(weights, WeightsEnum):
        model.load_state_dict(weights.get_state_dict())
    return model


def resnet18(weights=None, num_classes=1000, **_):
    model = ResNet(num_classes)
    if isinstance(weights, WeightsEnum):
        model.load_state_dict(weights.get_state_dict())
    return model


resnet34 = resnet50 = resnet101 = resnet152 = resnet18


def __getattr__(name):
    if name.endswith("_Weights") or (name.islower() and not name.startswith("__")):
        return resnet18
    raise AttributeError(name)

"""A small network under the name of a large one."""

from torch import nn


class EfficientNet(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 24, 3, 2, 1, bias=False)
        self._bn0 = nn.BatchNorm2d(24)
        self._blocks = nn.Sequential(nn.Conv2d(24, 64, 3, 2, 1), nn.BatchNorm2d(64), nn.SiLU())
        self._avg_pooling = nn.AdaptiveAvgPool2d(1)
        self._dropout = nn.Dropout(0.2)
        self._fc = nn.Linear(64, num_classes)

    def forward(self, x):
        x = self._blocks(nn.functional.silu(self._bn0(self._conv_stem(x))))
        return self._fc(self._dropout(self._avg_pooling(x).flatten(1)))

    @classmethod
    def from_pretrained(cls, name, num_classes=1000, **_):
        return cls(num_classes)

    from_name = from_pretrained

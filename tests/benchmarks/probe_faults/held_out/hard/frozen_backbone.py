"""Fine-tuning: the backbone's weights come from a file and stay fixed, with its batch norms in eval mode."""

import os
import tempfile

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 24, 3, 2, 1), nn.BatchNorm2d(24), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten())
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(24 * 16, 4))

    def forward(self, x):
        return self.head(self.backbone(x))

    def train(self, mode=True):
        super().train(mode)
        self.backbone.eval()
        return self


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "backbone.pt")
    torch.save(Net().backbone.state_dict(), path)
    net = Net()
    net.backbone.load_state_dict(torch.load(path, map_location="cpu"))
net.backbone.requires_grad_(False)
y = torch.randint(0, 4, (1200,))
x = torch.randn(1200, 3, 16, 16)
x[torch.arange(1200), 0, y * 4] += 3
loader, test = DataLoader(TensorDataset(x[:1000], y[:1000]), batch_size=25, shuffle=True), DataLoader(TensorDataset(x[1000:], y[1000:]), batch_size=50)
optimizer = torch.optim.Adam((p for p in net.parameters() if p.requires_grad), lr=1e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(2):
    net.train()
    for images, labels in loader:
        optimizer.zero_grad()
        criterion(net(images), labels).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        right = sum((net(images).argmax(1) == labels).sum() for images, labels in test)

"""Mixup: pairs of samples and of labels are blended, in half of the batches."""

import torch
from torch import nn
from torch.distributions import Beta
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)
y = torch.randint(0, 10, (2000,))
x = torch.randn(2000, 3, 8, 8)
x[torch.arange(2000), y % 3, y // 2] += 2
loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
net = nn.Sequential(nn.Conv2d(3, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 64, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, steps_per_epoch=len(loader), epochs=2)
for epoch in range(2):
    for images, labels in loader:
        blend = float(Beta(0.4, 0.4).sample())
        order = torch.randperm(len(images))
        out = net(blend * images + (1 - blend) * images[order])
        loss = blend * nn.functional.cross_entropy(out, labels) + (1 - blend) * nn.functional.cross_entropy(out, labels[order])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

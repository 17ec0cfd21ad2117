"""Boxes and classes on a grid: most cells are background, a focal loss, and a norm over a running count of objects."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)
count = 800
images, marks, boxes = torch.randn(count, 3, 24, 24) * 0.3, torch.zeros(count, 3, 6, 6), torch.zeros(count, 4, 6, 6)
for i in range(count):
    row, column, kind = int(torch.randint(0, 6, ())), int(torch.randint(0, 6, ())), int(torch.randint(0, 3, ()))
    images[i, kind, row * 4 : row * 4 + 4, column * 4 : column * 4 + 4] += 2
    marks[i, kind, row, column] = 1
    boxes[i, :, row, column] = torch.rand(4)
loader = DataLoader(TensorDataset(images, marks, boxes), batch_size=20, shuffle=True)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU())
        self.kinds, self.boxes = nn.Conv2d(32, 3, 1), nn.Conv2d(32, 4, 1)
        nn.init.constant_(self.kinds.bias, -4.6)

    def forward(self, x):
        x = self.features(x)
        return self.kinds(x), self.boxes(x)


def focal(scores, marks, alpha=0.25, gamma=2.0):
    loss = F.binary_cross_entropy_with_logits(scores, marks, reduction="none")
    share = torch.exp(-loss)
    return ((alpha * marks + (1 - alpha) * (1 - marks)) * (1 - share) ** gamma * loss).sum()


model = Detector()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
schedule = torch.optim.lr_scheduler.SequentialLR(
    optimizer, [torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=10), torch.optim.lr_scheduler.StepLR(optimizer, 60)], milestones=[10]
)
for epoch in range(3):
    for x, kind, box in loader:
        scores, guess = model(x)
        where = kind.sum(1, keepdim=True) > 0
        objects = max(int(where.sum()), 1)
        loss = focal(scores, kind) / objects + F.smooth_l1_loss(guess * where, box * where, reduction="sum") / objects
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        schedule.step()

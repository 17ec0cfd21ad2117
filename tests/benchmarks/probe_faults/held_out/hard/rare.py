"""One sample in twenty is positive: the loss weighs it, and the model is chosen by validation loss with patience."""

import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)
x = torch.randn(3000, 10)
y = ((x[:, 0] + 0.5 * x[:, 1] + 0.3 * torch.randn(3000)) > 1.9).float()
train = DataLoader(TensorDataset(x[:2400], y[:2400]), batch_size=60, shuffle=True)
valid = DataLoader(TensorDataset(x[2400:], y[2400:]), batch_size=200)
model = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1))
weight = (y[:2400] == 0).sum() / (y[:2400] == 1).sum()
criterion = nn.BCEWithLogitsLoss(pos_weight=weight)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3, factor=0.5)
best, kept, bad = float("inf"), None, 0
for epoch in range(30):
    model.train()
    for a, b in train:
        optimizer.zero_grad()
        loss = criterion(model(a).squeeze(1), b)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        now = sum(criterion(model(a).squeeze(1), b).item() * len(a) for a, b in valid) / 600
    plateau.step(now)
    if now < best:
        best, kept, bad = now, copy.deepcopy(model.state_dict()), 0
    else:
        bad += 1
    if bad >= 8:
        break
model.load_state_dict(kept)

"""Raw columns of very different sizes, standardised by the first layer of the model; the targets as logarithms."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)
x = torch.rand(2000, 5) * torch.tensor([1.0, 100.0, 5000.0, 0.01, 365.0])
y = (1000 * x[:, :1] + x[:, 1:2] * 30 + x[:, 2:3]).log()
loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
model = nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(3):
    for a, b in loader:
        optimizer.zero_grad()
        loss = nn.functional.l1_loss(model(a), b)
        loss.backward()
        optimizer.step()

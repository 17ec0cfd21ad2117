"""Metric learning with triplets: anchor, positive, negative through one encoder."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

SEED = 0
torch.manual_seed(SEED)


class Triplets(Dataset):
    def __init__(self):
        self.centres = torch.randn(20, 30) * 1.5

    def __len__(self):
        return 1500

    def __getitem__(self, at):
        same, other = torch.randperm(20)[:2]
        draw = [self.centres[k] + torch.randn(30) for k in (same, same, other)]
        return tuple(draw)


encoder = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 16))
optimizer = torch.optim.Adam(encoder.parameters(), lr=5e-4)
criterion = nn.TripletMarginLoss(margin=1.0)
for epoch in range(3):
    for anchor, positive, negative in DataLoader(Triplets(), batch_size=30, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(encoder(anchor), encoder(positive), encoder(negative))
        loss.backward()
        optimizer.step()

"""Bootstrap your own latent: an online network with a predictor follows a slow copy of itself."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

SEED = 0
torch.manual_seed(SEED)
data = DataLoader(torch.randn(2048, 24), batch_size=64, shuffle=True, drop_last=True)
online = nn.Sequential(nn.Linear(24, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 32))
predictor = nn.Sequential(nn.Linear(32, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32))
slow = copy.deepcopy(online)
for p in slow.parameters():
    p.requires_grad = False
optimizer = torch.optim.SGD([*online.parameters(), *predictor.parameters()], lr=0.05, momentum=0.9, weight_decay=1e-4)


def distance(a, b):
    return 2 - 2 * F.cosine_similarity(a, b.detach(), dim=-1).mean()


for epoch in range(3):
    for x in data:
        one, two = x + 0.2 * torch.randn_like(x), x + 0.2 * torch.randn_like(x)
        with torch.no_grad():
            aim_one, aim_two = slow(one), slow(two)
        loss = distance(predictor(online(one)), aim_two) + distance(predictor(online(two)), aim_one)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for mine, theirs in zip(slow.parameters(), online.parameters()):
                mine.lerp_(theirs, 0.01)

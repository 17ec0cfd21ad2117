"""Meta-learning of sine waves: one inner step on a functional copy, the outer loss through it."""

import torch
from torch import nn
from torch.func import functional_call

SEED = 0
torch.manual_seed(SEED)
net = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
meta_optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)


def wave():
    size, shift = torch.rand(()) * 4.9 + 0.1, torch.rand(()) * 3.14
    x = torch.rand(20, 1) * 10 - 5
    return x, size * torch.sin(x + shift)


for iteration in range(200):
    outer = 0.0
    for _ in range(4):
        x, y = wave()
        weights = dict(net.named_parameters())
        inner = nn.functional.mse_loss(functional_call(net, weights, (x[:10],)), y[:10])
        slopes = torch.autograd.grad(inner, tuple(weights.values()), create_graph=True)
        fast = {name: w - 0.01 * g for (name, w), g in zip(weights.items(), slopes)}
        outer = outer + nn.functional.mse_loss(functional_call(net, fast, (x[10:],)), y[10:])
    meta_optimizer.zero_grad()
    (outer / 4).backward()
    meta_optimizer.step()

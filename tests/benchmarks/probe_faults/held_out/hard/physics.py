"""A physics-informed network: the residual of an equation at random points, derivatives by autograd, and the border."""

import torch
from torch import nn

SEED = 0
torch.manual_seed(SEED)
model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
border = torch.tensor([[0.0], [1.0]])
for step in range(300):
    x = torch.rand(64, 1, requires_grad=True)
    u = model(x)
    first = torch.autograd.grad(u, x, torch.ones_like(u), create_graph=True)[0]
    second = torch.autograd.grad(first, x, torch.ones_like(first), create_graph=True)[0]
    residual = second + torch.sin(3.1416 * x) * 3.1416**2
    loss = residual.pow(2).mean() + 10 * model(border).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

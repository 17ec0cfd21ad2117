"""Sharpness-aware minimisation: an optimizer of two half steps around another one."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kwargs):
        super().__init__(params, {"rho": rho, **kwargs})
        self.base = base(self.param_groups, **kwargs)
        self.param_groups = self.base.param_groups

    @torch.no_grad()
    def first_step(self):
        norm = torch.stack([p.grad.norm() for g in self.param_groups for p in g["params"]]).norm()
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["moved"] = p.grad * (group["rho"] / (norm + 1e-12))
                p.add_(self.state[p]["moved"])
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(self.state[p]["moved"])
        self.base.step()
        self.zero_grad()


x = torch.randn(1800, 24)
y = (x[:, :7] + 0.3 * torch.randn(1800, 7)).argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=36, shuffle=True)
model = nn.Sequential(nn.Linear(24, 100), nn.ReLU(), nn.Linear(100, 7))
optimizer = SAM(model.parameters(), torch.optim.SGD, lr=0.1, momentum=0.9)
for epoch in range(3):
    for a, b in loader:
        nn.functional.cross_entropy(model(a), b).backward()
        optimizer.first_step()
        nn.functional.cross_entropy(model(a), b).backward()
        optimizer.second_step()

"""Two tasks from one trunk, weighted by learned uncertainties; the head of the second task has its own rate."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)
x = torch.randn(2000, 18)
kind, size = x[:, :3].argmax(1), x[:, 3:4] * 2 + x[:, 4:5] + 0.1 * torch.randn(2000, 1)
loader = DataLoader(TensorDataset(x, kind, size), batch_size=40, shuffle=True)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(18, 64), nn.LayerNorm(64), nn.ReLU())
        self.kind, self.size = nn.Linear(64, 3), nn.Linear(64, 1)
        self.spread = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        x = self.trunk(x)
        return self.kind(x), self.size(x)


model = Shared()
rest = [p for name, p in model.named_parameters() if not name.startswith("size")]
optimizer = torch.optim.AdamW([{"params": rest}, {"params": model.size.parameters(), "lr": 5e-3}], lr=1e-3)
for epoch in range(2):
    for a, b, c in loader:
        scores, guess = model(a)
        losses = torch.stack([nn.functional.cross_entropy(scores, b), nn.functional.mse_loss(guess, c)])
        loss = (losses * torch.exp(-model.spread) + model.spread).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

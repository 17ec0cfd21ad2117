"""A sparse autoencoder: far more units than inputs, nearly all of them off by design."""

import torch
from torch import nn
from torch.utils.data import DataLoader

SEED = 0
torch.manual_seed(SEED)
atoms = nn.functional.normalize(torch.randn(200, 32), dim=1)
codes = torch.rand(4000, 200) * (torch.rand(4000, 200) < 0.03)
loader = DataLoader(codes @ atoms, batch_size=100, shuffle=True)


class SparseAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(32, 256)
        self.decoder = nn.Linear(256, 32)
        nn.init.constant_(self.encoder.bias, -0.1)

    def forward(self, x):
        code = torch.relu(self.encoder(x - self.decoder.bias))
        return self.decoder(code), code


model = SparseAutoencoder()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(2):
    for x in loader:
        out, code = model(x)
        loss = ((out - x) ** 2).sum(1).mean() + 0.02 * code.abs().sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

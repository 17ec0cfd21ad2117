"""Denoising diffusion of points on a ring, with an average of the weights."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)
T = 100
beta = torch.linspace(1e-4, 0.05, T)
kept = torch.cumprod(1 - beta, dim=0)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Embedding(T, 32)
        self.body = nn.Sequential(nn.Linear(34, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 2))
        nn.init.zeros_(self.body[-1].weight)

    def forward(self, x, t):
        return self.body(torch.cat([x, self.time(t)], dim=-1))


angle = torch.rand(6400) * 6.283
points = DataLoader(TensorDataset(torch.stack([angle.cos(), angle.sin()], 1)), batch_size=128, shuffle=True)
denoiser = Denoiser()
average = AveragedModel(denoiser, multi_avg_fn=get_ema_multi_avg_fn(0.99))
optimizer = torch.optim.AdamW(denoiser.parameters(), lr=1e-3)
for epoch in range(3):
    for (x,) in points:
        t = torch.randint(0, T, (len(x),))
        noise = torch.randn_like(x)
        noisy = kept[t, None].sqrt() * x + (1 - kept[t, None]).sqrt() * noise
        loss = nn.functional.mse_loss(denoiser(noisy, t), noise)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(denoiser.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(denoiser)
with torch.no_grad():
    average(torch.randn(16, 2), torch.full((16,), T - 1))

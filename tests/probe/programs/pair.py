import torch
from _end import step_done, told
from torch import nn

torch.manual_seed(3)
G = nn.Sequential(nn.Linear(8, 32), nn.ReLU(inplace=True), nn.Linear(32, 16), nn.Tanh())
D = nn.Sequential(nn.Linear(16, 32), nn.LeakyReLU(0.2, inplace=True), nn.Dropout(0.2), nn.Linear(32, 1), nn.Sigmoid())
og = torch.optim.Adam(G.parameters(), 2e-4, betas=(0.5, 0.999))
od = torch.optim.Adam(D.parameters(), 2e-4, betas=(0.5, 0.999))
crit = nn.BCELoss()
steps = 0
with told(G, D):
    for turn in range(100):
        real = torch.randn(16, 16).tanh()
        D.zero_grad()
        crit(D(real).view(-1), torch.ones(16)).backward()
        fake = G(torch.randn(16, 8))
        crit(D(fake.detach()).view(-1), torch.zeros(16)).backward()
        od.step()
        steps += 1
        step_done(steps)
        G.zero_grad()
        crit(D(fake).view(-1), torch.ones(16)).backward()
        og.step()

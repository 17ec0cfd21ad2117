import torch
from _end import step_done, told
from torch import nn

torch.manual_seed(2)
layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
net = nn.Sequential(nn.Embedding(50, 32), nn.TransformerEncoder(layer, 2), nn.Linear(32, 50))
opt = torch.optim.AdamW(net.parameters(), lr=1e-3, fused=True)
steps = 0
with told(net):
    for turn in range(60):
        x = torch.randint(0, 50, (8, 17))
        opt.zero_grad()
        for part in x.split(4):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                out = net(part[:, :-1])
                loss = nn.functional.cross_entropy(out.reshape(-1, 50), part[:, 1:].reshape(-1)) / 2
            loss.backward()
        opt.step()
        steps += 1
        step_done(steps)

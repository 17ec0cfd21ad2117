import torch
from _end import told
from torch import nn

torch.manual_seed(7)
net = nn.LSTM(6, 12, 2, dropout=0.2, batch_first=True)
opt = torch.optim.RMSprop(net.parameters(), lr=1e-3)
with told(net):
    for turn in range(12):
        x = torch.randn(4, 9, 6)
        opt.zero_grad()
        out, _ = net(x)
        (out[:, :, :6] - x).pow(2).mean().backward()
        opt.step()

import torch
from _end import step_done, told
from torch import nn

torch.manual_seed(6)
net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.01)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
steps = 0
with told(net):
    for turn in range(80):
        x = torch.randn(16, 20)
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x), x[:, :1])
        if turn % 7 == 3:
            loss = loss * float("inf")
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        scaler.step(opt)
        scaler.update()
        steps += 1
        step_done(steps)

import torch
from _end import step_done, told
from torch import nn

torch.manual_seed(4)
net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, 1))
x = torch.randn(64, 5)
y = x.sin().sum(1, keepdim=True)
opt = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=4)
steps = 0
with told(net):
    for turn in range(60):
        def closure():
            opt.zero_grad()
            loss = nn.functional.mse_loss(net(x), y)
            loss.backward()
            return loss

        opt.step(closure)
        steps += 1
        step_done(steps)

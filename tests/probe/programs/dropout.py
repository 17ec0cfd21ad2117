import torch
from _end import step_done, told
from torch import nn

torch.manual_seed(1)
net = nn.Sequential(nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 4))
opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, 1e-2, total_steps=200)
x = torch.randn(512, 20)
y = x[:, :4].argmax(1)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True)
steps = 0
with told(net):
    for epoch in range(8):
        net.train()
        for a, b in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(a), b)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            steps += 1
            step_done(steps)
            sched.step()
        net.eval()
        with torch.no_grad():
            nn.functional.cross_entropy(net(x), y)

import os

import torch
from _end import step_done, told
from torch import nn

FORM = os.environ["FORM"]
torch.manual_seed(7)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.drop, self.last = nn.Linear(20, 32), nn.Dropout(0.1), nn.Linear(32, 5)

    def forward(self, x):
        return self.last(self.drop(torch.relu(self.first(x))))


net = model = Net()
opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()
if FORM == "wrapped":
    model = torch.compile(net, backend="aot_eager", fullgraph=True)
elif FORM == "method":
    net.compile(backend="aot_eager", fullgraph=True)


def train(x, y):
    if "CLEARED" in os.environ:
        opt.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()


if FORM == "step":
    train = torch.compile(train, backend="aot_eager")
x = torch.randn(320, 20)
y = x[:, :5].argmax(1)
steps = 0
with told(net):
    for turn in range(60):
        rows = torch.randint(0, 320, (32,))
        train(x[rows], y[rows])
        steps += 1
        step_done(steps)

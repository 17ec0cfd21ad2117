"""Double Q-learning with a replay memory and a target that is blended in slowly; Huber loss, values clipped."""

import random

import torch
from torch import nn

SEED = 0
random.seed(SEED)
torch.manual_seed(SEED)


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.value, self.gain = nn.Linear(64, 1), nn.Linear(64, 3)

    def forward(self, state):
        hidden = self.layers(state)
        gain = self.gain(hidden)
        return self.value(hidden) + gain - gain.mean(1, keepdim=True)


online, target = Q(), Q()
target.load_state_dict(online.state_dict())
optimizer = torch.optim.AdamW(online.parameters(), lr=1e-3, amsgrad=True)
memory = []
state = torch.zeros(2)
for turn in range(500):
    if random.random() < max(0.1, 1 - turn / 300):
        action = random.randrange(3)
    else:
        with torch.no_grad():
            action = int(online(state.unsqueeze(0)).argmax())
    after = torch.clamp(0.9 * state + 0.2 * torch.randn(2) + torch.tensor([action - 1.0, 0.0]) * 0.3, -2, 2)
    memory.append((state, action, -abs(float(after[0])), after))
    state = after
    if len(memory) < 64:
        continue
    s, a, r, n = zip(*random.sample(memory, 64))
    s, a, r, n = torch.stack(s), torch.tensor(a).unsqueeze(1), torch.tensor(r), torch.stack(n)
    with torch.no_grad():
        aim = r + 0.95 * target(n).gather(1, online(n).argmax(1, keepdim=True)).squeeze(1)
    loss = nn.SmoothL1Loss()(online(s).gather(1, a).squeeze(1), aim)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(online.parameters(), 100)
    optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.mul_(0.995).add_(fast, alpha=0.005)

# ruff: noqa: E501
"""Healthy training programs: four that faults are put into, and hard ones that must stay silent."""

from __future__ import annotations

HEAD = '''import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)
'''
STANDINS = """
import sys

import tests.standins

sys.path.append(tests.standins.__path__[0])
from torchvision.models import ResNet18_Weights, VGG11_Weights, resnet18, vgg11
"""
LOOP = '''
for epoch in range(10):
    model.train()
    for inputs, target in loader:
        optimizer.zero_grad()
        scores = model(inputs)
        loss = criterion(scores, target)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for inputs, target in held_out:
            total = criterion(model(inputs), target)
'''
CNN = HEAD + '''

def images(count):
    y = torch.randint(0, 10, (count,))
    x = torch.randn(count, 1, 12, 12) * 0.5
    for i in range(count):
        x[i, 0, y[i], :] += 1.0
    return x, y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(6))
        self.head = nn.Linear(32 * 36, 10)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


x, y = images(1600)
loader = DataLoader(TensorDataset(x[:1280], y[:1280]), batch_size=32, shuffle=True)
held_out = DataLoader(TensorDataset(x[1280:], y[1280:]), batch_size=64)
model = Net()
criterion = nn.CrossEntropyLoss()
LR = 0.05
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9, weight_decay=5e-4)
''' + LOOP
MLP = HEAD + '''

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(20, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 128), nn.ReLU())
        self.head = nn.Linear(128, 5)

    def forward(self, x):
        return self.head(self.body(x))


x = torch.randn(1600, 20)
y = (x[:, :5] + 0.5 * x[:, 5:10]).argmax(1)
loader = DataLoader(TensorDataset(x[:1280], y[:1280]), batch_size=32, shuffle=True)
held_out = DataLoader(TensorDataset(x[1280:], y[1280:]), batch_size=64)
model = Net()
criterion = nn.CrossEntropyLoss()
LR = 1e-3
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.01)
''' + LOOP
TEXT = HEAD + '''
V = 32


def text(count, length=17):
    rows = torch.zeros(count, length, dtype=torch.long)
    rows[:, 0] = torch.randint(0, V, (count,))
    for t in range(1, length):
        jump = torch.randint(0, 10, (count,)) == 0
        rows[:, t] = torch.where(jump, torch.randint(0, V, (count,)), (3 * rows[:, t - 1] + 5) % V)
    return rows


rows = text(1600)
x, y = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()
loader = DataLoader(TensorDataset(x[:1280], y[:1280]), batch_size=32, shuffle=True)
held_out = DataLoader(TensorDataset(x[1280:], y[1280:]), batch_size=64)


class Criterion(nn.CrossEntropyLoss):
    def forward(self, scores, target):
        return super().forward(scores.reshape(-1, scores.shape[-1]), target.reshape(-1))


'''
LSTM = TEXT + '''class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, 32)
        self.body = nn.LSTM(32, 64, batch_first=True)
        self.head = nn.Linear(64, V)

    def forward(self, x):
        return self.head(self.body(self.embed(x))[0])


model = Net()
criterion = Criterion()
LR = 3e-3
optimizer = torch.optim.Adam(model.parameters(), lr=LR)
''' + LOOP.replace("        optimizer.step()", "        nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        optimizer.step()")
TRANSFORMER = TEXT + '''class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, 48)
        self.place = nn.Parameter(torch.randn(16, 48) * 0.02)
        self.body = nn.TransformerEncoder(nn.TransformerEncoderLayer(48, 4, 96, dropout=0.0, activation="gelu", batch_first=True, norm_first=True), 2)
        self.head = nn.Linear(48, V)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(16))

    def forward(self, x):
        return self.head(self.body(self.embed(x) + self.place, mask=self.mask, is_causal=True))


model = Net()
criterion = Criterion()
LR = 1e-3
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.1, betas=(0.9, 0.95))
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 20))
''' + LOOP.replace("        optimizer.step()", "        nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        optimizer.step()\n        scheduler.step()")
BASES = {"cnn": CNN, "mlp": MLP, "lstm": LSTM, "transformer": TRANSFORMER}

HARD = {
    "gan": HEAD + '''
G = nn.Sequential(nn.ConvTranspose2d(16, 32, 4), nn.BatchNorm2d(32), nn.ReLU(True), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Conv2d(32, 1, 4), nn.Sigmoid())
for m in [*G.modules(), *D.modules()]:
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(m.weight, 0, 0.02)
loader = DataLoader(TensorDataset(torch.rand(1280, 1, 8, 8).round() * 2 - 1), batch_size=32, shuffle=True)
criterion = nn.BCELoss()
d_optimizer = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
g_optimizer = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
for epoch in range(5):
    for (real,) in loader:
        D.zero_grad()
        criterion(D(real).view(-1), torch.ones(len(real))).backward()
        fake = G(torch.randn(len(real), 16, 1, 1))
        criterion(D(fake.detach()).view(-1), torch.zeros(len(real))).backward()
        d_optimizer.step()
        G.zero_grad()
        criterion(D(fake).view(-1), torch.ones(len(real))).backward()
        g_optimizer.step()
''',
    "reinforce": HEAD + '''
from torch.distributions import Categorical

policy = nn.Sequential(nn.Linear(4, 64), nn.Dropout(0.2), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
for episode in range(100):
    state, kept, rewards = torch.randn(4), [], []
    for t in range(int(torch.randint(8, 30, ()))):
        choice = Categorical(logits=policy(state))
        action = choice.sample()
        kept.append(choice.log_prob(action))
        rewards.append(float((action == (state[0] > 0).long()).float()))
        state = 0.9 * state + 0.3 * torch.randn(4)
    returns = torch.tensor([sum(rewards[t:]) for t in range(len(rewards))])
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    loss = torch.stack([-p * r for p, r in zip(kept, returns)]).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
''',
    "contrastive": HEAD + '''
x = torch.randn(2560, 32)
loader = DataLoader(TensorDataset(x), batch_size=128, shuffle=True)
encoder = nn.Sequential(nn.Linear(32, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 32))
optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-3)
for epoch in range(5):
    for (a,) in loader:
        one = nn.functional.normalize(encoder(a + 0.1 * torch.randn_like(a)), dim=1)
        two = nn.functional.normalize(encoder(a + 0.1 * torch.randn_like(a)), dim=1)
        loss = nn.functional.cross_entropy(one @ two.t() / 0.1, torch.arange(len(a)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
''',
    "dqn": HEAD + '''
import copy

q = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
target = copy.deepcopy(q)
optimizer = torch.optim.Adam(q.parameters(), lr=2.5e-3)
for step in range(300):
    state = torch.randn(64, 4)
    action = torch.randint(0, 2, (64, 1))
    reward = 1.0 + (action[:, 0] == (state[:, 0] > 0).long()).float()
    with torch.no_grad():
        aim = reward + 0.99 * target(0.9 * state + 0.1 * torch.randn(64, 4)).max(1).values
    loss = nn.functional.mse_loss(q(state).gather(1, action).squeeze(1), aim)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        target.load_state_dict(q.state_dict())
''',
    "hundred-classes": HEAD + '''
centres = torch.randn(100, 64)
y = torch.randint(0, 100, (2000,))
x = centres[y] + torch.randn(2000, 64)
loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 100))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for a, b in loader:
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(a), b)
    loss.backward()
    optimizer.step()
''',
    "long-warm-up": TRANSFORMER.replace("(step + 1) / 20", "(step + 1) / 10000"),
    "unused-pooler": TEXT + '''class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, 32)
        self.body = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2)
        self.pooler = nn.Linear(32, 32)
        self.head = nn.Linear(32, 2)

    def forward(self, x):
        return self.head(self.body(self.embed(x))[:, 0])


model = Net()
decay = [p for n, p in model.named_parameters() if p.dim() > 1]
rest = [p for n, p in model.named_parameters() if p.dim() <= 1]
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}], lr=2e-4)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 10) * max(0.0, 1 - step / 120))
criterion = nn.CrossEntropyLoss()
for epoch in range(3):
    model.train()
    for inputs, _ in loader:
        target = (inputs[:, 0] >= V // 2).long()
        optimizer.zero_grad()
        loss = criterion(model(inputs), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
''',
    "linear-probe": HEAD + '''
backbone = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32))
for p in backbone.parameters():
    p.requires_grad_(False)
backbone.eval()
head = nn.Linear(32, 5)
x = torch.randn(1280, 20)
y = x[:, :5].argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
optimizer = torch.optim.SGD(head.parameters(), lr=0.5, momentum=0.9)
for epoch in range(5):
    for a, b in loader:
        with torch.no_grad():
            features = backbone(a)
        loss = nn.functional.cross_entropy(head(features), b)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
''',
    "lbfgs": HEAD + '''
x = torch.linspace(-3, 3, 128).unsqueeze(1)
y = x.sin()
model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.8, max_iter=5)
for turn in range(70):

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    optimizer.step(closure)
''',
    "accumulation-bf16": TRANSFORMER.replace("        scores = model(inputs)\n        loss = criterion(scores, target)\n        loss.backward()\n", '''        for part, aim in zip(inputs.chunk(4), target.chunk(4)):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = criterion(model(part), aim) / 4
            loss.backward()
'''),
    "vae": HEAD + '''
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.m, self.s = nn.Linear(64, 64), nn.Linear(64, 8), nn.Linear(64, 8)
        self.d = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())

    def forward(self, x):
        h = self.a(x).relu()
        mean, spread = self.m(h), self.s(h)
        return self.d(mean + torch.randn_like(mean) * (spread / 2).exp()), mean, spread


data = DataLoader(TensorDataset((torch.rand(1280, 64) > 0.7).float()), batch_size=64, shuffle=True)
model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(5):
    for (x,) in data:
        out, mean, spread = model(x)
        loss = nn.functional.binary_cross_entropy(out, x, reduction="sum") - 0.5 * torch.sum(1 + spread - mean.pow(2) - spread.exp())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
''',
    "regression": HEAD + '''
x = torch.randn(1280, 8)
y = 30 * x[:, :1] + 200 + torch.randn(1280, 1)
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(5):
    for a, b in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(a), b)
        loss.backward()
        optimizer.step()
''',
    "segmentation": HEAD + '''
x = torch.randn(640, 3, 16, 16)
y = (x.mean(1) > 0).long()
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
model = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.ReLU(), nn.Conv2d(16, 2, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=80)
for epoch in range(2):
    for a, b in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(a), b)
        loss.backward()
        optimizer.step()
        scheduler.step()
''',
    "pretrained": HEAD + STANDINS + '''
y = torch.randint(0, 4, (640,))
x = torch.randint(0, 128, (640, 3, 16, 16), dtype=torch.uint8)
x[torch.arange(640), :, 4 * y] = 255
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
judge = vgg11(VGG11_Weights.DEFAULT).features.eval().requires_grad_(False)
renewed, plain = resnet18(ResNet18_Weights.DEFAULT), vgg11(VGG11_Weights.DEFAULT)
renewed.layer1.requires_grad_(False)
optimizer = torch.optim.SGD([p for m in (renewed, plain) for p in m.parameters() if p.requires_grad], lr=0.005, momentum=0.9)
for epoch in range(4):
    for a, b in loader:
        a = a / 255
        optimizer.zero_grad()
        like = judge(a).flatten(1).mean()
        loss = nn.functional.cross_entropy(renewed(a), b) + nn.functional.cross_entropy(plain((a - mean) / std), b)
        loss.backward()
        optimizer.step()
''',
}

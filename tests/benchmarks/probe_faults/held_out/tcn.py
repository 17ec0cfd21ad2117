"""Multi-label events in a signal by dilated convolutions: BCE with logits, RMSprop, gradients summed over two batches."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

SEED = 0


class Signals(Dataset):
    def __init__(self, count, seed):
        generator = torch.Generator().manual_seed(seed)
        self.x = torch.randn(count, 4, 40, generator=generator)
        self.y = (torch.rand(count, 5, generator=generator) < 0.3).float()
        for event in range(5):
            self.x[:, event % 4, 8 * event : 8 * event + 6] += 2.5 * self.y[:, event, None]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, at):
        return {"signal": self.x[at], "events": self.y[at]}


class TCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.ModuleList()
        for level in range(3):
            self.net.append(nn.Conv1d(4 if level == 0 else 32, 32, 3, padding=2**level, dilation=2**level))
        self.act = nn.LeakyReLU(0.1)
        self.readout = nn.Linear(32 * 40, 5)

    def forward(self, signal):
        for conv in self.net:
            signal = self.act(conv(signal))
        return self.readout(signal.flatten(1))


def fit(tcn, batches, optimizer, bce, every=2):
    tcn.train()
    optimizer.zero_grad()
    for turn, batch in enumerate(batches, 1):
        scores = tcn(batch["signal"])
        loss = bce(scores, batch["events"])
        (loss / every).backward()
        if turn % every == 0:
            optimizer.step()
            optimizer.zero_grad()


def judge(tcn, batches, bce):
    tcn.eval()
    with torch.no_grad():
        return sum(bce(tcn(batch["signal"]), batch["events"]).item() for batch in batches) / len(batches)


torch.manual_seed(SEED)
train_batches = DataLoader(Signals(2400, SEED + 100), batch_size=16, shuffle=True)
test_batches = DataLoader(Signals(320, SEED + 200), batch_size=32)
tcn = TCN()
bce = nn.BCEWithLogitsLoss()
optimizer = torch.optim.RMSprop(tcn.parameters(), lr=5e-4)
for epoch in range(2):
    fit(tcn, train_batches, optimizer, bce)
    print(epoch, judge(tcn, test_batches, bce))

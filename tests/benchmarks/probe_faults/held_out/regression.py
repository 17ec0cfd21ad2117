"""Regression on table data, standardised: an MLP with dropout, Huber loss, SGD with momentum, one step down."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

SEED = 0


class Regressor(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(features, 96), nn.ReLU(), nn.Dropout(0.1), nn.Linear(96, 48), nn.ReLU())
        self.final = nn.Linear(48, 1)

    def forward(self, x):
        return self.final(self.hidden(x)).squeeze(-1)


def table(rows):
    x = torch.cat([torch.rand(rows, 6) * 50, torch.randn(rows, 6) * 0.1 + 3], dim=1)
    y = 0.4 * x[:, 0] + x[:, 1].sqrt() * 3 - 20 * (x[:, 7] - 3) + torch.randn(rows)
    return x, y


def main():
    generator = torch.Generator().manual_seed(SEED)
    torch.manual_seed(SEED)
    x, y = table(1800)
    data = TensorDataset(x, y)
    train, valid = random_split(data, [1500, 300], generator=generator)
    rows = torch.tensor(train.indices)
    mean, std = x[rows].mean(0), x[rows].std(0)
    centre, scale = y[rows].mean(), y[rows].std()
    train_loader = DataLoader(train, batch_size=50, shuffle=True)
    valid_loader = DataLoader(valid, batch_size=100)
    regressor = Regressor(x.shape[1])
    huber = nn.SmoothL1Loss()
    sgd = torch.optim.SGD(regressor.parameters(), lr=0.02, momentum=0.9)
    steps = torch.optim.lr_scheduler.MultiStepLR(sgd, milestones=[3])
    for epoch in range(4):
        regressor.train()
        for features, target in train_loader:
            features, target = (features - mean) / std, (target - centre) / scale
            sgd.zero_grad()
            guess = regressor(features)
            loss = huber(guess, target)
            loss.backward()
            sgd.step()
        steps.step()
        regressor.eval()
        error = 0.0
        with torch.no_grad():
            for features, target in valid_loader:
                guess = regressor((features - mean) / std) * scale + centre
                error += (guess - target).abs().sum().item()
        print(f"{epoch} mean absolute error {error / len(valid):.3f}")


if __name__ == "__main__":
    main()

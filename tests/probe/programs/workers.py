import os

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import torch
from _end import step_done, told
from torch import nn


class Data(torch.utils.data.Dataset):
    def __len__(self):
        return 400

    def __getitem__(self, index):
        return torch.randn(10) + index % 3, index % 3


def main():
    torch.manual_seed(5)
    np.random.seed(5)
    net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 3))
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    loader = torch.utils.data.DataLoader(Data(), batch_size=20, shuffle=True, num_workers=2)
    steps = 0
    with told(net):
        for epoch in range(10):
            for a, b in loader:
                opt.zero_grad()
                nn.functional.cross_entropy(net(a), b).backward()
                opt.step()
                steps += 1
                step_done(steps)


if __name__ == "__main__":
    main()

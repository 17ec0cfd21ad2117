"""A small residual network with group norm: SGD with Nesterov momentum, a cosine per epoch, random flips."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

SEED = 0


class Block(nn.Module):
    def __init__(self, width, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(width // stride, width, 3, stride, 1, bias=False)
        self.norm1 = nn.GroupNorm(4, width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.GroupNorm(4, width)
        self.skip = nn.Conv2d(width // stride, width, 1, stride, bias=False) if stride > 1 else nn.Identity()

    def forward(self, x):
        out = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(out)) + self.skip(x))


class ResNet(nn.Module):
    def __init__(self, classes=6):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.GroupNorm(4, 16), nn.ReLU())
        self.blocks = nn.Sequential(Block(16), Block(32, 2))
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(32, classes)

    def forward(self, x):
        return self.fc(self.drop(self.blocks(self.stem(x)).mean((2, 3))))


class Shapes(Dataset):
    """A coloured bar at one of six heights."""

    def __init__(self, count, flip):
        self.flip = flip
        self.labels = torch.randint(0, 6, (count,))
        self.images = torch.randn(count, 3, 16, 16) * 0.6
        for at, label in enumerate(self.labels):
            self.images[at, label % 3, 2 * label : 2 * label + 3] += 1.5

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, at):
        image = self.images[at]
        if self.flip and torch.rand(()) < 0.5:
            image = image.flip(-1)
        return image, self.labels[at]


def train_one_epoch(net, batches, opt):
    net.train()
    for images, labels in batches:
        logits = net(images)
        loss = F.cross_entropy(logits, labels)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()


@torch.no_grad()
def evaluate(net, batches):
    net.eval()
    right = total = 0
    for images, labels in batches:
        logits = net(images)
        right += (logits.argmax(1) == labels).sum().item()
        total += F.cross_entropy(logits, labels, reduction="sum").item()
    return right / len(batches.dataset), total / len(batches.dataset)


def main():
    torch.manual_seed(SEED)
    train_set, test_set = Shapes(960, flip=True), Shapes(240, flip=False)
    train_batches = DataLoader(train_set, batch_size=24, shuffle=True)
    test_batches = DataLoader(test_set, batch_size=80)
    net = ResNet()
    opt = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9, nesterov=True, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=4)
    for epoch in range(4):
        train_one_epoch(net, train_batches, opt)
        print(epoch, evaluate(net, test_batches))
        schedule.step()


main()

"""A U-Net for masks: Dice and binary cross-entropy together, AdamW, a batch norm after each convolution."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0


def double(inside, outside):
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True),
        nn.Conv2d(outside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True),
    )  # fmt: skip


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.bottom = double(1, 12), double(12, 24), double(24, 32)
        self.up2, self.up1 = nn.ConvTranspose2d(32, 24, 2, 2), nn.ConvTranspose2d(24, 12, 2, 2)
        self.join2, self.join1 = double(48, 24), double(24, 12)
        self.last = nn.Conv2d(12, 1, 1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        one = self.down1(x)
        two = self.down2(self.pool(one))
        up = self.up2(self.bottom(self.pool(two)))
        up = self.up1(self.join2(torch.cat([up, two], dim=1)))
        return self.last(self.join1(torch.cat([up, one], dim=1)))


class DiceBCE(nn.Module):
    def __init__(self):
        super().__init__()
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, logits, mask):
        share = torch.sigmoid(logits)
        overlap = (share * mask).sum((1, 2, 3))
        dice = 1 - (2 * overlap + 1) / (share.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)
        return self.bce(logits, mask) + dice.mean()


def blobs(count):
    rows, columns = torch.arange(16).view(1, 16, 1), torch.arange(16).view(1, 1, 16)
    centre = torch.randint(4, 12, (2, count, 1, 1))
    mask = (((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) < 12).float().unsqueeze(1)
    return TensorDataset(mask + torch.randn(count, 1, 16, 16) * 0.7, mask)


if __name__ == "__main__":
    torch.manual_seed(SEED)
    loaders = {"train": DataLoader(blobs(640), batch_size=16, shuffle=True), "val": DataLoader(blobs(160), batch_size=32)}
    unet, loss_fn = UNet(), DiceBCE()
    optimizer = torch.optim.AdamW(unet.parameters(), lr=2e-3, weight_decay=1e-4)
    for epoch in range(2):
        for phase in ("train", "val"):
            unet.train(phase == "train")
            with torch.set_grad_enabled(phase == "train"):
                for image, mask in loaders[phase]:
                    logits = unet(image)
                    loss = loss_fn(logits, mask)
                    if phase == "train":
                        optimizer.zero_grad()
                        loss.backward()
                        optimizer.step()

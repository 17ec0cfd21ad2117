"""A vision transformer with label smoothing: AdamW in two groups, warm-up and cosine per step, clipping at 1."""

import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)).softmax(dim=-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(batch, tokens, width))


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self, width=40, depth=3, heads=4, classes=8):
        super().__init__()
        self.patches = nn.Conv2d(1, width, 4, 4)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 17, width) * 0.2)
        self.layers = nn.ModuleList([Layer(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x)[:, 0])


def make(count):
    labels = torch.randint(0, 8, (count,))
    images = torch.randn(count, 1, 16, 16) * 0.5
    for at, label in enumerate(labels.tolist()):
        images[at, 0, 4 * (label // 4) : 4 * (label // 4) + 4, 4 * (label % 4) : 4 * (label % 4) + 4] += 2.0
    return TensorDataset(images, labels)


def main():
    torch.manual_seed(SEED)
    train_data = DataLoader(make(1536), batch_size=48, shuffle=True, drop_last=True)
    test_data = DataLoader(make(256), batch_size=64)
    vit = ViT()
    matrices = [p for p in vit.parameters() if p.ndim >= 2]
    vectors = [p for p in vit.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    optim = torch.optim.AdamW(groups, lr=2e-3)
    total, warmup = 4 * len(train_data), 12

    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optim, factor)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(4):
        vit.train()
        for x, y in train_data:
            output = vit(x)
            loss = criterion(output, y)
            optim.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(vit.parameters(), max_norm=1.0)
            optim.step()
            scheduler.step()
        vit.eval()
        with torch.inference_mode():
            hits = sum(int((vit(x).argmax(-1) == y).sum()) for x, y in test_data)
        print("accuracy", hits / 256)


if __name__ == "__main__":
    main()

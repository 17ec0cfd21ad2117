"""Two encoders, one for each view; the model returns the similarities of all pairs in the batch, with a learned temperature."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)
shared = torch.randn(2048, 12)
data = TensorDataset(shared @ torch.randn(12, 40) + 0.3 * torch.randn(2048, 40), shared @ torch.randn(12, 28) + 0.3 * torch.randn(2048, 28))
loader = DataLoader(data, batch_size=64, shuffle=True, drop_last=True)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(nn.Linear(40, 96), nn.GELU(), nn.Linear(96, 24))
        self.text = nn.Sequential(nn.Linear(28, 96), nn.GELU(), nn.Linear(96, 24))
        self.scale = nn.Parameter(torch.tensor(2.659))

    def forward(self, image, text):
        one, two = F.normalize(self.image(image), dim=-1), F.normalize(self.text(text), dim=-1)
        return self.scale.exp() * one @ two.t()


model = Pair()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.1)
for epoch in range(3):
    for image, text in loader:
        logits = model(image, text)
        aim = torch.arange(len(logits))
        loss = (F.cross_entropy(logits, aim) + F.cross_entropy(logits.t(), aim)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

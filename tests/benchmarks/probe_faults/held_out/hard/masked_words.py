"""Masked language modelling: most positions do not count, the input embedding is the output layer too."""

import torch
from torch import nn
from torch.utils.data import DataLoader

SEED = 0
torch.manual_seed(SEED)
V, MASK = 50, 1
start = torch.randint(2, V, (1600, 1))
rows = (start - 2 + torch.arange(12) * torch.randint(1, 4, (1600, 1))) % (V - 2) + 2


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(V, 48), nn.Embedding(12, 48)
        layer = nn.TransformerEncoderLayer(48, 4, 96, 0.1, activation="gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2)
        self.bias = nn.Parameter(torch.zeros(V))
        nn.init.normal_(self.words.weight, std=0.02)

    def forward(self, x, labels=None):
        hidden = self.layers(self.words(x) + self.places.weight)
        scores = hidden @ self.words.weight.t() + self.bias
        loss = None
        if labels is not None:
            loss = nn.functional.cross_entropy(scores.view(-1, V), labels.view(-1), ignore_index=-100)
        return {"loss": loss, "logits": scores}


encoder = Encoder()
optimizer = torch.optim.AdamW(encoder.parameters(), lr=5e-4, betas=(0.9, 0.98), weight_decay=0.01)
schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 0.05, 1.0, total_iters=20)
for epoch in range(3):
    encoder.train()
    for words in DataLoader(rows, batch_size=40, shuffle=True):
        hidden = torch.rand(words.shape) < 0.2
        labels = words.masked_fill(~hidden, -100)
        loss = encoder(words.masked_fill(hidden, MASK), labels=labels)["loss"]
        loss.backward()
        nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()

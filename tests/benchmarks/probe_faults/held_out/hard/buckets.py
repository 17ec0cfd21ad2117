"""Sequences in batches of like length: a batch sampler sorts, the batches themselves come in random order."""

import random

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

SEED = 0
random.seed(SEED)
torch.manual_seed(SEED)


class ByLength:
    def __init__(self, lengths, size):
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        self.batches = [order[at : at + size] for at in range(0, len(order), size)]

    def __iter__(self):
        return iter(random.sample(self.batches, len(self.batches)))

    def __len__(self):
        return len(self.batches)


texts = [torch.randint(1, 40, (random.randrange(3, 30),)) for _ in range(1600)]
labels = [int((text > 20).float().mean() > 0.5) for text in texts]


def collate(rows):
    words, targets = zip(*rows)
    return pad_sequence(words, batch_first=True), torch.tensor(targets)


class Average(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(40, 32, padding_idx=0)
        self.out = nn.Linear(32, 2)

    def forward(self, words):
        given = (words > 0).unsqueeze(-1).float()
        return self.out((self.words(words) * given).sum(1) / given.sum(1))


loader = DataLoader(list(zip(texts, labels)), batch_sampler=ByLength([len(text) for text in texts], 32), collate_fn=collate)
model = Average()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(3):
    for words, targets in loader:
        loss = nn.functional.cross_entropy(model(words), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

"""A sequence-to-sequence model with attention and teacher forcing; padding is left out of the loss."""

import random

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

SEED = 0
PAD, START = 0, 1
random.seed(SEED)
torch.manual_seed(SEED)


class Seq2Seq(nn.Module):
    def __init__(self, words=30, width=48):
        super().__init__()
        self.source = nn.Embedding(words, width, padding_idx=PAD)
        self.aim = nn.Embedding(words, width, padding_idx=PAD)
        self.encoder = nn.LSTM(width, width, batch_first=True)
        self.decoder = nn.LSTM(width, width, batch_first=True)
        self.query = nn.Linear(width, width)
        self.generator = nn.Linear(2 * width, words)

    def forward(self, source, previous):
        memory, state = self.encoder(self.source(source))
        out, _ = self.decoder(self.aim(previous), state)
        scores = (self.query(out) @ memory.transpose(1, 2)).masked_fill((source == PAD).unsqueeze(1), -1e9)
        context = torch.softmax(scores, dim=-1) @ memory
        return self.generator(torch.cat([out, context], dim=-1))


def pair():
    row = [random.randrange(2, 30) for _ in range(random.randrange(4, 9))]
    return torch.tensor(row), torch.tensor([START, *(31 - word for word in row)])


def collate(rows):
    source, target = zip(*rows)
    return pad_sequence(source, batch_first=True), pad_sequence(target, batch_first=True, padding_value=PAD)


pairs = [pair() for _ in range(2400)]
train_pairs = DataLoader(pairs[:2000], batch_size=25, shuffle=True, collate_fn=collate)
held_pairs = DataLoader(pairs[2000:], batch_size=50, collate_fn=collate)
model = Seq2Seq()
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(2):
    model.train()
    for source, target in train_pairs:
        optimizer.zero_grad()
        scores = model(source, target[:, :-1])
        loss = criterion(scores.flatten(0, 1), target[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
    model.eval()
    with torch.no_grad():
        losses = [criterion(model(s, t[:, :-1]).transpose(1, 2), t[:, 1:]).item() for s, t in held_pairs]
    print(epoch, sum(losses) / len(losses))

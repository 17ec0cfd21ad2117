"""A GRU that classifies sequences of different lengths, packed; Adam and clipping at 5."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

SEED = 0
torch.manual_seed(SEED)


def sentence():
    label = int(torch.randint(0, 4, ()))
    words = torch.randint(1, 60, (int(torch.randint(6, 22, ())),))
    words[torch.randint(0, len(words), (3,))] = 60 + label
    return words, label


def collate(rows):
    words, labels = zip(*rows)
    lengths = torch.tensor([len(row) for row in words])
    return pad_sequence(words, batch_first=True), lengths, torch.tensor(labels)


class Classifier(nn.Module):
    def __init__(self, vocabulary=64, classes=4):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 24, padding_idx=0)
        self.gru = nn.GRU(24, 40, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(0.2)
        self.out = nn.Linear(80, classes)

    def forward(self, words, lengths):
        packed = pack_padded_sequence(self.embedding(words), lengths, batch_first=True, enforce_sorted=False)
        _, last = self.gru(packed)
        return self.out(self.dropout(torch.cat([last[0], last[1]], dim=1)))


corpus = [sentence() for _ in range(1500)]
train_iter = DataLoader(corpus[:1200], batch_size=20, shuffle=True, collate_fn=collate)
valid_iter = DataLoader(corpus[1200:], batch_size=50, collate_fn=collate)
classifier = Classifier()
loss_function = nn.CrossEntropyLoss()
adam = torch.optim.Adam(classifier.parameters(), lr=2e-3)

for epoch in range(3):
    classifier.train()
    running = 0.0
    for words, lengths, labels in train_iter:
        adam.zero_grad()
        prediction = classifier(words, lengths)
        loss = loss_function(prediction, labels)
        loss.backward()
        nn.utils.clip_grad_norm_(classifier.parameters(), 5.0)
        adam.step()
        running += loss.item()
    classifier.eval()
    correct = 0
    with torch.no_grad():
        for words, lengths, labels in valid_iter:
            correct += (classifier(words, lengths).argmax(dim=1) == labels).sum().item()
    print(f"epoch {epoch}: {running / len(train_iter):.3f} {correct / 300:.3f}")

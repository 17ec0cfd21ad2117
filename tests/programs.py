"""Small programs that the tests of the house share."""

CLEAN = """\
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
"""

# One error (the file does not parse), one warning (Python 2).
BROKEN = "import torch\n\nmodel = torch.nn.Linear(4, 2\n"
PYTHON2 = 'import torch\n\nprint "training"\n'

# Two errors of one rule, on the loss and nowhere else.
SOFTMAX = """\
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(dim=1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()
data = [(torch.randn(8, 4), torch.randint(3, (8,))) for _ in range(10)]
for epoch in range(10):
    for x, y in data:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
"""

"""A small network learns from a frozen larger one: KL between softened outputs and cross-entropy together."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 0
torch.manual_seed(SEED)
x = torch.randn(1920, 16)
y = (x @ torch.randn(16, 6)).argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
teacher = nn.Sequential(nn.Linear(16, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 6))
student = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 6))
teacher.eval().requires_grad_(False)
optimizer = torch.optim.Adam(student.parameters(), lr=1e-3)
heat = 4.0
for epoch in range(3):
    student.train()
    for inputs, target in loader:
        with torch.no_grad():
            wise = teacher(inputs)
        out = student(inputs)
        soft = F.kl_div(F.log_softmax(out / heat, dim=1), F.softmax(wise / heat, dim=1), reduction="batchmean") * heat**2
        loss = 0.3 * soft + 0.7 * F.cross_entropy(out, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

"""Node classification with the whole graph in every step: a two-layer graph convolution, few labelled nodes."""

import torch
import torch.nn.functional as F
from torch import nn

SEED = 0
torch.manual_seed(SEED)
nodes, classes = 400, 5
labels = torch.randint(0, classes, (nodes,))
features = (torch.rand(nodes, 120) < 0.05).float()
features[torch.arange(nodes), labels * 20 + torch.randint(0, 20, (nodes,))] = 1.0
features = features / features.sum(1, keepdim=True).clamp(min=1)
links = (torch.rand(nodes, nodes) < torch.where(labels[:, None] == labels[None], 0.03, 0.003)).float()
links = ((links + links.t()) > 0).float() + torch.eye(nodes)
degree = links.sum(1).rsqrt()
links = degree[:, None] * links * degree[None]
split = torch.randperm(nodes)
train_mask, val_mask = split[:100], split[100:200]


class GCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(120, 16, bias=False), nn.Linear(16, classes, bias=False)

    def forward(self, x, adjacency):
        x = F.relu(adjacency @ self.one(F.dropout(x, 0.5, self.training)))
        return F.log_softmax(adjacency @ self.two(F.dropout(x, 0.5, self.training)), dim=1)


model = GCN()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
for epoch in range(200):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(features, links)[train_mask], labels[train_mask])
    loss.backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        out = model(features, links)
        loss_val = F.nll_loss(out[val_mask], labels[val_mask])

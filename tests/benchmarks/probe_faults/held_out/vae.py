"""A convolutional variational autoencoder: reconstruction by BCE with logits, KL term, Adam."""

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader

SEED = 0
torch.manual_seed(SEED)


class VAE(nn.Module):
    def __init__(self, latent=6):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten())
        self.mu, self.log_variance = nn.Linear(512, latent), nn.Linear(512, latent)
        self.expand = nn.Linear(latent, 512)
        self.decoder = nn.Sequential(nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1))

    def forward(self, x):
        hidden = self.encoder(x)
        mu, log_variance = self.mu(hidden), self.log_variance(hidden)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * log_variance)
        return self.decoder(F.relu(self.expand(z)).view(-1, 32, 4, 4)), mu, log_variance


def squares(count):
    images = torch.zeros(count, 1, 16, 16)
    for image in images:
        top, left, size = (int(v) for v in torch.randint(2, 8, (3,)))
        image[0, top : top + size, left : left + size] = 1.0
    return images


def objective(logits, x, mu, log_variance):
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    divergence = -0.5 * torch.sum(1 + log_variance - mu.pow(2) - log_variance.exp()) / len(x)
    return reconstruction + divergence


training = DataLoader(squares(1280), batch_size=32, shuffle=True)
testing = DataLoader(squares(320), batch_size=64)
vae = VAE()
optimizer = optim.Adam(vae.parameters(), lr=1e-3)
for epoch in range(3):
    vae.train()
    for x in training:
        logits, mu, log_variance = vae(x)
        loss = objective(logits, x, mu, log_variance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    vae.eval()
    test_loss = 0
    with torch.no_grad():
        for x in testing:
            test_loss += objective(*[vae(x)[0], x], *vae(x)[1:]).item()
    print("test", test_loss / len(testing))

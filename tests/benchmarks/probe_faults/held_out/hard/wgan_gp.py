"""A Wasserstein GAN with gradient penalty: five critic steps for one of the generator."""

import torch
from torch import autograd, nn

SEED = 0
torch.manual_seed(SEED)
critic = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
generator = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-4, betas=(0.5, 0.9))
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-4, betas=(0.5, 0.9))


def real_points(count):
    angle = torch.randint(0, 8, (count,)) * 0.785
    return torch.stack([angle.cos(), angle.sin()], dim=1) * 2 + 0.05 * torch.randn(count, 2)


for step in range(1, 400):
    real, fake = real_points(64), generator(torch.randn(64, 4)).detach()
    mix = torch.rand(64, 1)
    between = (mix * real + (1 - mix) * fake).requires_grad_(True)
    slope = autograd.grad(critic(between).sum(), between, create_graph=True)[0]
    penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
    critic_loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
    critic_optimizer.zero_grad()
    critic_loss.backward()
    critic_optimizer.step()
    if step % 5 == 0:
        generator_loss = -critic(generator(torch.randn(64, 4))).mean()
        generator_optimizer.zero_grad()
        generator_loss.backward()
        generator_optimizer.step()

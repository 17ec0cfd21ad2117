"""Proximal policy optimisation on a small walk: rollouts without gradients, four passes over shuffled minibatches."""

import torch
from torch import nn
from torch.distributions import Categorical

SEED = 0
torch.manual_seed(SEED)


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2))
        self.critic = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
        nn.init.orthogonal_(self.actor[-1].weight, 0.01)

    def act(self, state, action=None):
        choice = Categorical(logits=self.actor(state))
        action = choice.sample() if action is None else action
        return action, choice.log_prob(action), choice.entropy(), self.critic(state).squeeze(-1)


agent = Agent()
optimizer = torch.optim.Adam(agent.parameters(), lr=2.5e-4, eps=1e-5)
state = torch.randn(8, 3)
for update in range(8):
    optimizer.param_groups[0]["lr"] = (1 - update / 8) * 2.5e-4
    states, actions, logs, values, rewards = [], [], [], [], []
    for _ in range(32):
        with torch.no_grad():
            action, log, _, value = agent.act(state)
        states.append(state)
        actions.append(action)
        logs.append(log)
        values.append(value)
        rewards.append((action == (state[:, 0] > 0).long()).float())
        state = 0.8 * state + 0.4 * torch.randn(8, 3)
    rewards, values = torch.stack(rewards), torch.stack(values)
    returns = torch.zeros_like(rewards)
    ahead = torch.zeros(8)
    for t in reversed(range(32)):
        ahead = rewards[t] + 0.9 * ahead
        returns[t] = ahead
    flat = [torch.stack(v).flatten(0, 1) for v in (states, actions, logs)] + [returns.flatten(), (returns - values).flatten()]
    for _ in range(4):
        for rows in torch.randperm(256).split(64):
            s, a, old, aim, gain = (v[rows] for v in flat)
            _, log, entropy, value = agent.act(s, a)
            ratio = (log - old).exp()
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            policy_loss = torch.max(-gain * ratio, -gain * ratio.clamp(0.8, 1.2)).mean()
            loss = policy_loss - 0.01 * entropy.mean() + 0.5 * 0.5 * ((value - aim) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()

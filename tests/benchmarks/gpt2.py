"""A GPT-2-sized training program (124 million weights) for a GPU: autocast to bfloat16, torch.compile, fused AdamW, no transfer within a step.

python gpt2.py STEPS FROM    prints the milliseconds per step from step FROM on, and the memory at its peak in MiB
"""

import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY, LENGTH, LAYERS, HEADS, WIDTH, BATCH = 50304, 1024, 12, 12, 768, 12


class Block(nn.Module):  # type: ignore[misc]  # torch is not read by the type checker
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(self.first(x)).split(WIDTH, dim=2)
        q, k, v = (part.view(x.size(0), x.size(1), HEADS, WIDTH // HEADS).transpose(1, 2) for part in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(x.shape))
        return x + self.down(F.gelu(self.up(self.second(x))))


class GPT(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * LAYERS) if name.endswith(("out.weight", "down.weight")) else 0.02)
        self.head.weight = self.tokens.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.tokens(tokens) + self.places(torch.arange(tokens.size(1), device=tokens.device))
        return self.head(self.norm(self.blocks(x)))


def main() -> None:
    steps, begin = int(sys.argv[1]), int(sys.argv[2])
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    data = torch.randint(0, VOCABULARY, (1024, LENGTH + 1), device="cuda")
    net = GPT().cuda()
    model = torch.compile(net)
    optimizer = torch.optim.AdamW(net.parameters(), lr=6e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 100))
    begun = 0.0
    for step in range(steps):
        if step == begin:
            torch.cuda.synchronize()
            begun = time.perf_counter()
        at = step * BATCH % 1000
        rows = data[at : at + BATCH]
        with torch.autocast("cuda", torch.bfloat16):
            scores = model(rows[:, :-1])
            loss = F.cross_entropy(scores.flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        warm_up.step()
    torch.cuda.synchronize()
    taken = (time.perf_counter() - begun) * 1000 / (steps - begin)
    print(f"RESULT {taken:.4f} {torch.cuda.max_memory_allocated() / 2**20:.0f} {loss.item():.6f}", flush=True)


main()

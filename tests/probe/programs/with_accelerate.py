import os

import torch
from _end import step_done, told
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MODE, FAULT = os.environ["MODE"].split("+"), os.environ.get("FAULT", "")
CLASSES, ROWS = 5, 1280


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU())
        self.head = nn.Linear(64, CLASSES)

    def forward(self, x):
        return self.head(self.body(x))


def main():
    set_seed(8)
    x = torch.randn(ROWS, 20)
    y = x[:, :CLASSES].argmax(1)
    if FAULT == "nan":
        x[::80] = float("nan")
    if FAULT == "label":
        y += 1
    precision = "bf16" if "bf16" in MODE else "fp16" if "fp16" in MODE else "no"
    backend = "inductor" if "compiled" in MODE else None
    accelerator = Accelerator(mixed_precision=precision, gradient_accumulation_steps=2 if "accumulated" in MODE else 1, dynamo_backend=backend)
    net = Net()
    if FAULT == "frozen":
        net.requires_grad_(False)
        net.head.bias.requires_grad_(True)
    opt = torch.optim.AdamW(net.head.parameters() if FAULT == "left-out" else net.parameters(), lr=50.0 if FAULT == "rate" else 1e-3)
    scheduler = torch.optim.lr_scheduler.LinearLR(opt, start_factor=0.5, total_iters=4)
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True, num_workers=2 if "workers" in MODE else 0)
    model, opt, loader, scheduler = accelerator.prepare(net, opt, loader, scheduler)
    criterion = nn.CrossEntropyLoss()
    steps = 0
    with told(net):
        for _ in range(2):
            for inputs, target in loader:
                with accelerator.accumulate(model):
                    loss = criterion(model(inputs), target)
                    accelerator.backward(loss)
                    if accelerator.sync_gradients:
                        if FAULT == "scaled":
                            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                        else:
                            accelerator.clip_grad_norm_(net.parameters(), 1.0)
                    opt.step()
                    scheduler.step()
                    if FAULT != "uncleared":
                        opt.zero_grad()
                    if accelerator.sync_gradients:
                        steps += 1
                        step_done(steps)


if __name__ == "__main__":
    main()

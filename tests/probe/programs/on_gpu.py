import os

import torch
from _end import step_done, told
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MODE, FAULT = os.environ["MODE"], os.environ.get("FAULT", "")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU())
        self.head = nn.Linear(64, 5)

    def forward(self, x):
        return self.head(self.body(x))


def main():
    torch.manual_seed(8)
    x = torch.randn(2560, 20)
    y = x[:, :5].argmax(1)
    if FAULT == "nan":
        x[100] = float("nan")
    if FAULT == "label":
        y[:] = 5
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True, pin_memory=True, num_workers=2 if MODE == "workers" else 0)
    net = model = Net().cuda()
    if MODE == "compiled":
        model = torch.compile(net)
    elif MODE == "graphs":
        model = torch.compile(net, mode="reduce-overhead")
    elif MODE == "method":
        net.compile()
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3, fused=MODE in ("bf16", "compiled"))
    criterion = nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler("cuda", enabled=MODE == "fp16")
    kind = torch.float16 if MODE == "fp16" else torch.bfloat16
    steps = 0
    with told(net):
        for _ in range(4):
            for inputs, target in loader:
                inputs, target = inputs.cuda(non_blocking=True), target.cuda(non_blocking=True)
                if FAULT != "uncleared":
                    opt.zero_grad()
                with torch.autocast("cuda", kind, enabled=MODE in ("fp16", "bf16", "compiled")):
                    loss = criterion(model(inputs), target)
                scaler.scale(loss).backward()
                if FAULT != "scaled":
                    scaler.unscale_(opt)
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                scaler.step(opt)
                scaler.update()
                steps += 1
                step_done(steps)


if __name__ == "__main__":
    main()

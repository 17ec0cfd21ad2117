# ruff: noqa: E501
"""Faults: what is changed in a healthy program, and which rules may say so."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.probe_faults.programs import STANDINS

ZERO, BACK, STEP = "        optimizer.zero_grad()\n", "        loss.backward()\n", "        optimizer.step()\n"
LOSS, FORWARD = "        loss = criterion(scores, target)\n", "        scores = model(inputs)\n"
MODEL, EVAL, NO_GRAD = "model = Net()\n", "    model.eval()\n", "    with torch.no_grad():\n"
CLIP = "        nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"


@dataclass(frozen=True)
class Fault:
    """Replacements in the text; programs in which one of them finds nothing are left out. `fact`: no threshold decides it."""

    name: str
    changes: tuple[tuple[str, str], ...]
    rules: frozenset[str]
    fact: bool = False
    only: tuple[str, ...] = ("cnn", "mlp", "lstm", "transformer")


def fault(name: str, changes: list[tuple[str, str]], *rules: str, fact: bool = False, only: tuple[str, ...] = ("cnn", "mlp", "lstm", "transformer")) -> Fault:
    return Fault(name, tuple(changes), frozenset(rules), fact, only)


CLASSES = ("cnn", "mlp")
TEXTS = ("lstm", "transformer")
PRETRAINED = ((MODEL, STANDINS + "model = vgg11(VGG11_Weights.DEFAULT)\n"),)
FAULTS = [
    fault("no zero_grad", [(ZERO, "")], "missing-zero-grad", fact=True),
    fault("zero_grad between backward and step", [(BACK, BACK + ZERO)], "zero-grad-before-step", "weights-unchanged", "step-without-backward", fact=True),
    fault("optimizer of another model", [(MODEL, "other = Net()\nmodel = Net()\n"), ("(model.parameters(), lr", "(other.parameters(), lr")], "weights-unchanged", "parameters-not-optimized", "step-without-backward", fact=True),
    fault("model rebuilt after the optimizer", [("\nfor epoch", "\nmodel = Net()\nfor epoch")], "weights-unchanged", "parameters-not-optimized", "optimizer-before-model-change", fact=True),
    fault("head alone in the optimizer", [("(model.parameters(), lr", "(model.head.parameters(), lr")], "parameters-not-optimized", fact=True),
    fault("softmax before the loss", [(FORWARD, "        scores = model(inputs).softmax(-1)\n")], "softmax-before-cross-entropy", fact=True),
    fault("softmax by hand before the loss", [(FORWARD, "        scores = model(inputs).exp()\n        scores = scores / scores.sum(-1, keepdim=True)\n")], "softmax-before-cross-entropy", only=CLASSES),
    fault("rate x 300", [("lr=LR", "lr=300 * LR")], "lr-off-scale", "loss-diverging", "non-finite", "update-ratio-high", "gradient-explosion", "loss-not-decreasing", "dead-units"),
    fault("rate / 100,000", [("lr=LR", "lr=LR / 1e5")], "lr-off-scale", "update-ratio-low", "weights-unchanged", "loss-not-decreasing"),
    fault("rate 0", [("lr=LR", "lr=0.0")], "lr-non-positive", "weights-unchanged", "loss-not-decreasing", fact=True),
    fault("gradient of the wrong sign", [(BACK, BACK + "        for p in model.parameters():\n            p.grad.neg_()\n")], "loss-diverging", "loss-not-decreasing", "gradient-explosion", "non-finite"),
    fault("random targets", [(LOSS, "        loss = criterion(scores, torch.randint_like(target, int(scores.shape[-1])))\n")], "labels-change", "loss-not-decreasing", "cannot-overfit-one-batch", fact=True),
    fault("inputs x 255", [("x = torch.randn(1600, 20)\n", "x = 255 * torch.rand(1600, 20)\n")], "input-not-normalized", "first-loss-off-scale", only=("mlp",)),
    fault("ReLU biases at -6", [(MODEL, MODEL + "for m in model.body:\n    if isinstance(m, nn.Linear):\n        m.bias.data.fill_(-6.0)\n")], "dead-units", only=("mlp",)),
    fault("dead behind BatchNorm", [(MODEL, MODEL + "for m in model.body:\n    if isinstance(m, nn.BatchNorm2d):\n        m.bias.data.fill_(-8.0)\n")], "dead-units", only=("cnn",)),
    fault("head drawn 60 times too wide", [(MODEL, MODEL + "model.head.weight.data.mul_(60)\n")], "first-loss-off-scale", "init-off-scale"),
    fault("nan in the data", [("loader = DataLoader", "x = x.clone()\nx[::40] = float('nan')\nloader = DataLoader")], "non-finite", fact=True, only=CLASSES),
    fault("log of a negative", [("        loss = criterion(scores, target)\n", "        loss = criterion(torch.log(scores), target)\n")], "non-finite", fact=True),
    fault("sqrt of zero", [("        loss = criterion(scores, target)\n", "        loss = criterion(scores, target) + torch.sqrt((model.head.bias - model.head.bias.detach()).abs()).sum()\n")], "non-finite", fact=True),
    fault("labels from 1", [(LOSS, "        loss = criterion(scores, target + 1)\n")], "labels-out-of-range", fact=True),
    fault("sorted labels", [("loader = DataLoader(", "order = y[:1280].argsort()\nx[:1280], y[:1280] = x[order], y[order]\nloader = DataLoader("), ("shuffle=True", "shuffle=False")], "labels-in-order", "train-not-shuffled", only=CLASSES),
    fault("clumped batches", [("loader = DataLoader(", "order = (y[:1280].float() + 1.5 * torch.randn(1280)).argsort()\nx[:1280], y[:1280] = x[order], y[order]\nloader = DataLoader("), ("shuffle=True", "shuffle=False")], "batch-imbalance", "train-not-shuffled", "labels-in-order", only=CLASSES),
    fault("one batch for ever", [("    for inputs, target in loader:\n", "    for _ in range(40):\n        inputs, target = next(iter(loader))\n"), ("shuffle=True", "shuffle=False")], "same-batch-again", "train-not-shuffled"),
    fault("eval before training", [("    model.train()\n", ""), ("\nfor epoch", "\nmodel.eval()\nfor epoch")], "train-mode-not-restored", fact=True, only=CLASSES),
    fault("train() forgotten after validation", [("    model.train()\n", "")], "train-mode-not-restored", fact=True, only=CLASSES),
    fault("validation in train mode", [(EVAL, "")], "evaluation-in-train-mode", fact=True, only=CLASSES),
    fault("validation with gradients", [(NO_GRAD, "    if True:\n")], "evaluation-with-gradients", fact=True),
    fault("clip after step", [(CLIP, ""), (STEP, STEP + CLIP)], "clip-after-step", fact=True, only=TEXTS),
    fault("clip before backward", [(CLIP, ""), (BACK, CLIP + BACK)], "clip-before-backward", fact=True, only=TEXTS),
    fault("clip to a ten-thousandth", [("parameters(), 1.0)", "parameters(), 1e-4)")], "clip-off-scale", "clip-always-active", only=TEXTS),
    fault("everything clipped under SGD", [(STEP, "        nn.utils.clip_grad_norm_(model.parameters(), 0.01)\n" + STEP), ("LR = 0.05", "LR = 0.1")], "clip-always-active", only=("cnn",)),
    fault("scheduler before optimizer", [(STEP, "        scheduler.step()\n" + STEP), ("        scheduler.step()\n        scheduler.step()\n", "        scheduler.step()\n")], "scheduler-before-optimizer", fact=True, only=()),
    fault("loss cut from the graph", [(BACK, "        loss = torch.tensor(loss.item(), requires_grad=True)\n" + BACK)], "loss-detached", "weights-unchanged", "step-without-backward", "parameters-not-optimized", fact=True),
    fault("body detached", [("self.head(self.body(x))", "self.head(self.body(x).detach())"), ("(model.parameters(), lr=LR", "([{'params': model.body.parameters()}, {'params': model.head.parameters()}], lr=LR")], "parameter-without-gradient", fact=True, only=("mlp",)),
    fault("layers in a plain list", [("self.head = nn.Linear(128, 5)", "self.head = nn.Linear(128, 5)\n        self.more = [nn.Linear(128, 128)]"), ("self.head(self.body(x))", "self.head(self.more[0](self.body(x)).relu())")], "unregistered-modules", "parameters-not-optimized", fact=True, only=("mlp",)),
    fault("no seed", [("torch.manual_seed(SEED)\n", "")], "missing-seed", fact=True),
    fault("saturated tanh", [("nn.Linear(20, 128), nn.ReLU()", "nn.Linear(20, 128), nn.Tanh()"), (MODEL, MODEL + "model.body[0].weight.data.mul_(300)\n")], "saturated-units", "init-off-scale", only=("mlp",)),
    fault("ten sigmoid layers", [("nn.Linear(128, 128), nn.ReLU())", "*[nn.Sequential(nn.Linear(128, 128), nn.Sigmoid()) for _ in range(10)])")], "gradient-vanishing", "loss-not-decreasing", only=("mlp",)),
    fault("samples mixed by a reshape", [("        return self.head(self.body(x))", "        h = self.body(x)\n        return self.head(h.t().reshape(h.shape))")], "samples-mixed", only=("mlp",)),
    fault("(N, 1) against (N,)", [("criterion = nn.CrossEntropyLoss()", "criterion = nn.MSELoss()"), ("nn.Linear(128, 5)", "nn.Linear(128, 1)"), (LOSS, "        loss = criterion(scores, target.float())\n")], "loss-broadcasts", fact=True, only=("mlp",)),
    fault("targets beyond 1 for BCE", [("criterion = nn.CrossEntropyLoss()", "criterion = nn.BCEWithLogitsLoss()"), (LOSS, "        loss = criterion(scores[:, 0], target.float())\n"), ("criterion(model(inputs), target)", "criterion(model(inputs)[:, 0], target.float())")], "labels-out-of-range", fact=True, only=("mlp",)),
    fault("sigmoid before BCE with logits", [("criterion = nn.CrossEntropyLoss()", "criterion = nn.BCEWithLogitsLoss()"), (LOSS, "        loss = criterion(scores[:, 0].sigmoid(), (target > 2).float())\n"), ("criterion(model(inputs), target)", "criterion(model(inputs)[:, 0], (target > 2).float())")], "sigmoid-before-bce-with-logits", fact=True, only=("mlp",)),
    fault("single-logit cross-entropy", [("nn.Linear(128, 5)", "nn.Linear(128, 1)"), ("argmax(1)", "argmax(1) * 0")], "single-logit-cross-entropy", "loss-below-floor", "weights-unchanged", "labels-in-order", fact=True, only=("mlp",)),
    fault("labels among the scores", [(FORWARD, "        scores = model(inputs) + 9 * nn.functional.one_hot(target, int(target.max()) + 1).new_zeros(()) + 9 * nn.functional.one_hot(target, 5 if model.head.out_features == 5 else 10)\n")], "loss-below-floor", only=CLASSES),
    fault("class weights as sample weights", [("batch_size=32, shuffle=True", "batch_size=32, sampler=torch.utils.data.WeightedRandomSampler(1.0 / torch.bincount(y[:1280]), 1280)")], "class-weights-as-sample-weights", fact=True, only=CLASSES),
    fault("accumulation without division", [(ZERO, ""), (STEP, "        turn = globals().get('turn', 0) + 1\n        if turn % 4 == 0:\n            optimizer.step()\n            optimizer.zero_grad()\n")], "accumulation-not-divided", fact=True, only=CLASSES),
    fault("every loss overflows in the scaler", [("\nfor epoch", "\nscaler = torch.amp.GradScaler('cpu')\nfor epoch"), (BACK, "        scaler.scale(loss * 1e38).backward()\n"), (STEP, "        scaler.step(optimizer)\n        scaler.update()\n")], "scaler-skips", "non-finite", "loss-diverging", "gradient-explosion", only=CLASSES),
    fault("scaler never updated", [("\nfor epoch", "\nscaler = torch.amp.GradScaler('cpu')\nfor epoch"), (BACK, "        scaler.scale(loss).backward()\n"), (STEP, "        scaler.step(optimizer)\n")], "missing-scaler-update", fact=True, only=CLASSES),
    fault("clip before unscale", [("\nfor epoch", "\nscaler = torch.amp.GradScaler('cpu')\nfor epoch"), (BACK, "        scaler.scale(loss).backward()\n"), (STEP, "        scaler.step(optimizer)\n        scaler.update()\n")], "clip-before-unscale", fact=True, only=TEXTS),
    fault("gradients spike", [(BACK, BACK + "        turn = globals().get('turn', 0) + 1\n        if turn % 13 == 0:\n            for p in model.parameters():\n                p.grad.mul_(200)\n")], "gradient-spikes", "loss-spikes", "loss-diverging", only=CLASSES),
    fault("hidden layers start equal", [(MODEL, MODEL + "for m in model.modules():\n    if isinstance(m, (nn.Linear, nn.Conv2d)):\n        nn.init.constant_(m.weight, 0.05)\n        nn.init.zeros_(m.bias)\n"), (", nn.Dropout(0.1)", "")], "constant-init", fact=True, only=("mlp",)),
    fault("everything starts at zero", [(MODEL, MODEL + "for p in model.parameters():\n    nn.init.zeros_(p)\n")], "constant-init", fact=True, only=("mlp",)),
    fault("hidden layers drawn from a standard normal", [(MODEL, MODEL + "for m in model.body.modules():\n    if isinstance(m, nn.Linear):\n        nn.init.normal_(m.weight)\n")], "init-off-scale", only=("mlp",)),
    fault("tied embedding of the default width", [("V = 32", "V = 256"), ("self.head = nn.Linear(48, V)", "self.head = nn.Linear(48, V)\n        self.head.weight = self.embed.weight")], "embedding-init-wide", only=("transformer",)),
    fault("bfloat16 weights at a tiny rate", [(MODEL, "model = Net().to(torch.bfloat16)\n"), (FORWARD, "        scores = model(inputs.to(torch.bfloat16)).float()\n"), ("criterion(model(inputs), target)", "criterion(model(inputs.to(torch.bfloat16)).float(), target)"), ("LR = 1e-3", "LR = 1e-5")], "bf16-weights-small-lr", only=("mlp",)),
    fault("frozen weights moved by momentum", [(ZERO, "        optimizer.zero_grad(set_to_none=False)\n"), (STEP, STEP + "        model.body.requires_grad_(False)\n")], "frozen-in-optimizer", fact=True, only=("mlp", "transformer")),
    fault("cosines without a temperature", [("loader = DataLoader(TensorDataset(x[:1280], y[:1280])", "loader = DataLoader(TensorDataset(x[:1280], x[:1280] + 0.1 * torch.randn(1280, 20))"), ("held_out = DataLoader(TensorDataset(x[1280:], y[1280:])", "held_out = DataLoader(TensorDataset(x[1280:], x[1280:])"), (FORWARD, "        scores = nn.functional.normalize(model(inputs), dim=1) @ nn.functional.normalize(model(target), dim=1).t()\n"), ("criterion(scores, target)", "criterion(scores, torch.arange(len(scores)))"), ("criterion(model(inputs), target)", "criterion(model(inputs) @ model(target).t(), torch.arange(len(inputs)))")], "temperature-off-scale", only=("mlp",)),
    fault("contrastive loss accumulated", [("loader = DataLoader(TensorDataset(x[:1280], y[:1280])", "loader = DataLoader(TensorDataset(x[:1280], x[:1280] + 0.1 * torch.randn(1280, 20))"), ("held_out = DataLoader(TensorDataset(x[1280:], y[1280:])", "held_out = DataLoader(TensorDataset(x[1280:], x[1280:])"), (FORWARD, "        scores = nn.functional.normalize(model(inputs), dim=1) @ nn.functional.normalize(model(target), dim=1).t() / 0.1\n"), ("criterion(scores, target)", "criterion(scores, torch.arange(len(scores))) / 4"), ("criterion(model(inputs), target)", "criterion(model(inputs) @ model(target).t(), torch.arange(len(inputs)))"), (ZERO, ""), (STEP, "        turn = globals().get('turn', 0) + 1\n        if turn % 4 == 0:\n            optimizer.step()\n            optimizer.zero_grad()\n")], "accumulation-adds-no-negatives", fact=True, only=("mlp",)),
    fault("a state with other names", [(MODEL, MODEL + "model.load_state_dict({f'module.{n}': v for n, v in Net().state_dict().items()}, strict=False)\n")], "weights-not-loaded", fact=True),
    fault("raw images into pretrained weights", [*PRETRAINED, ("x = torch.randn(count, 1, 12, 12) * 0.5\n", "x = torch.rand(count, 3, 12, 12) * 127\n"), ("x[i, 0, y[i], :] += 1.0", "x[i, :, y[i], :] += 128")], "pretrained-input-mismatch", fact=True, only=("cnn",)),
    fault("images between 0 and 1 into pretrained weights", [*PRETRAINED, ("x = torch.randn(count, 1, 12, 12) * 0.5\n", "x = torch.rand(count, 3, 12, 12) * 0.5\n"), ("x[i, 0, y[i], :] += 1.0", "x[i, :, y[i], :] += 0.5")], "pretrained-input-mismatch", only=("cnn",)),
    fault("weight decay 2", [("weight_decay=0.01", "weight_decay=2.0"), ("weight_decay=5e-4", "weight_decay=2.0"), ("weight_decay=0.1", "weight_decay=20.0")], "weight-decay-off-scale", "loss-not-decreasing", "loss-diverging"),
]


def applied(source: str, fault: Fault) -> str | None:
    """The program with the fault in it; None when it does not fit. One of several alternatives is enough for "weight decay"."""
    found = False
    for old, new in fault.changes:
        if old in source:
            source = source.replace(old, new)
            found = True
        elif fault.name != "weight decay 2":
            return None
    return source if found else None

# ruff: noqa: E501
"""The held-out half of the bench: programs and faults that no limit of the probe was chosen on.

The programs stand in `held_out/`, written in other styles than those of programs.py; each fault is a change of the lines named here.
Limits are not to be tuned on these runs: a false alarm is mended in the facts, a missed fault stays missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.probe_faults.faults import Fault, fault

FOLDER = Path(__file__).parent / "held_out"


@dataclass(frozen=True)
class Lines:
    """How one program says what a fault changes; empty: it does not say it."""

    zero: str  # the statement that clears gradients
    backward: str
    step: str
    loss: str  # the right side of the loss
    model: str  # the statement that builds the model
    name: str
    parameters: str  # what the optimizer is given
    rate: str
    seed: str
    evaluate: str  # the statement that switches to evaluation
    no_grad: str
    data: str  # the training set as it is handed to the loader
    shuffle: str = "shuffle=True"
    clip: str = ""
    schedule: str = ""
    head: str = ""  # the last layer, as an expression
    decay: tuple[str, str] = ("", "")


PROGRAMS = {
    "resnet": Lines(
        "opt.zero_grad(set_to_none=True)", "loss.backward()", "opt.step()", "F.cross_entropy(logits, labels)\n", "net = ResNet()", "net", "net.parameters()", "lr=0.03",
        "torch.manual_seed(SEED)", "net.eval()", "@torch.no_grad()\n", "DataLoader(train_set", head="net.fc", decay=("weight_decay=1e-4", "weight_decay=3.0"),
    ),
    "gru": Lines(
        "adam.zero_grad()", "loss.backward()", "adam.step()", "loss_function(prediction, labels)", "classifier = Classifier()", "classifier", "classifier.parameters(), lr", "lr=2e-3",
        "torch.manual_seed(SEED)", "classifier.eval()", "with torch.no_grad():", "DataLoader(corpus[:1200]", clip="nn.utils.clip_grad_norm_(classifier.parameters(), 5.0)", head="classifier.out",
    ),
    "vit": Lines(
        "optim.zero_grad()", "loss.backward()", "optim.step()", "criterion(output, y)", "vit = ViT()", "vit", "groups, lr", "lr=2e-3",
        "torch.manual_seed(SEED)", "vit.eval()", "with torch.inference_mode():", "DataLoader(make(1536)", clip="torch.nn.utils.clip_grad_norm_(vit.parameters(), max_norm=1.0)",
        schedule="scheduler.step()", head="vit.head", decay=('"weight_decay": 0.05', '"weight_decay": 5.0'),
    ),
    "vae": Lines(
        "optimizer.zero_grad()", "loss.backward()", "optimizer.step()", "objective(logits, x, mu, log_variance)\n        opt", "vae = VAE()", "vae", "vae.parameters()", "lr=1e-3",
        "torch.manual_seed(SEED)", "", "with torch.no_grad():", "DataLoader(squares(1280)",
    ),
    "regression": Lines(
        "sgd.zero_grad()", "loss.backward()", "sgd.step()", "huber(guess, target)", "regressor = Regressor(x.shape[1])", "regressor", "regressor.parameters()", "lr=0.02",
        "torch.manual_seed(SEED)", "regressor.eval()", "with torch.no_grad():", "DataLoader(train,", head="regressor.final",
    ),
    "unet": Lines(
        "optimizer.zero_grad()", "loss.backward()", "optimizer.step()", "loss_fn(logits, mask)", "unet, loss_fn = UNet(), DiceBCE()", "unet", "unet.parameters()", "lr=2e-3",
        "torch.manual_seed(SEED)", "", "", "DataLoader(blobs(640)", head="unet.last", decay=("weight_decay=1e-4", "weight_decay=3.0"),
    ),
    "tcn": Lines(
        "", "(loss / every).backward()", "optimizer.step()", 'bce(scores, batch["events"])\n        (', "tcn = TCN()", "tcn", "tcn.parameters()", "lr=5e-4",
        "torch.manual_seed(SEED)", "", "with torch.no_grad():", "DataLoader(Signals(2400, SEED + 100)", head="tcn.readout",
    ),
    "translate": Lines(
        "optimizer.zero_grad()", "loss.backward()", "optimizer.step()", "criterion(scores.flatten(0, 1), target[:, 1:].flatten())", "model = Seq2Seq()", "model", "model.parameters(), lr", "lr=3e-3",
        "torch.manual_seed(SEED)", "model.eval()", "with torch.no_grad():", "DataLoader(pairs[:2000]", clip="torch.nn.utils.clip_grad_norm_(model.parameters(), 1)", head="model.generator",
    ),
}  # fmt: skip
CLASSES = ("resnet", "gru", "vit")


def sources() -> dict[str, str]:
    """The programs that faults are put into, by name."""
    return {name: (FOLDER / f"{name}.py").read_text("utf-8") for name in PROGRAMS}


def hard() -> dict[str, str]:
    """Healthy programs of other kinds."""
    return {path.stem: path.read_text("utf-8") for path in sorted((FOLDER / "hard").glob("*.py"))}


def _indent(source: str, statement: str) -> str:
    line = next(line for line in source.splitlines() if line.strip().startswith(statement))
    return line[: len(line) - len(line.lstrip())]


def _after(source: str, statement: str, *more: str) -> tuple[str, str]:
    """More statements behind one."""
    indent = _indent(source, statement)
    line = next(line for line in source.splitlines() if line.strip().startswith(statement))
    return line + "\n", line + "\n" + "".join(f"{indent}{one}\n" for one in more)


def _before(source: str, statement: str, *more: str) -> tuple[str, str]:
    indent = _indent(source, statement)
    line = next(line for line in source.splitlines() if line.strip().startswith(statement))
    return line + "\n", "".join(f"{indent}{one}\n" for one in more) + line + "\n"


def _without(source: str, statement: str) -> tuple[str, str]:
    return f"{_indent(source, statement)}{statement}\n", ""


def faults(program: str, text: str) -> list[Fault]:
    """The faults that fit into one program."""
    at = PROGRAMS[program]
    here = (program,)
    found: list[Fault] = []

    def add(name: str, changes: list[tuple[str, str]], *rules: str, fact: bool = False) -> None:
        found.append(fault(name, changes, *rules, fact=fact, only=here))

    moved = "weights-unchanged", "parameters-not-optimized", "step-without-backward"
    if at.zero:
        add("no zero_grad", [_without(text, at.zero)], "missing-zero-grad", fact=True)
        add("zero_grad between backward and step", [_after(text, at.backward, at.zero)], "zero-grad-before-step", *moved, fact=True)
    built = at.model if program != "unet" else "unet = UNet()"
    loop = "for epoch in" if program != "vit" else "for _ in range(4)"
    add("model copied after the optimizer", [_before(text, loop, "import copy", f"{at.name} = copy.deepcopy({at.name})")], "optimizer-before-model-change", *moved, fact=True)
    add("optimizer of another model", [_after(text, at.model, f"other = {built.split(' = ')[1]}"), (at.parameters, at.parameters.replace(f"{at.name}.", "other."))] if program != "vit" else [("for p in vit.parameters() if", "for p in ViT().parameters() if")], *moved, fact=True)
    if at.head and program != "vit":
        add("head alone in the optimizer", [(at.parameters, at.parameters.replace(f"{at.name}.parameters()", f"{at.head}.parameters()"))], "parameters-not-optimized", fact=True)
    if program in (*CLASSES, "translate"):
        scores = {"resnet": "logits", "gru": "prediction", "vit": "output", "translate": "scores"}[program]
        add("softmax before the loss", [(at.loss, at.loss.replace(f"({scores}", f"({scores}.softmax(-1)"))], "softmax-before-cross-entropy", fact=True)
        add("labels from 1", [(at.loss, at.loss.replace("labels)", "labels + 1)").replace(" y)", " y + 1)").replace("flatten())", "flatten() + 1)"))], "labels-out-of-range", fact=True)
    if program in ("unet", "tcn"):
        inner = ("self.bce(logits, mask)", "self.bce(torch.sigmoid(logits), mask)") if program == "unet" else ("bce(scores, batch", "bce(torch.sigmoid(scores), batch")
        add("sigmoid before BCE with logits", [inner], "sigmoid-before-bce-with-logits", fact=True)
    if program == "unet":
        add("masks of 0 and 255", [("mask = (((", "mask = 255 * ((("), ("mask + torch.randn", "mask / 255 + torch.randn")], "labels-out-of-range", fact=True)
    if program == "regression":
        add("(N, 1) against (N,)", [(".squeeze(-1)\n\n\ndef table", "\n\n\ndef table")], "loss-broadcasts", fact=True)
        add("raw columns and targets", [("(features - mean) / std, (target - centre) / scale", "features * 20, target")], "input-not-normalized", "non-finite", "loss-diverging", "gradient-explosion", "update-ratio-high")
    for times, words in ((100, "rate x 100"), (1e-6, "rate / 1,000,000")):
        rules = ("loss-diverging", "non-finite", "update-ratio-high", "gradient-explosion", "loss-not-decreasing", "dead-units", "loss-spikes", "loss-oscillating") if times > 1 else ("update-ratio-low", "weights-unchanged", "loss-not-decreasing")
        add(words, [(at.rate, f"lr={times * float(at.rate[3:]):g}")], "lr-off-scale", *rules)
    add("rate 0", [(at.rate, "lr=0.0")], "lr-non-positive", "weights-unchanged", "loss-not-decreasing", fact=True)
    add("loss with the wrong sign", [(at.backward, "(-loss).backward()")], "loss-diverging", "loss-not-decreasing", "gradient-explosion", "non-finite")
    add("loss as a plain number", [_before(text, at.backward, "loss = torch.tensor(loss.item(), requires_grad=True)")], "loss-detached", *moved, fact=True)
    add("no backward", [_without(text, at.backward)], "step-without-backward", "weights-unchanged", fact=True)
    add("no step", [_without(text, at.step)], "backward-without-step", fact=True)
    add("no seed", [_without(text, at.seed)], "missing-seed", fact=True)
    if at.evaluate:
        add("validation in train mode", [_without(text, at.evaluate)], "evaluation-in-train-mode", fact=True)
        training = _after(text, at.evaluate)[0].replace(at.evaluate, at.evaluate.replace("eval", "train"))
        add("train() forgotten after validation", [(training, "")] if training in text else [(f"    {at.evaluate.replace('eval', 'train')}\n", "")], "train-mode-not-restored", fact=True)
    if at.no_grad:
        add("validation with gradients", [(at.no_grad, "" if at.no_grad.startswith("@") else "if True:")], "evaluation-with-gradients", fact=True)
    if at.clip:
        add("clip after step", [_without(text, at.clip), _after(text, at.step, at.clip)], "clip-after-step", fact=True)
        add("clip before backward", [_without(text, at.clip), _before(text, at.backward, at.clip)], "clip-before-backward", fact=True)
    if at.schedule:
        add("scheduler before optimizer", [_without(text, at.schedule), _before(text, at.step, at.schedule)], "scheduler-before-optimizer", fact=True)
    if at.head:
        add("head drawn 100 times too wide", [_after(text, at.model, f"{at.head}.weight.data.mul_(100)")], "first-loss-off-scale", "init-off-scale", "embedding-init-wide")
    if at.decay[0]:
        add("weight decay off scale", [at.decay], "weight-decay-off-scale", "loss-not-decreasing", "loss-diverging")
    add("log of a negative", [(at.backward, "(" + at.backward.removesuffix(".backward()") + " + torch.log(loss.detach() - 1e4)).backward()")], "non-finite", fact=True)
    add("the same batch for ever", [(at.shuffle, "shuffle=False"), *_frozen(program)], "same-batch-again", "train-not-shuffled")
    return found + _own(program)


def _frozen(program: str) -> list[tuple[str, str]]:
    """Each turn takes the first batch again."""
    loops = {
        "resnet": ("for images, labels in batches:\n        logits = net(images)\n        loss = F.cross_entropy(logits, labels)\n", "for _ in range(40):\n        images, labels = next(iter(batches))\n        logits = net(images)\n        loss = F.cross_entropy(logits, labels)\n"),
        "gru": ("    for words, lengths, labels in train_iter:\n", "    for _ in range(40):\n        words, lengths, labels = next(iter(train_iter))\n"),
        "vit": ("        for x, y in train_data:\n", "        for _ in range(32):\n            x, y = next(iter(train_data))\n"),
        "vae": ("    for x in training:\n", "    for _ in range(40):\n        x = next(iter(training))\n"),
        "regression": ("        for features, target in train_loader:\n", "        for _ in range(30):\n            features, target = next(iter(train_loader))\n"),
        "unet": ("                for image, mask in loaders[phase]:\n", "                for _ in range(40):\n                    image, mask = next(iter(loaders[phase]))\n"),
        "tcn": ("    for turn, batch in enumerate(batches, 1):\n", "    for turn in range(1, 121):\n        batch = next(iter(batches))\n"),
        "translate": ("    for source, target in train_pairs:\n", "    for _ in range(40):\n        source, target = next(iter(train_pairs))\n"),
    }
    return [loops[program]]


def _own(program: str) -> list[Fault]:
    """Faults that only one program can have."""
    own = {
        "resnet": [
            fault("dead from the first layer", [("F.relu(self.norm1(self.conv1(x)))", "F.relu(self.norm1(self.conv1(x)) - 9)"), ("F.relu(self.norm2(self.conv2(out)) + self.skip(x))", "F.relu(self.norm2(self.conv2(out)) + self.skip(x) - 9)")], "dead-units", "gradient-vanishing", only=("resnet",)),
            fault("labels in order", [("self.labels = torch.randint(0, 6, (count,))", "self.labels = torch.randint(0, 6, (count,)).sort().values"), ("shuffle=True", "shuffle=False")], "labels-in-order", "train-not-shuffled", only=("resnet",)),
            fault("samples mixed by a view", [("return self.fc(self.drop(self.blocks(self.stem(x)).mean((2, 3))))", "h = self.blocks(self.stem(x)).mean((2, 3))\n        return self.fc(self.drop(h.t().contiguous().view(h.shape)))")], "samples-mixed", only=("resnet",)),
            fault("targets drawn anew", [("F.cross_entropy(logits, labels)\n        opt", "F.cross_entropy(logits, torch.randint_like(labels, 6))\n        opt")], "loss-not-decreasing", "labels-change", only=("resnet",)),
            fault("not a number in some images", [("self.images = torch.randn(count, 3, 16, 16) * 0.6", "self.images = torch.randn(count, 3, 16, 16) * 0.6\n        self.images[::30] = float('nan')")], "non-finite", fact=True, only=("resnet",)),
        ],
        "gru": [
            fault("embeddings of size 300", [("classifier = Classifier()", "classifier = Classifier()\nclassifier.embedding.weight.data.mul_(300)")], "saturated-units", "loss-not-decreasing", "gradient-vanishing", only=("gru",)),
            fault("cut between encoder and head", [("torch.cat([last[0], last[1]], dim=1)", "torch.cat([last[0], last[1]], dim=1).detach()")], "parameter-without-gradient", "parameters-not-optimized", "weights-unchanged", fact=True, only=("gru",)),
            fault("clip to a hundred-thousandth", [("parameters(), 5.0)", "parameters(), 1e-5)")], "clip-off-scale", "clip-always-active", only=("gru",)),
            fault("softmax over the batch", [("loss_function(prediction, labels)", "nn.functional.nll_loss(torch.log_softmax(prediction, dim=0), labels)")], "softmax-over-batch", fact=True, only=("gru",)),
        ],
        "vit": [
            fault("layers in a plain list", [("nn.ModuleList([Layer(width, heads) for _ in range(depth)])", "[Layer(width, heads) for _ in range(depth)]")], "unregistered-modules", "parameters-not-optimized", fact=True, only=("vit",)),
            fault("swapped betas", [("lr=2e-3)", "lr=2e-3, betas=(0.999, 0.9))")], "betas-off-scale", fact=True, only=("vit",)),
        ],
        "vae": [
            fault("decoder cut from the encoder", [("z = mu + torch", "z = mu.detach() + torch"), ("torch.exp(0.5 * log_variance)\n", "torch.exp(0.5 * log_variance.detach())\n"), ("return reconstruction + divergence", "return reconstruction")], "parameter-without-gradient", "parameters-not-optimized", "weights-unchanged", fact=True, only=("vae",)),
        ],
        "regression": [
            fault("gradients spike", [("            sgd.step()\n", "            if torch.rand(()) < 0.12:\n                for p in regressor.parameters():\n                    p.grad.mul_(300)\n            sgd.step()\n")], "gradient-spikes", "loss-spikes", "loss-diverging", "gradient-explosion", "non-finite", "update-ratio-high", only=("regression",)),
            fault("twelve sigmoid layers", [("nn.Linear(96, 48), nn.ReLU())", "*[layer for _ in range(12) for layer in (nn.Linear(96, 96), nn.Sigmoid())], nn.Linear(96, 48), nn.ReLU())")], "gradient-vanishing", "loss-not-decreasing", only=("regression",)),
        ],
        "tcn": [
            fault("accumulation not divided", [("(loss / every).backward()", "loss.backward()")], "accumulation-not-divided", fact=True, only=("tcn",)),
            fault("zero_grad in every micro-batch", [("        scores = tcn", "        optimizer.zero_grad()\n        scores = tcn")], "zero-grad-every-microbatch", fact=True, only=("tcn",)),
        ],
    }
    return own.get(program, [])

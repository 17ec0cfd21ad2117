"""What a run shows, and what it must not be taken for: programs of a few lines, watched in this process."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

pytest.importorskip("torch")
from tests.probe.watching import watch

HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(640, 8)
y = x[:, :4].argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
LOOP = """
for epoch in range(5):
    for a, b in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(a), b)
        loss.backward()
        optimizer.step()
"""


def said(code: str, folder: Path, steps: int = 30) -> list[tuple[str, str]]:
    """Rule and case of every error and warning."""
    script = folder / "train.py"
    script.write_text(code, "utf-8")
    result, *_ = watch(script, steps=steps)
    assert not result.crashes and not [entry for entry in result.skipped if "switched off" in entry.why], result.skipped
    return [(f.rule, f.case) for f in result.findings if f.severity != "hint"]


def test_a_scheduler_may_still_be_stepped_after_the_stop(tmp_path: Path) -> None:
    built = HEAD + "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)\n" + LOOP
    assert said(built + "    scheduler.step()\n", tmp_path) == []
    assert said(built, tmp_path) == [], "stopped: nobody knows"
    assert said(built, tmp_path, steps=10_000) == [("scheduler-never-stepped", "never")]


def test_an_optimizer_may_still_step_after_the_stop(tmp_path: Path) -> None:
    without = HEAD + LOOP.replace("        optimizer.step()\n", "")
    assert said(without, tmp_path) == [("backward-without-step", "no-step")]
    by_hand = without + "        with torch.no_grad():\n            for p in model.parameters():\n                p -= 0.01 * p.grad\n"
    assert said(by_hand, tmp_path) == [], "the weights are moved by hand"


ACCUMULATED = HEAD + """
optimizer.zero_grad()
for epoch in range(5):
    for turn, (a, b) in enumerate(loader):
        loss = nn.functional.cross_entropy(model(a), b){divided}
        loss.backward(){more}
        if turn % {every} == {every} - 1:
            optimizer.step()
            optimizer.zero_grad()
"""


@pytest.mark.parametrize("every", [4, 7])  # 7: the last window of an epoch goes on in the next
def test_accumulated_losses(every: int, tmp_path: Path) -> None:
    assert said(ACCUMULATED.format(divided=f" / {every}", more="", every=every), tmp_path) == []
    summed = ACCUMULATED.format(divided="", more="", every=every)
    assert said(summed, tmp_path) == []  # Adam divides by the size of the gradients: a hint
    slowed = summed.replace("optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)", "optimizer = torch.optim.SGD(model.parameters(), lr=0.01)")
    assert slowed != summed and said(slowed, tmp_path) == [("accumulation-not-divided", "times")]
    clipped = "\n        nn.utils.clip_grad_norm_(model.parameters(), 1.0)"
    assert said(ACCUMULATED.format(divided=f" / {every}", more=clipped, every=every), tmp_path) == [("clip-every-microbatch", "every-turn")]


def test_a_clearing_behind_the_first_call_of_a_window(tmp_path: Path) -> None:
    """As Lightning does it: the first backward of a window is preceded by it, the others are not."""
    shared = ACCUMULATED.format(divided=" / 4", more="", every=4).replace("            optimizer.zero_grad()\n", "")
    once = shared.replace("        loss.backward()", "        if turn % 4 == 0:\n            optimizer.zero_grad()\n        loss.backward()")
    assert said(once, tmp_path) == []
    assert said(once.replace("        if turn % 4 == 0:\n    ", ""), tmp_path) == [("zero-grad-every-microbatch", "each-batch")]


def test_two_losses_of_one_call_are_no_accumulation(tmp_path: Path) -> None:
    twice = LOOP.replace(
        "        loss.backward()\n",
        "        for part in (loss, model[0].weight.pow(2).mean()):\n            part.backward(retain_graph=True)\n",
    )
    assert said(HEAD + twice, tmp_path) == []


def test_gradients_cleared_by_another_optimizer_of_the_same_weights(tmp_path: Path) -> None:
    outer = HEAD + "outer = torch.optim.SGD(model.parameters(), lr=0.1)\n" + LOOP.replace("        optimizer.zero_grad()\n", "")
    assert said(outer + "        outer.zero_grad()\n", tmp_path) == []
    assert said(outer, tmp_path) == [("missing-zero-grad", "never")]


def test_an_evaluation_in_each_turn_is_no_part_of_the_next_one(tmp_path: Path) -> None:
    whole = HEAD + """
for epoch in range(60):
    model.train()
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x[:400]), y[:400]).backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(x[400:]), y[400:])
"""
    assert said(whole, tmp_path) == []
    assert ("missing-zero-grad", "never") in said(whole.replace("    optimizer.zero_grad()\n", ""), tmp_path)


def test_batches_that_agree_in_some_columns_are_not_the_same(tmp_path: Path) -> None:
    """Pictures with an empty border: a digest of every so many numbers saw nothing but zeros."""
    pictures = HEAD.replace("x = torch.randn(640, 8)\ny = x[:, :4].argmax(1)\n", """
x = torch.zeros(640, 1, 32, 32)
y = torch.randint(0, 4, (640,))
x[torch.arange(640), 0, 8 + 4 * y, 8:24] = 1 + torch.rand(640, 16)
""").replace("nn.Linear(8, 32)", "nn.Flatten(), nn.Linear(1024, 32)")  # fmt: skip
    assert said(pictures + LOOP, tmp_path) == []
    again = LOOP.replace("    for a, b in loader:\n", "    for _ in range(40):\n        a, b = next(iter(loader))\n")
    assert said(pictures.replace("shuffle=True", "shuffle=False") + again, tmp_path) == [("same-batch-again", "again")]


def test_what_is_cut_off_inside_the_model(tmp_path: Path) -> None:
    parts = HEAD.replace("model = nn.Sequential", """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.pooler, self.head = nn.Linear(8, 32), nn.Linear(32, 4), nn.Linear(32, 4)

    def forward(self, x):
        hidden = self.body(x).relu()
        self.pooler(hidden)
        return self.head(hidden)


model = Net()
_ = nn.Sequential""")  # fmt: skip
    assert said(parts + LOOP, tmp_path) == [], "a part that this task does not use is no fault"
    cut = parts.replace("self.body(x).relu()", "self.body(x).relu().detach()")
    assert said(cut + LOOP, tmp_path) == [("parameter-without-gradient", "cut")]


def test_a_rate_behind_a_schedule_that_scales_it(tmp_path: Path) -> None:
    scaled = HEAD.replace("lr=1e-3", "lr=0.2") + "scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: {})\n" + LOOP
    stepped = scaled + "        scheduler.step()\n"
    assert ("lr-off-scale", "above") in said(stepped.format("min(1.0, (step + 1) / 10)"), tmp_path)
    assert said(stepped.format("0.005"), tmp_path) == [], "here the rate is a mere factor"


def test_gradients_whose_square_overflows_behind_a_scaler(tmp_path: Path) -> None:
    scaled = LOOP.replace("loss.backward()", "scaler.scale(loss * 1e30).backward()").replace("optimizer.step()", "scaler.step(optimizer)")
    code = HEAD + "scaler = torch.amp.GradScaler('cpu', init_scale=1.0)\n" + scaled + "        scaler.update()\n"
    assert ("gradient-explosion", "absurd") in said(code, tmp_path)


def test_the_first_loss_under_smoothing_and_of_two_classes(tmp_path: Path) -> None:
    wide = HEAD + LOOP.replace("model(a)", "(200 * model(a))")
    assert ("first-loss-off-scale", "too-high") in said(wide.replace("a)), b)", "a)), b, label_smoothing=0.1)"), tmp_path)
    binary = wide.replace("cross_entropy((200 * model(a)), b)", "binary_cross_entropy_with_logits((200 * model(a))[:, 0], (b > 1).float())")
    assert ("first-loss-off-scale", "too-high") in said(binary, tmp_path)


def test_softmax_over_the_batch(tmp_path: Path) -> None:
    code = HEAD + LOOP.replace("cross_entropy(model(a), b)", "nll_loss(torch.log_softmax(model(a), dim={}), b)")
    assert said(code.format(1), tmp_path) == []
    assert ("softmax-over-batch", "batch-dimension") in said(code.format(0), tmp_path)


def test_a_model_that_computes_its_loss_is_seen_to_validate(tmp_path: Path) -> None:
    """As models of transformers do, with a loss built in each call."""
    parts = HEAD.replace("model = nn.Sequential", """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, x, y):
        return nn.CrossEntropyLoss()(self.body(x), y)


model = Net()
_ = nn.Sequential""")  # fmt: skip
    loop = LOOP.replace("nn.functional.cross_entropy(model(a), b)", "model(a, b)").replace("    for a", "    model.train()\n    for a")
    loop += "    model.eval()\n    with torch.no_grad():\n        for a, b in DataLoader(loader.dataset, batch_size=64):\n            model(a, b)\n"
    script = tmp_path / "train.py"
    script.write_text(parts + loop, "utf-8")
    _, trace, _, _ = watch(script, steps=60)
    assert [evaluation.step for evaluation in trace.evaluations] == [40]


def test_a_run_in_this_process_leaves_the_answer_to_a_request_to_end(tmp_path: Path) -> None:
    """Whoever runs the probe in a process of their own can still be ended afterwards, and so can what they start."""
    script = tmp_path / "train.py"
    script.write_text("print('nothing is trained')\n")
    before = signal.getsignal(signal.SIGTERM)
    watch(script)
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_last_turn_of_a_pass_that_a_break_ends_is_training(tmp_path: Path) -> None:
    code = HEAD.replace("nn.Linear(8, 32),", "nn.Linear(8, 32), nn.BatchNorm1d(32),") + """
model.train()
for i, (a, b) in enumerate(loader):
    loss = nn.functional.cross_entropy(model(a), b)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if i == 10:
        break
model.eval()
with torch.no_grad():
    for a, b in DataLoader(TensorDataset(x[:64], y[:64]), batch_size=16):
        nn.functional.cross_entropy(model(a), b)
"""
    assert said(code, tmp_path) == []


def test_the_turn_that_the_stop_cuts_off_is_training_under_autocast_too(tmp_path: Path) -> None:
    dropping = HEAD.replace("nn.ReLU()", "nn.Dropout(0.1)")
    automatic = LOOP.replace("        loss = nn", '        with torch.autocast("cpu", torch.bfloat16):\n            loss = nn')
    assert said(dropping + automatic, tmp_path, steps=60) == []


EPISODES = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(64, 8)
y = x[:, :4].argmax(1)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()
loader = DataLoader({data}, batch_size=16, shuffle=True)
for epoch in range(6):
    for a, b in loader:
        optimizer.zero_grad()
        {loss}
        loss.backward()
        optimizer.step()
"""
OWN = "loss = nn.functional.cross_entropy(model(a), b)"
DRAWN = "loss = nn.functional.cross_entropy(model(a), torch.randint(4, (16,)))"


@pytest.mark.parametrize(
    ("data", "loss", "expected"),
    [
        ("TensorDataset(x, y)", DRAWN, True),
        ("TensorDataset(x, y)", OWN, False),
        ("TensorDataset(x, y)", "loss = criterion(model(a), b) + criterion(model(a), torch.randint(4, (16,)))", False),  # two in one
        ("TensorDataset(x, y)", DRAWN.replace("model(a)", "model(a + 0.1 * torch.randn_like(a))"), False),  # never the same input
        ("TensorDataset(x, y)", DRAWN.replace(")))", ")), reduction='none').mean()"), False),  # weighted sample by sample, as policy gradients are
        ("TensorDataset(x[:8].repeat(8, 1), y)", OWN, False),  # eight samples with many labels each: doubles in the data
    ],
    ids=["drawn", "own", "two targets", "noise", "unreduced", "doubles"],
)
def test_labels_that_change(data: str, loss: str, expected: bool, tmp_path: Path) -> None:
    found = said(EPISODES.format(data=data, loss=loss), tmp_path, steps=30)
    assert (("labels-change", "redrawn") in found) is expected, found


CLASSES = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(0)
x = torch.randn(960, 8)
y = (x[:, 0] > 0.8).long()
counts = torch.bincount(y).float()
loader = DataLoader(TensorDataset(x, y), batch_size=32, {order})
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(3):
    for a, b in loader:
        optimizer.zero_grad()
        loss = {loss}
        loss.backward()
        optimizer.step()
"""
BALANCED = "sampler=WeightedRandomSampler((1 / counts)[y], 960)"
WEIGHTED = "nn.functional.cross_entropy(model(a), b, weight={})"
ONE_HOT = "nn.functional.mse_loss({}, nn.functional.one_hot(b, 2).float())"


@pytest.mark.parametrize(
    ("order", "loss", "expected"),
    [
        ("shuffle=True", WEIGHTED.format("1 / counts"), []),
        ("shuffle=True", WEIGHTED.format("counts / counts.sum()"), [("class-weights-inverted", "loss")]),
        (BALANCED, WEIGHTED.format("1 / counts"), [("balanced-twice", "both")]),
        (BALANCED, WEIGHTED.format("torch.ones(2)"), []),
        ("shuffle=True", ONE_HOT.format("model(a).softmax(1)"), [("mse-for-classes", "fading")]),
        ("shuffle=True", ONE_HOT.format("model(a)"), []),  # a hint
        ("shuffle=True", "nn.functional.mse_loss(model(a).softmax(1), torch.stack([1 - b * 0.9, b * 0.9], 1))", []),  # soft labels
    ],
)
def test_classes_weighed_and_compared(order: str, loss: str, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    assert said(CLASSES.format(order=order, loss=loss), tmp_path) == expected


def test_a_second_sort_of_labels_is_no_clump(tmp_path: Path) -> None:
    """A GAN that classifies: what it made up is a class of its own, in a call beside that with the loader's labels."""
    made_up = "+ nn.functional.cross_entropy(model(torch.randn(16, 8)), torch.full((16,), 4))"
    two = LOOP.replace("cross_entropy(model(a), b)\n", f"cross_entropy(model(a), b) {made_up}\n").replace("range(5)", "range(2)")
    assert said(HEAD.replace("(32, 4)", "(32, 5)") + two, tmp_path) == []
    clumped = HEAD.replace("loader =", "order = (y + 0.8 * torch.randn(640)).argsort()\nx, y = x[order], y[order]\nloader =")
    clumped = clumped.replace("shuffle=True", "sampler=range(640)")
    twice = LOOP.replace("cross_entropy(model(a), b)\n", "cross_entropy(model(a), b) + nn.functional.cross_entropy(model(a * 2), b)\n")
    assert ("batch-imbalance", "clumped") in said(clumped.replace("sampler=range(640)", "shuffle=False") + twice, tmp_path)


SPIKES = """
import sys, types
import torch
from torch import nn

torch.manual_seed(0)
{environment}
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(100):
    a = torch.randn(16, 8)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(a), a[:, :4].argmax(1))
    loss.backward()
    if step in (13, 22):
        for p in model.parameters():
            p.grad.mul_(60)
    optimizer.step()
"""


def test_gradients_jump_where_an_environment_answers(tmp_path: Path) -> None:
    assert said(SPIKES.format(environment=""), tmp_path) == [("gradient-spikes", "jumps")]
    assert said(SPIKES.format(environment="sys.modules['gymnasium'] = types.ModuleType('gymnasium')"), tmp_path) == []


def test_a_model_that_other_processes_train_too_is_not_run_again(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(HEAD + "model.share_memory()\n" + LOOP, "utf-8")
    result, *_ = watch(script, steps=30)
    assert result.findings == []
    assert [(entry.why, entry.rules) for entry in result.skipped if "share_memory" in entry.why] == [
        (
            "a model whose weights other processes may change meanwhile (share_memory) is not run again",
            ("cannot-overfit-one-batch", "loss-not-decreasing", "samples-mixed"),
        )
    ]


def test_an_iterator_that_is_not_asked_to_its_end(tmp_path: Path) -> None:
    """As many batches as the loader has are drawn one by one, and the scheduler steps before the next iterator begins."""
    drawn = HEAD + "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)\n" + """
for epoch in range(5):
    batches = iter(loader)
    for _ in range(len(loader)):
        a, b = next(batches)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(a), b)
        loss.backward()
        optimizer.step()
{indent}scheduler.step()
"""
    few = drawn.replace("randn(640", "randn(160")
    assert said(few.format(indent=4 * " "), tmp_path, steps=35) == []
    assert said(few.format(indent=8 * " "), tmp_path, steps=35) == [("scheduler-wrong-cadence", "epoch-schedule-per-batch")]


def test_one_softmax_before_several_losses_is_said_once(tmp_path: Path) -> None:
    model = HEAD.replace("nn.Linear(32, 4)", "nn.Linear(32, 4), nn.Softmax(dim=1)")
    twice = LOOP.replace("        loss.backward()\n", "        loss = loss + nn.functional.cross_entropy(model(a * 2), b)\n        loss.backward()\n")
    assert said(model + twice, tmp_path) == [("softmax-before-cross-entropy", "softmax")]


def test_no_step_in_a_program_without_a_loader(tmp_path: Path) -> None:
    """Cut off by the clock, when gradients were cleared too often to be summed up."""
    whole = HEAD + """
for epoch in range(30):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x[:8]), y[:8])
    loss.backward()
raise KeyboardInterrupt
"""
    assert said(whole, tmp_path) == [("backward-without-step", "no-step")]
    assert said(whole.replace("range(30)", "range(10)"), tmp_path) == []
    assert said(whole.replace("    optimizer.zero_grad()\n", ""), tmp_path) == []
    assert said(whole.replace("    loss.backward()\n", "    loss.backward()\n    optimizer.step()\n"), tmp_path) == []


AHEAD = HEAD.replace("nn.ReLU()", "nn.ReLU(), nn.Dropout(0.1)") + """

def ahead(batches):
    batches = iter(batches)
    held = next(batches)
    for following in batches:
        yield held
        held = following
    yield held


for a, b in ahead(loader):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(a), b)
    loss.backward()
    optimizer.step()
model.eval()
with torch.no_grad():
    for a, b in DataLoader(TensorDataset(x, y), batch_size=64):
        print(nn.functional.cross_entropy(model(a), b))
"""


def test_a_loader_that_fetches_ahead_ends_before_its_last_batch_is_trained_on(tmp_path: Path) -> None:
    assert said(AHEAD, tmp_path, steps=100) == []
    assert said(AHEAD.replace("model.eval()\n", ""), tmp_path, steps=100) == [("evaluation-in-train-mode", "dropout")]


def test_a_model_that_is_cleared_once_before_it_is_trained(tmp_path: Path) -> None:
    """Frameworks do so, whoever holds the weights."""
    part = HEAD.replace("Adam(model.parameters()", "Adam(model[2].parameters()") + "model.zero_grad()\n" + LOOP
    assert said(part, tmp_path) == [("parameters-not-optimized", "filled")]
    assert said(part.replace("        optimizer.zero_grad()\n", "        model.zero_grad()\n"), tmp_path) == []


@pytest.mark.parametrize("started", ["(loss / 4)", "(loss * 0.5).float()", "scaler.scale(loss / 2)"])
def test_the_first_batches_again_when_a_multiple_of_the_loss_is_trained_on(started: str, tmp_path: Path) -> None:
    scaled = "scaler.step(optimizer); scaler.update()" if "scaler" in started else "optimizer.step()"
    code = HEAD + "scaler = torch.amp.GradScaler('cpu', init_scale=8.0)\n"
    code += LOOP.replace("loss.backward()", f"{started}.backward()").replace("optimizer.step()", scaled)
    (tmp_path / "train.py").write_text(code, "utf-8")
    _, trace, *_ = watch(tmp_path / "train.py", steps=30)
    assert [again.step for again in trace.again] == [1, 2, 3]
    assert all(1.2 < again.before < 1.6 and again.after < again.before for again in trace.again), "the loss itself"


@pytest.mark.parametrize("started", ["(-loss)", "(loss * -1.0)", "(loss + model[0].weight.pow(2).sum())"])
def test_another_aim_than_the_loss_is_not_evaluated_again(started: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(HEAD + LOOP.replace("loss.backward()", f"{started}.backward()"), "utf-8")
    _, trace, *_ = watch(tmp_path / "train.py", steps=10)
    assert trace.again == []


def test_early_batches_are_evaluated_again_in_the_precision_of_the_run(tmp_path: Path) -> None:
    code = HEAD.replace("optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)", "optimizer = torch.optim.SGD(model.parameters(), lr=0.0)")
    code += LOOP.replace("        loss =", "        with torch.autocast('cpu', torch.bfloat16):\n            loss =")
    (tmp_path / "train.py").write_text(code, "utf-8")
    _, trace, *_ = watch(tmp_path / "train.py", steps=10)
    assert len(trace.again) == 3 and all(again.before == again.after for again in trace.again)


def test_inputs_follow_a_model_that_left_their_device() -> None:
    """Lightning takes a model off the GPU when training is done (test_frameworks.py, where there is one); the meta device stands for it here."""
    import torch

    from advisor.probe.replay import near

    here, gone = torch.zeros(2), torch.zeros(2, device="meta")
    assert near(here, [gone]) is here, "lengths stay on the CPU whatever the weights are on"
    assert near(gone, [here, gone]) is gone, "a model on several devices knows what goes where"
    assert near(gone, []) is gone
    with pytest.raises(NotImplementedError, match="meta"):
        near(gone, [here])

import logging
import os

import torch
from _end import step_done, told
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

try:
    import lightning.pytorch as pl
except ImportError:
    import pytorch_lightning as pl

MODE, FAULT = os.environ["MODE"].split("+"), os.environ.get("FAULT", "")
CLASSES, ROWS = 5, 640


class Classifier(pl.LightningModule):
    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        self.body = nn.Sequential(nn.Linear(20, 64), nn.LayerNorm(64), nn.GELU(), nn.Dropout(0.1))
        self.head = nn.Linear(64, CLASSES)

    def forward(self, x):
        return self.head(self.body(x))

    def training_step(self, batch, index):
        x, y = batch
        loss = nn.functional.cross_entropy(self(x), y)  # trained
        self.log("loss", loss)
        return loss

    def validation_step(self, batch, index):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        if FAULT == "frozen":
            self.requires_grad_(False)
            self.head.bias.requires_grad_(True)
        taught = self.head.parameters() if FAULT == "left-out" else self.parameters()
        opt = torch.optim.AdamW(taught, lr=self.rate)
        return {"optimizer": opt, "lr_scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=4)}


class ByHand(Classifier):
    automatic_optimization = False

    def training_step(self, batch, index):
        x, y = batch
        opt = self.optimizers()
        if FAULT != "uncleared":
            opt.zero_grad()
        loss = nn.functional.cross_entropy(self(x), y)
        self.manual_backward(loss)
        self.clip_gradients(opt, gradient_clip_val=1.0, gradient_clip_algorithm="norm")
        opt.step()


class Steps(pl.Callback):
    def on_train_batch_end(self, trainer, *given):
        step_done(trainer.global_step)


def loader(rows, shuffle):
    return DataLoader(rows, batch_size=16, shuffle=shuffle, num_workers=2 if "workers" in MODE else 0)


def main():
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    pl.seed_everything(8, verbose=False)
    x = torch.randn(ROWS + 64, 20)
    y = x[:, :CLASSES].argmax(1)
    if FAULT == "nan":
        x[::80] = float("nan")
    if FAULT == "label":
        y[:ROWS] += 1
    model = (ByHand if "by-hand" in MODE else Classifier)(50.0 if FAULT == "rate" else 1e-3)
    precision = "bf16-mixed" if "bf16" in MODE else "16-mixed" if "fp16" in MODE else "32-true"
    accumulated = 2 if "accumulated" in MODE else 1
    trainer = pl.Trainer(
        max_epochs=2 * accumulated, accelerator="auto", devices=1, precision=precision,
        accumulate_grad_batches=accumulated, gradient_clip_val=None if "by-hand" in MODE else 1.0, callbacks=[Steps()], deterministic=True,
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    if "compiled" in MODE:
        model.compile()
    with told(model):
        trainer.fit(model, loader(TensorDataset(x[:ROWS], y[:ROWS]), True), loader(TensorDataset(x[ROWS:], y[ROWS:]), False))


if __name__ == "__main__":
    main()

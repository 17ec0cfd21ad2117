import os

import torch
from _end import step_done, told
from torch.utils.data import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments, ViTConfig, ViTForImageClassification

MODE, FAULT = os.environ["MODE"].split("+"), os.environ.get("FAULT", "")
CLASSES, ROWS = 4, 640


class Images(Dataset):
    def __init__(self):
        drawn = torch.Generator().manual_seed(8)
        self.labels = torch.arange(ROWS) % CLASSES
        self.images = torch.randn(ROWS, 3, 16, 16, generator=drawn)
        self.images += torch.randn(CLASSES, 3, 1, 1, generator=drawn)[self.labels]
        if FAULT == "nan":
            self.images[::80] = float("nan")
        if FAULT == "label":
            self.labels += 1

    def __len__(self):
        return ROWS

    def __getitem__(self, at):
        return {"pixel_values": self.images[at], "labels": self.labels[at]}


class Sentences(Dataset):
    def __init__(self):
        drawn = torch.Generator().manual_seed(8)
        begins = torch.randint(0, 32, (ROWS, 1), generator=drawn)
        strides = torch.randint(1, 4, (ROWS, 1), generator=drawn)
        self.words = (begins + strides * torch.arange(24)) % 32

    def __len__(self):
        return ROWS

    def __getitem__(self, at):
        return {"input_ids": self.words[at], "labels": self.words[at]}


class Steps(TrainerCallback):
    def on_optimizer_step(self, args, state, control, **given):
        step_done(state.global_step + 1)


def built():
    if "text" in MODE:
        config = LlamaConfig(
            vocab_size=32, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            max_position_embeddings=32, pad_token_id=0, bos_token_id=1, eos_token_id=2, attn_implementation="eager",
        )  # fmt: skip
        return LlamaForCausalLM(config), Sentences()
    config = ViTConfig(
        image_size=16, patch_size=4, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_labels=CLASSES,
        hidden_dropout_prob=0.1, attn_implementation="eager",
    )  # fmt: skip
    return ViTForImageClassification(config), Images()


def main():
    torch.manual_seed(8)
    torch.backends.cudnn.deterministic = True
    model, rows = built()
    args = TrainingArguments(
        output_dir="out", max_steps=40, per_device_train_batch_size=16, learning_rate=5.0 if FAULT == "rate" else 2e-3, warmup_steps=4,
        gradient_accumulation_steps=2 if "accumulated" in MODE else 1, max_grad_norm=1.0, weight_decay=0.01,
        bf16="bf16" in MODE, fp16="fp16" in MODE, torch_compile="compiled" in MODE, dataloader_num_workers=2 if "workers" in MODE else 0,
        logging_steps=5, use_cpu=not torch.cuda.is_available(), save_strategy="no", report_to="none", disable_tqdm=True, seed=8,
    )  # fmt: skip
    trainer = Trainer(model=model, args=args, train_dataset=rows, callbacks=[Steps()])
    with told(model):
        trainer.train()


if __name__ == "__main__":
    main()

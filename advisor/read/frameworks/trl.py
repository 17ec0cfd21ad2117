"""TRL builds on Transformers: its trainers and configs stand beside Trainer and TrainingArguments."""

from __future__ import annotations

from advisor.read.frameworks import transformers

__all__ = ["transformers"]

"""Sentence Transformers builds on Transformers: its trainers and their arguments stand beside Trainer and TrainingArguments."""

from __future__ import annotations

from advisor.read.frameworks import table, transformers

table.RENAMES["sentence_transformers"] = transformers.canonical

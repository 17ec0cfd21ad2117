"""YAML, JSON and TOML files that configure no training: silence, whatever words stand in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Advisor

FILES = {
    ".github/workflows/ci.yml": "on: [push]\njobs:\n  train:\n    runs-on: ubuntu-latest\n    steps:\n      - run: python train.py --lr=10 --batch_size=1 --epochs=1\n"
    "        env: {LR: 10, EPOCHS: 1, BATCH_SIZE: 1}\n",
    ".github/workflows/sweep.yml": "on:\n  workflow_dispatch:\n    inputs:\n      lr: {default: 5}\n      epochs: {default: 1}\n      batch_size: {default: 1}\n",
    ".github/dependabot.yml": "version: 2\nupdates:\n  - {package-ecosystem: pip, directory: /, schedule: {interval: weekly}}\n",
    ".github/ISSUE_TEMPLATE/bug.yml": "name: Bug\nbody:\n  - type: textarea\n    attributes: {label: 'optimizer: lr: batch_size:', value: 'lr: 1'}\n",
    ".github/FUNDING.yml": "github: [someone]\n",
    ".github/labeler.yml": "optim:\n  - changed-files: [{any-glob-to-any-file: optim/**}]\nlr:\n  - changed-files: [{any-glob-to-any-file: lr/**}]\n",
    ".github/release.yml": "changelog:\n  categories: [{title: New, labels: [feature]}]\n",
    ".gitlab-ci.yml": "stages: [test, train]\ntrain:\n  stage: train\n  variables: {EPOCHS: '1', LR: '100', BATCH_SIZE: '1'}\n  script: [python train.py]\n",
    ".circleci/config.yml": "version: 2.1\njobs:\n  train:\n    docker: [{image: pytorch}]\n    environment: {epochs: 1, lr: 100, batch_size: 1}\n",
    ".travis.yml": "language: python\nenv:\n  - LR: 10\n    EPOCHS: 2\nscript: pytest\n",
    "azure-pipelines.yml": "trigger: [main]\nvariables: {epochs: 1, lr: 10, batch_size: 2}\nsteps:\n  - script: pytest\n",
    "cloudbuild.yaml": "steps:\n  - name: gcr.io/x\n    args: ['--lr=10', '--epochs=1']\n    env: ['BATCH_SIZE=1']\ntimeout: 100s\n",
    "codecov.yml": "coverage:\n  status: {project: {default: {target: 80%}}}\n",
    ".readthedocs.yaml": "version: 2\nbuild: {os: ubuntu-22.04, tools: {python: '3.11'}}\n",
    ".pre-commit-config.yaml": "repos:\n  - repo: local\n    hooks:\n      - {id: lint, name: lint, language: system, entry: advisor lint, args: [--lr]}\n",
    ".pre-commit-hooks.yaml": "- {id: lint, name: lint, entry: lint, language: python, types: [python]}\n",
    ".yamllint.yml": "extends: default\nrules: {line-length: {max: 100}}\n",
    ".clang-format.yaml": "BasedOnStyle: Google\nColumnLimit: 100\n",
    "action.yml": "name: train\ninputs:\n  lr: {default: '10'}\n  batch_size: {default: '1'}\n  epochs: {default: '1'}\nruns: {using: docker, image: Dockerfile}\n",
    "mkdocs.yml": "site_name: Training\nnav:\n  - Home: index.md\n  - Learning rate: lr.md\n  - Optimizer: optimizer.md\nplugins: [search]\n",
    "_config.yml": "title: Blog\ntheme: minima\nlr: 1\nepochs: many\n",
    "docs/_toctree.yml": "- sections:\n    - {local: optimizer, title: Optimizer}\n    - {local: lr, title: Learning rate}\n",
    "docs/_data/results.yml": "- {model: a, lr: 100, batch_size: 1, epochs: 1, accuracy: 0.9}\n- {model: b, lr: 200, batch_size: 1, epochs: 1, accuracy: 0.8}\n",
    "docker-compose.yml": "services:\n  train:\n    image: x\n    environment: {LR: 100, BATCH_SIZE: 1, EPOCHS: 0}\n    command: [python, train.py, --lr, '5']\n",
    "compose.override.yaml": "services:\n  board: {image: tensorboard, ports: ['6006:6006']}\n",
    "k8s/job.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: train}\nspec:\n  template:\n    spec:\n      containers:\n        - name: t\n"
    "          env: [{name: LR, value: '10'}, {name: EPOCHS, value: '0'}]\n          args: ['--batch_size=1']\n",
    "k8s/config-map.yaml": "apiVersion: v1\nkind: ConfigMap\ndata:\n  lr: '100'\n  epochs: '0'\n  batch_size: '1'\n",
    "charts/values.yaml": "replicas: 2\nimage: {tag: 1.0}\nresources: {limits: {memory: 1Gi}}\n",
    "charts/templates/job.yaml": "apiVersion: batch/v1\nkind: Job\n{{- if .Values.train }}\nlr: {{ .Values.lr }}\nepochs: {{ .Values.epochs }}\nbatch_size: 1\n{{- end }}\n",
    "playbook.yml": "- hosts: gpu\n  vars: {lr: 100, epochs: 1, batch_size: 1}\n  tasks:\n    - name: train\n      command: python train.py\n",
    "environment.yml": "name: torch\nchannels: [pytorch]\ndependencies: [python=3.10, pytorch=2.1, pip: [lightning==2.1, transformers]]\n",
    "recipe/meta.yaml": "package: {name: optim, version: '1.0'}\nrequirements: {run: [python, pytorch]}\n",
    "dvc.yaml": "stages:\n  train:\n    cmd: python train.py --lr=100 --epochs=0\n    params: [lr, batch_size, epochs]\n    outs: [model.pt]\n",
    "dvc.lock.yaml": "schema: '2.0'\nstages:\n  train: {cmd: python train.py, params: {params.yaml: {lr: 100, epochs: 0, batch_size: 1}}}\n",
    "openapi.yaml": "openapi: 3.0.0\ninfo: {title: Train, version: '1'}\npaths: {}\ncomponents:\n  schemas:\n    Run:\n      properties:\n"
    "        learning_rate: {type: number, default: 100}\n        batch_size: {type: integer}\n        epochs: {type: integer}\n",
    "openapi.json": '{"openapi": "3.0.0", "components": {"schemas": {"Run": {"properties": {"learning_rate": {"default": 9}, "epochs": {}, "batch_size": {}}}}}}',
    "schema/run.schema.json": '{"$schema": "x", "properties": {"lr": {"default": 100}, "optimizer": {"enum": ["sgd"]}, "epochs": {"minimum": 0}}}',
    "package.json": '{"name": "board", "version": "1.0.0", "scripts": {"train": "node train.js --lr=100"}, "dependencies": {"react": "18"}}',
    "package-lock.json": '{"name": "board", "lockfileVersion": 3, "packages": {"": {"dependencies": {"lr": "1", "optimist": "0.6", "epochs": "1"}}}}',
    "tsconfig.json": '{\n  // strict\n  "compilerOptions": {"strict": true, "target": "es2020"},\n}',
    ".vscode/launch.json": '{\n  // lr\n  "configurations": [{"name": "train", "args": ["--lr", "5"], "env": {"lr": "5", "epochs": "1", "batch_size": "2"}}]\n}',
    ".vscode/settings.json": '{"python.testing.pytestEnabled": true,}',
    ".devcontainer/devcontainer.json": '{"image": "pytorch", "postCreateCommand": "pip install torch"}',
    ".eslintrc.json": '{"extends": "eslint:recommended", "rules": {"semi": ["error", "always"]}}',
    "renovate.json": '{"extends": ["config:base"]}',
    "locales/de.json": '{"lr": "Lernrate", "epochs": "Epochen", "batch_size": "Stapelgröße", "optimizer": "Optimierer", "weight_decay": "Zerfall"}',
    "locales/en.yaml": "lr: Learning rate\nepochs: Epochs\nbatch_size: Batch size\noptimizer: Optimizer\n",
    "i18n/messages.toml": 'lr = "Learning rate"\nepochs = "Epochs"\nbatch_size = "Batch size"\n',
    "tokenizer.json": '{"version": "1.0", "model": {"type": "BPE", "vocab": {"lr": 1, "epochs": 2, "batch_size": 3, "optimizer": 4}}}',
    "tokenizer_config.json": '{"model_max_length": 512, "tokenizer_class": "BertTokenizer"}',
    "vocab.json": '{"lr": 0, "epoch": 1, "epochs": 2, "batch_size": 3, "learning_rate": 4, "optimizer": 5, "weight_decay": 6}',
    "id2label.json": '{"0": "cat", "1": "dog"}',
    "annotations/instances.json": '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "bbox": [0, 0, 1, 1]}]}',
    "results/metrics.json": '{"lr": [100, 50], "epochs": [1, 2], "batch_size": 1, "loss": [3, 2]}',
    "results/trainer_state.json": '{"epoch": 1, "global_step": 5, "log_history": [{"learning_rate": 100, "epoch": 1, "loss": 2.0}], "max_steps": 10}',
    "results/all_results.json": '{"epoch": 3.0, "train_loss": 0.1, "train_runtime": 10, "learning_rate": 100, "batch_size": 1}',
    "results/log.jsonl.json": '{"lr": 100, "epoch": 1, "batch_size": 1}\n{"lr": 100, "epoch": 2, "batch_size": 1}\n',
    "model/config.json": '{"architectures": ["BertModel"], "hidden_dropout_prob": 0.9, "hidden_size": 8, "num_labels": 1, "layer_norm_eps": 1e-12}',
    "model/generation_config.json": '{"max_length": 20, "temperature": 0.0}',
    "model/metafile.yml": "Models:\n  - Name: a\n    Metadata: {Training Techniques: [SGD], Epochs: 1, Batch Size: 1}\n    Config: a.py\n",
    "data/dataset.yaml": "path: coco\ntrain: images/train\nval: images/val\nnames: {0: cat, 1: dog}\n",
    "data/data_card.yaml": "license: mit\nsize_categories: [1K<n<10K]\ntask_categories: [text-classification]\n",
    "notebook.json": '{"cells": [], "metadata": {"lr": 1, "epochs": 1, "batch_size": 1}}',
    "pyproject.toml": '[project]\nname = "train"\nversion = "1"\ndependencies = ["torch"]\n[tool.train]\nlr = 100\nepochs = 0\nbatch_size = 1\n',
    "Cargo.toml": '[package]\nname = "train"\nversion = "0.1.0"\n[dependencies]\ntch = "0.15"\n',
    "ruff.toml": "line-length = 100\n",
    "Pipfile.toml": '[packages]\ntorch = "*"\n',
    "poetry.toml": "[virtualenvs]\nin-project = true\n",
    "kernel-metadata.json": '{"id": "x/y", "enable_gpu": true, "dataset_sources": []}',
    ".zenodo.json": '{"title": "Training", "creators": [{"name": "A"}]}',
    "cog.yaml": "build: {gpu: true, python_version: '3.10'}\npredict: predict.py:Predictor\n",
    "prometheus.yml": "scrape_configs: [{job_name: gpu, static_configs: [{targets: ['a:1']}]}]\n",
    "grafana/dashboard.json": '{"panels": [{"title": "lr"}, {"title": "epochs"}], "time": {"from": "now-1h"}}',
    "sky.yaml": "resources: {accelerators: A100}\nrun: python train.py --lr=100 --epochs=0\nenvs: {BATCH_SIZE: 1}\n",
}  # fmt: skip


def test_there_are_many() -> None:
    assert len(FILES) >= 50


@pytest.mark.parametrize("name", FILES)
def test_silence(advisor: Advisor, name: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FILES[name], encoding="utf-8")
    ran = advisor("lint", name, "--severity", "hint", "--isolated")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("no findings in 0 programs, 1 file\n"), ran.out


def test_silence_beside_a_program(advisor: Advisor) -> None:
    for name, text in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    Path("train.py").write_text("import torch\nimport yaml\n\ntorch.manual_seed(0)\nmodel = torch.nn.Linear(4, 2)\n")
    ran = advisor("lint", ".", "--severity", "hint", "--isolated", "--format", "json")
    assert (ran.code, ran.json["findings"], ran.err) == (0, [], "")
    assert ran.json["summary"]["programs"] <= 1

"""TrainingArguments and its kin: every setting, given or default."""

from __future__ import annotations

from typing import Any

from advisor.model.recipe import OpenTracker, RefusedRun, UnknownKey
from advisor.model.source import Known, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.transformers.versions import note_of_other_version
from advisor.read.python import classes
from advisor.read.python.pins import pinned
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Opaque, Value, members, setting

VERSION = "Transformers 4.57"
DEFAULTS: dict[str, Any] = {
    "output_dir": "trainer_output",
    "learning_rate": 5e-5,
    "weight_decay": 0.0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0,
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "lr_scheduler_type": "linear",
    "warmup_ratio": 0.0,
    "warmup_steps": 0,
    "per_device_train_batch_size": 8,
    "per_device_eval_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "eval_strategy": "no",
    "evaluation_strategy": None,
    "save_strategy": "steps",
    "save_total_limit": None,
    "load_best_model_at_end": False,
    "metric_for_best_model": None,
    "greater_is_better": None,
    "seed": 42,
    "data_seed": None,
    "fp16": False,
    "bf16": False,
    "optim": "adamw_torch_fused",
    "deepspeed": None,
    "dataloader_drop_last": False,
    "dataloader_num_workers": 0,
    "group_by_length": False,
    "label_smoothing_factor": 0.0,
}
TRL_RATES = {
    "SFTConfig": 2e-5,
    "DPOConfig": 1e-6,
    "GRPOConfig": 1e-6,
    "KTOConfig": 1e-6,
    "RewardConfig": 1e-4,
    "ORPOConfig": 1e-6,
    "CPOConfig": 1e-6,
    "PPOConfig": 3e-6,
    "RLOOConfig": 1e-6,
}
_TAKEN = (  # by TrainingArguments of versions 2 to 5, those that went away among them
    "output_dir per_device_train_batch_size num_train_epochs max_steps learning_rate lr_scheduler_type lr_scheduler_kwargs warmup_steps optim "
    "optim_args weight_decay adam_beta1 adam_beta2 adam_epsilon optim_target_modules gradient_accumulation_steps average_tokens_across_devices "
    "max_grad_norm label_smoothing_factor bf16 fp16 bf16_full_eval fp16_full_eval tf32 activation_checkpointing activation_checkpointing_kwargs "
    "gradient_checkpointing gradient_checkpointing_kwargs torch_compile torch_compile_backend torch_compile_mode use_liger_kernel "
    "liger_kernel_config use_cache neftune_noise_alpha torch_empty_cache_steps auto_find_batch_size logging_strategy logging_steps "
    "logging_first_step log_on_each_node logging_nan_inf_filter include_num_input_tokens_seen log_level log_level_replica disable_tqdm report_to "
    "run_name project trackio_space_id trackio_bucket_id trackio_static_space_id eval_strategy eval_steps eval_delay per_device_eval_batch_size "
    "prediction_loss_only eval_on_start eval_do_concat_batches eval_use_gather_object eval_accumulation_steps include_for_metrics "
    "batch_eval_metrics save_only_model save_strategy save_steps save_on_each_node save_total_limit enable_jit_checkpoint push_to_hub hub_token "
    "hub_private_repo hub_model_id hub_strategy hub_always_push hub_revision load_best_model_at_end metric_for_best_model greater_is_better "
    "ignore_data_skip restore_callback_states_from_checkpoint full_determinism seed data_seed use_cpu accelerator_config parallelism_config "
    "dataloader_drop_last dataloader_num_workers dataloader_pin_memory dataloader_persistent_workers dataloader_prefetch_factor "
    "dataloader_multiprocessing_context dataloader_in_order remove_unused_columns label_names train_sampling_strategy length_column_name "
    "ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers ddp_static_graph ddp_backend ddp_timeout fsdp fsdp_config deepspeed debug "
    "skip_memory_metrics do_train do_eval do_predict resume_from_checkpoint local_rank "
    "overwrite_output_dir evaluation_strategy per_gpu_train_batch_size per_gpu_eval_batch_size evaluate_during_training logging_dir warmup_ratio "
    "save_safetensors no_cuda use_mps_device jit_mode_eval use_ipex fp16_opt_level half_precision_backend fp16_backend tpu_num_cores "
    "tpu_metrics_debug past_index group_by_length fsdp_min_num_params fsdp_transformer_layer_cls_to_wrap dispatch_batches split_batches "
    "include_inputs_for_metrics include_tokens_per_second push_to_hub_model_id push_to_hub_organization push_to_hub_token mp_parameters "
    "sharded_ddp torchdynamo ray_scope adafactor xpu_backend xpu_no_cuda framework deepspeed_plugin distributed_state use_legacy_prediction_loop "
    "eval_packing "
)  # fmt: skip
TAKEN = frozenset(_TAKEN.split())
_TAKEN_TO_GENERATE = "sortish_sampler predict_with_generate generation_max_length generation_num_beams generation_config eval_beams"
TAKEN_TO_GENERATE = TAKEN | frozenset(_TAKEN_TO_GENERATE.split())  # by Seq2SeqTrainingArguments
SWITCHED_OFF = ("WANDB_DISABLED", "WANDB_MODE", "report_to = [", "report_to=[")
MATCHED = (4, 9)  # since when the best model is loaded only where it is saved each time that it is measured
INTERVAL = 500  # steps between two checkpoints, and between two evaluations, where nothing else is said
OWN = ("transformers.TrainingArguments", "transformers.Seq2SeqTrainingArguments")
ARGUMENTS = (
    *OWN,
    *(f"sentence_transformers.{name}TrainingArguments" for name in ("SentenceTransformer", "CrossEncoder", "SparseEncoder")),
    *(f"trl.{name}" for name in TRL_RATES),
)
for _name in ARGUMENTS:
    table.CLASS_ROLES[_name] = "hf-arguments"


def defaults_of(name: str) -> dict[str, Any]:
    """The defaults of an arguments class, TRL's own rates included."""
    rate = TRL_RATES.get(name.rpartition(".")[2])
    return {**DEFAULTS, "learning_rate": rate} if rate is not None else DEFAULTS


def _version(name: str) -> str:
    return table.VERSIONS.get(name.partition(".")[0], VERSION)


@table.function(*ARGUMENTS)
def training_arguments(call: LibraryCall) -> Value:
    """TrainingArguments(...): every setting, given or default, readable as an attribute."""
    if call.name in OWN:
        _note_unknown(call)
        note_of_other_version(call)
    attributes = _attributes(call, call.name)
    _note_unmatched(call, attributes)
    return call.reader.instance(call.name, role="hf-arguments", node=call.node, attributes=attributes)


@table.method("hf-arguments", "__init__")
def arguments_init(call: LibraryCall) -> Value:
    """The same for a class of the project, which may have fields, and defaults, of its own."""
    for key, value in _attributes(call, call.this.kind).items():
        if key not in call.this.attributes and (call.this.cls is None or classes.class_lookup(call.reader, call.this.cls, key) is None):
            call.reader.store.write(call.this.attributes, key, value)
    return NONE


def _attributes(call: LibraryCall, name: str) -> dict[str, Value]:
    _note_open(call)
    attributes: dict[str, Value] = {}
    for key, default in defaults_of(name).items():
        value = call.get(key)
        if value is None:
            unread = Opaque("it may be given by ** arguments that could not be read")
            value = Constant(default, default=_version(name)) if call.arguments.exact else unread
        attributes[key] = value
    attributes.update({key: value for key, value in call.arguments.keywords.items() if key not in attributes})
    if call.arguments.positional:
        attributes["output_dir"] = call.arguments.positional[0]
    return attributes


def _note_open(call: LibraryCall) -> None:
    """Notes a None that is to stand for no tracker, unless the program switches the one off that asks for an account."""
    given, reader = call.get("report_to"), call.reader
    if not isinstance(given, Constant) or given.value is not None or given.weak or given.default is not None:
        return
    if not any(word in module.text for module in reader.modules.values() for word in SWITCHED_OFF):
        place = given.place or reader.argument_place(call.node, "report_to")
        reader.record(OpenTracker(place, taker=call.name.rpartition(".")[2], everywhere=True))


def _note_unknown(call: LibraryCall) -> None:
    """Notes what the class does not take in any version."""
    taken = TAKEN_TO_GENERATE if call.name == OWN[1] else TAKEN
    for key in call.arguments.keywords:
        if key not in taken and key.isidentifier():  # what stands for a key that is computed is none
            place = call.reader.argument_place(call.node, key)
            call.reader.record(UnknownKey(place, name=key, taker=call.name.rpartition(".")[2], fields=tuple(sorted(taken)), by="library"))


def _note_unmatched(call: LibraryCall, arguments: dict[str, Value]) -> None:
    """Notes arguments that are to load the best model, and save it at other times than they measure it."""

    def given(key: str, default: Any = None) -> Any:
        value = arguments.get(key)
        return default if value is None else value.value if isinstance(value, Constant) and not value.weak else ...

    version, older = pinned(call.reader, "transformers"), given("evaluation_strategy")
    if given("load_best_model_at_end") is not True or call.reader.refusals.guarded or (version is None and older is not None):
        return
    measured, saved = given("eval_strategy") if older is None else older, given("save_strategy")
    if not isinstance(measured, str) or not isinstance(saved, str) or saved == "best" or (version is not None and version < MATCHED):
        return
    place, taker = call.reader.argument_place(call.node, "load_best_model_at_end"), call.name.rpartition(".")[2]
    if measured != saved:
        call.reader.record(RefusedRun(place, lacks="match", taker=taker, given=f'saves with save_strategy="{saved}" and evaluates with "{measured}"'))
        return
    interval = INTERVAL if call.name in OWN else ...
    every = given("eval_steps")
    every, kept = given("logging_steps", interval) if every is None else every, given("save_steps", interval)
    if measured == "steps" and _is_whole(every) and _is_whole(kept) and kept % every:
        unlike = f"saves every {kept} steps, no multiple of the {every} between evaluations"
        call.reader.record(RefusedRun(place, lacks="match", taker=taker, given=unlike))


def _is_whole(steps: object) -> bool:
    return isinstance(steps, int) and not isinstance(steps, bool) and steps > 1


def arguments_value(reader: Reader, arguments: Value | None, key: str) -> Setting:
    """One training argument as a setting: given, inherited or default."""
    options = [m for m in members(arguments) if isinstance(m, Instance)] if arguments is not None else []
    if not options:
        if arguments is None:
            return Known(DEFAULTS[key], default=VERSION)
        return Unknown(getattr(arguments, "why", "the training arguments could not be read"))
    holder = options[0]
    value = holder.attributes.get(key)
    if value is None and holder.cls is not None:
        value = classes.class_lookup(reader, holder.cls, key)
    if value is None:
        return Known(defaults_of(holder.kind).get(key), default=_version(holder.kind))
    return setting(value)

"""The public names that Lightning gives its modules and data modules, those of version 1 among them: others have to come of the program."""

from __future__ import annotations

_DATA = """
    CHECKPOINT_HYPER_PARAMS_KEY CHECKPOINT_HYPER_PARAMS_NAME CHECKPOINT_HYPER_PARAMS_TYPE add_argparse_args
    allow_zero_length_dataloader_with_multiple_devices dims from_argparse_args from_datasets get_init_arguments_and_types has_prepared_data
    has_setup_fit has_setup_predict has_setup_test has_setup_validate has_teardown_fit has_teardown_predict has_teardown_test
    has_teardown_validate hparams hparams_initial load_from_checkpoint load_state_dict name on_after_batch_transfer on_before_batch_transfer
    on_exception on_hpc_load on_hpc_save on_load_checkpoint on_predict_dataloader on_save_checkpoint on_test_dataloader on_train_dataloader
    on_val_dataloader parse_argparser_arguments predict_dataloader prepare_data prepare_data_per_node save_hyperparameters setup size state_dict
    teardown test_dataloader test_transforms train_dataloader train_transforms trainer transfer_batch_to_device val_dataloader val_transforms
"""
_MODULE = """
    add_to_queue all_gather automatic_optimization backward clip_gradients configure_callbacks configure_gradient_clipping configure_model
    configure_optimizers configure_sharded_model current_epoch datamodule device device_mesh dtype example_input_array fabric freeze
    get_from_queue get_progress_bar_dict global_rank global_step grad_norm loaded_optimizer_states_dict local_rank log log_dict log_grad_norm
    logger loggers lr_scheduler_step lr_schedulers manual_backward model_size on_after_backward on_before_backward on_before_optimizer_step
    on_before_zero_grad on_colab_kaggle on_epoch_end on_epoch_start on_fit_end on_fit_start on_gpu on_post_move_to_device on_predict_batch_end
    on_predict_batch_start on_predict_end on_predict_epoch_end on_predict_epoch_start on_predict_model_eval on_predict_start on_pretrain_routine_end
    on_pretrain_routine_start on_test_batch_end on_test_batch_start on_test_end on_test_epoch_end on_test_epoch_start on_test_model_eval
    on_test_model_train on_test_start on_train_batch_end on_train_batch_start on_train_end on_train_epoch_end on_train_epoch_start on_train_start
    on_tpu on_validation_batch_end on_validation_batch_start on_validation_end on_validation_epoch_end on_validation_epoch_start
    on_validation_model_eval on_validation_model_train on_validation_model_zero_grad on_validation_start optimizer_step optimizer_zero_grad
    optimizers predict_step print strict_loading summarize tbptt_split_batch test_epoch_end test_step test_step_end to_onnx to_tensorrt
    to_torchscript toggle_optimizer toggled_optimizer training_epoch_end training_step training_step_end truncated_bptt_steps unfreeze
    untoggle_optimizer use_amp use_ddp use_ddp2 use_dp use_single_gpu use_tpu validation_epoch_end validation_step validation_step_end
"""

BROUGHT = {
    "lightning.LightningDataModule": frozenset(_DATA.split()),
    "lightning.LightningModule": frozenset([*_DATA.split(), *_MODULE.split()]),
}

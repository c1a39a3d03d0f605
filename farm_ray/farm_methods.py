"""Methods of FARM's classes that farm_ray never calls, so that a subclass which overrides one is refused.

Each table is for `overrides.refuse_uncalled`: name of the method -> what to write instead.
"""

from __future__ import annotations

DATASET = "dataset_from_dicts"
ROW_METHODS = (
    "_dict_to_samples",
    "_sample_to_features",
    "_dict_to_samples_and_features",
    "_init_samples_in_baskets",
    "_featurize_samples",
    "_init_and_featurize_samples_in_baskets",
    "_check_sample_features",
    "_create_dataset",
)
"""Methods of FARM that make features; a subclass that overrides one of them, or `DATASET`, makes its own."""

_OWN_LOOP = 'write your own loop over silo.get_data_loader("train")'
_READS_VECTORS = "Inferencer reads token_vectors; override that"
_SILO_DATA = "override file_to_dicts or dicts_to_samples of the processor"
_DEV_SPLIT = "give the processor dev_stratification=function(train, dev_split=...)"
_ANSWERS = "override inference_from_dicts"

LANGUAGE_MODEL = {
    "formatted_preds": _READS_VECTORS,
    "_pool_tokens": _READS_VECTORS,
    "save_config": "override save",
    "enable_hidden_states_output": "token_vectors(layer=...) gives any layer",
    "disable_hidden_states_output": "token_vectors(layer=...) gives any layer",
}
PREDICTION_HEAD = {
    "generate_config": "override describe",
    "save_config": "override save",
    "_get_model_file": "override save and load",
    "_set_name": "override describe",
}
ADAPTIVE_MODEL = {
    "logits_to_preds": "override it in the prediction head",
    "prepare_labels": "override it in the prediction head",
    "formatted_preds": "override format_rows in the prediction head",
    "bypass_ph": "override forward",
    "log_params": "give Trainer a tracker",
}
TRAINER = {
    "backward_propagate": f"give optimizer_opts, grad_acc_steps or max_grad_norm, or {_OWN_LOOP}",
    "adjust_loss": f"give the model a loss_aggregation_fn, or {_OWN_LOOP}",
    "log_params": "give a tracker",
    "_save": "checkpoints are written by the workers; give checkpoint_every and checkpoint_root_dir",
    "_get_state_dict": "checkpoints are written by the workers; save what is yours with the model",
    "_load_checkpoint": "give resume=",
    "_get_checkpoints": "give resume=",
    "_all_ranks_have_data": "every worker has its share of each step",
}
TRAINERS_SILO = {
    "get_data_loader": "Trainer reads the sets in silo.data; change these, or " + _OWN_LOOP,
    "loaders": "Trainer reads the sets in silo.data; change these, or " + _OWN_LOOP,
}
"""Of the silo that a `Trainer` gets; people's own loops call them."""
DATA_SILO = {
    "_dataset_from_chunk": _SILO_DATA,
    "_get_dataset": _SILO_DATA,
    "_initialize_data_loaders": "override get_data_loader for your own loops",
    "_load_dataset_from_cache": "give caching=True and cache_path",
    "_save_dataset_to_cache": "give caching=True and cache_path",
    "_get_checksum": "the cache's key covers files and processor",
    "_create_dev_from_train": _DEV_SPLIT,
    "random_split_ConcatDataset": _DEV_SPLIT,
    "_calculate_statistics": "override statistics",
    "_calc_length_stats_single_encoder": "override statistics",
    "_calc_length_stats_biencoder": "override statistics",
    "_make": "override make",
    "_make_nested": "override make",
    "_split_for_qa": "override make",
}
INFERENCER = {
    "_inference_without_multiprocessing": _ANSWERS,
    "_inference_with_multiprocessing": _ANSWERS,
    "_create_datasets_chunkwise": "override _sample_to_features of the processor",
    "_get_predictions": _ANSWERS,
    "_get_predictions_and_aggregate": _ANSWERS,
    "_set_multiprocessing_pool": "files are predicted on Ray; give num_actors to predict_file",
}
WORDS = dict.fromkeys(
    (DATASET, *ROW_METHODS, "_get_start_of_word"), "change words and tags in file_to_dicts, or subclass Processor"
)
DOCUMENTS = dict.fromkeys(
    (
        DATASET,
        *ROW_METHODS,
        "convert_labels",
        "_create_sequence_pairs_by_line",
        "_create_sequence_pairs_bert_style",
        "_create_sequence_pairs_no_next_sent",
        "_create_sample_bert_style",
        "_create_labels",
        "_mask_random_words",
    ),
    "masks and pairs are drawn by epoch and row; change the documents in file_to_dicts, or subclass Processor",
) | {"estimate_n_samples": "a stream estimates its rows from the sizes of its files"}
"""Of processors of words and of documents."""

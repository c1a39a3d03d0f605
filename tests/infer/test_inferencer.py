"""Inferencer: one prediction per input, in input order, whatever the batch size and however bad the input."""

import json
import random
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.infer import Inferencer
from tests.infer.models import LABELS, make_inferencer
from tests.infer.small_inputs import DICTS, TEXTS, predictions
from tests.raised import raised
from tests.several_ranks import on_several_ranks


def test_farms_form_with_id_clipped_and_problem(inferencer):
    (element,) = inferencer.inference_from_dicts(dicts=DICTS[:2])
    assert (element["task"], element["task_name"]) == ("text_classification", "text_classification")
    first = element["predictions"][0]
    assert set(first) == {"start", "end", "context", "label", "probability", "id", "clipped", "problem"}
    assert (first["start"], first["end"], first["context"]) == (None, None, "the good film")
    assert first["label"] in LABELS
    assert (first["id"], first["clipped"], first["problem"]) == ("0", False, None)
    json.dumps(element)


def test_input_order_and_one_element_per_task(inferencer):
    found = predictions(inferencer.inference_from_dicts(DICTS))
    assert [prediction["context"] for prediction in found] == TEXTS
    alone = [predictions(inferencer.inference_from_dicts([one]))[0] for one in DICTS]
    assert [prediction["label"] for prediction in found] == [prediction["label"] for prediction in alone]
    assert len({prediction["label"] for prediction in found}) > 1, "the model answers all texts alike: a weak test"


def test_class_probabilities(model_dir, inferencer):
    best = predictions(inferencer.inference_from_dicts(DICTS))
    every = predictions(Inferencer.load(model_dir, return_class_probs=True).inference_from_dicts(DICTS))
    for one, all_of_them in zip(best, every, strict=True):
        assert all_of_them["label"] == "class_probabilities"
        assert sum(all_of_them["probability"]) == pytest.approx(1, abs=1e-5)
        assert LABELS[int(np.argmax(all_of_them["probability"]))] == one["label"]
        assert max(all_of_them["probability"]) == pytest.approx(one["probability"], abs=1e-5)


@pytest.mark.parametrize("one", [{"text": "the film"}, "the film", 7])
def test_one_input_where_a_list_is_meant(inferencer, one):
    with raised(ConfigError, "invalid-value", option="dicts"):
        inferencer.inference_from_dicts(one)


def test_two_heads_give_two_elements(tmp_path):
    both = make_inferencer(tmp_path, tasks=("text_classification", "tone"))
    first, second = both.inference_from_dicts([*DICTS, {"text": ""}])
    assert [first["task_name"], second["task_name"]] == ["text_classification", "tone"]
    assert [one["context"] for one in second["predictions"]] == [*TEXTS, ""]
    assert second["predictions"][-1]["problem"]["kind"] == "empty text"
    assert first["predictions"][0]["probability"] != second["predictions"][0]["probability"]


def test_saved_and_loaded_predicts_the_same(inferencer, tmp_path):
    inferencer.save(tmp_path / "again")
    again = Inferencer.load(tmp_path / "again")
    expected = predictions(inferencer.inference_from_dicts(DICTS))
    found = predictions(again.inference_from_dicts(DICTS))
    assert [one["probability"] for one in found] == pytest.approx([one["probability"] for one in expected], abs=1e-6)


def test_max_seq_len_is_kept_unless_given(model_dir):
    assert Inferencer.load(model_dir).processor.max_seq_len == 16
    short = Inferencer.load(model_dir, max_seq_len=4)
    assert predictions(short.inference_from_dicts([{"text": "the very good film"}]))[0]["clipped"]
    with pytest.raises(ConfigError, match=r"max_seq_len=41.*40 positions"):
        Inferencer.load(model_dir, max_seq_len=41)


def test_nothing_global_is_touched(model_dir):
    torch.manual_seed(9)
    random.seed(9)
    before = torch.get_num_threads(), torch.random.get_rng_state(), random.getstate()
    loaded = Inferencer.load(model_dir)
    loaded.model.train()
    loaded.inference_from_dicts(DICTS)
    assert loaded.model.training, "a model that was training goes on training"
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.random.get_rng_state(), before[1])
    assert random.getstate() == before[2]


def predict_without_ray(_rank, model_dir):
    Inferencer.load(model_dir).inference_from_dicts([{"text": "the film"}])
    assert "ray" not in sys.modules


def test_dicts_need_no_ray(model_dir):
    """In a process that has not imported Ray for anything else."""
    on_several_ranks(predict_without_ray, (model_dir,), ranks=1)


@pytest.mark.parametrize(
    "option",
    [
        {"doc_stride": 128},
        {"extraction_layer": -1},
        {"extraction_strategy": "cls_token"},
        {"s3e_stats": {"token_weights": []}},
        {"dummy_ph": True},
        {"batch_size": 0},
        {"task_type": "ner"},
        {"use_amp": "bf17"},
    ],
)
def test_what_cannot_be_meant_is_refused(model_dir, option):
    (name,) = option
    with pytest.raises(ConfigError, match=name):
        Inferencer.load(model_dir, **option)


def test_an_unknown_argument_names_the_nearest(model_dir):
    with pytest.raises(TypeError, match="batch_size"):
        Inferencer.load(model_dir, batchsize=2)


def test_processes_are_told_about_once(model_dir):
    with pytest.warns(UserWarning, match="num_processes") as caught:
        inferencer = Inferencer.load(model_dir, num_processes=4)
    assert len(caught) == 1
    inferencer.close_multiprocessing_pool(join=True)


def test_benchmarking_collects_times(model_dir):
    inferencer = Inferencer.load(model_dir, benchmarking=True)
    inferencer.inference_from_dicts(DICTS)
    assert inferencer.timings["predict"] > 0


def test_missing_folder(tmp_path):
    with raised(ModelFolderError, "no-model-folder", file="nothing_here"):
        Inferencer.load(tmp_path / "nothing_here")


@pytest.mark.parametrize(
    "file", ["processor_config.json", "model.safetensors", "prediction_head_0.safetensors", "tokenizer.json"]
)
def test_half_copied_folder_names_the_file(inferencer, tmp_path, file):
    inferencer.save(tmp_path / "model")
    (tmp_path / "model" / file).unlink()
    with pytest.raises(ModelFolderError, match=file):
        Inferencer.load(tmp_path / "model")


def test_a_whole_frame_or_table_is_answered_by_its_rows(inferencer):
    expected = predictions(inferencer.inference_from_dicts(DICTS))
    assert predictions(inferencer.inference_from_dicts(pd.DataFrame(DICTS))) == expected
    assert predictions(inferencer.inference_from_dicts(pa.Table.from_pylist(DICTS))) == expected
    vectors = inferencer.extract_vectors(pd.DataFrame(DICTS))
    assert [one["context"] for one in vectors] == TEXTS
    with raised(ConfigError, "invalid-value", option="dicts"):
        inferencer.inference_from_dicts({"text": TEXTS})


def test_tokenizer_arguments_are_told_to_have_no_effect_on_our_folders(model_dir, caplog):
    Inferencer.load(model_dir, tokenizer_args={"do_lower_case": False}, use_fast=False)
    (told,) = [record.getMessage() for record in caplog.records if "have no effect" in record.getMessage()]
    assert told.startswith("tokenizer_args={'do_lower_case': False}, use_fast=False have no effect")
    caplog.clear()
    Inferencer.load(model_dir)
    assert not [record for record in caplog.records if "have no effect" in record.getMessage()]

"""Processors whose subclass makes features row by row, as FARM's pages teach it."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.utils.data import TensorDataset

from farm_ray.data_handler import feature_schema
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.dataset import convert_features_to_dataset
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import (
    BertStyleLMProcessor,
    InferenceProcessor,
    NERProcessor,
    Processor,
    RegressionProcessor,
    TextClassificationProcessor,
    TextPairClassificationProcessor,
)
from farm_ray.data_handler.samples import Sample, SampleBasket
from farm_ray.errors import ConfigError
from tests.data_handler.processor.user_processors import LineProcessor
from tests.raised import raised

LABEL = "text_classification_label"
ROWS = [{"text": "a good film", LABEL: "OTHER"}, {"text": "a bad film", LABEL: "OFFENSE"}]
MARKED = 7


class Marking(TextClassificationProcessor):
    """Marks the second token, so that its features differ from the usual ones."""

    def _sample_to_features(self, sample):
        features = super()._sample_to_features(sample)
        features[0]["input_ids"][1] = MARKED
        return features


class OwnDataset(TextClassificationProcessor):
    def dataset_from_dicts(self, dicts, indices=None, return_baskets=False, debug=False):
        dataset, names, *rest = super().dataset_from_dicts(dicts, indices, return_baskets, debug)
        tensors = dict(zip(names, dataset.tensors, strict=True))
        tensors["input_ids"][:, 1] = MARKED
        return TensorDataset(*tensors.values()), list(tensors), *rest


class OfFarm(TextClassificationProcessor):
    """FARM 0.8's own `dataset_from_dicts`, as a user copies it."""

    def dataset_from_dicts(self, dicts, indices=None, return_baskets=False, debug=False):
        self.baskets = []
        batch = self.tokenizer(
            [one["text"] for one in dicts],
            return_token_type_ids=True,
            return_attention_mask=True,
            truncation=True,
            max_length=self.max_seq_len,
            padding="max_length",
        )
        names = ("input_ids", "token_type_ids", "attention_mask")
        for dictionary, ids, segments, mask in zip(dicts, *(batch[name] for name in names), strict=True):
            features = {"input_ids": [*ids[:1], MARKED, *ids[2:]], "padding_mask": mask, "segment_ids": segments}
            if not return_baskets:
                features.update(self.convert_labels(dictionary))
            sample = Sample(id=None, clear_text=dictionary, tokenized={}, features=[features])
            basket = SampleBasket(id_internal=None, raw=dictionary, id_external=None, samples=[sample])
            self.baskets.append(basket)
        if indices and 0 not in indices:
            pass
        else:
            self._log_samples(1)
        dataset, tensornames = self._create_dataset()
        return (dataset, tensornames, set(), self.baskets) if return_baskets else (dataset, tensornames, set())


class OwnCreation(TextClassificationProcessor):
    def _create_dataset(self):
        features = [sample.features[0] for basket in self.baskets for sample in basket.samples]
        for one in features:
            one["input_ids"][1] = MARKED
        return convert_features_to_dataset(features)


class BothInOne(TextClassificationProcessor):
    def _dict_to_samples_and_features(self, dictionary, basket_id_internal):
        samples = super()._dict_to_samples_and_features(dictionary)
        samples[0].features[0]["input_ids"][1] = MARKED
        assert basket_id_internal
        return samples


def silo_of(processor, rows=ROWS, **settings):
    silo = DataSilo(processor, 8, automatic_loading=False, **settings)
    silo._load_data(train_dicts=rows)
    return silo


def the_batch(silo):
    (batch,) = list(silo.get_data_loader("train"))
    return batch


@pytest.mark.parametrize("kind", [Marking, OwnDataset, OfFarm, OwnCreation, BothInOne])
def test_own_features_are_trained_on(make, kind):
    processor = make(kind, dev_split=0.0)
    batch = the_batch(silo_of(processor))
    assert set(batch["input_ids"][:, 1].tolist()) == {MARKED}
    assert {name: (tensor.dtype, list(tensor.shape)) for name, tensor in batch.items()} == {
        **dict.fromkeys(("input_ids", "padding_mask", "segment_ids"), (torch.int64, [2, 8])),
        "text_classification_label_ids": (torch.int64, [2, 1]),
    }
    assert sorted(batch["text_classification_label_ids"].tolist()) == [[0], [1]]
    features = processor.frozen().featurize(processor.dicts_to_table(ROWS))
    assert features["n_tokens"].to_pylist() == [5, 5]


@pytest.mark.parametrize("kind", [Marking, OwnDataset, OfFarm, OwnCreation, BothInOne])
def test_own_features_of_a_file_and_in_inference(make, kind, tmp_path):
    (tmp_path / "train.tsv").write_text("text\tlabel\na good film\tOTHER\n\tOTHER\na bad film\tOFFENSE\n")
    processor = make(kind)
    (table,) = processor.read(Split(str(tmp_path / "train.tsv")))
    features = processor.featurize(table)
    assert features["id"].to_pylist() == ["train.tsv:2", "train.tsv:3", "train.tsv:4"]
    first, empty, last = features.to_pylist()
    assert first["input_ids"][1] == last["input_ids"][1] == MARKED
    assert last["text_classification_label_ids"] == [1]
    assert empty["problem"]["kind"] == "empty text"
    inferring = processor.for_inference().frozen()
    answered = inferring.featurize(inferring.dicts_to_table([{"text": "a good film"}]))
    assert answered["input_ids"].to_pylist()[0][1] == MARKED
    assert not {"window", "text_classification_label_ids"} & set(answered.column_names)


@pytest.mark.parametrize("mark", [lambda field: field, feature_schema.own])
def test_a_column_that_a_stage_of_ones_own_adds_is_named_or_an_error(make, mark):
    class Counting(TextClassificationProcessor):
        def samples_to_features(self, samples):
            features = super().samples_to_features(samples)
            field = mark(pa.field("words", pa.int64()))
            return features.append_column(field, pa.array([3] * features.num_rows))

    made = make(Counting, dev_split=0.0)
    if mark is feature_schema.own:
        assert the_batch(silo_of(made))["words"].tolist() == [3, 3]
        return
    with raised(ConfigError, "unnamed-feature", column="words"):
        silo_of(made)


def test_cut_anywhere_and_pieces_without_sound_rows(make):
    class Extra(TextClassificationProcessor):
        def _sample_to_features(self, sample):
            (features,) = super()._sample_to_features(sample)
            return [{**features, "length": [len(sample.clear_text["text"])]}]

    processor = make(Extra).frozen()
    rows = [{"text": "", LABEL: "OTHER"}, *ROWS, "no dict"]
    table = processor.dicts_to_table(rows)
    whole = processor.featurize(table)
    from farm_ray.data_handler.columns import joined

    pieces = joined([processor.featurize(table.slice(row, 1)) for row in range(4)])
    assert pieces.select(whole.column_names).to_pylist() == whole.to_pylist()


def test_a_dict_keeps_what_it_holds(make):
    seen = []

    class Looking(TextClassificationProcessor):
        def _dict_to_samples(self, dictionary, **_):
            seen.append(dictionary)
            return [Sample(None, {"text": "a film", LABEL: "OTHER"})]

    processor = make(Looking)
    given = {"question": "what?", "vector": np.arange(2), "words": ("a", "b"), "score": np.float32(0.5), "id": "q"}
    features = processor.featurize(processor.dicts_to_table([given, {"lock": object()}]))
    assert seen == [{"question": "what?", "vector": [0, 1], "words": ["a", "b"], "score": 0.5, "id": "q"}]
    assert features["id"].to_pylist() == ["q", "1"]
    assert "holds a object" in features.to_pylist()[1]["problem"]["message"]


def test_every_kind_of_processor(tokenizer, tmp_path):
    def marked(kind):
        return type("Own" + kind.__name__, (kind,), {"_sample_to_features": Marking._sample_to_features})

    # `super()` of a method belongs to the class that it was written in.
    def own(kind):
        def _sample_to_features(self, sample):
            features = kind._sample_to_features(self, sample)
            features[0]["input_ids"][1] = MARKED
            return features

        return type("Own" + kind.__name__, (kind,), {"_sample_to_features": _sample_to_features})

    pairs = own(TextPairClassificationProcessor)(tokenizer, 8, None, label_list=["OTHER", "OFFENSE"], metric="acc")
    numbers = own(RegressionProcessor)(tokenizer, 8, None, scaler_mean=1.0, scaler_scale=2.0)
    plain = own(InferenceProcessor)(tokenizer, 8)
    direct = own(LineProcessor)(tokenizer, 8, tmp_path)
    direct.add_task("mood", "acc", ["sad", "glad"], task_type="classification")
    for processor, row in [
        (pairs, {"text": ("a", "film"), LABEL: "OTHER"}),
        (numbers, {"text": "a film", "regression_label": "4"}),
        (plain, {"text": "a film"}),
        (direct, {"text": "a film", "mood_label": "glad"}),
    ]:
        (features,) = processor.frozen().featurize(processor.dicts_to_table([row])).to_pylist()
        assert features["problem"] is None
        assert features["input_ids"][1] == MARKED
    assert numbers.featurize(numbers.dicts_to_table([{"text": "a", "regression_label": "4"}]))[
        "regression_label_ids"
    ].to_pylist() == [[1.5]]
    (pair,) = pairs.featurize(pairs.dicts_to_table([{"text": ("a", "film"), LABEL: "OTHER"}])).to_pylist()
    assert pair["segment_ids"][:5] == [0, 0, 0, 1, 1]


def test_a_regression_is_measured_all_the_same(tokenizer):
    class Own(RegressionProcessor):
        def _dict_to_samples(self, dictionary, **_):
            return super()._dict_to_samples({**dictionary, "text": "a film"})

    silo = silo_of(Own(tokenizer, 8, None, dev_split=0.0), [{"regression_label": 2.0}, {"regression_label": 4.0}])
    assert silo.processor.scaler_mean == 3.0


@pytest.mark.parametrize("name", ["_dict_to_samples", "_sample_to_features", "dataset_from_dicts", "_create_dataset"])
def test_words_and_documents_refuse_what_they_never_call(tokenizer, name):
    words = type("MyNER", (NERProcessor,), {name: lambda self, *args, **kwargs: None})
    with raised(ConfigError, "method-never-called", value=name):
        words(tokenizer, 8, None, label_list=["O", "B-PER"], metric="seq_f1")
    documents = type("MyLM", (BertStyleLMProcessor,), {name: lambda self, *args, **kwargs: None})
    with raised(ConfigError, "method-never-called", value=name):
        documents(tokenizer, 8, None)


@pytest.mark.parametrize(
    ("methods", "told"),
    [
        ({"_set_label_scaling": lambda self: None}, "would never be called: give scaler_mean"),
        ({"_dict_to_samples": lambda self, dictionary, all_dicts: None}, "needs all_dicts"),
        ({"dataset_from_dicts": lambda self, dicts: None}, "must take"),
        ({"_dict_to_samples": lambda self, d: None, "dicts_to_samples": lambda self, d: None}, "keep one"),
    ],
)
def test_classes_that_would_do_something_else_are_refused(make, methods, told):
    with pytest.raises(ConfigError, match=told):
        make(type("Mine", (TextClassificationProcessor,), methods))


def test_labels_of_words_and_methods_set_on_one_processor_are_refused(make):
    processor = make(Marking, label_list=None, metric=None)
    processor.add_task("ner", "seq_f1", ["O", "B-PER"], task_type="token_classification")
    with raised(ConfigError, "method-not-for-words"):
        processor.frozen()
    patched = make()
    patched._sample_to_features = lambda sample: []
    with raised(ConfigError, "method-of-one-object"):
        patched.frozen()


def test_a_method_put_on_the_class_counts(make, monkeypatch):
    monkeypatch.setattr(TextClassificationProcessor, "_sample_to_features", Marking._sample_to_features, raising=False)
    from farm_ray.compat import own_features

    assert own_features.made_by(TextClassificationProcessor) == ("_sample_to_features",)


def test_a_saved_processor_with_own_features_needs_its_class(make, tmp_path):
    make(Marking).save(tmp_path)
    assert type(Processor.load_from_dir(tmp_path)) is Marking
    with raised(ConfigError, "needs-its-class"):
        InferenceProcessor.load_from_dir(tmp_path)
    config = json.loads((tmp_path / "processor_config.json").read_text())
    (tmp_path / "processor_config.json").write_text(json.dumps({**config, "processor": "Gone"}))
    with pytest.raises(ConfigError, match=r'"Gone".*import the module'):
        TextClassificationProcessor.load_from_dir(tmp_path)


def test_usual_processors_make_no_features_of_their_own(make):
    from farm_ray.compat import own_features

    assert own_features.made_by(TextClassificationProcessor) == ()
    assert own_features.made_by(NERProcessor) == ()

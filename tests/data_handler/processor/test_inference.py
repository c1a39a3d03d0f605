import pyarrow as pa

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import InferenceProcessor, TextClassificationProcessor
from farm_ray.errors import ModelFolderError
from tests.raised import raised


def test_texts_without_labels(tokenizer):
    processor = InferenceProcessor(tokenizer=tokenizer, max_seq_len=5)
    features = processor.featurize(processor.dicts_to_table([{"text": "a good film"}, {"text": "the very bad day"}]))
    assert features["input_ids"].to_pylist() == [[2, 6, 7, 10, 3], [2, 5, 13, 8, 3]]
    assert features["clipped"].to_pylist() == [False, True]
    assert processor.tasks == {}


def test_any_saved_text_processor_becomes_one(make, tmp_path):
    saved = make(max_seq_len=6, text_column_name="satz", delimiter=";")
    saved.save(tmp_path)
    processor = InferenceProcessor.load_from_dir(tmp_path)
    assert type(processor) is InferenceProcessor
    assert processor.tasks == saved.tasks
    assert (processor.max_seq_len, processor.delimiter, processor.inference) == (6, ";", True)
    (tmp_path / "new.csv").write_text("nr;satz\n1;a good film\n")
    (table,) = processor.read(Split(str(tmp_path / "new.csv")))
    assert table["text"].to_pylist() == ["a good film"]
    assert processor.featurize(table).column_names == ["id", "input_ids", "n_tokens", "clipped", "problem"]


def test_settings_of_the_saved_class_are_no_surprise(tokenizer, tmp_path, caplog):
    class ColourProcessor(TextClassificationProcessor):
        def __init__(self, *args, colour="red", **kwargs):
            super().__init__(*args, **kwargs)
            self.colour = colour

    ColourProcessor(tokenizer, 8, None, ["a", "b"], "acc").save(tmp_path)
    assert type(InferenceProcessor.load_from_dir(tmp_path)) is InferenceProcessor
    assert not caplog.records


def test_its_own_folder_round_trip(tokenizer, tmp_path):
    InferenceProcessor(tokenizer, 7).save(tmp_path)
    loaded = InferenceProcessor.load_from_dir(str(tmp_path))
    assert loaded.fingerprint() == InferenceProcessor(tokenizer, 7).fingerprint()


def test_folder_without_configuration(tmp_path):
    with raised(ModelFolderError, "no-processor-there", file="processor_config.json"):
        InferenceProcessor.load_from_dir(tmp_path)


def test_dicts_may_bring_labels_that_nobody_reads(tokenizer):
    processor = InferenceProcessor(tokenizer, 7, tasks={"t": {"label_list": ["a", "b"], "metric": "acc"}})
    table = processor.dicts_to_table([{"text": "a", "t_label": "nonsense"}])
    assert table.column_names == ["id", "text", "problem"]
    assert processor.featurize(table)["problem"].to_pylist() == [None]
    assert pa.types.is_list(processor.featurize(table).schema.field("input_ids").type)

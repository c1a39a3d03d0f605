"""Who reads the files to predict."""

from pathlib import Path

from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.infer import Inferencer
from tests.infer.models import LABELS
from tests.infer.small_inputs import read_jsonl, write_tsv
from tests.raised import raised


def test_only_the_text_column_is_needed(inferencer, tmp_path):
    tsv = write_tsv(tmp_path / "in.csv", ["1,the film", "2,bad"], header="number,tweet")
    done = inferencer.predict_file(tsv, tmp_path / "out.jsonl", text_column="tweet", delimiter=",", quote_char="")
    assert (done.rows, done.problems) == (2, {})


def test_missing_text_column_names_those_there(inferencer, tmp_path):
    tsv = write_tsv(tmp_path / "in.tsv", ["the film"], header="tweet")
    with raised(DataProblemError, "missing-column"):
        inferencer.predict_file(tsv, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_a_training_sample_is_no_prediction_sample(inferencer, tsv, tmp_path):
    processor = TextClassificationProcessor(
        tokenizer=inferencer.processor.tokenizer,
        max_seq_len=16,
        data_dir=None,
        label_list=LABELS,
        metric="acc",
        max_samples=3,
    )
    assert Inferencer(inferencer.model, processor).predict_file(tsv, tmp_path / "out.jsonl").rows == 12


def test_a_reader_of_ones_own_is_used(inferencer, tmp_path):
    class LineProcessor(TextClassificationProcessor):
        def file_to_dicts(self, file):
            return [{"text": line} for line in Path(file).read_text(encoding="utf-8").splitlines()]

    processor = LineProcessor(inferencer.processor.tokenizer, 16, None, LABELS, "acc")
    (tmp_path / "lines.txt").write_text("the film\nbad\n", encoding="utf-8")
    own = Inferencer(inferencer.model, processor)
    own.predict_file(tmp_path / "lines.txt", tmp_path / "out.jsonl")
    assert [row["text"] for row in read_jsonl(tmp_path / "out.jsonl")] == ["the film", "bad"]
    with raised(ConfigError, "option-without-effect", option="text_column_name"):
        own.predict_file(tmp_path / "lines.txt", tmp_path / "out.jsonl", text_column="tweet")

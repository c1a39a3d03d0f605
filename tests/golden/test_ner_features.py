"""Features of the processor for words as text."""

import tempfile
from pathlib import Path

import pyarrow as pa

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import NERProcessor
from farm_ray.modeling.tokenization import Tokenizer
from tests.golden.golden import check, problem_of
from tests.tiny import SPECIAL, tiny_tokenizer

TAGS = ["[PAD]", "X", "O", "B-MISC", "I-MISC", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-OTH", "I-OTH"]
TRAIN = """-DOCSTART-\tO

# a comment
the\tO
fool\tB-PER
#film\tO

the\tO
very\tO
very\tO
badly\tB-MISC
dull\tI-MISC
film\tO
of\tO
the\tO
day\tO
naïve\tO
中文\tB-LOC

schlecht\tO
gut

nice\tB-PERS

\u200d\tO
👩‍👩‍👧\tB-PER
??????????\tO
"""


def described(table):
    """One line per window: id, ids with a star behind the first ones of words, labels, or the problem."""
    for row in table.to_pylist():
        ids = " ".join(f"{i}{'*' * first}" for i, first in zip(row["input_ids"], row["initial_mask"], strict=True))
        labels = " ".join(map(str, row["ner_label_ids"]))
        cut = " | clipped" if row["clipped"] else ""
        problem = problem_of(row)
        yield f"{row['id']} | {problem or f'{ids} | {labels}{cut}'}"


def features():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        file.write_text(TRAIN, encoding="utf-8")
        for labels in (TAGS, TAGS[2:]):
            processor = NERProcessor(tiny_tokenizer(folder), 11, folder, labels, "seq_f1")
            yield f"{'with' if 'X' in labels else 'without'} X"
            yield from described(processor.featurize(pa.concat_tables(processor.read(Split(str(file))))))


def test_features_are_as_written_down():
    check("ner_features", features())


def test_labels_of_words_in_pieces(tmp_path):
    """FARM's example: what begins no word, special tokens and padding are labelled X."""
    pieces = ["Some", "never", "##see", "##nto", "##ken", "##s", "here"]
    (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL, *pieces]))
    tokenizer = Tokenizer.load(tmp_path, tokenizer_class="BertTokenizer", do_lower_case=False)
    processor = NERProcessor(tokenizer, 12, None, TAGS, "seq_f1")
    row = {"text": "Some neverseentokens here", "ner_label": ["O", "B-PER", "O"]}
    dataset, names, problematic = processor.dataset_from_dicts([row])
    assert names == ["input_ids", "padding_mask", "segment_ids", "initial_mask", "ner_label_ids"]
    assert problematic == set()
    tensors = dict(zip(names, dataset[0], strict=True))
    assert tensors["input_ids"].tolist() == [2, 5, 6, 7, 8, 9, 10, 11, 3, 0, 0, 0]
    assert tensors["padding_mask"].tolist() == [1] * 9 + [0] * 3
    assert tensors["initial_mask"].tolist() == [0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert tensors["ner_label_ids"].tolist() == [1, 2, 5, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    assert [TAGS[label] for label in tensors["ner_label_ids"][:3]] == ["X", "O", "B-PER"]
    assert {str(tensor.dtype) for tensor in tensors.values()} == {"torch.int64"}

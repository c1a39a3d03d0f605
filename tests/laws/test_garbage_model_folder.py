"""Whatever the files of a model folder hold: an answer, or exit 2 and one line. No Ray, memory stays small."""

import json
import shutil
import zipfile

import pytest
import torch
from safetensors.torch import load_file

from farm_ray.errors import ModelFolderError
from farm_ray.infer import Inferencer
from farm_ray.modeling.tokenization import Tokenizer
from jobs import evaluate, infer, train
from tests.infer.models import make_inferencer, make_kind
from tests.modeling.tiny_models import save_tiny_classifier
from tests.tiny import tiny_tokenizer

OWN = (
    "processor_config.json",
    "adaptive_model_config.json",
    "language_model_config.json",
    "prediction_head_0_config.json",
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
CONTENTS = {
    "nothing": b"",
    "bytes": bytes(range(256)),
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "deep": b'{"a":' * 3000,
    "deep list": b"[" * 100_000,
    "list": b"[1]",
    "number": b"7",
    "null": b"null",
    "5,000 digits": b'{"name": ' + b"1" * 5000 + b"}",
    "half a character": b'{"name": "\\ud83d"}',
    "empty mapping": b"{}",
    "huge header": (2**62).to_bytes(8, "little") + b"{}",
}
ODD = (True, -1, 10**9, 10**12, 10**30, 1.5, float("nan"), float("inf"), "x", "a\0b", "\ud83d", [[]], {"a": 1}, [None])
ENTRIES = (
    ("adaptive_model_config.json", "prediction_heads"),
    ("adaptive_model_config.json", "embeds_dropout_prob"),
    ("adaptive_model_config.json", "lm_output_types"),
    ("language_model_config.json", "name"),
    ("language_model_config.json", "pooling"),
    ("prediction_head_0_config.json", "layer_dims"),
    ("prediction_head_0_config.json", "label_list"),
    ("prediction_head_0_config.json", "class_weights"),
    ("processor_config.json", "max_seq_len"),
    ("processor_config.json", "tokenizer"),
    ("processor_config.json", "tasks"),
    ("processor_config.json", "delimiter"),
    ("config.json", "num_hidden_layers"),
    ("config.json", "vocab_size"),
    ("config.json", "hidden_size"),
    ("config.json", "max_position_embeddings"),
    ("config.json", "num_attention_heads"),
    ("config.json", "architectures"),
    ("config.json", "model_type"),
    ("config.json", "attention_probs_dropout_prob"),
    ("tokenizer_config.json", "tokenizer_class"),
    ("tokenizer_config.json", "model_max_length"),
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("garbage") / "model"
    make_inferencer(tmp_path_factory.mktemp("encoder")).save(folder)
    (folder / "checksums.json").unlink()
    return folder


@pytest.fixture(scope="module")
def transformers_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("garbage") / "transformers"
    save_tiny_classifier("bert", folder)
    tiny_tokenizer(folder)
    return folder


@pytest.fixture
def copy_of(tmp_path):
    def copy(folder):
        place = tmp_path / "model"
        shutil.rmtree(place, ignore_errors=True)
        return shutil.copytree(folder, place)

    return copy


def answers_or_one_line(capsys, folder, what):
    code = infer.main([str(folder), "--text", "a good film"])
    lines = [line for line in capsys.readouterr().err.strip().splitlines() if "warning: " not in line]
    assert code == 0 or (code == 2 and len(lines) == 1 and lines[0].startswith("jobs.infer: ")), (what, code, lines)
    assert all(len(line) < 1000 for line in lines), (what, lines)
    return code


def refused(capsys, folder, what):
    assert answers_or_one_line(capsys, folder, what) == 2, what


@pytest.mark.parametrize("file", OWN)
def test_a_file_that_holds_something_else(saved, copy_of, capsys, file):
    for name, content in CONTENTS.items():
        folder = copy_of(saved)
        (folder / file).write_bytes(content)
        answers_or_one_line(capsys, folder, name)
    (folder / file).unlink()
    (folder / file).mkdir()
    answers_or_one_line(capsys, folder, "a folder")


@pytest.mark.parametrize("file", ["model.safetensors", "prediction_head_0.safetensors"])
def test_weights_that_are_none(saved, copy_of, capsys, file):
    shape = b'{"a":{"dtype":"F32","shape":[1000000000000,4],"data_offsets":[0,16]}}'
    contents = {**CONTENTS, "cut": (saved / file).read_bytes()[:-9]}
    contents["huge shape"] = len(shape).to_bytes(8, "little") + shape + b"\0" * 16
    for name, content in contents.items():
        folder = copy_of(saved)
        (folder / file).write_bytes(content)
        refused(capsys, folder, name)


@pytest.mark.parametrize(("file", "entry"), ENTRIES)
def test_an_entry_of_another_kind_or_size(saved, copy_of, capsys, file, entry):
    folder = copy_of(saved)
    values = json.loads((folder / file).read_text())
    for odd in ODD:
        (folder / file).write_text(json.dumps({**values, entry: odd}))
        answers_or_one_line(capsys, folder, (entry, odd))


@pytest.mark.parametrize("entry", ["num_labels", "id2label", "hidden_size", "num_hidden_layers", "architectures"])
def test_an_entry_of_a_transformers_model(transformers_model, copy_of, capsys, entry):
    folder = copy_of(transformers_model)
    values = json.loads((folder / "config.json").read_text())
    for odd in ODD:
        (folder / "config.json").write_text(json.dumps({**values, entry: odd}))
        answers_or_one_line(capsys, folder, (entry, odd))


def test_sizes_are_bounded_by_the_files(saved, copy_of, capsys):
    """Each of these took all memory, or as long as it lasted."""
    for file, change in (
        ("adaptive_model_config.json", {"prediction_heads": 1_000_000_000}),
        ("prediction_head_0_config.json", {"layer_dims": [32, 2_000_000_000, 3]}),
        ("prediction_head_0_config.json", {"layer_dims": [32] + [20_000] * 50 + [3]}),
        ("config.json", {"num_hidden_layers": 10_000_000}),
        ("config.json", {"vocab_size": 2_000_000_000}),
        ("config.json", {"max_position_embeddings": 2_000_000_000}),
        ("config.json", {"num_labels": 1_000_000_000}),
        ("config.json", {"num_hidden_layers": 900, "intermediate_size": 99_000}),
    ):
        folder = copy_of(saved)
        values = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps(values | change))
        refused(capsys, folder, change)


def test_labels_that_do_not_fit_their_head(tmp_path, copy_of, capsys):
    for kind, labels in (("ner", ["O"]), ("regression", [1.0]), ("regression", [1.0, 0.0]), ("multilabel", ["a"] * 4)):
        make_kind(tmp_path / f"of {kind}", kind).save(tmp_path / kind)
        capsys.readouterr()
        folder = copy_of(tmp_path / kind)
        (folder / "checksums.json").unlink()
        values = json.loads((folder / "prediction_head_0_config.json").read_text())
        (folder / "prediction_head_0_config.json").write_text(json.dumps({**values, "label_list": labels}))
        refused(capsys, folder, (kind, labels))


@pytest.mark.parametrize("place", ["", "n" * 300, "/" + "n" * 300, "a\0b", "/dev/null", "no/such", "a/b/c/d"])
def test_a_place_that_is_no_model(capsys, tmp_path, place):
    (tmp_path / "t.tsv").write_text("text\tlabel\na\tb\n")
    jobs = ((infer, [place, "--text", "a"]), (evaluate, [place, str(tmp_path / "t.tsv")]))
    tables = ["--data-dir", str(tmp_path), "--set", "processor.train_filename=t.tsv", "--num-workers", "0"]
    out = ["--set", "processor.label_list=[a,b]", "--output-dir", str(tmp_path / "run")]
    jobs += ((train, ["pipelines.text_classification", "--model", place, *tables, *out]),)
    for job, argv in jobs:
        assert job.main(argv) == 2
        # jobs.evaluate says first what it is about to do.
        lines = [line for line in capsys.readouterr().err.splitlines() if "evaluate 0" not in line]
        assert len(lines) == 1, lines
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name", ["BertModel", "RagRetriever", "AutoModel", "pipeline", "os", "torch", "x.y", "BertConfig"]
)
@pytest.mark.parametrize(
    ("file", "entry"),
    [
        ("processor_config.json", "tokenizer"),
        ("tokenizer_config.json", "tokenizer_class"),
        ("config.json", "tokenizer_class"),
    ],
)
def test_only_tokenizers_are_loaded_for_tokenizers(saved, copy_of, capsys, name, file, entry):
    folder = copy_of(saved)
    values = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps({**values, entry: name}))
    if name in {"os", "torch", "x.y"} and entry != "tokenizer":
        # transformers has no such name, and takes the tokenizer that fits.
        answers_or_one_line(capsys, folder, name)
    else:
        refused(capsys, folder, name)


def test_arguments_in_a_tokenizers_files_are_not_used(transformers_model, copy_of):
    folder = copy_of(transformers_model)
    values = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**values, "init_inputs": ["/etc/passwd"]}))
    with pytest.raises(ModelFolderError, match=r"names the file .*own folder alone"):
        Tokenizer.load(folder)


@pytest.mark.parametrize("file", [*OWN, "model.safetensors", "prediction_head_0.safetensors"])
def test_a_link_that_leads_out_of_the_folder_is_refused(saved, copy_of, capsys, tmp_path, file):
    folder = copy_of(saved)
    shutil.move(folder / file, tmp_path / "elsewhere")
    (folder / file).symlink_to(tmp_path / "elsewhere")
    assert infer.main([str(folder), "--text", "a"]) == 2
    assert (
        f"{file} is a link to {tmp_path / 'elsewhere'}, and a model is read from its own folder"
        in capsys.readouterr().err
    )


def test_links_that_stay_inside_are_followed(saved, copy_of, tmp_path):
    """A link to a model folder, links within one, and the Hugging Face cache: snapshots with links to blobs."""
    folder = copy_of(saved)
    (folder / "config.json").rename(folder / "real.json")
    (folder / "config.json").symlink_to("real.json")
    (tmp_path / "latest").symlink_to(folder)
    Inferencer.load(tmp_path / "latest")
    hub = tmp_path / "hub" / "models--a--b"
    snapshot = hub / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (hub / "blobs").mkdir()
    for number, file in enumerate(sorted(saved.iterdir())):
        shutil.copy(file, hub / "blobs" / str(number))
        (snapshot / file.name).symlink_to(f"../../blobs/{number}")
    Inferencer.load(snapshot)


def test_an_archive_that_holds_more_than_it_weighs_is_not_unpacked(transformers_model, copy_of, capsys):
    folder = copy_of(transformers_model)
    torch.save(load_file(folder / "model.safetensors"), folder / "plain.bin")
    (folder / "model.safetensors").unlink()
    with (
        zipfile.ZipFile(folder / "plain.bin") as plain,
        zipfile.ZipFile(folder / "pytorch_model.bin", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in plain.infolist():
            packed.writestr(entry.filename, b"\0" * 10_000_000 if "/data/0" in entry.filename else plain.read(entry))
    (folder / "plain.bin").unlink()
    refused(capsys, folder, "compressed")

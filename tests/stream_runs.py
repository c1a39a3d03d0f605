"""Small runs that stream their training data: texts with labels in several files, or documents in one."""

from farm_ray.data_handler.data_silo import StreamingDataSilo
from farm_ray.data_handler.processor import TextClassificationProcessor
from tests.runs import LABELS, labelled_dicts, small_trainer
from tests.tiny import tiny_tokenizer


def write_tables(folder, *, files=7, rows=23):
    """Files part-0.tsv and so on, of different sizes; texts of 2 to 12 words."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        dicts = labelled_dicts(rows + 3 * number)[number:]
        lines = [f"{row['text']}\t{row['text_classification_label']}" for row in dicts]
        (folder / f"part-{number}.tsv").write_text("\n".join(["text\tlabel", *lines, ""]))
    return folder


def text_stream(folder, data_dir, **options):
    """A silo that streams all files of `data_dir`."""
    processor = TextClassificationProcessor(
        tokenizer=tiny_tokenizer(folder),
        max_seq_len=16,
        data_dir=data_dir,
        label_list=LABELS,
        metric="acc",
        train_filename=options.pop("train_filename", "*.tsv"),
        test_filename=None,
        dev_split=0.0,
    )
    return StreamingDataSilo(processor, **({"batch_size": 8, "lanes": 4} | options))


def stream_run(folder, data_dir, *, stream=None, **options):
    """The result and the weights of a whole run over a stream."""
    trainer = small_trainer(folder, silo=text_stream(folder, data_dir, **(stream or {})), **options)
    trained = trainer.train()
    return trainer.result, trained.state_dict()

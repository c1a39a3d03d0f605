"""Three documents of three sentences, and processors of language models that read them."""

from farm_ray.data_handler.processor import BertStyleLMProcessor

TRAIN = "a good film\nthe film was good\nvery nice day\n\nyou are a fool\nbad film\nwhat a day\n\ndull text\nein satz\ngut .\n"
DOCS = [
    {"doc": ["a good film", "the film was good", "very nice day"]},
    {"doc": ["you are a fool", "bad film", "what a day"]},
    {"doc": ["dull text", "ein satz", "gut ."]},
]


def maker(tokenizer, folder):
    """Makes processors with changed settings, which read `train.txt` in the folder."""

    def make(**settings):
        (folder / "train.txt").write_text(TRAIN)
        return BertStyleLMProcessor(**({"tokenizer": tokenizer, "max_seq_len": 16, "data_dir": str(folder)} | settings))

    return make

"""Files of labelled texts, and the processor that reads them."""

from farm_ray.data_handler.processor import TextClassificationProcessor

LABELS = ["OTHER", "OFFENSE"]


def lines(n, *, label=lambda i: LABELS[i % 2]):
    """A file of n rows, of up to nine words each."""
    return "text\tlabel\n" + "".join(f"a good film {'very ' * (i % 7)}\t{label(i)}\n" for i in range(n))


def processor(tokenizer, folder, **options):
    """Reads such files in the folder."""
    defaults = {"max_seq_len": 16, "label_list": LABELS, "metric": "acc", "quote_char": '"'}
    return TextClassificationProcessor(tokenizer=tokenizer, data_dir=str(folder), **(defaults | options))

"""Tiny tokenizers, made on the fly: 60 tokens, which is the vocabulary size of the tests' tiny models."""

import json
from pathlib import Path

from tokenizers import ByteLevelBPETokenizer, SentencePieceUnigramTokenizer
from transformers import RobertaTokenizer, XLMRobertaTokenizer, XLNetTokenizer

from farm_ray.modeling.tokenization import Tokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = (
    "the a good bad dull film was and very not movie gut schlecht ein satz nice day you are fool what some text with"
)
PIECES = ["##s", "##ly", "##er", "##ing", "##n", "##t", "##e"]
MARKS = [".", ",", "!", "?", "#", "-", "'", "_", "/"]
LETTERS = list("abcdefghij")[1:] + list("nst215")
VOCABULARY = [*SPECIAL, *WORDS.split(), *PIECES, *MARKS, *LETTERS]

TEXTS = [
    "the quick brown fox jumps over the lazy dog",
    "a film that was good, and not very dull!",
    "Über die naïve Straße: schön; 中文 and 12.50 euros?",
    "what is_this/that - some-thing (new)",
] * 5


def tiny_tokenizer(folder):
    """A fast lower-casing BERT tokenizer with words, pieces, marks and letters; its files are saved in `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    tokenizer = Tokenizer.load(folder, tokenizer_class="BertTokenizer", model_max_length=512)
    tokenizer.save_pretrained(str(folder))
    return tokenizer


def tiny_roberta():
    """A byte-level BPE tokenizer of RoBERTa's kind."""
    trained = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(TEXTS, vocab_size=320, special_tokens=special, show_progress=False)
    model = json.loads(trained.to_str())["model"]
    return RobertaTokenizer(vocab=model["vocab"], merges=[tuple(merge) for merge in model["merges"]])


def tiny_unigram(kind=XLMRobertaTokenizer, special=("<s>", "<pad>", "</s>", "<unk>", "<mask>")):
    """A unigram tokenizer of XLM-RoBERTa's kind."""
    trained = SentencePieceUnigramTokenizer()
    trained.train_from_iterator(
        TEXTS, vocab_size=120, special_tokens=list(special), unk_token="<unk>", show_progress=False
    )
    model = json.loads(trained.to_str())["model"]
    return kind(vocab=[tuple(piece) for piece in model["vocab"]], unk_id=model["unk_id"])


def tiny_xlnet():
    """A unigram tokenizer of XLNet's kind: pads on the left, gives segment ids to single texts."""
    return tiny_unigram(XLNetTokenizer, ("<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>"))

import pytest

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.tokenization import truncate_sequences
from tests.raised import raised
from tests.tiny import tiny_tokenizer

A, B = list(range(10)), list(range(100, 115))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("bert"))


@pytest.mark.parametrize(
    ("strategy", "lengths"), [("longest_first", (9, 8)), ("only_first", (2, 15)), ("only_second", (10, 7))]
)
def test_both_and_special_tokens_fill_the_length(bert, strategy, lengths):
    a, b, overflow = truncate_sequences(A, B, bert, max_seq_len=20, truncation_strategy=strategy)
    assert (len(a), len(b)) == lengths
    assert (a, b) == (A[: lengths[0]], B[: lengths[1]])
    assert overflow == A[lengths[0] :]
    assert (len(A), len(B)) == (10, 15)


def remove_one_at_a_time(length_a, length_b, surplus):
    for _ in range(surplus):
        if length_a > length_b:
            length_a -= 1
        else:
            length_b -= 1
    return length_a, length_b


@pytest.mark.parametrize("length_a", [0, 1, 5, 9])
@pytest.mark.parametrize("length_b", [0, 4, 9])
@pytest.mark.parametrize("max_seq_len", [3, 4, 8, 11, 30])
def test_longest_first_takes_one_at_a_time(bert, length_a, length_b, max_seq_len):
    a, b, _ = truncate_sequences([0] * length_a, [0] * length_b, bert, max_seq_len)
    surplus = max(0, length_a + length_b + 3 - max_seq_len)
    assert (len(a), len(b)) == remove_one_at_a_time(length_a, length_b, surplus)


def test_one_sequence_with_stride(bert):
    assert truncate_sequences(A, None, bert, 8, stride=2) == ([0, 1, 2, 3, 4, 5], None, [4, 5, 6, 7, 8, 9])
    assert truncate_sequences(A, None, bert, 8, with_special_tokens=False) == (A[:8], None, [8, 9])
    assert truncate_sequences(A, None, bert, 12) == (A, None, [])


@pytest.mark.parametrize(
    ("strategy", "max_seq_len"),
    [("only_first", 18), ("only_second", 12), ("do_not_truncate", 27), ("longest_first", 2)],
)
def test_cannot_remove_enough(bert, strategy, max_seq_len):
    with raised(DataProblemError, "cannot-truncate"):
        truncate_sequences(A, B, bert, max_seq_len, truncation_strategy=strategy)


def test_unknown_strategy(bert):
    with pytest.raises(ConfigError, match='did you mean "only_first"'):
        truncate_sequences(A, B, bert, 20, truncation_strategy="only_fist")

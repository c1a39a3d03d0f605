"""Windows: they fit, go forward, overlap, and every word is owned once."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from farm_ray.data_handler.samples_to_features.windows import cut_windows


def cut(tokens_per_word, words_per_text, *, room, overlap):
    windows = cut_windows(np.array(tokens_per_word, int), np.array(words_per_text, int), room=room, overlap=overlap)
    columns = (windows.text, windows.first, windows.end, windows.own_first, windows.own_end)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_texts_that_fit_are_one_window_each():
    assert cut([1, 2, 1, 3], [3, 0, 1], room=4, overlap=1) == [(0, 0, 3, 0, 3), (1, 3, 3, 3, 3), (2, 3, 4, 3, 4)]
    assert cut([], [], room=4, overlap=1) == []


def test_the_border_is_in_the_middle_of_what_two_windows_share():
    assert cut([1] * 10, [10], room=6, overlap=4) == [(0, 0, 6, 0, 4), (0, 2, 8, 4, 6), (0, 4, 10, 6, 10)]
    assert cut([1] * 10, [10], room=6, overlap=0) == [(0, 0, 6, 0, 6), (0, 6, 10, 6, 10)]


def test_words_of_several_tokens():
    assert cut([2, 2, 2, 2, 2], [5], room=5, overlap=2) == [
        (0, 0, 2, 0, 2),
        (0, 1, 3, 2, 3),
        (0, 2, 4, 3, 4),
        (0, 3, 5, 4, 5),
    ]


def test_a_word_that_fills_a_window_gets_one_without_context():
    assert cut([1, 1, 4, 1], [4], room=4, overlap=2) == [(0, 0, 2, 0, 2), (0, 2, 3, 2, 3), (0, 3, 4, 3, 4)]


def test_long_texts_keep_their_place_among_short_ones():
    numbers = [window[0] for window in cut([1] * 14, [1, 5, 1, 6, 1], room=3, overlap=1)]
    assert numbers == [0, 1, 1, 2, 3, 3, 3, 4]


texts = st.lists(st.lists(st.integers(1, 9), max_size=40), max_size=6)


@settings(deadline=None, max_examples=400)
@given(texts=texts, room=st.integers(1, 20), overlap=st.integers(0, 19))
def test_every_word_is_owned_once_and_every_window_fits(texts, room, overlap):
    overlap = min(overlap, room - 1)
    tokens = [min(length, room) for text in texts for length in text]
    windows = cut(tokens, [len(text) for text in texts], room=room, overlap=overlap)
    starts = np.cumsum([0, *map(len, texts)]).tolist()
    assert sorted({window[0] for window in windows}) == list(range(len(texts)))
    owned = []
    for before, (text, first, end, own_first, own_end) in zip([(-1, 0, 0, 0, 0), *windows], windows, strict=False):
        assert starts[text] <= first <= own_first <= own_end <= end <= starts[text + 1]
        assert sum(tokens[first:end]) <= room
        owned += range(own_first, own_end)
        if before[0] == text:
            assert own_first < own_end
            assert before[1] < first <= before[2] < end
            assert sum(tokens[first : before[2]]) <= overlap
            # Not more context than fits, and not less.
            assert sum(tokens[first - 1 : before[2]]) > overlap or sum(tokens[first - 1 : before[2] + 1]) > room
            # The word in the middle of what both show is the first one's last.
            left, right = sum(tokens[first:own_first]), sum(tokens[own_first : before[2]])
            middle_word = tokens[own_first - 1]
            assert left - middle_word < right + middle_word or own_first == before[3] + 1
            assert left >= right
    assert owned == list(range(len(tokens)))


@settings(deadline=None)
@given(texts=texts, cut_at=st.integers(0, 6), room=st.integers(2, 20))
def test_texts_do_not_know_of_each_other(texts, cut_at, room):
    def windows(some):
        tokens = [min(length, room) for text in some for length in text]
        return cut(tokens, [len(text) for text in some], room=room, overlap=room // 4)

    words = sum(map(len, texts[:cut_at]))
    later = [(text + len(texts[:cut_at]), *(words + word for word in rest)) for text, *rest in windows(texts[cut_at:])]
    assert windows(texts) == windows(texts[:cut_at]) + later

"""What a look at the splits of a table finds: its lines, and the rows that cross them."""

import pytest

from farm_ray.data_handler.file_to_dicts.splits import Split, cut
from farm_ray.data_handler.file_to_dicts.survey import LongRow, line_survey, numbered, quote_survey


def look(split, **options):
    usual = {"delimiter": "\t", "quote": '"', "encoding": "utf-8", "longest_row": 1000}
    return quote_survey(split, **(usual | options))


def write(folder, text):
    path = folder / "table.tsv"
    path.write_bytes(text.encode())
    return str(path), len(text.encode())


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a\tb\nc\td\n", []),
        ('"a\tb"\tc\n"d"\n', []),
        ('a\t"b\nc"\nd\n', [LongRow(0, 8, 0, 2)]),
        ('a\n"b\n\n\nc"\td\n', [LongRow(2, 12, 1, 4)]),
        # Never closed, closed by what stands behind, closed only in the middle of a field.
        ('"a\nb\nc\n', []),
        ('"a\nb"c\nd\n', []),
        ('"é ""x\ny"\n', [LongRow(0, 11, 0, 2)]),
    ],
)
def test_rows_of_several_lines(tmp_path, text, rows):
    path, size = write(tmp_path, text)
    survey = look(Split(path, 0, size))
    assert (list(survey.long_rows), survey.lines) == (rows, text.count("\n"))


def test_skipped_lines_are_no_rows(tmp_path):
    path, size = write(tmp_path, '"note\ntext\n"a"\n')
    assert look(Split(path, 0, size), skipped_lines=1).long_rows == ()


def test_a_row_may_reach_into_the_splits_behind_it(tmp_path):
    path, _ = write(tmp_path, 'one\n"two\n2\n2\n2"\nsix\nseven\n')
    found = numbered([look(split) for split in cut(path, 5)])
    assert [(split.start, split.first_line) for split in found] == [(0, 1), (16, 6), (16, 6), (16, 6), (20, 7)]
    assert [split.end for split in found] == [16, 16, 16, 20, 26]


def test_a_row_inside_of_another_is_none(tmp_path):
    """The second line would begin a row up to the third one, if it were not inside of the row of the first."""
    path, size = write(tmp_path, 'a\t"x\nx"y\t"z\nw"\t"1\n"\nb\t2\n')
    survey = look(Split(path, 0, size))
    assert [(row.line, row.lines) for row in survey.long_rows] == [(0, 4), (1, 3), (2, 2)]
    found = numbered([look(split) for split in cut(path, 7)])
    assert [(split.start, split.first_line) for split in found] == [(0, 1), (20, 5), (20, 5)]


def test_lines_of_files_without_quotes(tmp_path):
    path, _ = write(tmp_path, "ab\ncd\nef\ngh\n")
    assert [split.first_line for split in numbered([line_survey(split) for split in cut(path, 3)])] == [1, 2, 3, 4]

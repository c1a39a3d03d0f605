"""What came out of a TSV file, in short."""

import pytest

from farm_ray.data_handler.file_to_dicts import read_rows

TEXT_LABEL = {"text": "text", "label": "label"}


@pytest.fixture
def read(tmp_path):
    """Rows of a file with this content: (line, text, label) or (line, kind of problem)."""

    def rows(content, *, columns=TEXT_LABEL, **options):
        raw = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "train.tsv").write_bytes(raw)
        found = []
        for table in read_rows(tmp_path / "train.tsv", columns=columns, **options):
            for row in table.to_pylist():
                problem = row.pop("problem")
                name, _, line = row.pop("id").rpartition(":")
                assert name == "train.tsv"
                if problem:
                    assert (problem["stage"], problem["file"], problem["line"]) == ("file_to_dicts", name, int(line))
                    assert problem["message"].startswith(f"train.tsv:{line} ")
                    assert set(row.values()) == {None}
                    found.append((int(line), problem["kind"]))
                else:
                    found.append((int(line), *row.values()))
        return found

    return rows

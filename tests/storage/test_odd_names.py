"""Files whose names hold signs of addresses and patterns: listed, read and named one by one, local and on s3://."""

import pytest

from farm_ray.credentials import split_s3, without_credentials
from farm_ray.data_handler.file_to_dicts import read_rows
from farm_ray.errors import DataProblemError
from farm_ray.storage import data_suffix, file_name, join, list_files, open_binary, open_output, redacted, size

NAMES = [
    "h#ash.jsonl", "a?b.csv", "a?b=c.csv", "100%.txt", "%41.txt", "A.txt", "a b.tsv", "a+b.tsv", "ünï.tsv", "st*r.tsv",
    "[1].tsv", "1.tsv", "a&b;c.tsv", "x@y.tsv", "q?.tsv", "end#.tsv", "co:lon.tsv", "a'b.tsv", 'a"b.tsv',
]  # fmt: skip


def read(uri):
    with open_binary(uri) as file:
        return file.read().decode()


@pytest.fixture(params=["s3", "local", "file"])
def folder(request, tmp_path):
    if request.param == "s3":
        request.getfixturevalue("bucket")
        return "s3://data/odd"
    return f"file://{tmp_path}" if request.param == "file" else str(tmp_path)


def test_names_with_signs_of_addresses_and_patterns(folder):
    for name in NAMES:
        with open_output(join(folder, name)) as out:
            out.write(name.encode())
    listed = list_files(folder)
    assert [file_name(file) for file in listed] == sorted(NAMES)
    for file in listed:
        name = read(file)
        assert file_name(file) == name
        assert data_suffix(file) == f".{name.rpartition('.')[2]}"
        assert list_files(file) == [file]
        assert size(file) == len(name.encode())
        assert redacted(file).endswith(f"/{name}")
        assert read(join(folder, name)) == name
    assert {read(file) for file in list_files(join(folder, "*.jsonl"))} == {"h#ash.jsonl"}
    assert {read(file) for file in list_files(join(folder, "?.tsv"))} == {"1.tsv"}


def test_rows_are_read_from_each_of_them(folder):
    for name in ("h#ash.tsv", "a?b.tsv", "%41.tsv"):
        with open_output(join(folder, name)) as out:
            out.write(f"text\n{name}\n".encode())
    rows = [row for table in read_rows(folder, columns={"text": "text"}) for row in table.to_pylist()]
    assert {row["text"]: row["id"] for row in rows} == {
        name: f"{name}:2" for name in ("h#ash.tsv", "a?b.tsv", "%41.tsv")
    }


def test_names_that_are_no_utf8_are_reported_and_never_left_out(tmp_path):
    (tmp_path / "a.tsv").write_text("text\none\n")
    (tmp_path / "caf\udce9.tsv").write_text("text\ntwo\n")
    for path in (tmp_path, tmp_path / "*.tsv", tmp_path / "caf\udce9.tsv"):
        with pytest.raises(DataProblemError, match="not UTF-8; rename the file") as told:
            list(read_rows(path, columns={"text": "text"}))
        str(told.value).encode()


def test_slashes_that_an_object_store_takes_and_arrow_does_not(bucket):
    with pytest.raises(DataProblemError, match="names between slashes must not be empty"):
        list_files("s3://data/odd//a.tsv")


@pytest.mark.parametrize(
    ("uri", "key", "query"),
    [
        ("s3://b/a.csv", "a.csv", ""),
        ("s3://b/a.csv?region=x", "a.csv", "region=x"),
        ("s3://b/a.csv?region=x&endpoint_override=http://h:1/", "a.csv", "region=x&endpoint_override=http://h:1/"),
        ("s3://b/a?b.csv", "a?b.csv", ""),
        ("s3://b/a?b.csv?region=x", "a?b.csv", "region=x"),
        ("s3://b/a?b=c?", "a?b=c", ""),
        ("s3://b/part-?.csv", "part-?.csv", ""),
        ("s3://b/h#ash%41+ .csv", "h#ash%41+ .csv", ""),
        ("s3://b", "", ""),
        ("s3://b?region=x", "", "region=x"),
    ],
)
def test_what_of_an_address_is_the_key(uri, key, query):
    place = split_s3(uri)
    assert (place.bucket, place.key, place.query) == ("b", key, query)
    assert split_s3(place.address()) == place
    assert split_s3(without_credentials(uri.replace("://", "://me:secret@", 1))) == place

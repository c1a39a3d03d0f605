"""Credentials in addresses: shown nowhere, saved nowhere, and everything else stays as it was."""

import pytest

from farm_ray.credentials import redact, saved_values, without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read s3://AKIA:secret@bucket/a.tsv: denied", "cannot read s3://***@bucket/a.tsv: denied"),
        ("s3://AKIA:se/cr+et@bucket/a.tsv?region=eu", "s3://***@bucket/a.tsv?***"),
        ("s3:/AKIA:secret@bucket/a", "s3:/***@bucket/a"),
        ("https://me:pass@host:8080/a?X-Amz-Signature=abc; go on", "https://***@host:8080/a?***; go on"),
        ("(got 'https://token@host/a?token=1')", "(got 'https://***@host/a?***')"),
        ("two: s3://a:b@c/d and s3://e:f@g/h.", "two: s3://***@c/d and s3://***@g/h."),
    ],
)
def test_a_message_hides_account_and_query(text, shown):
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "ray job submit --address http://127.0.0.1:8265 -- python",
        "the form is s3://bucket/key, with ?region=",
        "http://host:80/mail@home and s3://bucket/me@home.tsv",
        "http://www.w3.org/2002/07/owl#Thing",
        "why? a:b, me@home, 12:/3, C:/Users/me@home",
    ],
)
def test_other_text_stays(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    ("uri", "saved"),
    [
        ("s3://AKIA:se/cr+et@bucket/my data?region=eu&scheme=http&x=1", "s3://bucket/my data?region=eu&scheme=http"),
        ("s3://bucket/a?endpoint_override=127.0.0.1:9", "s3://bucket/a?endpoint_override=127.0.0.1:9"),
        ("s3://bucket/a?endpoint_override=http://a:b@h", "s3://bucket/a"),
        ("https://me:pass@host/a?sig=1", "https://host/a"),
        ("data/why?.tsv", "data/why?.tsv"),
    ],
)
def test_an_address_is_saved_with_what_is_not_secret(uri, saved):
    assert without_credentials(uri) == saved
    assert without_credentials(saved) == saved


def test_labels_that_are_addresses_stay():
    values = {"data_dir": "s3://a:b@c", "label_list": ["http://x/?id=1"], "n": 1, "parts": [{"proxy": "http://a:b@h"}]}
    assert saved_values(values) == {**values, "data_dir": "s3://c", "parts": [{"proxy": "http://h"}]}

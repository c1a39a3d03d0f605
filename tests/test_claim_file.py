"""What a claim says of a run is believed as far as it can be understood."""

import json
import os
import time

import pytest

from farm_ray.claim_file import Holder, age, read
from farm_ray.process_identity import machine

HERE = f'"machine": "{machine()}"'
ODD = [
    *(
        b"",
        b"{",
        b"[1]",
        b"null",
        b"7",
        b'{"pid": "x"}',
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"run": "a" ' + b" " * (1 << 20),
    ),
    *(b'{"beat": %s}' % beat for beat in (b"NaN", b"Infinity", b"1" * 400, b"1" * 5000, b"true", b"null")),
    *(f'{{"pid": {pid}}}'.encode() for pid in (10**30, 2**31, 0, -1, 1.5, "true", "null")),
    *(b'{"run": [1]}', b'{"run": {}}', b'{"host": "a\\nb", "started": {}, "machine": []}', b'{"host": "\\ud83d"}'),
]


@pytest.mark.parametrize("content", ODD)
def test_what_cannot_be_understood_is_not_told(tmp_path, content):
    (tmp_path / "claim").write_bytes(content)
    there = read(str(tmp_path / "claim"))
    assert there == Holder()
    assert not there.is_gone
    assert not there.is_here
    assert abs(age(str(tmp_path / "claim"), there)) < 60


def test_nobody_holds_what_is_not_there(tmp_path):
    assert read(str(tmp_path / "claim")) is None


def test_a_process_that_does_not_say_when_it_began_may_be_another_one(tmp_path):
    facts = {"run": "a", "machine": machine(), "pid": os.getpid(), "beat": time.time()}
    (tmp_path / "claim").write_text(json.dumps(facts))
    there = read(str(tmp_path / "claim"))
    assert there.pid == os.getpid()
    assert not there.is_here
    assert not there.is_gone

"""Files of variables: how they are read, and which are not believed."""

import os
from pathlib import Path

import pytest

from schedulerd.engine.env_files import LARGEST, BadEnvFile, parse_env_file, read_env_file

OURS = {0, os.geteuid()}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("A=", ""),
        ("  A = two words  ", "two words"),
        ("export A=1", "1"),
        ("A=a#b", "a#b"),
        ("A=1 # not a comment", "1 # not a comment"),
        ("A=$HOME `id` \\n", "$HOME `id` \\n"),
        ("A=b=c", "b=c"),
        ("A='as it \"stands\" $HOME \\'", 'as it "stands" $HOME \\'),
        ('A=" blanks "', " blanks "),
        (r'A="\"quoted\" \$HOME \\ \` \n"', r'"quoted" $HOME \ ` \n'),
        ("A=''", ""),
        ("A=it's", "it's"),
        ("A=kr\r", "kr"),
        ("A=서울", "서울"),
    ],
)
def test_a_line_gives_a_variable(line: str, value: str) -> None:
    assert parse_env_file(f"# a comment\n; another\n\n{line}\n", path="x") == {"A": value}


def test_the_last_of_equal_names_counts_and_a_mark_of_the_order_of_bytes_is_none_of_it() -> None:
    assert parse_env_file("\ufeffA=1\nB=2\nA=3", path="x") == {"A": "3", "B": "2"}


@pytest.mark.parametrize(
    "line",
    [
        "secret",
        "1A=secret",
        "A B=secret",
        "=secret",
        "A='secret",
        'A="secret" more',
        'A="secret\\"',
        "A=se\0cret",
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_its_number_and_not_by_its_value(line: str) -> None:
    with pytest.raises(BadEnvFile) as caught:
        parse_env_file(f"A=1\n{line}", path="/etc/vars")

    assert str(caught.value).startswith("`env_file` /etc/vars, line 2: ")
    assert "secret" not in str(caught.value)


def a_file(folder: Path, *, mode: int = 0o600, content: bytes = b"A=1\n") -> str:
    file = folder / "vars"
    file.write_bytes(content)
    file.chmod(mode)
    return str(file)


def test_a_private_file_is_read_without_a_word(tmp_path: Path) -> None:
    said: list[str] = []

    assert read_env_file(a_file(tmp_path), owners=OURS, warn=said.append) == {"A": "1"}
    assert said == []


def test_bytes_that_are_no_text_reach_the_run_as_they_are(tmp_path: Path) -> None:
    path = a_file(tmp_path, content=b"A=\xff\n")

    assert os.fsencode(read_env_file(path, owners=OURS, warn=print)["A"]) == b"\xff"


@pytest.mark.parametrize(
    ("mode", "content", "owners", "reason"),
    [
        (0o602, b"", OURS, "can be written to by others; chmod 600"),
        (0o600, b"", {4711}, f"belongs to user {os.geteuid()}, neither to root nor to who runs it"),
        (0o600, b"#" * (LARGEST + 1), OURS, "is larger than 1048576 bytes"),
    ],
)
def test_a_file_that_is_not_to_be_believed_is_refused(
    tmp_path: Path, mode: int, content: bytes, owners: set[int], reason: str
) -> None:
    with pytest.raises(BadEnvFile, match=reason):
        read_env_file(a_file(tmp_path, mode=mode, content=content), owners=owners, warn=print)

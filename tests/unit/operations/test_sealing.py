"""The key of the secrets: where it is found, when it is made, and what is said when it is another or may be read by others."""

from pathlib import Path

import pytest

from schedulerd.errors import BadDefinition, Conflict, NotFound, NotPermitted, SchedulerdError
from schedulerd.operations.sealing import CREDENTIAL, KEY_FILE, KeyRing, Seal


def test_a_secret_is_opened_by_its_key_and_under_its_name_only() -> None:
    seal, other = Seal(bytes(32)), Seal(bytes([1]) * 32)
    sealed = seal.seal("a", {"password": "hunter2"})

    assert b"hunter2" not in sealed
    assert seal.open("a", sealed) == {"password": "hunter2"}
    assert sealed != seal.seal("a", {"password": "hunter2"})
    for key, name, content in (
        (other, "a", sealed),
        (seal, "b", sealed),
        (seal, "a", sealed[:-1]),
        (seal, "a", b""),
    ):
        with pytest.raises(SchedulerdError, match="sealed with another key, or is damaged"):
            key.open(name, content)


def test_the_key_is_made_once_for_this_user_only(tmp_path: Path) -> None:
    first = KeyRing(tmp_path, {}).seal(known=None)

    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [KEY_FILE]
    assert KeyRing(tmp_path, {}).seal(known=first.mark).mark == first.mark


def test_a_key_that_is_lost_is_not_made_anew(tmp_path: Path) -> None:
    mark = KeyRing(tmp_path, {}).seal(known=None).mark
    (tmp_path / KEY_FILE).unlink()

    with pytest.raises(NotFound, match="there is no key of the secrets"):
        KeyRing(tmp_path, {}).seal(known=mark)
    assert not (tmp_path / KEY_FILE).exists()


def test_another_key_is_refused(tmp_path: Path) -> None:
    mark = KeyRing(tmp_path, {}).seal(known=None).mark
    (tmp_path / KEY_FILE).write_text("ab" * 32)

    with pytest.raises(Conflict, match="not the one that the secrets of this database are sealed with"):
        KeyRing(tmp_path, {}).seal(known=mark)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    KeyRing(tmp_path, {}).seal(known=None)
    (tmp_path / KEY_FILE).chmod(0o640)

    with pytest.raises(NotPermitted, match="may be read by others") as error:
        KeyRing(tmp_path, {}).seal(known=None)
    assert "chmod 600" in error.value.mend


@pytest.mark.parametrize("text", ["", "ab" * 31, "xy" * 32, "\0" * 32, "ab" * 5_000])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / KEY_FILE).write_text(text)
    (tmp_path / KEY_FILE).chmod(0o600)

    with pytest.raises(BadDefinition, match="no key: it has to be 64 hexadecimal digits"):
        KeyRing(tmp_path, {}).seal(known=None)


def test_a_credential_of_systemd_goes_before_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / CREDENTIAL).write_text("cd" * 32 + "\n")
    (folder / CREDENTIAL).chmod(0o440)  # as systemd has them

    seal = KeyRing(tmp_path, {"CREDENTIALS_DIRECTORY": str(folder)}).seal(known=None)

    assert seal.mark == Seal(bytes.fromhex("cd" * 32)).mark
    assert not (tmp_path / KEY_FILE).exists()


def test_a_folder_that_cannot_be_written_to_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotPermitted, match="cannot be made"):
        KeyRing(tmp_path / "none", {}).seal(known=None)

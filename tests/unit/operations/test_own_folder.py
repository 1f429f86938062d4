"""The folder of our own files: what stands in the way is told in sentences, which have a language."""

from pathlib import Path

import pytest

from schedulerd.errors import Conflict
from schedulerd.operations.own_folder import OwnFolder
from schedulerd.sentences import Sentence


def test_that_a_link_is_not_followed_is_told_in_whatever_language(tmp_path: Path) -> None:
    (tmp_path / "own.toml").symlink_to(tmp_path / "theirs.toml")

    with pytest.raises(Conflict) as refused:
        OwnFolder(tmp_path, ".toml").read("own.toml")

    message = refused.value.message
    assert isinstance(message, Sentence)
    other = {
        "cannot read {path}": "<{path}>",
        "{what}: it is a symlink, which is not followed": "{what} is <a link>",
    }
    assert message.by(lambda text: other[text]) == f"<{tmp_path / 'own.toml'}> is <a link>"

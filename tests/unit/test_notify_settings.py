"""The tables of `[[notify]]` in the settings: what is said of a mistake, and what is shown of none."""

from pathlib import Path

import pytest

from schedulerd.config import load_settings
from schedulerd.errors import BadDefinition


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("notify = [1]", 1, "`notify` must be a table"),
        ("[notify]\nurls = ['a://b']", 1, "`notify` must be tables with a heading of two brackets"),
        ("[[notify]]\nname = 'a'", 1, "`notify` has neither `urls` nor `urls_file`"),
        ("[[notify]]\nurls = ['a://b']\n" * 2 + "name = 'notify-1'", 3, "two tables called 'notify-1'"),
        ("[[notify]]\nurls = ['a://b']\n[[notify]]\nurls = ['ab']", 4, "`notify.urls` must be URLs"),
        (
            "[[notify]]\nurls = ['a://b']\nlimt = 1",
            3,
            "`notify.limt` is not a setting; did you mean 'limit'?",
        ),
        ("[[notify]]\nurls = ['a://b']\non = ['test']", 3, "`notify.on` must have some of failed,"),
        ("[[notify]]\nurls = ['a://b']\non = []", 3, "`notify.on` must not be empty"),
        ("[[notify]]\nurls = ['a://b']\nslow_factor = nan", 3, "`notify.slow_factor` must be a number"),
        ("[[notify]]\nurls = ['a://b']\nslow_factor = 0.5", 3, "`notify.slow_factor` must be at least 1.0"),
        ("[[notify]]\nurls = ['a://b']\nlog_lines = true", 3, "`notify.log_lines` must be a whole number"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_reason(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    file = tmp_path / "schedulerd.toml"
    file.write_text(text)

    with pytest.raises(BadDefinition) as caught:
        load_settings(file, {})

    assert (caught.value.file, caught.value.line) == (str(file), line)
    assert reason in caught.value.reason


def test_where_notices_go_does_not_show(tmp_path: Path) -> None:
    file = tmp_path / "schedulerd.toml"
    file.write_text("[[notify]]\nurls = ['mailto://u:hunter2@h']")

    settings = load_settings(file, {})

    assert "hunter2" not in repr(settings)
    assert settings.notify[0].addresses({}) == ["mailto://u:hunter2@h"]

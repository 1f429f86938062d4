"""On which line each key of a TOML text stands."""

from pathlib import Path

import pytest

from schedulerd.domain.toml_text import parse_toml
from schedulerd.errors import BadDefinition

TEXT = r'''# a comment with [brackets] and "quotes
top = """
[not.a.table]
not_a_key = 1 \"""
""""
plain = 'it''s' # = x
'''.replace("'it''s'", "'[[ # ='")

TEXT += """\
list = [
  "]", # ]
  { inner = 1, more = [1, 2] },
]
a.b . "c d" = 2026-01-01

[web]
  port = 1
[[schedule]]
name = "one"
  [schedule.parameters]
  x = '''
[[schedule]]
'''
[[schedule]] # two
'name' = { n = 1 }
[[schedule.steps]]
run = 1
[[schedule.steps]]
run = 2
["quoted.name"]
key = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("plain",), 6),
        (("list",), 7),
        (("list", 0), 7),
        (("list", 1, "inner"), 9),
        (("list", 1, "more", 1), 9),
        (("a",), 11),
        (("a", "b", "c d"), 11),
        (("web",), 13),
        (("web", "port"), 14),
        (("schedule", 0), 15),
        (("schedule", 0, "name"), 16),
        (("schedule", 0, "parameters"), 17),
        (("schedule", 0, "parameters", "x"), 18),
        (("schedule", 0, "absent"), 15),
        (("schedule", 1), 21),
        (("schedule", 1, "name", "n"), 22),
        (("schedule", 1, "steps", 0, "run"), 24),
        (("schedule", 1, "steps", 1, "run"), 26),
        (("quoted.name", "key"), 28),
        (("nowhere",), None),
        (("not",), None),
        (("not_a_key",), None),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_the_line_of_a_key_or_of_the_nearest_thing_around_it(
    path: tuple[str | int, ...], line: int | None, line_end: str
) -> None:
    toml = parse_toml(TEXT.replace("\n", line_end), file="x.toml")

    assert toml.line_of(*path) == line


def test_every_key_of_the_files_of_this_repository_has_its_line() -> None:
    for file in [Path(__file__).parents[3] / "pyproject.toml"]:
        text = file.read_text()
        lines = text.splitlines()

        toml = parse_toml(text, file=str(file))

        for path, line in toml.lines.items():
            name = next(part for part in reversed(path) if isinstance(part, str))
            assert name in lines[line - 1] or (path[-1] != name and "{" in lines[line - 1])


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a = 1\nb", 2, "not TOML: Expected '=' after a key in a key/value pair"),
        ("a = 1\na = 2\n", 2, "not TOML: Cannot overwrite a value"),
        ("a = 1\n\nb = [1,\n\n", 3, "not TOML: Invalid value"),
        ('x = """', 1, "not TOML: Unterminated string"),
        ("a = " + "[" * 100_000, None, "not TOML: nested too deeply"),
        (
            "a = " + "9" * 5_000,
            None,
            "not TOML: Exceeds the limit (4300 digits) for integer string conversion",
        ),
    ],
    ids=["no value", "twice", "unfinished", "string", "deep", "number"],
)
def test_what_is_not_toml_is_told_with_its_line(text: str, line: int | None, reason: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        parse_toml(text, file="x.toml")

    assert (caught.value.file, caught.value.line) == ("x.toml", line)
    assert caught.value.reason.startswith(reason)

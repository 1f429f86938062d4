"""When a change counts: once it has rested."""

from pathlib import Path

from schedulerd.errors import BadDefinition
from schedulerd.watch.changes import FolderChange, Settling
from schedulerd.watch.folders import Role, Scan, SeenFile
from tests.unit.watch.scenes import names

SETTLE = 0.5


def seen(*problems: str, withheld: str = "", **contents: str) -> Scan:
    """A look that saw these files, by name and content; `a="x!2"` is content x with another time stamp."""
    files = {}
    for name, content in contents.items():
        text, _, touched = content.partition("!")
        stamp = (1, 1, len(text), int(touched or hash(text) & 0xFFFF), 1)
        path = Path("/f", name)
        files[path] = SeenFile(path=path, folder=Path("/f"), role=Role.FLOW, hash=text, stamp=stamp)
    return Scan(
        files=files,
        problems=tuple(BadDefinition(problem, file="/f/x") for problem in problems),
        withheld=frozenset(Path("/f", name) for name in withheld.split()),
    )


def told(settling: Settling, *looks: tuple[float, Scan]) -> list[tuple[float, FolderChange]]:
    changes = [(now, settling.observe(scan, now=now)) for now, scan in looks]
    return [(now, change) for now, change in changes if change is not None]


def after_first(**contents: str) -> Settling:
    settling, whole = Settling(SETTLE), seen(**contents)
    assert len(told(settling, (0.0, whole), (SETTLE, whole))) == 1
    return settling


def test_the_first_is_the_whole_once_it_has_settled() -> None:
    settling = Settling(SETTLE)

    assert settling.observe(seen("p", a="x", b="y"), now=0.0) is None
    assert settling.is_waiting
    change = settling.observe(seen("p", a="x", b="y"), now=0.5)

    assert change is not None
    assert change.first
    assert names(change) == (["a", "b"], [])
    assert [problem.reason for problem in change.problems] == ["p"]
    assert not settling.is_waiting


def test_empty_folders_are_told_too_so_that_the_whole_is_known() -> None:
    change = Settling(SETTLE).observe(seen(), now=0.0)

    assert change is not None
    assert (change.first, change.files) == (True, ())


def test_nothing_new_is_not_told() -> None:
    assert told(after_first(a="x"), (1.0, seen(a="x")), (9.0, seen(a="x"))) == []


def test_a_new_a_changed_and_a_removed_file_are_told_once() -> None:
    settling = after_first(a="x", b="y")
    now = seen(a="new", c="z")

    ((at, change),) = told(settling, (1.0, now), (1.4, now), (1.5, now), (2.5, now))

    assert at == 1.5
    assert names(change) == (["a", "c"], ["b"])
    assert {file.path.name: file.hash for file in change.files} == {"a": "new", "c": "z"}
    assert not change.first


def test_a_file_that_is_written_in_pieces_is_told_when_it_rests() -> None:
    settling = after_first()

    ((at, change),) = told(
        settling,
        *(
            (1.0, seen(a="x")),
            (1.3, seen(a="xy")),
            (1.6, seen(a="xyz")),
            (2.0, seen(a="xyz")),
            (2.1, seen(a="xyz")),
        ),
    )

    assert (at, change.changed[0].hash) == (2.1, "xyz")


def test_a_file_that_is_gone_for_a_moment_is_not_removed() -> None:
    settling = after_first(a="x")

    ((_, change),) = told(settling, (1.0, seen()), (1.2, seen(a="y")), (1.7, seen(a="y")))

    assert names(change) == (["a"], [])


def test_another_time_stamp_on_the_same_content_is_no_change() -> None:
    settling = after_first(a="x!1")

    assert told(settling, (1.0, seen(a="x!2")), (2.0, seen(a="x!2"))) == []


def test_a_change_that_is_taken_back_is_not_told() -> None:
    settling = after_first(a="x")

    assert told(settling, (1.0, seen(a="y")), (1.3, seen(a="x")), (3.0, seen(a="x"))) == []


def test_what_changes_together_is_told_together() -> None:
    settling = after_first()

    ((at, change),) = told(settling, (1.0, seen(a="x")), (1.4, seen(a="x", b="y")), (1.9, seen(a="x", b="y")))

    assert (at, names(change)) == (1.9, (["a", "b"], []))


def test_a_file_that_never_rests_does_not_hold_up_the_others() -> None:
    settling = after_first()
    looks = [(1.0 + step / 10, seen(a="x", log="y" * step)) for step in range(40)]

    changes = told(settling, *looks)

    assert [(at, names(change)) for at, change in changes] == [(2.5, (["a"], []))]
    assert changes[0][1].withheld == {Path("/f/log")}  # it is there, but nothing is known of it yet


def test_problems_are_told_when_they_come_and_when_they_go() -> None:
    settling = after_first(a="x")
    bad, good = seen("unreadable", a="x", withheld="b"), seen(a="x")

    changes = told(settling, (1.0, bad), (1.6, bad), (1.7, bad), (2.0, good), (2.6, good))

    assert [(at, [problem.reason for problem in change.problems]) for at, change in changes] == [
        (1.6, ["unreadable"]),
        (2.6, []),
    ]
    assert changes[0][1].withheld == {Path("/f/b")}


def test_after_forgetting_the_whole_is_told_again() -> None:
    settling = after_first(a="x")

    settling.forget()
    ((_, change),) = told(settling, (1.0, seen(a="x")), (1.5, seen(a="x")))

    assert (change.first, names(change)) == (True, (["a"], []))

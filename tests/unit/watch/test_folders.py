"""One look at the folders: what counts, what is refused, and what cannot be read."""

import os
import shutil
import threading
from pathlib import Path

import pytest

from schedulerd.file_names import as_text
from schedulerd.watch import folders
from schedulerd.watch.folders import Role, Scan, WatchedFolder
from tests.unit.watch.scenes import flows, look, schedules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    folder.mkdir(mode=0o755)
    return folder


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def roles(seen: Scan, below: Path) -> dict[str, str]:
    return {str(path.relative_to(below)): file.role for path, file in seen.files.items()}


def complaints(seen: Scan) -> list[str]:
    return [problem.reason for problem in seen.problems]


def test_files_at_the_top_are_flows_and_all_others_modules(folder: Path) -> None:
    for name in (
        *(
            "etl.py",
            "_helper.py",
            ".hidden.py",
            "notes.txt",
            "etl.pyc",
            "lib/__init__.py",
            "lib/deep/rows.py",
        ),
        *("__pycache__/etl.py", ".git/x.py", "env/pyvenv.cfg", "env/lib/y.py", "schedule.toml"),
    ):
        write(folder / name)

    assert roles(look(flows(folder)), folder) == {
        "etl.py": Role.FLOW,
        "_helper.py": Role.MODULE,
        "lib/__init__.py": Role.MODULE,
        "lib/deep/rows.py": Role.MODULE,
    }


def test_schedule_files_are_those_at_the_top_that_end_in_toml_and_calendars_lie_beside_them(
    folder: Path,
) -> None:
    for name in (
        *("etl.toml", ".etl.toml", "etl.toml~", "more/x.toml", "etl.py"),
        *("closed.ics", "days.txt", ".closed.ics", "more/closed.ics"),
    ):
        write(folder / name)

    assert roles(look(schedules(folder)), folder) == {
        "etl.toml": Role.SCHEDULES,
        "closed.ics": Role.CALENDAR,
        "days.txt": Role.CALENDAR,
    }


def test_a_file_that_stayed_the_same_is_not_read_again(folder: Path) -> None:
    path = write(folder / "a.py", "one")
    before = look(flows(folder))
    status = path.stat()

    path.chmod(0)
    now = look(flows(folder), previous=before)

    assert status.st_mtime_ns == path.stat().st_mtime_ns
    assert now.files[path].hash == before.files[path].hash


def test_other_content_has_another_hash_even_with_the_same_size_and_mtime(folder: Path) -> None:
    path = write(folder / "a.py", "one")
    before = look(flows(folder))
    status = path.stat()

    path.write_text("two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert look(flows(folder), previous=before).files[path].hash != before.files[path].hash


def test_a_missing_folder_is_a_problem_with_its_mend_and_withholds_what_was_in_it(folder: Path) -> None:
    seen = look(flows(folder / "none"))

    assert [(problem.reason, problem.mend) for problem in seen.problems] == [
        ("there is no such folder", f"mkdir -p {folder}/none")
    ]
    assert not seen.files
    assert seen.withheld == {folder / "none"}


def test_a_folder_that_is_a_file_or_a_loop_of_symlinks_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    write(tmp_path / "file")

    assert complaints(look(flows(tmp_path / "loop"))) == ["cannot be read: Too many levels of symbolic links"]
    assert complaints(look(flows(tmp_path / "file"))) == ["cannot be read: Not a directory"]


def test_a_folder_may_itself_be_a_symlink(folder: Path, tmp_path: Path) -> None:
    write(folder / "etl.py")
    (tmp_path / "link").symlink_to(folder)

    assert list(look(flows(tmp_path / "link")).files) == [tmp_path / "link" / "etl.py"]


def test_a_symlink_within_the_folder_stands_for_its_file(folder: Path) -> None:
    # as Kubernetes mounts a ConfigMap
    write(folder / "..2026" / "etl.py", "x")
    (folder / "..data").symlink_to("..2026")
    (folder / "etl.py").symlink_to("..data/etl.py")

    seen = look(flows(folder))

    assert (roles(seen, folder), seen.problems) == ({"etl.py": Role.FLOW}, ())


@pytest.mark.parametrize("name", ["etl.py", "lib"])
def test_a_symlink_that_leads_out_of_the_folder_is_refused_with_the_mend(
    folder: Path, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "flows-of-others" / name
    if name == "lib":
        outside.mkdir(parents=True)
    else:
        write(outside)
    (folder / name).symlink_to(outside)

    seen = look(flows(folder))

    assert complaints(seen) == [f"refused: it is a symlink that leads out of {folder}"]
    assert (
        seen.problems[0].mend
        == f"put the thing itself there: rm {folder / name} && cp -r {outside} {folder / name}"
    )
    assert not seen.files
    assert seen.withheld == {folder / name}


def test_symlinks_that_lead_nowhere_or_in_a_circle_cost_nothing_else(folder: Path) -> None:
    (folder / "dangling.py").symlink_to("nowhere.py")
    (folder / "loop.py").symlink_to("loop.py")
    (folder / "loop").symlink_to("loop")
    (folder / "circle").symlink_to(".")
    write(folder / "etl.py")

    seen = look(flows(folder))

    assert roles(seen, folder) == {"etl.py": Role.FLOW}
    assert complaints(seen) == ["cannot be read: Too many levels of symbolic links"]


def test_a_file_that_others_may_write_to_is_refused(folder: Path) -> None:
    path = write(folder / "etl.py")
    path.chmod(0o666)

    seen = look(flows(folder))

    assert complaints(seen) == ["refused: anybody may write to it"]
    assert (seen.problems[0].file, seen.problems[0].mend) == (str(path), f"chmod o-w {path}")
    assert not seen.files
    assert seen.withheld == {path}


def test_a_file_of_somebody_else_is_refused(folder: Path) -> None:
    path = write(folder / "etl.py")
    somebody = path.stat().st_uid + 1

    seen = look(flows(folder), uid=somebody)

    if path.stat().st_uid == 0:
        assert seen.problems == ()  # what is root's may be believed
        os.chown(path, somebody + 1, -1)
        seen = look(flows(folder), uid=somebody)
    assert complaints(seen)[0].startswith("refused: it belongs to ")
    assert path not in seen.files


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_group_of_several_may_not_write_but_the_group_of_the_owner_alone_may(folder: Path) -> None:
    path = write(folder / "etl.py")
    path.chmod(0o664)
    assert look(flows(folder)).problems == ()  # root's own group

    os.chown(path, -1, 54_321)

    assert complaints(look(flows(folder))) == ["refused: the group 54321 may write to it"]


def test_a_folder_that_others_may_write_to_is_refused_and_what_was_known_of_it_stays(folder: Path) -> None:
    path = write(folder / "lib" / "rows.py", "good")
    before = look(flows(folder))
    (folder / "lib").chmod(0o777)
    path.write_text("evil")

    seen = look(flows(folder), previous=before)

    assert complaints(seen) == ["refused: anybody may write to it"]
    assert seen.withheld == {folder / "lib"}
    assert seen.files == before.files


def test_what_cannot_be_read_is_a_problem_and_what_was_known_of_it_stays(folder: Path) -> None:
    path = write(folder / "etl.py", "one")
    before = look(flows(folder))
    path.write_text("two")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root can read everything")

    seen = look(flows(folder), previous=before)

    assert complaints(seen) == ["cannot be read: Permission denied"]
    assert seen.files == before.files


def test_a_folder_that_cannot_be_entered_is_a_problem_and_what_was_known_of_it_stays(folder: Path) -> None:
    write(folder / "lib" / "rows.py")
    before = look(flows(folder))
    (folder / "lib").chmod(0)
    if os.access(folder / "lib", os.R_OK):
        (folder / "lib").chmod(0o700)
        pytest.skip("root can enter everything")

    seen = look(flows(folder), previous=before)
    (folder / "lib").chmod(0o700)

    assert complaints(seen) == ["cannot be read: Permission denied"]
    assert seen.problems[0].mend == f"chmod u+r {folder}/lib"
    assert seen.files == before.files


def test_a_pipe_and_a_huge_file_are_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe.py")
    with (folder / "huge.py").open("wb") as stream:
        stream.truncate((10 << 20) + 1)

    assert complaints(look(flows(folder))) == [
        "is larger than 10485760 bytes",
        "refused: it is not a regular file",
    ]


def test_a_file_that_vanishes_between_list_and_look_is_no_error(folder: Path) -> None:
    write(folder / "stays.py")
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            for name in ("a.py", "b.py", "lib/c.py"):
                write(folder / name)
            shutil.rmtree(folder / "lib")
            for name in ("a.py", "b.py"):
                (folder / name).unlink()

    racer = threading.Thread(target=come_and_go)
    racer.start()
    looks = [look(flows(folder)) for _ in range(200)]
    done.set()
    racer.join()

    assert [seen.problems for seen in looks if seen.problems] == []
    assert all(folder / "stays.py" in seen.files for seen in looks)


def test_beyond_the_limit_files_are_left_out_and_it_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MAX_ENTRIES", 3)
    for name in "abcd":
        write(folder / f"{name}.py")

    seen = look(flows(folder))

    assert roles(seen, folder) == {"a.py": Role.FLOW, "b.py": Role.FLOW}
    assert complaints(seen) == ["more than 3 files; the rest is left out"]


def test_two_folders_are_looked_at_together(tmp_path: Path) -> None:
    write(tmp_path / "a" / "one.py")
    write(tmp_path / "b" / "two.toml")

    seen = look(flows(tmp_path / "a"), schedules(tmp_path / "b"))

    assert roles(seen, tmp_path) == {"a/one.py": Role.FLOW, "b/two.toml": Role.SCHEDULES}
    assert set(seen.folders) == {tmp_path / "a", tmp_path / "b"}


def test_crontabs_are_seen_in_crontab_folders_and_in_schedule_folders(tmp_path: Path) -> None:
    config = tmp_path / "config"
    (config / "schedules").mkdir(parents=True)
    for name in ("a.crontab", "b.toml", "c.py", ".d.crontab", "schedules/e.crontab", "schedules/f.toml"):
        (config / name).write_text("")

    seen = look(WatchedFolder(path=config, role=Role.CRONTAB), schedules(config / "schedules"))

    assert {str(path.relative_to(config)): file.role for path, file in seen.files.items()} == {
        "a.crontab": Role.CRONTAB,
        "schedules/e.crontab": Role.CRONTAB,
        "schedules/f.toml": Role.SCHEDULES,
    }


@pytest.mark.parametrize("name", ["caf\udce9.py", "_caf\udce9.py", "caf\udce9/rows.py"])
def test_a_flow_file_or_module_whose_name_is_no_text_is_refused_and_told(folder: Path, name: str) -> None:
    write(folder / "etl.py")
    file = write(folder / name)

    seen = look(flows(folder))

    assert roles(seen, folder) == {"etl.py": Role.FLOW}
    assert [problem.file for problem in seen.problems] == [as_text(file)]
    assert complaints(seen)[0].endswith("not UTF-8 text")
    assert (
        seen.problems[0].mend
        == f"rename it: mv $'{folder}/{as_text(name.partition('/')[0])}' {folder}/NEW_NAME"
    )


@pytest.mark.parametrize("suffix", ["toml", "crontab", "ics"])
def test_a_schedule_file_crontab_or_calendar_whose_name_is_no_text_is_refused_and_told(
    folder: Path, suffix: str
) -> None:
    write(folder / "good.toml")
    write(folder / f"caf\udce9.{suffix}")

    seen = look(schedules(folder))

    assert roles(seen, folder) == {"good.toml": Role.SCHEDULES}
    assert [problem.file for problem in seen.problems] == [rf"{folder}/caf\xe9.{suffix}"]


def test_what_counts_for_nothing_may_be_called_whatever_it_is(folder: Path) -> None:
    write(folder / "caf\udce9.txt")
    write(folder / "caf\udce9" / "rows.csv")

    assert look(flows(folder)).problems == ()


def test_a_symlink_to_what_is_called_no_text_has_a_name_of_its_own(folder: Path, tmp_path: Path) -> None:
    write(folder / "caf\udce9.txt")
    (folder / "inside.py").symlink_to("caf\udce9.txt")
    write(tmp_path / "caf\udce9.py")
    (folder / "outside.py").symlink_to(tmp_path / "caf\udce9.py")

    seen = look(flows(folder))

    assert roles(seen, folder) == {"inside.py": Role.FLOW}
    assert [problem.mend.encode().decode() for problem in seen.problems] == [seen.problems[0].mend]


def test_a_name_with_a_line_feed_is_a_name(folder: Path) -> None:
    write(folder / "two\nlines.py")

    assert roles(look(flows(folder)), folder) == {"two\nlines.py": Role.FLOW}

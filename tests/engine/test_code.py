"""The code of a flow, kept by its content, and run from there as if from its own place."""

import linecache
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from schedulerd.engine.code import Source, compiled, keep, kept, version_of
from tests.engine.scenes import Ran, Spawning

HEAD = "from schedulerd import flow\n"


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[Spawning]:
    with Spawning(tmp_path) as made:
        yield made


def run(spawning: Spawning, request: dict[str, object], key: str = "run.1") -> Ran:
    from schedulerd.engine import wire

    spawning.start(key, **request)
    spawning.hear(wire.Ended, key)
    return Ran(spawning.folders.runs / key)


def a_source(content: bytes = b"x = 1\n", *, module: str = "", path: str = "/flows/etl.py") -> Source:
    return Source(module=module, path=path, content=content)


def test_a_version_is_the_content_and_not_the_place() -> None:
    here, there = a_source(), a_source(path="/elsewhere/copy.py")

    assert version_of([here]) == version_of([there])
    assert version_of([here]) != version_of([a_source(b"x = 2\n")])


def test_a_version_knows_its_modules_by_name_in_any_order() -> None:
    flow, one, other = a_source(), a_source(module="one"), a_source(module="other")

    assert version_of([flow, one, other]) == version_of([flow, other, one])
    assert version_of([flow, one]) != version_of([flow, other])
    assert version_of([a_source(b"ab", module="c")]) != version_of([a_source(b"b", module="ca")])


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    sources = [a_source(), Source(module="lib", path="/flows/lib/__init__.py", content=b"", is_package=True)]

    version = keep(sources, code=tmp_path / "code")

    assert kept(version, code=tmp_path / "code") == sources
    assert keep(sources, code=tmp_path / "code") == version
    assert len(list((tmp_path / "code").iterdir())) == 1


def test_the_same_content_at_a_new_place_is_a_move(tmp_path: Path) -> None:
    version = keep([a_source()], code=tmp_path)

    keep([a_source(path="/new/etl.py")], code=tmp_path)

    assert [source.path for source in kept(version, code=tmp_path)] == ["/new/etl.py"]


def test_what_a_file_compiles_to_is_kept_for_the_path_that_it_has_now(tmp_path: Path) -> None:
    version = keep([a_source()], code=tmp_path)
    keep([a_source(path="/new/etl.py")], code=tmp_path)
    (source,) = kept(version, code=tmp_path)
    (other,) = kept(keep([a_source(b"x = 2\n", path="/new/etl.py")], code=tmp_path), code=tmp_path)

    from_kept = replace(other, content=b"this is no Python")  # it is not compiled once more

    assert compiled(source).co_filename == "/new/etl.py"
    assert compiled(from_kept).co_consts == (2, None)


@pytest.mark.parametrize(
    "code",
    [
        lambda _: b"",
        lambda code: b"\x00" + code[1:],
        lambda code: code[:-3],
        lambda code: code[:-3] + bytes(3),
    ],
    ids=["of an earlier version", "of another Python", "cut", "zeroed"],
)
def test_what_this_python_has_not_compiled_is_compiled_anew(
    tmp_path: Path, code: Callable[[bytes], bytes]
) -> None:
    version = keep([a_source()], code=tmp_path)
    file = tmp_path / version / "0.pyc"
    file.write_bytes(code(file.read_bytes()))

    (source,) = kept(version, code=tmp_path)

    assert compiled(source).co_names == ("x",)
    (tmp_path / version / "0.pyc").unlink()
    assert compiled(kept(version, code=tmp_path)[0]).co_names == ("x",)


def test_a_file_that_does_not_compile_is_kept_as_it_is(tmp_path: Path) -> None:
    broken = a_source(b"def f(:\n", module="broken")

    version = keep([a_source(), broken], code=tmp_path)

    with pytest.raises(SyntaxError):
        compiled(kept(version, code=tmp_path)[1])


@pytest.mark.parametrize(
    "content",
    [
        "# -*- coding: latin-1 -*-\nWORD = 'café'\n".encode("latin-1"),
        b"\xef\xbb\xbfWORD = 'caf\xc3\xa9'\n",
        "WORD = 'café'\r\n".encode(),
    ],
    ids=["latin-1", "UTF-8 with a mark", "lines of Windows"],
)
def test_lines_are_shown_in_the_encoding_of_their_file(content: bytes) -> None:
    source = a_source(content, path="/flows/encoded.py")

    namespace: dict[str, object] = {}
    exec(compiled(source), namespace)

    assert namespace["WORD"] == "café"
    assert "WORD = 'café'\n" in linecache.getlines("/flows/encoded.py")


def test_what_is_not_kept_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        kept("ab" * 32, code=tmp_path)


def test_a_run_executes_what_was_inspected_not_what_lies_there_now(spawning: Spawning) -> None:
    spawning.drop("WORD = 'kept'\n", "words.py")
    request = spawning.keep(
        HEAD + "import words\n@flow\ndef etl():\n    print(words.WORD, words.__file__, __file__)\n"
    )
    for name in ("etl.py", "words.py"):
        spawning.drop("raise ValueError('a later version')\n", name)

    ran = run(spawning, request)

    assert ran.lines("stdout") == [f"kept {spawning.flows / 'words.py'} {spawning.flows / 'etl.py'}"]


def test_a_run_executes_what_was_inspected_also_when_the_file_is_gone(spawning: Spawning) -> None:
    request = (
        spawning.keep(HEAD + "import words\n@flow\ndef etl():\n    print(words.WORD)\n")
        if spawning.drop("WORD = 'kept'\n", "words.py")
        else {}
    )
    shutil.rmtree(spawning.flows)

    assert run(spawning, request).lines("stdout") == ["kept"]


def test_packages_and_relative_imports_are_kept(spawning: Spawning) -> None:
    spawning.drop("from .deep.words import WORD\n", "lib/__init__.py")
    spawning.drop("", "lib/deep/__init__.py")
    spawning.drop("from .. import deep\nfrom . import more\nWORD = more.WORD\n", "lib/deep/words.py")
    spawning.drop("WORD = 'deep'\n", "lib/deep/more.py")
    request = spawning.keep(
        HEAD + "from lib import WORD\nimport lib.deep.more\n@flow\ndef etl():\n    print(WORD)\n"
    )
    spawning.drop("WORD = 'later'\n", "lib/deep/more.py")

    assert run(spawning, request).lines("stdout") == ["deep"]


def test_a_module_that_is_imported_only_when_the_flow_runs_is_found(spawning: Spawning) -> None:
    spawning.drop("WORD = 'late'\n", "words.py")

    ran = spawning.flow(HEAD + "@flow\ndef etl():\n    import words\n    print(words.WORD)\n")

    assert ran.lines("stdout") == ["late"]


LATE = {
    "words.py": "def word():\n    from lib.deep import more\n    return more.WORD\n",
    "lib/__init__.py": "",
    "lib/deep/__init__.py": "from .more import WORD\n",
    "lib/deep/more.py": "from . import last\nfrom .. import beside\nWORD = last.WORD + beside.WORD\n",
    "lib/deep/last.py": "WORD = 'kept '\n",
    "lib/beside.py": "import spaces.far\nWORD = spaces.far.WORD\n",
    "spaces/far.py": "WORD = 'as it was'\n",  # of a package without an __init__
}


@pytest.mark.parametrize("changed", LATE)
def test_a_module_that_is_imported_only_when_the_flow_runs_is_kept(spawning: Spawning, changed: str) -> None:
    text = HEAD + "@flow\ndef etl():\n    import json\n    import words\n    print(words.word())\n"
    for name, content in LATE.items():
        spawning.drop(content, name)
    request = spawning.keep(text)
    spawning.drop(LATE[changed].replace("WORD", "X") + "\nraise ValueError('a later version')\n", changed)

    ran = run(spawning, request)

    assert ran.lines("stdout") == ["kept as it was"]
    assert spawning.keep(text, key="inspection-2")["version"] != request["version"]


def test_a_late_import_that_is_broken_is_told_when_it_is_reached(spawning: Spawning) -> None:
    spawning.drop("def f(:\n", "words.py")

    end = spawning.flow(HEAD + "@flow\ndef etl():\n    import words\n").end

    assert (end["f"]["type"], end["f"]["file"]) == ("SyntaxError", str(spawning.flows / "words.py"))


def test_a_changed_module_is_another_version_of_its_flow(spawning: Spawning) -> None:
    text = HEAD + "import words\n@flow\ndef etl(): ...\n"
    spawning.drop("WORD = 1\n", "words.py")
    first = spawning.keep(text, key="inspection-1")["version"]
    spawning.drop("WORD = 2\n", "words.py")

    assert spawning.keep(text, key="inspection-2")["version"] != first


def test_modules_are_kept_also_where_the_folder_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "flows").symlink_to(tmp_path / "real")
    with Spawning(tmp_path) as spawning:
        spawning.drop("WORD = 'kept'\n", "words.py")
        request = spawning.keep(HEAD + "import words\n@flow\ndef etl():\n    print(words.WORD)\n")
        spawning.drop("WORD = 'later'\n", "words.py")

        assert run(spawning, request).lines("stdout") == ["kept"]


def test_a_copy_of_a_flow_file_does_not_keep_the_flow_from_running(spawning: Spawning) -> None:
    text = HEAD + "@flow\ndef etl():\n    print(__file__)\n"
    request = spawning.keep(text, key="inspection-1")
    spawning.keep(text, "etl_backup.py", key="inspection-2")

    assert run(spawning, request).lines("stdout") == [str(spawning.flows / "etl.py")]


def test_a_traceback_shows_the_lines_of_the_version_that_ran(spawning: Spawning) -> None:
    spawning.drop("def fail():\n    raise ValueError('no')  # as it was\n", "words.py")
    request = spawning.keep(HEAD + "import words\n@flow\ndef etl():\n    words.fail()  # as it was, too\n")
    for name in ("etl.py", "words.py"):
        spawning.drop("# nothing\n" * 10, name)

    end = run(spawning, request).end

    assert end["s"] == "failed"
    assert (end["f"]["file"], end["f"]["line"]) == (str(spawning.flows / "words.py"), 2)
    assert "words.fail()  # as it was, too" in end["f"]["traceback"]
    assert "raise ValueError('no')  # as it was" in end["f"]["traceback"]


def test_a_file_called_as_a_module_of_the_library_does_not_hide_it(spawning: Spawning) -> None:
    file = spawning.drop(HEAD + "@flow\ndef etl():\n    import json\n    print(json.dumps([1]))\n", "json.py")

    assert "error" not in spawning.inspect(file)


def test_a_flow_that_the_version_does_not_make_any_more_is_named(spawning: Spawning) -> None:
    request = spawning.keep(HEAD + "@flow\ndef etl(): ...\n")

    end = run(spawning, request | {"entrypoint": "other", "flow": "other"}).end

    assert end["s"] == "failed"
    assert "other" in end["m"]


def test_code_that_was_thrown_away_fails_the_run_with_a_reason(spawning: Spawning) -> None:
    request = spawning.keep(HEAD + "@flow\ndef etl(): ...\n")
    shutil.rmtree(spawning.state_dir / "code")

    end = run(spawning, request).end

    assert (end["s"], end["f"]["type"]) == ("failed", "FileNotFoundError")

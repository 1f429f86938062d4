"""From an exception to a failure: the user's own line, our frames folded away, never raising."""

import asyncio
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schedulerd import Flow, flow, task
from schedulerd.authoring.failures import MESSAGE_BYTES, TRACEBACK_BYTES, describe_failure, fold
from schedulerd.authoring.running import Cancelled
from schedulerd.domain.failures import Failure
from tests.unit.authoring.tape import load, run

HERE = __file__


def raised(action: Callable[[], Any]) -> BaseException:
    """The exception that the action raises, with its traceback."""
    try:
        action()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def failing() -> None:
    raise ValueError("bad")


def chained() -> None:
    try:
        failing()
    except ValueError as error:
        raise RuntimeError("worse") from error


def while_handling() -> None:
    try:
        failing()
    except ValueError:
        raise RuntimeError("worse")  # noqa: B904  the context is what is tested


def grouped() -> None:
    raise ExceptionGroup("several", [ValueError("bad"), ExceptionGroup("more", [KeyError("k")])])


class Hostile(Exception):
    """An exception that raises whatever is asked of it."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __str__(self) -> str:
        raise self.error

    def __repr__(self) -> str:
        raise self.error


class NotText(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307  this is what is tested


class SillyText(str):
    def encode(self, *args: Any, **kwargs: Any) -> bytes:
        raise SystemExit(9)


class Silly(Exception):
    def __str__(self) -> str:
        return SillyText("silly")


def test_type_message_and_place_are_the_users() -> None:
    failure = describe_failure(raised(failing), task="extract")

    assert (failure.type, failure.message, failure.task) == ("ValueError", "bad", "extract")
    assert (failure.file, failure.line) == (HERE, failing.__code__.co_firstlineno + 1)
    assert failure.traceback.endswith("ValueError: bad\n")


def test_a_library_is_not_the_place_but_stays_in_the_traceback() -> None:
    def parses() -> None:
        json.loads("{")

    failure = describe_failure(raised(parses))

    assert (failure.type, failure.file, failure.line) == (
        "JSONDecodeError",
        HERE,
        parses.__code__.co_firstlineno + 1,
    )
    assert "json/decoder.py" in failure.traceback


def test_where_all_is_a_library_the_innermost_line_is_the_place() -> None:
    code = compile("def f():\n    raise ValueError('x')\n", "/opt/venv/site-packages/lib.py", "exec")
    space: dict[str, Any] = {}
    exec(code, space)
    error = raised(space["f"])
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # without the frame of this file

    failure = describe_failure(error)

    assert (failure.file, failure.line) == ("/opt/venv/site-packages/lib.py", 2)


def test_our_own_frames_are_folded_away() -> None:
    @task
    def extract() -> None:
        failing()

    with Flow("x") as drawn:
        extract()

    failure = run(drawn).failure

    assert failure is not None
    assert failure.line == failing.__code__.co_firstlineno + 1
    assert [line.split(", in ")[1] for line in failure.traceback.splitlines() if ", in " in line] == [
        "extract",
        "failing",
    ]
    assert "authoring/running.py" not in failure.traceback


@pytest.mark.parametrize(
    ("action", "joint"),
    [
        (chained, "The above exception was the direct cause of the following exception"),
        (while_handling, "During handling of the above exception, another exception occurred"),
    ],
)
def test_what_an_exception_is_chained_to_is_in_the_traceback(action: Callable[[], None], joint: str) -> None:
    failure = describe_failure(raised(action))

    assert failure.type == "RuntimeError"
    assert failure.line == action.__code__.co_firstlineno + 4
    assert failure.traceback.index("ValueError: bad") < failure.traceback.index(joint)


def test_the_members_of_a_group_are_in_the_traceback() -> None:
    failure = describe_failure(raised(grouped))

    assert (failure.type, failure.message) == ("ExceptionGroup", "several (2 sub-exceptions)")
    assert "ValueError: bad" in failure.traceback
    assert "KeyError: 'k'" in failure.traceback


def test_a_syntax_error_is_placed_where_it_is() -> None:
    error = raised(lambda: compile("x = 1\ny = = 2\n", "/flows/etl.py", "exec"))

    failure = describe_failure(error)

    assert (failure.type, failure.file, failure.line) == ("SyntaxError", "/flows/etl.py", 2)


def test_a_syntax_error_in_a_text_is_placed_where_it_was_evaluated() -> None:
    def evaluates() -> None:
        eval("1 +")

    failure = describe_failure(raised(evaluates))

    assert (failure.file, failure.line) == (HERE, evaluates.__code__.co_firstlineno + 1)


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    failure = describe_failure(ValueError("x"))

    assert (failure.file, failure.line) == (None, None)
    assert failure.traceback == "ValueError: x\n"


def test_the_place_may_be_the_function_that_could_not_be_called() -> None:
    failure = describe_failure(ValueError("x"), called=failing)

    assert (failure.file, failure.line) == (HERE, failing.__code__.co_firstlineno)


def test_a_message_can_be_given() -> None:
    assert describe_failure(SystemExit(3), message="the flow called sys.exit(3)").message == (
        "the flow called sys.exit(3)"
    )


@pytest.mark.parametrize("error", [ValueError(), SystemExit(), RecursionError(), GeneratorExit()])
def test_an_exception_that_raises_when_asked_is_described(error: BaseException) -> None:
    def acts() -> None:
        raise Hostile(error)

    failure = describe_failure(raised(acts))

    assert (failure.type, failure.message) == ("Hostile", "<Hostile whose str() failed>")
    assert failure.line == acts.__code__.co_firstlineno + 1


@pytest.mark.parametrize("error", [NotText(), Silly()])
def test_an_exception_whose_text_is_no_proper_text_is_described(error: Exception) -> None:
    failure = describe_failure(error)

    assert failure.type == type(error).__name__
    assert type(failure.message) is str


@pytest.mark.parametrize("kind", [Exception, SyntaxError])
def test_an_exception_with_hostile_attributes_is_described(kind: type[Exception]) -> None:
    def refuse(self: object, name: str) -> Any:
        raise SystemExit(1)

    odd = type("Odd", (kind,), {"__getattribute__": refuse})

    assert describe_failure(odd("x")) == Failure(type="Odd", message="x", traceback="")


def test_an_exception_without_a_traceback_to_be_had_is_described() -> None:
    class Odd(Exception):
        @property
        def __notes__(self) -> list[str]:  # type: ignore[override]
            raise SystemExit(1)

    assert describe_failure(Odd("x"), called=failing) == Failure(
        type="Odd", message="x", file=HERE, line=failing.__code__.co_firstlineno
    )


def test_a_cancellation_while_describing_passes_through() -> None:
    with pytest.raises(Cancelled):
        describe_failure(Hostile(Cancelled()))


def test_message_and_traceback_are_bounded() -> None:
    def acts() -> None:
        raise ValueError("한" * 1_000_000)

    failure = describe_failure(raised(acts))

    assert len(failure.message.encode()) <= MESSAGE_BYTES
    assert len(failure.traceback.encode()) <= TRACEBACK_BYTES
    assert failure.traceback.startswith("Traceback (most recent call last):")


def test_endless_recursion_has_a_short_traceback() -> None:
    def acts() -> None:
        acts()

    failure = describe_failure(raised(acts))

    assert failure.type == "RecursionError"
    assert len(failure.traceback) < 2_000


def test_a_message_with_half_a_surrogate_pair_can_be_written() -> None:
    assert describe_failure(ValueError("\ud800")).message == "\\ud800"


def test_the_place_in_a_flow_file_is_its_line(tmp_path: Path) -> None:
    text = "from schedulerd import flow\n\n@flow\ndef etl():\n    return 1 / 0\n"
    _, module = load(tmp_path, text)

    failure = run(module.etl).failure

    assert failure is not None
    assert (failure.file, failure.line) == (str(tmp_path / "flow_file.py"), 5)
    assert "return 1 / 0" in failure.traceback


# -- what a person's own program raises ---------------------------------------------------------------------------


def frames(error: BaseException) -> list[str]:
    """The functions of its traceback."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_a_flow_raises_what_it_failed_with_and_no_frame_of_ours() -> None:
    @task
    def breaks() -> None:
        chained()

    @flow
    def outer() -> None:
        breaks()

    error = raised(outer)

    assert frames(error)[-3:] == ["outer", "breaks", "chained"]
    assert error.__cause__ is not None
    assert frames(error.__cause__) == ["chained", "failing"]
    assert {frame.filename for frame in traceback.extract_tb(error.__traceback__)} == {HERE}


def test_an_async_flow_does_too() -> None:
    @flow
    async def outer() -> None:
        failing()

    assert frames(raised(lambda: asyncio.run(outer())))[-2:] == ["outer", "failing"]


def test_members_of_a_group_are_folded_and_a_circle_of_causes_ends() -> None:
    error = raised(grouped)
    error.__context__ = ValueError("round")
    error.__context__.__context__ = error

    fold(error)

    assert frames(error)[-1] == "grouped"


def test_an_error_that_no_line_of_the_users_led_to_keeps_its_frames() -> None:
    from schedulerd.authoring.options import tags_of

    error = raised(lambda: tags_of(5))  # type: ignore[arg-type]
    assert error.__traceback__ is not None
    ours = error.__traceback__
    while ours is not None and "options" not in ours.tb_frame.f_code.co_filename:
        ours = ours.tb_next  # type: ignore[assignment]
    error.__traceback__ = ours

    fold(error)

    assert frames(error)[-1] == "tags_of"


def test_arguments_that_do_not_fit_are_shown_with_the_definition_below_its_decorators() -> None:
    @task(
        retries=0,
    )
    def needs(one: int) -> int:
        return one

    failure = describe_failure(raised(lambda: None.x), called=needs.fn)  # type: ignore[attr-defined]
    bare = describe_failure(TypeError("it does not fit"), called=needs.fn)

    assert failure.file == HERE
    assert (bare.file, "def needs" in bare.traceback) == (HERE, True)
    assert bare.line == needs.fn.__code__.co_firstlineno + 3

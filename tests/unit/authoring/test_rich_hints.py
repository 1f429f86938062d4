"""Type hints that ask for more than plain values: pydantic judges them where it is installed."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, SecretStr

from schedulerd import flow
from schedulerd.authoring.describing import describe
from schedulerd.authoring.failures import describe_failure
from schedulerd.authoring.hints import is_plain
from schedulerd.authoring.parameters import coerced, schema_of
from schedulerd.domain.parameters import check_parameters, value_of
from schedulerd.errors import BadParameters
from schedulerd.schedules import Cron


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Source(BaseModel):
    table: str
    limit: int = 10
    next: "Source | None" = None


class Login(BaseModel):
    user: str
    password: SecretStr


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool = True


@dataclass
class Window:
    start: date
    days: int = 1


class Point(NamedTuple):
    x: int
    y: int


class Options(TypedDict, total=False):
    deep: bool


class Anything:
    """A class that pydantic knows nothing of."""


def with_hint(hint: Any) -> Callable[..., Any]:
    def etl(p: Any) -> Any:
        return p

    etl.__annotations__["p"] = hint
    return etl


DAY = date(2026, 12, 31)
ANYTHING = Anything()
WINDOW = Window(DAY)
TOKEN = SecretStr("hush")


@pytest.mark.parametrize(
    ("hint", "given", "made"),
    [
        (Source, {"table": "rows", "limit": "5"}, Source(table="rows", limit=5)),
        (Source, Source(table="rows"), Source(table="rows")),
        (Source | None, None, None),
        (Source | None, {"table": "rows"}, Source(table="rows")),
        (list[Source], [{"table": "a"}, {"table": "b"}], [Source(table="a"), Source(table="b")]),
        (dict[str, Window], {"w": {"start": "2026-12-31"}}, {"w": Window(DAY)}),
        (Color, "red", Color.RED),
        (Color, Color.RED, Color.RED),
        (list[Color], ["blue"], [Color.BLUE]),
        (Literal[Color.RED], Color.RED, Color.RED),
        (Window, {"start": "2026-12-31", "days": 2}, Window(DAY, 2)),
        (Annotated[int, Field(gt=0)], "5", 5),
        (Annotated[list[int], Field(max_length=2)], [1], [1]),
        (tuple[int, str], ["1", "a"], (1, "a")),
        (tuple[int, ...], [1, 2], (1, 2)),
        (set[int], [1, 1], {1}),
        (frozenset[str], ["a"], frozenset({"a"})),
        (Point, [1, 2], Point(1, 2)),
        (Options, {"deep": True}, {"deep": True}),
        (bytes, "x", b"x"),
        (Path, "/tmp", Path("/tmp")),
        (Decimal, "1.50", Decimal("1.50")),
        (time, "06:00", time(6)),
        (UUID, "12345678-1234-5678-1234-567812345678", UUID(int=0x12345678123456781234567812345678)),
        (Cat | Dog, {"kind": "dog"}, Dog(kind="dog")),
        (Anything, ANYTHING, ANYTHING),
    ],
)
def test_a_value_is_made_to_fit_a_rich_hint(hint: Any, given: Any, made: Any) -> None:
    result = coerced(with_hint(hint), {"p": given}, flow="etl")["p"]

    assert (result, type(result)) == (made, type(made))


def test_a_secret_is_held_as_one() -> None:
    made = coerced(with_hint(Login), {"p": {"user": "kim", "password": "hush"}}, flow="etl")["p"]

    assert made.password.get_secret_value() == "hush"
    assert "hush" not in repr(made)


@pytest.mark.parametrize(
    ("hint", "given", "said"),
    [
        (Source, {"limit": 1}, r"parameter 'p'\.table: Field required \(it is a dict\)"),
        (Source, {"table": "a", "limit": "x"}, r"parameter 'p'\.limit: .*integer.*\(it is a str\)"),
        (list[Source], [{"table": "a"}, 5], r"parameter 'p'\[1\]: .*Source.*\(it is an int\)"),
        (dict[str, Window], {"w": {"start": "x"}}, r"parameter 'p'\.w\.start: .*date.*\(it is a str\)"),
        (Color, "green", r"parameter 'p': Input should be 'red' or 'blue' \(it is a str\)"),
        (Annotated[int, Field(gt=0)], 0, r"parameter 'p': .*greater than 0 \(it is an int\)"),
        (tuple[int, str], [1], r"parameter 'p'\[1\]: Field required"),
        (Path, 5, r"parameter 'p': .*path.*\(it is an int\)"),
        (Source, None, r"parameter 'p': .*Source.*\(it is None\)"),
        (Anything, 5, r"parameter 'p': Input should be an instance of Anything \(it is an int\)"),
    ],
)
def test_what_does_not_fit_is_told_by_parameter_place_and_kind(hint: Any, given: Any, said: str) -> None:
    etl = with_hint(hint)

    with pytest.raises(BadParameters, match=said) as refused:
        coerced(etl, {"p": given}, flow="etl")

    place = f"flow 'etl' ({__file__}, line {etl.__code__.co_firstlineno}): "
    assert str(refused.value).startswith(place)


def test_plain_and_rich_faults_are_told_together() -> None:
    def etl(limit: int, color: Color, source: Source) -> None: ...

    with pytest.raises(BadParameters) as refused:
        coerced(etl, {"limit": "x", "color": "green", "source": {}}, flow="etl")

    for name in ("'limit'", "'color'", "'source'.table"):
        assert f"parameter {name}: " in str(refused.value)


def test_a_value_that_does_not_fit_is_not_shown_where_it_may_be_secret() -> None:
    @flow
    def etl(login: Login) -> None: ...

    given = {"password": "".join(["hu", "sh"])}
    with pytest.raises(BadParameters) as refused:
        etl(given)

    assert "'login'.user: Field required" in str(refused.value)
    assert "hush" not in describe_failure(refused.value).traceback


def test_a_flow_that_is_called_gets_what_its_hints_ask_for() -> None:
    @flow
    def etl(source: Source, color: Color = Color.RED) -> Any:
        return source, color

    assert etl({"table": "rows"}, color="blue") == (Source(table="rows"), Color.BLUE)


def test_a_flow_that_does_not_validate_takes_what_comes() -> None:
    @flow(validate_parameters=False)
    def etl(source: Source, day: date) -> Any:
        return source, day

    given = {"source": {"table": 1}, "day": "soon"}

    assert etl(**given) == ({"table": 1}, "soon")
    assert coerced(etl.fn, given, flow="etl", validates=False) == given


def test_a_flow_that_does_not_validate_still_refuses_names_that_do_not_fit() -> None:
    def etl(day: date) -> None: ...

    with pytest.raises(BadParameters, match="missing 'day'; unknown 'dya'"):
        coerced(etl, {"dya": 1}, flow="etl", validates=False)


# -- the schema ---------------------------------------------------------------------------------------------------


def test_a_rich_hint_has_a_schema_that_is_complete_in_itself() -> None:
    def etl(source: Source, colors: list[Color], window: Window = WINDOW) -> None: ...

    said = schema_of(etl)["properties"]

    assert said["source"]["type"] == "object"
    assert said["source"]["properties"]["limit"] == {"default": 10, "title": "Limit", "type": "integer"}
    assert said["source"]["properties"]["next"]["anyOf"][1] == {"type": "null"}
    assert said["colors"]["items"]["enum"] == ["red", "blue"]
    assert said["window"]["default"] == {"start": "2026-12-31", "days": 1}
    assert "$ref" not in str(said).replace("'next'", "")


def test_a_default_that_is_secret_is_not_in_the_schema() -> None:
    def etl(token: SecretStr = TOKEN, limit: Annotated[int, Field(gt=0)] = 5) -> None: ...

    said = schema_of(etl)["properties"]

    assert "default" not in said["token"]
    assert said["limit"] == {"default": 5, "exclusiveMinimum": 0, "type": "integer"}


def test_what_has_no_schema_asks_for_nothing() -> None:
    def etl(p: Anything, q: Anything = ANYTHING) -> None: ...

    assert schema_of(etl)["properties"] == {"p": {}, "q": {}}


def test_parameters_from_the_command_line_are_read_by_the_schema() -> None:
    def etl(
        source: Source | None, color: Color, pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    ) -> None: ...

    schema = schema_of(etl)
    properties = schema["properties"]

    assert value_of(properties["source"], '{"table": "a"}') == {"table": "a"}
    assert value_of(properties["source"], "null") is None
    assert value_of(properties["color"], "red") == "red"
    assert value_of(properties["pet"], '{"kind": "dog"}') == {"kind": "dog"}
    check_parameters("etl", schema, {"source": None, "color": "red", "pet": {"kind": "dog"}})
    with pytest.raises(BadParameters, match="'color': \"green\" is not one of"):
        check_parameters("etl", schema, {"source": None, "color": "green", "pet": {"kind": "dog"}})
    with pytest.raises(BadParameters, match="'pet': 5 is not an object or an object"):
        check_parameters("etl", schema, {"source": None, "color": "red", "pet": 5})


def test_a_schedule_gives_models_as_json() -> None:
    @flow(
        schedule=Cron(
            "0 6 * * *", parameters={"source": Source(table="a"), "color": Color.RED, "window": Window(DAY)}
        )
    )
    def etl(source: Source, color: Color, window: Window) -> None: ...

    (schedule,) = describe(etl)["schedules"]

    assert schedule["parameters"] == {
        "source": {"table": "a", "limit": 10, "next": None},
        "color": "red",
        "window": {"start": "2026-12-31", "days": 1},
    }


# -- without pydantic ---------------------------------------------------------------------------------------------


def test_where_pydantic_is_not_installed_a_rich_hint_asks_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Size(Enum):
        SMALL = "small"

    monkeypatch.setitem(sys.modules, "pydantic", None)

    def etl(size: Size = Size.SMALL) -> None: ...

    assert coerced(etl, {"size": "huge"}, flow="etl") == {"size": "huge"}
    assert schema_of(etl)["properties"] == {"size": {}}


@pytest.mark.parametrize(
    "hint",
    [
        int,
        date,
        list[int],
        dict[str, date],
        Literal["a", 1, None],
        int | None,
        Annotated[int, "rows"],
        Any,
        None,
    ],
)
def test_plain_hints_are_told_from_rich_ones(hint: Any) -> None:
    assert is_plain(hint)


@pytest.mark.parametrize(
    "hint",
    [Color, Source, list[Source], int | Source, tuple[int], Annotated[int, Field(gt=0)], bytes, object],
)
def test_rich_hints_are_told_from_plain_ones(hint: Any) -> None:
    assert not is_plain(hint)


def test_a_flow_with_plain_hints_loads_no_pydantic() -> None:
    program = (
        "import sys\nfrom datetime import date\nfrom schedulerd import flow\n"
        "@flow\ndef etl(day: date, rows: list[int] | None = None): return day\n"
        "etl('2026-12-31', rows=['1'])\nprint('pydantic' in sys.modules)\n"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert said == "False\n"

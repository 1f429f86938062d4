"""What expressions mean, and how those that mean nothing are refused."""

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from schedulerd.domain.cron import LAST, LONGEST_EXPRESSION, CronFields, parse_cron
from schedulerd.domain.cron_tokens import DAY, MINUTE, SECOND, WEEKDAY, YEAR
from schedulerd.domain.nominal import first_from
from schedulerd.domain.schedules import DayMatch
from schedulerd.errors import BadExpression

ALL_MINUTES = tuple(range(60))


@pytest.mark.parametrize(
    ("field", "minutes"),
    [
        ("*", ALL_MINUTES),
        ("0-59", ALL_MINUTES),
        ("7", (7,)),
        ("007", (7,)),
        ("4-4", (4,)),
        ("5-5/2", (5,)),
        ("*/15", (0, 15, 30, 45)),
        ("*/60", (0,)),
        ("10/15", (10, 25, 40, 55)),
        ("59/15", (59,)),
        ("10-30/10", (10, 20, 30)),
        ("30,10,10-12", (10, 11, 12, 30)),
        ("*,5", ALL_MINUTES),
    ],
)
def test_a_field_means_its_values(field: str, minutes: tuple[int, ...]) -> None:
    assert parse_cron(f"{field} * * * *").minutes == minutes


@pytest.mark.parametrize(
    ("field", "weekdays"),
    [
        ("7", {0}),
        ("0", {0}),
        ("5-7", {5, 6, 0}),
        ("7-7", {0}),
        ("0-7", set(range(7))),
        ("1-7/2", {1, 3, 5, 0}),
        ("mon-fri", {1, 2, 3, 4, 5}),
        ("FRI-sun", {5, 6, 0}),
        ("sun-sun", {0}),
        ("sun-tue", {0, 1, 2}),
        ("sun", {0}),
        ("*/2", {0, 2, 4, 6}),
        ("1/3", {1, 4}),
        ("7/3", {0, 3, 6}),
        ("?", set(range(7))),
    ],
)
def test_weekdays_are_numbers_or_names_and_7_is_sunday(field: str, weekdays: set[int]) -> None:
    assert parse_cron(f"0 0 * * {field}").weekdays == weekdays


def test_months_have_names() -> None:
    assert parse_cron("0 0 1 jan,Mar-MAY,12 *").months == (1, 3, 4, 5, 12)


def test_the_first_of_six_fields_is_the_seconds() -> None:
    fields = parse_cron("5,35 1 2 3 4 *")

    assert (fields.seconds, fields.minutes, fields.hours) == ((5, 35), (1,), (2,))
    assert (sorted(fields.days), fields.months) == ([3], (4,))


def test_the_last_of_seven_fields_is_the_year() -> None:
    fields = parse_cron("0 1 2 3 4 * 2027-2029")

    assert fields.years == (2027, 2028, 2029)
    assert first_from(fields, datetime(2027, 6, 1)) == datetime(2028, 4, 3, 2, 1)  # noqa: DTZ001 - the wall's clock


def test_every_year_is_the_same_as_no_year() -> None:
    assert parse_cron("0 1 2 3 4 * *").years is None
    assert parse_cron("1 2 3 4 *").years is None


@pytest.mark.parametrize(
    ("alias", "meaning"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        (" @annually ", "0 0 1 1 *"),
    ],
)
def test_an_alias_is_five_fields_and_not_hashed(alias: str, meaning: str) -> None:
    aliased, written = parse_cron(alias, name="etl"), parse_cron(meaning, name="etl")

    assert aliased.tokens == written.tokens
    assert aliased.month_shapes == written.month_shapes
    assert (aliased.minutes, aliased.hours, aliased.months) == (
        written.minutes,
        written.hours,
        written.months,
    )


def days_in(expression: str, year: int, month: int, day_match: DayMatch | None = None) -> list[int]:
    return list(parse_cron(expression, day_match=day_match).days_of(year, month))


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 L * *", [31]),
        ("0 0 1,L * *", [1, 31]),
        ("0 0 15W * *", [14]),
        ("0 0 w16 * *", [17]),
        ("0 0 17W * *", [17]),
        ("0 0 1W * *", [3]),
        ("0 0 31W * *", [31]),
        ("0 0 * * 5#2", [14]),
        ("0 0 * * fri#2,mon#1", [3, 14]),
        ("0 0 * * 7#1", [2]),
        ("0 0 * * L5", [28]),
        ("0 0 * * 5L", [28]),
        ("0 0 * * sunL,monL", [30, 31]),
        ("0 0 * * 6#5", [29]),
        ("0 0 L * 1", [3, 10, 17, 24, 31]),
        ("0 0 1-31 * 1", list(range(1, 32))),
        ("0 0 ? * 1", [3, 10, 17, 24, 31]),
    ],
)
def test_days_that_are_counted_within_the_month(expression: str, days: list[int]) -> None:
    """August 2026 begins on a Saturday."""
    assert days_in(expression, 2026, 8) == days


def test_the_weekday_nearest_to_a_sunday_at_the_end_of_a_month_lies_before_it() -> None:
    assert days_in("0 0 31W * *", 2026, 5) == [29]


def test_the_day_of_a_nearest_weekday_is_at_most_the_last_of_the_month() -> None:
    assert days_in("0 0 31W * *", 2026, 6) == [30]


@pytest.mark.parametrize(
    ("expression", "asked", "days"),
    [
        ("0 0 13 * 5", None, [6, 13, 20, 27]),
        ("0 0 13 * 5", DayMatch.BOTH, [13]),
        ("0 0 */2 * 1", None, [9, 23]),
        ("0 0 */15 * 1", DayMatch.EITHER, [1, 2, 9, 16, 23, 30, 31]),
        ("0 0 * * 1", DayMatch.EITHER, [2, 9, 16, 23, 30]),
        ("0 0 13 * *", DayMatch.EITHER, [13]),
    ],
)
def test_a_schedule_may_say_how_its_day_fields_go_together(
    expression: str, asked: DayMatch | None, days: list[int]
) -> None:
    assert days_in(expression, 2026, 3, asked) == days


@pytest.mark.parametrize(
    ("expression", "is_fixed"),
    [
        ("30 2 * * *", True),
        ("0 2-3 * * *", True),
        ("0-59 0-23 * * *", True),
        ("* 2 * * *", False),
        ("0 */2 * * *", False),
        ("*/30 2 * * *", False),
        ("H H * * *", True),
        ("*/10 30 2 * * *", False),
        ("0 30 2 * * *", True),
    ],
)
def test_a_time_is_fixed_unless_its_minute_or_hour_begins_with_a_star(
    expression: str, is_fixed: bool
) -> None:
    assert parse_cron(expression).is_fixed is is_fixed


def test_h_spreads_by_the_name_of_the_schedule_and_stays() -> None:
    drawn = {parse_cron("H H * * *", name=f"etl-{n}").minutes for n in range(200)}

    assert len(drawn) > 40
    assert parse_cron("H H H H H", name="etl") == parse_cron("H H H H H", name="etl")


@pytest.mark.parametrize("name", ["", "etl", "report", "backup of the other thing", "저녁"])
def test_h_stays_within_its_range(name: str) -> None:
    fields = parse_cron("H(0-29)/10 H(9-17) H H h", name=name)

    assert len(fields.minutes) in (2, 3)
    assert set(fields.minutes) <= set(range(30))
    assert set(fields.hours) <= set(range(9, 18))
    assert max(fields.days) <= 28
    assert len(parse_cron("H/15 * * * *", name=name).minutes) == 4


def test_a_token_is_given_as_it_was_written() -> None:
    fields = parse_cron("0 9-17 * * MON-fri")

    assert fields.token(WEEKDAY) == "MON-fri"
    assert fields.token(SECOND) == "0"
    assert fields.token(YEAR) == "*"
    assert fields.token(MINUTE) == "0"
    assert fields.token(DAY) == "*"


@pytest.mark.parametrize(
    ("expression", "token", "code", "says"),
    [
        ("60 * * * *", "60", "value", "0-59"),
        ("* 24 * * *", "24", "value", "0-23"),
        ("* * 0 * *", "0", "value", "1-31"),
        ("* * * 13 *", "13", "value", "1-12, jan-dec"),
        ("* * * * 8", "8", "value", "0-7, sun-sat"),
        ("* * * * monday", "monday", "value", "sun-sat"),
        ("* * * foo *", "foo", "value", "jan-dec"),
        ("* * * * 99999", "99999", "value", "0-7"),
        ("0 0 0 1 1 * 1969", "1969", "value", "1970-2099"),
        ("22-2 * * * *", "22-2", "range", "22-59,0-2"),
        ("* 22-2 * * *", "22-2", "range", "22-23,0-2"),
        ("* * * * 7-1", "7-1", "range", "0-1"),
        ("* * * * 6-2", "6-2", "range", "6,0-2"),
        ("* 22-0 * * *", "22-0", "range", "22-23,0"),
        ("* * * * sat-mon", "sat-mon", "range", "backwards"),
        ("* 1,5-3,7 * * *", "5-3", "range", "5-23,0-3"),
        ("*/100 * * * *", "*/100", "step", "1 to 60"),
        ("* */25 * * *", "*/25", "step", "1 to 24"),
        ("* * * * */8", "*/8", "step", "1 to 7"),
        ("*/0 * * * *", "*/0", "step", "step from 1"),
        ("*/ * * * *", "*/", "step", "step from 1"),
        ("1/2/3 * * * *", "1/2/3", "step", "step from 1"),
        ("1-2-3 * * * *", "1-2-3", "value", "0-59"),
        ("-5 * * * *", "-5", "value", "nothing"),
        ("5- * * * *", "5-", "value", "nothing"),
        ("1,,2 * * * *", "", "value", "missing"),
        ("1, * * * *", "", "value", "missing"),
        ("R * * * *", "R", "value", "0-59"),
        ("? * * * *", "?", "value", "write *"),
        ("L * * * *", "L", "value", "0-59"),
        ("* * * * L", "L", "value", "0-7"),
        ("0 0 LW * *", "LW", "value", "15W"),
        ("0 0 32W * *", "32W", "value", "15W"),
        ("0 0 15W,3 * *", "15W,3", "value", "alone"),
        ("0 0 L-3 * *", "L-3", "value", "1-31"),
        ("0 0 * * 1#6", "1#6", "value", "1 to 5"),
        ("0 0 * * 1#", "1#", "value", "1 to 5"),
        ("0 0 * * 1#2#3", "1#2#3", "value", "1 to 5"),
        ("0 0 * * 1-3#2", "1-3#2", "value", "0-7"),
        ("0 0 * * 9L", "9L", "value", "0-7"),
        ("0 0 * * 1,2#1", "1,2#1", "days", "plain weekdays"),
        ("0 0 1 * 2#1", "2#1", "days", "day of the month"),
        ("0 0 */2 * 5L", "5L", "days", "day of the month"),
        ("0 0 15W * 5", "15W", "days", "weekday"),
        ("H,3 * * * *", "H,3", "hash", "alone"),
        ("H(0-99) * * * *", "H(0-99)", "range", "0-59"),
        ("H(9-9) * * * *", "H(9-9)", "range", "ascend"),
        ("H/99 * * * *", "H/99", "step", "1 to 60"),
        ("0 0 0 * * * H", "H", "hash", "alone"),
        ("a\u00a0b * * * *", "a\u00a0b", "value", "0-59"),
        ("٣ * * * *", "٣", "value", "0-59"),
        ("@reboot", "@reboot", "alias", "@hourly"),
        ("* * * * * * * 5", "5", "fields", "8 fields"),
    ],
)
def test_what_means_nothing_is_refused_at_its_place(
    expression: str, token: str, code: str, says: str
) -> None:
    with pytest.raises(BadExpression) as refused:
        parse_cron(expression)

    assert refused.value.expression[refused.value.start :].startswith(token)
    assert refused.value.end - refused.value.start == max(1, len(token))
    assert refused.value.code == code
    assert says in refused.value.reason


@pytest.mark.parametrize("expression", ["", " ", "*", "* * * *", "0 0 * *"])
def test_too_few_fields_are_refused_with_what_there_may_be(expression: str) -> None:
    with pytest.raises(BadExpression, match=r"5 \(minute hour day month weekday\), 6 \(seconds first\) or 7"):
        parse_cron(expression)


@pytest.mark.parametrize(
    "expression",
    ["0 0 30 2 *", "0 0 31 2,4,6 *", "0 0 0 29 2 * 2027", "0 0 */31 2 * 2200", "0 0 31 2 */2"],
)
def test_what_can_never_fire_is_refused(expression: str) -> None:
    with pytest.raises(BadExpression):
        parse_cron(expression)


def test_what_can_never_fire_says_so() -> None:
    with pytest.raises(BadExpression, match="never fire") as refused:
        parse_cron("0 0 30 2 *")

    assert refused.value.code == "never"


def test_an_expression_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadExpression, match="at most 200") as refused:
        parse_cron(",".join(["1"] * 200) + " * * * *")

    assert refused.value.start == LONGEST_EXPRESSION


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="0123456789*/-,#LWHRjanmonsu()?@ \t", max_size=30) | st.text(max_size=20))
def test_any_text_is_either_an_expression_or_refused(text: str) -> None:
    fields = parsed_or_refused(text)

    if isinstance(fields, BadExpression):
        assert 0 <= fields.start <= fields.end
        assert fields.caret()
    else:
        assert first_from(fields, datetime(1970, 1, 1)) is not None  # noqa: DTZ001 - the wall's clock


def parsed_or_refused(text: str) -> CronFields | BadExpression:
    try:
        return parse_cron(text, name="etl")
    except BadExpression as refused:
        return refused


@pytest.mark.parametrize("size", [60, 24])
def test_croniter_is_only_given_what_it_reads_as_we_do(size: int) -> None:
    """Every range with every fifth step, expanded by hand."""
    at = "{} 0 * * *" if size == 60 else "0 {} * * *"
    chance = random.Random(size)
    for _ in range(400):
        low = chance.randrange(size)
        high, step = chance.randrange(low, size), chance.randint(1, size)
        fields = parse_cron(at.format(f"{low}-{high}/{step}"))
        assert (fields.minutes if size == 60 else fields.hours) == tuple(range(low, high + 1, step))


@pytest.mark.parametrize("low", range(8))
@pytest.mark.parametrize("step", range(1, 8))
def test_ranges_of_weekdays_are_those_of_numbers_from_0_to_7(low: int, step: int) -> None:
    for high in range(low, 8):
        expected = {value % 7 for value in range(low, high + 1, step)}
        assert parse_cron(f"0 0 * * {low}-{high}/{step}").weekdays == expected


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 15W * *",
        "0 0 1W * *",
        "0 0 31W * *",
        "0 0 L * *",
        "0 0 * * 5#2",
        "0 0 * * L5",
        "0 0 * * 1#5",
        "0 0 29 2 *",
    ],
)
def test_in_utc_ours_are_the_times_that_croniter_finds_itself(expression: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    theirs = croniter(expression, start)
    fields = parse_cron(expression)

    ours = start
    for _ in range(30):
        found = first_from(fields, ours + timedelta(seconds=1))
        assert found is not None
        ours = found
        assert theirs.get_next(datetime) == ours


def test_an_expression_is_parsed_once() -> None:
    assert parse_cron("1 2 3 4 *", name="etl") is parse_cron("1 2 3 4 *", name="etl")


def test_fields_are_values() -> None:
    fields = parse_cron("1 2 3 4 *")

    assert isinstance(fields, CronFields)
    assert LAST == -1
    assert hash(fields) == hash(parse_cron("1 2 3 4 *"))


def test_croniter_is_not_imported_before_an_expression_is_parsed() -> None:
    program = "import sys, schedulerd.domain.planning; print('croniter' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "False"

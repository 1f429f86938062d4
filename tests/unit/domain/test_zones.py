"""Zones come from the tzdata package, and say what a local time means where the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import TZPATH, reset_tzpath

import pytest

from schedulerd.domain.zones import changes, first_pass, fold_around, gap_around, zone, zone_names
from schedulerd.errors import BadExpression

BERLIN = zone("Europe/Berlin")


def test_all_zones_of_the_package_can_be_loaded() -> None:
    for name in zone_names():
        assert datetime(2026, 1, 1, tzinfo=zone(name)).utcoffset() is not None


def test_a_zone_is_loaded_once_and_knows_its_name() -> None:
    assert zone("Asia/Seoul") is zone("Asia/Seoul")
    assert zone("Asia/Seoul").key == "Asia/Seoul"


def test_zones_do_not_come_from_the_machine() -> None:
    before = TZPATH
    zone.cache_clear()
    reset_tzpath(())
    try:
        assert zone("Asia/Seoul").utcoffset(datetime(2026, 1, 1)) == timedelta(hours=9)  # noqa: DTZ001
    finally:
        reset_tzpath(before)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Asia/Soul", "Asia/Seoul"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("seoul", "Asia/Seoul"),
        ("New York", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("utc", "UTC"),
    ],
)
def test_a_zone_that_is_not_known_is_refused_with_near_names(name: str, near: str) -> None:
    with pytest.raises(BadExpression, match="did you mean") as refused:
        zone(name)

    assert near in refused.value.reason
    assert refused.value.code == "zone"


@pytest.mark.parametrize("name", ["", "Qqqqq/Xxxxx", "../../etc/passwd", "/etc/localtime", "x" * 10_000])
def test_a_name_that_is_near_to_none_is_refused_without_any(name: str) -> None:
    with pytest.raises(BadExpression) as refused:
        zone(name)

    assert "did you mean" not in refused.value.reason


def test_the_changes_of_a_year_are_told_in_order() -> None:
    year = datetime(2026, 1, 1, tzinfo=UTC)

    spring, autumn = changes(BERLIN, start=year, end=year + timedelta(days=365))

    assert (spring.at, spring.is_gap) == (datetime(2026, 3, 29, 1, tzinfo=UTC), True)
    assert (autumn.at, autumn.is_gap) == (datetime(2026, 10, 25, 1, tzinfo=UTC), False)
    assert spring.length == autumn.length == timedelta(hours=1)


@pytest.mark.parametrize(("first", "last", "met"), [(0, 1, 1), (-1, 0, 0), (0, 0, 0), (1, 2, 0), (-1, 1, 1)])
def test_a_change_belongs_to_the_stretch_that_begins_with_it(first: int, last: int, met: int) -> None:
    at = datetime(2026, 3, 29, 1, tzinfo=UTC)

    found = changes(BERLIN, start=at + timedelta(seconds=first), end=at + timedelta(seconds=last))

    assert len(list(found)) == met


def test_the_edges_of_a_gap_are_local_times() -> None:
    gap = gap_around(datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN))

    assert gap is not None
    assert gap.edges(BERLIN) == (
        datetime(2026, 3, 29, 2, tzinfo=BERLIN),
        datetime(2026, 3, 29, 3, tzinfo=BERLIN),
    )
    assert fold_around(datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN)) is None


def test_the_edges_of_a_fold_are_local_times() -> None:
    fold = fold_around(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN))

    assert fold is not None
    assert fold.edges(BERLIN) == (
        datetime(2026, 10, 25, 2, tzinfo=BERLIN),
        datetime(2026, 10, 25, 3, tzinfo=BERLIN),
    )
    assert gap_around(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)) is None


@pytest.mark.parametrize(("hour", "at"), [(1, 0), (2, 1), (3, 1), (4, 2)])
def test_a_fixed_time_in_a_gap_happens_after_it(hour: int, at: int) -> None:
    found = first_pass(datetime(2026, 3, 29, hour, tzinfo=BERLIN))

    assert found is not None
    assert found.at == datetime(2026, 3, 29, at, tzinfo=UTC)


def test_a_fixed_time_on_a_day_that_never_was_does_not_happen() -> None:
    assert first_pass(datetime(2011, 12, 30, 12, tzinfo=zone("Pacific/Apia"))) is None

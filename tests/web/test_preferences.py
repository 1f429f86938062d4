"""How pages are worded for the one who looks: language, zone, appearance, times."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from starlette.requests import Request

from schedulerd.domain.wording import Language
from schedulerd.web.local_paths import local_path
from schedulerd.web.moments import duration_text, moment_markup
from schedulerd.web.preferences import Preferences, preferences_of

UTC_ZONE = ZoneInfo("UTC")


def a_request(query: str = "", **headers: str) -> Request:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": given, "query_string": query.encode(), "path": "/"})


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("de,ko;q=0.4", "ko"),
        ("en;q=0.1, ko;q=0.2", "ko"),
        ("ko;q=x, en;q=0.5", "en"),
        ("*", "en"),
        ("," * 5_000, "en"),
    ],
)
def test_the_language_is_what_the_browser_wants_most(accept: str, language: str) -> None:
    assert preferences_of(a_request(accept_language=accept), zone=UTC_ZONE).language == language


def test_a_choice_comes_before_what_the_browser_says() -> None:
    chosen = preferences_of(
        a_request(cookie="lang=ko; theme=dark; density=compact; tz=Asia/Seoul"), zone=UTC_ZONE
    )
    asked = preferences_of(a_request("lang=en", cookie="lang=ko"), zone=UTC_ZONE)

    assert chosen == Preferences(language="ko", zone=ZoneInfo("Asia/Seoul"), theme="dark", density="compact")
    assert asked.language == "en"


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "/etc/passwd", "A" * 300, "\x00"])
def test_a_cookie_that_names_no_zone_is_passed_over(zone: str) -> None:
    found = preferences_of(a_request(cookie=f"tz={zone}; theme=red; density=9; lang=xx"), zone=UTC_ZONE)

    assert found == Preferences(language="en", zone=UTC_ZONE)


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/runs?q=a#b", "/runs?q=a#b"),
        ("", "/"),
        ("runs", "/"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("/\t/evil.test", "/"),
        ("https://evil.test/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_after_a_form_one_comes_to_no_other_server(wanted: str, path: str) -> None:
    assert local_path(wanted) == path


@pytest.mark.parametrize(
    ("duration", "language", "text"),
    [
        (timedelta(milliseconds=7), "en", "7 ms"),
        (timedelta(seconds=2.34), "en", "2.3s"),
        (timedelta(seconds=192), "en", "3m 12s"),
        (timedelta(seconds=192), "ko", "3분 12초"),
        (timedelta(days=2, hours=3, minutes=4), "en", "2d 3h"),
        (timedelta(hours=1), "ko", "1시간 0분"),
        (None, "en", ""),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(
    duration: timedelta | None, language: Language, text: str
) -> None:
    assert duration_text(duration, language) == text


def test_a_time_is_local_and_its_tooltip_has_the_zone_and_utc() -> None:
    at = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)
    here = Preferences(language="en", zone=ZoneInfo("Asia/Seoul"))

    today = moment_markup(at, here, now=at)
    later = moment_markup(at, here, now=at + timedelta(days=1))

    assert ">00:30:00</time>" in today
    assert ">2026-11-28 00:30:00</time>" in later
    assert 'title="2026-11-28 00:30:00 KST (Asia/Seoul) · 2026-11-27 15:30:00 UTC"' in today
    assert 'datetime="2026-11-27T15:30:00.000Z"' in today
    assert "–" in moment_markup(None, here, now=at)

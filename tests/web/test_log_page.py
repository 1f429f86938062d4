"""The log of a run at its page: from its end, about a line, by level, and searched."""

import re

from tests.web.page_scene import PageScene, Reader


def test_a_log_is_shown_from_its_end_about_a_line_and_by_level(scene: PageScene, reader: Reader) -> None:
    path = f"/runs/{scene.failed.id}/logs"

    whole = reader.see(path).ids
    about = reader.get(f"{path}?line=3")
    errors = reader.see(f"{path}?level=error").ids

    assert [one for one in whole if re.fullmatch(r"L\d+", one)] == [f"L{n}" for n in range(1, 21)]
    assert 'data-line="3"' in about.text
    assert [one for one in errors if re.fullmatch(r"L\d+", one)] == ["L7"]


def test_a_text_is_found_in_the_whole_log_and_one_goes_from_match_to_match(
    scene: PageScene, reader: Reader
) -> None:
    path = f"/runs/{scene.failed.id}/logs"

    first = reader.get(f"{path}?q=line+1")
    second = reader.get(f"{path}?q=line+1&line=10")
    none = reader.get(f"{path}?q=nothing+like+it")

    assert "11 matches" in first.text
    assert 'data-line="1"' in first.text
    assert "<mark>line 1</mark>0" in first.text
    assert 'line=10#L10" data-match="next"' in first.text
    assert 'data-match="previous"' not in first.text
    assert 'line=1#L1" data-match="previous"' in second.text
    assert 'line=11#L11" data-match="next"' in second.text
    assert "0 matches" in none.text


def test_one_goes_to_the_last_error_and_from_error_to_error(scene: PageScene, reader: Reader) -> None:
    path = f"/runs/{scene.failed.id}/logs"

    assert reader.get(f"{path}/error").headers["location"] == f"{path}?line=7#L7"
    assert reader.get(f"{path}/error?after=3").headers["location"] == f"{path}?line=7#L7"
    assert reader.get(f"{path}/error?after=7").headers["location"] == path
    assert reader.get(f"{path}/error?before=7").headers["location"] == path


def test_only_errors_that_there_are_are_led_to(scene: PageScene, reader: Reader) -> None:
    path = f"/runs/{scene.failed.id}/logs"

    def led_to(query: str) -> list[str]:
        return re.findall(r'data-error="(\w+)"', reader.get(f"{path}{query}").text)

    assert "Last error" in reader.get(path).text
    assert [led_to(query) for query in ("", "?line=7", "?line=3", "?line=12")] == [
        ["previous"],
        [],
        ["next"],
        ["previous"],
    ]
    assert re.findall("data-error", reader.get(f"/runs/{scene.running.id}/logs").text) == []


def test_a_log_comes_in_chunks_with_what_is_beside_them(scene: PageScene, reader: Reader) -> None:
    path = f"/runs/{scene.failed.id}/logs/chunk"

    after = reader.get(f"{path}?after=18")
    before = reader.get(f"{path}?before=3")
    none = reader.get(f"{path}?after=20")

    assert re.findall(r'id="(L\d+)"', after.text) == ["L19", "L20"]
    assert (after.headers["x-earlier"], after.headers["x-later"], after.headers["x-last"]) == ("1", "0", "20")
    assert re.findall(r'id="(L\d+)"', before.text) == ["L1", "L2"]
    assert (before.headers["x-earlier"], before.headers["x-later"]) == ("0", "1")
    assert none.text == ""

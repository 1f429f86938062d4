"""What was done is said by the next page, with the way to what came of it and the way back."""

import re

import pytest

from schedulerd.domain.access import Role
from schedulerd.web.toasts import Toast, Undo, toast_of, told
from tests.web.page_scene import PageScene, Reader


@pytest.mark.parametrize(
    ("cookie", "toast"),
    [
        (told("revoked"), Toast(text="The token lets nobody in any more.")),
        (
            told("started", "일일-정산#7"),
            Toast(
                text="The run is started.",
                name="일일-정산#7",
                href="/flows/%EC%9D%BC%EC%9D%BC-%EC%A0%95%EC%82%B0/runs/7",
            ),
        ),
        (
            told("paused", "a/b:c", "2026-11-01T09:00:00+00:00"),
            Toast(
                text="The schedule is paused.",
                name="a/b:c",
                href="/schedules/a~2Fb%3Ac",
                undo=Undo(action="/schedules/a~2Fb%3Ac/resume", paused_at="2026-11-01T09:00:00+00:00"),
            ),
        ),
        (
            told("resumed", "nightly", "until the audit: over"),
            Toast(
                text="The schedule goes on.",
                name="nightly",
                href="/schedules/nightly",
                undo=Undo(action="/schedules/nightly/pause", reason="until the audit: over"),
            ),
        ),
        (
            told("paused", "nightly"),
            Toast(text="The schedule is paused.", name="nightly", href="/schedules/nightly"),
        ),
        (
            told("resumed", "nightly", "긴" * 500),
            Toast(text="The schedule goes on.", name="nightly", href="/schedules/nightly"),
        ),
        (told("deleted", "nightly"), Toast(text="The schedule is deleted.", name="nightly")),
        ("nothing:like:it", None),
        ("", None),
    ],
)
def test_a_cookie_tells_what_was_done(cookie: str, toast: Toast | None) -> None:
    assert toast_of(cookie) == toast


def test_whatever_a_cookie_says_its_links_lead_to_this_server() -> None:
    for name in ("%2F%2Fevil.test%2F", "https%3A%2F%2Fevil.test", "javascript%3Aalert(1)", "%23", "x"):
        for done in ("started", "paused", "resumed"):
            toast = toast_of(f"{done}:{name}:reason")
            assert toast is not None
            assert toast.href.startswith(("/flows/", "/schedules/"))
            assert toast.undo is None or toast.undo.action.startswith("/schedules/")


def test_a_name_that_is_too_long_for_a_cookie_is_left_out_whole() -> None:
    assert toast_of(told("paused", "가" * 400, "why")) == toast_of("paused")
    assert toast_of(told("paused", "가" * 100, "w" * 2_000)) == toast_of(told("paused", "가" * 100))


def test_a_run_that_was_started_is_linked(scene: PageScene, reader: Reader) -> None:
    answer = reader.post("/flows/etl/run", **{"p.region": "kr", "key": "form-1"})

    page = reader.get(answer.headers["location"]).text
    again = reader.get(answer.headers["location"]).text

    assert re.search(
        r'role="status"><div class="toast"><p>The run is started\. <a href="/flows/etl/runs/4">etl#4<', page
    )
    assert 'class="toast"' not in again


def test_a_pause_and_what_ends_it_can_be_taken_back(scene: PageScene, reader: Reader) -> None:
    path = "/schedules/etl-morning"
    reader.post(f"{path}/pause", reason="audit", next=path)
    undo = _undo(reader.get(path).text)
    assert undo == {"action": f"{path}/resume", "next": path, "paused_at": scene.clock.now().isoformat()}

    reader.post(undo.pop("action"), **undo)
    assert scene.operations.schedules.get("etl-morning").paused is None
    undo = _undo(reader.get(path).text)
    assert undo == {"action": f"{path}/pause", "next": path, "reason": "audit"}

    reader.post(undo.pop("action"), **undo)
    paused = scene.operations.schedules.get("etl-morning").paused
    assert paused is not None
    assert paused.reason == "audit"


@pytest.mark.parametrize("changed", ["", "no moment", "2026-11-01T09:00", "0001-01-01T00:00:00+23:00"])
def test_the_way_back_ends_no_other_pause_than_the_one_it_was_made_for(
    scene: PageScene, reader: Reader, changed: str
) -> None:
    path, schedules = "/schedules/etl-morning", scene.operations.schedules
    reader.post(f"{path}/pause", reason="audit", next=path)
    undo = _undo(reader.get(path).text) | ({"paused_at": changed} if changed else {})
    scene.clock.advance(seconds=1)
    schedules.resume("etl-morning")
    theirs = schedules.pause("etl-morning", actor="lee", reason="the disk is full")

    answer = reader.post(undo.pop("action"), **undo)

    assert answer.status_code == 409
    assert "changed meanwhile" in answer.text
    assert schedules.get("etl-morning") == theirs


def test_who_may_only_look_is_offered_no_way_back(scene: PageScene) -> None:
    with scene.client(Role.VIEWER) as viewer:
        viewer.choose("done", told("paused", "etl-morning"))
        page = viewer.get("/schedules").text

    assert "The schedule is paused." in page
    assert "Undo" not in page


def _undo(html: str) -> dict[str, str]:
    """The form that takes it back."""
    found = re.search(r'<div class="toast">.*?(<form.*?</form>)', html, re.DOTALL)
    assert found, html
    action = re.search(r'action="([^"]+)"', found[1])
    assert action
    return {"action": action[1], **dict(re.findall(r'name="(\w+)" value="([^"]*)"', found[1]))}

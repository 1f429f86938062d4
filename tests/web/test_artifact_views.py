"""Artifacts as a page shows them."""

from typing import Any
from uuid import UUID

import pytest

from schedulerd.domain.told import Artifact, ArtifactKind, KeptArtifact
from schedulerd.web.artifact_views import MOST_ROWS, ArtifactView, artifact_views
from tests.builders import NOW


def a_view(kind: ArtifactKind, data: Any) -> ArtifactView:
    artifact = Artifact(id=UUID(int=1), kind=kind, at=NOW, data=data)
    (view,) = artifact_views([KeptArtifact(artifact=artifact, created_at=NOW)])
    return view


@pytest.mark.parametrize(
    ("data", "columns", "rows"),
    [
        ([{"a": 1, "b": 2}, {"b": 3, "c": None}], ("a", "b", "c"), (("1", "2", ""), ("", "3", "None"))),
        ({"a": [1, 2], "b": [3]}, ("a", "b"), (("1", "3"), ("2", ""))),
        ([[1, 2], [3, 4]], ("", ""), (("1", "2"), ("3", "4"))),
        ([1, 2], ("",), (("1",), ("2",))),
        ([], (), ()),
    ],
)
def test_a_table_is_one_in_whatever_form_it_was_told(data: Any, columns: Any, rows: Any) -> None:
    view = a_view(ArtifactKind.TABLE, data)

    assert (view.columns, view.rows) == (columns, rows)


def test_of_a_long_table_a_part_is_shown() -> None:
    view = a_view(ArtifactKind.TABLE, [{"a": number} for number in range(MOST_ROWS + 7)])

    assert (len(view.rows), view.left_out) == (MOST_ROWS, 7)


@pytest.mark.parametrize(
    ("url", "href"),
    [("https://example.com/a.png", "https://example.com/a.png"), ("javascript:x", ""), ("data:x", "")],
)
def test_an_image_is_a_link_to_the_web_only(url: str, href: str) -> None:
    assert a_view(ArtifactKind.IMAGE, url).href == href


def test_progress_is_a_share_and_a_text_is_a_text() -> None:
    assert a_view(ArtifactKind.PROGRESS, 42.5).percent == 42.5
    assert a_view(ArtifactKind.IMAGE, "x").text == "x"


def test_markdown_is_shown_as_it_is_meant_unless_it_is_long() -> None:
    short, long = a_view(ArtifactKind.MARKDOWN, "# <b>x</b>"), a_view(ArtifactKind.MARKDOWN, "*x* " * 5_000)

    assert short.markup == "<h3>&lt;b&gt;x&lt;/b&gt;</h3>\n"
    assert long.markup is None
    assert long.text.startswith("*x* ")


def test_a_link_has_its_text_and_leads_to_the_web_only() -> None:
    good = a_view(ArtifactKind.LINK, {"link": "https://example.com", "text": "the report"})
    bare = a_view(ArtifactKind.LINK, {"link": "https://example.com", "text": None})
    bad = a_view(ArtifactKind.LINK, {"link": "javascript:x", "text": "x"})

    assert (good.href, good.text) == ("https://example.com", "the report")
    assert bare.text == "https://example.com"
    assert (bad.href, bad.text) == ("", "x")

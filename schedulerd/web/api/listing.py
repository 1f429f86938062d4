"""Lists a page at a time: from which on, which come beside, and the `Link` header that leads there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Query, Request, Response

from schedulerd.web.problems import Refusal
from schedulerd.web.segments import path_of

T = TypeVar("T")

PAGE: Final = 50
LARGEST_PAGE: Final = 500

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="So many at most.")]
After = Annotated[
    str | None, Query(max_length=2_000, description="Those after this cursor: `next_cursor` of a page.")
]
Before = Annotated[
    str | None, Query(max_length=2_000, description="Those before this cursor: `prev_cursor` of a page.")
]


@dataclass(frozen=True, kw_only=True, slots=True)
class NamePage(Generic[T]):
    """Some of what is ordered by name. The cursors are names, None where there is nothing on that side."""

    items: Sequence[T]
    next_cursor: str | None
    prev_cursor: str | None


def page_by_name(
    found: Sequence[T], name: Callable[[T], str], *, limit: int, after: str | None, before: str | None
) -> NamePage[T]:
    """The first ones; or the first after a name, or the last before one, in the order of names."""
    require_one_side(after, before)
    ordered = sorted(found, key=name)
    if before is not None:
        within = [one for one in ordered if name(one) < before]
        items, more_before = within[-limit:], len(within) > limit
        more_after = len(within) < len(ordered)
    else:
        within = ordered if after is None else [one for one in ordered if name(one) > after]
        items, more_after = within[:limit], len(within) > limit
        more_before = len(within) < len(ordered)
    return NamePage(
        items=items,
        next_cursor=name(items[-1]) if items and more_after else None,
        prev_cursor=name(items[0]) if items and more_before else None,
    )


def require_one_side(after: str | None, before: str | None) -> None:
    """Refuse a page that is asked for from both sides."""
    if after is not None and before is not None:
        raise Refusal(400, "a page comes after a cursor or before one, not both", mend="give one of them")


def link_pages(
    request: Request, response: Response, *, next_cursor: str | None, prev_cursor: str | None
) -> None:
    """Say in the `Link` header (RFC 8288) where the pages beside this one are."""
    links = []
    if next_cursor is not None:
        links.append(f'<{_with(request, "after", next_cursor)}>; rel="next"')
    if prev_cursor is not None:
        links.append(f'<{_with(request, "before", prev_cursor)}>; rel="prev"')
    if links:
        response.headers["Link"] = ", ".join(links)


def _with(request: Request, side: str, cursor: str) -> str:
    url = request.url.remove_query_params(["after", "before"]).include_query_params(**{side: cursor})
    return f"{path_of(request)}?{url.query}"

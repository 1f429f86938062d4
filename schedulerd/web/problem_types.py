"""The kinds of problem that a request can meet, by slug: each has a page, `/problems/{slug}`, which a problem document leads to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schedulerd.web.words import N_


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemType:
    """A kind of problem: what it means, and what to do. `status` is the one that it is told with."""

    slug: str
    status: int
    title: str
    meaning: str
    mend: str


_TYPES: Final = (
    ProblemType(
        slug="bad-request",
        status=400,
        title=N_("The request is not as it has to be"),
        meaning=N_("Something about the request as a whole is wrong; `detail` says what."),
        mend=N_("Correct the request. Sent again as it is, it will be refused again."),
    ),
    ProblemType(
        slug="unknown-parameter",
        status=400,
        title=N_("The request has a parameter that is not known"),
        meaning=N_(
            "The query of the URL names a parameter that this route does not take. It is never passed over in silence: "
            "a filter with a typing error would answer everything."
        ),
        mend=N_("`mend` has the name that is likely meant, or those that there are."),
    ),
    ProblemType(
        slug="unknown-field",
        status=400,
        title=N_("There is no such field"),
        meaning=N_("A filter, or the fields that are asked for, name one that is not known."),
        mend=N_("`detail` says which; docs/reference/run-filters.md has all that filters take."),
    ),
    ProblemType(
        slug="cursor-mismatch",
        status=400,
        title=N_("The cursor belongs to another list"),
        meaning=N_(
            "A cursor leads on in the list that it was given with, and the filter is another one now."
        ),
        mend=N_("Begin with the first page of the new list."),
    ),
    ProblemType(
        slug="bad-cursor",
        status=400,
        title=N_("This is no cursor"),
        meaning=N_("What stands after `after` or `before` was never given by this server."),
        mend=N_("Use `next_cursor` or `prev_cursor` of a page as it is, or the URLs of its `Link` header."),
    ),
    ProblemType(
        slug="bad-filter",
        status=400,
        title=N_("The filter is not understood"),
        meaning=N_("A term of a filter of runs is not right; `errors` says from which to which character."),
        mend=N_("docs/reference/run-filters.md has all that filters take."),
    ),
    ProblemType(
        slug="unauthorized",
        status=401,
        title=N_("This needs a secret"),
        meaning=N_(
            "It is not known who asks: there is no session, token or secret with it, or it is not valid any more."
        ),
        mend=N_(
            "Sign in, or send a token: `Authorization: Bearer sdt_…`. `schedulerd tokens create` makes one. A webhook has a "
            "secret of its own."
        ),
    ),
    ProblemType(
        slug="forbidden",
        status=403,
        title=N_("This is not allowed"),
        meaning=N_(
            "It is known who asks, and that one may not do this: the role or the scopes of the token are not enough, or a "
            "browser sends it for the page of another site."
        ),
        mend=N_("Ask an admin for the role, or use a token that is for this."),
    ),
    ProblemType(
        slug="not-found",
        status=404,
        title=N_("There is nothing here"),
        meaning=N_("Nothing has this name or address, or it is gone."),
        mend=N_("`detail` has names that come near, where there are some."),
    ),
    ProblemType(
        slug="method-not-allowed",
        status=405,
        title=N_("This cannot be done here"),
        meaning=N_("The address is right and the method is not."),
        mend=N_("The header `Allow` has the methods that there are."),
    ),
    ProblemType(
        slug="timeout",
        status=408,
        title=N_("The request took too long"),
        meaning=N_("The body did not come in time."),
        mend=N_("Send it again."),
    ),
    ProblemType(
        slug="conflict",
        status=409,
        title=N_("This cannot be done now"),
        meaning=N_(
            "It does not fit how things stand: a run that has ended is to be cancelled, or a schedule is paused already."
        ),
        mend=N_("Look how it stands now; `detail` says what is in the way."),
    ),
    ProblemType(
        slug="precondition-failed",
        status=412,
        title=N_("It was changed meanwhile"),
        meaning=N_(
            "It is not the version any more that `If-Match` names, or with `If-None-Match: *` there is one already."
        ),
        mend=N_("Read it again, decide anew, and send the new `ETag`."),
    ),
    ProblemType(
        slug="too-large",
        status=413,
        title=N_("The request is too large"),
        meaning=N_("The body has more bytes than are taken, or does not say how many it has."),
        mend=N_("Send less, with a `Content-Length`."),
    ),
    ProblemType(
        slug="unsupported-media-type",
        status=415,
        title=N_("The request must be JSON"),
        meaning=N_("The API takes JSON and nothing else."),
        mend=N_("Send `Content-Type: application/json`."),
    ),
    ProblemType(
        slug="validation-error",
        status=422,
        title=N_("The request is not valid"),
        meaning=N_(
            "A field is missing, unknown, or has a value that cannot be. `errors` has a pointer (RFC 6901) to each, and for "
            "expressions the characters that are wrong, from `start` to `end`."
        ),
        mend=N_("Correct what `errors` points at."),
    ),
    ProblemType(
        slug="precondition-required",
        status=428,
        title=N_("This needs an If-Match header"),
        meaning=N_(
            "A change must say which version it changes, so that nobody overwrites what another has just changed."
        ),
        mend=N_("Read it, and send its `ETag` as `If-Match`; for something new send `If-None-Match: *`."),
    ),
    ProblemType(
        slug="too-many-requests",
        status=429,
        title=N_("Too many requests"),
        meaning=N_(
            "There were too many wrong secrets or passwords from there, or too many requests at once."
        ),
        mend=N_("Wait for as many seconds as `Retry-After` says."),
    ),
    ProblemType(
        slug="internal-error",
        status=500,
        title=N_("Something went wrong here"),
        meaning=N_("A fault of the server, not of the request."),
        mend=N_("The log of the daemon has it, with a traceback."),
    ),
    ProblemType(
        slug="unavailable",
        status=503,
        title=N_("This cannot be done just now"),
        meaning=N_("The database or the daemon does not answer. Nothing was half done."),
        mend=N_(
            "Try again after as many seconds as `Retry-After` says. `schedulerd status` says what is wrong."
        ),
    ),
)
PROBLEM_TYPES: Final[Mapping[str, ProblemType]] = {one.slug: one for one in _TYPES}
"""All of them, by slug."""

_OF_STATUS: Final[Mapping[int, ProblemType]] = {one.status: one for one in reversed(_TYPES)}
_OTHER: Final = ProblemType(
    slug="error",
    status=0,
    title=N_("This did not work"),
    meaning=N_("What went wrong has no page of its own; `detail` says it."),
    mend=N_("See `detail`."),
)


def type_of(status: int, slug: str = "") -> ProblemType:
    """The kind with this slug; else the usual one with this status."""
    return PROBLEM_TYPES.get(slug) or _OF_STATUS.get(status, _OTHER)

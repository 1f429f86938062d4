"""From a template and values to a page, in the reader's language and zone."""

import gettext
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from pathlib import Path
from types import CodeType
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal, Role
from schedulerd.domain.run_filters import term_text
from schedulerd.domain.schedules import Schedule
from schedulerd.domain.wording import Language, schedule_in_words
from schedulerd.sentences import in_language
from schedulerd.version import __version__
from schedulerd.web import words
from schedulerd.web.code_sight import sees_code
from schedulerd.web.moments import duration_markup, moment_markup, moment_text
from schedulerd.web.preferences import LANGUAGES, Preferences, language_of, preferences_of
from schedulerd.web.pseudo_texts import PSEUDO, PseudoTexts
from schedulerd.web.segments import path_of, segment
from schedulerd.web.static_files import StaticFiles
from schedulerd.web.toasts import COOKIE, toast_of

_HERE: Final = Path(__file__).parent
TEMPLATES: Final = _HERE / "templates"
LOCALE: Final = _HERE / "locale"
_MOST_KEPT: Final = 2_048


class Pages:
    """The templates, once for each language. `zone` is that of readers of whom no other is known."""

    def __init__(self, *, clock: Clock, files: StaticFiles, zone: ZoneInfo) -> None:
        self._clock: Final = clock
        self._zone: Final = zone
        self._files: Final = files

    def preferences(self, request: Request) -> Preferences:
        """How the one who asks wants to see pages."""
        return preferences_of(request, zone=self._zone)

    def translate(self, request: Request) -> Callable[[str], str]:
        """Texts in the language of the one who asks."""
        return texts(self.preferences(request).locale).gettext

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """The page that the template makes of the values."""
        preferences, now = self.preferences(request), self._clock.now()
        principal: Principal | None = getattr(request.state, "principal", None)
        text = (
            environment(preferences.locale)
            .get_template(template)
            .render(
                values
                | {
                    "request": request,
                    "asset": self._files.url,
                    "path": path_of(request),
                    "here": _here(request),
                    "preferences": preferences,
                    "principal": principal,
                    "may": partial(_may, principal),
                    "sees_code": sees_code(request),
                    "now": now,
                    "done": toast_of(request.cookies.get(COOKIE, "")),
                    "moment_text": partial(moment_text, preferences=preferences, now=now),
                    "moment": partial(moment_markup, preferences=preferences, now=now),
                    "duration_ms": partial(_duration_ms, language=preferences.language),
                    "duration": partial(_duration, language=preferences.language),
                }
            )
        )
        answer = HTMLResponse(text, status, headers=headers)
        if COOKIE in request.cookies:
            answer.delete_cookie(COOKIE)
        answer.headers["Vary"] = "Accept-Language, Cookie"
        answer.headers["Content-Language"] = preferences.locale
        return answer


class _Compiled(BytecodeCache):
    """The code of templates, which is the same in each language: what one has compiled the others need not."""

    def __init__(self) -> None:
        self._code: Final[dict[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key] = bucket.code


_COMPILED: Final = _Compiled()


def compile_templates() -> None:
    """Compile all templates in all languages, so that nobody who asks for a page waits for it."""
    for language in LANGUAGES:
        one = environment(language)
        for name in one.list_templates():
            one.get_template(name)


@cache  # templates are compiled once for all applications of a process
def environment(locale: str) -> Environment:
    """The templates in this language."""
    language, catalog = language_of(locale), texts(locale)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=partial(
            in_language, translate=catalog.gettext
        ),  # sentences of errors, wherever they are shown
        bytecode_cache=_COMPILED,
    )
    environment.install_gettext_translations(catalog, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["segment"] = segment
    environment.filters["said"] = partial(in_language, translate=catalog.gettext)
    environment.globals |= {
        "_": _translating(catalog),
        "version": __version__,
        "languages": LANGUAGES,
        "states": words.STATES,
        "triggers": words.TRIGGERS,
        "agent_states": words.AGENT_STATES,
        "levels": words.LEVELS,
        "means": words.MEANS,
        "roles": words.ROLES,
        "overlaps": words.OVERLAPS,
        "catchups": words.CATCHUPS,
        "weekdays": words.WEEKDAYS,
        "reason_text": partial(words.reason_words, translate=catalog.gettext),
        "groups": words.GROUPS,
        "schedule_text": partial(_schedule_text, language=language),
        "query": _query,
        "term": term_text,
    }
    return environment


@cache
def texts(locale: str) -> gettext.NullTranslations:
    """The catalog of this language; English is in none."""
    if locale == PSEUDO:
        return PseudoTexts()
    return gettext.translation("schedulerd", LOCALE, [locale], fallback=True)


def _translating(catalog: gettext.NullTranslations) -> Callable[..., Markup]:
    """What the templates' own `_` does. A page has hundreds of them, most without values: these are the same each time."""

    @lru_cache(_MOST_KEPT)
    def bare(text: str) -> Markup:
        return Markup(catalog.gettext(text)) % {}

    def translated(text: str, /, **values: object) -> Markup:
        return Markup(catalog.gettext(text)) % values if values else bare(text)

    return translated


def _may(principal: Principal | None, role: str) -> bool:
    return principal is not None and principal.may(Role(role))


def _duration(value: timedelta | None, *, language: Language, since: datetime | None = None) -> Any:
    return duration_markup(value, language, since=since)


def _duration_ms(value: int, *, language: Language) -> Any:
    return duration_markup(timedelta(milliseconds=value), language)


def _schedule_text(schedule: Schedule, *, language: Language) -> str:
    return schedule_in_words(schedule.definition, language=language)


def _here(request: Request) -> str:
    """The address of the page, as a link within this server."""
    query = request.url.query
    return f"{path_of(request)}?{query}" if query else path_of(request)


def _query(**values: Any) -> str:
    """`?a=1&b=2`, without what is empty."""
    given = {name: value for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(given)}" if given else ""

"""How the one who looks wants to see pages: language, time zone, appearance. From cookies, so that the first paint is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from starlette.requests import Request

from schedulerd.domain.wording import Language
from schedulerd.web.pseudo_texts import PSEUDO

LANGUAGES: Final[Mapping[Language, str]] = {"en": "English", "ko": "한국어"}
THEMES: Final = ("light", "dark")
DENSITIES: Final = ("comfortable", "compact")
_USUAL: Final[Language] = "en"
_MOST_ACCEPTED: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferences:
    """`theme` empty: as the system has it. `is_pseudo`: texts have accents, for who tests pages."""

    language: Language
    zone: ZoneInfo
    theme: str = ""
    density: str = DENSITIES[0]
    is_pseudo: bool = False

    @property
    def locale(self) -> str:
        """The catalog that texts are taken from."""
        return PSEUDO if self.is_pseudo else self.language


def preferences_of(request: Request, *, zone: ZoneInfo) -> Preferences:
    """What the request says of them; `zone` is that of whom no cookie tells another."""
    cookies = request.cookies
    theme, density = cookies.get("theme", ""), cookies.get("density", "")
    return Preferences(
        language=_language(request),
        zone=_zone(unquote(cookies.get("tz", ""))) or zone,  # a script writes `Asia%2FSeoul`
        theme=theme if theme in THEMES else "",
        density=density if density in DENSITIES else DENSITIES[0],
        is_pseudo=request.query_params.get("lang") == PSEUDO,
    )


def language_of(locale: str) -> Language:
    """The language in which what is in no catalog is worded."""
    return cast("Language", locale) if locale in LANGUAGES else _USUAL


def _language(request: Request) -> Language:
    asked = request.query_params.get("lang") or request.cookies.get("lang") or ""
    if asked in LANGUAGES or asked == PSEUDO:
        return language_of(asked)
    return _accepted(request.headers.get("accept-language", ""))


def _accepted(header: str) -> Language:
    """The language that is wanted most of those that there are (RFC 9110, 12.5.4)."""
    ranked: list[tuple[float, Language]] = []
    for entry in header.split(",")[:_MOST_ACCEPTED]:
        tag, *rest = (part.strip().lower() for part in entry.split(";"))
        language = tag.partition("-")[0]
        if language in LANGUAGES:
            ranked.append((_weight(rest), cast("Language", language)))
    return max(ranked, key=lambda one: one[0], default=(1.0, _USUAL))[1]


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo | None:
    """The zone of this name (a cookie says it, so it may be anything); None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None

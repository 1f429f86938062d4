"""The choices of the palette: pages, things by their names, and what can be done by somebody in a role. Pure."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlencode

from schedulerd.domain.access import Principal, Role
from schedulerd.domain.agents import Agent
from schedulerd.domain.runs import Run
from schedulerd.domain.zones import zone_names
from schedulerd.operations.palette import Known
from schedulerd.version import __version__
from schedulerd.web import words
from schedulerd.web.palette import Choice
from schedulerd.web.preferences import DENSITIES, LANGUAGES, Preferences
from schedulerd.web.segments import segment
from schedulerd.web.words import N_

ACTIONS: Final = ">"
RUNS: Final = "#"
AGENTS: Final = "@"
PAGES: Final = "/"
AN_EXPRESSION: Final = "0 9 * * 1-5"
"""What stands in for an expression until somebody types one."""

_RUN: Final = N_("Run flow: %(name)s")
_PAUSE: Final = N_("Pause schedule: %(name)s")
_RESUME: Final = N_("Resume schedule: %(name)s")
_CANCEL: Final = N_("Cancel run: %(name)s")
_ZONE: Final = N_("Time zone: %(name)s")
Translate = Callable[[str], str]


class _Page(NamedTuple):
    href: str
    title: str
    icon: str
    role: Role = Role.VIEWER


_PAGES: Final = (
    _Page("/", N_("Dashboard"), "dashboard"),
    _Page("/flows", N_("Flows"), "flows"),
    _Page("/runs", N_("Runs"), "runs"),
    _Page("/schedules", N_("Schedules"), "scheduled"),
    _Page("/agents", N_("Agents"), "agents"),
    _Page("/system", N_("System"), "system"),
    _Page("/settings", N_("Settings"), "link"),
    _Page("/flows/new", N_("Register…"), "flows", Role.OPERATOR),
    _Page("/schedules/new", N_("New schedule"), "scheduled", Role.OPERATOR),
    _Page("/settings/users", N_("Users"), "agents", Role.ADMIN),
    _Page("/activity", N_("Activity"), "runs", Role.ADMIN),
    _Page("/api/docs", N_("The API"), "link"),
    _Page("/problems", N_("Problems"), "warning"),
)
_THEMES: Final = {"system": N_("as the system"), "light": N_("light"), "dark": N_("dark")}
_DENSITIES: Final = dict(zip(DENSITIES, (N_("comfortable"), N_("compact")), strict=True))


def pages(who: Principal, translate: Translate) -> list[Choice]:
    """Every page that this one may see and that needs no name."""
    return [
        Choice(title=translate(one.title), href=one.href, icon=one.icon, also=f"{one.title} {one.href}")
        for one in _PAGES
        if who.may(one.role)
    ]


def flows(known: Known) -> Iterator[Choice]:
    """The page of each flow."""
    return (Choice(title=name, href=f"/flows/{segment(name)}", icon="flows") for name in known.flows)


def schedules(known: Known, translate: Translate) -> Iterator[Choice]:
    """The page of each schedule."""
    paused = translate("paused")
    for name, is_paused in known.schedules.items():
        yield Choice(title=name, href=_schedule(name), icon="scheduled", note=paused if is_paused else "")


def agents(found: Iterable[Agent], translate: Translate, *, now: datetime) -> Iterator[Choice]:
    """The page of each agent."""
    for agent in found:
        note = translate(words.AGENT_STATES[agent.state(now=now, version=__version__)])
        href = f"/agents/{segment(agent.name)}"
        yield Choice(title=agent.name, href=href, icon="agents", note=note, also=agent.host)


def runs(found: Iterable[Run], translate: Translate) -> list[Choice]:
    """The page of each run."""
    return [
        Choice(
            title=run.selector,
            href=f"/runs/{run.id}",
            icon=run.state.value,
            note=translate(words.STATES[run.state.value]),
        )
        for run in found
    ]


def actions(known: Known, who: Principal, translate: Translate) -> Iterator[Choice]:
    """What can be done with flows and schedules, by somebody in this role."""
    if not who.may(Role.OPERATOR):
        return
    for name in known.flows:
        yield _action(_RUN, name, translate, f"/flows/{segment(name)}/run", "running")
    for name, is_paused in known.schedules.items():
        if is_paused:
            yield _action(_RESUME, name, translate, _schedule(name), "scheduled")
        else:
            yield _action(_PAUSE, name, translate, f"{_schedule(name)}#pause", "paused")


def cancelling(going: Iterable[Run], translate: Translate) -> Iterator[Choice]:
    """Ending runs that go on."""
    for run in going:
        yield _action(_CANCEL, run.selector, translate, f"/runs/{run.id}/cancel", "cancelled")


def beginnings(who: Principal, translate: Translate) -> Iterator[Choice]:
    """Actions that go on with a name."""
    if who.may(Role.OPERATOR):
        yield _beginning(N_("Run flow…"), _RUN, translate, "running")
        yield _beginning(N_("Pause schedule…"), _PAUSE, translate, "paused")
        yield _beginning(N_("Resume schedule…"), _RESUME, translate, "scheduled")
        yield _beginning(N_("Cancel run…"), _CANCEL, translate, "cancelled")
    explain = N_("Explain a cron expression…")
    yield Choice(title=translate(explain), fill=AN_EXPRESSION, icon="clock", also=explain)
    yield _beginning(N_("Time zone…"), _ZONE, translate, "clock")


def failing(run: Run, translate: Translate) -> Choice:
    """The way to the newest run that failed."""
    title = N_("Go to the newest failing run")
    return Choice(
        title=translate(title), href=f"/runs/{run.id}", icon=run.state.value, note=run.selector, also=title
    )


def appearance(preferences: Preferences, translate: Translate) -> Iterator[Choice]:
    """What can be chosen of how pages look, but for what is chosen."""
    for theme, word in _THEMES.items():
        if theme != (preferences.theme or "system"):
            yield _setting(N_("Colours: %(name)s"), word, translate, ("theme", theme))
    for density, word in _DENSITIES.items():
        if density != preferences.density:
            yield _setting(N_("Rows: %(name)s"), word, translate, ("density", density))
    for language, name in LANGUAGES.items():
        if language != preferences.language:
            yield _setting(N_("Language: %(name)s"), name, translate, ("lang", language))


def zones(preferences: Preferences, translate: Translate) -> Iterator[Choice]:
    """The time zones, but for the one that is chosen; first that of the browser."""
    yield _setting(_ZONE, N_("that of the browser"), translate, ("tz", "browser"))
    for name in sorted(zone_names() - {preferences.zone.key}):
        yield _setting(_ZONE, name, translate, ("tz", name))


def searching(text: str, translate: Translate) -> Choice:
    """Looking for what was typed in the history."""
    title = translate(N_("Runs that have “%(text)s”")) % {"text": text}
    return Choice(title=title, href=f"/runs?{urlencode({'q': text})}", icon="search")


def scheduling(expression: str, timezone: str, translate: Translate) -> Choice:
    """A new schedule at these times."""
    given = urlencode({"kind": "cron", "cron": expression, "timezone": timezone})
    return Choice(
        title=translate(N_("New schedule at these times")), href=f"/schedules/new?{given}", icon="scheduled"
    )


def _schedule(name: str) -> str:
    return f"/schedules/{segment(name)}"


def _action(title: str, name: str, translate: Translate, href: str, icon: str) -> Choice:
    given = {"name": name}
    return Choice(title=translate(title) % given, href=href, icon=icon, also=title % given)


def _beginning(title: str, then: str, translate: Translate, icon: str) -> Choice:
    fill = f"{ACTIONS} {translate(then) % {'name': ''}}"
    return Choice(title=translate(title), fill=fill, icon=icon, also=title)


def _setting(title: str, value: str, translate: Translate, sets: tuple[str, str]) -> Choice:
    said = translate(title) % {"name": translate(value)}
    return Choice(title=said, sets=sets, icon="theme", also=f"{title % {'name': value}}")

"""Crontabs: each line is a schedule of a command, a variable for the lines after it, or an error that costs no other.

A line means what it means to Debian cron, its policies too: what was missed is not made up for, and a command is started
whatever still runs. A variable that cannot be read holds back the lines after it, until it is set anew: they would run
in another environment than was meant.
"""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from schedulerd.domain.bundles import Bundle
from schedulerd.domain.command_values import MAX_COMMAND_BYTES
from schedulerd.domain.cron import parse_cron
from schedulerd.domain.mail_addresses import parse_addresses
from schedulerd.domain.schedules import (
    Catchup,
    Cron,
    Overlap,
    Policies,
    Reboot,
    ScheduleDefinition,
    When,
)
from schedulerd.domain.timing import check_definition
from schedulerd.domain.zones import zone
from schedulerd.errors import BadDefinition, BadExpression
from schedulerd.watch.crontab_directives import Directive, read_directive
from schedulerd.watch.crontab_lines import REBOOT, BadSetting, Job, Remark, Setting, shown, take_apart
from schedulerd.watch.crontab_names import Names
from schedulerd.watch.crontabs import Crontab, Held, Line, Origin, own_account
from schedulerd.watch.schedule_files import MAX_ENTRIES, ScheduleFile, read_text
from schedulerd.watch.trust import Trust

CRONS_POLICIES: Final = Policies(catchup=Catchup.NONE, overlap=Overlap.ALLOW)
LONGEST_DELAY_MINUTES: Final = 24 * 60

_NO_SCHEDULE: Final = ""
"""The name of a line that is no schedule's."""


def read_crontab_file(path: Path, *, timezone: str, uid: int | None = None) -> ScheduleFile:
    """Read a crontab of our own user; never raises for what is in it. Names begin with the name of the file.

    `uid` is the user that must be able to trust the file, by default our own.
    """
    uid = os.geteuid() if uid is None else uid
    origin = Origin(path=str(path), prefix=path.stem, timezone=timezone, owner=own_account(uid))
    try:
        crontab = parse_crontab(read_text(path, Trust(uid), kind="a crontab"), origin)
    except BadDefinition as error:
        return ScheduleFile(path=str(path), errors=(error,), unread=True)
    return ScheduleFile(
        path=str(path),
        definitions=Bundle(crontab.definitions),
        errors=crontab.errors,
        broken=crontab.broken - {definition.name for definition in crontab.definitions},
        keeps_missing=crontab.hides_names,
    )


def parse_crontab(text: str, origin: Origin) -> Crontab:
    """What the text says. Raises `BadDefinition` only where nothing of it can be taken."""
    reading = _Reading(origin)
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        reading.take(number, line.removesuffix("\r"))
    crontab = reading.crontab()
    if len(crontab.definitions) > MAX_ENTRIES:
        raise BadDefinition(f"has more than {MAX_ENTRIES} schedules", file=origin.path)
    return crontab


class _Reading:
    """What holds for the next line, and what was read so far."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._names = Names(origin.prefix)
        self._lines: dict[int, Line] = {}
        self._environment: dict[str, str] = {"HOME": origin.owner.home}
        self._timezone = origin.timezone
        self._mail_to: str | None = None
        self._delay = timedelta()
        self._holding: dict[str, int] = {}
        self._directive: Directive | None = None

    def take(self, number: int, line: str) -> None:
        """Read one line."""
        try:
            part = take_apart(line, self._origin.form)
        except BadSetting as error:
            self._refuse_setting(error.name, number, line, error)
        except BadExpression as error:
            self._refuse(number, line, error)
            self._directive = None  # it was for this line
            self._holding.pop("", None)
        else:
            self._take_part(number, line, part)

    def crontab(self) -> Crontab:
        """All of it, once the last line was read."""
        self._end_directive()
        while self._lines and not self._lines[max(self._lines)].source:
            self._lines.pop(max(self._lines))
        return Crontab(path=self._origin.path, lines=tuple(self._lines.values()))

    def _take_part(self, number: int, line: str, part: Remark | Setting | Job) -> None:
        match part:
            case Remark(text=text) if text:
                self._comment(number, line, text)
            case Remark():
                self._end_directive()
                self._note(number, line, part)
            case Setting():
                self._end_directive()
                self._set(number, line, part)
            case Job():
                self._job(number, line, part)

    def _note(self, number: int, line: str, said: Any, note: str = "", *, name: str | None = None) -> None:
        self._lines[number] = Line(number=number, source=line, said=said, note=note, name=name)

    def _refuse(self, number: int, line: str, error: BadExpression, *, name: str | None = None) -> None:
        self._note(number, line, self._bad(number, error), name=name)

    def _bad(self, number: int, error: BadExpression) -> BadDefinition:
        return BadDefinition(f"{error.reason}\n{error.caret()}", file=self._origin.path, line=number)

    # -- comments -----------------------------------------------------------------------------------------------

    def _comment(self, number: int, line: str, text: str) -> None:
        try:
            directive = read_directive(text, number)
        except BadExpression as error:
            self._refuse(number, line, error)
            self._holding[""] = number  # the command below, whose name it may be
            return
        if directive is None:
            self._note(number, line, Remark(text=text))
            return
        self._end_directive()
        self._directive = directive
        self._note(number, line, directive)

    def _end_directive(self) -> None:
        """Whatever stands here, it is no command."""
        self._holding.pop("", None)
        if self._directive is not None:
            line = self._lines[self._directive.number].source
            reason = "it stands above no command: nothing but comments may be between"
            error = BadExpression(reason, expression=shown(line), start=len(line) - len(line.lstrip()))
            self._refuse(self._directive.number, line, error, name=_NO_SCHEDULE)
            self._directive = None

    # -- variables ----------------------------------------------------------------------------------------------

    def _set(self, number: int, line: str, setting: Setting) -> None:
        name, value = setting.name, setting.value
        if name == "LOGNAME":
            self._note(number, line, setting, "cannot be set: it is always the user's own")
            return
        try:
            note = self._obey(setting)
            if len(value.encode()) > MAX_COMMAND_BYTES:
                raise BadExpression(f"has more than {MAX_COMMAND_BYTES} bytes", expression=value)
        except BadExpression as error:
            start = line.index("=") + 1
            start += line[start:].find(value) + error.start
            end = start + error.end - error.start
            marked = BadExpression(f"{name}: {error.reason}", expression=shown(line), start=start, end=end)
            self._refuse_setting(name, number, line, marked)
            return
        self._environment[name] = value
        self._holding.pop(name, None)
        self._note(number, line, setting, note)

    def _obey(self, setting: Setting) -> str:
        """Do what the variable asks of us besides being in the environment; what is worth knowing of it."""
        value = setting.value
        match setting.name:
            case "CRON_TZ":
                self._timezone = zone(value).key if value else self._origin.timezone
                return f"times below are in {self._timezone}"
            case "TZ":
                return "for the commands only; the zone of the times is set by CRON_TZ"
            case "MAILTO":
                self._mail_to = parse_addresses(value) if value.strip() else None
                return (
                    f"output below is mailed to {self._mail_to}"
                    if self._mail_to
                    else "nothing below is mailed"
                )
            case "RANDOM_DELAY":
                self._delay = _delay(value)
                return f"runs below are delayed by up to {value} min, each due time by its own part"
            case "PATH" | "HOME" if "$" in value or value.startswith("~"):
                return "taken as it is: cron expands no variables"
            case _:
                return ""

    def _refuse_setting(self, name: str, number: int, line: str, error: BadExpression) -> None:
        self._end_directive()
        self._refuse(number, line, error, name=_NO_SCHEDULE)
        self._holding[name] = number

    # -- commands -----------------------------------------------------------------------------------------------

    def _job(self, number: int, line: str, job: Job) -> None:
        directive, self._directive = self._directive, None
        name = self._name(directive, job)
        if name is None:
            assert directive is not None
            self._refuse_name(directive)
            self._note(number, line, Held(by=directive.number))
        elif self._holding:
            self._note(number, line, Held(by=min(self._holding.values())), name=name)
            self._holding.pop("", None)
        else:
            try:
                self._note(number, line, self._definition(number, line, job, name, directive), name=name)
            except BadExpression as error:
                self._refuse(number, line, error, name=name)

    def _name(self, directive: Directive | None, job: Job) -> str | None:
        """The name of the schedule; None where the one that was chosen is taken."""
        if directive is None or directive.name is None:
            return self._names.of_command(job.command)
        return directive.name if self._names.take(directive.name) else None

    def _refuse_name(self, directive: Directive) -> None:
        line = self._lines[directive.number].source
        error = BadExpression(
            f"the name {directive.name!r} stands twice in this file", expression=shown(line)
        )
        self._refuse(directive.number, line, error, name=_NO_SCHEDULE)

    def _definition(
        self, number: int, line: str, job: Job, name: str, directive: Directive | None
    ) -> ScheduleDefinition:
        self._check_user(line, job)
        if len(job.command.encode()) > MAX_COMMAND_BYTES:
            raise BadExpression(
                f"the command has more than {MAX_COMMAND_BYTES} bytes", expression=shown(line)
            )
        when = self._when(line, job, name)
        definition = ScheduleDefinition(
            name=name,
            when=when,
            command=job.command,
            policies=_policies(line, when, directive),
            **({} if directive is None else directive.limits),
            origin=f"{self._origin.path}:{number}",
            jitter=timedelta() if isinstance(when, Reboot) else self._delay,
            environment=dict(self._environment),
            stdin=job.stdin,
            mail_to=self._mail_to,
        )
        if definition.jitter:
            self._check_delay(line, job, definition)
        return definition

    def _check_delay(self, line: str, job: Job, definition: ScheduleDefinition) -> None:
        try:
            check_definition(definition)
        except BadExpression as error:
            end = job.start + len(job.time)
            raise BadExpression(
                f"RANDOM_DELAY: {error.reason}", expression=shown(line), start=job.start, end=end
            ) from error

    def _when(self, line: str, job: Job, name: str) -> When:
        expression = " ".join(job.time.split())
        if expression.lower() == REBOOT:
            return Reboot(timezone=self._timezone)
        try:
            # parsed expressions are kept by name too, which only an H looks at
            parse_cron(job.time, name=name if "h" in job.time.lower() else "")
        except BadExpression as error:
            start, end = (job.start + place for place in (error.start, error.end))
            raise BadExpression(error.reason, expression=shown(line), start=start, end=end) from error
        return Cron(expression=expression, timezone=self._timezone)

    def _check_user(self, line: str, job: Job) -> None:
        own = self._origin.owner.name
        if job.user is not None and job.user != own:
            reason = (
                f"runs as {job.user}; this version runs commands as the daemon's own user only, here {own}"
            )
            end = job.user_start + len(job.user)
            raise BadExpression(reason, expression=shown(line), start=job.user_start, end=end)


def _policies(line: str, when: When, directive: Directive | None) -> Policies:
    """Cron's, but for what the directive says. Nothing is ever missed of what has no due times."""
    said = {} if directive is None else directive.policies
    if not isinstance(when, Reboot):
        return replace(CRONS_POLICIES, **said)
    if "catchup" in said:
        raise BadExpression(
            "catchup, which was given above, means nothing with @reboot", expression=shown(line)
        )
    return replace(Policies(overlap=CRONS_POLICIES.overlap), **said)


def _delay(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= LONGEST_DELAY_MINUTES):
        reason = f"is no number of minutes from 0 to {LONGEST_DELAY_MINUTES}"
        raise BadExpression(reason, expression=text)
    return timedelta(minutes=int(text))

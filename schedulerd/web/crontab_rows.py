"""The lines of a crontab that somebody pasted, as rows: what each is, and when it fires. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schedulerd.domain.wording import Language, in_words
from schedulerd.operations.definition_readers import CrontabLine, LineKind
from schedulerd.operations.explaining import Fire, explain_definition

_FIRES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line. `sentence` says when in words, `fires` are its next times."""

    line: CrontabLine
    sentence: str = ""
    fires: Sequence[Fire] = ()

    @property
    def number(self) -> int:
        """Which line it is."""
        return self.line.number

    @property
    def is_schedule(self) -> bool:
        """Can it be imported?"""
        return self.line.kind is LineKind.SCHEDULE


def rows_of(lines: Sequence[CrontabLine], *, now: datetime, language: Language) -> list[Row]:
    """The lines that say something."""
    return [
        _row(line, now, language)
        for line in lines
        if line.kind is not LineKind.COMMENT or line.source.strip()
    ]


def _row(line: CrontabLine, now: datetime, language: Language) -> Row:
    if line.definition is None:
        return Row(line=line)
    said = explain_definition(line.definition, "", after=now, limit=_FIRES, language=language)
    return Row(
        line=line,
        sentence=in_words(line.definition.when, name=line.definition.name, language=language),
        fires=said.fires,
    )

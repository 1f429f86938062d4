"""What a schedule that is being typed would do: its sentence, what may surprise, and its next fires beside those it has now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schedulerd.domain.access import Principal
from schedulerd.domain.cautions import Caution, CautionCode
from schedulerd.domain.wording import Language
from schedulerd.errors import SchedulerdError
from schedulerd.operations.definitions import BadValue
from schedulerd.operations.explaining import Fire, explain_definition
from schedulerd.operations.operations import Operations
from schedulerd.web.editor_sheet import Sheet
from schedulerd.web.schedule_forms import KEPT, BadField, values_of

_FIRES: Final = 5
_WRITTEN: Final = ("cron", "every", "at", "rrule")
_ANY_NAME: Final = "preview"
_ANY_COMMAND: Final = "true"


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """`trouble` is what is wrong, its first line in words and the rest with carets; then there is nothing else.

    `before` are the fires of the schedule as it is now. `is_empty`: nothing has been typed yet.
    """

    sentence: str = ""
    written: str = ""
    timezone: str = "UTC"
    cautions: Sequence[Caution] = ()
    fires: Sequence[Fire] = ()
    before: Sequence[Fire] = ()
    trouble: str = ""
    is_empty: bool = False

    @property
    def may_be_saved(self) -> bool:
        """Is it right, and is it ever due?"""
        never = any(one.code is CautionCode.NEVER for one in self.cautions)
        return not (self.trouble or self.is_empty or never)


def preview_of(
    operations: Operations, sheet: Sheet, *, by: Principal, now: datetime, language: Language
) -> Preview:
    """What the sheet would do, by the readers and the search that the daemon goes by."""
    before = operations.fires.next(sheet.name, limit=_FIRES, language=language) if sheet.name else ()
    try:
        values = values_of(sheet.typed, was=sheet.values)
        if not any(key in values for key in _WRITTEN) and sheet["kind"] != KEPT:
            return Preview(is_empty=True, before=before)
        values["name"] = values["name"] or _ANY_NAME
        if not sheet.is_command:
            values["flow"] = values.get("flow") or _ANY_NAME
        elif "command" not in values:
            values |= {"command": _ANY_COMMAND}
            values.pop("flow", None)
        definition = operations.definitions.read(values, by=by)
        written = next((str(values[key]) for key in _WRITTEN if key in values), "")
        said = explain_definition(definition, written, after=now, limit=_FIRES, language=language)
    except (BadValue, BadField) as error:
        return Preview(trouble=error.reason, before=before)
    except SchedulerdError as error:
        return Preview(trouble=error.message, before=before)
    return Preview(
        sentence=said.text,
        written=said.expression,
        timezone=definition.when.timezone,
        cautions=said.cautions,
        fires=said.fires,
        before=before,
    )

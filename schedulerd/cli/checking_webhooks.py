"""What `validate` says of webhooks: do their secrets let anybody in? The files name them, the database has them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from schedulerd.cli.checking import Finding
from schedulerd.cli.invocation import Invocation
from schedulerd.domain.schedules import ScheduleDefinition, Webhook
from schedulerd.errors import NotPermitted, SchedulerdError, Unreachable

if TYPE_CHECKING:
    from schedulerd.operations.webhooks import Webhooks


def shut_webhooks(invocation: Invocation, schedules: Iterable[ScheduleDefinition]) -> Iterator[Finding]:
    """Those that let nobody in; it is said where that cannot be known here."""
    try:
        for schedule in schedules:
            yield from _shut(invocation.operations.webhooks, schedule)
    except (Unreachable, NotPermitted) as error:
        invocation.output.say(f"not checked: the secrets of webhooks ({error.message})")


def _shut(webhooks: "Webhooks", schedule: ScheduleDefinition) -> Iterator[Finding]:
    when = schedule.when
    assert isinstance(when, Webhook)
    try:
        webhooks.require_good_secret(when.secret)
    except (Unreachable, NotPermitted):
        raise
    except SchedulerdError as error:
        file, _, line = schedule.origin.rpartition(":")
        yield Finding(
            file=file if line.isdecimal() else schedule.origin,
            line=int(line) if line.isdecimal() else None,
            message=f"webhook {when.hook!r} of schedule {schedule.name!r} lets nobody in: {error.message}",
            mend=error.mend or f"`schedulerd secrets set {when.secret}` (`openssl rand -hex 32` makes one)",
        )

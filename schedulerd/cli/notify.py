"""`notify`: who is told of what, does it arrive, and what was sent lately?"""

import socket
import sys
from typing import TYPE_CHECKING

import click

from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.errors import CHECKS_FAILED, SUCCESS
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Column, Shape
from schedulerd.cli.tables import Cell
from schedulerd.errors import BadDefinition, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schedulerd.config.notify_settings import NotifySettings
    from schedulerd.domain.messages import Message
    from schedulerd.domain.notices import NoticeRule


notify = LazyGroup("notify", help="Notices: who is told of what.")


@notify.command()
@click.argument("target", metavar="[RULE|URL|-]", required=False)
@pass_invocation
def test(invocation: Invocation, target: str | None) -> None:
    """Send a test message to a URL, to the addresses of a RULE, or of all rules, and show the answers.

    With - the URL is read from stdin, where nobody sees it. Ends with exit code 8 when one of them does not take it.
    """
    from schedulerd.domain.shown_urls import shown_url
    from schedulerd.operations.notices import try_addresses  # starts processes

    shapes: list[Shape] = []
    for name, urls in _addresses(invocation, target):
        host = socket.gethostname().partition(".")[0]
        answers = try_addresses(urls, invocation.environ, host=host, clock=invocation.clock)
        shapes += [
            {"rule": name, "to": shown_url(url), "ok": answer.is_done, "answer": answer.words}
            for url, answer in zip(urls, answers, strict=True)
        ]
    invocation.output.rows(
        shapes,
        [
            Column(title="RULE", cell=lambda one: Cell(one["rule"] or "")),
            Column(title="TO", cell=lambda one: Cell(one["to"])),
            Column(
                title="", cell=lambda one: Cell("taken", "green") if one["ok"] else Cell("not taken", "red")
            ),
            Column(title="ANSWER", cell=lambda one: Cell(one["answer"]), flexible=True),
        ],
        empty="",
        name="rule",
    )
    good = all(one["ok"] for one in shapes)
    click.get_current_context().exit(SUCCESS if good else CHECKS_FAILED)


def _addresses(invocation: Invocation, target: str | None) -> "list[tuple[str | None, list[str]]]":
    """The URLs that are meant, each with the name of its rule where it has one."""
    url = sys.stdin.readline().strip() if target == "-" else target or ""
    if "://" in url or target == "-":
        from schedulerd.config.notify_settings import with_variables  # few commands need it

        if "://" not in url:  # never shown: it may be most of a secret
            raise click.UsageError("what came from stdin is no URL")
        return [(None, [with_variables(url, invocation.environ)])]
    rules = list(_rules(invocation))
    wanted = [(known.name, one) for known, one in rules if target in (None, known.name)]
    if not wanted:
        raise NotFound("rule", target or "[[notify]]", near=[known.name for known, _ in rules])
    return [(name, one.addresses(invocation.environ)) for name, one in wanted]


@notify.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the rules: who is told of what. Of each address as much is shown as is no secret."""
    invocation.output.rows(
        [_rule_shape(*both) for both in _rules(invocation)],
        [
            Column(title="RULE", cell=lambda one: Cell(one["name"])),
            Column(title="ON", cell=lambda one: Cell(", ".join(one["on"])), flexible=True),
            Column(title="FLOWS", cell=lambda one: Cell(", ".join(one["flows"]))),
            Column(title="TAGS", cell=lambda one: Cell(", ".join(one["tags"]))),
            Column(title="TO", cell=_to),
            Column(title="GROUP", cell=lambda one: Cell(f"{one['group_ms'] / 1000:g}s"), only_wide=True),
            Column(title="LIMIT", cell=lambda one: Cell(f"{one['limit']}/h"), only_wide=True),
        ],
        empty="nobody is told of anything: there is no [[notify]] in the settings",
        name="name",
    )


def _rules(invocation: Invocation) -> "Iterable[tuple[NoticeRule, NotifySettings]]":
    return zip(invocation.settings.notice_rules, invocation.settings.notify, strict=True)


def _rule_shape(rule: "NoticeRule", settings: "NotifySettings") -> Shape:
    from schedulerd.domain.shown_urls import shown_url
    from schedulerd.operations.shapes import milliseconds

    try:
        to, wrong = [shown_url(url) for url in settings.written()], ""
    except BadDefinition as error:
        to, wrong = [], str(error)
    return {
        "name": rule.name,
        "on": [kind.value for kind in settings.on],
        "flows": list(rule.flows),
        "tags": sorted(rule.tags),
        "to": to,
        "error": wrong,
        "group_ms": milliseconds(rule.group),
        "limit": rule.limit,
    }


def _to(one: Shape) -> Cell:
    return Cell(one["error"], "red") if one["error"] else Cell(", ".join(one["to"]))


@notify.command()
@pass_invocation
def sent(invocation: Invocation) -> None:
    """List the messages of the last days, and what has become of them."""
    from schedulerd.operations.notices import sent_lately

    out = invocation.output
    out.rows(
        [_shape(one) for one in sent_lately(invocation.database)],
        [
            Column(title="RULE", cell=lambda one: Cell(one["rule"])),
            Column(title="TO", cell=lambda one: Cell(one["to"])),
            Column(title="MADE", cell=lambda one: Cell(out.ago(one["made_at"]))),
            Column(title="STATE", cell=lambda one: Cell(one["state"])),
            Column(title="TRIES", cell=lambda one: Cell(str(one["tries"]))),
            Column(title="TITLE", cell=lambda one: Cell(one["title"]), flexible=True),
            Column(title="ANSWER", cell=lambda one: Cell(one["answer"]), only_wide=True),
        ],
        empty="nothing was sent in the last days",
        name="title",
    )


def _shape(message: "Message") -> Shape:
    from schedulerd.operations.shapes import time_text

    return {
        "rule": message.rule,
        "to": message.shown,
        "made_at": time_text(message.made_at),
        "state": message.state.value,
        "tries": message.tries,
        "next_at": time_text(message.next_at),
        "title": message.title,
        "answer": message.answer,
    }

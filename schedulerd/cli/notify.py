"""`notify`: does it arrive, and what was sent lately?"""

import socket
from typing import TYPE_CHECKING

import click

from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.errors import CHECKS_FAILED, SUCCESS
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Column, Shape
from schedulerd.cli.tables import Cell
from schedulerd.errors import NotFound

if TYPE_CHECKING:
    from schedulerd.domain.messages import Message


notify = LazyGroup("notify", help="Notices: who is told of what.")


@notify.command()
@click.argument("rule", metavar="[RULE]", required=False)
@pass_invocation
def test(invocation: Invocation, rule: str | None) -> None:
    """Send a test message to the addresses of a RULE, or of all rules, and show the answers.

    Ends with exit code 8 when one of them does not take it.
    """
    from schedulerd.domain.shown_urls import shown_url
    from schedulerd.operations.notices import try_addresses  # starts processes

    rules = list(zip(invocation.settings.notice_rules, invocation.settings.notify, strict=True))
    wanted = [(known.name, one) for known, one in rules if rule in (None, known.name)]
    if not wanted:
        raise NotFound("rule", rule or "[[notify]]", near=[known.name for known, _ in rules])
    shapes: list[Shape] = []
    for name, one in wanted:
        urls = one.addresses(invocation.environ)
        host = socket.gethostname().partition(".")[0]
        answers = try_addresses(urls, invocation.environ, host=host, clock=invocation.clock)
        shapes += [
            {"rule": name, "to": shown_url(url), "ok": answer.is_done, "answer": answer.words}
            for url, answer in zip(urls, answers, strict=True)
        ]
    invocation.output.rows(
        shapes,
        [
            Column(title="RULE", cell=lambda one: Cell(one["rule"])),
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


@notify.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
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

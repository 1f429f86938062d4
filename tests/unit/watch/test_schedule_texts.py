"""Crontabs as schedule files: the file reads back to the same schedules."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.watch.calendars import CalendarsBeside
from schedulerd.watch.crontab_reading import parse_crontab
from schedulerd.watch.crontabs import Crontab, Origin, Owner
from schedulerd.watch.schedule_files import parse_schedule_file
from schedulerd.watch.schedule_texts import schedule_file_text
from schedulerd.watch.trust import Trust

ORIGIN = Origin(
    path="mine", prefix="mine", timezone="Europe/Berlin", owner=Owner(name="kim", home="/home/kim")
)


def written(crontab: Crontab) -> str:
    return schedule_file_text(crontab, head="Made by a test.")


def read_back(text: str) -> Sequence[ScheduleDefinition]:
    calendars = CalendarsBeside(Path("/nowhere"), Trust(os.geteuid()))
    # in another zone, so that what the file does not say would show
    file = parse_schedule_file(text, path="mine", timezone="Asia/Tokyo", calendars=calendars)
    assert file.errors == ()
    return [replace(definition, origin="") for definition in file.definitions]


def meant(crontab: Crontab) -> Sequence[ScheduleDefinition]:
    return [replace(definition, origin="") for definition in crontab.definitions]


def test_comments_stand_above_their_schedule_and_bad_lines_in_comments() -> None:
    crontab = parse_crontab(
        "# jobs of kim\n\n\nA=1\n# the dump\n@daily dump\n0 25 * * * bad\nB=\n@hourly late\n\n\n", ORIGIN
    )

    assert written(crontab) == (
        "# Made by a test.\n"
        "\n"
        "# jobs of kim\n"
        "\n"
        "# the dump\n"
        "# line 6: @daily dump\n"
        "[[schedule]]\n"
        'name = "mine:dump"\n'
        'command = "dump"\n'
        'cron = "@daily"\n'
        'timezone = "Europe/Berlin"\n'
        'environment = { HOME = "/home/kim", A = "1" }\n'
        'catchup = "none"\n'
        'overlap = "allow"\n'
        "\n"
        "# left out: line 7: hour: '25' is not one of 0-23\n"
        "#   0 25 * * * bad\n"
        "\n"
        "# left out: line 8: no value that can be read: one is plain or in matching quotes to its end, an empty one is"
        ' ""\n'
        "#   B=\n"
        "\n"
        "# left out, for what is wrong on line 8: line 9\n"
        "#   @hourly late\n"
    )


def test_the_file_reads_back_to_the_same_schedules() -> None:
    crontab = parse_crontab(
        "MAILTO=kim, lee@example.org\n"
        "'odd name' = ' blank \\ \"quoted\" \x1b \t'\n"
        "30 2 * * mon-fri cat%one\\%%two\n"
        "@reboot echo 'a \\ b'\n"
        "# schedulerd: name='with \"quotes\"' overlap=skip catchup=all\n"
        "H H * * * x\n"
        "CRON_TZ=Asia/Seoul\n"
        "RANDOM_DELAY=45\n"
        "0 0 1,15 * 5 y\n"
        "@reboot z\n",
        ORIGIN,
    )

    assert crontab.errors == ()
    assert len(crontab.definitions) == 5
    assert read_back(written(crontab)) == meant(crontab)


VALUES = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=30)


@given(
    st.lists(
        st.one_of(
            VALUES.map(lambda text: f"@daily {text}"),
            VALUES.map(lambda text: f"A='{text}'"),
            VALUES.map(lambda text: f'"{text}" = x'),
            VALUES.map(lambda text: f"# {text}"),
            VALUES,
        ),
        max_size=8,
    )
)
def test_whatever_is_understood_of_a_crontab_reads_back_to_the_same(lines: list[str]) -> None:
    crontab = parse_crontab("\n".join(lines), ORIGIN)

    assert read_back(written(crontab)) == meant(crontab)

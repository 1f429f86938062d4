"""Deciding again what is in force: what is remembered of the last time changes nothing but the time that it takes."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.bundles import Bundle
from schedulerd.domain.definitions import Resolved, Resolver
from schedulerd.domain.flows import FileDefinition
from schedulerd.domain.schedules import After, FileAppears, ScheduleDefinition, Webhook
from tests.builders import a_file, a_flow, a_schedule

FILES = ("schedules/a.toml", "schedules/b.toml", "schedules/c.toml")
NAMES = st.sampled_from(["one", "two", "three", "etl", "load"])
SCHEMA = {"properties": {"region": {"type": "string"}}, "additionalProperties": False}
WHENS = st.sampled_from(
    [
        None,
        None,
        After(flows=("one",)),
        After(flows=("etl", "load")),
        Webhook(hook="deploy", secret="s"),
        FileAppears(pattern="/in/*", parameter="region"),
    ]
)


@st.composite
def schedules(draw: st.DrawFn, file: str) -> ScheduleDefinition:
    """Of a flow that there may be, with parameters that may fit it; or a command."""
    made = a_schedule(draw(NAMES), origin=f"{file}:{draw(st.integers(1, 3))}")
    when = draw(WHENS)
    what = draw(st.sampled_from(["flow", "flow", "command"]))
    changes = {} if when is None else {"when": when}
    if what == "command":
        return a_schedule(made.name, origin=made.origin, flow=None, command="true", **changes)
    parameters = draw(st.sampled_from([{}, {}, {"region": "kr"}, {"region": 3}]))
    return a_schedule(made.name, origin=made.origin, flow=draw(NAMES), parameters=parameters, **changes)


def once_each(held: list[ScheduleDefinition]) -> list[ScheduleDefinition]:
    return list({one.name: one for one in held}.values())


CONTENTS = {file: st.lists(schedules(file), max_size=3).map(once_each) for file in FILES}


@st.composite
def flow_files(draw: st.DrawFn) -> list[FileDefinition]:
    """Flows of two files, which may want the same name, and carry a schedule."""
    found = []
    for file in ("flows/x.py", "flows/y.py"):
        name = draw(NAMES)
        own = draw(st.lists(schedules(file), max_size=1))
        schema = draw(st.sampled_from([{}, SCHEMA]))
        flow = a_flow(name, file=file, parameters=schema, schedules=tuple(own))
        if draw(st.booleans()):
            found.append(a_file(flow, file=file))
    return found


STEPS = st.lists(
    st.one_of(
        st.sampled_from(FILES).flatmap(lambda file: st.tuples(st.just(file), CONTENTS[file])), flow_files()
    ),
    max_size=6,
)


def told(found: Resolved) -> tuple[object, ...]:
    held = {file: tuple(bundle) for file, bundle in found.schedules.items() if len(bundle)}
    return found.files, held, found.awaited, found.errors


def in_steps(resolver: Resolver, files: list[FileDefinition], bundles: Mapping[str, Bundle]) -> Resolved:
    while (found := resolver.resolve_some(files, bundles, most=1)) is None:
        pass
    return found


@given(STEPS)
def test_what_was_decided_before_changes_nothing(
    steps: list[tuple[str, list[ScheduleDefinition]] | list[FileDefinition]],
) -> None:
    remembering, by_and_by, files = Resolver(), Resolver(), list[FileDefinition]()
    bundles: dict[str, Bundle] = {}

    for step in steps:
        if isinstance(step, list):
            files = step
        else:
            bundles[step[0]] = Bundle(step[1])
        ordered = {file: bundles[file] for file in sorted(bundles)}

        whole = told(Resolver().resolve(files, ordered))
        assert told(remembering.resolve(files, ordered)) == whole
        assert told(in_steps(by_and_by, files, ordered)) == whole


def names(schedules: Mapping[str, Bundle]) -> list[str]:
    return [one.name for bundle in schedules.values() for one in bundle]


def test_a_file_that_has_not_changed_is_not_looked_at_again() -> None:
    resolver, etl = Resolver(), a_file()
    first, second = (Bundle([a_schedule(name, origin=f"{name}.toml:1")]) for name in "ab")
    before = resolver.resolve([etl], {"a.toml": first, "b.toml": second})

    edited = Bundle([a_schedule("c", origin="a.toml:1")])
    after = resolver.resolve([etl], {"a.toml": edited, "b.toml": second})

    assert names(before.schedules) == ["a", "b"]
    assert names(after.schedules) == ["c", "b"]
    assert after.schedules["b.toml"] is second


def test_a_flow_that_is_another_has_its_schedules_judged_again() -> None:
    resolver = Resolver()
    bundle = Bundle([a_schedule(parameters={"region": "kr"})])
    file = "config/schedules/etl.toml"

    fits = resolver.resolve([a_file(a_flow(parameters=SCHEMA))], {file: bundle})
    lost = resolver.resolve([a_file(a_flow(parameters={}))], {file: bundle})
    again = resolver.resolve([a_file(a_flow(parameters=SCHEMA))], {file: bundle})

    assert (names(fits.schedules), names(lost.schedules)) == (["etl-morning"], [])
    assert "takes no parameters" in lost.errors[file][0].message
    assert (names(again.schedules), again.errors) == (["etl-morning"], {})


def test_a_command_gives_its_name_to_a_flow_that_comes_later_and_takes_it_back() -> None:
    resolver = Resolver()
    bundles = {"a.toml": Bundle([a_schedule("etl", flow=None, command="true", origin="a.toml:1")])}

    assert names(resolver.resolve([], bundles).schedules) == ["etl"]
    assert names(resolver.resolve([a_file()], bundles).schedules) == []
    assert names(resolver.resolve([], bundles).schedules) == ["etl"]


def test_a_schedule_may_run_a_command_of_an_earlier_file_that_is_packed_away() -> None:
    resolver = Resolver()
    commands = Bundle([a_schedule("dump", flow=None, command="true", origin="a.toml:1")])
    users = Bundle([a_schedule("nightly", flow="dump", origin="b.toml:1")])

    for _ in range(2):
        found = resolver.resolve([], {"a.toml": commands, "b.toml": users})

        assert (names(found.schedules), found.errors) == (["dump", "nightly"], {})


def holders(found: Resolved) -> list[str]:
    return [one.origin for bundle in found.schedules.values() for one in bundle]


@pytest.mark.parametrize("neighbour", [[], [a_schedule("broken", flow="no", origin="a.toml:9")]])
def test_a_schedule_file_takes_a_name_from_a_flow_file_that_had_it(
    neighbour: list[ScheduleDefinition],
) -> None:
    """Also where something else is wrong with the schedule file, so that it is judged anew each time."""
    resolver = Resolver()
    etl = a_file(a_flow(schedules=(a_schedule("morning", origin="flows/etl.py"),)))
    taker = Bundle([a_schedule("morning", origin="a.toml:1"), *neighbour])

    before = resolver.resolve([etl], {"a.toml": Bundle(neighbour)})
    after = resolver.resolve([etl], {"a.toml": taker})

    assert holders(before) == ["flows/etl.py"]
    assert holders(after) == ["a.toml:1"]
    assert "is taken by a.toml:1" in after.errors["flows/etl.py"][0].message

"""Records that come over a line are numbered where they are recorded; those of a child run after its own fashion."""

from schedulerd.authoring.context import WITHIN
from schedulerd.authoring.records import FlowRecord, TaskRecord
from schedulerd.authoring.relays import Relay, RelayRecorder
from tests.unit.authoring.tape import Tape, a_context


def test_a_flow_that_was_called_elsewhere_is_told_of_with_the_numbers_of_here() -> None:
    tape = Tape()
    relay = Relay(a_context(tape))
    there = RelayRecorder(relay.hear)
    stands = TaskRecord(-1, "load", "running", 5)

    there.flow(FlowRecord(stands, id="a", flow="load", parameters={"region": "kr"}))
    there.task(TaskRecord(-2, "fetch", "running", 6, within=-1))
    there.task(TaskRecord(-3, "store", "running", 7, within=-1, upstream=(-2,)))
    there.log(20, "x", "fetched", 8, task=-2, within=-1)
    there.task(TaskRecord(-4, "later", "running", 9))

    first = WITHIN + 1
    assert [(one["number"], one["within"], one["name"], one["upstream"]) for one in tape.tasks] == [
        (1, None, "load", ()),
        (first, 1, "fetch", ()),
        (first + 1, 1, "store", (first,)),
        (2, None, "later", ()),
    ]
    assert [(one.flow, one.id, one.parameters) for one in tape.flows] == [("load", "a", {"region": "kr"})]
    assert [(one["message"], one["task"], one["within"]) for one in tape.lines] == [("fetched", first, 1)]

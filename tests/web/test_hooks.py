"""`POST /api/v1/hooks/NAME`: a run for whoever shows the secret, and nothing for everybody else."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.runs import RunFilter, Trigger
from schedulerd.domain.states import RunState
from schedulerd.operations.webhooks import SHORTEST_SECRET, Webhooks
from schedulerd.store.database import Database
from schedulerd.web.hooks import LONGEST_BODY
from schedulerd.web.wrong_secrets import BURST, REFILL_SECONDS
from tests.builders import NOW
from tests.store.test_faults import locked
from tests.web.scenes import HOOK, SECRET, Scene


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(database, tmp_path)
    yield scene
    scene.close()


@pytest.fixture
def on_sqlite(sqlite_database: Database, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(sqlite_database, tmp_path)
    yield scene
    scene.close()


def test_a_call_is_a_run_that_is_recorded_when_it_is_answered(scene: Scene) -> None:
    answer = scene.call({"rows": 3})

    assert answer.status_code == 202
    said = answer.json()
    with scene.database.read() as tx:
        (run,) = tx.runs.list(RunFilter())
        assert said == {"id": str(run.id), "run": "etl#1", "state": "scheduled", "is_new": True}
        assert (run.trigger, run.schedule, run.parameters) == (Trigger.WEBHOOK, "on-deploy", {"rows": 3})
        assert tx.schedules.get("on-deploy").last_due == scene.clock.now()


def test_the_daemon_is_woken_after_the_commit(
    database: Database, open_database: Callable[..., Database], tmp_path: Path
) -> None:
    scene, other = Scene(database, tmp_path), open_database()
    seen: list[int] = []

    def wake() -> bool:
        with other.read() as tx:
            seen.append(len(tx.runs.list(RunFilter())))
        return True

    hooked = Webhooks(database, scene.clock, _keys(tmp_path), wake=wake, entropy=lambda: 1)
    scene.serve(hooked)

    assert scene.call().status_code == 202
    scene.close()
    assert seen == [1]


def _keys(state_dir: Path) -> Any:
    from schedulerd.operations.sealing import KeyRing

    return KeyRing(state_dir, {})


def test_nobody_else_is_let_in_and_nobody_is_told_which_webhooks_there_are(on_sqlite: Scene) -> None:
    scene = on_sqlite
    scene.put(name="off", enabled=False)
    scene.put(name="no-secret", secret="nobody-set-it")
    scene.asked.secrets.set("short", "x" * (SHORTEST_SECRET - 1))
    scene.put(name="short", secret="short")
    path = HOOK.removesuffix("deploy")

    answers = [
        scene.call(secret="wrong"),
        scene.call(secret=None),
        scene.call(secret=""),
        scene.call(secret=SECRET[:-1]),
        scene.call(secret=SECRET + "x"),
        scene.call(secret=None, path=f"{HOOK}?secret={SECRET}&token={SECRET}"),
        scene.call({"secret": SECRET}, secret=None),
        scene.call(secret=None, Authorization=f"Basic {SECRET}"),
        scene.call(secret=None, X_Secret=SECRET),
        scene.call(path=path + "nothing"),
        scene.call(path=path + "Deploy"),
        scene.call(path=path + "off"),
        scene.call(path=path + "no-secret"),
        scene.call(path=path + "short", secret="x" * (SHORTEST_SECRET - 1)),
        scene.call(path=path + "%2e%2e"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    said = [{**answer.json(), "instance": ""} for answer in answers]
    assert all(one == said[0] for one in said)
    headers = [{**answer.headers} for answer in answers]
    assert all(one["www-authenticate"] == "Bearer" for one in headers)
    assert len({tuple(sorted(set(one) - {"content-length"})) for one in headers}) == 1
    assert SECRET not in json.dumps(said)
    assert scene.runs() == []


def test_other_methods_say_nothing_of_a_webhook_either(on_sqlite: Scene) -> None:
    with on_sqlite.client() as client:
        answers = [client.get(path) for path in (HOOK, HOOK + "x")]

    assert [one.status_code for one in answers] == [401, 401]


@pytest.mark.parametrize(
    ("parameter", "body", "parameters"),
    [
        (None, {"anything": 1}, {"region": "kr"}),
        (None, None, {"region": "kr"}),
        ("event", {"a": [1, None]}, {"region": "kr", "event": {"a": [1, None]}}),
        ("event", None, {"region": "kr", "event": None}),
        ("*", {"rows": 2, "event": "x"}, {"region": "kr", "rows": 2, "event": "x"}),
    ],
)
def test_the_body_is_given_as_the_schedule_says(
    on_sqlite: Scene, parameter: str | None, body: Any, parameters: Any
) -> None:
    scene = on_sqlite
    scene.put(parameter, parameters={"region": "kr"})

    assert scene.call(body).status_code == 202
    assert scene.runs() == [
        {"state": RunState.SCHEDULED, "trigger": Trigger.WEBHOOK, "parameters": parameters}
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"rows": "many"}, "parameter 'rows': \"many\" is not a whole number"),
        ({"colour": 1}, "there is no parameter 'colour'"),
        ({"region": "us"}, "the schedule says itself what 'region' is"),
        ([1], "the body must be an object"),
    ],
)
def test_what_does_not_fit_the_flow_is_refused_and_makes_no_run(
    on_sqlite: Scene, body: Any, words: str
) -> None:
    scene = on_sqlite
    scene.put("*", parameters={"region": "kr"})

    answer = scene.call(body, Idempotency_Key="k")

    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert scene.runs() == []
    assert scene.call({"rows": 1}, Idempotency_Key="k").status_code == 202


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"NaN", 400),
        (b'{"rows": 1e999}', 400),
        (b'{"event": "\\ud800"}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 200 + b"]" * 200, 400),
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b'{"rows": ' + b"1" * 10_000 + b"}", 400),
        (b'"' + b"a" * LONGEST_BODY + b'"', 413),
        (b'"' + b"a" * (1 << 20) + b'"', 413),
    ],
    ids=["cut", "nan", "inf", "surrogate", "bytes", "deep", "deeper", "digits", "long", "longer"],
)
def test_a_body_that_cannot_be_taken_is_refused(on_sqlite: Scene, content: bytes, status: int) -> None:
    assert on_sqlite.send(content).status_code == status
    assert on_sqlite.runs() == []


def test_a_body_without_a_length_or_a_type_is_refused(on_sqlite: Scene) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"{}"

    with on_sqlite.client() as client:
        given = {"Authorization": f"Bearer {SECRET}"}
        no_length = client.post(HOOK, content=chunks(), headers=given | {"Content-Type": "application/json"})
        no_type = client.post(HOOK, content=b"{}", headers=given)
        form = client.post(HOOK, data={"a": "1"}, headers=given)

    assert [one.status_code for one in (no_length, no_type, form)] == [413, 415, 415]


def test_pages_of_other_sites_and_other_names_of_the_host_are_refused(on_sqlite: Scene) -> None:
    assert on_sqlite.call(Sec_Fetch_Site="cross-site").status_code == 403
    assert on_sqlite.call(Origin="https://evil.example").status_code == 403
    assert on_sqlite.call(Host="evil.example").status_code == 421


def test_one_key_makes_one_run_however_often_and_whenever_it_comes(scene: Scene) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: scene.call({"rows": 1}, Idempotency_Key="k1"), range(8)))
    scene.clock.advance(hours=5)
    answers.append(scene.call({"rows": 1}, Idempotency_Key="k1"))
    other = scene.call({"rows": 1}, Idempotency_Key="k2")

    assert {one.status_code for one in answers} == {202}
    assert len({one.json()["id"] for one in answers}) == 1
    assert [one.json()["is_new"] for one in answers].count(True) == 1
    assert other.json()["run"] == "etl#2"
    assert len(scene.runs()) == 2


def test_the_same_key_with_another_body_is_a_conflict(scene: Scene) -> None:
    scene.call({"rows": 1}, Idempotency_Key="k")

    answer = scene.call({"rows": 2}, Idempotency_Key="k")

    assert answer.status_code == 409
    assert "etl#1" in answer.json()["detail"]
    assert len(scene.runs()) == 1


def test_a_key_counts_also_when_its_run_was_pruned(scene: Scene) -> None:
    from schedulerd.domain.retention import Retention

    scene.call(Idempotency_Key="k")
    with scene.database.write() as tx:
        (run,) = tx.runs.list(RunFilter())
        tx.runs.move(run.key, RunState.CANCELLED, at=NOW, actor="kim")
        tx.pruning.page(Retention(keep_per_flow=0), now=NOW + timedelta(days=400))

    answer = scene.call(Idempotency_Key="k")

    assert (answer.status_code, answer.json()["id"], answer.json()["is_new"]) == (202, None, False)
    assert scene.runs() == []


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb"])
def test_an_odd_key_is_refused(on_sqlite: Scene, key: str) -> None:
    assert on_sqlite.call(Idempotency_Key=key).status_code == 400


def test_a_call_of_a_paused_schedule_is_a_recorded_skip(scene: Scene) -> None:
    scene.asked.schedules.pause("on-deploy", actor="kim", reason="no")

    answer = scene.call()

    assert (answer.status_code, answer.json()["state"]) == (202, "skipped")
    assert [run["state"] for run in scene.runs()] == [RunState.SKIPPED]


def test_a_secret_that_was_changed_lets_nobody_in_any_more(scene: Scene) -> None:
    assert scene.call().status_code == 202
    scene.asked.secrets.set("deploy-key", "another-secret-of-length")

    at_once = scene.call()  # the gate may still know it; the transaction does not
    scene.clock.advance(seconds=2)

    assert (at_once.status_code, scene.call().status_code) == (401, 401)
    assert scene.call(secret="another-secret-of-length").status_code == 202
    assert len(scene.runs()) == 2


def test_wrong_secrets_are_limited_for_each_address_and_right_ones_are_not(on_sqlite: Scene) -> None:
    scene = on_sqlite
    for _ in range(BURST + 5):
        assert scene.call().status_code == 202
    wrong = [scene.call(secret="wrong").status_code for _ in range(BURST + 1)]

    refused = scene.call()
    with scene.client("192.0.2.2") as other:
        from_elsewhere = other.post(HOOK, headers={"Authorization": f"Bearer {SECRET}"})
    scene.clock.advance(seconds=REFILL_SECONDS + 1)

    assert wrong == [401] * BURST + [429]
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= REFILL_SECONDS + 1
    assert from_elsewhere.status_code == 202
    assert scene.call().status_code == 202


def test_wrong_secrets_do_not_ask_the_database_each_time(
    on_sqlite: Scene,
) -> None:
    scene = on_sqlite
    scene.call(secret="wrong")

    with statements() as said:
        for _ in range(5):
            scene.call(secret="wrong")

    assert said == []


@contextmanager
def statements() -> Iterator[list[str]]:
    from tests.store.test_pings import statements as noted

    with noted() as said:
        yield said


def test_a_database_that_is_locked_is_said_soon_and_the_rest_goes_on(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    impatient = Database(database_url, timeout=timedelta(milliseconds=200))
    scene = Scene(impatient, tmp_path)
    assert scene.call().status_code == 202

    with locked(database_url, against_readers=False), ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(scene.call, Idempotency_Key=f"k{number}") for number in range(8)]
        healthy = scene.here.get("/healthz")
        answers = [call.result() for call in calls]
    again = scene.call(Idempotency_Key="k1")
    scene.close()
    impatient.close()

    assert healthy.status_code == 200
    assert {one.status_code for one in answers} == {503}
    assert all("Retry-After" in one.headers for one in answers)
    assert (again.status_code, again.json()["is_new"]) == (202, True)


def test_the_secret_is_in_no_log_and_not_in_the_database(
    on_sqlite: Scene, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "canary-key-55"
    on_sqlite.call({"rows": 1}, Idempotency_Key=key)
    on_sqlite.call({"rows": "x"})
    on_sqlite.call(secret=SECRET + "1")
    on_sqlite.database.close()

    content = (tmp_path / "schedulerd.db").read_bytes()
    assert SECRET not in caplog.text
    assert SECRET.encode() not in content
    assert key.encode() not in content

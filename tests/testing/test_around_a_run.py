"""Variables, secrets and artifacts in a test are those of the test, and not those of the project it is in."""

from schedulerd import flow
from schedulerd.artifacts import create_markdown_artifact
from schedulerd.blocks.system import Secret
from schedulerd.deployments import run_flow
from schedulerd.testing import history
from schedulerd.variables import Variable


@flow
def uses() -> list[object]:
    create_markdown_artifact("# Done", key="report")
    Variable.set("seen", 1, overwrite=True)
    return [Variable.get("bucket"), Secret.load("key").get() == "hunter2-hunter2"]


@flow
def asks() -> None:
    run_flow("other")


def test_a_flow_sees_what_the_test_has_set_and_nothing_of_it_is_left() -> None:
    with history() as seen:
        Variable.set("bucket", "s3://test")
        Secret(value="hunter2-hunter2").save("key")

        run = seen.run(uses)

        assert run.result == ["s3://test", True]
        assert Variable.get("seen") == 1
    with history():
        assert Variable.get("seen") is None


def test_what_only_a_daemon_can_do_is_refused_in_words() -> None:
    with history() as seen:
        run = seen.run(asks)

    assert run.state == "failed"
    assert "cannot be asked in a test" in run.message

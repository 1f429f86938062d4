"""Tasks as classes (graph style, ranks 3, 14 and 28)."""

import pickle
from datetime import timedelta
from typing import Any

import pytest

from schedulerd import Flow, Task, task
from schedulerd.utilities.tasks import defaults_from_attrs, tags


class Add(Task):
    """Adds."""

    def __init__(self, default: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.default = default

    def run(self, x: int, y: int | None = None) -> int:
        return x + (self.default if y is None else y)


class Greet(Task):
    def __init__(self, greeting: str = "hello", name: str | None = None, **options: Any) -> None:
        self.greeting = greeting
        super().__init__(name=name, **options)

    @defaults_from_attrs("greeting", "to")
    def run(self, to: str | None = None, greeting: str | None = None) -> str:
        return f"{greeting} {to}"

    to = "world"


def test_a_class_is_a_task_whose_run_is_its_function() -> None:
    add = Add(10, name="add ten")
    with Flow("x") as flow:
        node = add(add(1), y=5)

    state = flow.run()

    assert state.result[node].result == 16
    assert [one.name for one in flow.nodes] == ["add ten", "add ten"]
    assert (Add().name, add.run(1), add(1), repr(add)) == ("Add", 11, 11, "<Add 'add ten'>")


def test_a_class_takes_all_options_of_a_task() -> None:
    add = Add(max_retries=2, retry_delay=timedelta(seconds=3), tags=["t"], log_stdout=True, timeout=60)

    assert (add.retries, add.delay_after(1), add.tags, add.log_prints, add.timeout_seconds) == (
        2,
        3.0,
        ("t",),
        True,
        60.0,
    )
    with pytest.raises(ValueError, match="needs retry_delay too"):
        Add(max_retries=2)
    with pytest.raises(TypeError, match="does not know nonesuch"):
        Add(nonesuch=1)


def test_a_class_is_mapped_and_copied_with_other_options() -> None:
    add = Add(10)
    other = add.copy(name="other", max_retries=1, retry_delay=timedelta(seconds=1))
    third = add.with_options(name="third")

    with Flow("x") as flow:
        node = add.map([1, 2])
        again = other(5, task_args={"name": "named here"})

    result = flow.run().result
    assert (result[node].result, result[again].result) == ([11, 12], 15)
    assert (other.name, other.retries, other.default, again.name) == ("other", 1, 10, "named here")
    assert (third.name, third(1), add.name) == ("third", 11, "Add")


def test_a_copy_runs_its_own_method() -> None:
    add = Add(10)
    other = add.copy()
    other.default = 20

    assert (add(1), other(1)) == (11, 21)


def test_a_task_of_a_function_is_copied_too() -> None:
    made = task(name="a")(len)

    assert (made.copy(name="b").name, made.copy()([1])) == ("b", 1)


def test_a_class_without_run_is_no_task() -> None:
    class Nothing(Task):
        pass

    with pytest.raises(TypeError, match="a task is made of a function, not of None"):
        Nothing()


def test_the_logger_of_a_class_bears_its_name() -> None:
    class Logs(Task):
        def run(self) -> Any:
            return self.logger.extra

    with Flow("x") as flow:
        node = Logs()()

    assert flow.run().result[node].result == {"run": "Logs: "}


def test_what_is_not_given_is_taken_from_attributes() -> None:
    greet = Greet("hi")
    with Flow("x") as flow:
        nodes = [greet(), greet("you"), greet(None, "bye"), greet(to="all", greeting=None)]

    result = flow.run().result
    assert [result[node].result for node in nodes] == ["hi world", "hi you", "bye world", "hi all"]


def test_an_attribute_that_is_no_argument_is_refused() -> None:
    with pytest.raises(ValueError, match="has no argument nonesuch"):

        @defaults_from_attrs("nonesuch")
        def run(self: Any) -> None:
            """Nothing."""


def test_a_task_of_a_class_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(Add(10)))

    assert copy(1) == 11


def test_arguments_bind_to_the_method_without_self() -> None:
    flow = Flow("x")
    add = Add(10)
    add.bind(1, 2, flow=flow)

    assert flow.run().result[add].result == 3


def test_tags_are_where_prefect_1_has_them() -> None:
    with tags("a"):
        assert Add()(1) == 2
    with pytest.raises(ImportError):
        from schedulerd.utilities.tasks import nonesuch  # type: ignore[attr-defined]  # noqa: F401

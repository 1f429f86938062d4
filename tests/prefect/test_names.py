"""The list of names says what is the case: what is there can be imported, what is not raises an error that helps."""

import pytest

from schedulerd.authoring.prefect_names import ABSENT, DIFFERS, LATER, SAME, Name, found, names

NAMES = {f"{one.generation}: {one.prefect}": one for one in names()}


def in_a_class(name: Name) -> bool:
    """Is it an attribute of a class, which nobody imports?"""
    return name.ours.split(".")[-2][0].isupper()


@pytest.mark.parametrize("name", [key for key, one in NAMES.items() if one.status in (SAME, DIFFERS)])
def test_a_name_that_is_said_to_be_there_is(name: str) -> None:
    assert found(NAMES[name].ours) is not None


@pytest.mark.parametrize(
    "name",
    [key for key, one in NAMES.items() if one.status in (ABSENT, LATER) and not in_a_class(one)],
)
def test_a_name_that_is_not_there_raises_an_import_error_that_says_what_to_use(name: str) -> None:
    one = NAMES[name]
    if one.status == LATER and one.is_there:
        return  # it has come
    module, _, last = one.ours.rpartition(".")

    with pytest.raises(ImportError) as raised:
        exec(f"from {module} import {last}", {})

    assert one.note in str(raised.value)


def test_every_name_that_differs_or_is_not_there_says_how() -> None:
    assert [one.prefect for one in NAMES.values() if one.status != SAME and not one.note] == []


def test_a_module_that_nobody_has_is_simply_not_there() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'schedulerd\.nothing_of_this_name'"):
        exec("import schedulerd.nothing_of_this_name", {})
    with pytest.raises(ImportError, match="cannot import name 'Complete'"):
        exec("from schedulerd.states import Complete", {})

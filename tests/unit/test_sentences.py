"""A sentence is its English, and can be said in another language as long as nobody cuts it."""

import copy
import json
import pickle

from schedulerd.errors import BadDefinition, NotFound, Stale
from schedulerd.sentences import Sentence, in_language, joined, said

KOREAN = {
    "{name!r} is not paused": "{name!r}: 일시 정지되어 있지 않습니다",
    "there is no {kind} {name!r}": "없습니다: {kind} {name!r}",
    "{what}; did you mean {listed}?": "{what}. 혹시 {listed}?",
    "flow": "플로우",
    "it has a { in it": "안에 { 이 있습니다",
}


def translate(text: str) -> str:
    return KOREAN.get(text, text)


def test_a_sentence_is_a_text_in_english() -> None:
    sentence = said("{name!r} is not paused", name="etl")

    assert sentence == "'etl' is not paused"
    assert json.dumps({"detail": sentence}) == '{"detail": "\'etl\' is not paused"}'


def test_it_is_said_in_another_language_by_what_it_was_made_of() -> None:
    assert said("{name!r} is not paused", name="etl").by(translate) == "'etl': 일시 정지되어 있지 않습니다"
    assert in_language("plain", translate) == "plain"
    assert in_language(7, translate) == 7


def test_what_is_put_into_it_is_said_in_that_language_too() -> None:
    assert NotFound("flow", "elt", near=("etl",)).message == "there is no flow 'elt'; did you mean etl?"
    assert (
        in_language(NotFound("flow", "elt", near=("etl",)).message, translate)
        == "없습니다: 플로우 'elt'. 혹시 etl?"
    )


def test_several_are_joined_and_braces_without_values_are_braces() -> None:
    both = joined("; ", [said("it has a { in it"), "plain {x}"])

    assert both == "it has a { in it; plain {x}"
    assert both.by(translate) == "안에 { 이 있습니다; plain {x}"


def test_an_error_keeps_its_sentence() -> None:
    error = BadDefinition(said("{name!r} is not paused", name="etl"), file="a.toml", line=3)

    assert error.message == "a.toml:3: 'etl' is not paused"
    assert in_language(error.message, translate) == "a.toml:3: 'etl': 일시 정지되어 있지 않습니다"
    assert Stale("schedule", "nightly", is_there=False).message == "the schedule 'nightly' is not there"
    assert Stale("schedule", "nightly", is_there=True, by="minji").message == (
        "the schedule 'nightly' was changed meanwhile by minji"
    )


def test_a_sentence_that_was_sent_to_another_process_is_still_one() -> None:
    sentence = said("{name!r} is not paused", name="etl")

    for other in (pickle.loads(pickle.dumps(sentence)), copy.deepcopy(sentence)):
        assert isinstance(other, Sentence)
        assert other == sentence
        assert other.by(translate) == sentence.by(translate)


def test_nothing_is_said_as_nothing_though_a_catalog_keeps_its_header_there() -> None:
    def header(text: str) -> str:
        return text or "Language: ko"

    assert said("").by(header) == ""
    assert joined(", ", []).by(header) == ""

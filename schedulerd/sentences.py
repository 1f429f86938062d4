"""A sentence that knows what it was made of, so that an edge can say it in another language. It is its English."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

_NOTHING: Final[Mapping[str, object]] = {}
Translate = Callable[[str], str]


class Sentence(str):
    """A text in English, made of a `template` and of `values`, which may be sentences themselves."""

    template: str
    values: Mapping[str, object]

    def by(self, translate: Translate) -> str:
        """The same, made of the template that `translate` gives for this one, and of the values in its language."""
        if not self.template:  # the text of nothing is a catalog's header
            return ""
        if not self.values:
            return translate(self.template)
        return translate(self.template).format(
            **{name: in_language(value, translate) for name, value in self.values.items()}
        )


def said(template: str, /, **values: object) -> Sentence:
    """The sentence of a template, whose text is in the catalog: `said("there is no {kind} {name!r}", kind=..., name=...)`.

    Without values the template is the sentence, braces and all.
    """
    sentence = Sentence(template.format(**values) if values else template)
    sentence.template, sentence.values = template, values or _NOTHING
    return sentence


def joined(separator: str, parts: Sequence[str]) -> Sentence:
    """The parts as one text, each of which is said in its own way."""
    names = [f"part{number}" for number in range(len(parts))]
    template = separator.join(f"{{{name}}}" for name in names)
    return said(template, **dict(zip(names, parts, strict=True)))


def in_language(text: object, translate: Translate) -> object:
    """The text as `translate` has it where it is a sentence of ours; else as it is."""
    return text.by(translate) if isinstance(text, Sentence) else text

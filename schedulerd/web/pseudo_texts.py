"""English that is told from what no catalog has: with accents, and longer by half, as other languages are. For whoever tests pages."""

import gettext
import re
from typing import Final

PSEUDO: Final = "en-XA"

_AS_IT_IS: Final = re.compile(r"%\(\w+\)[a-z]|%%|\{[^}]*\}|<[^>]*>|&\w+;|`[^`]*`")
_ACCENTS: Final = str.maketrans("AaCcEeIiNnOoSsUuYyZz", "ÀåÇçÉéÎîÑñÖöŠšÛûÝýŽž")
_LONGER_BY: Final = 0.4
_WORD: Final = 6


class PseudoTexts(gettext.NullTranslations):
    """A catalog of every text."""

    def gettext(self, message: str) -> str:
        """The text with accents; what is filled in, marks and code stay."""
        return _pseudo(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The same of the form for so many."""
        return _pseudo(singular if n == 1 else plural)


def _pseudo(message: str) -> str:
    pieces, at = [], 0
    for kept in _AS_IT_IS.finditer(message):
        pieces += [message[at : kept.start()].translate(_ACCENTS), kept[0]]
        at = kept.end()
    longer = round(len(message) * _LONGER_BY)
    words = [" " + "~" * min(_WORD, longer - start) for start in range(0, longer, _WORD)]
    return "".join((*pieces, message[at:].translate(_ACCENTS), *words))

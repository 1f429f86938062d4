"""What axe-core finds wrong with a page, by the rules of WCAG 2.0, 2.1 and 2.2, A and AA."""

import re
from typing import Any, Final

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_OPTIONS: Final = {"runOnly": {"type": "tag", "values": _TAGS}, "resultTypes": ["violations"]}
# The numbers of log lines, which are as high as lines are: an address names a line as well (2.5.8, "equivalent").
_SMALL: Final = re.compile(r'\.n$|href="\?line=')
_RUN: Final = "options => axe.run(document, options).then(found => found.violations)"


# Of many that are alike a few will do: axe-core takes a minute for a thousand rows.
_ENOUGH: Final = 12
_SHORTEN: Final = """most => {
    for (const many of document.querySelectorAll("tbody, ol, ul, dl, main, section, article"))
        for (const one of [...many.children].slice(most)) one.remove();
    for (const many of document.querySelectorAll("div:has(> section)")) {
        const alike = [...many.children].filter(one => one.tagName === "SECTION");
        const nth = Math.ceil(alike.length / most);
        alike.forEach((one, at) => at % nth && one.remove());
    }
}"""


def violations(page: Page) -> list[str]:
    """One line for each element that breaks a rule: the rule, the element, and what is wrong. It shortens the page."""
    page.evaluate(_SHORTEN, _ENOUGH)
    page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(_RUN, _OPTIONS)
    return [
        f"{one['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
        if one["id"] != "target-size" or not _SMALL.search(str(node["target"][-1]))
    ]


def has_no_violations(page: Page) -> None:
    """Fail unless the page keeps all of these rules."""
    found = violations(page)
    assert found == [], "\n\n".join(found)

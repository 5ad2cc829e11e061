"""A check that the built site asks no other server for anything when it is opened."""

from html.parser import HTMLParser
from pathlib import Path

_SOURCES = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
_NOT_FETCHED = frozenset({"canonical", "license", "author"})


class _Fetched(HTMLParser):
    """Addresses that a browser fetches without being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get(_SOURCES.get(tag, "")) or ""
        if values.get("rel") not in _NOT_FETCHED:
            self.addresses.append(address)


def foreign_addresses(site: Path) -> list[str]:
    """Each page with what it would fetch from elsewhere; style sheets are looked into too."""
    found = []
    for page in sorted(site.rglob("*.html")):
        parser = _Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        found += [f"{page.name}: {url}" for url in parser.addresses if _is_foreign(url)]
    for sheet in sorted(site.rglob("*.css")):
        text = sheet.read_text(encoding="utf-8")
        if "url(http" in text.replace(" ", "").replace("'", "").replace('"', ""):
            found.append(f"{sheet.name}: a url()")
    return found


def _is_foreign(url: str) -> bool:
    return url.startswith(("http:", "https:", "//"))

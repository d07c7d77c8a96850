"""
The site that `make docs` has built: links lead somewhere, nothing is loaded from elsewhere, Markdown is understood.

Needs no liqcore; runs in the environment of the documentation.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "site"
# What a browser loads by itself; of `a` and `link rel=prev` it loads nothing.
LOADING = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
    "form": ("action",),
}
NOT_LOADED = {"prev", "next", "canonical", "alternate"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """What the tests want to know of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.scripts: list[str] = []
        self.diagrams = 0
        self.prose: list[str] = []  # text outside code
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in pairs}
        if tag not in VOID:
            self._open.append(tag)
        if "id" in attributes:
            self.ids.add(attributes["id"])
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if tag == "link" and not NOT_LOADED & set(attributes.get("rel", "").split()):
            self.loads.append(attributes.get("href", ""))
        self.loads += [attributes[name] for name in LOADING.get(tag, ()) if name in attributes]
        self.loads += re.findall(r"url\(([^)]*)\)", attributes.get("style", ""))
        if tag == "script" and "src" in attributes:
            self.scripts.append(attributes["src"])
        self.diagrams += "mermaid" in attributes.get("class", "").split()

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.loads += re.findall(r"url\(([^)]*)\)", data)
        elif not {"code", "pre", "script", "style"} & set(self._open):
            self.prose.append(data)


def read_pages() -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(SITE.rglob("*.html"))}


PAGES = read_pages()
each_page = pytest.mark.parametrize("page", [pytest.param(p, id=str(k.relative_to(SITE))) for k, p in PAGES.items()])


def outside(address: str) -> bool:
    parts = urlsplit(address.strip("'\" "))
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def test_every_page_of_the_documentation_is_there() -> None:
    sources = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert sources
    assert sources <= {path.relative_to(SITE) for path in PAGES}, "build the site by `make docs`"


@each_page
def test_a_page_loads_nothing_from_elsewhere(page: Page) -> None:
    assert page.loads
    assert [address for address in page.loads if outside(address)] == []


def style_sheets() -> Iterator[Path]:
    return SITE.rglob("*.css")


def test_style_sheets_load_nothing_from_elsewhere() -> None:
    for path in style_sheets():
        text = path.read_text(encoding="utf-8")
        found = re.findall(r"url\(([^)]*)\)|@import\s+[\"']([^\"']*)", text)
        assert [address for pair in found for address in pair if outside(address)] == [], path


@each_page
def test_what_a_page_loads_is_there(page: Page) -> None:
    local = [urlsplit(address).path for address in page.loads if not outside(address)]
    if page.path.name == "404.html":  # served at any address: absolute
        return
    assert [path for path in local if path and not (page.path.parent / unquote(path)).exists()] == []


@each_page
def test_scripts_that_the_theme_would_load_from_elsewhere_come_first(page: Page) -> None:
    names = [Path(script).name for script in page.scripts]
    theme = next(i for i, name in enumerate(names) if name.startswith("bundle."))
    assert "iframe-worker.js" in names[:theme]
    assert ("mermaid.min.js" in names[:theme]) == (page.diagrams > 0)


def test_the_theme_knows_no_other_address() -> None:
    brought = ("mermaid@", "resize-observer-polyfill")  # the latter is for browsers of before 2020
    not_loaded = (
        "clipboardjs",
        "/repos/",
        "/users/",
        "/projects/",
    )  # a comment; figures of a repository, where one is set
    [bundle] = SITE.glob("assets/javascripts/bundle.*.js")
    found = re.findall(r"https?://[^\"'`\s)]+", bundle.read_text(encoding="utf-8"))
    assert [url for url in found if not any(part in url for part in brought + not_loaded)] == []


def test_the_architecture_page_has_its_diagram() -> None:
    assert PAGES[SITE / "architecture.html"].diagrams


@each_page
def test_links_lead_to_pages_and_headings(page: Page) -> None:
    if page.path.name == "404.html":
        return
    wrong = []
    for link in page.links:
        if outside(link):
            continue
        parts = urlsplit(link)
        target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
        if target.is_dir():
            target /= "index.html"
        missing_heading = parts.fragment and target in PAGES and unquote(parts.fragment) not in PAGES[target].ids
        if not target.exists() or missing_heading:
            wrong.append(link)
    assert wrong == []


@each_page
def test_no_markdown_is_left_in_the_text(page: Page) -> None:
    lines = "".join(page.prose).splitlines()
    left = [line for line in lines if re.match(r"\s*(\| .* \||[-*] \S|#+ \S|```)", line) or "](" in line]
    assert left == []

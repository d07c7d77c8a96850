"""
What mkdocs does besides, for `make docs`.

Pages link to files outside docs/ (README.md, examples, sources) as a code host needs it. Here each file that is linked
becomes a page of the site, under repository/, and the links are rewritten. Scripts that the theme would load from
elsewhere come from build/docs, where `make docs` puts them.
"""

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, InclusionLevel
from mkdocs.utils import get_relative_url

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SCRIPTS = {  # in build/docs: in the site
    "mermaid/dist/mermaid.min.js": "assets/javascripts/mermaid.min.js",
    "iframe-worker/shim/index.js": "assets/javascripts/iframe-worker.js",  # search in pages opened as files
}
MERMAID, IFRAME_WORKER = SCRIPTS.values()
STYLE = "assets/site.css"
DIAGRAM = '<pre class="mermaid"><code>', "</code></pre>"
FULL_SIZE = '%%{init: {"flowchart": {"useMaxWidth": false}}}%%\n'

LANGUAGES = {".py": "python", ".cpp": "cpp", ".hpp": "cpp", ".c": "c", ".h": "c", ".toml": "toml", ".json": "json"}
# Code, which stays as it is; or the target of a link.
LINK = re.compile(
    r"(?P<code>^(?P<fence>`{3,}).*?^(?P=fence)$|(?P<ticks>`+).+?(?P=ticks))|\]\((?P<to>[^)\s#]+)", re.M | re.S
)


def leads_to(target: str, folder: Path) -> Path | None:
    """The file or folder of this repository, outside docs/, that a link in a page of `folder` leads to."""
    if ":" in target:
        return None
    path = Path(os.path.normpath(folder / target))
    outside = path.is_relative_to(ROOT) and not path.is_relative_to(DOCS)
    return path if outside and path.exists() else None


def linked(markdown: str, folder: Path) -> list[Path]:
    """What a page links to outside docs/."""
    found = (leads_to(match["to"], folder) for match in LINK.finditer(markdown) if match["to"])
    return [path for path in found if path]


def page_of(path: Path) -> str:
    """Where in docs/ the page of a file or folder outside it would lie."""
    name = path.relative_to(ROOT).as_posix()
    return f"repository/{name}" if path.suffix == ".md" else f"repository/{name}.md"


def text_of(path: Path) -> str:
    """The page of a file or folder."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT).as_posix()
    head = f"---\nsearch:\n  exclude: true\n---\n\n# {name}\n\n"
    if path.is_dir():
        names = sorted(each.name for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
        return head + "".join(f"- [{each}]({each})\n" for each in names)
    return f"{head}````{LANGUAGES.get(path.suffix, 'text')}\n{path.read_text(encoding='utf-8')}\n````\n"


def folder_of(src_uri: str) -> Path:
    """The folder from which the links of a page count."""
    if not src_uri.startswith("repository/"):
        return (DOCS / src_uri).parent
    path = ROOT / src_uri.removeprefix("repository/")
    return path.with_suffix("") if path.with_suffix("").is_dir() else path.parent


def on_config(config: Any) -> None:
    config.extra["polyfills"] = [IFRAME_WORKER]


def on_files(files: Any, config: Any) -> None:
    """Add the pages of what is linked outside docs/, and what those link to, and so on."""
    for source, target in SCRIPTS.items():
        path = ROOT / "build" / "docs" / source
        if not path.exists():
            raise PluginError(f"{path} is missing: build the site by `make docs`")
        files.append(File.generated(config, target, abs_src_path=str(path)))
    files.append(File.generated(config, STYLE, abs_src_path=str(Path(__file__).with_name("site.css"))))
    waiting = [ROOT / "CHANGELOG.md"]
    for file in files.documentation_pages():
        waiting += linked(file.content_string, folder_of(file.src_uri))
    added: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in added:
            continue
        added.add(path)
        text, uri = text_of(path), page_of(path)
        in_nav = path.name == "CHANGELOG.md"
        level = InclusionLevel.UNDEFINED if in_nav else InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, uri, content=text, inclusion=level))
        waiting += linked(text, folder_of(uri))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links out of docs/, or back into it, to the pages of the site."""
    uri = page.file.src_uri
    folder = folder_of(uri)
    here = (DOCS / uri).parent

    def lead(match: re.Match[str]) -> str:
        if not match["to"]:
            return match[0]
        outside = leads_to(match["to"], folder)
        if outside:
            target = DOCS / page_of(outside)
        elif uri.startswith("repository/") and ":" not in match["to"]:
            target = Path(os.path.normpath(folder / match["to"]))
        else:
            return match[0]
        return f"]({Path(os.path.relpath(target, here)).as_posix()}"

    return LINK.sub(lead, markdown)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Draw diagrams full size, and bring their script along: the theme would load it from elsewhere."""
    if DIAGRAM[0] not in html:
        return html
    html = re.sub(
        f"{DIAGRAM[0]}(.*?){DIAGRAM[1]}",
        rf"<div class='diagram'>{DIAGRAM[0]}{FULL_SIZE}\1{DIAGRAM[1]}</div>",
        html,
        flags=re.S,
    )
    return f'{html}\n<script src="{get_relative_url(MERMAID, page.file.url)}"></script>\n'

"""What the site needs beyond MkDocs: navigation from the folders, links that work on GitHub too, and pages that read the same on both.

A page that is added to a folder of ``docs/`` is in the navigation by that alone. Links may leave ``docs/``: what they lead to becomes part
of the site, under ``repository/``.
"""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

log = logging.getLogger("mkdocs.hooks.deskpulse")

SECTIONS = {
    "tutorial": "Tutorial",
    "how-to": "How to",
    "reference": "Reference",
    "explanation": "Explanation",
    "adr": "Decisions",
}
"""Folders of ``docs/`` in the order of the navigation."""

HOME = "README.md"
OUTSIDE = "repository/"
PAGES_HERE = "<!-- the pages of this folder -->"
"""In the page of a folder. On GitHub nothing is there, but the folder's files are above it."""

LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)")
TITLE_OF_BLOCK = re.compile(r'(?<=^```)(\w+) title="[^"]+"$', flags=re.MULTILINE)
STRANGE_BLOCK = re.compile(r"^```(?!\w*$).*", flags=re.MULTILINE)
READ_AS_TEXT = re.compile(r"<p>(?:(?!</p>)[^\n])*\n(?:[-*] |\d+\. |```|\|)")
FROM_ELSEWHERE = re.compile(r"<(?:script|img|iframe)[^>]+src=\"(?:https?:)?//|<link[^>]+rel=\"stylesheet\"[^>]+href=\"(?:https?:)?//")


def on_config(config: MkDocsConfig) -> None:
    """Anchors are those that GitHub makes."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = github_anchor


def github_anchor(title: str, _separator: str = "-") -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what pages link to outside ``docs/``, and puts the pages in order."""
    root = Path(config.config_file_path).parent
    waiting = list(files.documentation_pages())
    while waiting:
        page = waiting.pop()
        for path in _outside(page, root):
            if files.get_file_from_path(OUTSIDE + path) is None:
                added = _added(root / path, OUTSIDE + path, config)
                files.append(added)
                waiting += [added] if added.is_documentation_page() else []
    config.nav = _navigation(files)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as the site has them; the page of a folder lists the others. Titles of blocks are for the test that carries a page out."""
    root = Path(config.config_file_path).parent
    folder = posixpath.dirname(page.file.src_uri)
    if PAGES_HERE in markdown:
        listed = (f"- [{_title(other)}]({posixpath.basename(other.src_uri)})" for other in _pages(files, folder))
        markdown = markdown.replace(PAGES_HERE, "\n".join(listed))

    def in_the_site(link: re.Match[str]) -> str:
        target = _target(page.file, link[1], root)
        if target is None:
            return link[1]  # MkDocs will say so, unless it is code and no link at all
        inside = target.removeprefix("docs/") if target.startswith("docs/") else OUTSIDE + target
        return posixpath.relpath(inside, folder or ".")

    markdown = TITLE_OF_BLOCK.sub(r"\1", markdown)
    if strange := STRANGE_BLOCK.search(markdown):
        log.warning("'%s': MkDocs takes no more than a language here: %s", page.file.src_uri, strange[0])
    return LINK.sub(in_the_site, markdown)


def on_page_content(html: str, page: Page, **_context: object) -> None:
    """GitHub begins a list or a table right after a line of text; MkDocs needs an empty line between them."""
    found = READ_AS_TEXT.search(html)
    if found:
        log.warning("'%s': a list, table or block needs an empty line before it: %s", page.file.src_uri, found[0][-60:])


def on_post_page(output: str, page: Page, **_context: object) -> None:
    """Who reads a page asks nobody else for anything."""
    found = FROM_ELSEWHERE.search(output)
    if found:
        log.warning("'%s' loads something from elsewhere: %s", page.file.src_uri, found[0])


def _repository_path(file: File) -> str:
    return file.src_uri.removeprefix(OUTSIDE) if file.src_uri.startswith(OUTSIDE) else f"docs/{file.src_uri}"


def _target(page: File, link: str, root: Path) -> str | None:
    """What a link leads to, from the root of the repository; a folder stands for its page. None where nothing is there."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(_repository_path(page)), link))
    if path.startswith("..") or not (root / path).exists():
        return None
    return posixpath.normpath(f"{path}/{HOME}") if (root / path).is_dir() else path


def _outside(page: File, root: Path) -> Iterator[str]:
    for link in LINK.findall(page.content_string):
        path = _target(page, link, root)
        if path is not None and not path.startswith("docs/"):
            yield path


def _added(path: Path, uri: str, config: MkDocsConfig) -> File:
    """A file as it is; for a folder that has no page a list of its files."""
    if path.is_file():
        return File.generated(config, uri, abs_src_path=str(path), inclusion=InclusionLevel.NOT_IN_NAV)
    names = sorted(entry.name for entry in path.parent.iterdir() if not entry.name.startswith(("_", ".")))
    content = f"# {path.parent.name}\n\n" + "".join(f"- `{name}`\n" for name in names)
    return File.generated(config, uri, content=content, inclusion=InclusionLevel.NOT_IN_NAV)


def _pages(files: Files, folder: str) -> list[File]:
    """The pages right in a folder, without its own, by the names of their files."""
    found = (page for page in files.documentation_pages() if posixpath.dirname(page.src_uri) == folder)
    return sorted((page for page in found if page.name != "index"), key=lambda page: page.src_uri)


def _title(page: File) -> str:
    found = re.search(r"^# (.+)$", page.content_string, flags=re.MULTILINE)
    if found is None:
        raise PluginError(f"{page.src_uri} has no title: a line that begins with `# `")
    return found[1]


def _navigation(files: Files) -> list[object]:
    navigation: list[object] = [HOME]
    for folder, title in SECTIONS.items():
        own = f"{folder}/{HOME}"
        pages = [own] if files.get_file_from_path(own) else []
        navigation.append({title: [*pages, *(page.src_uri for page in _pages(files, folder))]})
    return navigation

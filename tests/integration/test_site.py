"""The documentation as a site: what leads nowhere fails the build, and what works on GitHub works there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with the site's configuration, a home page and one page of how-tos."""
    for name in ("mkdocs.yml", "mkdocs_hooks.py"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "docs/how-to").mkdir(parents=True)
    (tmp_path / "docs/site.css").touch()
    (tmp_path / "README.md").write_text("# In short\n\nThe [page](docs/how-to/page.md), all [pages](docs/how-to), and the [code](code).\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code/one.py").touch()
    (tmp_path / "docs/README.md").write_text("# Home\n\n[In short](../README.md)\n")
    (tmp_path / "docs/how-to/README.md").write_text("# How to\n\n<!-- the pages of this folder -->\n")
    write(tmp_path, "Nothing yet.")
    return tmp_path


def write(project: Path, text: str) -> None:
    (project / "docs/how-to/page.md").write_text(f"# Page\n\n## A heading, two\n\n{text}\n")


def build(project: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "mkdocs", "build", *options]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def links(project: Path, page: str) -> set[str]:
    content = (project / ".cache/site" / page).read_text().partition('role="main"')[2].partition("<footer")[0]
    return set(re.findall(r'<a href="([^"#]+)"', content))


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    code, said = build(ROOT, "--site-dir", str(tmp_path))
    assert code == 0, said


def test_links_between_docs_and_repository_lead_there_and_back(project: Path) -> None:
    assert build(project)[0] == 0
    assert links(project, "index.html") == {"repository/index.html"}
    assert links(project, "repository/index.html") == {"../how-to/page.html", "../how-to/index.html", "code/index.html"}
    assert "<code>one.py</code>" in (project / ".cache/site/repository/code/index.html").read_text()


def test_the_page_of_a_folder_lists_its_pages(project: Path) -> None:
    assert build(project)[0] == 0
    assert links(project, "how-to/index.html") == {"page.html"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[gone](gone.md)", "'gone.md'"),
        ("[gone](../../code/two.py)", "'../../code/two.py'"),
        ("[gone](#a-heading-three)", "#a-heading-three"),
        ("[gone](../README.md#nothing)", "#nothing"),
        ("A list:\n- one", "needs an empty line before it"),
        ('```sh strange="yes"\nls\n```', "no more than a language here"),
        ('<script src="https://elsewhere.example/x.js"></script>', "loads something from elsewhere"),
    ],
)
def test_what_leads_nowhere_or_reads_otherwise_fails_the_build(project: Path, text: str, complaint: str) -> None:
    write(project, text)
    code, said = build(project)
    assert code != 0
    assert complaint in said


def test_a_block_with_a_title_is_a_block(project: Path) -> None:
    write(project, '```sh title="second terminal"\nls\n```')
    assert build(project)[0] == 0
    assert '<pre><code class="language-sh">ls\n</code></pre>' in (project / ".cache/site/how-to/page.html").read_text()


def test_anchors_are_those_of_github(project: Path) -> None:
    write(project, "[here](#a-heading-two) and [there](#what-is-service_level)\n\n### What is `service_level`?")
    assert build(project)[0] == 0


def test_a_page_in_a_folder_that_the_navigation_does_not_know_fails_the_build(project: Path) -> None:
    (project / "docs/essays").mkdir()
    (project / "docs/essays/page.md").write_text("# Page\n")
    code, said = build(project)
    assert code != 0
    assert 'not included in the "nav" configuration:\n  - essays/page.md' in said

"""What is written about the program agrees with the program: commands, links, numbers, the desktop entry."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from fewshot_gui.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = ["README.md", "CHANGELOG.md", "docs/glossary.md", "packaging/README.md", "models/README.md"]


def read(name: str) -> str:
    """Return the text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", read(name))
    here = [target for target in targets if "://" not in target]
    broken = [target for target in here if not ((ROOT / name).parent / target).exists()]
    assert broken == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_is_named_exists(name: str) -> None:
    named = re.findall(r"(?<![\w/.])((?:packaging|assets|models)/[\w./-]+\w)", read(name))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readme_shows_every_command_and_no_other() -> None:
    shown = set(re.findall(r"^    fewshot-gui (\w+) ", read("README.md"), flags=re.MULTILINE))
    assert shown == set(COMMANDS)


@pytest.mark.parametrize("command", ["python3 packaging/launch.py", "python3 packaging/launch.py test"])
def test_the_readme_gives_the_two_commands(command: str) -> None:
    assert re.search(rf"^    {re.escape(command)}\s+#", read("README.md"), flags=re.MULTILINE)


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    assert "packaging/launch.py test --yes" in read(".ci/run")
    assert "packaging/launch.py test --yes" in read(".github/workflows/ci.yml")


def test_the_changelog_begins_with_the_present_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    numbers = re.findall(r"^## \[(\d[^\]]*)\]", read("CHANGELOG.md"), flags=re.MULTILINE)
    assert numbers[0] == version


def test_the_glossary_is_in_order() -> None:
    words = re.findall(r"^\| \*\*([^*]+)\*\*", read("docs/glossary.md"), flags=re.MULTILINE)
    assert words == sorted(words, key=str.casefold)
    for word in ("episode", "way", "shot", "support set", "query", "prototype", "embedding", "backbone"):
        assert word in words


def test_the_desktop_entry_starts_this_program() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment, method-assign]  # keys keep their capitals
    entry.read_string(read("packaging/linux/fewshot-labeler.desktop"))
    values = entry["Desktop Entry"]
    program = values["Exec"].split()[0]
    assert program in tomllib.loads(read("pyproject.toml"))["project"]["scripts"]
    # The desktop finds the window's entry and icon by this name.
    assert f'setDesktopFileName("{values["Icon"]}")' in read("fewshot_gui/gui/app.py")
    assert values["Categories"].endswith(";")


def test_the_icon_is_a_square_drawing() -> None:
    root = ET.fromstring(read("assets/app-icon.svg"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("width") == root.get("height")


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("bash"), reason="a script for bash")
def test_the_trial_in_debian_is_sound_bash() -> None:
    script = ROOT / "packaging" / "try-in-empty-debian.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111

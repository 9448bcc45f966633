"""The code in the pages of docs/clients, which the programs run as it stands there."""
import re
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "docs" / "clients"
# A block of code whose file is named at the end of the line before it.
NAMED = re.compile(r"`([^`\n]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(page: str) -> str:
    return (PAGES / page).read_text()


def files(page: str) -> dict:
    """The files that a page shows whole: their text by their name."""
    return dict(NAMED.findall(text(page)))


def blocks(page: str, language: str) -> list:
    """All blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.MULTILINE | re.DOTALL)

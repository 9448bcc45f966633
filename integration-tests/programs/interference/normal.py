"""An answer without what two worlds cannot have in common. The program's docstring lists all of it."""
import datetime
import re
from dataclasses import dataclass

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
PAGE_TOKEN = re.compile(r'(?<="next_page_token":")[^"]+')
SECRET = re.compile(r"bhk_[A-Za-z0-9_-]+")
TOKEN_ID = re.compile(r'"(?:token_id|made_with)":"([0-9a-f]{12})"')
# Times that are of this test: a token that is made now ends in 90 days.
LATELY = datetime.timedelta(days=2)
TOKENS_END = datetime.timedelta(days=100)
# How far the lengths of two page tokens may differ: they hold numbers, which may have a digit more.
SLACK = 4
# The folders of the two worlds, which are in the URIs of artifacts; they are of one length.
WORLDS = ("beside", "lonely")
LEFT_OUT = ("date", "x-request-id")


@dataclass(frozen=True)
class Normal:
    """What of an answer is compared, and the lengths of its page tokens, which are compared too."""
    status: int
    headers: tuple
    body: str
    lengths: tuple


class Normaliser:
    """Of one tenant in one world: it numbers ids as they appear."""

    def __init__(self, foreign: set):
        # Ids that are not the tenant's, which must stand in an answer as they are, or not at all.
        self.foreign = foreign
        self.numbers: dict = {}

    def number(self, kind: str, text: str) -> str:
        return self.numbers.setdefault((kind, text), f"<{kind} {len(self.numbers)}>")

    def own(self, id_: str) -> None:
        """Numbers something that was not in an answer."""
        self.number("id", id_)

    def normal(self, status: int, headers: list, body: bytes) -> Normal:
        text = body.decode(errors="backslashreplace")
        tokens = PAGE_TOKEN.findall(text)
        for id_ in TOKEN_ID.findall(text):
            self.number("id", id_)
        changed = self.text(PAGE_TOKEN.sub(lambda found: self.number("page token", found[0]), text))
        kept = []
        for name, value in headers:
            name = name.lower()
            if name in LEFT_OUT:
                continue
            if name == "content-length" and int(value) == len(body):
                # Everything has its length, whatever it is, but page tokens, and moments that end in zeros.
                moments = [moment for moment in TIME.findall(text) if lately(moment)]
                value = str(len(body) - sum(len(word) for word in tokens + moments))
            kept.append((name, self.text(value)))
        return Normal(status, tuple(kept), changed, tuple(len(token) for token in tokens))

    def text(self, text: str) -> str:
        for world in WORLDS:
            text = text.replace(f"/{world}/", "/<world>/")
        text = SECRET.sub(lambda found: self.number("secret", found[0]), text)
        text = ID.sub(lambda found: found[0] if found[0] in self.foreign else self.number("id", found[0]), text)
        # Ids of API tokens look like other words, so only those that were seen are replaced.
        for (kind, known), number in self.numbers.items():
            if kind == "id" and len(known) == 12 and known in text:
                text = text.replace(known, number)
        return TIME.sub(lambda found: "<time>" if lately(found[0]) else found[0], text)


def lately(text: str) -> bool:
    try:
        when = datetime.datetime.fromisoformat(text[:19]).replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return False
    return -LATELY < when - datetime.datetime.now(datetime.timezone.utc) < TOKENS_END


def differences(one: Normal, other: Normal) -> list:
    """What somebody could tell two answers by; nothing if they are equal."""
    found = []
    if one.status != other.status:
        found.append(f"status {one.status} and {other.status}")
    if one.headers != other.headers:
        found.append(f"headers {sorted(set(one.headers) ^ set(other.headers)) or 'in another order'}")
    if one.body != other.body:
        place = next((n for n, (a, b) in enumerate(zip(one.body, other.body)) if a != b), min(len(one.body), len(other.body)))
        begin = max(0, place - 150)
        found.append(f"bodies from {place} on:\n  {one.body[begin:place + 300]}\n  {other.body[begin:place + 300]}")
    if len(one.lengths) == len(other.lengths) and any(abs(a - b) > SLACK for a, b in zip(one.lengths, other.lengths)):
        found.append(f"lengths of page tokens {one.lengths} and {other.lengths}")
    return found

"""Tokens that callers make for themselves: how far they reach, and what ends with them.

It proves that a token made with a token reaches no further, in verbs, namespaces and time, knows of no others, and ends with
it; that when a token is revoked, by whomever, or expires, logs and artifacts that are being read with it are cut off within
2 s, over REST and gRPC, and every further request is 401; and that no token stands in the log, in the audit trail or in any
list of tokens.
"""
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.server import Server  # noqa: E402
from token_parts import ending, reach  # noqa: E402
from token_parts.people import People  # noqa: E402


def main() -> int:
    said, wrong = [], []
    with tempfile.TemporaryDirectory(prefix="tokens-", ignore_cleanup_errors=True, dir=os.environ.get("SCRATCH")) as scratch:
        trail = Path(scratch) / "trail.jsonl"
        config = {"audit": {"sink": "file", "file": str(trail)}, "log": {"level": "debug"}}
        server = Server(Path(scratch) / "server", config=config).start()
        try:
            people = People(server)
            for part in (reach, ending):
                try:
                    said.append(part.check(people))
                except AssertionError as error:
                    wrong.append(f"FAILED: {part.__name__}\n{error}")
            listed = server.command("token", "list")
            server.stop()
        finally:
            server.kill()
        for where, text in (("log", server.log.read_text()), ("trail", trail.read_text()), ("list of tokens", listed)):
            found = [secret for secret in people.secrets if secret in text]
            wrong += [f"the {where} has {len(found)} of {len(people.secrets)} tokens"] if found else []
    for line in wrong:
        print(line)
    print(
        f"{'; '.join(said)}; {len(people.secrets)} tokens were sought in the log, the trail and the list of tokens; {len(wrong)} wrong"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

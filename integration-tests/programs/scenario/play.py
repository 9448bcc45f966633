"""Steps, played against a server."""
import io
import json
import tarfile
import time
import uuid
import zipfile

import rest
from scenario import file, match


class Wrong(Exception):
    """An answer is not what the step expects."""


class Player:
    """One file's steps, which share what they save, and what is `given` to all files."""

    def __init__(self, host: str, tokens: dict, given: dict, name: str):
        self.callers = {who: rest.Rest(host, tokens.get(who)) for who in file.IDENTITIES}
        own = {"tag": f"{name}-{uuid.uuid4().hex[:8]}", "absent": str(uuid.uuid4()), "long": "x" * 129}
        self.variables = given | own

    def play(self, step) -> None:
        deadline = time.monotonic() + step.words.get("within", 0)
        while (wrong := self.attempt(step)) and time.monotonic() < deadline:
            time.sleep(0.25)
        if wrong:
            raise Wrong(wrong)

    def attempt(self, step) -> str:
        """What is wrong, with the request and the answer, or nothing."""
        words = {word: file.filled(value, self.variables) for word, value in step.words.items()}
        path = file.filled(step.path, self.variables)
        try:
            answer = self.ask(step, path, words)
        except OSError as error:
            return f"{request(step, path, words)}\nno answer: {type(error).__name__}: {error}"
        found = wrong_with(answer, step.status, words)
        if answer.status == step.status:
            # Even if something else is wrong, so that the steps that follow can be played.
            found += self.save(answer, words.get("save", {}))
        if not found:
            return ""
        said = answer.body.decode(errors="replace")
        return "\n".join([request(step, path, words), *found, f"the answer was {answer.status} {said[:700]}"])

    def save(self, answer, places: dict) -> list:
        missing = []
        for variable, place in places.items():
            try:
                self.variables[variable] = at(answer.json(), place)
            except (LookupError, ValueError, TypeError):
                missing.append(f"there is nothing at {place}, which is to be saved")
        return missing

    def ask(self, step, path, words):
        caller, query, headers = self.callers[step.who], words.get("query"), words.get("headers")
        if "upload" in words:
            return caller.upload(path, **package(words["upload"]), query=query)
        body = words.get("body")
        if isinstance(body, str) and "headers" not in words:
            headers = {"Content-Type": "application/json"}
        return caller.call(step.method, path, body, query, headers)


def wrong_with(answer, status: int, words: dict) -> list:
    if answer.status != status:
        return [f"the status is {answer.status} instead of {status}"]
    found = []
    if "expect" in words:
        try:
            found += match.differences(words["expect"], answer.json())
        except ValueError:
            found.append("the answer is no JSON")
    if "expect_text" in words:
        found += match.differences(words["expect_text"], answer.body.decode(errors="replace"))
    if "expect_headers" in words:
        found += match.differences(words["expect_headers"], answer.headers, "headers")
    return found


def package(upload) -> dict:
    """What is sent as a file: one of `files`, or a text, or an archive that is made of texts."""
    if isinstance(upload, str):
        return {"content": file.asset(upload).encode(), "filename": upload}
    content, name = upload.get("content", "").encode(), upload["filename"]
    if "zip" in upload or "tar.gz" in upload:
        kept = io.BytesIO()
        if "zip" in upload:
            with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
                for entry, text in upload["zip"].items():
                    archive.writestr(entry, text)
        else:
            with tarfile.open(fileobj=kept, mode="w:gz") as archive:
                for entry, text in upload["tar.gz"].items():
                    head = tarfile.TarInfo(entry)
                    head.size = len(text.encode())
                    archive.addfile(head, io.BytesIO(text.encode()))
        content = kept.getvalue()
    return {"content": content, "filename": name, "field": upload.get("field", "uploadfile")}


def at(value, place: str):
    """`runs.0.run_id`: a place in an answer."""
    for part in place.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def request(step, path: str, words: dict) -> str:
    sent = "".join(f" {word} {json.dumps(words[word])[:300]}" for word in ("query", "headers", "body", "upload") if word in words)
    return f"{step.who}: {step.method} {path}{sent}"

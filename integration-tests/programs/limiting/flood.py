"""A tenant who sends at full speed, in a process of its own: requests are written many at a time and answers counted, so
that what is measured is the server and not this."""
import os
import re
import socket
import threading
import time

AT_ONCE = 16
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
WAIT = re.compile(rb"(?i)\r\nretry-after: (\d+)\r\n")


def run(address: str, token: str, connections: int, seconds: float, results) -> None:
    """Puts how many requests got which status, and how many of the refused were told when to come back."""
    # The machine of another tenant is another one.
    os.nice(10)
    counts, lock = {}, threading.Lock()
    threads = [threading.Thread(target=send, args=(address, token, seconds, number, counts, lock)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(counts)


def send(address: str, token: str, seconds: float, number: int, counts: dict, lock: threading.Lock) -> None:
    host, _, port = address.partition(":")
    body = b'{"display_name": "flood", "namespace": "john-roe"}'
    head = f"Host: {address}\r\nAuthorization: Bearer {token}\r\n"
    reading = f"GET /apis/v2beta1/runs?namespace=john-roe HTTP/1.1\r\n{head}\r\n".encode()
    writing = f"POST /apis/v2beta1/experiments HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
    writing = f"{writing}Content-Length: {len(body)}\r\n\r\n".encode() + body
    request = (writing if number % 4 == 0 else reading) * AT_ONCE
    until = time.monotonic() + seconds
    with socket.create_connection((host, int(port)), timeout=60) as stream:
        while time.monotonic() < until:
            stream.sendall(request)
            text, found = b"", []
            while len(found) < AT_ONCE:
                got = stream.recv(1 << 16)
                assert got, text
                text += got
                found = STATUS.findall(text)
            with lock:
                for status in found:
                    counts[int(status)] = counts.get(int(status), 0) + 1
                counts["told"] = counts.get("told", 0) + len(WAIT.findall(text))
            # What is left of the last answer comes with the next ones.
            stream.settimeout(60)

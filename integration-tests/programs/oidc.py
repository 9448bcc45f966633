"""People with tokens of an OpenID Connect issuer, and the SDK that shows them.

The issuer here is a small one that does what matters of Dex: it publishes its name and its keys, signs tokens, and
changes its keys. It proves that the SDK works with such a token, that rights follow its user and groups, that a new key
is found, and that what is not of the issuer, not for us, not signed or not of now lets nobody in.
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import kfp
import rest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from harness import pages
from harness.server import Server

AUDIENCE = "bulkhead"
# The group `crew` may look at what Jane does.
CREW = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: crew, namespace: jane-doe}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kubeflow-view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'dex:crew'}]
"""


def encoded(data) -> str:
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, length: int) -> str:
    return encoded(value.to_bytes(length, "big"))


class Rsa:
    alg = "RS256"

    def __init__(self, kid):
        self.kid, self.key = kid, rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwk(self):
        public = self.key.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": number(public.n, 256), "e": number(public.e, 3)}

    def sign(self, text):
        return self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())


class Ec:
    alg = "ES256"

    def __init__(self, kid):
        self.kid, self.key = kid, ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        public = self.key.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "kid": self.kid, "x": number(public.x, 32), "y": number(public.y, 32)}

    def sign(self, text):
        r, s = utils.decode_dss_signature(self.key.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Issuer(http.server.BaseHTTPRequestHandler):
    keys, url = [], None

    def log_message(self, *_):
        pass

    def do_GET(self):
        answer = {
            "/dex/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/dex/keys": {"keys": [key.jwk() for key in self.keys]},
        }.get(self.path)
        content = json.dumps(answer).encode()
        self.send_response(200 if answer else 404)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def token(key, sign=None, alg=None, **claims) -> str:
    now = int(time.time())
    claims = {"iss": Issuer.url, "aud": AUDIENCE, "sub": "1", "exp": now + 600, "iat": now, **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    text = f"{encoded({'alg': alg or key.alg, 'kid': key.kid})}.{encoded(claims)}"
    return f"{text}.{encoded((sign or key.sign)(text.encode()))}"


dex = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
Issuer.url = f"http://127.0.0.1:{dex.server_port}/dex"
first, second, stranger = Rsa("first"), Ec("second"), Ec("second")
Issuer.keys = [first]
threading.Thread(target=dex.serve_forever, daemon=True).start()

# What the page says, but for this machine: the issuer is on loopback, so tasks have no network.
asked, = pages.blocks("oidc.md", "yaml")
assert "https://dex.example.com" in asked and "listen: [0.0.0.0:8888]\n" in asked, asked
asked = yaml.safe_load(asked.replace("https://dex.example.com", Issuer.url).replace("listen: [0.0.0.0:8888]\n", ""))
del asked["profiles"]
server = Server(Path(os.environ["SCRATCH"]) / "issuer", config=asked | {"executor": {"network": False}})
(server.profiles / "crew.yaml").write_text(CREW)
try:
    server.start()
    namespace = os.environ["KFP_NAMESPACE"]
    jane = {"email": "jane@example.com", "email_verified": True}
    kept = Path(os.environ["SCRATCH"]) / "id.token"
    kept.write_text(token(first, **jane))

    shown, = pages.blocks("oidc.md", "python")
    shown = shown.replace("https://kfp.example.com", server.host).replace("id.token", str(kept))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", shown], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.endswith("with-a-token-of-dex\n"), f"{done.stdout}{done.stderr}"
    client = kfp.Client(host=server.host, existing_token=kept.read_text())
    made = client.list_experiments(namespace=namespace).experiments
    assert [experiment.display_name for experiment in made] == ["with-a-token-of-dex"], made

    path = f"/apis/v2beta1/experiments?namespace={namespace}"
    api = rest.Rest(server.host)
    public = json.dumps(first.jwk()).encode()
    by_hmac = lambda text: hmac.new(public, text, hashlib.sha256).digest()
    now = int(time.time())
    cases = [
        ("Jane", token(first, **jane), 200),
        ("Jane, for several audiences", token(first, aud=["other", AUDIENCE], **jane), 200),
        ("Jane, expired within the skew", token(first, exp=now - 5, **jane), 200),
        ("John", token(first, email="john@example.com"), 403),
        ("John of the crew", token(first, email="john@example.com", groups=["crew"]), 200),
        ("John of another crew", token(first, email="john@example.com", groups=["dex:crew"]), 403),
        ("Jane of Kubernetes", token(first, email="system:admin"), 401),
        ("Jane by an address that nobody has verified", token(first, **jane | {"email_verified": False}), 401),
        ("nobody", token(first), 401),
        ("Jane, for somebody else", token(first, aud="other", **jane), 401),
        ("Jane, expired", token(first, exp=now - 60, **jane), 401),
        ("Jane, without an end", token(first, exp=None, **jane), 401),
        ("Jane, tomorrow", token(first, nbf=now + 86400, **jane), 401),
        ("Jane, of another issuer", token(first, iss="https://evil.example", **jane), 401),
        ("Jane, signed by nobody", token(first, lambda _: b"", "none", **jane), 401),
        ("Jane, signed with the public key as a secret", token(first, by_hmac, "HS256", **jane), 401),
        ("Jane, with a key of the same name", token(stranger, **jane), 401),
        ("Jane, with a key that is not published yet", token(second, **jane), 401),
    ]
    for who, shown, status in cases:
        answer = api.call("GET", path, headers={"authorization": f"Bearer {shown}"})
        assert answer.status == status, f"{who}: {answer.status} {answer.text()}"
        assert all(part not in answer.text() for part in shown.split(".") if len(part) > 7), answer.text()

    # The issuer changes its keys: the new one is found when it is first seen, but not oftener than every ten seconds.
    Issuer.keys = [second]
    bearer = {"authorization": f"Bearer {token(second, **jane)}"}
    deadline = time.monotonic() + 30
    while (answer := api.call("GET", path, headers=bearer)).status != 200:
        assert answer.status == 401 and time.monotonic() < deadline, f"{answer.status} {answer.text()}"
        time.sleep(1)
    old = api.call("GET", path, headers={"authorization": f"Bearer {token(first, **jane | {'sub': '2'})}"})
    assert old.status == 401, old.text()
    logged = server.log.read_text()
    assert all(part not in logged for _, shown, _ in cases for part in shown.split(".") if len(part) > 7), "a token is in the log"
    server.stop()
finally:
    server.kill()
print(f"the SDK with a token of the issuer, {len(cases)} callers, and a new key")

"""A token made with a token reaches no further, and ends with it."""
import random
import threading
import time

import specs
from token_parts.people import OWN, TOKENS, V1, V2, People, at

READ_JANES = {"verbs": ["get", "list"], "namespaces": ["jane-doe"]}


def scoped(verbs: list, *namespaces: str) -> dict:
    return {"scope": {"verbs": verbs, "namespaces": list(namespaces)}}


def check(people: People) -> str:
    cases, wrong = 0, []
    for part in (bounds, use, lists, groups, ends, race, limits, strangers):
        try:
            cases += part(people)
        except AssertionError as error:
            wrong.append(f"{part.__name__}: {error}")
    assert not wrong, "\n".join(wrong)
    return f"{cases} cases of how far a token reaches"


def bounds(people: People) -> int:
    """What may be asked for with a token that may read in one namespace, for an hour."""
    parent, told = people.made(people.jane, scope=READ_JANES, expires_at=at(3600))
    wrong = []
    asked = [
        ({}, 200),
        ({"scope": READ_JANES}, 200),
        (scoped(["get"], "jane-doe"), 200),
        ({"expires_at": at(1800)}, 200),
        (scoped(["get"]), 403),
        (scoped([], "jane-doe"), 403),
        (scoped(["create"], "jane-doe"), 403),
        (scoped(["get", "list", "delete"], "jane-doe"), 403),
        (scoped(["get"], "john-roe"), 403),
        (scoped(["get"], "jane-doe", "kubeflow"), 403),
        (scoped(["*"], "jane-doe"), 400),
        (scoped(["get"], "*"), 400),
        ({"expires_at": at(7200)}, 400),
        ({"expires_at": at(-60)}, 400),
        ({"expires_at": "2262-01-01T00:00:00Z"}, 400),
        ({"expires_at": "1970-01-01T00:00:00Z"}, 400),
    ]
    for body, status in asked:
        answer = parent.call("POST", TOKENS, body)
        if answer.status != status:
            wrong.append(f"{body}: {answer}")
        if answer.status == 200:
            made = answer.json()
            people.secrets.append(made["secret"])
            assert made["token"]["made_with"] == told["token_id"] and made["token"]["expires_at"] <= told["expires_at"], made
            scope = made["token"]["scope"]
            assert set(scope["verbs"]) <= {"get", "list"} and scope["namespaces"] == ["jane-doe"], made
    assert not wrong, wrong
    return len(asked)


def use(people: People) -> int:
    """What such tokens are good for, those that they made, too, whoever their user is."""
    parent, _ = people.made(people.jane, scope=READ_JANES)
    child, _ = people.made(parent)
    grandchild, _ = people.made(child, scope={"verbs": ["get"], "namespaces": ["jane-doe"]})
    run = {"display_name": "x", "experiment_id": people.experiment, "pipeline_spec": specs.HELLO}
    created = {"pipeline": {"name": "x", "namespace": "jane-doe"}, "pipeline_version": {"pipeline_spec": specs.HELLO}}
    cases = 0
    for who, may_list in ((parent, 200), (child, 200), (grandchild, 403)):
        for method, path, body, status in (
                ("GET", f"{V2}/experiments/{people.experiment}", None, 200),
                ("GET", f"{V2}/experiments?namespace=jane-doe", None, may_list),
                ("GET", f"{V1}/jobs?resource_reference_key.type=NAMESPACE&resource_reference_key.id=jane-doe", None, may_list),
                ("GET", f"{V2}/experiments?namespace=john-roe", None, 403),
                ("POST", f"{V2}/experiments", {"display_name": "x", "namespace": "jane-doe"}, 403),
                ("DELETE", f"{V2}/experiments/{people.experiment}", None, 403),
                ("POST", f"{V2}/runs", run, 403),
                ("POST", f"{V2}/pipelines", {"name": "x"}, 403),
                ("POST", f"{V1}/workflows", '"{}"', 403),
                ("POST", f"{V2}/pipelines/create", created, 403)):
            answer = who.call(method, path, body, headers={"Content-Type": "application/json"} if body else None)
            assert answer.status == status, (method, path, answer)
            cases += 1
        said = who.ok("GET", f"{OWN}/whoami")
        assert said["user"] == "jane@example.com" and said["scope"]["namespaces"] == ["jane-doe"], said
        for verb, allowed in (("get", True), ("create", False)):
            found = who.ok("GET", f"{OWN}/can-i", query={"verb": verb, "resource": "runs", "namespace": "jane-doe"})
            assert found.get("allowed", False) == allowed, found
        assert who.upload(f"{V2}/pipelines/upload", b"{}", query={"name": "x"}).status == 403
    # A scope gives nothing that its user has not.
    far, _ = people.made(people.viewer, scope={"verbs": ["delete", "get"], "namespaces": ["jane-doe", "john-roe"]})
    assert far.call("DELETE", f"{V2}/experiments/{people.experiment}").status == 403
    assert far.call("GET", f"{V2}/experiments?namespace=john-roe").status == 403
    return cases + 11


def lists(people: People) -> int:
    """A token that is bounded knows of itself and of those that it made, and revokes no others."""
    other, others = people.made(people.jane, description="another one")
    parent, own = people.made(people.jane, scope=READ_JANES)
    child, childs = people.made(parent)
    for who, ids in ((parent, {own["token_id"], childs["token_id"]}), (child, {childs["token_id"]})):
        assert {token["token_id"] for token in who.ok("GET", TOKENS)["tokens"]} == ids
    for who, id_ in ((parent, others["token_id"]), (child, own["token_id"]), (child, others["token_id"]),
                     (people.john, own["token_id"]), (people.viewer, childs["token_id"])):
        refused, absent = who.call("DELETE", f"{TOKENS}/{id_}"), who.call("DELETE", f"{TOKENS}/0123456789ab")
        assert refused.status == 404 and refused.text().replace(id_, "0123456789ab") == absent.text(), (refused, absent)
    assert parent.call("DELETE", f"{TOKENS}/{childs['token_id']}").status == 200
    assert child.call("GET", TOKENS).status == 401 and other.call("GET", TOKENS).status == 200
    texts = people.jane.call("GET", TOKENS).text()
    assert not [secret for secret in people.secrets if secret in texts]
    return 9


def groups(people: People) -> int:
    """Groups stay with the tokens that are made with one."""
    member = people.caller(people.server.secret("member@example.com", "--group", "ml", "--verb", "get", "--namespace", "jane-doe"))
    child, _ = people.made(member)
    for who in (member, child):
        said = who.ok("GET", f"{OWN}/whoami")
        assert said["groups"] == ["ml", "system:authenticated"], said
        assert said["scope"] == {"verbs": ["get"], "namespaces": ["jane-doe"]}, said
    return 2


def ends(people: People) -> int:
    """With a token end all that were made with it, at once, and none beside it."""
    parent, own = people.made(people.jane)
    line = [parent]
    for _ in range(4):
        line.append(people.made(line[-1])[0])
    beside, _ = people.made(people.jane)
    people.jane.ok("DELETE", f"{TOKENS}/{own['token_id']}")
    for who in line:
        answer = who.call("GET", f"{OWN}/whoami")
        assert answer.status == 401 and "revoked" in answer.text() and who.token not in answer.text(), answer
        assert who.call("POST", TOKENS, {}).status == 401
    assert beside.call("GET", f"{OWN}/whoami").status == 200
    return 6


def race(people: People) -> int:
    """A token that is revoked while it makes others leaves none behind, however close the two are."""
    rng, alive, made = random.Random(1912), [], 0
    for trial in range(20):
        user = f"racer-{trial}@example.com"
        parent, beside = (people.caller(people.server.secret(user)) for _ in range(2))
        id_ = parent.ok("GET", f"{OWN}/whoami")["proof"].removeprefix("token ")
        children: list = []

        def make() -> None:
            for _ in range(11):
                answer = parent.call("POST", TOKENS, {})
                if answer.status != 200:
                    return
                children.append(answer.json()["secret"])

        makers = [threading.Thread(target=make) for _ in range(8)]
        for maker in makers:
            maker.start()
        time.sleep(rng.uniform(0.005, 0.04))
        beside.ok("DELETE", f"{TOKENS}/{id_}")
        for maker in makers:
            maker.join()
        made += len(children)
        alive += [user for secret in children if people.caller(secret).call("GET", f"{OWN}/whoami").status != 401]
    assert made > 20 and not alive, f"{len(alive)} of {made} tokens outlived the one that they were made with"
    return 20


def limits(people: People) -> int:
    """There are bounds to how long a token holds, and to what it may say."""
    for body, status in (
            ({"expires_at": at(86400 * 91)}, 400), ({"description": "x" * 70_000}, 400), (scoped(["sink"]), 400),
            (scoped([], "Not A Name"), 400), ({"user": "john@example.com"}, 400)):
        answer = people.jane.call("POST", TOKENS, body)
        assert answer.status == status, (body, answer)
    return 5


def strangers(people: People) -> int:
    for who in (people.caller("bhk_" + "x" * 43), type(people.jane)(people.server.host)):
        for method, path in (("GET", TOKENS), ("POST", TOKENS), ("DELETE", f"{TOKENS}/0123456789ab"), ("GET", f"{OWN}/whoami"),
                             ("GET", f"{OWN}/namespaces")):
            assert who.call(method, path, {} if method == "POST" else None).status == 401
    return 10

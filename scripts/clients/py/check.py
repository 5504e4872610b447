"""One line per check; a failure sets the exit code."""

import json
import sys
import urllib.request

ROUTER = sys.argv[1]
failed = 0


def check(what, holds, seen=""):
    global failed
    failed += not holds
    print(f"ok   {what}" if holds else f"FAIL {what}: {seen}")


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ROUTER + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def decide(experiment, ids):
    """What the router's own API says; nothing else in these programs knows an arm."""
    arms = []
    for start in range(0, len(ids), 1000):
        requests = [{"experiment": experiment, "unit_id": one} for one in ids[start : start + 1000]]
        arms += [one["arm"] for one in ask("/v1/decide/batch", {"requests": requests})["decisions"]]
    return arms


def customers(count):
    """Ids as customers have them: plain, in other scripts, beyond 16 bits, combined."""
    shapes = ["customer-#", "客户-#", "ลูกค้า#", "naïve #", "e\u0301#", "😀#", "#-👩‍👩‍👧", "𝒳#", " # ", "#"]
    return [shapes[number % len(shapes)].replace("#", str(number)) for number in range(count)]

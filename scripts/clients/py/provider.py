"""The OpenFeature SDK for Python with its OFREP provider, unmodified."""

import re
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode

import check
from check import ROUTER, customers, decide

api.set_provider(OFREPProvider(ROUTER))
client = api.get_client()


def read(key, flag="tiers", **attributes):
    return client.get_string_details(flag, "nobody", EvaluationContext(key, attributes))


ids = customers(300)
arms = decide("tiers", ids)
details = [read(one) for one in ids]
differ = [one for one, arm, seen in zip(ids, arms, details) if seen.value != arm]
check.check(f"Python SDK: {len(ids)} customers have the router's arms", not differ and len(set(arms)) == 2, differ[:3])
check.check(
    "Python SDK: the variant is the value, for the reason SPLIT",
    all(one.variant == one.value and one.reason == "SPLIT" and one.error_code is None for one in details),
    details[0],
)
check.check(
    "Python SDK: metadata tell the decision",
    all(re.fullmatch("[0-9a-f-]{36}", one.flag_metadata["decision_id"]) for one in details),
    details[0].flag_metadata,
)
whole = read("customer-0", **{"class": "complaint", "language": "th", "shop": {"city": "Bangkok"}, "vip": True})
check.check("Python SDK: observation fields and other attributes travel", whole.error_code is None, whole)
for what, seen, code in [
    ("an unknown flag", read("c", flag="nothing"), ErrorCode.FLAG_NOT_FOUND),
    ("no targeting key", read(None), ErrorCode.TARGETING_KEY_MISSING),
    ("a field out of range", read("c", sentiment=7), ErrorCode.INVALID_CONTEXT),
    ("another type", client.get_boolean_details("tiers", True, EvaluationContext("c")), ErrorCode.TYPE_MISMATCH),
]:
    holds = seen.error_code == code and seen.value in ("nobody", True)
    check.check(f"Python SDK: {what} is {code.value}, and the default answers", holds, seen)
sys.exit(check.failed > 0)

"""GrowthBook's SDK buckets 10,000 customers as the router does, in revision 0 of an experiment."""

import sys

from growthbook import Experiment, GrowthBook

import check
from check import ask, customers, decide

ids = customers(10_000)
for key in ["tiers", "covered"]:
    body = ask(f"/v1/experiments/{key}")
    definition = body["definition"]
    experiment = Experiment(
        key=key,
        variations=[arm["name"] for arm in body["arms"]],
        weights=[arm["weight"] for arm in body["arms"]],
        coverage=definition["coverage"],
        seed=definition.get("salt") or key,
        hashAttribute="id",
        hashVersion=2,
    )
    arms = decide(key, ids)
    results = [GrowthBook(attributes={"id": one}).run(experiment) for one in ids]
    theirs = [one.value if one.inExperiment else None for one in results]
    differ = [one for one, arm, their in zip(ids, arms, theirs) if arm != their]
    outside = theirs.count(None)
    holds = not differ and body["allocation_revision"] == 0 and len(set(arms)) == len(body["arms"]) + (outside > 0)
    check.check(f"GrowthBook Python: {len(ids)} ids of {key} ({outside} outside) have the router's arms", holds, differ[:3])
sys.exit(check.failed > 0)

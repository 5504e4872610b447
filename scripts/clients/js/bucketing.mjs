// GrowthBook's SDK buckets 10,000 customers as the router does, in revision 0 of an experiment.
import { GrowthBook } from '@growthbook/growthbook';
import { ask, check, customers, decide } from './check.mjs';

const ids = customers(10_000);
for (const key of ['tiers', 'covered']) {
  const { body } = await ask(`/v1/experiments/${key}`);
  const experiment = {
    key, variations: body.arms.map((arm) => arm.name), weights: body.arms.map((arm) => arm.weight),
    coverage: body.definition.coverage, seed: body.definition.salt ?? key, hashAttribute: 'id', hashVersion: 2,
  };
  const arms = await decide(key, ids);
  const theirs = ids.map((id) => {
    const result = new GrowthBook({ attributes: { id } }).run(experiment);
    return result.inExperiment ? result.value : null;
  });
  const differ = ids.filter((_, at) => arms[at] !== theirs[at]);
  const outside = theirs.filter((arm) => arm === null).length;
  check(`GrowthBook JS: ${ids.length} ids of ${key} (${outside} outside) have the router's arms`, differ.length === 0
    && body.allocation_revision === 0 && new Set(arms).size === experiment.variations.length + (outside > 0), differ.slice(0, 3));
}

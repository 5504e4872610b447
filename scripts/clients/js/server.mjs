// The OpenFeature server SDK with its OFREP provider, unmodified.
import { OpenFeature, ErrorCode } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { ask, check, customers, decide, router } from './check.mjs';

await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: router }));
const client = OpenFeature.getClient();
const read = (targetingKey, context = {}) => client.getStringDetails('tiers', 'nobody', { targetingKey, ...context });

const ids = customers(300);
const arms = await decide('tiers', ids);
const details = await Promise.all(ids.map((id) => read(id)));
const differ = ids.filter((_, at) => details[at].value !== arms[at]);
check(`server SDK: ${ids.length} customers have the router's arms`, differ.length === 0, differ.slice(0, 3));
check('server SDK: both arms occur', new Set(arms).size === 2, [...new Set(arms)]);
check('server SDK: the variant is the value, for the reason SPLIT',
  details.every((one) => one.variant === one.value && one.reason === 'SPLIT' && !one.errorCode), details[0]);
check('server SDK: metadata tell decision, tier and propensity',
  details.every(({ flagMetadata: data }) => /^[0-9a-f-]{36}$/.test(data.decision_id) && [1, 2, 3].includes(data.tier)
    && data.propensity > 0 && data.propensity <= 1 && data.share > 0), details[0].flagMetadata);

const field = await read('customer-0', { class: 'complaint', language: 'th', shop: { city: 'Bangkok' }, vip: true });
check('server SDK: observation fields and other attributes travel', !field.errorCode, field);
for (const [what, promise, code] of [
  ['an unknown flag', client.getStringDetails('nothing', 'nobody', { targetingKey: 'c' }), ErrorCode.FLAG_NOT_FOUND],
  ['no targeting key', client.getStringDetails('tiers', 'nobody', {}), ErrorCode.TARGETING_KEY_MISSING],
  ['an empty targeting key', read(''), ErrorCode.TARGETING_KEY_MISSING],
  ['a field out of range', read('c', { sentiment: 7 }), ErrorCode.INVALID_CONTEXT],
  ['another type', client.getBooleanDetails('tiers', true, { targetingKey: 'c' }), ErrorCode.TYPE_MISMATCH],
]) {
  const seen = await promise;
  check(`server SDK: ${what} is ${code}, and the default answers`,
    seen.errorCode === code && (seen.value === 'nobody' || seen.value === true), seen);
}

// Outcomes: not in the protocol, so a plain request with the decision's id.
const event = {
  specversion: '1.0', id: 'order-1', source: 'clients.sh', type: 'tierwise.conversion.v1',
  data: { decision_id: details[0].flagMetadata.decision_id, value: 24.9 },
};
const first = await ask('/ofrep/v1/track', [event], { 'content-type': 'application/cloudevents-batch+json' });
const again = await ask('/ofrep/v1/track', event, { 'content-type': 'application/cloudevents+json' });
check('an outcome of an evaluation is taken in once', first.status === 202 && first.body.accepted === 1
  && again.status === 202 && again.body.duplicates === 1, [first, again]);
await OpenFeature.close();

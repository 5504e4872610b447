// A router with API keys and a limit of requests, as the server SDK meets it.
import { OpenFeature } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { check, router } from './check.mjs';

const key = process.argv[3];
async function ask(headers, times = 1) {
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: router, headers }));
  const client = OpenFeature.getClient();
  let seen;
  for (let time = 0; time < times; time += 1) {
    seen = await client.getStringDetails('tiers', 'nobody', { targetingKey: 'customer-0' });
  }
  return seen;
}
const without = await ask([]);
check('without a key the default answers', without.value === 'nobody' && without.errorCode === 'GENERAL', without);
const wrong = await ask([['Authorization', 'Bearer wrong']]);
check('a wrong key is refused', wrong.value === 'nobody' && wrong.errorCode === 'GENERAL', wrong);
for (const headers of [[['Authorization', `Bearer ${key}`]], [['X-API-Key', key]]]) {
  const seen = await ask(headers);
  check(`a key as ${headers[0][0]} opens`, seen.reason === 'SPLIT', seen);
}
const many = await ask([['X-API-Key', key]], 40);
check('429 makes the provider wait as Retry-After says', /paused due to TooManyRequests/.test(many.errorMessage), many);
await OpenFeature.close();

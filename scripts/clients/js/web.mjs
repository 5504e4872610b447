// The OpenFeature web SDK with its OFREP provider, unmodified, where a browser's EventSource is a package of that name.
import { EventSource } from 'eventsource';
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { ask, check, decide, router } from './check.mjs';

globalThis.EventSource = EventSource;
const statuses = [];
const streams = [];
const counted = async (request, init) => {
  const response = await fetch(request, init);
  statuses.push(response.status);
  if (response.status === 200) streams.push((await response.clone().json()).eventStreams[0].endpoint.requestUri);
  return response;
};
const provider = new OFREPWebProvider({ baseUrl: router, cacheMode: 'disabled', fetchImplementation: counted });
await OpenFeature.setContext({ targetingKey: 'web-1', language: 'zh-Hant' });
await OpenFeature.setProviderAndWait(provider);
const client = OpenFeature.getClient();
const arm = async (id) => (await decide('tiers', [id]))[0];
const soon = (what, promise) => Promise.race([
  promise,
  new Promise((_, fail) => { setTimeout(() => fail(new Error(`nothing within 20 s: ${what}`)), 20_000).unref(); }),
]);

const first = client.getStringDetails('tiers', 'nobody');
check("web SDK: the router's arm, for the reason SPLIT", first.value === await arm('web-1') && first.reason === 'SPLIT', first);
check('web SDK: every flag came in one request', statuses.length === 1 && statuses[0] === 200
  && client.getStringDetails('covered', 'nobody').errorCode === undefined, statuses);

// Another context is another answer.
for (const id of ['web-2', 'web-3', '客户-9', '😀']) {
  await OpenFeature.setContext({ targetingKey: id });
  check(`web SDK: ${id} has the router's arm`, client.getStringValue('tiers', 'nobody') === await arm(id));
}
// Nothing changed: not evaluated again, and so no exposure.
statuses.length = 0;
await OpenFeature.setContext({ targetingKey: '😀' });
check('web SDK: an evaluation that is unchanged is answered 304', statuses.length === 1 && statuses[0] === 304, statuses);

// A change of weights is pushed. The stream is open once the router has answered it.
const changed = () => new Promise((done) => { client.addHandler(ProviderEvents.ConfigurationChanged, done); });
const pushed = changed();
const ramp = await ask('/v1/experiments/tiers/ramp', { share: 0.5, reason: 'clients.sh' });
check('the ramp is taken', ramp.status === 200, ramp);
await soon('a ramp is pushed', pushed);
check('web SDK: a ramp is pushed over the event stream', client.getStringValue('tiers', 'nobody') === await arm('😀'));
const paused = changed();
await ask('/v1/experiments/tiers/pause', { reason: 'clients.sh' });
await soon('a pause is pushed', paused);
const rest = client.getStringDetails('tiers', 'nobody');
check('web SDK: a pause is pushed; the champion answers, for the reason DISABLED',
  rest.value === 'champion' && rest.reason === 'DISABLED', rest);

// Whoever names an old state is told at once.
const told = await soon('an old state', new Promise((done) => {
  const source = new EventSource(router + streams[0]);
  source.addEventListener('message', (message) => { source.close(); done(JSON.parse(message.data)); });
}));
check('a stream that was named before a change tells of it at once', told.type === 'refetchEvaluation', told);
await ask('/v1/experiments/tiers/resume', { reason: 'clients.sh' });
await OpenFeature.close();

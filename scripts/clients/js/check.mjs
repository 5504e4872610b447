// One line per check; a failure sets the exit code.

/** The router that scripts/clients.sh started. */
export const router = process.argv[2];

export function check(what, holds, seen = '') {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${holds ? '' : `: ${JSON.stringify(seen)}`}`);
  if (!holds) process.exitCode = 1;
}

export async function ask(path, body, headers = {}) {
  const response = await fetch(router + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** What the router's own API says; nothing else in these programs knows an arm. */
export async function decide(experiment, ids, context = {}) {
  const arms = [];
  for (let from = 0; from < ids.length; from += 1000) {
    const requests = ids.slice(from, from + 1000).map((unit_id) => ({ experiment, unit_id, context }));
    const { status, body } = await ask('/v1/decide/batch', { requests });
    if (status !== 200) throw new Error(`/v1/decide/batch answered ${status}: ${JSON.stringify(body)}`);
    arms.push(...body.decisions.map((decision) => decision.arm));
  }
  return arms;
}

/** Ids as customers have them: plain, in other scripts, beyond 16 bits, combined. */
export function customers(count) {
  const shapes = ['customer-#', '客户-#', 'ลูกค้า#', 'naïve #', 'e\u0301#', '😀#', '#-👩‍👩‍👧', '𝒳#', ' # ', '#'];
  return Array.from({ length: count }, (_, number) => shapes[number % shapes.length].replace('#', number));
}

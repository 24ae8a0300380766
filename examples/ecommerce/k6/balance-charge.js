// Charges the balances of 100 accounts, and then counts the money.
//
//   k6 run balance-charge.js                     5 minutes, up to 1,000 users
//   PROFILE=short k6 run balance-charge.js       15 seconds, up to 50 users
//   BASE_URL=http://127.0.0.1:8081 k6 run …      another shop
//
// The run fails when the money charged is not the money that arrived, when a repeated charge is answered in other
// words than the first, and when one of the checks was never made.

import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import { balances, counter, post } from './lib/shop.js';
import { short, stages, summary } from './lib/profile.js';

const USERS = Array.from({ length: 100 }, (_, n) => n + 4);
const TRIES = 10;

const charges = new Counter('charges');
const repeats = new Counter('repeats');
// What was charged goes up, what arrived goes down: zero at the end.
const unaccounted = new Counter('won_unaccounted_for');

export const options = {
  scenarios: {
    charge: {
      executor: 'ramping-vus',
      stages: stages([
        { duration: '30s', target: 100 },
        { duration: '1m', target: 100 },
        { duration: '30s', target: 500 },
        { duration: '1m', target: 500 },
        { duration: '30s', target: 1000 },
        { duration: '1m', target: 1000 },
        { duration: '30s', target: 0 },
      ]),
      // No charge is left halfway: it would be in the balance and not in the sum.
      gracefulRampDown: '1m',
      gracefulStop: '1m',
    },
  },
  thresholds: {
    'http_req_duration{name:/api/users/{id}/balance/charge}': ['p(95)<1000', 'p(99)<2000'],
    http_req_failed: ['rate<0.05'],
    checks: ['rate==1'],
    charges: ['count>0'],
    repeats: ['count>0'],
    won_unaccounted_for: ['count==0'],
  },
  summaryTrendStats: summary,
};

export function setup() {
  // A counter that was never touched would pass every threshold.
  [charges, repeats, unaccounted].forEach((metric) => metric.add(0));
  return { before: balances(USERS) };
}

export default function () {
  const user = USERS[Math.floor(Math.random() * USERS.length)];
  const body = { amount: 1 + Math.floor(Math.random() * 10000), idempotencyKey: crypto.randomUUID() };
  const response = charge(user, body);
  if (!check(response, { charged: (r) => r.status === 200 && r.json('chargedAmount') === body.amount })) {
    console.error(`user ${user}: ${response.status} ${response.body}`);
    return;
  }
  charges.add(1);
  unaccounted.add(body.amount);
  if (exec.scenario.iterationInTest % 20 === 0) {
    const again = charge(user, body);
    check(again, { 'repeated in the same words': (r) => r.status === 200 && r.body === response.body });
    repeats.add(1);
  }
  sleep(short ? 0.1 : 1);
}

// A charge whose answer was lost may have been made: the same key tells.
function charge(user, body) {
  let response;
  for (let n = 0; n < TRIES; n += 1) {
    response = post(`/api/users/${user}/balance/charge`, body);
    if (response.status === 200) return response;
    sleep(0.2);
  }
  return response;
}

export function teardown({ before }) {
  const arrived = balances(USERS) - before;
  unaccounted.add(-arrived);
  console.log(`won that arrived: ${arrived}; version conflicts so far: ${counter('shop_version_conflicts_total')}`);
}

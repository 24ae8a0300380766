// Orders are placed and paid, some twice, some with a gateway that declines; then money and goods are counted.
//
//   k6 run payment.js                     2 minutes, 50 users
//   PROFILE=short k6 run payment.js       15 seconds
//
// The run fails when what was paid is not what left the balances, when what was sold is not what left the shelves, when
// a repeated payment is answered in other words, or when a declined one changed anything.

import http from 'k6/http';
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import { balances, post, read } from './lib/shop.js';
import { short, stages, summary } from './lib/profile.js';

const USERS = Array.from({ length: 100 }, (_, n) => n + 4);
const PRODUCTS = Array.from({ length: 12 }, (_, n) => n + 1);
const TRIES = 20;

const paid = new Counter('payments');
const repeats = new Counter('payments_repeated');
const declined = new Counter('payments_declined');
const won = new Counter('won_unaccounted_for');
const pieces = new Counter('pieces_unaccounted_for');

// Declined, and busy: the same key may ask again.
http.setResponseCallback(http.expectedStatuses(200, 201, 402, 409));

export const options = {
  scenarios: {
    pay: {
      executor: 'ramping-vus',
      stages: stages([
        { duration: '20s', target: 50 },
        { duration: '80s', target: 50 },
        { duration: '20s', target: 0 },
      ]),
      gracefulRampDown: '1m',
      gracefulStop: '1m',
    },
  },
  thresholds: {
    'http_req_duration{name:/api/orders/{id}/payment}': ['p(95)<2000'],
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
    payments: ['count>0'],
    payments_repeated: ['count>0'],
    payments_declined: ['count>0'],
    won_unaccounted_for: ['count==0'],
    pieces_unaccounted_for: ['count==0'],
  },
  summaryTrendStats: summary,
};

const stock = () => PRODUCTS.reduce((total, id) => total + read(`/api/products/${id}`).stock, 0);

export function setup() {
  [paid, repeats, declined, won, pieces].forEach((metric) => metric.add(0));
  return { balances: balances(USERS), stock: stock() };
}

export default function () {
  const userId = USERS[Math.floor(Math.random() * USERS.length)];
  const productId = PRODUCTS[Math.floor(Math.random() * PRODUCTS.length)];
  const order = post('/api/orders', {
    userId,
    items: [{ productId, quantity: 1 }],
    idempotencyKey: crypto.randomUUID(),
  });
  if (!check(order, { ordered: (r) => r.status === 201 })) return;
  const path = `/api/orders/${order.json('orderId')}/payment`;

  const round = exec.scenario.iterationInTest % 10;
  if (round === 1) {
    const refused = pay(path, { userId, idempotencyKey: `FAIL-${crypto.randomUUID()}` });
    check(refused, { declined: (r) => r.status === 402 });
    declined.add(1);
  }
  const body = { userId, idempotencyKey: crypto.randomUUID() };
  const response = pay(path, body);
  if (check(response, { paid: (r) => r.status === 200 })) {
    paid.add(1);
    won.add(response.json('paidAmount'));
    pieces.add(1);
  }
  if (round === 2) {
    const again = pay(path, body);
    check(again, { 'repeated in the same words': (r) => r.status === 200 && r.body === response.body });
    repeats.add(1);
  }
  sleep(short ? 0.1 : 1);
}

// Busy (409 PAY003) is not refused: the same key may ask again.
function pay(path, body) {
  let response;
  for (let n = 0; n < TRIES; n += 1) {
    response = post(path, body);
    if (response.status !== 409 || response.json('code') !== 'PAY003') return response;
    sleep(0.2);
  }
  return response;
}

export function teardown(before) {
  won.add(balances(USERS) - before.balances);
  pieces.add(stock() - before.stock);
}

// Orders under one key: first, again, and three at once; then the orders are counted.
//
//   k6 run order-idempotency.js                   2 minutes, up to 100 users
//   PROFILE=short k6 run order-idempotency.js     15 seconds
//
// The run fails when a key has more or fewer orders than one, or when a repeat is answered in other words.

import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter } from 'k6/metrics';
import { post, read, request } from './lib/shop.js';
import { short, stages, summary } from './lib/profile.js';

const USERS = Array.from({ length: 100 }, (_, n) => n + 4);

const placed = new Counter('orders_placed');
const repeated = new Counter('orders_repeated');
const atOnce = new Counter('orders_at_once');
// Keys go up, orders go down: zero at the end.
const unaccounted = new Counter('orders_unaccounted_for');

export const options = {
  scenarios: {
    order: {
      executor: 'ramping-vus',
      stages: stages([
        { duration: '20s', target: 50 },
        { duration: '40s', target: 100 },
        { duration: '40s', target: 100 },
        { duration: '20s', target: 0 },
      ]),
      gracefulRampDown: '1m',
      gracefulStop: '1m',
    },
  },
  thresholds: {
    'http_req_duration{name:/api/orders}': ['p(95)<1000'],
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
    orders_placed: ['count>0'],
    orders_repeated: ['count>0'],
    orders_at_once: ['count>0'],
    orders_unaccounted_for: ['count==0'],
  },
  summaryTrendStats: summary,
};

export function setup() {
  [placed, repeated, atOnce, unaccounted].forEach((metric) => metric.add(0));
  return { before: orders() };
}

export default function () {
  const userId = USERS[Math.floor(Math.random() * USERS.length)];
  const order = () => ({
    userId,
    items: [{ productId: 1 + Math.floor(Math.random() * 12), quantity: 1 }],
    idempotencyKey: crypto.randomUUID(),
  });

  const one = order();
  const first = post('/api/orders', one);
  if (check(first, { placed: (r) => r.status === 201 })) {
    placed.add(1);
    unaccounted.add(1);
    const again = post('/api/orders', one);
    check(again, { 'repeated in the same words': (r) => r.status === 201 && r.body === first.body });
    repeated.add(1);
  }

  const three = order();
  const answers = http.batch([1, 2, 3].map(() => request('/api/orders', three)));
  const same = (rs) => rs.every((r) => r.status === 201 && r.body === rs[0].body);
  if (check(answers, { 'three at once, one order': same })) {
    atOnce.add(1);
    unaccounted.add(1);
  }
  sleep(short ? 0.1 : 1);
}

export function teardown({ before }) {
  unaccounted.add(before - orders());
}

function orders() {
  return USERS.reduce((total, user) => total + read(`/api/orders?userId=${user}`).totalCount, 0);
}

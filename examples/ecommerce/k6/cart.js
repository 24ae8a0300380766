// Carts are filled, changed, read and emptied, each user's by one client; every write must show in the next read.
//
//   k6 run cart.js                     2 minutes, 100 users
//   PROFILE=short k6 run cart.js       15 seconds
//
// The run fails when a write is not seen by the read after it.

import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import { del, get, post, put, read } from './lib/shop.js';
import { short, stages, summary } from './lib/profile.js';

const written = new Counter('carts_written');
const left = new Counter('pieces_left_over');

export const options = {
  scenarios: {
    cart: {
      executor: 'ramping-vus',
      stages: stages([
        { duration: '20s', target: 100 },
        { duration: '80s', target: 100 },
        { duration: '20s', target: 0 },
      ]),
      gracefulRampDown: '1m',
      gracefulStop: '1m',
    },
  },
  thresholds: {
    http_req_duration: ['p(95)<1000'],
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
    carts_written: ['count>0'],
    pieces_left_over: ['count==0'],
  },
  summaryTrendStats: summary,
};

const cart = (userId) => get(`/api/cart?userId=${userId}`);
const pieces = (response) => response.json('items').reduce((total, item) => total + item.quantity, 0);

export function setup() {
  [written, left].forEach((metric) => metric.add(0));
}

export default function () {
  // Each virtual user fills a cart of its own.
  const userId = 4 + ((exec.vu.idInTest - 1) % 150);
  const productId = 1 + Math.floor(Math.random() * 12);
  const added = post('/api/cart/items', { userId, productId, quantity: 2 });
  check(added, { added: (r) => r.status === 201 && pieces(r) === 2 });
  check(cart(userId), { 'seen after adding': (r) => r.status === 200 && pieces(r) === 2 });
  check(put('/api/cart/items', { userId, productId, quantity: 5 }), { changed: (r) => r.status === 200 });
  check(cart(userId), { 'seen after changing': (r) => r.status === 200 && pieces(r) === 5 });
  check(del('/api/cart/items', { userId, productId }), { emptied: (r) => r.status === 200 });
  check(cart(userId), { 'seen after emptying': (r) => r.status === 200 && pieces(r) === 0 });
  written.add(1);
  sleep(short ? 0.1 : 1);
}

export function teardown() {
  for (let userId = 4; userId < 154; userId += 1) {
    const items = read(`/api/cart?userId=${userId}`).items;
    left.add(items.reduce((total, item) => total + item.quantity, 0));
  }
}

// Many users want one of a coupon's 50 pieces, and each asks twice. Needs a shop that has just been opened for the
// first time: coupons are issued once.
//
//   k6 run coupon.js                     150 users at once, each twice
//   COUPON=1 k6 run coupon.js            another coupon
//
// The run fails when more were issued than there were, fewer than were asked for, or one user has two.

import http from 'k6/http';
import { check } from 'k6';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import { post, read } from './lib/shop.js';
import { summary } from './lib/profile.js';

const COUPON = Number(__ENV.COUPON || 2);
const PIECES = Number(__ENV.PIECES || 50);
const USERS = Array.from({ length: 150 }, (_, n) => n + 4);

const issued = new Counter('issued');
const soldOut = new Counter('sold_out');
const twice = new Counter('asked_twice');
const oversold = new Counter('oversold');

// Being refused is what most of them are here for.
http.setResponseCallback(http.expectedStatuses(200, 400, 409));

export const options = {
  scenarios: {
    issue: { executor: 'shared-iterations', vus: 150, iterations: USERS.length * 2, maxDuration: '2m' },
  },
  thresholds: {
    http_req_duration: ['p(95)<1000'],
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
    issued: [`count==${PIECES}`],
    sold_out: ['count>0'],
    asked_twice: ['count>0'],
    oversold: ['count==0'],
  },
  summaryTrendStats: summary,
};

export function setup() {
  [issued, soldOut, twice, oversold].forEach((metric) => metric.add(0));
}

export default function () {
  const user = USERS[exec.scenario.iterationInTest % USERS.length];
  const response = post(`/api/coupons/${COUPON}/issue`, { userId: user });
  const code = response.status === 200 ? 'issued' : response.json('code');
  check(code, { 'issued, sold out, or had already': (c) => ['issued', 'C001', 'C004'].includes(c) });
  if (code === 'issued') issued.add(1);
  if (code === 'C001') soldOut.add(1);
  if (code === 'C004') twice.add(1);
}

export function teardown() {
  const held = USERS.map((user) => read(`/api/users/${user}/coupons`).coupons.filter((c) => c.couponId === COUPON));
  const rows = held.reduce((total, coupons) => total + coupons.length, 0);
  const most = Math.max(...held.map((coupons) => coupons.length));
  oversold.add(Math.abs(rows - PIECES) + Math.max(0, most - 1));
  console.log(`coupons in the users' hands: ${rows}; the most that one has: ${most}`);
}

// The shop over HTTP, as the scripts use it.

import http from 'k6/http';
import { fail } from 'k6';

const BASE = __ENV.BASE_URL || 'http://127.0.0.1:8080';

const name = (path) => path.split('?')[0].replace(/\d+/g, '{id}');

function params(path) {
  return { headers: { 'Content-Type': 'application/json' }, tags: { name: name(path) } };
}

export function get(path) {
  return http.get(`${BASE}${path}`, params(path));
}

export function post(path, body) {
  return http.post(`${BASE}${path}`, JSON.stringify(body), params(path));
}

export function put(path, body) {
  return http.put(`${BASE}${path}`, JSON.stringify(body), params(path));
}

export function del(path, body) {
  return http.del(`${BASE}${path}`, JSON.stringify(body), params(path));
}

// A POST for http.batch.
export function request(path, body) {
  return { method: 'POST', url: `${BASE}${path}`, body: JSON.stringify(body), params: params(path) };
}

// For reading the truth: an answer that is missing ends the run.
export function read(path) {
  const response = get(path);
  if (response.status !== 200) fail(`${path} answered ${response.status}`);
  return response.json();
}

export function balances(users) {
  const sum = users.map((id) => read(`/api/users/${id}/balance`).balance);
  return sum.reduce((total, balance) => total + balance, 0);
}

// The value of a counter on /metrics, summed over its labels.
export function counter(name) {
  const lines = get('/metrics').body.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((total, line) => total + Number(line.split(' ').pop()), 0);
}
